//! The kernel's end of the bridge.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::options::BridgeOptions;
use super::worker::{self, Command, Request};
use crate::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};

/// How many events may wait for the kernel before the bridge stops reading from the network.
const EVENTS: usize = 64;

/// What the bridge has to say about connections that failed, for people to read.
#[derive(Clone, Debug, Default)]
pub struct BridgeLog(Arc<Mutex<Vec<String>>>);

impl BridgeLog {
    /// Everything so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// A real broker at the far end. Dropping it cuts its connections and ends its thread.
#[derive(Debug)]
pub struct Bridge {
    commands: Option<UnboundedSender<Command>>,
    events: flume::Receiver<(LinkId, BrokerEvent)>,
    /// Taken from the channel and not by the kernel yet.
    arrived: RefCell<VecDeque<(LinkId, BrokerEvent)>>,
    /// Links that the kernel still wants events of.
    links: BTreeSet<LinkId>,
    last_seen: Cell<u64>,
    log: BridgeLog,
    thread: Option<JoinHandle<()>>,
}

impl Bridge {
    /// Starts the thread that the connections will live on.
    ///
    /// # Panics
    ///
    /// If the host has no thread to spare.
    pub fn new(options: BridgeOptions) -> Self {
        let (commands, to_worker) = tokio::sync::mpsc::unbounded_channel();
        let (to_bridge, events) = flume::bounded(EVENTS);
        let log = BridgeLog::default();
        let worker_log = log.clone();
        let thread = std::thread::Builder::new()
            .name("mqtt bridge".into())
            .spawn(move || worker::run(options, to_worker, to_bridge, worker_log))
            .expect("a thread for the bridge");
        Self {
            commands: Some(commands),
            events,
            arrived: RefCell::default(),
            links: BTreeSet::new(),
            last_seen: Cell::new(0),
            log,
            thread: Some(thread),
        }
    }

    /// A handle of the log, which stays when the bridge has gone to the kernel.
    pub fn log(&self) -> BridgeLog {
        self.log.clone()
    }

    fn command(&self, now: Now, link: LinkId, request: Request) {
        self.last_seen.set(now.micros);
        if let Some(commands) = &self.commands {
            // The worker ends with its channel only, so it is there.
            let _ = commands.send(Command { link, request });
        }
    }

    /// Takes one event out of the channel where none is waiting: the channel is to fill up when the
    /// kernel takes none.
    fn collect(&self) {
        let mut arrived = self.arrived.borrow_mut();
        if arrived.is_empty() {
            arrived.extend(self.events.try_recv().ok());
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.commands = None;
        // The worker may wait for room for an event.
        self.events = flume::bounded(0).1;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Broker for Bridge {
    fn connect(&mut self, now: Now, link: LinkId, request: ConnectRequest) {
        self.links.insert(link);
        self.command(now, link, Request::Connect(Box::new(request)));
    }

    fn subscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, subscriptions: Vec<Subscription>) {
        self.command(now, link, Request::Subscribe { correlation_id, subscriptions });
    }

    fn unsubscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, filters: Vec<Vec<u8>>) {
        self.command(now, link, Request::Unsubscribe { correlation_id, filters });
    }

    fn publish(&mut self, now: Now, link: LinkId, correlation_id: u32, publish: Publish) {
        self.command(now, link, Request::Publish { correlation_id, publish });
    }

    fn acknowledge(&mut self, now: Now, link: LinkId, delivery: u32) {
        self.command(now, link, Request::Acknowledge { delivery });
    }

    fn disconnect(&mut self, now: Now, link: LinkId) {
        self.command(now, link, Request::Disconnect);
    }

    fn abandon(&mut self, now: Now, link: LinkId) {
        self.links.remove(&link);
        self.command(now, link, Request::Abandon);
    }

    /// What has arrived is due; what will, nobody knows.
    fn next_event_at(&self) -> Option<u64> {
        self.collect();
        let waiting = !self.arrived.borrow().is_empty();
        waiting.then(|| self.last_seen.get())
    }

    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)> {
        self.last_seen.set(now.micros);
        loop {
            self.collect();
            let event = self.arrived.borrow_mut().pop_front()?;
            if self.links.contains(&event.0) {
                return Some(event);
            }
        }
    }

    fn is_real_time(&self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Duration) {
        if !self.arrived.borrow().is_empty() {
            return;
        }
        match self.events.recv_timeout(timeout) {
            Ok(event) => self.arrived.borrow_mut().push_back(event),
            Err(flume::RecvTimeoutError::Timeout) => {}
            // Not reached while the worker lives; never spin if it does not.
            Err(flume::RecvTimeoutError::Disconnected) => std::thread::sleep(timeout),
        }
    }
}
