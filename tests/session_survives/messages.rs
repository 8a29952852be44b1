//! Messages in bursts, twice, too large, and requests and acknowledgements that find no room.

use std::time::Duration;

use microvisor::session::Acknowledged;
use microvisor::sys;
use microvisor_sim::{Fault, Quirks};

use crate::survival::{Case, MOST_CALLS_WITHOUT_ROOM};
use crate::world::World;

const COMMAND: &str = "command/device/UV0123456789abcdef0123456789abcdef";

crate::cases! {
    publishing_that_is_rate_limited => [
        rate_limited("mvMqttRequestPublish", 65),
        rate_limited("mvMqttRequestPublish", 32),
    ];
    a_kernel_without_room_for_long => [
        no_room_for_long("mvMqttRequestPublish"),
        no_room_for_long("mvMqttAcknowledgeMessage"),
    ];
    acknowledging_that_is_rate_limited => [acknowledgements_limited(31), acknowledgements_limited(65)];
    subscribing_that_is_rate_limited => [
        Case::new("mvMqttRequestSubscribe RATELIMITED for 30 s", "subscribing")
            .strikes(0, |world| limit(world, "mvMqttRequestSubscribe", 30))
            .most_calls(MOST_CALLS_WITHOUT_ROOM)
            .until(30, |_| ())
            .tells("the broker did not answer the subscribe request in time"),
    ];
    disconnecting_that_is_rate_limited => [
        Case::new("mvMqttRequestDisconnect RATELIMITED", "disconnecting")
            .strikes(30, |world| limit(world, "mvMqttRequestDisconnect", 40))
            .stops(30),
    ];
    a_kernel_that_takes_few_acknowledgements_at_once => [few_acknowledgements()];
    a_burst_of_a_thousand_messages => [burst(Quirks::default(), "")];
    a_burst_of_a_thousand_messages_with_write_space_events => [
        burst(Quirks { write_space_events: true, ..Quirks::default() }, ", write space events"),
    ];
    a_burst_with_a_cut_in_the_middle => [burst_with_cut()];
    messages_that_are_delivered_twice => [duplicates()];
    a_message_that_is_too_large_for_the_receive_buffer => [lost()];
    a_message_that_is_too_large_for_the_inbox => [too_large_for_the_inbox()];
    notifications_that_are_lost => notifications_lost();
    notifications_that_come_late_or_twice => [late_notifications(), twice_notified()];
}

fn limit(world: &World, call: &'static str, until: u64) {
    let fault = Fault::call(call).until(Duration::from_secs(until));
    world.device.inject(fault.status(sys::MV_STATUS_RATELIMITED));
}

fn rate_limited(call: &'static str, until: u64) -> Case {
    Case::new(format!("{call} RATELIMITED for {} s", until - 30), "online")
        .strikes(30, move |world| limit(world, call, until))
        .until(until, |_| ())
        .most_calls(MOST_CALLS_WITHOUT_ROOM)
        .check(|world| assert_eq!(world.broker.connect_attempts().len(), 1))
}

/// What a kernel has no room for may wait for an answer that is lost: another channel has room.
fn no_room_for_long(call: &'static str) -> Case {
    Case::new(format!("{call} RATELIMITED for 90 s"), "online")
        .strikes(30, move |world| {
            limit(world, call, 120);
            publish(world, 31, 2);
        })
        .until(120, |_| ())
        .most_calls(MOST_CALLS_WITHOUT_ROOM)
        .tells("the kernel had no room for requests for too long")
}

/// `count` messages, all of which were received and acknowledged in order, each once.
fn all_in_order(world: &World, count: usize) {
    let expected: Vec<_> = (0..count).map(|number| number.to_string().into_bytes()).collect();
    assert_eq!(world.seen.payloads(), expected);
    let acknowledged: Vec<_> = world.broker.acknowledged();
    let order: Vec<_> = acknowledged.iter().map(|one| one.payload.clone()).collect();
    assert_eq!(order, expected, "acknowledged in order");
    assert!(acknowledged.iter().all(|one| one.acknowledgements == 1), "each once");
    assert!(world.broker.all_acknowledged());
}

fn publish(world: &World, at: u64, count: u32) {
    for number in 0..count {
        world.broker.publish_at(Duration::from_secs(at), COMMAND, number.to_string(), 1);
    }
}

fn acknowledgements_limited(until: u64) -> Case {
    Case::new(format!("mvMqttAcknowledgeMessage RATELIMITED for {} s", until - 29), "online")
        // Without redelivery, each message arrives once.
        .broker(|broker| broker.redelivery(None))
        .strikes(29, move |world| {
            limit(world, "mvMqttAcknowledgeMessage", until);
            publish(world, 30, 20);
        })
        .until(until, |_| ())
        .most_calls(MOST_CALLS_WITHOUT_ROOM)
        .check(|world| {
            all_in_order(world, 20);
            assert_eq!(world.broker.connect_attempts().len(), 1);
            let received = world.seen.received.borrow();
            assert!(received.iter().any(|(.., how)| *how == Some(Acknowledged::Queued)));
        })
}

fn few_acknowledgements() -> Case {
    Case::new("100 messages, one acknowledgement at a time", "online")
        .device(|device| device.quirks(Quirks { max_acknowledgements_in_flight: 1, ..Quirks::default() }))
        .broker(|broker| broker.redelivery(None))
        .strikes(29, |world| publish(world, 30, 100))
        .most_calls(5_000)
        .check(|world| all_in_order(world, 100))
}

fn burst(quirks: Quirks, with: &str) -> Case {
    Case::new(format!("1,000 messages at once{with}"), "online")
        .device(|device| device.quirks(quirks))
        .broker(|broker| broker.redelivery(None))
        .strikes(29, |world| publish(world, 30, 1_000))
        .most_calls(20_000)
        .check(|world| {
            all_in_order(world, 1_000);
            assert!(world.seen.published.borrow().iter().all(|(_, verdict)| verdict.is_ok()));
            assert_eq!(world.broker.connect_attempts().len(), 1);
        })
}

/// What was received and not acknowledged before the cut comes again; nothing is missing, and nothing
/// is acknowledged twice in one session.
fn burst_with_cut() -> Case {
    Case::new("cut within 1,000 messages", "online")
        .strikes(29, |world| {
            publish(world, 30, 1_000);
            world.broker.at(
                Duration::from_millis(30_200),
                microvisor_sim::broker::model::ModelBroker::drop_connection,
            );
        })
        .until(31, |_| ())
        .most_calls(20_000)
        .check(|world| {
            let mut payloads = world.seen.payloads();
            payloads.sort_unstable();
            payloads.dedup();
            assert_eq!(payloads.len(), 1_000);
            assert!(world.broker.all_acknowledged());
        })
}

fn duplicates() -> Case {
    Case::new("each message delivered twice, then a cut", "online")
        .strikes(29, |world| {
            world.broker.duplicate_deliveries(10);
            publish(world, 30, 10);
            world.broker.at(
                Duration::from_millis(30_050),
                microvisor_sim::broker::model::ModelBroker::drop_connection,
            );
        })
        .until(31, |_| ())
        .check(|world| {
            let mut payloads = world.seen.payloads();
            payloads.sort_unstable();
            payloads.dedup();
            assert_eq!(payloads.len(), 10);
            assert!(world.broker.all_acknowledged());
        })
}

fn lost() -> Case {
    Case::new("message of 5,000 bytes", "online")
        .strikes(30, |world| {
            world.broker.publish(COMMAND, vec![b'x'; 5_000], 1);
            world.broker.publish(COMMAND, "small", 1);
        })
        .check(|world| {
            let told = world.seen.not_received.borrow();
            assert_eq!(
                *told,
                ["a message of 5000 bytes was lost, since the receive buffer is too small for it"]
            );
            assert_eq!(world.seen.payloads(), [b"small"]);
            assert_eq!(world.broker.connect_attempts().len(), 1);
        })
}

/// The application's inbox takes 512 bytes; it receives with the same again.
fn too_large_for_the_inbox() -> Case {
    Case::new("message of 3,000 bytes, inbox of 512", "online")
        .strikes(30, |world| {
            world.broker.publish(COMMAND, vec![b'x'; 3_000], 1);
            world.broker.publish(COMMAND, "small", 1);
        })
        .check(|world| {
            let told = world.seen.not_received.borrow();
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told[0].contains("receive it with a larger one"), "{told:?}");
            assert_eq!(told[1], "a message of 3000 bytes did not fit the inbox twice and was thrown away");
            assert_eq!(world.seen.payloads(), [b"small"]);
            assert_eq!(world.broker.connect_attempts().len(), 1);
            assert!(world.broker.all_acknowledged());
        })
}

/// The session looks by itself after an answer timeout at the latest.
fn notifications_lost() -> Vec<Case> {
    let lost = |at: u64, state: &'static str, count: u64| {
        Case::new(format!("{count} notifications lost"), state).strikes(at, move |world| {
            world.device.inject(Fault::notifications().drop(count));
            publish(world, at + 1, 3);
        })
    };
    let overrun = Case::new("interrupt masked for 20 s, ring overrun", "online").strikes(30, |world| {
        world.device.unbind_interrupt(crate::world::IRQ);
        publish(world, 31, 30);
    });
    let overrun = overrun
        .until(50, |world| {
            let center = world.center;
            world.device.bind_interrupt(crate::world::IRQ, || center.on_interrupt());
        })
        .check(|world| {
            assert!(world.device.overruns() > 0);
            assert!(world.broker.all_acknowledged());
        });
    vec![
        lost(0, "starting", 1),
        lost(0, "starting", 2),
        lost(0, "starting", 3),
        lost(0, "starting", 5),
        lost(30, "online", 1),
        lost(30, "online", 5),
        lost(30, "online", 20),
        overrun,
    ]
}

fn late_notifications() -> Case {
    Case::new("notifications 3 s late", "any")
        .strikes(0, |world| {
            world.device.inject(Fault::notifications().delay(1_000, Duration::from_secs(3)));
            publish(world, 40, 20);
        })
        .check(|world| assert!(world.broker.all_acknowledged()))
}

fn twice_notified() -> Case {
    Case::new("each notification twice", "any")
        .strikes(0, |world| {
            world.device.inject(Fault::notifications().duplicate(1_000));
            publish(world, 40, 20);
        })
        .check(|world| all_in_order(world, 20))
}
