//! Every system call of a session, failing with every kind of status: once, and for a minute.

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::Fault;

use crate::survival::{Case, MOST_CALLS_WITHOUT_ROOM};
use crate::world::World;

/// The system calls that a session makes, but for the one that reads the date when a certificate is not valid.
const CALLS: [&str; 22] = [
    "mvRequestNetwork",
    "mvGetNetworkStatus",
    "mvGetMicroseconds",
    "mvOpenChannel",
    "mvGetChannelClosureReason",
    "mvCloseChannel",
    "mvSendConfigFetchRequest",
    "mvReadConfigFetchResponseData",
    "mvReadConfigResponseItem",
    "mvMqttRequestConnect",
    "mvMqttReadConnectResponse",
    "mvMqttGetNextReadableDataType",
    "mvMqttRequestSubscribe",
    "mvMqttReadSubscribeResponse",
    "mvMqttRequestPublish",
    "mvMqttReadPublishResponse",
    "mvMqttReceiveMessage",
    "mvMqttAcknowledgeMessage",
    "mvMqttReceiveLostMessageInfo",
    "mvMqttRequestDisconnect",
    "mvMqttReadDisconnectResponse",
    "mvReleaseNetwork",
];

/// One that ABI 0.7.0 does not list, and those that mean something to somebody.
const STATUSES: [(u32, &str); 9] = [
    (4711, "4711"),
    (sys::MV_STATUS_INTERNALERROR, "INTERNALERROR"),
    (sys::MV_STATUS_MICROVISORBUSY, "MICROVISORBUSY"),
    (sys::MV_STATUS_RATELIMITED, "RATELIMITED"),
    (sys::MV_STATUS_UNAVAILABLE, "UNAVAILABLE"),
    (sys::MV_STATUS_CHANNELCLOSED, "CHANNELCLOSED"),
    (sys::MV_STATUS_LATEFAULT, "LATEFAULT"),
    (sys::MV_STATUS_PARAMETERFAULT, "PARAMETERFAULT"),
    (sys::MV_STATUS_INVALIDHANDLE, "INVALIDHANDLE"),
];

const COMMAND: &str = "command/device/UV0123456789abcdef0123456789abcdef";

crate::cases! {
    a_call_that_fails_once => matrix(once);
    a_call_that_fails_for_a_minute => matrix(for_a_minute);
}

fn matrix(case: fn(&'static str, u32, &str) -> Case) -> Vec<Case> {
    let pairs = CALLS.into_iter().flat_map(|call| STATUSES.map(|(status, name)| (call, status, name)));
    // A kernel that denies an open channel keeps its memory for good: there is nothing to survive with.
    let possible = pairs.filter(|pair| (pair.0, pair.2) != ("mvCloseChannel", "INVALIDHANDLE"));
    possible.map(|(call, status, name)| case(call, status, name)).collect()
}

/// Messages come, one of them too large, the connection is cut, and the session is stopped and run again,
/// so that each call is made.
fn lively(case: Case, call: &'static str) -> Case {
    case.most_calls(MOST_CALLS_WITHOUT_ROOM).stops(55).check(move |world| {
        let struck = format!("{call}(");
        let trace = world.device.trace();
        assert!(
            trace.iter().any(|line| line.contains(&struck) && line.contains("injected")),
            "{call} was not struck"
        );
        assert!(world.broker.all_acknowledged(), "what is sent is acknowledged in the end");
    })
}

fn live(world: &World, from: u64) {
    let at = |seconds| Duration::from_secs(from + seconds);
    world.broker.publish_at(at(2), COMMAND, "a command", 1);
    world.broker.publish_at(at(3), COMMAND, vec![0; 5_000], 1);
    world.broker.at(at(10), microvisor_sim::broker::model::ModelBroker::drop_connection);
    world.broker.publish_at(at(40), COMMAND, "another command", 1);
}

/// From the start, and in mid-session.
fn once(call: &'static str, status: u32, name: &str) -> Case {
    let case = Case::new(format!("{call} fails once with {name}"), "any").strikes(0, move |world| {
        for second in [0, 30] {
            world.device.at(Duration::from_secs(second), move |device| {
                device.inject(Fault::call(call).status(status));
            });
        }
        live(world, 30);
    });
    lively(case, call).until(56, |_| ())
}

fn for_a_minute(call: &'static str, status: u32, name: &str) -> Case {
    let case = Case::new(format!("{call} fails for a minute with {name}"), "any").strikes(30, move |world| {
        world.device.inject(Fault::call(call).until(Duration::from_secs(90)).status(status));
        live(world, 30);
    });
    let case = lively(case, call).until(90, |_| ());
    if call == "mvGetMicroseconds" { case.needs_timer() } else { case }
}
