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

use self::reading::goes_to_inbox;
use super::Policy;
use super::back_off::BackOff;
use super::broker_profile::BrokerProfile;
use super::duties::Duties;
use super::event::{Event, Observer};
use super::memory_plan::MemoryPlan;
use super::publishing::{Progress, Slot};
use super::settings_error::SettingsError;
use super::state::{Cause, State};
use super::values::ValueMemory;
use super::wakers::Wakers;
use crate::channel::Channel;
use crate::mqtt::{Limits, ProtocolVersion, Subscription};
use crate::uses::{ENDINGS, FORGETTING, FUTURES, PLANS, POLICIES};
use crate::{DeviceId, Network, Notifications, OpenError, clock, sys};

/// Later than any deadline.
const NEVER: u64 = u64::MAX;
/// How long until the kernel is asked again for what it had no room for, in microseconds.
const PAUSE: u64 = 250_000;
/// How often in a row what the kernel has is read in vain before the channel is given up.
const MAX_UNREAD: u16 = 5;
/// How many connects in a row fail before the settings are fetched again.
const MAX_CONNECTS: u16 = 3;
/// How much is done before others get their turn.
const MAX_STEPS: u32 = 64;
/// Nothing is known to be there to be read.
const NOTHING: u32 = sys::MV_MQTTREADABLEDATATYPE_NONE;

/// What is never told, since a cause is set before it is: all zeros, as what is around it at first.
const NO_CAUSE: Cause = Cause::Settings(SettingsError::Open(OpenError::TooManySources));

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
    Stop,
    Connect,
    /// For the machine's `cause`.
    BackOff,
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
    /// In session, and all subscriptions are dealt with.
    is_settled: bool,
    /// Somebody receives.
    receiving: bool,
    /// Connects that failed in a row.
    failed_connects: u16,
    unread: u16,
    /// The kind of what is next to be read, which the kernel says once and keeps; or [`NOTHING`].
    head: u32,
    /// How many interrupts there had been when the kernel had nothing any more; one less than there are, if
    /// it may have something.
    emptied_at: u32,
    last_correlation_id: u32,
    back_off: BackOff,
    publishes: [Slot; PUBLISHES],
    /// The correlation id of the subscribe request that is not answered.
    in_flight: Option<u32>,
    channel: Channel,
    /// The subscriptions that are yet to be dealt with.
    unsubscribed: &'a [Subscription<'a>],
    /// Asked for from the first run until the session is stopped.
    network: Network,
    /// What was last connected with, unless that is [always](BrokerProfile::ALWAYS) the same.
    connected_with: Option<(ProtocolVersion, &'static Limits)>,
    receiver: Option<Waker>,
    now: u64,
    /// When the phase gives up, goes on, or looks without having been notified.
    due: u64,
    /// When the kernel is asked again for what it had no room for.
    retry_at: u64,
    /// [`NEVER`] while it is not.
    online_since: u64,
    /// Since when the kernel takes no publish or acknowledgement; [`NEVER`] if it does.
    full_since: u64,
    /// Why the session is not what it should be.
    cause: Cause,
    settings: Option<P::Settings>,
    parts: Parts<'a, P, O>,
    watchers: Wakers<8>,
}

/// What a session was built of.
pub(super) struct Parts<'a, P, O> {
    pub(super) id: &'a DeviceId,
    pub(super) profile: P,
    pub(super) observer: O,
    pub(super) policy: Option<Policy>,
    pub(super) subscriptions: &'a [Subscription<'a>],
    pub(super) plan: Option<MemoryPlan>,
    /// Where the settings' values are kept.
    pub(super) values: ValueMemory,
    /// Kept open for as long as the session is there.
    pub(super) _notifications: Notifications,
}

impl<P, O> Parts<'_, P, O> {
    fn policy(&self) -> Policy {
        POLICIES.choice(self.policy, const { Policy::new() })
    }

    fn plan(&self) -> MemoryPlan {
        PLANS.choice(self.plan, MemoryPlan::AWS)
    }
}

impl<'a, P: BrokerProfile, O, const PUBLISHES: usize> Machine<'a, P, O, PUBLISHES> {
    pub(super) fn new(parts: Parts<'a, P, O>, network: Network, channel: Channel) -> Self {
        Self {
            phase: Phase::Stopped,
            then: Then::Stop,
            leaving: Leaving::No,
            told: Told::Nothing,
            is_settled: false,
            receiving: false,
            failed_connects: 0,
            unread: 0,
            head: NOTHING,
            emptied_at: 0,
            unsubscribed: &[],
            in_flight: None,
            last_correlation_id: 0,
            connected_with: None,
            now: 0,
            due: NEVER,
            retry_at: NEVER,
            online_since: NEVER,
            full_since: NEVER,
            back_off: BackOff::new(),
            cause: NO_CAUSE,
            network,
            channel,
            settings: None,
            parts,
            receiver: None,
            publishes: [const { Slot::free() }; PUBLISHES],
            watchers: Wakers::new(),
        }
    }

    pub(super) fn is_stopped(&self, duties: &Duties) -> bool {
        self.phase == Phase::Stopped && !duties.is_wanted()
    }

    /// Whether the session is to end.
    fn is_ending(duties: &Duties) -> bool {
        ENDINGS.is_made() && !duties.is_wanted()
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

    /// The version of MQTT that the session speaks.
    fn version(&self) -> ProtocolVersion {
        P::ALWAYS.or(self.connected_with).map_or(ProtocolVersion::V5, |(version, _)| version)
    }

    /// What the session's requests are checked against.
    fn limits(&self) -> &'static Limits {
        P::ALWAYS.or(self.connected_with).map_or(&Limits::MQTT, |(_, limits)| limits)
    }

    /// Has `waker` woken when there is a message.
    pub(super) fn register_receiver(&mut self, waker: &Waker) {
        FUTURES.make();
        match &self.receiver {
            Some(known) if known.will_wake(waker) => {}
            _ => self.receiver = Some(waker.clone()),
        }
    }

    /// A message waits.
    fn tell_receiver(&mut self) {
        if FUTURES.is_made() && self.told == Told::Nothing {
            self.told = Told::MessageWaits;
            self.wake_receiver();
        }
    }

    fn wake_receiver(&mut self) {
        if FUTURES.is_made()
            && let Some(waker) = self.receiver.take()
        {
            waker.wake();
        }
    }

    pub(super) fn watchers(&mut self) -> &mut Wakers<8> {
        &mut self.watchers
    }

    /// A clock that cannot be read stands still; then the timer says what time it is.
    #[inline(never)]
    fn look_at_clock(&mut self) -> bool {
        match clock::uptime_micros() {
            Ok(now) => {
                // It never goes back, but a timer may have said that it is later.
                self.now = if FUTURES.is_made() { self.now.max(now) } else { now };
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
    fn be_patient(&mut self) {
        self.due = self.after(self.parts.policy().answer_us());
    }

    /// When to be driven next.
    fn next_deadline(&self) -> u64 {
        let mut earliest = self.due.min(self.retry_at);
        // What is in flight is looked for when it is due.
        if FUTURES.is_made() {
            for slot in &self.publishes {
                if slot.progress == Progress::Queued {
                    earliest = earliest.min(slot.until);
                }
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
    /// reached, and is looked at when there is nothing else. Whether there is a message, or the report of a lost
    /// one. There may be a [verdict](Self::take_verdict) as well.
    #[inline(always)]
    pub(super) fn turn(&mut self, duties: &Duties) -> bool {
        if duties.is_quiet() {
            let interrupts = duties.runner().interrupts();
            if self.emptied_at == interrupts {
                self.look_at_clock();
                if self.now < duties.deadline() {
                    return false;
                }
            } else {
                match self.look() {
                    // It was an interrupt that called for this turn. The next one is by the clock, at the
                    // deadline at the latest.
                    Ok(NOTHING) => {
                        self.emptied_at = interrupts;
                        return false;
                    }
                    Ok(sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED) => return true,
                    Ok(sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE)
                        if self.read_published().is_ok() && self.has_verdict() =>
                    {
                        return false;
                    }
                    _ => {}
                }
            }
        }
        self.turn_further(duties)
    }

    /// Attends to deadlines, and to all that is not in order. Whether there is a message.
    #[inline(never)]
    pub(super) fn turn_further(&mut self, duties: &Duties) -> bool {
        self.receiving = true;
        let attention = duties.take_attention();
        self.look_at_clock();
        if self.now >= duties.deadline() {
            // Notifications can be lost.
            self.look_again(duties);
        }
        self.go_on(attention, duties);
        goes_to_inbox(self.head)
    }

    /// Without a deadline that is reached, there is mostly only what the kernel may have.
    fn go(&mut self, is_early: bool, duties: &Duties) {
        let attention = duties.take_attention();
        duties.set_quiet(self.is_settled && !Self::is_ending(duties) && !attention);
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

    fn go_on(&mut self, attention: bool, duties: &Duties) {
        if FUTURES.is_made() && attention && self.told != Told::TooLarge {
            // There may be room now for the message that was told of.
            self.told = Told::Nothing;
        }
        self.forget_abandoned(duties);
        let mut steps = 0;
        while steps < MAX_STEPS && self.step(duties) {
            steps += 1;
        }
        let forgotten = duties.take_forgotten();
        if FORGETTING.is_made() && forgotten != 0 {
            self.parts.observer.event(&Event::Forgotten { count: forgotten });
        }
        let is_more = steps == MAX_STEPS || duties.needs_attention();
        duties.set_deadline(if is_more { 0 } else { self.next_deadline() });
        if self.is_settled && !Self::is_ending(duties) {
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

    /// Whether there is more to do.
    fn step(&mut self, duties: &Duties) -> bool {
        self.give_up_waiting();
        match self.phase {
            Phase::Stopped if !duties.is_wanted() => false,
            Phase::BackingOff if !Self::is_ending(duties) && self.now < self.due => false,
            Phase::Stopped | Phase::BackingOff | Phase::Offline => self.look_for_network(duties),
            Phase::Fetching | Phase::Connecting => self.attend_answer(duties),
            Phase::InSession => self.attend_session(duties),
            Phase::Closing if Self::is_ending(duties) && self.settings.is_some() => {
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
