//! One fault, and what becomes of a session under it.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use embassy_futures::join::{join, join3};
use embassy_futures::select::{select, select3};
use embedded_hal_async::delay::DelayNs;
use microvisor::DeviceId;
use microvisor::aws::{StoredProfile, Topics};
use microvisor::mqtt::{Publish, QoS, Subscription};
use microvisor::session::{BrokerProfile, Cause, Observer, PublishError, Session, State, WhenOffline};
use microvisor_sim::broker::model::ModelBrokerBuilder;
use microvisor_sim::{Builder, Device, Fault, NetworkStatus};

use crate::main_loop::{MainLoop, News};
use crate::world::{self, ID, Watcher, World, commands, millis, policy};

/// The most system calls in a minute, whatever goes wrong. The busiest cases stay below half of it; an
/// application that polls every 100 ms would need 1,200 for its timer alone.
pub const MOST_CALLS: u64 = 300;
/// The most while the kernel has no room for a request: it is asked again four times a second.
pub const MOST_CALLS_WITHOUT_ROOM: u64 = 2_000;

/// How often the application publishes while all is well.
const INTERVAL: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_mins(1);

type Action = Box<dyn FnOnce(&World)>;

/// One fault in one state.
pub struct Case {
    fault: String,
    state: &'static str,
    device: Box<dyn FnOnce(Builder) -> Builder>,
    broker: Box<dyn FnOnce(ModelBrokerBuilder) -> ModelBrokerBuilder>,
    subscriptions: &'static [Subscription<'static>],
    begins: Duration,
    begin: Action,
    ends: Duration,
    end: Action,
    stops: Option<Duration>,
    most_calls: u64,
    /// Whether the session has to be told the time by a timer, which a main loop does not do.
    needs_timer: bool,
    checks: Vec<Action>,
}

/// What became of it.
pub struct Line {
    pub fault: String,
    pub state: &'static str,
    /// How long after the end of the fault a publish succeeded.
    pub recovered: Duration,
    /// System calls in the busiest minute.
    pub calls: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, state, recovered, calls } = self;
        let recovered = recovered.as_secs_f32();
        write!(f, "{fault} x {state} -> recovered after {recovered:.1} s, {calls} calls a minute at most")
    }
}

impl Case {
    /// A fault, which without more is none.
    pub fn new(fault: impl Into<String>, state: &'static str) -> Self {
        Self {
            fault: fault.into(),
            state,
            device: Box::new(|device| device),
            broker: Box::new(|broker| broker),
            subscriptions: world::subscriptions(),
            begins: Duration::ZERO,
            begin: Box::new(|_| ()),
            ends: Duration::ZERO,
            end: Box::new(|_| ()),
            stops: None,
            most_calls: MOST_CALLS,
            needs_timer: false,
            checks: Vec::new(),
        }
    }

    /// On another device.
    pub fn device(mut self, device: impl FnOnce(Builder) -> Builder + 'static) -> Self {
        self.device = Box::new(device);
        self
    }

    /// With another broker.
    pub fn broker(mut self, broker: impl FnOnce(ModelBrokerBuilder) -> ModelBrokerBuilder + 'static) -> Self {
        self.broker = Box::new(broker);
        self
    }

    /// With other subscriptions than the guide's.
    pub fn subscriptions(mut self, subscriptions: &'static [Subscription<'static>]) -> Self {
        self.subscriptions = subscriptions;
        self
    }

    /// The fault strikes so many seconds after the start, and is over at once.
    pub fn strikes(mut self, at: u64, action: impl FnOnce(&World) + 'static) -> Self {
        (self.begins, self.begin) = (Duration::from_secs(at), Box::new(action));
        self.ends = self.begins.max(self.ends);
        self
    }

    /// The fault lasts until so many seconds after the start.
    pub fn until(mut self, at: u64, action: impl FnOnce(&World) + 'static) -> Self {
        (self.ends, self.end) = (Duration::from_secs(at), Box::new(action));
        self
    }

    /// The application disconnects so many seconds after the start, and runs the session again.
    pub fn stops(mut self, at: u64) -> Self {
        self.stops = Some(Duration::from_secs(at));
        self
    }

    /// Traffic is part of the fault, so it has another bound.
    pub fn most_calls(mut self, calls: u64) -> Self {
        self.most_calls = calls;
        self
    }

    /// The clock stands still, so that a timer has to say that time is over.
    pub fn needs_timer(mut self) -> Self {
        self.needs_timer = true;
        self
    }

    /// Looks at the world afterwards.
    pub fn check(mut self, check: impl FnOnce(&World) + 'static) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// The session says that the fault is permanent, and waits for the longest back-off each time.
    pub fn passes_for_permanent(self) -> Self {
        let (begins, ends) = (self.begins, self.ends);
        self.check(move |world| {
            let waits = back_offs(world, begins, ends);
            assert!(!waits.is_empty(), "it never backed off");
            let longest = policy().longest_back_off();
            for (at, until, cause) in waits {
                assert!(cause.is_permanent(), "{cause:?}");
                let wait = until - at;
                assert!((longest / 2..=longest + Duration::from_millis(1)).contains(&wait), "{wait:?}");
            }
        })
    }

    /// The session does not take the fault for a permanent one.
    pub fn passes_for_transient(self) -> Self {
        let (begins, ends) = (self.begins, self.ends);
        self.check(move |world| {
            let waits = back_offs(world, begins, ends.max(begins + MINUTE));
            assert!(!waits.is_empty(), "it never backed off");
            assert!(waits.iter().all(|(.., cause)| !cause.is_permanent()), "{waits:?}");
        })
    }

    /// No connection is tried while it lasts.
    pub fn never_connects(self) -> Self {
        let (begins, ends) = (self.begins, self.ends);
        self.check(move |world| {
            let attempts = world.broker.connect_attempts();
            let during = attempts.iter().filter(|attempt| (begins..ends).contains(&attempt.at));
            assert_eq!(during.count(), 0, "{attempts:?}");
        })
    }

    /// The observer is told this, at least once.
    pub fn tells(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.check(move |world| {
            let events = world.seen.events.borrow();
            assert!(events.iter().any(|event| event.contains(&text)), "`{text}` is none of {events:#?}");
        })
    }
}

/// When the session backed off between two times, until when, and why.
pub fn back_offs(world: &World, from: Duration, to: Duration) -> Vec<(Duration, Duration, Cause)> {
    let states = world.seen.states.borrow();
    let within = states.iter().filter(|(at, _)| (from..=to).contains(at));
    within
        .filter_map(|(at, state)| match *state {
            State::BackingOff { until_micros, cause } => {
                Some((*at, Duration::from_micros(until_micros), cause))
            }
            _ => None,
        })
        .collect()
}

/// A state that a fault can strike in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    Waiting,
    Fetching,
    Connecting,
    Subscribing,
    Online,
    Disconnecting,
    BackingOff,
}

impl Moment {
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Fetching,
        Self::Connecting,
        Self::Subscribing,
        Self::Online,
        Self::Disconnecting,
        Self::BackingOff,
    ];

    /// Those in which a channel is open.
    pub const WITH_CHANNEL: [Self; 5] =
        [Self::Fetching, Self::Connecting, Self::Subscribing, Self::Online, Self::Disconnecting];

    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting for the network",
            Self::Fetching => "fetching settings",
            Self::Connecting => "connecting",
            Self::Subscribing => "subscribing",
            Self::Online => "online",
            Self::Disconnecting => "disconnecting",
            Self::BackingOff => "backing off",
        }
    }

    /// A case in which `action` strikes in this state, in the first seconds where that is possible, and
    /// half a minute later otherwise. Checks that it did.
    pub fn case(self, fault: impl Into<String>, action: impl Fn(&Device) + 'static) -> Case {
        let struck = Rc::new(Cell::new(false));
        let strike: Rc<dyn Fn(&Device)> = {
            let struck = struck.clone();
            Rc::new(move |device| {
                struck.set(true);
                action(device);
            })
        };
        let case = Case::new(fault, self.name());
        let case = match self {
            Self::Waiting => case.strikes(0, move |world| {
                world.device.at(Duration::from_millis(100), move |device| strike(device));
            }),
            Self::Fetching => case.strikes(0, after("mvSendConfigFetchRequest", strike)),
            Self::Connecting => case.strikes(0, after("mvMqttRequestConnect", strike)),
            Self::Subscribing => case.strikes(0, after("mvMqttRequestSubscribe", strike)),
            Self::Online => case.strikes(30, move |world| strike(&world.device)),
            Self::Disconnecting => case.strikes(30, after("mvMqttRequestDisconnect", strike)).stops(30),
            Self::BackingOff => case.strikes(30, move |world| {
                world.broker.drop_connection();
                // The shortest back-off is a second.
                world.device.at(world.now() + Duration::from_millis(500), move |device| strike(device));
            }),
        };
        case.check(move |_| assert!(struck.get(), "the fault did not strike"))
    }
}

/// Strikes right after the next call of that name.
fn after(call: &'static str, strike: Rc<dyn Fn(&Device)>) -> impl FnOnce(&World) {
    move |world| {
        world.device.inject(Fault::call(call).after_effect().run(move |device| strike(device)));
    }
}

/// Loses the network.
pub fn lose(status: NetworkStatus) -> impl Fn(&Device) {
    move |device| device.set_network(status)
}

/// Brings the network back.
pub fn restore(world: &World) {
    world.device.set_network(NetworkStatus::Connected);
}

/// Runs all cases with an application of futures, and says which failed; what was wrong is printed above.
pub fn survive_all_in_futures(cases: impl IntoIterator<Item = Case>) -> Vec<Line> {
    survive_all_by(survive, cases)
}

/// The same with a program that has a main loop instead.
pub fn survive_all_in_a_main_loop(cases: impl IntoIterator<Item = Case>) -> Vec<Line> {
    survive_all_by(survive_in_a_main_loop, cases.into_iter().filter(|case| !case.needs_timer))
}

/// Prints what became of all cases, each of which has a name of its own.
pub fn print_table(lines: &[Line]) {
    let mut names: Vec<_> = lines.iter().map(|line| (&line.fault, line.state)).collect();
    for line in lines {
        println!("{line}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), lines.len(), "each case has a name of its own");
}

fn survive_all_by(survive: fn(Case) -> Line, cases: impl IntoIterator<Item = Case>) -> Vec<Line> {
    let mut failed = Vec::new();
    let mut lines = Vec::new();
    for case in cases {
        let name = format!("{} x {}", case.fault, case.state);
        match catch_unwind(AssertUnwindSafe(|| survive(case))) {
            Ok(line) => lines.push(line),
            Err(_) => failed.push(name),
        }
    }
    assert!(failed.is_empty(), "not survived:\n  {}", failed.join("\n  "));
    lines
}

/// What has to be enough to recover: the longest back-off, and one answer.
fn enough() -> Duration {
    policy().longest_back_off() + policy().answer_timeout()
}

/// Runs a case, checks what holds for every case, and says what became of it.
fn survive(mut case: Case) -> Line {
    let world = case.world();
    let session = world.builder().subscriptions(case.subscriptions).build().expect("a session");
    let most = Cell::new(0);
    let script = join3(
        async {
            sleep_until(&world, case.begins).await;
            (mem::replace(&mut case.begin, Box::new(|_| ())))(&world);
            sleep_until(&world, case.ends).await;
            (mem::replace(&mut case.end, Box::new(|_| ())))(&world);
            sleep_until(&world, case.ends + enough() + 3 * INTERVAL).await;
        },
        async {
            sleep_until(&world, case.begins).await;
            loop {
                let before = world.device.calls();
                world.device.delay().delay_ms(millis(MINUTE)).await;
                most.set(most.get().max(world.device.calls() - before));
                if world.now() >= case.ends {
                    break;
                }
            }
        },
        async {
            if let Some(at) = case.stops {
                sleep_until(&world, at).await;
                session.stop();
            }
        },
    );
    let device = async {
        loop {
            session.run(world.device.delay()).await;
        }
    };
    // A session that never sleeps is told here, since no time passes for it.
    let polls = Cell::new(0);
    let awake = poll_fn(|_| {
        polls.set(polls.get() + 1);
        assert!(polls.get() < 100_000, "it does not sleep");
        Poll::<()>::Pending
    });
    let application = join(telemetry(&session, &world), commands(&session, &world.seen));
    // The script first, so that what strikes at the start finds a session that has not run yet.
    world.device.block_on(select3(awake, script, select(device, application)));
    let state = session.state();
    drop(session);
    case.judge(&world, state, most.get())
}

/// The same, with a program in a main loop, which sleeps as long as the session says. It disconnects and
/// connects again where the other runs the session again.
fn survive_in_a_main_loop(mut case: Case) -> Line {
    let world = case.world();
    let session = world.builder().subscriptions(case.subscriptions).build().expect("a session");
    let mut program = MainLoop::new(&world.device, session);
    let mut telemetry = Telemetry::default();
    let end = case.ends + enough() + 3 * INTERVAL;
    let (mut begun, mut ended, mut stopped) = (false, false, false);
    // Of each minute in which it is looked at.
    let (mut most, mut minute, mut calls, mut sleeps) = (0, case.begins, 0, 0);
    loop {
        let now = world.now();
        if !begun && now >= case.begins {
            begun = true;
            calls = world.device.calls();
            (mem::replace(&mut case.begin, Box::new(|_| ())))(&world);
        }
        if !ended && now >= case.ends {
            ended = true;
            (mem::replace(&mut case.end, Box::new(|_| ())))(&world);
        }
        if !stopped && case.stops.is_some_and(|at| now >= at) {
            stopped = true;
            program.session.stop();
        }
        if now >= minute + MINUTE {
            if minute <= case.ends {
                most = most.max(world.device.calls() - calls);
            }
            (minute, calls, sleeps) = (minute + MINUTE, world.device.calls(), program.sleeps);
        }
        if now >= end {
            break;
        }
        program.turn();
        if program.session.state() == State::Stopped {
            program.session.start();
        }
        let due = telemetry.step(&world, &mut program);
        let slept = program.sleeps - sleeps;
        assert!(slept < case.most_calls, "it does not sleep: {:#?}", world.seen.states.borrow());
        let marks = [(begun, case.begins), (ended, case.ends), (stopped, case.stops.unwrap_or(end))];
        let mark = marks.iter().filter(|(is_over, _)| !is_over).map(|(_, at)| *at).min();
        program.sleep(due.min(mark.unwrap_or(end)).min(end).min(minute + MINUTE));
    }
    let state = program.session.state();
    drop(program);
    case.judge(&world, state, most)
}

impl Case {
    fn world(&mut self) -> World {
        let device = mem::replace(&mut self.device, Box::new(|device| device));
        World::with(device, mem::replace(&mut self.broker, Box::new(|broker| broker)))
    }

    /// Looks at what became of it, once the session is gone.
    fn judge(self, world: &World, state: State, calls: u64) -> Line {
        let name = format!("{} x {}", self.fault, self.state);
        let back = world.seen.first_success_after(self.ends);
        let states = || world.seen.states.borrow().clone();
        let back = back.unwrap_or_else(|| panic!("{name}: it never published again: {:#?}", states()));
        let recovered = back - self.ends;
        assert!(recovered <= enough(), "{name}: recovered after {recovered:?}: {:#?}", states());
        assert_eq!(state, State::Online, "{name}: {:#?}", states());
        assert!(calls <= self.most_calls, "{name}: {calls} system calls in a minute: {:#?}", states());
        for check in self.checks {
            check(world);
        }
        assert!(world.memory.take().is_some(), "{name}: the memory is not back");
        Line { fault: self.fault, state: self.state, recovered, calls }
    }
}

/// The application of a main loop: publishes at intervals, and as soon as possible after a failure.
#[derive(Default)]
struct Telemetry {
    number: u32,
    waits: bool,
    due: Duration,
    /// How much of the news is known.
    known: usize,
}

impl Telemetry {
    /// When it has something to do by itself.
    fn step<const N: usize>(
        &mut self,
        world: &World,
        program: &mut MainLoop<'_, StoredProfile, Watcher, N>,
    ) -> Duration {
        for (at, news) in &program.news[self.known..] {
            match news {
                News::Published(_, verdict) => {
                    self.waits = false;
                    self.due = *at + if verdict.is_ok() { INTERVAL } else { Duration::from_secs(1) };
                    world.seen.published.borrow_mut().push((*at, verdict.map(Some)));
                }
                News::Message(payload, acknowledged) => {
                    world.seen.received.borrow_mut().push((*at, payload.clone(), *acknowledged));
                }
                News::NotReceived(error) => world.seen.not_received.borrow_mut().push(error.clone()),
            }
        }
        self.known = program.news.len();
        if self.waits || world.now() < self.due {
            return if self.waits { Duration::MAX } else { self.due };
        }
        self.number += 1;
        let payload = self.number.to_string();
        let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(QoS::AtLeastOnce);
        match program.session.publish_now(&reading) {
            Ok(_) => self.waits = true,
            // The session says when.
            Err(PublishError::NoRoom | PublishError::Offline) => {}
            Err(error) => {
                world.seen.published.borrow_mut().push((world.now(), Err(error)));
                self.due = world.now() + Duration::from_secs(1);
                return self.due;
            }
        }
        Duration::MAX
    }
}

async fn sleep_until(world: &World, at: Duration) {
    let left = at.saturating_sub(world.now());
    world.device.delay().delay_ms(millis(left)).await;
    world.device.delay().delay_us(left.subsec_micros() % 1_000).await;
}

/// Publishes at intervals, and as soon as possible after a failure.
async fn telemetry<P: BrokerProfile, O: Observer, const N: usize>(
    session: &Session<'_, P, O, N>,
    world: &World,
) {
    let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
    let mut number = 0;
    loop {
        number += 1;
        let payload = number.to_string();
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(QoS::AtLeastOnce);
        let outcome = session.publish(&reading, WhenOffline::Wait(MINUTE)).await;
        let pause = if outcome.is_ok() { INTERVAL } else { Duration::from_secs(1) };
        world.seen.published.borrow_mut().push((world.now(), outcome));
        world.device.delay().delay_ms(millis(pause)).await;
    }
}

/// Cases that are tests of their own and lines of the table.
#[macro_export]
macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident => $cases:expr;)+) => {
        $($(#[$doc])* #[test]
        fn $name() {
            $crate::survive_all($cases);
        })+

        /// All of them.
        pub fn all() -> Vec<$crate::survival::Case> {
            let mut all = Vec::new();
            $(all.extend($cases);)+
            all
        }
    };
}
