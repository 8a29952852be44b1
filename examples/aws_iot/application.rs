//! The application: telemetry out, commands in.
//!
//! It needs no heap, names nothing of the machine it runs on, and is the same on a board and in the
//! simulator. The session keeps the device connected, whatever happens; the application only says what
//! it publishes and what a command does. It has no tasks and no futures: the machine's main loop calls
//! [`Application::step`], and sleeps until the time that this returns or until an interrupt.
//!
//! Below it is what it tells: in a few words without `core::fmt`, which are all that a board has room for,
//! unless the machine's [`Log`] does better.

use microvisor::aws::{Commands, StoredProfile, Topics};
use microvisor::mqtt::{ConnectError, Inbox, Publish, QoS, ReasonCode, SessionEnd, TopicOutcome};
use microvisor::session::{
    BuildError, Cause, Event, Incoming, Observer, PublishError, ReceiveError, Session, SessionBuilder, State,
};
use microvisor::{DeviceId, HandedBack, Hexadecimal};

/// What the application gets from the machine it runs on.
pub struct Machine<'a, L> {
    /// A session as the machine can have it: with its notifications and its memory, with the encodings of its
    /// stores, and as patient as it is.
    pub session: SessionBuilder<'a>,
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
pub fn run<L: Log + Copy>(
    machine: Machine<'_, L>,
    id: &DeviceId,
    plan: Plan,
    mut sleep_until: impl FnMut(u64) -> bool,
) -> Result<Summary, BuildError> {
    let topics = Topics::new(id);
    let commands = topics.commands();
    let mut application =
        Application::new(machine, plan.interval_ms, &topics, &commands).map_err(HandedBack::into_error)?;
    loop {
        application.take_what_came();
        let is_last = application.published >= plan.publishes;
        let until = if is_last { application.finish() } else { application.publish_in_time() };
        let is_done = is_last && application.session.state() == State::Stopped;
        if is_done || !sleep_until(until) {
            let Application { published, commands, .. } = application;
            return Ok(Summary { published, commands, is_done });
        }
    }
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
pub fn session<'a, L: Log + Copy>(
    machine: Machine<'a, L>,
    topics: &'a Topics,
    commands: &'a Commands<'a>,
) -> Result<OneByOne<'a, L>, HandedBack<Builder<'a, L>, BuildError>> {
    let Machine { session, log } = machine;
    log.line("device ", topics.id().as_str().as_bytes());
    session.commands(commands).observer(Told(log)).started().build_for()
}

/// A device with a thermometer, which listens to commands.
pub struct Application<'a, L> {
    session: OneByOne<'a, L>,
    topics: &'a Topics,
    log: L,
    /// From one reading to the next.
    interval_ms: u32,
    taken: u32,
    published: u32,
    commands: u32,
    /// When the next reading is due, on the kernel's clock in microseconds; [`u64::MAX`] while stopped.
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
    pub fn new(
        machine: Machine<'a, L>,
        interval_ms: u32,
        topics: &'a Topics,
        commands: &'a Commands<'a>,
    ) -> Result<Self, HandedBack<Builder<'a, L>, BuildError>> {
        let log = machine.log;
        let session = session(machine, topics, commands)?;
        Ok(Self {
            session,
            topics,
            log,
            interval_ms,
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
    #[allow(dead_code, reason = "`run` does the same, and ends")]
    pub fn step(&mut self) -> u64 {
        self.take_what_came();
        self.publish_in_time()
    }

    /// Obeys commands, and tells what became of readings.
    fn take_what_came(&mut self) {
        let (topic, payload) = &mut self.inbox;
        let mut inbox = Inbox::new(topic, payload);
        while let Some(incoming) = self.session.next(&mut inbox) {
            match incoming {
                Incoming::Message(message) => {
                    let command = Command::of(message.payload());
                    if command != Command::Unknown {
                        self.due = if command == Command::Restart { 0 } else { u64::MAX };
                        self.commands += 1;
                    }
                    self.log.command(command, message.topic());
                    message.acknowledge();
                }
                Incoming::Published(_, verdict) => {
                    match verdict {
                        Ok(reason) => {
                            self.published += 1;
                            self.log.published(self.published, Reading::number(self.taken), reason);
                        }
                        // Not that it was sent twice, since the next is another one.
                        Err(error) => self.log.not_published(Reading::number(self.taken), &error),
                    }
                }
                Incoming::NotReceived(error) => self.log.not_received(&error),
                _ => {}
            }
        }
    }

    /// Publishes a reading if one is due, and returns when there is more to do.
    fn publish_in_time(&mut self) -> u64 {
        let due = self.publish_if_due();
        self.session.deadline_micros().min(due)
    }

    /// The same, and returns when the next reading is due.
    fn publish_if_due(&mut self) -> u64 {
        let now = self.session.looked_at_micros();
        if now < self.due {
            return self.due;
        }
        let reading = Reading::number(self.taken + 1);
        reading.write_json(&mut self.payload);
        let publish = Publish::new(self.topics.telemetry(), &self.payload).with_qos(QoS::AtLeastOnce);
        match self.session.publish_now(&publish) {
            Ok(_) => {}
            // The session says when it can be tried again.
            Err(PublishError::NoRoom | PublishError::Offline | PublishError::TooMany) => return u64::MAX,
            Err(error) => self.log.not_published(reading, &error),
        }
        self.taken += 1;
        // The session has looked at the clock since.
        self.due = self.session.looked_at_micros() + u64::from(self.interval_ms) * 1_000;
        self.due
    }

    /// Disconnects, and returns when there is more to do.
    #[allow(dead_code, reason = "a board's plan has no end")]
    fn finish(&mut self) -> u64 {
        self.session.stop();
        self.session.deadline_micros()
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
        // One by one, since a `match` compares byte by byte.
        if payload == b"stop" {
            Self::Stop
        } else if payload == b"restart" {
            Self::Restart
        } else {
            Self::Unknown
        }
    }
}

/// A reading of a simulated thermometer: degrees, up and down between 21.5 and 22.5.
#[derive(Clone, Copy)]
pub struct Reading {
    celsius: [u8; 4],
}

impl Reading {
    pub fn number(number: u32) -> Self {
        const CELSIUS: [[u8; 4]; 4] = [*b"22.0", *b"21.5", *b"22.0", *b"22.5"];
        Self { celsius: CELSIUS[(number % 4) as usize] }
    }

    /// Puts the digits in their places, without `core::fmt`, which has no room on a board.
    pub fn write_json(self, json: &mut Json) {
        json[23..27].copy_from_slice(&self.celsius);
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

/// Where the application tells what it does: a few words each. A machine with room for prose takes the events
/// and errors themselves, which say more.
pub trait Log {
    /// One line: what it is about, and which.
    fn line(&self, what: &str, which: &[u8]);

    /// Something happened in the session.
    fn event(&self, event: &Event<'_>) {
        let mut digits = Hexadecimal::new();
        let (what, which) = match event {
            Event::State(State::BackingOff { cause: Cause::Settings(error), .. }) => {
                ("check ", error.key().unwrap_or_default().as_bytes())
            }
            Event::State(State::BackingOff { cause, .. }) => {
                ("backing off 0x", digits.write(number(cause)).as_bytes())
            }
            Event::State(State::Offline) => ("offline", NONE),
            Event::State(State::FetchingSettings) => ("fetching", NONE),
            Event::State(State::Online) => ("online", NONE),
            Event::Connecting { host, .. } => ("connecting to ", host.as_bytes()),
            Event::Subscribed { filter, outcome: TopicOutcome::Granted(_) } => {
                ("subscribed to ", filter.as_str().as_bytes())
            }
            Event::Subscribed { filter, .. } | Event::NotSubscribed { filter, .. } => {
                ("refused ", filter.as_str().as_bytes())
            }
            // What comes next says as much, or what is not received.
            _ => return,
        };
        self.line(what, which);
    }

    /// The broker took a reading, the first being number 1.
    fn published(&self, _number: u32, _reading: Reading, _reason: ReasonCode) {
        self.line("published", NONE);
    }

    /// A reading was not published, or nobody knows whether it was.
    fn not_published(&self, _reading: Reading, _error: &PublishError) {
        self.line("publish failed", NONE);
    }

    /// A command came, and was obeyed if it is one.
    fn command(&self, command: Command, _topic: &[u8]) {
        let what = match command {
            Command::Stop => "stopped",
            Command::Restart => "restarted",
            Command::Unknown => "no command",
        };
        self.line(what, NONE);
    }

    /// A message could not be received.
    fn not_received(&self, error: &ReceiveError<'_>) {
        // Received again, it is thrown away, which is told then.
        if !matches!(error, ReceiveError::TooLarge) {
            self.line("message dropped", NONE);
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

/// The number that the kernel or the broker gave; 0 where neither did, or not in time. MQTT's reason codes are
/// from 0x80 on, what the kernel says is less.
fn number(cause: &Cause) -> u32 {
    match cause {
        Cause::Connect(ConnectError::Refused(reason) | ConnectError::Disconnected(reason))
        | Cause::Ended(SessionEnd::Disconnected { reason, .. }) => reason.raw(),
        Cause::Connect(ConnectError::Failed(state)) => state.raw(),
        Cause::Ended(SessionEnd::ChannelClosed(reason)) => reason.raw(),
        _ => 0,
    }
}

/// Where what it is about says all.
const NONE: &[u8] = b"";
