//! The application: telemetry out, commands in.
//!
//! It needs no heap, names nothing of the machine it runs on, and is the same on a board and in the
//! simulator. The session keeps the device connected, whatever happens; the application only says what
//! it publishes and what a command does. Below it is what it tells: in a few words without `core::fmt`,
//! which are all that a board has room for, unless the machine's [`Log`] does better.

use core::cell::Cell;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use core::time::Duration;

use embassy_futures::join::join;
use embassy_futures::select::select;
use embedded_hal_async::delay::DelayNs;
use heapless::String;
use microvisor::aws::{Encodings, StoredProfile, Topics};
use microvisor::mqtt::{
    ConnectError, Inbox, Publish, QoS, ReasonCode, SessionEnd, Subscription, TopicOutcome,
};
use microvisor::session::{
    BuildError, Cause, Event, MemoryPlan, Observer, Policy, PublishError, ReceiveError, Session,
    SessionBuilder, State, WhenOffline,
};
use microvisor::{DeviceId, HandedBack, KernelBuffer, Notifications};

/// What the application gets from the machine it runs on.
pub struct Machine<D, L, const N: usize> {
    pub notifications: Notifications,
    /// For the kernel's channels and the credentials.
    pub memory: KernelBuffer<N>,
    /// How it is divided.
    pub memory_plan: MemoryPlan,
    /// How the credentials are written in the device's stores.
    pub encodings: Encodings,
    /// How long the session waits for answers, and between its attempts.
    pub policy: Policy,
    pub delay: D,
    pub log: L,
}

/// What it is to do.
#[derive(Clone, Copy)]
pub struct Plan {
    /// After how many readings that the broker took it ends.
    pub publishes: u32,
    /// How long it is from one to the next.
    pub interval_ms: u32,
}

/// What came of it.
#[allow(dead_code, reason = "a board's plan has no end")]
pub struct Summary {
    pub published: u32,
    pub commands: u32,
}

/// Runs until the broker has taken as many readings as planned, however often the device goes offline
/// meanwhile.
///
/// It is one future, for those without an executor. Where there are tasks, each of the three things it
/// joins is one.
///
/// # Errors
///
/// The memory or the notification centre is not what a session needs, which no waiting heals.
#[allow(dead_code, reason = "not with tasks")]
pub async fn run<D: DelayNs + Clone, L: Log, const N: usize>(
    machine: Machine<D, L, N>,
    plan: Plan,
) -> Result<Summary, BuildError> {
    let Machine { notifications, memory, memory_plan, encodings, policy, delay, log } = machine;
    let id = read_id(delay.clone(), &log).await;
    let topics = Topics::new(&id);
    let filters = subscriptions(&topics);
    let log = &log;
    let machine = Machine { notifications, memory, memory_plan, encodings, policy, delay, log };
    let delay = machine.delay.clone();
    let device = Device::new(machine, id, &topics, &filters)?;
    let application = join(device.telemetry(delay.clone(), plan), device.commands());
    select(device.stay_connected(delay), application).await;
    Ok(Summary { published: device.published.get(), commands: device.commands.get() })
}

/// The kernel has it at hand; should it not, a device without a name can do nothing but ask again.
pub async fn read_id(mut delay: impl DelayNs, log: &impl Log) -> DeviceId {
    loop {
        match DeviceId::read() {
            Ok(id) => {
                log.line(&["device ", id.as_str()]);
                return id;
            }
            Err(_) => log.line(&["no device id"]),
        }
        delay.delay_ms(1_000).await;
    }
}

/// What commands come by.
pub fn subscriptions(topics: &Topics) -> [Subscription<'_>; 2] {
    [topics.command(), topics.broadcast()].map(|filter| Subscription::new(filter, QoS::AtLeastOnce))
}

/// A device with a thermometer, which listens to commands.
pub struct Device<'a, L> {
    /// One message at a time is on its way.
    session: Session<'a, StoredProfile, Told<'a, L>, 1>,
    topics: &'a Topics,
    log: &'a L,
    publishing: Switch,
    published: Cell<u32>,
    commands: Cell<u32>,
}

impl<'a, L: Log> Device<'a, L> {
    /// A device that does nothing yet.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub fn new<D, const N: usize>(
        machine: Machine<D, &'a L, N>,
        id: DeviceId,
        topics: &'a Topics,
        subscriptions: &'a [Subscription<'a>],
    ) -> Result<Self, BuildError> {
        let Machine { notifications, memory, memory_plan, encodings, policy, delay: _, log } = machine;
        let session = SessionBuilder::new(notifications, memory, id)
            .memory_plan(memory_plan)
            .profile(StoredProfile::new().with_encodings(encodings))
            .policy(policy)
            .subscriptions(subscriptions)
            .observer(Told(log))
            .build_for()
            .map_err(HandedBack::into_error)?;
        let publishing = Switch::on();
        Ok(Self { session, topics, log, publishing, published: Cell::new(0), commands: Cell::new(0) })
    }

    /// Keeps the device connected, until the last reading was published.
    pub async fn stay_connected(&self, delay: impl DelayNs) {
        self.session.run(delay).await;
    }

    /// Publishes a reading each interval, and ends the session after the last.
    pub async fn telemetry(&self, mut delay: impl DelayNs, plan: Plan) {
        let mut taken = 0;
        while self.published.get() < plan.publishes {
            // A reading is taken when it can be published.
            self.session.online().await;
            self.publishing.wait().await;
            taken += 1;
            // One interval lasts from reading to reading, however long it takes to publish one.
            join(self.publish(taken, plan), delay.delay_ms(plan.interval_ms.max(1))).await;
        }
    }

    async fn publish(&self, taken: u32, plan: Plan) {
        let payload = reading(taken);
        let reading = Publish::new(self.topics.telemetry(), payload.as_bytes()).with_qos(QoS::AtLeastOnce);
        // After an interval there is a newer one.
        let fresh = Duration::from_millis(plan.interval_ms.max(1_000).into());
        match self.session.publish(&reading, WhenOffline::Wait(fresh)).await {
            Ok(reason) => {
                let number = self.published.get() + 1;
                self.published.set(number);
                self.log.published(number, &payload, reason.unwrap_or(ReasonCode::SUCCESS));
                if number == plan.publishes {
                    self.session.stop();
                }
            }
            // Not that it was sent twice, since the next is another one.
            Err(error) => self.log.not_published(&payload, &error),
        }
    }

    /// Obeys commands, and acknowledges each.
    pub async fn commands(&self) {
        // Larger than any topic and any command that is meant for it.
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        loop {
            match self.session.receive(&mut Inbox::new(&mut topic, &mut payload)).await {
                Ok(message) => {
                    self.obey(message.topic_str().unwrap_or("?"), message.payload());
                    message.acknowledge();
                }
                Err(error) => self.log.not_received(&error),
            }
        }
    }

    fn obey(&self, topic: &str, payload: &[u8]) {
        let (command, publishing) = match payload {
            b"stop" => ("stop", false),
            b"restart" => ("restart", true),
            _ => return self.log.line(&["no command that is known, on ", topic]),
        };
        self.publishing.set(publishing);
        self.commands.set(self.commands.get() + 1);
        self.log.line(&["command ", command, " on ", topic]);
    }
}

/// A simulated thermometer: tenths of a degree, up and down between 21.0 and 22.5.
fn reading(number: u32) -> String<40> {
    let phase = (number % 6) * 5;
    let tenths = 210 + if phase < 15 { phase } else { 30 - phase };
    let mut json = String::new();
    for part in ["{\"temperature_celsius\":", &decimal(tenths / 10), ".", &decimal(tenths % 10), "}"] {
        // 31 characters at most.
        let _ = json.push_str(part);
    }
    json
}

/// Digits without `core::fmt`.
fn decimal(number: u32) -> String<10> {
    let mut digits = String::new();
    let mut place = 1_000_000_000;
    while place > 0 {
        let digit = number / place % 10;
        if digit > 0 || place == 1 || !digits.is_empty() {
            // There are ten places.
            let _ = digits.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
        place /= 10;
    }
    digits
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

    async fn wait(&self) {
        poll_fn(|cx| {
            if self.is_on.get() {
                return Poll::Ready(());
            }
            self.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Where the application tells what it does: a few words each, from pieces. A machine with room for
/// prose takes the events and errors themselves, which say more.
pub trait Log {
    /// One line.
    fn line(&self, parts: &[&str]);

    /// Something happened in the session.
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::State(State::BackingOff { cause, .. }) => {
                let (what, code) = in_short(cause);
                let code = code.map(decimal).unwrap_or_default();
                self.line(&["backing off: ", what, cause.key().unwrap_or_default(), &code]);
            }
            // The next event says to whom.
            Event::State(State::Connecting) => {}
            Event::State(state) => self.line(&[name(state)]),
            Event::Connecting { host, .. } => self.line(&["connecting to ", host]),
            Event::Subscribed { filter, outcome: TopicOutcome::Granted(_) } => {
                self.line(&["subscribed to ", filter.as_str()]);
            }
            Event::Subscribed { filter, .. } | Event::NotSubscribed { filter, .. } => {
                self.line(&["not subscribed to ", filter.as_str()]);
            }
            Event::Discarded { .. } | Event::Lost { .. } => self.line(&["a message was thrown away"]),
            _ => {}
        }
    }

    /// The broker took a reading, the first being number 1.
    fn published(&self, _number: u32, reading: &str, _reason: ReasonCode) {
        self.line(&["published ", reading]);
    }

    /// A reading was not published, or nobody knows whether it was.
    fn not_published(&self, reading: &str, error: &PublishError) {
        let why = match error {
            PublishError::Indeterminate(_) => "unknown whether published ",
            PublishError::Refused(_) => "refused ",
            _ => "not published ",
        };
        self.line(&[why, reading]);
    }

    /// A message could not be received.
    fn not_received(&self, error: &ReceiveError<'_>) {
        // Received again, it is thrown away, and that is told.
        if !matches!(error, ReceiveError::TooLarge) {
            self.line(&["a message was too large"]);
        }
    }
}

/// The session's observer.
struct Told<'a, L>(&'a L);

impl<L: Log> Observer for Told<'_, L> {
    fn event(&mut self, event: &Event<'_>) {
        self.0.event(event);
    }
}

fn name(state: &State) -> &'static str {
    match state {
        State::Stopped => "disconnected",
        State::Offline => "waiting for the network",
        State::FetchingSettings => "fetching the settings",
        State::Subscribing => "connected",
        State::Online => "online",
        State::Disconnecting => "disconnecting",
        _ => "?",
    }
}

/// What failed, and the number that the kernel or the broker gave for it.
fn in_short(cause: &Cause) -> (&'static str, Option<u32>) {
    match cause {
        Cause::Network(_) => ("network", None),
        Cause::Open(_) => ("no channel", None),
        Cause::Fetch(_) => ("settings not fetched", None),
        Cause::Settings(_) => ("check the settings ", None),
        Cause::Connect(ConnectError::Refused(reason) | ConnectError::Disconnected(reason)) => {
            ("refused, reason ", Some(reason.raw()))
        }
        Cause::Connect(ConnectError::Failed(state)) => ("not connected, state ", Some(state.raw())),
        Cause::Connect(_) => ("not connected", None),
        Cause::Ended(SessionEnd::Disconnected { reason, .. }) => {
            ("disconnected, reason ", Some(reason.raw()))
        }
        Cause::Ended(SessionEnd::ChannelClosed(reason)) => ("connection lost, reason ", Some(reason.raw())),
        Cause::NoAnswer(_) => ("no answer", None),
        Cause::Close(_) => ("channel not closed", None),
        _ => ("session lost", None),
    }
}
