//! The state machine of a session.
//!
//! ```text
//!  Stopped ──run──▶ Offline ──network──▶ Fetching ──▶ Connecting ──▶ InSession
//!     ▲                ▲  (settings known: no fetch)      │              │
//!     │                │                                  ▼              ▼ any failure
//!     └── disconnect   └────────── BackingOff ◀─────── Closing ◀─────────┘
//! ```
//!
//! [`Machine::drive`] does what can be done now. It is called when an interrupt, the deadline or a client
//! asks for it, and reads state until there is none left. Each phase owns what it needs, so that at most
//! one channel is open, and a channel that does not close keeps its phase until it does.
//!
//! `connecting` leads to a session with the broker, `in_session` keeps it, `reading` and `publishing` are
//! what clients use of it, `ending` leads out.

#![allow(clippy::inline_always, reason = "what happens at every turn is to cost little")]

mod connecting;
mod ending;
mod in_session;
mod publishing;
mod reading;

use core::mem;
use core::task::Waker;

use super::Policy;
use super::back_off::BackOff;
use super::broker_profile::BrokerProfile;
use super::duties::Duties;
use super::event::{Event, Observer};
use super::memory_plan::MemoryPlan;
use super::publishing::{Progress, Slot};
use super::state::{Awaited, Cause, State};
use super::values::ValueMemory;
use super::wakers::Wakers;
use crate::channel::Channel;
use crate::config::ConfigKey;
use crate::mqtt::{Limits, ProtocolVersion, Subscription};
use crate::{DeviceId, Network, Notifications, clock, sys};

/// Later than any deadline.
const NEVER: u64 = u64::MAX;
/// How long until the kernel is asked again for what it had no room for, in microseconds.
const PAUSE: u64 = 250_000;
/// How often in a row what the kernel has is read in vain before the channel is given up.
const MAX_UNREAD: u8 = 5;
/// How many connects in a row fail before the settings are fetched again.
const MAX_CONNECTS: u8 = 3;
/// How much is done before others get their turn.
const MAX_STEPS: u32 = 64;
/// Nothing is known to be there to be read.
const NOTHING: u32 = sys::MV_MQTTREADABLEDATATYPE_NONE;

/// What a session does. The channel is open from `Fetching` on.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Stopped,
    Offline,
    BackingOff,
    Fetching,
    Connecting,
    InSession,
    /// The channel has to be closed, which did not work yet.
    Closing,
}

/// How far a disconnect that was asked for is.
#[derive(Clone, Copy, PartialEq)]
enum Leaving {
    No,
    /// What is owed is acknowledged first.
    Begun,
    Requested,
}

/// What to do once a channel is closed.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Connect,
    /// For the machine's `cause`.
    BackOff,
    Stop,
}

/// How reading what the kernel has came out.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Pumped {
    Nothing,
    /// A message, or the report of a lost one, which needs an inbox.
    MessageWaits,
    /// There may be more.
    More,
    /// The session is over, for the machine's `cause`.
    Broken,
}

/// What there is after a [turn](Machine::turn).
pub(super) enum Turn {
    Nothing,
    /// Nothing any more, since just now.
    Emptied,
    /// A message for which there is room.
    Message,
    /// A message, or the report of a lost one, with which something may be wrong.
    MessageWaits,
    /// A verdict on a message that was published.
    Verdict,
}

/// What the receiver was told about the message that is next. It may have to leave it, for want of room,
/// and is not woken over and over.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Nothing,
    MessageWaits,
    TooMany,
    TooLarge,
}

/// What is small comes first, since the processor has shorter instructions for what is near.
#[repr(C)]
#[allow(clippy::struct_excessive_bools)] // Each says something else.
pub(super) struct Machine<'a, P: BrokerProfile, O, const PUBLISHES: usize> {
    phase: Phase,
    then: Then,
    leaving: Leaving,
    told: Told,
    wanted: bool,
    /// In session, and all subscriptions are dealt with.
    is_settled: bool,
    /// There is a verdict for one who asks for whichever is there.
    has_verdict: bool,
    /// Somebody receives.
    receiving: bool,
    /// Connects that failed in a row.
    failed_connects: u8,
    unread: u8,
    version: ProtocolVersion,
    /// The kind of what is next to be read, which the kernel says once and keeps; or [`NOTHING`].
    head: u32,
    /// How many interrupts there had been when the kernel had nothing any more; one less than there are, if
    /// it may have something.
    emptied_at: u32,
    /// How many interrupts there had been when a [turn](Self::turn) last looked at the clock.
    looked_at: u32,
    /// How many of the subscriptions are dealt with.
    subscribed: usize,
    /// The correlation id of the subscribe request that is not answered.
    in_flight: Option<u32>,
    last_correlation_id: u32,
    limits: &'static Limits,
    /// How long was waited before the channel was last tried to be closed again.
    close_wait_ms: u32,
    channel: Channel,
    /// Asked for from the first run until the session is stopped.
    network: Network,
    receiver: Option<Waker>,
    now: u64,
    /// When the phase gives up, or goes on.
    due: u64,
    /// When the kernel is asked again for what it had no room for.
    retry_at: u64,
    /// When to look without having been notified.
    check_at: u64,
    /// [`NEVER`] while it is not.
    online_since: u64,
    /// Since when the kernel takes no publish; [`NEVER`] if it does.
    full_since: u64,
    /// Since when it takes no acknowledgement; [`NEVER`] if it does.
    owing_since: u64,
    publishes: [Slot; PUBLISHES],
    back_off: BackOff,
    /// Why the session is not what it should be.
    cause: Cause,
    settings: Option<P::Settings>,
    /// What was asked for when the settings were fetched.
    keys: &'static [ConfigKey<'static>],
    parts: Parts<'a, P, O>,
    watchers: Wakers<8>,
}

/// What a session was built of.
pub(super) struct Parts<'a, P, O> {
    pub(super) id: DeviceId,
    pub(super) profile: P,
    pub(super) observer: O,
    pub(super) policy: Policy,
    pub(super) subscriptions: &'a [Subscription<'a>],
    pub(super) plan: MemoryPlan,
    /// Where the settings' values are kept.
    pub(super) values: ValueMemory,
    /// Kept open for as long as the session is there.
    pub(super) _notifications: Notifications,
}

impl<'a, P: BrokerProfile, O, const PUBLISHES: usize> Machine<'a, P, O, PUBLISHES> {
    pub(super) fn new(parts: Parts<'a, P, O>, network: Network, channel: Channel) -> Self {
        Self {
            phase: Phase::Stopped,
            then: Then::Stop,
            leaving: Leaving::No,
            told: Told::Nothing,
            wanted: false,
            is_settled: false,
            has_verdict: false,
            receiving: false,
            failed_connects: 0,
            unread: 0,
            head: NOTHING,
            emptied_at: 0,
            subscribed: 0,
            in_flight: None,
            last_correlation_id: 0,
            version: ProtocolVersion::V5,
            limits: &Limits::MQTT,
            now: 0,
            looked_at: 0,
            due: NEVER,
            retry_at: NEVER,
            check_at: NEVER,
            online_since: NEVER,
            full_since: NEVER,
            owing_since: NEVER,
            close_wait_ms: 0,
            back_off: BackOff::new(),
            cause: Cause::NoAnswer(Awaited::Settings),
            network,
            channel,
            settings: None,
            keys: &[],
            parts,
            receiver: None,
            publishes: [const { Slot::free() }; PUBLISHES],
            watchers: Wakers::new(),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped && !self.wanted
    }

    /// The kernel may have something, whatever it said.
    fn look_again(&mut self, duties: &Duties) {
        self.emptied_at = duties.runner().interrupts().wrapping_sub(1);
    }

    /// What time it was when the clock was last looked at.
    pub(super) fn last_time(&self) -> u64 {
        self.now
    }

    /// What time it is, as far as the clock can be read.
    pub(super) fn now(&mut self) -> u64 {
        self.look_at_clock();
        self.now
    }

    /// Has `waker` woken when there is a message.
    pub(super) fn register_receiver(&mut self, waker: &Waker) {
        match &self.receiver {
            Some(known) if known.will_wake(waker) => {}
            _ => self.receiver = Some(waker.clone()),
        }
    }

    /// A message waits.
    fn tell_receiver(&mut self) {
        if self.told == Told::Nothing {
            self.told = Told::MessageWaits;
            self.wake_receiver();
        }
    }

    fn wake_receiver(&mut self) {
        if let Some(waker) = self.receiver.take() {
            waker.wake();
        }
    }

    pub(super) fn watchers(&mut self) -> &mut Wakers<8> {
        &mut self.watchers
    }

    /// A clock that cannot be read stands still; then the timer says what time it is.
    #[inline(never)]
    fn look_at_clock(&mut self) -> bool {
        self.glance_at_clock()
    }

    /// The same, where it counts.
    #[inline(always)]
    fn glance_at_clock(&mut self) -> bool {
        match clock::uptime_micros() {
            Ok(now) => {
                self.now = self.now.max(now);
                true
            }
            Err(_) => false,
        }
    }

    /// So many microseconds from now.
    fn after(&mut self, micros: u64) -> u64 {
        self.look_at_clock();
        // Half a million years do not overflow.
        self.now.wrapping_add(micros)
    }

    /// Until when the far end may answer.
    #[inline(never)]
    fn patience(&mut self) -> u64 {
        self.after(self.parts.policy.answer_us())
    }

    /// When to be driven next.
    fn next_deadline(&self) -> u64 {
        let mut earliest = self.due.min(self.retry_at).min(self.check_at);
        for slot in &self.publishes {
            if matches!(slot.progress, Progress::Queued | Progress::InFlight) {
                earliest = earliest.min(slot.until);
            }
        }
        earliest
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Does what can be done now. `waited_for` is the time that a timer says is over; without one, no deadline
    /// is reached.
    pub(super) fn drive(&mut self, waited_for: Option<u64>, duties: &Duties) {
        if let Some(time) = waited_for {
            if !self.look_at_clock() {
                self.now = self.now.max(time);
            }
            // Notifications can be lost.
            self.look_again(duties);
        }
        self.go(waited_for.is_none(), duties);
    }

    /// The same for one who has no timer, and takes whatever comes: the clock says whether a deadline is
    /// reached, and is looked at when there is nothing else.
    #[inline(always)]
    pub(super) fn turn(&mut self, duties: &Duties) -> Turn {
        if duties.is_quiet() {
            match self.glance(duties) {
                Some(Turn::Nothing | Turn::Emptied) if self.has_verdict => return Turn::Verdict,
                // It was an interrupt that called for this turn. The next one is by the clock, at the
                // deadline at the latest.
                Some(Turn::Emptied) => return Turn::Nothing,
                Some(Turn::Nothing) => {
                    self.looked_at = self.emptied_at;
                    self.glance_at_clock();
                    if self.now < duties.deadline() {
                        return Turn::Nothing;
                    }
                }
                Some(turn) => return turn,
                None => {}
            }
        }
        self.turn_further(duties)
    }

    /// Attends to deadlines, and to all that is not in order.
    #[inline(never)]
    pub(super) fn turn_further(&mut self, duties: &Duties) -> Turn {
        self.receiving = true;
        self.wanted = duties.is_wanted();
        let attention = duties.take_attention();
        duties.set_quiet(self.is_settled && self.wanted && !attention);
        // An answer to a publish needs no more than to be read.
        let is_broken = duties.is_quiet() && self.pump(duties) == Pumped::Broken;
        if is_broken {
            self.leave(Then::BackOff, duties);
        }
        if self.has_verdict && !is_broken {
            return Turn::Verdict;
        }
        self.look_at_clock();
        if self.now >= duties.deadline() {
            // Notifications can be lost.
            self.look_again(duties);
        }
        loop {
            self.go_on(attention, duties);
            if self.has_verdict {
                return Turn::Verdict;
            }
            return match self.pump(duties) {
                Pumped::MessageWaits => Turn::MessageWaits,
                Pumped::Broken => {
                    // It came, or could be read, only now.
                    self.leave(Then::BackOff, duties);
                    continue;
                }
                _ => Turn::Nothing,
            };
        }
    }

    /// Without a deadline that is reached, there is mostly only what the kernel may have.
    fn go(&mut self, is_early: bool, duties: &Duties) {
        self.wanted = duties.is_wanted();
        let attention = duties.take_attention();
        duties.set_quiet(self.is_settled && self.wanted && !attention);
        if is_early && duties.is_quiet() {
            match self.pump(duties) {
                Pumped::Nothing => return,
                Pumped::MessageWaits => return self.tell_receiver(),
                Pumped::More => {}
                Pumped::Broken => self.leave(Then::BackOff, duties),
            }
        }
        self.go_on(attention, duties);
    }

    #[inline(never)]
    fn go_on(&mut self, attention: bool, duties: &Duties) {
        if attention && self.told != Told::TooLarge {
            // There may be room now for the message that was told of.
            self.told = Told::Nothing;
        }
        self.forget_abandoned(duties);
        let mut steps = 0;
        while steps < MAX_STEPS && self.step(duties) {
            steps += 1;
        }
        let forgotten = duties.take_forgotten();
        if forgotten != 0 {
            self.parts.observer.event(&Event::Forgotten { count: forgotten });
        }
        let is_more = steps == MAX_STEPS || duties.needs_attention();
        duties.set_deadline(if is_more { 0 } else { self.next_deadline() });
        if self.is_settled && self.wanted {
            duties.set_quiet(true);
        }
    }

    fn set_state(&mut self, state: State, duties: &Duties) {
        let is_new = mem::discriminant(&duties.state().get()) != mem::discriminant(&state);
        if is_new || matches!(state, State::BackingOff { .. }) {
            self.parts.observer.event(&Event::State(state));
            duties.state().set(state);
            self.watchers.wake_all();
        }
    }

    /// It will go on at `due`; until then `cause` is what is wrong.
    fn set_backing_off(&mut self, cause: Cause, duties: &Duties) {
        self.set_state(State::BackingOff { until_micros: self.due, cause }, duties);
    }

    /// Whether there is more to do.
    fn step(&mut self, duties: &Duties) -> bool {
        self.give_up_waiting();
        match self.phase {
            Phase::Stopped if !self.wanted => false,
            Phase::BackingOff if self.wanted && self.now < self.due => false,
            Phase::Stopped | Phase::BackingOff | Phase::Offline => self.look_for_network(duties),
            Phase::Fetching => self.attend_fetch(duties),
            Phase::Connecting => self.attend_connect(duties),
            Phase::InSession => self.attend_session(duties),
            Phase::Closing if !self.wanted && self.settings.is_some() => {
                // Not only when the channel is closed at last.
                self.forget_settings();
                true
            }
            Phase::Closing if self.now < self.due => false,
            Phase::Closing => {
                self.close(duties);
                true
            }
        }
    }
}
