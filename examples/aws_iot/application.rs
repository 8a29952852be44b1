//! The application: telemetry out, commands in.
//!
//! It needs no heap, names nothing of the machine it runs on, and is the same on a board and in the
//! simulator. The session keeps the device connected, whatever happens; the application only says what
//! it publishes and what a command does. It has no tasks and no futures: the machine's main loop calls
//! [`Application::step`], and sleeps until the time that this returns or until an interrupt.
//!
//! Below it is what it tells: in a few words without `core::fmt`, which are all that a board has room for,
//! unless the machine's [`Log`] does better.

use heapless::String;
use microvisor::aws::{Encodings, StoredProfile, Topics};
use microvisor::clock;
use microvisor::mqtt::{
    ConnectError, Inbox, Publish, QoS, ReasonCode, SessionEnd, Subscription, TopicOutcome,
};
use microvisor::session::{
    BuildError, Cause, Event, Incoming, MemoryPlan, Observer, Policy, PublishError, ReceiveError, Session,
    SessionBuilder, State,
};
use microvisor::{DeviceId, HandedBack, KernelBuffer, Notifications};

/// What the application gets from the machine it runs on.
pub struct Machine<L, const N: usize> {
    pub notifications: Notifications,
    /// For the kernel's channels and the credentials.
    pub memory: KernelBuffer<N>,
    /// How it is divided.
    pub memory_plan: MemoryPlan,
    /// How the credentials are written in the device's stores.
    pub encodings: Encodings,
    /// How long the session waits for answers, and between its attempts.
    pub policy: Policy,
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
    /// The device has disconnected after the last reading.
    pub is_done: bool,
}

/// Runs the application until it is done, or until `sleep_until` says that it is to end. That sleeps until an
/// interrupt of the notifications or until the time it is given, on the kernel's clock in microseconds.
///
/// It is for machines with room on the stack. A board does the same with the application in a static.
///
/// # Errors
///
/// As [`Application::new`].
#[allow(dead_code, reason = "see above")]
pub fn run<L: Log + Copy, const N: usize>(
    machine: Machine<L, N>,
    plan: Plan,
    mut sleep_until: impl FnMut(u64) -> bool,
) -> Result<Summary, BuildError> {
    let id = read_id(machine.log, |until| _ = sleep_until(until));
    let topics = Topics::new(&id);
    let subscriptions = subscriptions(&topics);
    let mut application =
        Application::new(machine, plan, id, &topics, &subscriptions).map_err(HandedBack::into_error)?;
    loop {
        let until = application.step();
        if application.is_done() || !sleep_until(until) {
            return Ok(application.summary());
        }
    }
}

/// The kernel has it at hand; should it not, a device without a name can do nothing but ask again, after
/// a second.
pub fn read_id(log: impl Log + Copy, mut sleep_until: impl FnMut(u64)) -> DeviceId {
    loop {
        match DeviceId::read() {
            Ok(id) => {
                log.line(&["device ", id.as_str()]);
                return id;
            }
            Err(_) => log.line(&["no device id"]),
        }
        sleep_until(clock::uptime_micros().unwrap_or(0) + 1_000_000);
    }
}

/// What commands come by.
pub fn subscriptions(topics: &Topics) -> [Subscription<'_>; 2] {
    [topics.command(), topics.broadcast()].map(|filter| Subscription::new(filter, QoS::AtLeastOnce))
}

/// What a session of this device is made of.
pub type Builder<'a, L> = SessionBuilder<'a, StoredProfile, Told<L>>;
/// One message at a time is on its way.
pub type OneByOne<'a, L> = Session<'a, StoredProfile, Told<L>, 1>;

/// A session that does nothing yet.
///
/// # Errors
///
/// The memory or the notification centre is not what a session needs, which no waiting heals. They are
/// handed back with what was to be made of them.
#[inline(always)]
#[allow(clippy::inline_always, clippy::result_large_err, reason = "a session is too large to be handed on")]
pub fn session<'a, L: Log + Copy, const N: usize>(
    machine: Machine<L, N>,
    id: DeviceId,
    subscriptions: &'a [Subscription<'a>],
) -> Result<OneByOne<'a, L>, HandedBack<Builder<'a, L>, BuildError>> {
    let Machine { notifications, memory, memory_plan, encodings, policy, log } = machine;
    SessionBuilder::new(notifications, memory, id)
        .memory_plan(memory_plan)
        .profile(StoredProfile::new().with_encodings(encodings))
        .policy(policy)
        .subscriptions(subscriptions)
        .observer(Told(log))
        .build_for()
}

/// A device with a thermometer, which listens to commands.
pub struct Application<'a, L> {
    session: OneByOne<'a, L>,
    topics: &'a Topics,
    log: L,
    /// After how many readings that the broker took it ends.
    publishes: u32,
    /// In microseconds.
    interval: u64,
    is_publishing: bool,
    is_waiting: bool,
    taken: u32,
    published: u32,
    commands: u32,
    /// When the next reading is due, on the kernel's clock in microseconds.
    due: u64,
    payload: Json,
    inbox: (TopicBuffer, PayloadBuffer),
}

/// Larger than any topic that the device subscribes to.
pub type TopicBuffer = [u8; 52];
/// Larger than any command that is meant for it.
pub type PayloadBuffer = [u8; 16];

impl<'a, L: Log + Copy> Application<'a, L> {
    /// A device that does nothing yet.
    ///
    /// # Errors
    ///
    /// As [`session`].
    #[allow(clippy::result_large_err, reason = "there is room for a session")]
    pub fn new<const N: usize>(
        machine: Machine<L, N>,
        plan: Plan,
        id: DeviceId,
        topics: &'a Topics,
        subscriptions: &'a [Subscription<'a>],
    ) -> Result<Self, HandedBack<Builder<'a, L>, BuildError>> {
        let log = machine.log;
        let session = session(machine, id, subscriptions)?;
        session.start();
        Ok(Self {
            session,
            topics,
            log,
            publishes: plan.publishes,
            interval: u64::from(plan.interval_ms) * 1_000,
            is_publishing: true,
            is_waiting: false,
            taken: 0,
            published: 0,
            commands: 0,
            due: 0,
            payload: JSON,
            inbox: ([0; _], [0; _]),
        })
    }

    /// Does what can be done now. It is to be called again at the time that it returns, on the kernel's
    /// clock in microseconds, and after each interrupt of the notifications.
    pub fn step(&mut self) -> u64 {
        let (topic, payload) = &mut self.inbox;
        let mut inbox = Inbox::new(topic, payload);
        while let Some(incoming) = self.session.next(&mut inbox) {
            match incoming {
                Incoming::Message(message) => {
                    let command = Command::of(message.payload());
                    if command != Command::Unknown {
                        self.is_publishing = command == Command::Restart;
                        self.commands += 1;
                    }
                    self.log.command(command, message.topic());
                    message.acknowledge();
                }
                Incoming::Published(_, verdict) => {
                    self.is_waiting = false;
                    match verdict {
                        Ok(reason) => {
                            self.published += 1;
                            self.log.published(self.published, Reading::number(self.taken), reason);
                            self.is_publishing &= self.published < self.publishes;
                        }
                        // Not that it was sent twice, since the next is another one.
                        Err(error) => self.log.not_published(Reading::number(self.taken), &error),
                    }
                }
                Incoming::NotReceived(error) => self.log.not_received(&error),
                _ => {}
            }
        }
        let due = self.publish_in_time();
        self.session.deadline_micros().min(due)
    }

    /// Publishes a reading if one is due, and returns when the next is.
    fn publish_in_time(&mut self) -> u64 {
        if !self.is_publishing || self.is_waiting {
            if self.published >= self.publishes {
                self.session.stop();
            }
            return u64::MAX;
        }
        let now = self.session.looked_at_micros();
        if now < self.due {
            return self.due;
        }
        let reading = Reading::number(self.taken + 1);
        reading.write_json(&mut self.payload);
        let publish = Publish::new(self.topics.telemetry(), &self.payload).with_qos(QoS::AtLeastOnce);
        match self.session.publish_now(&publish) {
            Ok(_) => self.is_waiting = true,
            // The session says when it can be tried again.
            Err(PublishError::NoRoom | PublishError::Offline) => return u64::MAX,
            Err(error) => self.log.not_published(reading, &error),
        }
        self.taken += 1;
        // The session has looked at the clock since.
        self.due = self.session.looked_at_micros() + self.interval;
        self.due
    }

    #[allow(dead_code, reason = "a board's plan has no end")]
    fn is_done(&self) -> bool {
        self.published >= self.publishes && self.session.state() == State::Stopped
    }

    #[allow(dead_code, reason = "as above")]
    fn summary(&self) -> Summary {
        Summary { published: self.published, commands: self.commands, is_done: self.is_done() }
    }
}

/// What the device can be told.
#[derive(Clone, Copy, PartialEq)]
pub enum Command {
    Stop,
    Restart,
    Unknown,
}

impl Command {
    pub fn of(payload: &[u8]) -> Self {
        match payload {
            b"stop" => Self::Stop,
            b"restart" => Self::Restart,
            _ => Self::Unknown,
        }
    }
}

/// A reading of a simulated thermometer: tenths of a degree, up and down between 21.5 and 22.5.
#[derive(Clone, Copy)]
pub struct Reading {
    tenths: u32,
}

impl Reading {
    pub fn number(number: u32) -> Self {
        const TENTHS: [u8; 4] = [220, 215, 220, 225];
        Self { tenths: TENTHS[(number % 4) as usize].into() }
    }

    /// Puts the digits in their places, without `core::fmt`, which has no room on a board.
    #[allow(clippy::cast_possible_truncation, reason = "digits are small")]
    pub fn write_json(self, json: &mut Json) {
        let (degrees, tenths) = (self.tenths / 10, self.tenths % 10);
        let digit = |digit: u32| b'0' + digit as u8;
        (json[23], json[24], json[26]) = (digit(degrees / 10), digit(degrees % 10), digit(tenths));
    }

    #[allow(dead_code, reason = "a board's log is short")]
    pub fn to_json(self) -> Json {
        let mut json = JSON;
        self.write_json(&mut json);
        json
    }
}

/// A reading as it is published.
pub type Json = [u8; 28];
const JSON: Json = *br#"{"temperature_celsius":00.0}"#;

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

/// Where the application tells what it does: a few words each, from pieces. A machine with room for
/// prose takes the events and errors themselves, which say more.
pub trait Log {
    /// One line.
    fn line(&self, parts: &[&str]);

    /// One line that needs no putting together.
    fn say(&self, line: &str) {
        self.line(&[line]);
    }

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
            Event::State(state) => self.say(name(state)),
            Event::Connecting { .. } => self.say("connecting"),
            Event::Subscribed { filter, outcome: TopicOutcome::Granted(_) } => {
                self.line(&["subscribed to ", filter.as_str()]);
            }
            Event::Subscribed { filter, .. } | Event::NotSubscribed { filter, .. } => {
                self.line(&["not subscribed to ", filter.as_str()]);
            }
            Event::Discarded { .. } | Event::Lost { .. } => self.say("a message was thrown away"),
            _ => {}
        }
    }

    /// The broker took a reading, the first being number 1.
    fn published(&self, _number: u32, _reading: Reading, _reason: ReasonCode) {
        self.say("published");
    }

    /// A reading was not published, or nobody knows whether it was.
    fn not_published(&self, _reading: Reading, error: &PublishError) {
        self.say(match error {
            PublishError::Indeterminate(_) => "unknown whether published",
            PublishError::Refused(_) => "refused",
            _ => "not published",
        });
    }

    /// A command came, and was obeyed if it is one.
    fn command(&self, command: Command, _topic: &[u8]) {
        const WORDS: [&str; 3] = ["command stop", "command restart", "no command"];
        self.say(WORDS[command as usize]);
    }

    /// A message could not be received.
    fn not_received(&self, error: &ReceiveError<'_>) {
        // Received again, it is thrown away, and that is told.
        if !matches!(error, ReceiveError::TooLarge) {
            self.say("a message was too large");
        }
    }
}

/// The session's observer.
pub struct Told<L>(L);

impl<L: Log> Observer for Told<L> {
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
