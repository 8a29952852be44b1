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
use super::state::{Cause, State};
use super::values::ValueMemory;
use super::wakers::Wakers;
use crate::config::{ConfigFetch, Requested, Spent};
use crate::mqtt::{Connected, Connecting, Disconnected, MqttChannel, SubscribeId, Subscription};
use crate::notifications::Source;
use crate::{ChannelBuffers, DeviceId, Network, Notifications, clock};

/// Later than any deadline.
const NEVER: u64 = u64::MAX;
/// How long until the kernel is asked again for what it had no room for, in microseconds.
const PAUSE: u64 = 250_000;
/// How often in a row what the kernel has is read in vain before the channel is given up.
const MAX_UNREAD: u8 = 5;
/// How many connects in a row fail before the settings are fetched again.
const MAX_CONNECTS: u8 = 3;
/// How much is done before others get their turn.
const MAX_STEPS: usize = 64;

/// What a session does, and what it needs for that.
#[allow(clippy::large_enum_variant)] // There is one, and it lies where it stays.
enum Phase {
    Stopped,
    Offline,
    BackingOff,
    Fetching(ConfigFetch<Requested<'static>>),
    Connecting(MqttChannel<Connecting>),
    InSession(Link),
    Closing(Closing, Then),
}

/// A session with the broker.
struct Link {
    channel: MqttChannel<Connected>,
    /// How many of the subscriptions are dealt with.
    subscribed: usize,
    in_flight: Option<SubscribeId>,
    leaving: Leaving,
}

/// How far a disconnect that was asked for is.
#[derive(Clone, Copy, PartialEq)]
enum Leaving {
    No,
    /// What is owed is acknowledged first.
    Begun,
    Requested,
}

/// A channel that has to be closed.
enum Closing {
    Fetch(ConfigFetch<Spent>),
    Mqtt(MqttChannel<Disconnected>),
}

/// What to do once a channel is closed.
enum Then {
    Connect,
    BackOff(Cause),
    Stop,
}

/// How reading what the kernel has came out.
#[derive(Clone, Copy, PartialEq)]
enum Pumped {
    Nothing,
    /// A message, or the report of a lost one, which needs an inbox.
    MessageWaits,
    /// There may be more.
    More,
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

pub(super) struct Machine<'a, P: BrokerProfile, O, const PUBLISHES: usize> {
    phase: Phase,
    /// There while no channel has them.
    buffers: Option<ChannelBuffers>,
    /// Asked for from the first run until the session is stopped.
    network: Option<Network>,
    settings: Option<P::Settings>,
    places: Places,
    parts: Parts<'a, P, O>,
    back_off: BackOff,
    /// Connects that failed in a row.
    failed_connects: u8,
    /// How long was waited before the channel was last tried to be closed again.
    close_wait: u64,
    /// Since when the kernel takes no publish.
    full_since: Option<u64>,
    /// Since when it takes no acknowledgement.
    owing_since: Option<u64>,
    unread: u8,
    /// How many interrupts there had been when the kernel had nothing any more.
    emptied_at: Option<u32>,
    wanted: bool,
    state: State,
    /// In session, and all subscriptions are dealt with.
    is_settled: bool,
    now: u64,
    /// When the phase gives up, or goes on.
    due: u64,
    /// When the kernel is asked again for what it had no room for.
    retry_at: u64,
    /// When to look without having been notified.
    check_at: u64,
    /// When to be driven next.
    deadline: u64,
    online_since: Option<u64>,
    /// Somebody receives.
    receiving: bool,
    receiver: Option<Waker>,
    told: Told,
    publishes: [Slot; PUBLISHES],
    watchers: Wakers<8>,
}

/// Places in the notification centre that the session has when its network and its channel do not have
/// them, lest somebody else takes them meanwhile.
pub(super) struct Places {
    pub(super) network: Option<Source>,
    pub(super) channel: Option<Source>,
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
    pub(super) notifications: Notifications,
}

impl<'a, P: BrokerProfile, O, const PUBLISHES: usize> Machine<'a, P, O, PUBLISHES> {
    pub(super) fn new(parts: Parts<'a, P, O>, places: Places, buffers: ChannelBuffers) -> Self {
        Self {
            phase: Phase::Stopped,
            buffers: Some(buffers),
            network: None,
            settings: None,
            places,
            parts,
            back_off: BackOff::new(),
            failed_connects: 0,
            close_wait: 0,
            full_since: None,
            owing_since: None,
            unread: 0,
            emptied_at: None,
            wanted: false,
            state: State::Stopped,
            is_settled: false,
            now: 0,
            due: NEVER,
            retry_at: NEVER,
            check_at: NEVER,
            deadline: NEVER,
            online_since: None,
            receiving: false,
            receiver: None,
            told: Told::Nothing,
            publishes: [const { Slot::free() }; PUBLISHES],
            watchers: Wakers::new(),
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped) && !self.wanted
    }

    /// When it has to be driven next; `None` while nothing is to happen by itself.
    pub(super) fn deadline(&self) -> Option<u64> {
        (self.deadline != NEVER).then_some(self.deadline)
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
    fn look_at_clock(&mut self) -> bool {
        let now = clock::uptime_micros();
        self.now = self.now.max(now.unwrap_or(0));
        now.is_ok()
    }

    /// So many microseconds from now.
    fn after(&mut self, micros: u64) -> u64 {
        self.look_at_clock();
        self.now.saturating_add(micros)
    }

    /// Until when the far end may answer.
    fn patience(&mut self) -> u64 {
        self.after(self.parts.policy.answer_us())
    }

    /// When to be driven next.
    fn next_deadline(&self) -> u64 {
        let publishes = self.publishes.iter().map(|slot| match slot.progress {
            Progress::Queued { until, .. } | Progress::InFlight { until, .. } => until,
            Progress::Free | Progress::Answered(_) => NEVER,
        });
        let earliest = publishes.fold(self.due.min(self.retry_at), u64::min);
        earliest.min(self.check_at)
    }

    /// Makes sure that it is driven in time.
    fn hurry(&mut self, deadline: u64, duties: &Duties) {
        if deadline < self.deadline {
            self.deadline = deadline;
            duties.runner().wake();
        }
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Does what can be done now. `waited_for` is the time that a timer says is over; without one, no deadline
    /// is reached.
    pub(super) fn drive(&mut self, waited_for: Option<u64>, duties: &Duties) {
        self.wanted = duties.is_wanted();
        let attention = duties.take_attention();
        if attention {
            // There may be room now for the message that was told of.
            self.told = if self.told == Told::TooLarge { self.told } else { Told::Nothing };
        }
        match waited_for {
            Some(time) => {
                if !self.look_at_clock() {
                    self.now = self.now.max(time);
                }
                // Notifications can be lost.
                self.emptied_at = None;
            }
            // All is well, and no time has passed: there is only what the kernel may have.
            None if self.is_settled && self.wanted && !attention => match self.pump(duties) {
                Ok(Pumped::Nothing) => return,
                Ok(Pumped::MessageWaits) => return self.tell_receiver(),
                Ok(Pumped::More) => {}
                Err(cause) => self.fault(cause, duties),
            },
            None => {}
        }
        self.forget_abandoned(duties);
        let mut steps = 0;
        while steps < MAX_STEPS && self.step(duties) {
            steps += 1;
        }
        self.keep_places();
        let forgotten = duties.take_forgotten();
        if forgotten != 0 {
            self.parts.observer.event(&Event::Forgotten { count: forgotten });
        }
        self.deadline = if steps == MAX_STEPS { 0 } else { self.next_deadline() };
    }

    fn keep_places(&mut self) {
        let Self { places, parts, network, buffers, .. } = self;
        if network.is_none() && places.network.is_none() {
            places.network = parts.notifications.source();
        }
        if buffers.is_some() && places.channel.is_none() {
            places.channel = parts.notifications.source();
        }
    }

    fn set_state(&mut self, state: State) {
        let is_new = mem::discriminant(&self.state) != mem::discriminant(&state);
        if is_new || matches!(state, State::BackingOff { .. }) {
            self.state = state;
            self.parts.observer.event(&Event::State(state));
            self.watchers.wake_all();
        }
    }

    /// Whether there is more to do.
    fn step(&mut self, duties: &Duties) -> bool {
        self.give_up_waiting();
        match &self.phase {
            Phase::Stopped if !self.wanted => false,
            Phase::BackingOff if self.wanted && self.now < self.due => false,
            Phase::Stopped | Phase::BackingOff | Phase::Offline => self.look_for_network(),
            Phase::Fetching(_) => self.attend_fetch(),
            Phase::Connecting(_) => self.attend_connect(duties),
            Phase::InSession(_) => self.attend_session(duties),
            Phase::Closing(..) if !self.wanted && self.settings.is_some() => {
                // Not only when the channel is closed at last.
                self.forget_settings();
                true
            }
            Phase::Closing(..) if self.now < self.due => false,
            Phase::Closing(..) => self.close_again(),
        }
    }
}
