//! The application of the example `aws_iot`, with what a board gives it, through what the field does.

#[path = "../examples/aws_iot/application.rs"]
mod application;
#[path = "../sim/tests/pki/mod.rs"]
mod pki;
#[path = "../examples/aws_iot/tasks.rs"]
mod tasks;

mod stored;
mod world;

use std::cell::RefCell;
use std::time::Duration;

use application::{Command, Log, Machine, Plan, Reading, Summary};
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Topics;
use microvisor::mqtt::ReasonCode;
use microvisor::session::{PublishError, SessionBuilder};
use microvisor::{DeviceId, clock, sys};
use microvisor_provision::PolicyOptions;
use microvisor_sim::broker::model::{self, ModelBroker, Thing};
use microvisor_sim::{Fault, NetworkStatus};
use tasks::Device;
use world::{ID, Provisioned, World, millis};

const MINUTE: Duration = Duration::from_mins(1);
/// A board's.
const PLAN: Plan = Plan { publishes: u32::MAX, interval_ms: 60_000 };

/// What a board writes to its log, and when.
#[derive(Default)]
struct Lines(RefCell<Vec<(Duration, String)>>);

impl Log for &Lines {
    fn line(&self, what: &str, which: &[u8]) {
        let now = clock::uptime().expect("the clock runs");
        self.0.borrow_mut().push((now, format!("{what}{}", String::from_utf8_lossy(which))));
    }

    // As a board's, and which reading it is about, and which topic.

    fn published(&self, _: u32, reading: Reading, _: ReasonCode) {
        self.line("published ", &reading.to_json());
    }

    fn not_published(&self, reading: Reading, error: &PublishError) {
        let why = match error {
            PublishError::Indeterminate(_) => "unknown whether published ",
            PublishError::Refused(_) => "refused ",
            _ => "not published ",
        };
        self.line(why, &reading.to_json());
    }

    fn command(&self, command: Command, topic: &[u8]) {
        let what = match command {
            Command::Stop => "command stop on ",
            Command::Restart => "command restart on ",
            Command::Unknown => "no command that is known, on ",
        };
        self.line(what, topic);
    }
}

impl Lines {
    /// When these words were written for the first time.
    fn at(&self, text: &str) -> Duration {
        let lines = self.0.borrow();
        let found = lines.iter().find(|(_, line)| line == text);
        found.unwrap_or_else(|| panic!("no '{text}' in {lines:#?}")).0
    }

    fn count(&self, text: &str) -> usize {
        self.0.borrow().iter().filter(|(_, line)| line.contains(text)).count()
    }
}

/// What a board gives it.
fn machine<'a>(world: &World, id: &'a DeviceId, log: &'a Lines) -> Machine<'a, &'a Lines> {
    let notifications = world.center.open().expect("a centre");
    let memory = world.memory.take().expect("nobody has it");
    Machine { session: SessionBuilder::new(notifications, memory, id), log }
}

/// Runs the application for so long, or until it ends.
fn run(world: &World, plan: Plan, duration: Duration) -> (Lines, Option<Summary>) {
    let lines = Lines::default();
    let device = &world.device;
    let end = device.now() + duration;
    let id = DeviceId::read().expect("the kernel answers");
    let summary = application::run(machine(world, &id, &lines), &id, plan, |until| {
        device.sleep_until(Duration::from_micros(until).min(end));
        device.now() < end
    })
    .expect("the memory is as planned");
    let summary = summary.is_done.then_some(summary);
    assert_eq!(world.broker.complaints(), [""; 0]);
    assert_eq!(world.device.misuse(), []);
    (lines, summary)
}

/// Runs it as an executor does, as tasks that share a device. Whether it ended is the other one.
fn run_tasks(world: &World, plan: Plan, duration: Duration) -> (Lines, bool) {
    let lines = Lines::default();
    let delay = world.device.delay();
    let id = DeviceId::read().expect("the kernel answers");
    let topics = Topics::new(&id);
    let commands = topics.commands();
    let device =
        Device::new(machine(world, topics.id(), &lines), &topics, &commands).expect("memory as planned");
    let end = async { world.device.delay().delay_ms(millis(duration)).await };
    let tasks = join(device.telemetry(delay, plan), device.commands());
    let connection = select(device.stay_connected(delay), tasks);
    let ended = matches!(world.device.block_on(select(connection, end)), Either::First(_));
    drop(device);
    assert_eq!(world.broker.complaints(), [""; 0]);
    assert_eq!(world.device.misuse(), []);
    (lines, ended)
}

fn command() -> String {
    format!("command/device/{ID}")
}

/// When the broker got readings.
fn readings(world: &World) -> Vec<Duration> {
    world.broker.received().iter().map(|reading| reading.at).collect()
}

#[test]
fn a_reading_goes_out_as_soon_as_the_device_is_online_and_then_each_minute() {
    let world = World::new();
    let (lines, summary) = run(&world, Plan { publishes: 5, ..PLAN }, 10 * MINUTE);

    let at = readings(&world);
    assert_eq!(at.len(), 5);
    assert!(at[0].abs_diff(lines.at("online")) < Duration::from_millis(100), "{at:?}");
    for pair in at.windows(2) {
        let interval = pair[1].abs_diff(pair[0]);
        assert!(interval.abs_diff(MINUTE) < Duration::from_millis(100), "{at:?}");
    }
    assert_eq!(summary.expect("it ends after the last").published, 5);
    assert!(world.now() < at[4] + Duration::from_secs(1), "and at once: {:?}", world.now());
    for line in ["offline", "fetching"] {
        lines.at(line);
    }
    lines.at(&format!("device {ID}"));
    lines.at(&format!("connecting to {}", stored::HOST));
    lines.at("subscribed to command/device/all");
    lines.at("published {\"temperature_celsius\":21.5}");
}

#[test]
fn the_policy_that_the_provisioning_tool_makes_allows_all_that_the_application_does() {
    let options = PolicyOptions::new("eu-west-1", "123456789012").expect("a region and an account");
    let document = microvisor_provision::Policy::new(&options).expect("a policy").to_string();
    let provisioned = Provisioned::new();
    let thing = Thing::new(ID, model::Policy::from_json(&document).expect("the model takes it"));
    let broker = ModelBroker::aws_iot()
        .host(stored::HOST)
        .register_certificate(provisioned.device.der.clone(), thing)
        .build();
    let world = World::before(provisioned, broker, |builder| builder);
    world.broker.publish_at(Duration::from_secs(10), command(), "stop", 1);
    world.broker.publish_at(Duration::from_secs(20), "command/device/all", "restart", 1);
    // Which also says that the broker had no complaints.
    let (_, summary) = run(&world, Plan { publishes: 5, ..PLAN }, 10 * MINUTE);

    let summary = summary.expect("it ends after the last");
    assert_eq!((summary.published, summary.commands), (5, 2));
}

#[test]
fn commands_are_obeyed_and_what_is_none_is_logged_and_each_is_acknowledged_once() {
    let world = World::new();
    for (at, payload) in [(10, "dance"), (20, "stop"), (150, "restart")] {
        world.broker.publish_at(Duration::from_secs(at), command(), payload, 1);
    }
    let (lines, _) = run(&world, PLAN, Duration::from_secs(200));

    lines.at(&format!("no command that is known, on {}", command()));
    lines.at(&format!("command stop on {}", command()));
    lines.at(&format!("command restart on {}", command()));
    assert!(world.broker.all_acknowledged());
    assert_eq!(world.broker.acknowledged().len(), 3);
    let at = readings(&world);
    assert_eq!(at.len(), 2, "{at:?}");
    assert!(at[1].abs_diff(Duration::from_secs(150)) < Duration::from_millis(200), "{at:?}");
}

#[test]
fn a_message_too_large_for_a_command_is_thrown_away_and_those_behind_it_arrive() {
    let world = World::new();
    world.broker.publish_at(Duration::from_secs(10), command(), [b'x'; 1000], 1);
    world.broker.publish_at(Duration::from_secs(10), command(), "stop", 1);
    let (lines, _) = run(&world, PLAN, MINUTE);

    assert_eq!(lines.count("message dropped"), 1);
    lines.at(&format!("command stop on {}", command()));
    assert!(world.broker.all_acknowledged());
}

#[test]
fn a_reading_in_doubt_is_logged_and_not_sent_again_and_the_next_goes_out_in_its_time() {
    let world = World::new();
    world.broker.at(Duration::from_secs(30), ModelBroker::cut_after_publish);
    let (lines, _) = run(&world, PLAN, 3 * MINUTE);

    let at = readings(&world);
    assert_eq!(at.len(), 3, "{at:?}");
    assert_eq!(lines.count("unknown whether published {\"temperature_celsius\":22.0}"), 1);
    assert_eq!(lines.count("published {\"temperature_celsius\":22.5}"), 1);
    assert!(at[2].abs_diff(at[1] + MINUTE) < Duration::from_secs(1), "{at:?}");
    assert_eq!(lines.count("backing off 0x"), 1);
}

#[test]
fn a_reading_that_the_broker_refuses_is_logged_and_the_next_goes_out_in_its_time() {
    let world = World::new();
    world.broker.at(Duration::from_secs(30), |broker| broker.answer_publish(0x97));
    let (lines, _) = run(&world, PLAN, 3 * MINUTE);

    assert_eq!(lines.count("refused {\"temperature_celsius\":22.0}"), 1);
    assert_eq!(lines.count("published {\"temperature_celsius\":22.5}"), 1);
}

#[test]
fn a_value_that_is_wrong_is_named_and_its_repair_noticed() {
    let world = World::new();
    let cert = world.stored.get("cert").to_owned();
    world.device.set_config("cert", "30zz");
    world.device.at(10 * MINUTE, move |device| device.set_config("cert", &cert));
    let (lines, _) = run(&world, PLAN, 15 * MINUTE);

    assert!(lines.at("check cert") < MINUTE);
    assert!(lines.at("online") < 13 * MINUTE);
    assert!(readings(&world).len() >= 2);
}

#[test]
fn what_the_kernel_or_the_broker_says_is_logged_by_its_number() {
    let world = World::new();
    for _ in 0..2 {
        world.broker.refuse_connect(sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0);
    }
    world.broker.refuse_connect(sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x88);
    let (lines, _) = run(&world, PLAN, 5 * MINUTE);

    assert_eq!(lines.count("backing off 0x7"), 2);
    assert_eq!(lines.count("backing off 0x88"), 1);
    lines.at("online");
}

#[test]
fn a_day_without_a_network_costs_no_reading_after_it_and_floods_no_log() {
    let world = World::new();
    let day = 24 * 60 * MINUTE;
    world.device.at(5 * MINUTE, |device| device.set_network(NetworkStatus::DisconnectedWithLinkUp));
    world.device.at(day, |device| device.set_network(NetworkStatus::Connected));
    let (lines, _) = run(&world, PLAN, day + 10 * MINUTE);

    let at = readings(&world);
    assert!(at.iter().filter(|at| **at > day).count() >= 8, "{at:?}");
    assert!(lines.0.borrow().len() < 60, "{:#?}", lines.0.borrow());
}

#[test]
fn tasks_publish_each_minute_and_end_after_the_last_reading() {
    let world = World::new();
    let (lines, ended) = run_tasks(&world, Plan { publishes: 5, ..PLAN }, 10 * MINUTE);

    assert!(ended);
    let at = readings(&world);
    assert_eq!(at.len(), 5);
    assert!(at[0].abs_diff(lines.at("online")) < Duration::from_millis(100), "{at:?}");
    for pair in at.windows(2) {
        let interval = pair[1].abs_diff(pair[0]);
        assert!(interval.abs_diff(MINUTE) < Duration::from_millis(100), "{at:?}");
    }
}

#[test]
fn tasks_obey_commands_and_acknowledge_each_once() {
    let world = World::new();
    for (at, payload) in [(10, "dance"), (20, "stop"), (150, "restart")] {
        world.broker.publish_at(Duration::from_secs(at), command(), payload, 1);
    }
    world.broker.publish_at(Duration::from_secs(155), command(), [b'x'; 1000], 1);
    let (lines, _) = run_tasks(&world, PLAN, Duration::from_secs(200));

    lines.at(&format!("no command that is known, on {}", command()));
    lines.at(&format!("command stop on {}", command()));
    lines.at(&format!("command restart on {}", command()));
    assert_eq!(lines.count("message dropped"), 1);
    assert!(world.broker.all_acknowledged());
    assert_eq!(world.broker.acknowledged().len(), 4);
    let at = readings(&world);
    assert_eq!(at.len(), 2, "{at:?}");
    assert!(at[1].abs_diff(Duration::from_secs(150)) < Duration::from_millis(200), "{at:?}");
}

#[test]
fn a_reading_that_waits_for_room_does_not_go_out_after_a_stop() {
    let trouble = |world: &World| {
        // From before the second reading until after the command.
        world.device.at(Duration::from_secs(30), |device| {
            let full = Fault::call("mvMqttRequestPublish").until(Duration::from_secs(80));
            device.inject(full.status(sys::MV_STATUS_RATELIMITED));
        });
        world.broker.publish_at(Duration::from_secs(70), command(), "stop", 1);
        world.broker.publish_at(Duration::from_secs(150), command(), "restart", 1);
    };
    for is_main_loop in [true, false] {
        let world = World::new();
        trouble(&world);
        if is_main_loop {
            run(&world, PLAN, Duration::from_secs(160));
        } else {
            run_tasks(&world, PLAN, Duration::from_secs(160));
        }
        let at = readings(&world);
        assert_eq!(at.len(), 2, "main loop: {is_main_loop}, {at:?}");
        assert!(at[1].abs_diff(Duration::from_secs(150)) < Duration::from_millis(200), "{at:?}");
    }
}

#[test]
fn tasks_write_the_same_to_the_log_as_the_main_loop() {
    let trouble = |world: &World| {
        world.broker.refuse_connect(sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0);
        world.broker.at(Duration::from_secs(30), ModelBroker::cut_after_publish);
        world.broker.at(2 * MINUTE, |broker| broker.answer_publish(0x97));
        world.broker.publish_at(3 * MINUTE, command(), "stop", 1);
        world.broker.publish_at(5 * MINUTE, command(), "restart", 1);
    };
    let words = |lines: Lines| lines.0.into_inner().into_iter().map(|(_, line)| line).collect::<Vec<_>>();
    let world = World::new();
    trouble(&world);
    let main_loop = words(run(&world, PLAN, 10 * MINUTE).0);
    drop(world);
    let world = World::new();
    trouble(&world);
    let tasks = words(run_tasks(&world, PLAN, 10 * MINUTE).0);

    for said in ["unknown whether published ", "refused "] {
        assert!(main_loop.iter().any(|line| line.starts_with(said)), "{main_loop:#?}");
    }
    assert_eq!(tasks, main_loop);
}
