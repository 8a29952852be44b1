//! MQTT for those who have no executor: by polling, and by blocking.

mod bed;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bed::session::{publish, subscription};
use bed::{options, with_open_broker};
use microvisor::Transition;
use microvisor::mqtt::{ConnectError, Event, Inbox, QoS, ReasonCode, RequestState};
use microvisor_sim::Device;

#[test]
fn a_connection_can_be_polled_without_async() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut context = Context::from_waker(Waker::noop());
    let mut connecting = bed.open_mqtt().connect(&options()).unwrap();
    assert!(connecting.poll_connected(&mut context).is_pending());
    let Transition::Waiting(mut connecting) = connecting.try_connected() else { panic!("no answer yet") };
    bed.device.run_until_idle();
    assert_eq!(connecting.poll_connected(&mut context), Poll::Ready(Ok(())));
    assert_eq!(connecting.poll_connected(&mut context), Poll::Ready(Ok(())), "the answer is kept");
    let Transition::Done(connected) = connecting.try_connected() else { panic!("the broker accepted") };
    drop(connected.close().unwrap());
}

#[test]
fn a_refusal_can_be_polled_without_async() {
    let bed = bed!(Device::builder()).online();
    let connecting = bed.open_mqtt().connect(&options()).unwrap();
    bed.device.run_until_idle();
    let Transition::Failed(failed) = connecting.try_connected() else { panic!("there is no broker") };
    assert_eq!(failed.error, ConnectError::Failed(RequestState::SOCKET_ERROR));
    drop(failed.value.close().unwrap());
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_waker_polled_with_last_is_the_one_that_is_woken() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut connecting = bed.open_mqtt().connect(&options()).unwrap();
    for count in [&first, &last] {
        let waker = Waker::from(count.clone());
        assert!(connecting.poll_connected(&mut Context::from_waker(&waker)).is_pending());
    }
    bed.device.run_until_idle();
    assert_eq!((first.0.load(Ordering::Relaxed), last.0.load(Ordering::Relaxed)), (0, 1));
}

#[test]
fn a_session_can_be_polled_without_async() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut channel = bed.connect();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    assert!(channel.try_event(&mut inbox).unwrap().is_none());
    let id = channel.request_subscribe(&[subscription("command", QoS::AtLeastOnce)]).unwrap();
    broker.publish_at(bed.device.now() + Duration::from_secs(1), "command", "stop", 1);
    let mut context = Context::from_waker(Waker::noop());
    let mut kinds = Vec::new();
    for _ in 0..1000 {
        bed.device.advance(Duration::from_millis(10));
        let ready = channel.poll_ready(&mut context);
        let Some(event) = channel.try_event(&mut inbox).unwrap() else {
            assert!(ready.is_pending());
            continue;
        };
        assert_eq!(ready, Poll::Ready(Ok(())));
        match event {
            Event::Subscribed(answered, Ok(_)) if answered == id => kinds.push("subscribed"),
            Event::Message(message) => {
                message.acknowledge().unwrap();
                kinds.push("message");
                channel.request_disconnect().unwrap();
            }
            Event::Ended(_) => {
                kinds.push("ended");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(kinds, ["subscribed", "message", "ended"]);
    assert!(broker.all_acknowledged());
    drop(channel.close().unwrap());
}

#[test]
fn a_session_can_block_without_an_executor() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let idle = &mut bed.device.idle();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let connecting = bed.open_mqtt().connect(&options()).unwrap();
    let mut channel = microvisor::block_on(idle, connecting.connected()).unwrap();
    let wanted = [subscription("command", QoS::AtLeastOnce)];
    let granted = microvisor::block_on(idle, channel.subscribe(&wanted, &mut inbox, |_| ())).unwrap();
    assert!(granted.iter().all(|outcome| outcome.is_granted()));
    broker.publish("command", "stop", 1);
    let Event::Message(message) = microvisor::block_on(idle, channel.event(&mut inbox)).unwrap() else {
        panic!("a message")
    };
    message.acknowledge().unwrap();
    let reading = publish("sensor", b"1", QoS::AtLeastOnce);
    let verdict = microvisor::block_on(idle, channel.publish(&reading, &mut inbox, |_| ()));
    assert_eq!(verdict, Ok(Some(ReasonCode::SUCCESS)));
    let (channel, _) = microvisor::block_on(idle, channel.disconnect(&mut inbox, |_| ())).unwrap();
    drop(channel.close().unwrap());
    assert!(broker.all_acknowledged());
}
