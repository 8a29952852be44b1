//! Clocks that are not set, or cannot be read.

use std::time::Duration;

use microvisor::session::{Awaited, Cause};
use microvisor::sys;
use microvisor_sim::{Fault, WallClock};

use crate::survival::{Case, Moment, back_offs};
use crate::world::World;

/// The first of January 2026.
const DATE: u64 = 1_767_225_600;

crate::cases! {
    a_date_that_is_never_set => [
        Case::new("wall clock never set", "any")
            .device(|device| device.wall_clock(WallClock::never_set(DATE))),
        Case::new("wall clock never set, connection cut", "online")
            .device(|device| device.wall_clock(WallClock::never_set(DATE)))
            .strikes(30, |world| world.broker.drop_connection()),
    ];
    a_date_that_cannot_be_read => [
        Case::new("mvGetWallTime fails", "any").strikes(0, |world| {
            world.device.inject(Fault::call("mvGetWallTime").times(u64::MAX));
            world.broker.refuse_connect(0, 0x88);
        }),
    ];
    a_certificate_that_seems_expired_while_the_date_is_not_set => [expired(false)];
    a_certificate_that_is_expired_by_a_date_that_is_set => [expired(true)];
    a_clock_that_cannot_be_read_at_all => {
        Moment::ALL.into_iter().map(|moment| {
            moment.case("mvGetMicroseconds fails for good", |device| {
                device.inject(Fault::call("mvGetMicroseconds").times(u64::MAX));
                // What makes the session wait: an end, and a connection that is refused.
                device.close_channels(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
            })
            .needs_timer()
        })
    };
    a_clock_that_cannot_be_read_from_the_start => [
        Case::new("mvGetMicroseconds never works", "any").strikes(0, |world| {
            world.device.inject(Fault::call("mvGetMicroseconds").times(u64::MAX));
            world.broker.silent_connect();
            world.broker.refuse_connect(0, 0x88);
            world.broker.refuse_connect(0, 0x88);
        })
        .until(60, |_| ())
        .needs_timer(),
    ];
    a_clock_that_cannot_be_read_while_a_publish_is_unanswered => [
        Case::new("mvGetMicroseconds fails, publish unanswered", "online")
            .strikes(29, |world| {
                world.device.inject(Fault::call("mvGetMicroseconds").times(u64::MAX));
                world.broker.lose_responses(1);
            })
            .until(60, |_| ())
            .tells("the broker did not answer a publish request in time")
            .needs_timer(),
    ];
}

fn expired(date_is_set: bool) -> Case {
    let date = if date_is_set { WallClock::set_at_boot(DATE) } else { WallClock::never_set(DATE) };
    let case = Case::new(format!("CERTIFICATEEXPIRED, date set: {date_is_set}"), "connecting")
        .device(move |device| device.wall_clock(date))
        .strikes(0, |world| {
            let state = sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED;
            (0..1_000).for_each(|_| world.broker.refuse_connect(state, 0));
        })
        .until(180, |world| world.broker.end_refusals());
    if date_is_set { case.passes_for_permanent() } else { case.passes_for_transient().check(pace_grows) }
}

/// It does not wait for long at first, since the date may come any moment.
fn pace_grows(world: &World) {
    let waits = back_offs(world, Duration::ZERO, Duration::from_secs(180));
    let (at, until, cause) = waits[0];
    assert!(until - at <= Duration::from_secs(2), "{waits:?}");
    assert_ne!(cause, Cause::NoAnswer(Awaited::Connect));
}
