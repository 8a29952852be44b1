//! Every system call of a session fails in every way that it can, one after another, and it recovers.
//!
//! One life has everything in it: the network, the settings, the connection, subscriptions, messages
//! both ways, a broker that disconnects, the disconnect of the application and another beginning. Before
//! there is a session, the application starts over by itself.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod main_loop;
mod statuses;
mod stored;
mod tasks;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use embedded_hal_async::delay::DelayNs;
use main_loop::{MainLoop, News};
use microvisor::DeviceId;
use microvisor::aws::{StoredProfile, Topics};
use microvisor::mqtt::{Inbox, Publish, QoS};
use microvisor::session::{PublishError, Session, SessionBuilder, State, WhenOffline};
use microvisor::sys::{MV_STATUS_MICROVISORBUSY, MV_STATUS_RATELIMITED};
use microvisor_sim::{CallFault, Fault};
use statuses::{Statuses, UNKNOWN};
use tasks::{TaskId, Tasks};
use world::{ID, Seen, Watcher, World, policy, subscriptions};

/// How often the application publishes, in milliseconds.
const INTERVAL: u32 = 2_000;

/// What was left behind after a life.
struct Outcome {
    misuse: Vec<String>,
    memory_is_back: bool,
    trace: Vec<String>,
    /// When the first call was struck, and when the last.
    struck: Option<(Duration, Duration)>,
    /// How long it took from the last strike to the next publish that was taken, where it counts.
    recovery: Option<Duration>,
    /// How many calls there were before the session was dropped.
    before_drop: u64,
}

type Subject = Session<'static, StoredProfile, Watcher>;

/// What the application was told.
#[derive(Default)]
struct Log {
    taken: RefCell<Vec<(Duration, usize)>>,
    not_sent: RefCell<Vec<usize>>,
    received: RefCell<BTreeSet<String>>,
    number: Cell<usize>,
}

async fn publish(session: &Subject, world: &World, log: &Log) {
    let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
    loop {
        let number = log.number.replace(log.number.get() + 1);
        let payload = number.to_string();
        let qos = if number % 4 == 3 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(qos);
        match session.publish(&reading, WhenOffline::Wait(Duration::from_secs(3))).await {
            Ok(Some(_)) => log.taken.borrow_mut().push((world.now(), number)),
            Ok(None) | Err(PublishError::Indeterminate(_) | PublishError::Kernel(_)) => {}
            Err(_) => log.not_sent.borrow_mut().push(number),
        }
        world.device.delay().delay_ms(INTERVAL).await;
    }
}

async fn receive(session: &Subject, log: &Log) {
    let (mut topic, mut payload) = ([0; 256], [0; 512]);
    loop {
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        if let Ok(message) = session.receive(&mut inbox).await {
            let text = String::from_utf8_lossy(message.payload()).into_owned();
            log.received.borrow_mut().insert(text);
            message.acknowledge();
        }
    }
}

/// How a program drives its session.
trait Program {
    fn session(&self) -> &Subject;
    fn run_for(&mut self, duration: Duration);
    fn stop(&mut self);
    fn is_stopped(&self) -> bool;
    fn start(&mut self);
}

/// By tasks: one that runs it, one that publishes and one that receives.
struct InTasks<'t> {
    tasks: Tasks<'t>,
    session: &'t Subject,
    world: &'t World,
    run: TaskId,
    disconnect: Option<TaskId>,
}

impl<'t> InTasks<'t> {
    fn new(world: &'t World, session: &'t Subject, log: &'t Log) -> Self {
        let mut tasks = Tasks::new(&world.device, 1);
        let run = tasks.spawn(async move { session.run(world.device.delay()).await });
        tasks.spawn(publish(session, world, log));
        tasks.spawn(receive(session, log));
        Self { tasks, session, world, run, disconnect: None }
    }
}

impl Program for InTasks<'_> {
    fn session(&self) -> &Subject {
        self.session
    }

    fn run_for(&mut self, duration: Duration) {
        self.tasks.run_for(&self.world.device, duration);
    }

    fn stop(&mut self) {
        let session = self.session;
        self.disconnect = Some(self.tasks.spawn(async move { session.disconnect().await }));
    }

    fn is_stopped(&self) -> bool {
        self.tasks.is_done(self.run) && self.disconnect.is_none_or(|task| self.tasks.is_done(task))
    }

    fn start(&mut self) {
        let (session, world) = (self.session, self.world);
        self.run = self.tasks.spawn(async move { session.run(world.device.delay()).await });
    }
}

/// By a main loop, which does one after the other and sleeps as long as the session says.
struct InLoop<'t> {
    main_loop: MainLoop<'t, StoredProfile, Watcher, 4>,
    world: &'t World,
    log: &'t Log,
    waits_for: Option<usize>,
    due: Duration,
    /// How much of the news is known.
    known: usize,
}

impl<'t> InLoop<'t> {
    fn new(world: &'t World, session: Subject, log: &'t Log) -> Self {
        let main_loop = MainLoop::new(&world.device, session);
        Self { main_loop, world, log, waits_for: None, due: Duration::ZERO, known: 0 }
    }

    /// When it has something to do by itself.
    fn step(&mut self) -> Duration {
        let (log, now) = (self.log, self.world.now());
        for (at, news) in &self.main_loop.news[self.known..] {
            match (news, self.waits_for) {
                (News::Message(payload, _), _) => {
                    log.received.borrow_mut().insert(String::from_utf8_lossy(payload).into_owned());
                }
                (News::Published(_, verdict), Some(number)) => {
                    self.waits_for = None;
                    match verdict {
                        Ok(_) => log.taken.borrow_mut().push((*at, number)),
                        Err(PublishError::Indeterminate(_) | PublishError::Kernel(_)) => {}
                        Err(_) => log.not_sent.borrow_mut().push(number),
                    }
                }
                (News::Published(..), None) => panic!("a verdict on nothing: {news:?}"),
                (News::NotReceived(_), _) => {}
            }
        }
        self.known = self.main_loop.news.len();
        if self.waits_for.is_some() {
            return Duration::MAX;
        }
        if now < self.due {
            return self.due;
        }
        let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
        let number = log.number.replace(log.number.get() + 1);
        let payload = number.to_string();
        let qos = if number % 4 == 3 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(qos);
        match self.main_loop.session.publish_now(&reading) {
            Ok(_) if qos == QoS::AtLeastOnce => self.waits_for = Some(number),
            Ok(_) | Err(PublishError::Indeterminate(_) | PublishError::Kernel(_)) => {}
            Err(error) => {
                log.not_sent.borrow_mut().push(number);
                if let PublishError::NoRoom | PublishError::Offline = error {
                    // The session says when.
                    return Duration::MAX;
                }
            }
        }
        self.due = now + Duration::from_millis(INTERVAL.into());
        self.due
    }
}

impl Program for InLoop<'_> {
    fn session(&self) -> &Subject {
        &self.main_loop.session
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.world.now() + duration;
        let sleeps = self.main_loop.sleeps;
        loop {
            self.main_loop.turn();
            let due = self.step();
            if self.world.now() >= end {
                return;
            }
            assert!(self.main_loop.sleeps - sleeps < 1_000, "it does not sleep");
            self.main_loop.sleep(due.min(end));
        }
    }

    fn stop(&mut self) {
        self.main_loop.session.stop();
    }

    fn is_stopped(&self) -> bool {
        self.session().state() == State::Stopped
    }

    fn start(&mut self) {
        self.main_loop.session.start();
    }
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    Tasks,
    Loop,
}

impl Driver {
    /// How often all statuses are tried where calls are much the same. Below the loop is what the tasks have
    /// shown to be right.
    fn often(self) -> usize {
        if self == Self::Tasks { 3 } else { 1 }
    }

    /// The fewest lives that make a test.
    fn lives(self) -> usize {
        if self == Self::Tasks { 500 } else { 300 }
    }
}

/// The most that may pass after the last failure until it publishes again.
fn longest_recovery() -> Duration {
    policy().longest_back_off() + policy().answer_timeout() + Duration::from_secs(5)
}

/// Builds the session, and starts over until that succeeds.
fn build(world: &World) -> Subject {
    loop {
        let id = DeviceId::read();
        let opened = world.center.open();
        if let (Ok(id), Ok(notifications)) = (id, opened) {
            let memory = world.memory.take().expect("the memory is free");
            let builder = SessionBuilder::new(notifications, memory, Box::leak(Box::new(id)));
            let builder = builder.observer(Watcher(Rc::new(Seen::default()))).policy(policy());
            return builder.subscriptions(subscriptions()).build().expect("a session");
        }
        world.device.advance(Duration::from_secs(1));
    }
}

/// How much the kernel can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belief {
    /// What it says that it did not do is not done.
    Good,
    /// It may have sent what it says that it did not.
    Doubtful,
}

/// Lives a whole life with this fault.
fn live(driver: Driver, fault: Option<CallFault>, belief: Belief) -> Outcome {
    let world = World::new();
    if let Some(fault) = fault {
        world.device.inject(Fault::from(fault));
    }
    let session = build(&world);
    let log = Log::default();
    let (recovery, before_drop) = match driver {
        Driver::Tasks => {
            let mut program = InTasks::new(&world, &session, &log);
            let lived = (go_through(&world, &mut program, &log), world.device.calls());
            drop(program);
            drop(session);
            lived
        }
        Driver::Loop => {
            let mut program = InLoop::new(&world, session, &log);
            (go_through(&world, &mut program, &log), world.device.calls())
        }
    };
    check(&world, &log, belief);
    let struck: Vec<_> = world.device.trace().iter().filter_map(|line| struck_at(line)).collect();
    Outcome {
        misuse: world.device.take_misuse().iter().map(ToString::to_string).collect(),
        memory_is_back: world.memory.take().is_some(),
        trace: world.device.trace(),
        struck: struck.first().copied().zip(struck.last().copied()),
        recovery,
        before_drop,
    }
}

/// When a call was struck by a fault, going by its line in the call log.
fn struck_at(line: &str) -> Option<Duration> {
    let (time, call) = line.strip_prefix('[')?.split_once(']')?;
    call.contains("injected").then(|| {
        let (seconds, micros) = time.trim().split_once('.').expect("seconds");
        let number = |text: &str| text.parse::<u64>().expect("a number");
        Duration::from_secs(number(seconds)) + Duration::from_micros(number(micros))
    })
}

fn go_through(world: &World, program: &mut dyn Program, log: &Log) -> Option<Duration> {
    let World { broker, .. } = world;
    broker.publish_at(Duration::from_secs(5), format!("command/device/{ID}"), "five", 1);
    program.run_for(Duration::from_secs(8));
    let first = recover(world, log, program);
    broker.publish(format!("command/device/{ID}"), "first", 1);
    program.run_for(Duration::from_secs(1));
    broker.disconnect_client(0x8B);
    program.run_for(Duration::from_secs(8));
    let second = recover(world, log, program);
    broker.publish(format!("command/device/{ID}"), "second", 1);
    program.run_for(Duration::from_secs(1));
    program.stop();
    let end = world.now() + longest_recovery();
    while !program.is_stopped() {
        assert!(world.now() < end, "it does not stop, but is {:?}", program.session().state());
        program.run_for(Duration::from_millis(100));
    }
    assert_eq!(program.session().state(), State::Stopped);
    program.start();
    program.run_for(Duration::from_secs(6));
    let third = recover(world, log, program);
    assert!(!program.is_stopped());
    // What was not acknowledged is delivered again.
    program.run_for(Duration::from_secs(12));
    // A request that the kernel believes to be wrong is not repeated before the next connection.
    let is_subscribed = !broker.subscriptions(ID).is_empty();
    assert!(!is_subscribed || log.received.borrow().contains("second"), "{:?}", log.received.borrow());
    let fourth = recover(world, log, program);
    [first, second, third, fourth].into_iter().flatten().max()
}

/// Lets time pass until a publish is taken after the last failure; how long that took.
fn recover(world: &World, log: &Log, program: &mut dyn Program) -> Option<Duration> {
    let from = world.now();
    loop {
        let last = world.device.trace().iter().rev().find_map(|line| struck_at(line));
        let since = last.unwrap_or(Duration::ZERO);
        let taken = log.taken.borrow().iter().find(|(at, _)| *at > since).map(|(at, _)| *at);
        match (taken, last) {
            (Some(_), None) => return None,
            (Some(at), Some(struck)) => {
                let waited = at.saturating_sub(since.max(from));
                assert!(
                    waited < longest_recovery(),
                    "nothing was published {waited:?} after the last failure"
                );
                return Some(at.saturating_sub(struck));
            }
            (None, _) => {}
        }
        let waited = world.now().saturating_sub(since.max(from));
        assert!(
            waited < longest_recovery() + Duration::from_secs(10),
            "nothing is published {waited:?} after the last failure"
        );
        // To read the whole trace takes longer than all else.
        let (known, until) = (log.taken.borrow().len(), world.now() + Duration::from_secs(10));
        while log.taken.borrow().len() == known && world.now() < until {
            program.run_for(Duration::from_millis(500));
        }
    }
}

/// What was reported is what happened.
fn check(world: &World, log: &Log, belief: Belief) {
    let received = world.broker.received();
    let has = |number: &usize| {
        let payload = number.to_string();
        received.iter().filter(|message| message.payload == payload.as_bytes()).count()
    };
    for (_, number) in log.taken.borrow().iter() {
        let is_right = if belief == Belief::Good { has(number) == 1 } else { has(number) >= 1 };
        assert!(is_right, "{number} was reported as taken, and arrived {} times", has(number));
    }
    for number in log.not_sent.borrow().iter() {
        assert!(belief == Belief::Doubtful || has(number) == 0, "{number} was reported as not sent");
    }
    assert_eq!(world.broker.complaints(), Vec::<String>::new());
    for message in world.broker.acknowledged() {
        assert!(message.acknowledgements <= message.deliveries, "{message:?}");
    }
}

/// The names of the system calls of a life that nothing disturbs.
fn undisturbed_calls(driver: Driver) -> Vec<String> {
    let outcome = live(driver, None, Belief::Good);
    assert_eq!(outcome.misuse, Vec::<String>::new());
    assert!(outcome.memory_is_back && outcome.recovery.is_none());
    let calls = outcome.trace.iter().filter_map(|line| line.split_once("] ")?.1.split_once('('));
    calls.map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("mv")).collect()
}

/// The calls with their indices, and the statuses to try: all that are documented the first `often` times that
/// a call is made between the same neighbours, and then one that is not.
fn failures(calls: &[String], often: usize) -> Vec<(u64, &str, Vec<u32>)> {
    let statuses = Statuses::read();
    let mut seen = BTreeMap::<[&str; 3], usize>::new();
    let failures = calls.iter().enumerate().map(|(index, name)| {
        let neighbour = |at: Option<usize>| at.and_then(|at| calls.get(at)).map_or("", String::as_str);
        let times =
            seen.entry([neighbour(index.checked_sub(1)), name, neighbour(Some(index + 1))]).or_default();
        *times += 1;
        let tried = if *times <= often { statuses.of(name) } else { vec![UNKNOWN] };
        (index as u64, name.as_str(), tried)
    });
    failures.collect()
}

/// Says which fault it was when a test panics.
struct Doing(String);

impl Drop for Doing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with {}", self.0);
        }
    }
}

/// How it went, over many lives.
#[derive(Default)]
struct Summary {
    lives: usize,
    struck: usize,
    calls: BTreeSet<String>,
    slowest: Option<(Duration, String)>,
}

impl Summary {
    fn add(&mut self, name: &str, what: &str, outcome: &Outcome) {
        self.lives += 1;
        self.calls.insert(name.to_owned());
        self.struck += usize::from(outcome.struck.is_some());
        let slowest = self.slowest.as_ref().map_or(Duration::ZERO, |(recovery, _)| *recovery);
        if let Some(recovery) = outcome.recovery
            && recovery > slowest
        {
            self.slowest = Some((recovery, what.to_owned()));
        }
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        let Self { lives, struck, calls, slowest } = self;
        println!("{lives} lives, {struck} struck, {} calls: {calls:?}", calls.len());
        if let Some((recovery, what)) = slowest {
            println!("slowest recovery: {recovery:?} after {what}");
        }
    }
}

/// A channel that the kernel denies while it is open is tried to be opened once more, and the kernel's answer to
/// that says that it is open: no other misuse.
fn check_misuse(outcome: &Outcome, call: &str, status: u32, statuses: &Statuses) {
    let denied = call == "mvCloseChannel" && status == statuses.number("MV_STATUS_INVALIDHANDLE");
    let misuse: Vec<_> =
        outcome.misuse.iter().filter(|misuse| !(denied && misuse.contains("mvOpenChannel"))).collect();
    assert_eq!(misuse, Vec::<&String>::new());
}

fn fails_before(driver: Driver) {
    let calls = undisturbed_calls(driver);
    let statuses = Statuses::read();
    let mut summary = Summary::default();
    for (index, name, tried) in failures(&calls, driver.often()) {
        for status in tried {
            let doing = Doing(format!("call {index}, {name}, answering {status}"));
            let outcome = live(driver, Some(Fault::call_index(index).status(status)), Belief::Good);
            check_misuse(&outcome, name, status, &statuses);
            // A channel that is dropped tries to close once.
            let is_stuck = name == "mvCloseChannel" && index >= outcome.before_drop;
            assert_eq!(outcome.memory_is_back, !is_stuck);
            assert!(outcome.struck.is_some());
            summary.add(name, &doing.0, &outcome);
        }
    }
    println!("{} calls in a life", calls.len());
    assert!(summary.calls.len() >= 20 && summary.lives >= driver.lives(), "{} lives", summary.lives);
}

/// Whether the kernel may have done what it says has failed. Not where it opens something, whose failure
/// means that nothing is open, nor where it asks for patience.
fn may_have_worked(name: &str, status: u32) -> bool {
    !matches!(name, "mvOpenChannel" | "mvRequestNetwork" | "mvSetupNotifications")
        && !matches!(status, MV_STATUS_RATELIMITED | MV_STATUS_MICROVISORBUSY)
}

fn works_and_fails(driver: Driver) {
    let calls = undisturbed_calls(driver);
    let mut summary = Summary::default();
    for (index, name, statuses) in failures(&calls, driver.often()) {
        let belief = if name == "mvMqttRequestPublish" { Belief::Doubtful } else { Belief::Good };
        for status in statuses {
            if !may_have_worked(name, status) {
                continue;
            }
            let doing = Doing(format!("call {index}, {name}, answering {status} when it is done"));
            let fault = Fault::call_index(index).status(status).after_effect();
            let outcome = live(driver, Some(fault), belief);
            for misuse in &outcome.misuse {
                // What is gone is let go of once more, which the kernel notes.
                let closes = name == "mvCloseChannel" || name == "mvReleaseNetwork";
                assert!(closes && misuse.contains("is stale"), "{misuse}");
            }
            let is_stuck = name == "mvCloseChannel" && index >= outcome.before_drop;
            assert_eq!(outcome.memory_is_back, !is_stuck);
            summary.add(name, &doing.0, &outcome);
        }
    }
    assert!(summary.calls.len() >= 18 && summary.lives >= driver.lives() * 4 / 5, "{} lives", summary.lives);
}

fn fails_twenty_times(driver: Driver) {
    let calls = undisturbed_calls(driver);
    let statuses = Statuses::read();
    let mut summary = Summary::default();
    let names: BTreeSet<_> = calls.iter().collect();
    for name in names {
        for status in statuses.of(name) {
            for first in [1, 2, 5] {
                let doing = Doing(format!("{name} answering {status} 20 times from the {first}. on"));
                let fault = Fault::call(name).nth(first).times(20).status(status);
                let outcome = live(driver, Some(fault), Belief::Good);
                check_misuse(&outcome, name, status, &statuses);
                if name != "mvCloseChannel" {
                    assert!(outcome.memory_is_back);
                }
                summary.add(name, &doing.0, &outcome);
            }
        }
    }
    assert!(summary.calls.len() >= 20 && summary.struck >= 200, "{} struck", summary.struck);
}

#[test]
fn any_call_may_fail_before_it_does_anything() {
    fails_before(Driver::Tasks);
}

#[test]
fn any_call_may_work_and_say_that_it_failed() {
    works_and_fails(Driver::Tasks);
}

#[test]
fn any_call_may_fail_twenty_times_in_a_row() {
    fails_twenty_times(Driver::Tasks);
}

#[test]
fn any_call_of_a_main_loop_may_fail_before_it_does_anything() {
    fails_before(Driver::Loop);
}

#[test]
fn any_call_of_a_main_loop_may_work_and_say_that_it_failed() {
    works_and_fails(Driver::Loop);
}

#[test]
fn any_call_of_a_main_loop_may_fail_twenty_times_in_a_row() {
    fails_twenty_times(Driver::Loop);
}
