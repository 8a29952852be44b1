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

use core::mem;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::back_off::BackOff;
use super::broker_profile::{BrokerProfile, SettingsSource};
use super::duties::{Duties, MAX_UNACKNOWLEDGED};
use super::event::{Event, Observer};
use super::memory_plan::MemoryPlan;
use super::publishing::{Doubt, Progress, PublishError, Slot, WhenOffline};
use super::receiving::{Arrival, NoArrival};
use super::state::{Awaited, Cause, State};
use super::values::{StoredValues, ValueReader};
use super::wakers::Wakers;
use super::{Policy, SettingsError};
use crate::config::{ConfigFetch, ConfigKey, Received, Requested, Spent};
use crate::memory::Region;
use crate::mqtt;
use crate::mqtt::{
    Connected, Connecting, Disconnected, EventError, Head, Inbox, MAX_TOPICS, MqttChannel, Outcomes, Publish,
    QoS, ReasonCode, RequestError, RequestState, SubscribeId, Subscription, TopicOutcome,
};
use crate::{
    ChannelBuffers, CloseError, DeviceId, HandedBack, Network, NetworkStatus, Notifications, Recovery,
    Status, Transition, clock,
};

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
    disconnecting: bool,
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

type Closed = Result<ChannelBuffers, (Closing, CloseError)>;

fn close_fetch<S>(fetch: ConfigFetch<S>) -> Closed {
    fetch.close().map_err(|HandedBack { error, value }| (Closing::Fetch(value), error))
}

fn close_mqtt<S>(channel: MqttChannel<S>) -> Closed {
    channel.close().map_err(|HandedBack { error, value }| (Closing::Mqtt(value), error))
}

pub(super) struct Machine<'a, P: BrokerProfile, O, const PUBLISHES: usize> {
    phase: Phase,
    /// There while no channel has them.
    buffers: Option<ChannelBuffers>,
    /// Asked for from the first run until the session is stopped.
    network: Option<Network>,
    settings: Option<P::Settings>,
    parts: Parts<'a, P, O>,
    back_off: BackOff,
    /// Connects that failed in a row.
    failed_connects: u8,
    unread: u8,
    /// How many interrupts there had been when the kernel had nothing any more.
    emptied_at: Option<u32>,
    wanted: bool,
    state: State,
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
    told_too_large: bool,
    publishes: [Slot; PUBLISHES],
    watchers: Wakers<4>,
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
    pub(super) values: Region,
    pub(super) notifications: Notifications,
}

impl<'a, P: BrokerProfile, O, const PUBLISHES: usize> Machine<'a, P, O, PUBLISHES> {
    pub(super) fn new(parts: Parts<'a, P, O>, buffers: ChannelBuffers) -> Self {
        Self {
            phase: Phase::Stopped,
            buffers: Some(buffers),
            network: None,
            settings: None,
            parts,
            back_off: BackOff::new(),
            failed_connects: 0,
            unread: 0,
            emptied_at: None,
            wanted: false,
            state: State::Stopped,
            now: 0,
            due: NEVER,
            retry_at: NEVER,
            check_at: NEVER,
            deadline: NEVER,
            online_since: None,
            receiving: false,
            receiver: None,
            told_too_large: false,
            publishes: [const { Slot::free() }; PUBLISHES],
            watchers: Wakers::new(),
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Asks for the session to be online, or to stop.
    pub(super) fn want(&mut self, online: bool) {
        self.wanted = online;
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
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

    fn wake_receiver(&mut self) {
        if let Some(waker) = self.receiver.take() {
            waker.wake();
        }
    }

    pub(super) fn watchers(&mut self) -> &mut Wakers<4> {
        &mut self.watchers
    }

    /// A clock that cannot be read stands still; then the timer says what time it is.
    fn look_at_clock(&mut self) {
        if let Ok(now) = clock::uptime_micros() {
            self.now = self.now.max(now);
        }
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

    /// Makes room for a message, for which somebody waits.
    pub(super) fn queue(&mut self, when_offline: WhenOffline) -> Option<usize> {
        let index = self.publishes.iter().position(|slot| matches!(slot.progress, Progress::Free))?;
        let until = self.after(match when_offline {
            WhenOffline::Fail => self.parts.policy.answer_us(),
            WhenOffline::Wait(longest) => u64::try_from(longest.as_micros()).unwrap_or(NEVER),
        });
        self.publishes.get_mut(index)?.progress = Progress::Queued { until, when_offline };
        Some(index)
    }

    /// Nobody waits any more.
    pub(super) fn forget(&mut self, slot: usize) {
        if let Some(slot) = self.publishes.get_mut(slot) {
            *slot = Slot::free();
        }
    }

    /// Wakes those whose message is not sent yet.
    fn wake_queued(&mut self) {
        for slot in &mut self.publishes {
            if let Progress::Queued { .. } = slot.progress {
                slot.wake();
            }
        }
    }

    /// Answers for the messages that are not sent yet, where `when_offline` says so.
    fn refuse_queued(&mut self, error: PublishError, refused: impl Fn(WhenOffline) -> bool) {
        for slot in &mut self.publishes {
            if let Progress::Queued { when_offline, .. } = slot.progress
                && refused(when_offline)
            {
                slot.answer(Err(error));
            }
        }
    }

    /// Nothing that is in flight is answered any more.
    fn doubt_in_flight(&mut self) {
        for slot in &mut self.publishes {
            if let Progress::InFlight { .. } = slot.progress {
                slot.answer(Err(PublishError::Indeterminate(Doubt::SessionEnded)));
            }
        }
    }

    fn forget_settings(&mut self) {
        self.settings = None;
        self.parts.values.wipe();
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
        let attention = duties.take_attention();
        match waited_for {
            Some(deadline) => {
                self.now = self.now.max(deadline);
                self.look_at_clock();
            }
            // All is well, and no time has passed: there is only what the kernel may have.
            None if matches!(self.state, State::Online) && self.wanted && !attention => {
                match self.pump(duties) {
                    Ok(Pumped::Nothing) => return,
                    Ok(Pumped::MessageWaits) => return self.wake_receiver(),
                    Ok(Pumped::More) => {}
                    Err(cause) => self.fault(cause, duties),
                }
            }
            None => {}
        }
        let mut steps = 0;
        while steps < MAX_STEPS && self.step(duties) {
            steps += 1;
        }
        let forgotten = duties.take_forgotten();
        if forgotten != 0 {
            self.parts.observer.event(&Event::Forgotten { count: forgotten });
        }
        self.deadline = if steps == MAX_STEPS { 0 } else { self.next_deadline() };
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
            Phase::Stopped => self.look_for_network(),
            Phase::BackingOff if self.wanted && self.now < self.due => false,
            Phase::BackingOff | Phase::Offline => self.look_for_network(),
            Phase::Fetching(_) => self.attend_fetch(),
            Phase::Connecting(_) => self.attend_connect(duties),
            Phase::InSession(_) => self.attend_session(duties),
            Phase::Closing(..) if self.now < self.due => false,
            Phase::Closing(..) => self.close_again(),
        }
    }

    /// Messages that have waited long enough to be sent.
    fn give_up_waiting(&mut self) {
        let now = self.now;
        for slot in &mut self.publishes {
            if let Progress::Queued { until, .. } = slot.progress
                && now >= until
            {
                slot.answer(Err(PublishError::TimedOut));
            }
        }
    }

    fn look_for_network(&mut self) -> bool {
        if !self.wanted {
            self.stop();
            return true;
        }
        self.phase = Phase::Offline;
        let Some(network) = &self.network else {
            match Network::request(&self.parts.notifications) {
                Ok(network) => self.network = Some(network),
                Err(error) => self.back_off(Cause::Network(error)),
            }
            return true;
        };
        match network.status() {
            Ok(NetworkStatus::Connected) => self.begin(),
            Ok(_) => {
                self.due = self.patience();
                self.refuse_queued(PublishError::Offline, |when| matches!(when, WhenOffline::Fail));
                self.set_state(State::Offline);
                return false;
            }
            Err(error) => {
                if error.recovery() == Recovery::Reopen {
                    self.network = None;
                }
                self.back_off(Cause::Network(error));
            }
        }
        true
    }

    /// The network is there: what next?
    fn begin(&mut self) {
        if self.settings.is_none() {
            match self.parts.profile.source() {
                SettingsSource::Known(settings) => self.settings = Some(settings),
                SettingsSource::Stored(keys) => return self.fetch(keys),
            }
        }
        self.connect();
    }

    /// The buffers, divided anew, and the network.
    fn lend(&mut self, receive: usize) -> Option<(&Network, ChannelBuffers)> {
        let network = self.network.as_ref()?;
        let mut buffers = self.buffers.take()?;
        // The plan was checked when the session was built.
        let _ = buffers.split_again(receive);
        Some((network, buffers))
    }

    fn fetch(&mut self, keys: &'static [ConfigKey<'static>]) {
        self.set_state(State::FetchingSettings);
        let Some((network, buffers)) = self.lend(self.parts.plan.fetch_receive()) else {
            return self.back_off(NO_BUFFERS);
        };
        let opened = match ConfigFetch::open(network, buffers) {
            Ok(opened) => opened,
            Err(HandedBack { error, value }) => {
                self.buffers = Some(value);
                return self.back_off(Cause::Open(error));
            }
        };
        match opened.request(keys) {
            Ok(requested) => {
                self.phase = Phase::Fetching(requested);
                self.due = self.patience();
            }
            Err(HandedBack { error, value }) => {
                self.settle(close_fetch(value), Then::BackOff(Cause::Fetch(error)));
            }
        }
    }

    fn attend_fetch(&mut self) -> bool {
        let Phase::Fetching(fetch) = mem::replace(&mut self.phase, Phase::Offline) else {
            return false;
        };
        match fetch.try_received() {
            Transition::Waiting(fetch) if !self.wanted => self.settle(close_fetch(fetch), Then::Stop),
            Transition::Waiting(fetch) if self.now >= self.due => {
                self.settle(close_fetch(fetch), Then::BackOff(Cause::NoAnswer(Awaited::Settings)));
            }
            Transition::Waiting(fetch) => {
                self.phase = Phase::Fetching(fetch);
                return false;
            }
            Transition::Done(received) => {
                let then = match self.read_settings(&received) {
                    Ok(()) => Then::Connect,
                    Err(error) => Then::BackOff(Cause::Settings(error)),
                };
                self.settle(close_fetch(received), then);
            }
            Transition::Failed(HandedBack { error, value }) => {
                self.settle(close_fetch(value), Then::BackOff(Cause::Fetch(error)));
            }
        }
        true
    }

    fn read_settings(&mut self, received: &ConfigFetch<Received<'static>>) -> Result<(), SettingsError> {
        let Parts { profile, values, .. } = &mut self.parts;
        match profile.read(&mut ValueReader::new(received, values.bytes_mut())) {
            Ok(settings) => {
                self.settings = Some(settings);
                Ok(())
            }
            Err(error) => {
                self.forget_settings();
                Err(error)
            }
        }
    }

    fn connect(&mut self) {
        self.set_state(State::Connecting);
        let Some((network, buffers)) = self.lend(self.parts.plan.mqtt_receive()) else {
            return self.back_off(NO_BUFFERS);
        };
        let opened = match MqttChannel::open(network, buffers) {
            Ok(opened) => opened,
            Err(HandedBack { error, value }) => {
                self.buffers = Some(value);
                return self.back_off(Cause::Open(error));
            }
        };
        let Self { settings: Some(settings), parts, .. } = self else {
            return self.settle(close_mqtt(opened), Then::Connect);
        };
        let Parts { id, profile, observer, values, .. } = parts;
        let mut requested = None;
        let made = profile.connect(id, settings, StoredValues::new(values.bytes()), |options| {
            observer.event(&Event::Connecting {
                host: options.host().as_str(),
                port: options.port().get(),
                client_id: options.client_id().as_str(),
            });
            requested = Some(opened.request_connect(options));
        });
        let failed = match (requested, made) {
            (Some(Ok(state)), _) => {
                self.phase = Phase::Connecting(opened.connecting(state));
                self.due = self.patience();
                return;
            }
            (Some(Err(error)), _) => Then::BackOff(Cause::Connect(error)),
            (None, Err(error)) => {
                self.forget_settings();
                Then::BackOff(Cause::Settings(error))
            }
            (None, Ok(())) => {
                self.forget_settings();
                Then::BackOff(Cause::Settings(NO_CONNECTION))
            }
        };
        self.settle(close_mqtt(opened), failed);
    }

    fn attend_connect(&mut self, duties: &Duties) -> bool {
        let Phase::Connecting(connecting) = mem::replace(&mut self.phase, Phase::Offline) else {
            return false;
        };
        match connecting.try_connected() {
            Transition::Waiting(connecting) if !self.wanted => {
                self.settle(close_mqtt(connecting), Then::Stop);
            }
            Transition::Waiting(connecting) if self.now >= self.due => {
                self.settle(close_mqtt(connecting), Then::BackOff(Cause::NoAnswer(Awaited::Connect)));
            }
            Transition::Waiting(connecting) => {
                self.phase = Phase::Connecting(connecting);
                return false;
            }
            Transition::Done(channel) => self.enter_session(channel, duties),
            Transition::Failed(HandedBack { error, value }) => {
                self.settle(close_mqtt(value), Then::BackOff(Cause::Connect(error)));
            }
        }
        true
    }

    fn enter_session(&mut self, channel: MqttChannel<Connected>, duties: &Duties) {
        let (session, handle) = channel.session();
        duties.begin(session, handle);
        self.failed_connects = 0;
        self.unread = 0;
        self.emptied_at = None;
        self.retry_at = NEVER;
        self.check_at = self.patience();
        self.due = self.check_at;
        self.phase = Phase::InSession(Link { channel, subscribed: 0, in_flight: None, disconnecting: false });
        self.set_state(State::Subscribing);
    }

    /// Whether there is more to do.
    fn attend_session(&mut self, duties: &Duties) -> bool {
        if self.now >= self.check_at {
            // Notifications can be lost.
            self.check_at = self.patience();
            self.emptied_at = None;
        }
        let pumped = match self.pump(duties) {
            Ok(pumped) => pumped,
            Err(cause) => {
                self.fault(cause, duties);
                return true;
            }
        };
        if self.now >= self.retry_at {
            self.retry_at = NEVER;
            duties.settle();
            self.wake_queued();
            self.wake_receiver();
        }
        if let Some(error) = duties.take_failure() {
            self.fault(Cause::Acknowledge(error), duties);
            return true;
        }
        if duties.owes() {
            self.retry_later();
        }
        if pumped == Pumped::MessageWaits {
            self.wake_receiver();
        }
        if self.is_unanswered(pumped) {
            self.fault(Cause::NoAnswer(Awaited::Publish), duties);
            return true;
        }
        let leaving = !self.wanted || matches!(&self.phase, Phase::InSession(link) if link.disconnecting);
        let more = if leaving { self.disconnect(duties) } else { self.subscribe(pumped, duties) };
        more || pumped == Pumped::More
    }

    fn retry_later(&mut self) {
        self.retry_at = self.retry_at.min(self.after(PAUSE));
    }

    /// Whether an answer to a publish is overdue, and nothing lies before it.
    fn is_unanswered(&mut self, pumped: Pumped) -> bool {
        let (now, mut unanswered) = (self.now, false);
        for slot in &mut self.publishes {
            if let Progress::InFlight { until, .. } = slot.progress
                && now >= until
            {
                let waits = pumped == Pumped::MessageWaits;
                unanswered |= !waits;
                let doubt = if waits { Doubt::MessageWaits } else { Doubt::NoAnswer };
                slot.answer(Err(PublishError::Indeterminate(doubt)));
            }
        }
        unanswered
    }

    /// Goes on subscribing. Whether there is more to do.
    fn subscribe(&mut self, pumped: Pumped, duties: &Duties) -> bool {
        let Phase::InSession(link) = &mut self.phase else { return true };
        let all = self.parts.subscriptions;
        let (from, to) = (link.subscribed, all.len().min(link.subscribed + MAX_TOPICS));
        let Some(chunk @ [first, ..]) = all.get(from..to) else {
            if !matches!(self.state, State::Online) {
                self.due = NEVER;
                self.online_since = Some(self.now);
                self.set_state(State::Online);
                self.wake_queued();
            }
            return false;
        };
        if self.now >= self.due {
            if pumped == Pumped::MessageWaits {
                // The answer may lie behind it.
                self.due = self.patience();
                return false;
            }
            self.fault(Cause::NoAnswer(Awaited::Subscribe), duties);
            return true;
        }
        if link.in_flight.is_some() || self.retry_at != NEVER {
            return false;
        }
        match link.channel.request_subscribe(chunk) {
            Ok(id) => {
                link.in_flight = Some(id);
                self.due = self.patience();
                // The answer may be there already.
                true
            }
            Err(error) => match error.recovery() {
                Recovery::Retry => {
                    self.retry_later();
                    false
                }
                Recovery::GiveUp => {
                    link.subscribed = to;
                    self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
                    true
                }
                Recovery::Reopen => {
                    self.fault(Cause::Subscribe(error), duties);
                    true
                }
            },
        }
    }

    fn disconnect(&mut self, duties: &Duties) -> bool {
        let Phase::InSession(link) = &mut self.phase else { return true };
        if link.disconnecting {
            let given_up = self.now >= self.due;
            if given_up {
                self.leave_session(Then::Stop, duties);
            }
            return given_up;
        }
        link.disconnecting = true;
        if link.channel.request_disconnect().is_err() {
            self.leave_session(Then::Stop, duties);
            return true;
        }
        self.due = self.patience();
        self.refuse_queued(PublishError::Stopped, |_| true);
        self.set_state(State::Disconnecting);
        true
    }

    /// Reads what the kernel has, up to the next message.
    fn pump(&mut self, duties: &Duties) -> Result<Pumped, Cause> {
        let interrupts = duties.runner().interrupts();
        if self.emptied_at == Some(interrupts) {
            return Ok(Pumped::Nothing);
        }
        for _ in 0..MAX_STEPS {
            let Phase::InSession(link) = &mut self.phase else { return Ok(Pumped::Nothing) };
            let read = match link.channel.head() {
                Ok(Head::Nothing) => {
                    self.emptied_at = Some(interrupts);
                    return Ok(Pumped::Nothing);
                }
                Ok(Head::Published) => link.channel.take_published().map(|(id, outcome)| {
                    let mut slots = self.publishes.iter_mut();
                    if let Some(slot) = slots.find(|slot| slot.is_in_flight(id)) {
                        slot.answer(outcome.map_err(PublishError::from));
                    }
                }),
                Ok(Head::ForInbox) => {
                    if self.receiving || !self.parts.subscriptions.is_empty() || !duties.has_room() {
                        return Ok(Pumped::MessageWaits);
                    }
                    // Nobody would ever take it, and everything behind it would wait.
                    self.discard(duties).map(|_| ())
                }
                Ok(Head::Other) => self.read_answer()?,
                Err(error) => Err(error),
            };
            match read {
                Ok(()) => self.unread = 0,
                Err(error) => return self.read_again_later(error, duties).map(|()| Pumped::Nothing),
            }
        }
        Ok(Pumped::More)
    }

    /// What the kernel has could not be read. It is not given up at once.
    #[cold]
    fn read_again_later(&mut self, error: EventError, duties: &Duties) -> Result<(), Cause> {
        self.unread = self.unread.saturating_add(1);
        if error.recovery() != Recovery::Retry || self.unread >= MAX_UNREAD {
            return Err(Cause::Event(error));
        }
        self.retry_later();
        self.hurry(self.retry_at, duties);
        Ok(())
    }

    /// Reads an event that is no message.
    fn read_answer(&mut self) -> Result<Result<(), EventError>, Cause> {
        let Phase::InSession(link) = &mut self.phase else { return Ok(Ok(())) };
        match link.channel.try_event(&mut Inbox::new(&mut [], &mut [])) {
            Ok(Some(mqtt::Event::Subscribed(id, outcomes))) if link.in_flight == Some(id) => {
                link.in_flight = None;
                self.take_outcomes(outcomes)?;
            }
            Ok(Some(mqtt::Event::Ended(end))) => return Err(Cause::Ended(end)),
            // Answers to what nobody waits for.
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(()))
    }

    fn take_outcomes(&mut self, outcomes: Result<Outcomes<TopicOutcome>, RequestError>) -> Result<(), Cause> {
        let Phase::InSession(link) = &mut self.phase else { return Ok(()) };
        let chunk = self.parts.subscriptions.get(link.subscribed..).unwrap_or_default();
        let chunk = chunk.get(..MAX_TOPICS).unwrap_or(chunk);
        match outcomes {
            Ok(outcomes) => {
                for (subscription, &outcome) in chunk.iter().zip(&outcomes) {
                    let filter = subscription.filter();
                    self.parts.observer.event(&Event::Subscribed { filter, outcome });
                }
            }
            // The connection, not the request, is what is wrong.
            Err(error @ RequestError::Failed(state)) if state != RequestState::InvalidParameters => {
                return Err(Cause::Subscribe(error));
            }
            Err(error) => {
                if let Some(first) = chunk.first() {
                    self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
                }
            }
        }
        link.subscribed += chunk.len();
        Ok(())
    }

    /// Throws a message away, with the memory of the settings for an inbox. They are fetched again
    /// before the next connection.
    fn discard(&mut self, duties: &Duties) -> Result<usize, EventError> {
        self.settings = None;
        let memory = self.parts.values.bytes_mut();
        let shares = [memory.len() / 2, 256];
        let mut last = EventError::InboxTooSmall { topic: 0, payload: 0 };
        for share in shares {
            let Phase::InSession(link) = &mut self.phase else { break };
            let Some((topic, payload)) = self.parts.values.bytes_mut().split_at_mut_checked(share) else {
                break;
            };
            match link.channel.try_event(&mut Inbox::new(topic, payload)) {
                Ok(Some(mqtt::Event::Message(message))) => {
                    let len = message.payload().len();
                    if let Some(acknowledgement) = message.into_acknowledgement() {
                        duties.incur(acknowledgement).acknowledge();
                    }
                    self.parts.observer.event(&Event::Discarded { len });
                    return Ok(len);
                }
                Ok(Some(mqtt::Event::Lost(lost))) => {
                    self.parts.observer.event(&Event::Lost { len: lost.message_len() });
                    return Ok(0);
                }
                Ok(_) => return Ok(0),
                Err(error) => last = error,
            }
            if !matches!(last, EventError::InboxTooSmall { .. }) {
                break;
            }
        }
        Err(last)
    }

    /// Takes the message that is next, if there is one.
    pub(super) fn take(
        &mut self,
        inbox: &mut Inbox<'_>,
        duties: &Duties,
    ) -> Result<Option<Arrival>, NoArrival> {
        self.receiving = true;
        match self.pump(duties) {
            Ok(Pumped::MessageWaits) => {}
            Ok(pumped) => {
                if pumped == Pumped::More {
                    self.hurry(0, duties);
                }
                return Ok(None);
            }
            Err(cause) => {
                self.fault(cause, duties);
                self.hurry(0, duties);
                return Ok(None);
            }
        }
        if !duties.has_room() {
            return if duties.outstanding() >= MAX_UNACKNOWLEDGED {
                Err(NoArrival::TooManyUnacknowledged)
            } else {
                // Until the kernel takes an acknowledgement.
                Ok(None)
            };
        }
        self.read_message(inbox, duties)
    }

    fn read_message(&mut self, inbox: &mut Inbox<'_>, duties: &Duties) -> Result<Option<Arrival>, NoArrival> {
        let Phase::InSession(link) = &mut self.phase else { return Ok(None) };
        let error = match link.channel.try_event(inbox) {
            Ok(Some(mqtt::Event::Message(message))) => {
                (self.told_too_large, self.unread) = (false, 0);
                return Ok(Some(Arrival {
                    topic_len: message.topic().len(),
                    payload_len: message.payload().len(),
                    qos: message.qos(),
                    retained: message.is_retained(),
                    acknowledgement: message.into_acknowledgement(),
                }));
            }
            Ok(Some(mqtt::Event::Lost(lost))) => {
                (self.told_too_large, self.unread) = (false, 0);
                return Err(NoArrival::Lost {
                    topic_len: lost.topic().len(),
                    message_len: lost.message_len(),
                    reason: lost.reason(),
                });
            }
            Ok(_) => {
                self.hurry(0, duties);
                return Ok(None);
            }
            Err(error) => error,
        };
        let error = match error {
            EventError::InboxTooSmall { .. } if !mem::replace(&mut self.told_too_large, true) => {
                return Err(NoArrival::TooLarge);
            }
            EventError::InboxTooSmall { .. } => {
                self.told_too_large = false;
                match self.discard(duties) {
                    Ok(len) => return Err(NoArrival::Discarded { len }),
                    Err(error) => error,
                }
            }
            other => other,
        };
        if matches!(error, EventError::InboxTooSmall { .. }) {
            // Not even the memory of the settings takes it.
            self.fault(Cause::Event(error), duties);
            self.hurry(0, duties);
        } else if let Err(cause) = self.read_again_later(error, duties) {
            self.fault(cause, duties);
            self.hurry(0, duties);
        }
        Ok(None)
    }

    /// Sends message `slot`, or says what became of it.
    pub(super) fn poll_publish(
        &mut self,
        slot: usize,
        publish: &Publish<'_>,
        cx: &mut Context<'_>,
        duties: &Duties,
    ) -> Poll<Result<Option<ReasonCode>, PublishError>> {
        let Some(Slot { progress, .. }) = self.publishes.get(slot) else {
            return Poll::Ready(Err(PublishError::TooMany));
        };
        match *progress {
            Progress::Answered(answer) => return Poll::Ready(answer.map(Some)),
            Progress::Queued { until, when_offline } => {
                if let Some(sent) = self.try_publish(slot, publish, when_offline, duties) {
                    return Poll::Ready(sent);
                }
                self.hurry(until, duties);
            }
            Progress::InFlight { .. } => {
                if let Err(cause) = self.pump(duties) {
                    self.fault(cause, duties);
                    self.hurry(0, duties);
                }
                if let Some(Slot { progress: Progress::Answered(answer), .. }) = self.publishes.get(slot) {
                    return Poll::Ready(answer.map(Some));
                }
            }
            Progress::Free => {}
        }
        if let Some(slot) = self.publishes.get_mut(slot) {
            slot.wait(cx.waker());
        }
        Poll::Pending
    }

    /// The verdict, where there is one already.
    fn try_publish(
        &mut self,
        slot: usize,
        publish: &Publish<'_>,
        when_offline: WhenOffline,
        duties: &Duties,
    ) -> Option<Result<Option<ReasonCode>, PublishError>> {
        let Phase::InSession(link) = &mut self.phase else { return self.not_online(when_offline) };
        if !matches!(self.state, State::Online) {
            return self.not_online(when_offline);
        }
        match link.channel.request_publish(publish) {
            Ok(_) if publish.qos() == QoS::AtMostOnce => Some(Ok(None)),
            Ok(id) => {
                let until = self.patience();
                if let Some(slot) = self.publishes.get_mut(slot) {
                    slot.progress = Progress::InFlight { id, until };
                }
                self.hurry(until, duties);
                None
            }
            Err(error) => match error.recovery() {
                Recovery::Retry => {
                    self.retry_later();
                    self.hurry(self.retry_at, duties);
                    None
                }
                Recovery::GiveUp => Some(Err(error.into())),
                Recovery::Reopen => {
                    self.fault(Cause::Publish(error), duties);
                    self.hurry(0, duties);
                    match (error, when_offline) {
                        // Nothing of it was sent.
                        (RequestError::Ended(_), WhenOffline::Wait(_)) => None,
                        _ => Some(Err(error.into())),
                    }
                }
            },
        }
    }

    fn not_online(&self, when_offline: WhenOffline) -> Option<Result<Option<ReasonCode>, PublishError>> {
        matches!(when_offline, WhenOffline::Fail).then_some(Err(PublishError::Offline))
    }

    /// The session with the broker is over.
    fn fault(&mut self, cause: Cause, duties: &Duties) {
        self.leave_session(Then::BackOff(cause), duties);
    }

    fn leave_session(&mut self, then: Then, duties: &Duties) {
        let Phase::InSession(link) = mem::replace(&mut self.phase, Phase::Offline) else { return };
        self.look_at_clock();
        duties.end();
        self.doubt_in_flight();
        (self.retry_at, self.check_at) = (NEVER, NEVER);
        self.told_too_large = false;
        let stable = self.parts.policy.stable_us();
        if self.online_since.take().is_some_and(|since| self.now.saturating_sub(since) >= stable) {
            self.back_off.reset();
        }
        let then = if link.disconnecting { Then::Stop } else { then };
        self.settle(close_mqtt(link.channel), then);
    }

    fn settle(&mut self, closed: Closed, then: Then) {
        match closed {
            Ok(buffers) => {
                self.buffers = Some(buffers);
                self.go_on(then);
            }
            // It may have closed the channel while it answered otherwise.
            Err((closing, CloseError(Status::InvalidHandle))) => {
                self.buffers = match closing {
                    Closing::Fetch(fetch) => fetch.into_doubtful_buffers(),
                    Closing::Mqtt(channel) => channel.into_doubtful_buffers(),
                };
                self.go_on(then);
            }
            Err((closing, error)) => {
                self.phase = Phase::Closing(closing, then);
                self.due = self.after(self.parts.policy.shortest_us());
                self.set_state(State::BackingOff {
                    until: Duration::from_micros(self.due),
                    cause: Cause::Close(error),
                });
            }
        }
    }

    fn close_again(&mut self) -> bool {
        let Phase::Closing(closing, then) = mem::replace(&mut self.phase, Phase::Offline) else {
            return false;
        };
        let closed = match closing {
            Closing::Fetch(fetch) => close_fetch(fetch),
            Closing::Mqtt(channel) => close_mqtt(channel),
        };
        self.settle(closed, then);
        true
    }

    fn go_on(&mut self, then: Then) {
        match then {
            Then::Connect => {}
            Then::BackOff(cause) => self.back_off(cause),
            Then::Stop => self.stop(),
        }
    }

    fn back_off(&mut self, cause: Cause) {
        if let Cause::Connect(_) | Cause::NoAnswer(Awaited::Connect) = cause {
            self.failed_connects = self.failed_connects.saturating_add(1);
        }
        if cause.doubts_settings() || self.failed_connects >= MAX_CONNECTS {
            self.failed_connects = 0;
            self.forget_settings();
        }
        let wait = self.back_off.next(&self.parts.policy, cause.pace(), &self.parts.id);
        self.due = self.after(wait);
        self.phase = Phase::BackingOff;
        self.refuse_queued(PublishError::Offline, |when| matches!(when, WhenOffline::Fail));
        self.set_state(State::BackingOff { until: Duration::from_micros(self.due), cause });
    }

    fn stop(&mut self) {
        self.phase = Phase::Stopped;
        self.due = NEVER;
        // Dropping it lets the kernel go offline.
        self.network = None;
        self.forget_settings();
        self.refuse_queued(PublishError::Stopped, |_| true);
        self.set_state(State::Stopped);
    }
}

/// What a profile does wrong that neither makes a connection nor says why.
const NO_CONNECTION: SettingsError =
    SettingsError::Other { key: "profile", problem: "it made no connection of the settings" };
/// A machine has its buffers unless a channel has them.
const NO_BUFFERS: Cause = Cause::Close(CloseError(Status::InvalidHandle));
