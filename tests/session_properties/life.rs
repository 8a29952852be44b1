//! The life of a device: the steps are taken, and what has to hold whatever they are is checked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use microvisor::DeviceId;
use microvisor::aws::{StoredProfile, Topics};
use microvisor::mqtt::{Inbox, Publish, QoS, ReasonCode};
use microvisor::session::{
    Acknowledged, Obligation, PublishError, ReceiveError, Session, State, WhenOffline,
};
use microvisor_sim::{NetworkStatus, Quirks, SessionEnd};

use crate::statuses::Statuses;
use crate::step::{App, Broker, Dealing, Fault, Step, Store, TOO_LARGE};
use crate::tasks::{TaskId, Tasks};
use crate::world::{ID, Watcher, World, policy, subscriptions};

/// How the kernel is, where its documents do not say.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub seed: u64,
    pub session_end: SessionEnd,
    pub max_publishes: usize,
    pub max_acknowledgements: usize,
}

type Device<'a> = Session<'a, StoredProfile, Watcher>;
type Verdict = Result<Option<ReasonCode>, PublishError>;

/// The answers to calls that can be made again later.
const LATER: [&str; 2] = [" = RATELIMITED", " = MICROVISORBUSY"];

/// What the application does, and what it was told.
struct Application<'s> {
    dealing: Cell<Dealing>,
    small_inboxes: Cell<u32>,
    held: RefCell<VecDeque<(String, Obligation<'s>)>>,
    /// What was acknowledged, in order.
    acknowledged: RefCell<Vec<String>>,
    /// The lengths of messages that were lost or thrown away.
    gone: RefCell<Vec<usize>>,
    verdicts: RefCell<BTreeMap<usize, Verdict>>,
    watched: [Cell<State>; 3],
    wrong: RefCell<Vec<String>>,
}

impl<'s> Application<'s> {
    fn new() -> Self {
        Self {
            dealing: Cell::new(Dealing::Acknowledge),
            small_inboxes: Cell::new(0),
            held: RefCell::default(),
            acknowledged: RefCell::default(),
            gone: RefCell::default(),
            verdicts: RefCell::default(),
            watched: [const { Cell::new(State::Stopped) }; 3],
            wrong: RefCell::default(),
        }
    }

    fn is_wrong(&self, what: String) {
        self.wrong.borrow_mut().push(what);
    }

    fn acknowledge(&self, payload: String, obligation: Obligation<'s>) {
        if obligation.acknowledge() != Acknowledged::TooLate {
            self.acknowledged.borrow_mut().push(payload);
        }
    }

    /// Acknowledges the first so many that are held back.
    fn acknowledge_held(&self, count: usize) {
        for _ in 0..count {
            let first = self.held.borrow_mut().pop_front();
            let Some((payload, obligation)) = first else { return };
            self.acknowledge(payload, obligation);
        }
    }

    fn take_held(&self, index: usize) -> Option<Obligation<'s>> {
        let mut held = self.held.borrow_mut();
        let index = index % held.len().max(1);
        held.remove(index).map(|(_, obligation)| obligation)
    }

    fn deal(&self, payload: String, obligation: Option<Obligation<'s>>) {
        let Some(obligation) = obligation else { return };
        match self.dealing.get() {
            Dealing::Acknowledge => self.acknowledge(payload, obligation),
            Dealing::Leave => obligation.leave(),
            Dealing::Forget => drop(obligation),
            Dealing::Hold => self.held.borrow_mut().push_back((payload, obligation)),
        }
    }

    async fn receive(&self, session: &'s Device<'_>) {
        let (mut topic, mut payload) = ([0; 256], [0; 600]);
        loop {
            let is_small = self.small_inboxes.get() > 0;
            self.small_inboxes.set(self.small_inboxes.get().saturating_sub(1));
            let room = if is_small { 1 } else { payload.len() };
            let mut inbox = Inbox::new(&mut topic, &mut payload[..room]);
            match session.receive(&mut inbox).await {
                Ok(message) => {
                    let payload = String::from_utf8_lossy(message.payload()).into_owned();
                    self.deal(payload, message.into_obligation());
                }
                Err(ReceiveError::TooLarge) => {}
                Err(ReceiveError::Discarded { len }) => self.gone.borrow_mut().push(len),
                Err(ReceiveError::Lost(lost)) => {
                    self.gone.borrow_mut().push(lost.message_len().try_into().expect("a length"));
                }
                Err(ReceiveError::TooManyUnacknowledged) => {
                    let held = self.held.borrow().len();
                    if held < microvisor::session::MAX_UNACKNOWLEDGED {
                        self.is_wrong(format!("too many are unacknowledged, with {held} held back"));
                        return;
                    }
                    self.acknowledge_held(1);
                }
                Err(error) => self.is_wrong(format!("received: {error}")),
            }
        }
    }

    async fn publish(
        &self,
        session: &'s Device<'_>,
        topics: &Topics,
        number: usize,
        qos: u8,
        when: WhenOffline,
    ) {
        let payload = number.to_string();
        let qos = if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(qos);
        let verdict = session.publish(&reading, when).await;
        if let (Ok(reason), QoS::AtLeastOnce) = (verdict, qos)
            && reason.is_none()
        {
            self.is_wrong(format!("{number} was published with QoS 1 and no reason code"));
        }
        self.verdicts.borrow_mut().insert(number, verdict);
    }

    async fn watch(&self, session: &'s Device<'_>, watcher: usize) {
        loop {
            let before = self.watched[watcher].get();
            let now = session.changed_from(before).await;
            if now == before {
                self.is_wrong(format!("the state changed from {before:?} to itself"));
            }
            self.watched[watcher].set(now);
        }
    }
}

/// Everything that goes on in one life.
struct Life<'s, 'a> {
    world: &'s World,
    session: &'s Device<'a>,
    application: Rc<Application<'s>>,
    topics: Rc<Topics>,
    statuses: &'s Statuses,
    tasks: Tasks<'s>,
    run: Option<TaskId>,
    receive: Option<TaskId>,
    disconnect: Option<TaskId>,
    publishes: Vec<(usize, TaskId)>,
    published: usize,
    sent_to_device: usize,
    /// What may yet keep it from coming online, although nothing new happens.
    adversities: u64,
}

/// Lives through `steps`, and says what went wrong.
pub fn live(kernel: &Kernel, steps: &[Step], statuses: &Statuses) -> Result<Vec<String>, String> {
    let quirks = Quirks {
        session_end: kernel.session_end,
        max_publishes_in_flight: kernel.max_publishes,
        max_acknowledgements_in_flight: kernel.max_acknowledgements,
        ..Quirks::default()
    };
    let world = World::with(|device| device.seed(kernel.seed).quirks(quirks), |broker| broker);
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    let lived = Life::new(&world, &session, statuses, kernel.seed).live(steps);
    drop(session);
    let memory_is_back = world.memory.take().is_some();
    let misuse: Vec<_> = world.device.take_misuse().iter().map(ToString::to_string).collect();
    let trace = world.device.trace();
    let outcome = lived.and_then(|()| {
        ensure(misuse.is_empty(), || format!("misuse: {misuse:?}"))?;
        ensure(memory_is_back, || "the memory did not come back".to_owned())?;
        check_calls(&trace)
    });
    outcome.map(|()| trace.clone()).inspect_err(|_| {
        if let Ok(path) = std::env::var("MICROVISOR_TRACE") {
            std::fs::write(path, trace.join("\n")).expect("the trace is written");
        }
    })
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

impl<'s, 'a> Life<'s, 'a> {
    fn new(world: &'s World, session: &'s Device<'a>, statuses: &'s Statuses, seed: u64) -> Self {
        let application = Rc::new(Application::new());
        let topics = Rc::new(Topics::new(&DeviceId::parse(ID).expect("an id")));
        let mut tasks = Tasks::new(&world.device, seed);
        for watcher in 0..3 {
            let application = application.clone();
            tasks.spawn(async move { application.watch(session, watcher).await });
        }
        let mut life = Self {
            world,
            session,
            application,
            topics,
            statuses,
            tasks,
            run: None,
            receive: None,
            disconnect: None,
            publishes: Vec::new(),
            published: 0,
            sent_to_device: 0,
            adversities: 0,
        };
        life.run();
        life.receive();
        life
    }

    fn live(mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            self.take(step);
            self.check()?;
        }
        self.end_adversity();
        self.come_online()?;
        self.settle_messages()?;
        self.check_messages()?;
        self.check_effort(steps.len())?;
        self.stop()
    }

    fn pass(&mut self, duration: Duration) {
        self.tasks.run_for(&self.world.device, duration);
        self.publishes.retain(|&(_, task)| !self.tasks.is_done(task));
    }

    fn is_running(&self) -> bool {
        self.run.is_some_and(|run| !self.tasks.is_done(run))
    }

    fn run(&mut self) {
        if !self.is_running() {
            let (session, delay) = (self.session, self.world.device.delay());
            self.run = Some(self.tasks.spawn(async move { session.run(delay).await }));
        }
    }

    fn stop_running(&mut self) {
        if let Some(run) = self.run.take() {
            self.tasks.cancel(run);
        }
    }

    fn receive(&mut self) {
        self.stop_receiving();
        let (application, session) = (self.application.clone(), self.session);
        self.receive = Some(self.tasks.spawn(async move { application.receive(session).await }));
    }

    fn stop_receiving(&mut self) {
        if let Some(receive) = self.receive.take() {
            self.tasks.cancel(receive);
        }
    }

    fn disconnect(&mut self) {
        if self.disconnect.is_none_or(|task| self.tasks.is_done(task)) {
            let session = self.session;
            self.disconnect = Some(self.tasks.spawn(async move { session.disconnect().await }));
        }
    }

    fn publish(&mut self, qos: u8, wait: Option<Duration>) -> usize {
        let number = self.published;
        self.published += 1;
        let when = wait.map_or(WhenOffline::Fail, WhenOffline::Wait);
        let (application, session, topics) = (self.application.clone(), self.session, self.topics.clone());
        let publish = async move { application.publish(session, &topics, number, qos, when).await };
        let task = self.tasks.spawn(publish);
        self.publishes.push((number, task));
        number
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Pass(duration) => self.pass(*duration),
            Step::App(action) => self.act(action),
            Step::Network(status) => self.world.device.set_network(*status),
            Step::Broker(action) => self.act_as_broker(action),
            Step::Store(Store::Break { key, value }) => {
                self.adversities += 1;
                match (*key, value) {
                    ("private_key", Some(value)) => self.world.device.set_secret(key, value),
                    ("private_key", None) => self.world.device.remove_secret(key),
                    (_, Some(value)) => self.world.device.set_config(key, value),
                    (_, None) => self.world.device.remove_config(key),
                }
            }
            Step::Store(Store::Mend) => self.world.stored.store_on(&self.world.device),
            Step::Fault(fault) => self.inject(fault),
        }
    }

    fn act(&mut self, action: &App) {
        match *action {
            App::Publish { qos, wait, count } => {
                for _ in 0..count {
                    self.publish(qos, wait);
                }
            }
            App::DropPublish(index) => {
                if !self.publishes.is_empty() {
                    let (_, task) = self.publishes.remove(index % self.publishes.len());
                    self.tasks.cancel(task);
                }
            }
            App::Deal(dealing) => self.application.dealing.set(dealing),
            App::AcknowledgeHeld(count) => self.application.acknowledge_held(count),
            App::LeaveHeld(index) => {
                if let Some(obligation) = self.application.take_held(index) {
                    obligation.leave();
                }
            }
            App::ForgetHeld(index) => drop(self.application.take_held(index)),
            App::SmallInbox(times) => self.application.small_inboxes.set(times),
            App::ReceiveAnew => self.receive(),
            App::StopReceiving => self.stop_receiving(),
            App::Disconnect => self.disconnect(),
            App::StartDisconnect => self.session.stop(),
            App::Run => self.run(),
            App::DropRun(duration) => {
                self.stop_running();
                self.pass(duration);
                self.run();
            }
            App::RunAnew => {
                self.stop_running();
                self.run();
            }
        }
    }

    fn act_as_broker(&mut self, action: &Broker) {
        let broker = &self.world.broker;
        match *action {
            Broker::Send { qos, len, count } => {
                for _ in 0..count {
                    self.sent_to_device += 1;
                    // Each has a length of its own, which is all that is told of one that is gone.
                    let spread = if len == TOO_LARGE { 0 } else { 5 + self.sent_to_device % 500 };
                    let len = len + spread;
                    let payload = format!("{:>len$}", format!("m{}", self.sent_to_device));
                    broker.publish(format!("command/device/{ID}"), payload, qos);
                }
            }
            Broker::Disconnect(reason) => broker.disconnect_client(reason),
            Broker::DropConnection(reason) => broker.drop_connection_because(reason),
            Broker::TakeOver => broker.take_over(ID),
            Broker::FallSilent => broker.fall_silent(),
            Broker::EndSilence => broker.end_silence(),
            Broker::RefuseConnect { state, reason } => {
                self.adversities += 1;
                broker.refuse_connect(state, reason);
            }
            Broker::SilentConnect => {
                self.adversities += 1;
                broker.silent_connect();
            }
            Broker::DelayResponses(delay) => broker.delay_responses(delay),
            Broker::LoseResponses(count) => broker.lose_responses(count),
            Broker::ReverseResponses(count) => broker.reverse_responses(count),
            Broker::ReleaseResponses => broker.release_responses(),
            Broker::DuplicateDeliveries(count) => broker.duplicate_deliveries(count),
            Broker::AnswerSubscribe { state, reasons } => {
                self.adversities += 1;
                broker.answer_subscribe_with(state, &reasons);
            }
            Broker::AnswerPublish { state, reason } => {
                self.adversities += 1;
                broker.answer_publish_with(state, reason);
            }
            Broker::CutAfterPublish => {
                self.adversities += 1;
                broker.cut_after_publish();
            }
            Broker::CutBeforePublish => {
                self.adversities += 1;
                broker.cut_before_publish();
            }
        }
    }

    fn inject(&mut self, fault: &Fault) {
        use microvisor_sim::Fault as Sim;
        let device = &self.world.device;
        match fault {
            Fault::AtCalls { ahead, times, status } => {
                self.adversities += times;
                device.inject(Sim::call_index(device.calls() + ahead).times(*times).status(*status));
            }
            Fault::Named { name, nth, times, status } => {
                self.adversities += times;
                let statuses = self.statuses.of(name);
                let mut status = *status.get(&statuses);
                // A kernel that says so of a channel that is open has its buffers for good.
                if (*name, status) == ("mvCloseChannel", self.statuses.number("MV_STATUS_INVALIDHANDLE")) {
                    status = crate::statuses::UNKNOWN;
                }
                device.inject(Sim::call(name).nth(*nth).times(*times).status(status));
            }
            Fault::DropNotifications { skip, count } => {
                self.adversities += count;
                device.inject(Sim::notifications().skip(*skip).drop(*count));
            }
            Fault::DelayNotifications { count, delay } => {
                self.adversities += count;
                device.inject(Sim::notifications().delay(*count, *delay));
            }
            Fault::DuplicateNotifications(count) => device.inject(Sim::notifications().duplicate(*count)),
            Fault::Fetch(fault) => {
                self.adversities += 1;
                device.inject(Sim::config_response(fault.clone()));
            }
        }
    }

    /// What holds at any time.
    fn check(&self) -> Result<(), String> {
        let application = &self.application;
        if let Some(wrong) = application.wrong.borrow().first() {
            return Err(wrong.clone());
        }
        let (counted, held) = (self.session.unacknowledged(), application.held.borrow().len());
        ensure(counted == held, || format!("{counted} are unacknowledged, {held} are held back"))?;
        let mut complaints = self.world.broker.complaints();
        // Those are about the values that were broken.
        complaints.retain(|complaint| !complaint.contains(": connect: "));
        ensure(complaints.is_empty(), || format!("the broker complains: {complaints:?}"))
    }

    /// From now on nothing new goes wrong. What was planned may still come.
    fn end_adversity(&mut self) {
        let World { broker, device, stored, .. } = self.world;
        broker.end_silence();
        broker.delay_responses(Duration::ZERO);
        broker.lose_responses(0);
        broker.release_responses();
        broker.duplicate_deliveries(0);
        stored.store_on(device);
        device.set_network(NetworkStatus::Connected);
        self.application.dealing.set(Dealing::Acknowledge);
        self.application.small_inboxes.set(0);
        self.application.acknowledge_held(usize::MAX);
        if self.receive.is_none() {
            self.receive();
        }
    }

    /// The device comes online and publishes, three times in a row.
    fn come_online(&mut self) -> Result<(), String> {
        let longest = policy().longest_back_off() + policy().answer_timeout();
        let most = longest * u32::try_from(self.adversities + 2).expect("few");
        let end = self.world.now() + most;
        let mut in_a_row = 0;
        while in_a_row < 3 {
            let now = self.world.now();
            ensure(now < end, || {
                let state = self.session.state();
                format!("not online within {most:?} of the last adversity, but {state:?} at {now:?}")
            })?;
            self.run();
            let number = self.publish(1, Some(Duration::from_secs(5)));
            self.pass(Duration::from_secs(6));
            let is_ok = self.application.verdicts.borrow().get(&number).is_some_and(Result::is_ok);
            in_a_row = if is_ok { in_a_row + 1 } else { 0 };
            self.check()?;
        }
        Ok(())
    }

    /// Everything is delivered and acknowledged, and every publish comes to its end.
    fn settle_messages(&mut self) -> Result<(), String> {
        // What was left is delivered again.
        self.world.broker.drop_connection();
        for _ in 0..60 {
            self.run();
            self.pass(Duration::from_secs(10));
            self.check()?;
            let is_settled = self.world.broker.all_acknowledged() && self.publishes.is_empty();
            if is_settled && self.session.state() == State::Online {
                break;
            }
        }
        let state = self.session.state();
        ensure(state == State::Online, || format!("it does not come online again, but is {state:?}"))?;
        for watched in &self.application.watched {
            let watched = watched.get();
            ensure(watched == state, || format!("a watcher believes {watched:?}"))?;
        }
        ensure(self.publishes.is_empty(), || format!("{:?} never end", self.publishes))?;
        let unacknowledged = self.world.broker.unacknowledged();
        ensure(unacknowledged.is_empty(), || {
            let texts: Vec<_> = unacknowledged.iter().map(|text| String::from_utf8_lossy(text)).collect();
            format!("never acknowledged: {texts:?}")
        })
    }

    fn check_messages(&self) -> Result<(), String> {
        self.check_publishes()?;
        self.check_acknowledgements()
    }

    /// What was reported is what happened.
    fn check_publishes(&self) -> Result<(), String> {
        let received = self.world.broker.received();
        let mut counts = BTreeMap::<usize, (usize, u8)>::new();
        for message in &received {
            let number = String::from_utf8_lossy(&message.payload).parse().map_err(|_| "a payload")?;
            counts.entry(number).or_insert((0, message.qos)).0 += 1;
        }
        for (number, (count, _)) in &counts {
            ensure(*count == 1, || format!("{number} was published {count} times"))?;
        }
        for (number, verdict) in self.application.verdicts.borrow().iter() {
            let arrived = counts.contains_key(number);
            match verdict {
                Ok(Some(_)) => ensure(arrived, || format!("{number} was taken and did not arrive"))?,
                Ok(None) | Err(PublishError::Indeterminate(_)) => {}
                Err(error) => ensure(!arrived, || format!("{number} arrived, but: {error:?}"))?,
            }
        }
        Ok(())
    }

    /// What the broker saw acknowledged is what the application did, in the same order.
    fn check_acknowledgements(&self) -> Result<(), String> {
        let mut said = self.application.acknowledged.borrow().clone().into_iter();
        let gone = self.application.gone.borrow().clone();
        for seen in self.world.broker.acknowledged() {
            if seen.payload.len() == TOO_LARGE {
                // The kernel does that by itself, and its report may be lost with the session.
                continue;
            }
            let payload = String::from_utf8_lossy(&seen.payload).into_owned();
            let (times, most) = (seen.acknowledgements, seen.deliveries);
            ensure(times <= most, || format!("{payload} was acknowledged {times} of {most} times"))?;
            if gone.contains(&payload.len()) {
                continue;
            }
            ensure(said.any(|said| said == payload), || {
                format!("{} was acknowledged by itself, or out of order", payload.trim())
            })?;
        }
        Ok(())
    }

    /// Neither calls nor polls without a reason.
    fn check_effort(&self, steps: usize) -> Result<(), String> {
        let World { broker, device, .. } = self.world;
        let minutes = device.now().as_secs() / 60 + 1;
        let deliveries: u64 = broker.acknowledged().iter().map(|message| u64::from(message.deliveries)).sum();
        let attempts = broker.connect_attempts().len() as u64;
        // What the kernel has no room for is tried again four times a second, message by message.
        let trace = device.trace();
        let later =
            trace.iter().filter(|line| LATER.iter().any(|status| line.contains(status))).count() as u64;
        ensure(later <= minutes * 60 * 4 * 6, || format!("{later} calls to be made again in {minutes} min"))?;
        let events = self.published as u64 + deliveries + attempts + self.adversities + steps as u64 + later;
        let (calls, polls) = (device.calls(), self.tasks.polls());
        let (most_calls, most_polls) = (minutes * 120 + events * 20, minutes * 60 + events * 10);
        let shown = || format!("{calls} calls, {polls} polls in {minutes} min with {events} events");
        ensure(calls <= most_calls && polls <= most_polls, shown)
    }

    /// It ends when it is asked to.
    fn stop(mut self) -> Result<(), String> {
        self.disconnect();
        self.pass(policy().answer_timeout() + policy().longest_back_off());
        let state = self.session.state();
        ensure(state == State::Stopped && !self.is_running(), || {
            format!("it does not stop, but is {state:?}")
        })?;
        ensure(self.disconnect.is_none_or(|task| self.tasks.is_done(task)), || {
            "whoever disconnects waits for ever".to_owned()
        })?;
        let is_gone = !self.world.broker.is_connected(ID);
        ensure(is_gone, || "the broker still has a connection".to_owned())
    }
}

/// At most one channel is open at a time, and no acknowledgement is sent twice.
fn check_calls(trace: &[String]) -> Result<(), String> {
    let (mut open, mut acknowledged) = (0, std::collections::BTreeSet::new());
    for line in trace {
        let Some((_, call)) = line.split_once("] ") else { continue };
        let Some((call, status)) = call.rsplit_once(") = ") else { continue };
        if !status.starts_with("OKAY") {
            continue;
        }
        if call.starts_with("mvOpenChannel(") {
            open += 1;
            ensure(open == 1, || format!("{open} channels are open: {line}"))?;
        } else if call.starts_with("mvCloseChannel(") {
            open -= 1;
        } else if call.starts_with("mvMqttAcknowledgeMessage(") {
            ensure(acknowledged.insert(call), || format!("acknowledged twice: {line}"))?;
        }
    }
    ensure(open == 0, || format!("{open} channels stay open"))
}
