//! Futures of a session that are dropped at every point at which they can be, and wakers that change.
//!
//! Every task has its own waker here and is polled only when that was used, but for the restless ones,
//! which are polled after every event, as in a `select` with much else. Each scenario runs over and over
//! on a new device: one of its futures is dropped after its first poll, its second and so on, until it
//! comes to its end by itself. Whatever was dropped, everything has to work afterwards.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod stored;
mod tasks;
mod wakes;
mod world;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use embedded_hal_async::delay::DelayNs;
use microvisor::DeviceId;
use microvisor::aws::{StoredProfile, Topics};
use microvisor::mqtt::{Inbox, Publish, QoS, ReasonCode};
use microvisor::session::{PublishError, Session, State, WhenOffline};
use microvisor_sim::broker::model::{ModelBroker, ModelBrokerBuilder};
use microvisor_sim::{Device, Fault, NetworkPlan, NetworkStatus};
use tasks::{TaskId, Tasks};
use wakes::Wakes;
use world::{ID, Watcher, World, policy, subscriptions};

type Subject = Session<'static, StoredProfile, Watcher>;
/// What publishing comes to.
type Verdict = Result<Option<ReasonCode>, PublishError>;
type Doing<'s> = Pin<Box<dyn Future<Output = ()> + 's>>;

/// What the application's tasks were told.
#[derive(Default)]
struct Log {
    /// Payloads, and how it came out, where it did.
    published: RefCell<Vec<(String, Verdict)>>,
    received: RefCell<Vec<String>>,
}

/// What a task works with.
#[derive(Clone, Copy)]
struct Hand<'s> {
    session: &'s Subject,
    world: &'s World,
    log: &'s Log,
}

impl Hand<'_> {
    async fn run(self) {
        self.session.run(self.world.device.delay()).await;
    }

    async fn publish(self, payload: String, qos: QoS) {
        let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(qos);
        let verdict = self.session.publish(&reading, WhenOffline::Wait(Duration::from_secs(90))).await;
        self.log.published.borrow_mut().push((payload, verdict));
    }

    /// Receives `count` messages and acknowledges them.
    async fn receive(self, count: usize) {
        let (mut topic, mut payload) = ([0; 256], [0; 512]);
        for _ in 0..count {
            let mut inbox = Inbox::new(&mut topic, &mut payload);
            let message = self.session.receive(&mut inbox).await.expect("a message");
            let text = String::from_utf8(message.payload().to_vec()).expect("text");
            self.log.received.borrow_mut().push(text);
            message.acknowledge();
        }
    }

    fn is_published(self, payload: &str) -> bool {
        let published = self.log.published.borrow();
        published.iter().any(|(known, verdict)| known == payload && verdict.is_ok())
    }
}

/// What goes on while a future is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// Nothing but what the scenario does.
    Nothing,
    /// Somebody runs the session.
    Run,
    /// Somebody runs it, and somebody receives.
    RunAndReceive,
    /// Somebody publishes, and somebody receives.
    PublishAndReceive,
}

struct Scene {
    name: &'static str,
    /// There have to be so many places, lest a change make the test empty.
    least: usize,
    beside: Beside,
    /// Whether it is online before.
    online: bool,
    /// When it ends, since boot, at the latest.
    end: Duration,
    future: fn(Hand<'_>) -> Doing<'_>,
}

fn new_world() -> World {
    let plan = NetworkPlan::connected_after(Duration::from_millis(300))
        .then(Duration::from_millis(100), NetworkStatus::DisconnectedWithLinkUp);
    World::with(|device| device.network(plan), |broker| broker)
}

/// Messages that come once it is online.
const COMMANDS: [(u64, u8); 7] = [(750, 1), (755, 0), (790, 1), (810, 1), (810, 0), (900, 1), (1_000, 1)];

fn drop_everywhere(scene: &Scene) {
    let mut dropped = 0;
    for restless in [false, true] {
        for polls in 0.. {
            if !drop_after(scene, polls, restless) {
                break;
            }
            dropped += 1;
        }
    }
    println!("{}: dropped at {dropped} places", scene.name);
    assert!(dropped >= scene.least, "{}: dropped at {dropped} places only", scene.name);
}

/// `false` if it came to its end before.
fn drop_after(scene: &Scene, polls: usize, restless: bool) -> bool {
    let world = new_world();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    let log = Log::default();
    let hand = Hand { session: &session, world: &world, log: &log };
    let mut tasks = Tasks::new(&world.device, polls as u64);
    let beside = scene.beside;
    let mut run = (beside == Beside::Run || beside == Beside::RunAndReceive).then(|| tasks.spawn(hand.run()));
    if scene.online {
        let run = run.unwrap_or_else(|| tasks.spawn(hand.run()));
        tasks.run_for(&world.device, Duration::from_millis(700));
        assert_eq!(session.state(), State::Online);
        if beside == Beside::Nothing || beside == Beside::PublishAndReceive {
            tasks.cancel(run);
        }
    }
    let sent = send_commands(&world);
    let receive = (beside == Beside::RunAndReceive || beside == Beside::PublishAndReceive)
        .then(|| tasks.spawn(hand.receive(usize::MAX)));
    if beside == Beside::PublishAndReceive {
        tasks.spawn(async move {
            for number in 0..5 {
                hand.publish(format!("beside {number}"), QoS::AtLeastOnce).await;
            }
        });
    }
    let future = tasks.spawn((scene.future)(hand));
    let is_dropped = tasks.run_until_polled(&world.device, future, polls, scene.end, restless);
    tasks.cancel(future);
    if run.is_none_or(|run| tasks.is_done(run)) {
        run = Some(tasks.spawn(hand.run()));
    }
    if receive.is_none() {
        tasks.spawn(hand.receive(usize::MAX));
    }
    works(hand, &mut tasks, run.expect("it runs"), &sent);
    drop(tasks);
    drop(session);
    assert!(world.memory.take().is_some(), "the memory is back");
    is_dropped
}

fn send_commands(world: &World) -> BTreeMap<String, u8> {
    let mut sent = BTreeMap::new();
    for (number, (millis, qos)) in COMMANDS.into_iter().enumerate() {
        let payload = format!("command {number}");
        let at = Duration::from_millis(millis);
        world.broker.publish_at(at, format!("command/device/{ID}"), payload.as_str(), qos);
        sent.insert(payload, qos);
    }
    sent
}

/// A future was dropped: whatever it was, everything works.
fn works<'s>(hand: Hand<'s>, tasks: &mut Tasks<'s>, mut run: TaskId, sent: &BTreeMap<String, u8>) {
    let device = &hand.world.device;
    // It may have been asked to stop.
    tasks.run_for(device, Duration::from_secs(2));
    if tasks.is_done(run) {
        run = tasks.spawn(hand.run());
    }
    // As many at once as there are slots.
    for number in 0..4 {
        tasks.spawn(hand.publish(format!("after {number}"), QoS::AtLeastOnce));
    }
    tasks.run_for(device, Duration::from_secs(3));
    assert_eq!(hand.session.state(), State::Online);
    for number in 0..4 {
        let published = hand.log.published.borrow();
        assert!(hand.is_published(&format!("after {number}")), "{published:?}");
    }
    tasks.run_for(device, Duration::from_secs(15));
    let received = hand.world.broker.received();
    for (payload, verdict) in hand.log.published.borrow().iter() {
        let count = received.iter().filter(|message| message.payload == payload.as_bytes()).count();
        assert_eq!(count, usize::from(verdict.is_ok()), "{payload}: {verdict:?}");
    }
    check_commands(hand, sent);
    let disconnect = tasks.spawn(async move { hand.session.disconnect().await });
    tasks.run_for(device, Duration::from_secs(1));
    assert!(tasks.is_done(disconnect) && tasks.is_done(run));
    assert_eq!(hand.session.state(), State::Stopped);
    assert_eq!(hand.world.broker.complaints(), Vec::<String>::new());
    assert_eq!(device.misuse(), []);
}

/// No message is lost, and each is acknowledged once.
fn check_commands(hand: Hand<'_>, sent: &BTreeMap<String, u8>) {
    let Hand { world, log, .. } = hand;
    let connections = world.broker.connect_attempts().len();
    for (payload, qos) in sent {
        let count = log.received.borrow().iter().filter(|received| *received == payload).count();
        // One of QoS 0 may have been sent while it was not connected.
        let is_right = if *qos == 0 { count <= 1 } else { count == 1 };
        assert!(is_right || connections > 1, "{payload} was received {count} times");
        assert!(*qos == 0 || count >= 1, "{payload} was lost");
    }
    assert!(world.broker.all_acknowledged());
    for message in world.broker.acknowledged() {
        let same = message.acknowledgements == 1 && message.deliveries == 1;
        assert!(same || connections > 1, "{message:?}");
    }
}

#[test]
fn running() {
    drop_everywhere(&Scene {
        name: "run",
        least: 55,
        beside: Beside::PublishAndReceive,
        online: false,
        end: Duration::from_secs(2),
        future: |hand| Box::pin(hand.run()),
    });
}

#[test]
fn running_alone() {
    drop_everywhere(&Scene {
        name: "run alone",
        least: 30,
        beside: Beside::Nothing,
        online: false,
        end: Duration::from_secs(2),
        future: |hand| Box::pin(hand.run()),
    });
}

#[test]
fn publishing_before_it_is_online() {
    drop_everywhere(&Scene {
        name: "publish, offline",
        least: 12,
        beside: Beside::RunAndReceive,
        online: false,
        end: Duration::from_secs(5),
        future: |hand| Box::pin(hand.publish("dropped".to_owned(), QoS::AtLeastOnce)),
    });
}

#[test]
fn publishing() {
    drop_everywhere(&Scene {
        name: "publish",
        least: 25,
        beside: Beside::RunAndReceive,
        online: true,
        end: Duration::from_secs(5),
        future: |hand| {
            Box::pin(async move {
                for number in 0..3 {
                    hand.publish(format!("dropped {number}"), QoS::AtLeastOnce).await;
                }
            })
        },
    });
}

#[test]
fn receiving() {
    drop_everywhere(&Scene {
        name: "receive",
        least: 20,
        beside: Beside::Run,
        online: true,
        end: Duration::from_secs(5),
        future: |hand| Box::pin(hand.receive(7)),
    });
}

#[test]
fn receiving_before_it_is_online() {
    drop_everywhere(&Scene {
        name: "receive, offline",
        least: 20,
        beside: Beside::Run,
        online: false,
        end: Duration::from_secs(5),
        future: |hand| Box::pin(hand.receive(5)),
    });
}

#[test]
fn waiting_until_it_is_online() {
    drop_everywhere(&Scene {
        name: "online",
        least: 5,
        beside: Beside::RunAndReceive,
        online: false,
        end: Duration::from_secs(5),
        future: |hand| Box::pin(hand.session.online()),
    });
}

#[test]
fn waiting_for_another_state() {
    drop_everywhere(&Scene {
        name: "changed_from",
        least: 10,
        beside: Beside::RunAndReceive,
        online: false,
        end: Duration::from_secs(5),
        future: |hand| {
            Box::pin(async move {
                let mut state = State::Stopped;
                while state != State::Online {
                    state = hand.session.changed_from(state).await;
                }
            })
        },
    });
}

#[test]
fn disconnecting() {
    drop_everywhere(&Scene {
        name: "disconnect",
        least: 5,
        beside: Beside::RunAndReceive,
        online: true,
        end: Duration::from_secs(5),
        future: |hand| Box::pin(hand.session.disconnect()),
    });
}

#[test]
fn disconnecting_before_it_is_online() {
    drop_everywhere(&Scene {
        name: "disconnect, offline",
        least: 2,
        beside: Beside::Run,
        online: false,
        end: Duration::from_secs(5),
        future: |hand| Box::pin(hand.session.disconnect()),
    });
}

#[test]
fn everything_in_one_task() {
    drop_everywhere(&Scene {
        name: "everything",
        least: 60,
        beside: Beside::Nothing,
        online: false,
        end: Duration::from_secs(5),
        future: |hand| {
            Box::pin(async move {
                let publish = async {
                    hand.session.online().await;
                    for number in 0..3 {
                        hand.publish(format!("dropped {number}"), QoS::AtLeastOnce).await;
                    }
                    hand.session.disconnect().await;
                };
                let receive = hand.receive(usize::MAX);
                let working = embassy_futures::select::select(publish, receive);
                embassy_futures::join::join(hand.run(), working).await;
            })
        },
    });
}

/// A session that is online, with somebody who runs it.
fn online<'s>(hand: Hand<'s>, tasks: &mut Tasks<'s>) -> TaskId {
    let run = tasks.spawn(hand.run());
    tasks.run_for(&hand.world.device, Duration::from_millis(700));
    assert_eq!(hand.session.state(), State::Online);
    run
}

/// A device, a session and what tasks work with.
macro_rules! scene {
    ($world:ident, $hand:ident) => {
        scene!($world, $hand, new_world());
    };
    ($world:ident, $hand:ident, $tasks:ident) => {
        scene!($world, $hand, new_world());
        let mut $tasks = Tasks::new(&$world.device, 7);
    };
    ($world:ident, $hand:ident, $new:expr) => {
        let $world = $new;
        let session = $world.builder().subscriptions(subscriptions()).build().expect("a session");
        let log = Log::default();
        let $hand = Hand { session: &session, world: &$world, log: &log };
    };
}

#[test]
fn a_hundred_dropped_messages_leave_room_for_more() {
    scene!(world, hand, tasks);
    online(hand, &mut tasks);
    tasks.spawn(hand.receive(usize::MAX));
    for number in 0..100 {
        let publish = tasks.spawn(hand.publish(format!("dropped {number}"), QoS::AtLeastOnce));
        let end = world.now() + Duration::from_secs(1);
        tasks.run_until_polled(&world.device, publish, number % 3, end, number % 2 == 0);
        tasks.cancel(publish);
    }
    for number in 0..4 {
        tasks.spawn(hand.publish(number.to_string(), QoS::AtLeastOnce));
    }
    tasks.run_for(&world.device, Duration::from_secs(5));
    for number in 0..4 {
        assert!(hand.is_published(&number.to_string()));
    }
}

#[test]
fn the_late_answer_to_a_dropped_message_is_nobody_elses() {
    scene!(world, hand, tasks);
    online(hand, &mut tasks);
    world.broker.delay_responses(Duration::from_secs(3));
    world.broker.answer_publish(0x87);
    let dropped = tasks.spawn(hand.publish("dropped".to_owned(), QoS::AtLeastOnce));
    tasks.run_for(&world.device, Duration::from_millis(500));
    tasks.cancel(dropped);
    for number in 0..4 {
        tasks.spawn(hand.publish(number.to_string(), QoS::AtLeastOnce));
    }
    tasks.run_for(&world.device, Duration::from_secs(8));
    for number in 0..4 {
        assert!(hand.is_published(&number.to_string()), "{:?}", hand.log.published.borrow());
    }
    assert_eq!(world.broker.connect_attempts().len(), 1);
}

/// Polls `future` with one waker, then with another, and lets `cause` happen: the last is woken.
fn wakes_the_last(device: &Device, future: impl Future, cause: impl FnOnce()) {
    let (first, last) = (Wakes::default(), Wakes::default());
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(&first.waker())).is_pending());
    assert!(future.as_mut().poll(&mut Context::from_waker(&last.waker())).is_pending());
    let (before, before_last) = (first.count(), last.count());
    cause();
    for _ in 0..1_000 {
        if last.count() > before_last {
            break;
        }
        assert!(device.step(), "nothing happens any more\n{}", device.trace().join("\n"));
    }
    assert!(last.count() > before_last, "the last waker is not woken");
    // Those who watch share some room, so there a waker of a future that moved may be used once more.
    assert!(first.count() <= before + 1);
}

#[test]
fn a_future_that_moves_between_tasks_is_woken_where_it_is() {
    scene!(world, hand);
    let device = &world.device;
    let receive = hand.receive(1);
    let mut run = pin!(hand.run());
    let wakes = Wakes::default();
    wakes_the_last(device, &mut run, || ());
    let mut is_done = false;
    let mut drive = || {
        is_done = is_done || run.as_mut().poll(&mut Context::from_waker(&wakes.waker())).is_ready();
        is_done
    };
    // Running it brings it online.
    for _ in 0..1_000 {
        if hand.session.state() == State::Online {
            break;
        }
        device.step();
        assert!(!drive());
    }
    let mut go_on = || {
        for _ in 0..100 {
            device.step();
            drive();
        }
    };
    let publish = hand.publish("moved".to_owned(), QoS::AtLeastOnce);
    wakes_the_last(device, publish, &mut go_on);
    wakes_the_last(device, receive, || {
        world.broker.publish(format!("command/device/{ID}"), "moved", 1);
        go_on();
    });
    wakes_the_last(device, hand.session.changed_from(State::Online), || {
        world.broker.drop_connection();
        go_on();
    });
    wakes_the_last(device, hand.session.disconnect(), &mut go_on);
    assert_eq!(hand.session.state(), State::Stopped);
}

#[test]
fn what_comes_within_any_call_wakes_whoever_has_to_know() {
    let mut calls = 0;
    for index in 0.. {
        if !comes_online_after(index, |device| {
            device.close_channels(microvisor::sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
        }) || !comes_online_after(index, |device| device.set_network(NetworkStatus::Connecting))
        {
            break;
        }
        calls = index;
    }
    println!("{calls} calls");
    assert!(calls >= 60);
}

/// Something happens within call number `index`. `false` if there is none.
fn comes_online_after(index: u64, action: fn(&Device)) -> bool {
    scene!(world, hand, tasks);
    let struck = std::rc::Rc::new(std::cell::Cell::new(None));
    let seen = struck.clone();
    world.device.inject(
        Fault::call_index(world.device.calls() + index)
            .run(move |device| {
                action(device);
                seen.set(Some(device.now()));
                let soon = device.now() + Duration::from_millis(200);
                device.at(soon, |device| device.set_network(NetworkStatus::Connected));
            })
            .after_effect(),
    );
    tasks.spawn(hand.run());
    tasks.spawn(hand.receive(usize::MAX));
    tasks.spawn(async move {
        for number in 0.. {
            hand.publish(number.to_string(), QoS::AtLeastOnce).await;
            hand.world.device.delay().delay_ms(100).await;
        }
    });
    tasks.run_for(&world.device, Duration::from_millis(1_500));
    let Some(at) = struck.get() else { return false };
    // Well before it would look without having been woken.
    let soon = policy().answer_timeout().saturating_sub(Duration::from_secs(3));
    while world.now() < at + soon && hand.session.state() != State::Online {
        tasks.run_for(&world.device, Duration::from_millis(100));
    }
    world.broker.publish(format!("command/device/{ID}"), "stop", 1);
    tasks.run_for(&world.device, Duration::from_secs(1));
    let (state, received) = (hand.session.state(), hand.log.received.borrow());
    let shown = || world.device.trace().join("\n");
    assert_eq!(state, State::Online, "after call {index}\n{}", shown());
    assert!(received.contains(&"stop".to_owned()), "after call {index}\n{}", shown());
    true
}

#[test]
fn a_message_that_comes_within_any_call_wakes_whoever_receives() {
    for index in 0.. {
        let at_once = |broker: ModelBrokerBuilder| broker.latency(Duration::ZERO, Duration::ZERO);
        scene!(world, hand, { World::with(|device| device, at_once) });
        let mut tasks = Tasks::new(&world.device, index);
        let struck = std::rc::Rc::new(std::cell::Cell::new(None));
        let (seen, broker) = (struck.clone(), world.broker.clone());
        tasks.spawn(hand.run());
        tasks.spawn(hand.receive(usize::MAX));
        tasks.run_for(&world.device, Duration::from_secs(1));
        assert_eq!(hand.session.state(), State::Online);
        let publish = tasks.spawn(hand.publish("reading".to_owned(), QoS::AtLeastOnce));
        world.broker.publish(format!("command/device/{ID}"), "go", 1);
        let call = Fault::call_index(world.device.calls() + index);
        world.device.inject(call.run(move |_| {
            broker.publish(format!("command/device/{ID}"), "stop", 1);
            seen.set(Some(()));
        }));
        tasks.run_for(&world.device, Duration::from_secs(1));
        if struck.take().is_none() {
            assert!(index >= 5, "{index} calls only");
            break;
        }
        assert_eq!(
            *hand.log.received.borrow(),
            ["go", "stop"],
            "in call {index}\n{}",
            world.device.trace().join("\n")
        );
        assert!(tasks.is_done(publish), "in call {index}");
    }
}

#[test]
fn tasks_that_are_polled_only_when_woken_never_stall() {
    for seed in 0..2 {
        hours_with_mishaps(seed);
    }
}

/// Hours in which something goes wrong every few minutes.
fn hours_with_mishaps(seed: u64) {
    let watched = RefCell::new((State::Stopped, 0));
    scene!(world, hand, tasks);
    tasks.spawn(hand.run());
    tasks.spawn(hand.receive(usize::MAX));
    tasks.spawn(async {
        loop {
            let before = watched.borrow().0;
            let now = hand.session.changed_from(before).await;
            let mut watched = watched.borrow_mut();
            *watched = (now, watched.1 + 1);
        }
    });
    for publisher in 0..2 {
        tasks.spawn(async move {
            for number in 0.. {
                hand.publish(format!("{publisher}: {number}"), QoS::AtLeastOnce).await;
                hand.world.device.delay().delay_ms(10_000).await;
            }
        });
    }
    let mut random = seed;
    let (mut taken, mut sent) = (0, 0);
    // Subscribed once, it misses nothing any more.
    tasks.run_for(&world.device, Duration::from_secs(5));
    for minutes in 0..10 * 60 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if minutes % 7 == 0 {
            mishap(&world, random >> 33);
        }
        for _ in 0..(random >> 60) {
            sent += 1;
            world.broker.publish(format!("command/device/{ID}"), sent.to_string(), 1);
        }
        tasks.run_for(&world.device, Duration::from_mins(1));
        if minutes % 7 == 6 {
            let published = hand.log.published.borrow();
            let now = published.iter().filter(|(_, verdict)| verdict.is_ok()).count();
            assert!(now > taken, "nothing is published at {:?}: {:?}", world.now(), hand.session.state());
            taken = now;
        }
    }
    tasks.run_for(&world.device, Duration::from_mins(3));
    assert_eq!((hand.session.state(), watched.borrow().0), (State::Online, State::Online));
    assert!(watched.borrow().1 > 100, "{}", watched.borrow().1);
    let received: std::collections::BTreeSet<_> = hand.log.received.borrow().iter().cloned().collect();
    assert_eq!(received.len(), sent, "every command is received");
    assert!(world.broker.all_acknowledged());
    println!(
        "{taken} messages taken, {sent} commands, {} calls, {} polls",
        world.device.calls(),
        tasks.polls()
    );
}

fn mishap(world: &World, random: u64) {
    let World { broker, device, .. } = world;
    let soon = |seconds| world.now() + Duration::from_secs(seconds);
    match random % 10 {
        0 => broker.drop_connection(),
        1 => broker.disconnect_client(0x8B),
        2 => broker.take_over(ID),
        3 => {
            device.set_network(NetworkStatus::Connecting);
            device.at(soon(random % 97), |device| device.set_network(NetworkStatus::Connected));
        }
        4 => {
            broker.fall_silent();
            broker.at(soon(random % 41), ModelBroker::end_silence);
        }
        5 => broker.lose_responses(2),
        6 => {
            broker.silent_connect();
            broker.drop_connection();
        }
        7 => device.inject(Fault::call("mvMqttRequestPublish").times(3).status(999)),
        8 => device.inject(Fault::call("mvMqttGetNextReadableDataType").times(6).status(999)),
        _ => device.inject(
            Fault::call("mvMqttAcknowledgeMessage")
                .times(random % 97)
                .status(microvisor::sys::MV_STATUS_RATELIMITED),
        ),
    }
}

#[test]
fn a_poll_that_finds_nothing_says_so() {
    scene!(world, hand, tasks);
    online(hand, &mut tasks);
    let counted = Wakes::default();
    let waker = counted.waker();
    let mut context = Context::from_waker(&waker);
    assert_eq!(hand.session.poll(&mut context), Poll::Pending);
    assert_eq!(counted.count(), 0);
}
