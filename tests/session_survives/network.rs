//! A network that is late, lost, or that the kernel does not tell the truth about.

use std::time::Duration;

use microvisor::session::{Cause, State};
use microvisor::{NetworkError, Status, sys};
use microvisor_sim::{Fault, NetworkPlan, NetworkStatus, Quirks};

use crate::survival::{Case, Moment, back_offs, lose, restore};
use crate::world::World;

const GONE: [NetworkStatus; 3] =
    [NetworkStatus::Connecting, NetworkStatus::DisconnectedWithLinkUp, NetworkStatus::DeliberatelyOffline];

crate::cases! {
    network_that_comes_ten_minutes_late => [late(600)];
    network_that_is_never_there_for_an_hour => [late(3_600)];
    network_that_is_there_before_the_session => [
        Case::new("network connected at boot", "starting")
            .device(|device| device.network(NetworkPlan::connected_at_boot()))
    ];
    network_that_is_lost_in_any_state_and_comes_back_after_minutes => lost(210);
    network_that_is_lost_in_any_state_and_comes_back_at_once => lost_for_a_moment();
    network_that_flaps => [flapping()];
    network_whose_coming_and_going_nobody_notifies => unnotified();
    network_request_that_fails_for_minutes => failing("mvRequestNetwork", 120);
    network_status_that_cannot_be_read_for_minutes => failing("mvGetNetworkStatus", 120);
    network_status_of_a_newer_kernel => [unknown_status()];
    channel_that_does_not_open_since_the_network_went_meanwhile => [
        Case::new("network lost at mvOpenChannel", "fetching settings").strikes(0, |world| {
            let open = Fault::call("mvOpenChannel");
            world.device.inject(open.run(lose(NetworkStatus::Connecting)));
        }).until(90, restore).tells("before the network is connected"),
    ];
    session_end_that_shows_as_a_closed_channel => [
        Case::new("DISCONNECT as CHANNELNOTCONNECTED", "online")
            .device(|device| {
                let session_end = microvisor_sim::SessionEnd::ChannelNotConnected;
                device.quirks(Quirks { session_end, ..Quirks::default() })
            })
            .strikes(30, |world| world.broker.disconnect_client(0x8B))
            .passes_for_transient(),
    ];
}

fn late(seconds: u64) -> Case {
    Case::new(format!("network {seconds} s late"), "waiting for the network")
        .device(|device| device.network(NetworkPlan::never()))
        .until(seconds, restore)
        .never_connects()
        .check(move |world| {
            let states = world.seen.states.borrow();
            let before: Vec<_> = states.iter().take_while(|(at, _)| at.as_secs() < seconds).collect();
            assert!(matches!(before[..], [(_, State::Offline)]), "{before:?}");
        })
}

fn lost(until: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for moment in Moment::ALL {
        for status in GONE {
            let case = moment.case(format!("network {status:?} for minutes"), lose(status));
            cases.push(case.until(until, restore));
        }
    }
    cases
}

fn lost_for_a_moment() -> impl Iterator<Item = Case> {
    Moment::ALL.into_iter().map(|moment| {
        moment.case("network lost for 50 ms", |device| {
            device.set_network(NetworkStatus::Connecting);
            let back = device.now() + Duration::from_millis(50);
            device.at(back, |device| device.set_network(NetworkStatus::Connected));
        })
    })
}

fn flapping() -> Case {
    let plan = (10..60).fold(NetworkPlan::connected_at_boot(), |plan, tick| {
        let status = if tick % 2 == 0 { NetworkStatus::Connecting } else { NetworkStatus::Connected };
        plan.then(Duration::from_secs(3 * tick), status)
    });
    Case::new("network up and down every 3 s", "any").device(|device| device.network(plan)).until(180, |_| ())
}

fn unnotified() -> Vec<Case> {
    let silently = |fault: &str, moment: Moment| {
        moment.case(fault, |device| {
            device.inject(Fault::notifications().drop(1_000));
            device.set_network(NetworkStatus::Connecting);
        })
    };
    let mut cases = Vec::new();
    for moment in Moment::ALL {
        cases.push(silently("network lost and back, unnotified", moment).until(90, restore));
    }
    cases
}

fn failing(call: &'static str, until: u64) -> Vec<Case> {
    let statuses =
        [sys::MV_STATUS_INTERNALERROR, sys::MV_STATUS_MICROVISORBUSY, sys::MV_STATUS_INVALIDHANDLE, 4711];
    let cases = statuses.into_iter().map(|raw| {
        let status = Status::check(raw).expect_err("no success");
        Case::new(format!("{call} fails with {status:?}"), "waiting for the network")
            .strikes(0, move |world| {
                let fault = Fault::call(call).until(Duration::from_secs(until));
                world.device.inject(fault.status(raw));
            })
            .until(until, |_| ())
            .never_connects()
            .passes_for_transient()
            .check(move |world| all_are_of_the_network(world, until, status))
    });
    cases.collect()
}

fn all_are_of_the_network(world: &World, until: u64, status: Status) {
    let waits = back_offs(world, Duration::ZERO, Duration::from_secs(until));
    let expected = Cause::Network(NetworkError::Kernel(status));
    assert!(waits.iter().all(|(.., cause)| *cause == expected), "{waits:?}");
}

fn unknown_status() -> Case {
    let until = Duration::from_secs(120);
    Case::new("network status 4711", "waiting for the network")
        .strikes(0, move |world| {
            world.device.inject(Fault::call("mvGetNetworkStatus").until(until).output(4711));
        })
        .until(120, |_| ())
        .never_connects()
}
