//! A program with a main loop of its own, without futures and without an executor.

#![allow(dead_code)] // Each test file uses its part.

use std::time::Duration;

use microvisor::mqtt::{Inbox, ReasonCode};
use microvisor::session::{Acknowledged, BrokerProfile, Incoming, Observer, PublishError, Session, Ticket};
use microvisor_sim::Device;

/// How often `next` may be called at one time. The kernel has no more than a few dozen items.
const MOST_NEXTS: u32 = 200;

/// What came in, without what it borrows.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A payload, and what became of its acknowledgement.
    Message(Vec<u8>, Option<Acknowledged>),
    Published(Ticket, Result<ReasonCode, PublishError>),
    /// What was said of a message that could not be received.
    NotReceived(String),
}

/// How the program deals with messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manners {
    Acknowledge,
    /// Never says anything, and the session cannot know.
    Leak,
}

pub struct MainLoop<'w, P: BrokerProfile, O, const N: usize> {
    pub session: Session<'static, P, O, N>,
    pub manners: Manners,
    /// What came in, and when.
    pub news: Vec<(Duration, News)>,
    /// How often `next` was called.
    pub nexts: u64,
    /// How often it slept.
    pub sleeps: u64,
    device: &'w Device,
    inbox: (Vec<u8>, Vec<u8>),
}

impl<'w, P: BrokerProfile, O: Observer, const N: usize> MainLoop<'w, P, O, N> {
    pub fn new(device: &'w Device, session: Session<'static, P, O, N>) -> Self {
        session.start();
        let (manners, inbox) = (Manners::Acknowledge, (vec![0; 256], vec![0; 512]));
        Self { session, manners, news: Vec::new(), nexts: 0, sleeps: 0, device, inbox }
    }

    /// With room for so many bytes of payload.
    pub fn resize_inbox(&mut self, payload: usize) {
        self.inbox.1 = vec![0; payload];
    }

    /// What comes in next.
    pub fn next(&mut self) -> Option<News> {
        self.nexts += 1;
        let mut inbox = Inbox::new(&mut self.inbox.0, &mut self.inbox.1);
        let news = match self.session.next(&mut inbox)? {
            Incoming::Message(message) => {
                let payload = message.payload().to_vec();
                let acknowledged = match self.manners {
                    Manners::Acknowledge => message.acknowledge(),
                    Manners::Leak => {
                        std::mem::forget(message.into_obligation());
                        None
                    }
                };
                News::Message(payload, acknowledged)
            }
            Incoming::Published(ticket, verdict) => News::Published(ticket, verdict),
            Incoming::NotReceived(error) => News::NotReceived(error.to_string()),
            other => panic!("{other:?}"),
        };
        self.news.push((self.device.now(), news.clone()));
        Some(news)
    }

    /// Does what can be done now.
    pub fn turn(&mut self) {
        let mut left = MOST_NEXTS;
        while self.next().is_some() {
            left -= 1;
            assert!(left > 0, "there is no end: {:?}", &self.news[self.news.len() - 10..]);
        }
    }

    /// Sleeps until the session's deadline or an interrupt, but not beyond `end`.
    pub fn sleep(&mut self, end: Duration) {
        self.sleeps += 1;
        let deadline = Duration::from_micros(self.session.deadline_micros());
        self.device.sleep_until(deadline.min(end));
    }

    /// Takes turns until that time since boot.
    pub fn run_until(&mut self, end: Duration) {
        self.run_while(end, |_| true);
    }

    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.device.now() + duration);
    }

    /// Takes turns for as long as `wanted`, which is asked after each; whether that ended before `end`.
    pub fn run_while(&mut self, end: Duration, mut wanted: impl FnMut(&mut Self) -> bool) -> bool {
        loop {
            self.turn();
            if !wanted(self) {
                return true;
            }
            if self.device.now() >= end {
                return false;
            }
            self.sleep(end);
        }
    }

    /// The same as often as the session asks for it, and at `due` at the latest, which `step` says anew each
    /// time: how an application works that has something to do by itself.
    pub fn work_until(&mut self, end: Duration, mut step: impl FnMut(&mut Self) -> Duration) {
        loop {
            self.turn();
            let due = step(self);
            if self.device.now() >= end {
                return;
            }
            self.sleep(due.min(end));
        }
    }

    /// The verdicts, in the order in which they came.
    pub fn verdicts(&self) -> Vec<(Ticket, Result<ReasonCode, PublishError>)> {
        let published = self.news.iter().filter_map(|(_, news)| match news {
            News::Published(ticket, verdict) => Some((*ticket, *verdict)),
            _ => None,
        });
        published.collect()
    }

    /// The payloads that came.
    pub fn payloads(&self) -> Vec<String> {
        let messages = self.news.iter().filter_map(|(_, news)| match news {
            News::Message(payload, _) => Some(String::from_utf8_lossy(payload).into_owned()),
            _ => None,
        });
        messages.collect()
    }

    /// What was said of messages that could not be received.
    pub fn troubles(&self) -> Vec<&str> {
        let troubles = self.news.iter().filter_map(|(_, news)| match news {
            News::NotReceived(error) => Some(error.as_str()),
            _ => None,
        });
        troubles.collect()
    }
}
