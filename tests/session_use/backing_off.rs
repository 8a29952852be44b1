//! How long a session waits between its attempts.

use std::time::Duration;

use embassy_futures::select::select;
use embedded_hal_async::delay::DelayNs;
use microvisor::session::State;
use microvisor_sim::broker::model::ModelBroker;

use crate::world::{ID, World, policy};

const OTHER_ID: &str = "UV0123456789abcdef0123456789abcdee";

fn waits_of(world: &World) -> Vec<Duration> {
    let states = world.seen.states.borrow();
    let waits = states.iter().filter_map(|(at, state)| match state {
        State::BackingOff { until_micros, .. } => Some(Duration::from_micros(*until_micros) - *at),
        _ => None,
    });
    waits.collect()
}

/// Of a device whose connections are refused for a quarter of an hour.
fn waits(id: &str) -> Vec<Duration> {
    let world = World::new();
    (0..1_000).for_each(|_| world.broker.refuse_connect(0, 0x88));
    let session = world.builder_for(id).build().expect("a session");
    world.run(&session, Duration::from_secs(900));
    waits_of(&world)
}

#[test]
fn each_wait_lies_between_the_floor_and_a_window_that_doubles_up_to_the_cap() {
    let waits = waits(ID);
    assert!(waits.len() > 10);
    let (floor, cap) = (policy().shortest_back_off(), policy().longest_back_off());
    // To the microsecond of the calls between.
    let slack = Duration::from_millis(1);
    let mut window = floor * 2;
    for wait in &waits {
        assert!(*wait + slack >= floor && *wait <= window, "{wait:?} of {window:?} in {waits:?}");
        window = (window * 2).min(cap);
    }
    assert!(waits.iter().any(|wait| *wait > cap / 2), "{waits:?}");
}

#[test]
fn devices_wait_differently_and_each_the_same_again() {
    assert_eq!(waits(ID), waits(ID));
    let (one, other) = (waits(ID), waits(OTHER_ID));
    let same =
        one.iter().zip(&other).filter(|(one, other)| one.abs_diff(**other) < Duration::from_millis(10));
    assert!(same.count() < 3, "{one:?} {other:?}");
}

/// Six refusals, one connection that lasts so long, and the wait after it.
fn wait_after(online: Duration) -> Duration {
    let world = World::new();
    (0..6).for_each(|_| world.broker.refuse_connect(0, 0x88));
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    let end = world.now() + online;
    world.broker.at(end, ModelBroker::drop_connection);
    world.run(&session, online + Duration::from_millis(500));
    *waits_of(&world).last().expect("a back-off")
}

#[test]
fn earlier_failures_are_forgotten_only_after_a_stable_time_online() {
    let stable = policy().stable_after();
    assert!(wait_after(stable + Duration::from_secs(1)) <= 2 * policy().shortest_back_off());
    let wait = wait_after(stable - Duration::from_secs(1));
    assert!(wait > 2 * policy().shortest_back_off(), "{wait:?}");
}

/// A timer that takes a tenth of the time.
struct Early(microvisor_sim::Delay);

impl DelayNs for Early {
    async fn delay_ns(&mut self, ns: u32) {
        self.0.delay_ns(ns / 10).await;
    }
}

#[test]
fn a_timer_that_ends_early_shortens_no_wait() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    world.device.rate_limit_opens(1);
    let end = async { world.device.delay().delay_ms(5_000).await };
    world.device.block_on(select(session.run(Early(world.device.delay())), end));
    assert_eq!(session.state(), State::Online);
    let states = world.seen.states.borrow();
    let mut waits = states.windows(2).filter_map(|pair| match pair {
        [(_, State::BackingOff { until_micros, .. }), (ended, _)] => {
            Some((Duration::from_micros(*until_micros), *ended))
        }
        _ => None,
    });
    let (until, ended) = waits.next().expect("a back-off");
    assert!(ended >= until, "{ended:?}, {until:?}");
}
