//! The application where tasks share the device: what its main loop does, as futures, in the same words.
//!
//! They are for one thread: tasks of an executor, or joined in one future.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use embassy_futures::join::join;
use embedded_hal_async::delay::DelayNs;
use microvisor::HandedBack;
use microvisor::aws::{Commands, Topics};
use microvisor::mqtt::{Inbox, Publish, QoS, ReasonCode};
use microvisor::session::{BuildError, WhenOffline};

use crate::application::{
    Command, Log, Machine, OneByOne, PayloadBuffer, Plan, Reading, TopicBuffer, session,
};

/// A device with a thermometer, which listens to commands.
pub struct Device<'a, L> {
    session: OneByOne<'a, L>,
    topics: &'a Topics,
    log: L,
    publishing: Switch,
}

impl<'a, L: Log + Copy> Device<'a, L> {
    /// A device that does nothing yet.
    ///
    /// # Errors
    ///
    /// As [`session`].
    pub fn new(
        machine: Machine<'a, L>,
        topics: &'a Topics,
        commands: &'a Commands<'a>,
    ) -> Result<Self, BuildError> {
        let log = machine.log;
        let session = session(machine, topics, commands).map_err(HandedBack::into_error)?;
        Ok(Self { session, topics, log, publishing: Switch::on() })
    }

    /// Keeps the device connected, until the last reading was published.
    pub async fn stay_connected(&self, delay: impl DelayNs) {
        self.session.run(delay).await;
    }

    /// Publishes a reading each interval, and ends the session after the last.
    pub async fn telemetry(&self, mut delay: impl DelayNs, plan: Plan) {
        let (mut taken, mut published) = (0, 0);
        while published < plan.publishes {
            // A reading is taken when it can be published.
            self.session.online().await;
            self.publishing.wait().await;
            taken += 1;
            // One interval lasts from reading to reading, however long it takes to publish one.
            let publish = self.publish(Reading::number(taken), published + 1, plan.interval_ms);
            match join(publish, delay.delay_ms(plan.interval_ms)).await.0 {
                Some(is_published) => published += u32::from(is_published),
                None => taken -= 1,
            }
        }
        self.session.stop();
    }

    /// Whether the broker took the reading, which is the one of that number then. `None` if the device was
    /// told to stop before it was sent.
    async fn publish(&self, reading: Reading, number: u32, interval_ms: u32) -> Option<bool> {
        let payload = reading.to_json();
        let publish = Publish::new(self.topics.telemetry(), &payload).with_qos(QoS::AtLeastOnce);
        // After an interval there is a newer one.
        let fresh = Duration::from_millis(interval_ms.max(1_000).into());
        let mut publishing = pin!(self.session.publish(&publish, WhenOffline::Wait(fresh)));
        let verdict = poll_fn(|cx| {
            if self.publishing.poll(cx).is_pending() && !publishing.is_sent() {
                return Poll::Ready(None);
            }
            publishing.as_mut().poll(cx).map(Some)
        });
        Some(match verdict.await? {
            Ok(reason) => {
                self.log.published(number, reading, reason.unwrap_or(ReasonCode::SUCCESS));
                true
            }
            // Not that it was sent twice, since the next is another one.
            Err(error) => {
                self.log.not_published(reading, &error);
                false
            }
        })
    }

    /// Obeys commands, and acknowledges each.
    pub async fn commands(&self) {
        let (mut topic, mut payload): (TopicBuffer, PayloadBuffer) = ([0; _], [0; _]);
        loop {
            match self.session.receive(&mut Inbox::new(&mut topic, &mut payload)).await {
                Ok(message) => {
                    let command = Command::of(message.payload());
                    if command != Command::Unknown {
                        self.publishing.set(command == Command::Restart);
                    }
                    self.log.command(command, message.topic());
                    message.acknowledge();
                }
                Err(error) => self.log.not_received(&error),
            }
        }
    }
}

/// Whether to publish, for one who waits until it is so.
struct Switch {
    is_on: Cell<bool>,
    waiting: Cell<Option<Waker>>,
}

impl Switch {
    fn on() -> Self {
        Self { is_on: Cell::new(true), waiting: Cell::new(None) }
    }

    fn set(&self, is_on: bool) {
        self.is_on.set(is_on);
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }

    /// Ready while it is on. The last waker polled with is woken when it is switched.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.waiting.set(Some(cx.waker().clone()));
        if self.is_on.get() { Poll::Ready(()) } else { Poll::Pending }
    }

    async fn wait(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}
