//! What a test can have the broker do.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use microvisor::sys;
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::broker::model::ModelBroker;

use crate::device::{Device, connect_request, publish};

#[test]
fn connections_are_refused_in_the_order_that_was_asked_for_and_then_accepted() {
    let broker = ModelBroker::open().build();
    broker.refuse_connect(sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0);
    broker.refuse_connect(0, 0x88);
    broker.silent_connect();
    let mut device = Device::new(broker.clone());
    let mut attempt = || device.connect(connect_request("lamp")).1;
    assert_eq!(attempt(), Some((sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0)));
    assert_eq!(attempt(), Some((0, 0x88)));
    assert_eq!(attempt(), None);
    assert_eq!(attempt(), Some((0, 0)));
    let states: Vec<_> = broker.connect_attempts().iter().map(|attempt| attempt.reason).collect();
    assert_eq!(states, [Some(0), Some(0x88), None, Some(0)]);
}

#[test]
fn the_operator_publishes_at_a_time() {
    let broker = ModelBroker::open().latency(Duration::from_millis(10), Duration::ZERO).build();
    broker.publish_at(Duration::from_secs(5), "command", "restart", 0);
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    device.subscribe(link, &[("command", 0)]);
    device.message(link);
    assert_eq!(device.now().micros, 5_010_000);
}

#[test]
fn an_action_can_use_the_broker_while_the_device_runs() {
    let broker = ModelBroker::open().build();
    let ran = Rc::new(Cell::new(false));
    let seen = ran.clone();
    broker.at(Duration::from_secs(3), move |broker| {
        seen.set(true);
        broker.publish("command", "stop", 1);
        broker.at(Duration::from_secs(4), ModelBroker::drop_connection);
    });
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    device.subscribe(link, &[("command", 1)]);
    assert_eq!(device.message(link).payload, b"stop");
    assert!(ran.get());
    assert_eq!(device.closed(link), Some(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED));
    assert!(device.now().micros > 4_000_000);
}

#[test]
fn a_connection_can_be_ended_with_any_reason() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    broker.disconnect_client(0x98);
    assert_eq!(device.disconnected(link), Some((0, 0x98)));
    let link = device.connected(connect_request("lamp"));
    broker.drop_connection_because(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
    assert_eq!(device.closed(link), Some(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER));
}

#[test]
fn a_silent_broker_deals_with_what_came_meanwhile_when_it_speaks_again() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    broker.fall_silent();
    assert_eq!(device.try_publish(link, publish("sensor", b"1", 1)), None);
    assert!(broker.received().is_empty());
    broker.end_silence();
    device.run_for(Duration::from_secs(1));
    assert_eq!(broker.received().len(), 1);
    assert!(matches!(device.events[0].1, BrokerEvent::Published { reason: 0, .. }));
}

#[test]
fn a_refused_publish_is_not_carried_out_and_an_accepted_one_is() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    broker.answer_publish(0x97);
    broker.answer_publish(0x10);
    broker.answer_publish_with(sys::MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER, 0);
    assert_eq!(device.publish(link, "sensor", b"1", 1), (0, 0x97));
    assert_eq!(device.publish(link, "sensor", b"2", 1), (0, 0x10));
    let breaker = sys::MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER;
    assert_eq!(device.publish(link, "sensor", b"3", 1), (breaker, 0));
    let payloads: Vec<_> = broker.received().into_iter().map(|received| received.payload).collect();
    assert_eq!(payloads, [b"2"]);
}

#[test]
fn a_connection_that_is_cut_around_a_publish_leaves_it_without_an_answer() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    for carried_out in [true, false] {
        let link = device.connected(connect_request("lamp"));
        if carried_out {
            broker.cut_after_publish();
        } else {
            broker.cut_before_publish();
        }
        assert_eq!(device.try_publish(link, publish("sensor", b"1", 1)), None);
        assert_eq!(device.closed(link), Some(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED));
        assert_eq!(broker.received().len(), 1);
    }
}

#[test]
fn a_subscribe_can_be_granted_less_or_refused() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    broker.answer_subscribe(&[0x87, 0]);
    assert_eq!(device.subscribe(link, &[("a", 1), ("b", 1), ("c", 1)]), [0x87, 0, 1]);
    assert_eq!(broker.subscriptions("lamp"), [("b".to_owned(), 0), ("c".to_owned(), 1)]);
    let failed = sys::MV_MQTTREQUESTSTATE_SOCKETERROR;
    broker.answer_subscribe_with(failed, &[]);
    let answer = device.subscribe_to(link, vec![crate::device::subscription("d", 1)]);
    assert_eq!(answer, Some((failed, vec![])));
    broker.answer_unsubscribe_with(0, &[0x80]);
    assert_eq!(device.unsubscribe(link, &["b", "c"]), [0x80, 0]);
    assert_eq!(broker.subscriptions("lamp"), [("b".to_owned(), 0)]);
}

#[test]
fn responses_can_come_in_another_order_late_or_never() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    let order = |device: &mut Device| {
        device.run_for(Duration::from_secs(1));
        let ids = device.events.drain(..).map(|(_, event)| match event {
            BrokerEvent::Published { correlation_id, .. } => correlation_id,
            event => panic!("{event:?}"),
        });
        ids.collect::<Vec<_>>()
    };
    let request = |device: &mut Device| device.request_publish(link, publish("sensor", b"1", 1));

    broker.reverse_responses(3);
    let ids: Vec<_> = (0..3).map(|_| request(&mut device)).collect();
    assert_eq!(order(&mut device), [ids[2], ids[1], ids[0]]);

    broker.lose_responses(1);
    let ids: Vec<_> = (0..2).map(|_| request(&mut device)).collect();
    assert_eq!(order(&mut device), [ids[1]]);

    broker.reverse_responses(3);
    let id = request(&mut device);
    assert!(order(&mut device).is_empty());
    broker.release_responses();
    assert_eq!(order(&mut device), [id]);

    broker.delay_responses(Duration::from_secs(10));
    let id = request(&mut device);
    assert!(order(&mut device).is_empty());
    device.run_for(Duration::from_secs(10));
    assert_eq!(order(&mut device), [id]);
}

#[test]
fn the_same_seed_gives_the_same_times() {
    let times = |seed| {
        let jitter = Duration::from_millis(100);
        let broker = ModelBroker::open().latency(Duration::from_millis(20), jitter).seed(seed).build();
        let mut device = Device::new(broker.clone());
        let link = device.connected(connect_request("lamp"));
        (0..5).map(|_| device.publish(link, "sensor", b"1", 1)).for_each(drop);
        device.now().micros
    };
    assert_eq!(times(1), times(1));
    assert_ne!(times(1), times(2));
}
