//! A far end in real time, which the kernel's clock has to follow.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use embedded_hal_async::delay::DelayNs;
use microvisor::sys;
use microvisor_sim::Device;
use microvisor_sim::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};
use raw::{Bench, call, connect_request};

/// Accepts a connection 20 ms after it was asked, by the host's clock.
#[derive(Clone, Default)]
struct RealTime {
    accepts: Rc<Cell<Option<(Instant, u64, LinkId)>>>,
    waited: Rc<Cell<u32>>,
}

impl Broker for RealTime {
    fn connect(&mut self, now: Now, link: LinkId, _: ConnectRequest) {
        self.accepts.set(Some((Instant::now() + Duration::from_millis(20), now.micros, link)));
    }

    fn subscribe(&mut self, _: Now, _: LinkId, _: u32, _: Vec<Subscription>) {}
    fn unsubscribe(&mut self, _: Now, _: LinkId, _: u32, _: Vec<Vec<u8>>) {}
    fn publish(&mut self, _: Now, _: LinkId, _: u32, _: Publish) {}
    fn acknowledge(&mut self, _: Now, _: LinkId, _: u32) {}
    fn disconnect(&mut self, _: Now, _: LinkId) {}
    fn abandon(&mut self, _: Now, _: LinkId) {}

    fn next_event_at(&self) -> Option<u64> {
        let (due, asked, _) = self.accepts.get()?;
        (Instant::now() >= due).then_some(asked)
    }

    fn take_event(&mut self, _: Now) -> Option<(LinkId, BrokerEvent)> {
        let (_, _, link) = self.accepts.take()?;
        Some((link, BrokerEvent::Connected { state: 0, reason: 0 }))
    }

    fn is_real_time(&self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Duration) {
        self.waited.set(self.waited.get() + 1);
        let due = self.accepts.get().map(|(due, ..)| due.saturating_duration_since(Instant::now()));
        std::thread::sleep(due.map_or(timeout, |due| due.min(timeout)));
    }
}

#[test]
fn the_kernel_waits_for_the_broker_in_real_time() {
    let broker = RealTime::default();
    let bench = Bench::with(|builder| builder.broker(broker.clone()));
    let channel = bench.mqtt();
    let started = Instant::now();
    assert_eq!(call!(mvMqttRequestConnect(channel, &connect_request())), sys::MV_STATUS_OKAY);
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_NONE);
    bench.device.advance(Duration::from_millis(40));
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE);
    assert!(broker.waited.get() > 0);
}

#[test]
fn delays_and_the_date_are_real() {
    let device = Device::builder().broker(RealTime::default()).boot();
    let started = Instant::now();
    device.block_on(async { device.delay().delay_ms(10).await });
    assert!(started.elapsed() >= Duration::from_millis(10));
    assert!(device.now() >= Duration::from_millis(10));
    device.set_network(microvisor_sim::NetworkStatus::Connected);
    let mut micros = 0;
    assert_eq!(call!(mvGetWallTime(&mut micros)), sys::MV_STATUS_OKAY);
    let host = SystemTime::now().duration_since(UNIX_EPOCH).expect("a date after 1970");
    assert!(host.as_secs().abs_diff(micros / 1_000_000) <= 2);
}

/// A broker that looks at the device while it is asked.
struct Curious;

impl Broker for Curious {
    fn connect(&mut self, now: Now, _: LinkId, _: ConnectRequest) {
        let mut micros = 0;
        assert_eq!(call!(mvGetMicroseconds(&mut micros)), sys::MV_STATUS_OKAY);
        assert!(micros >= now.micros);
    }

    fn subscribe(&mut self, _: Now, _: LinkId, _: u32, _: Vec<Subscription>) {}
    fn unsubscribe(&mut self, _: Now, _: LinkId, _: u32, _: Vec<Vec<u8>>) {}
    fn publish(&mut self, _: Now, _: LinkId, _: u32, _: Publish) {}
    fn acknowledge(&mut self, _: Now, _: LinkId, _: u32) {}
    fn disconnect(&mut self, _: Now, _: LinkId) {}
    fn abandon(&mut self, _: Now, _: LinkId) {}

    fn next_event_at(&self) -> Option<u64> {
        None
    }

    fn take_event(&mut self, _: Now) -> Option<(LinkId, BrokerEvent)> {
        None
    }
}

#[test]
fn a_broker_may_use_system_calls() {
    let bench = Bench::with(|builder| builder.broker(Curious));
    assert_eq!(call!(mvMqttRequestConnect(bench.mqtt(), &connect_request())), sys::MV_STATUS_OKAY);
    bench.settle();
}
