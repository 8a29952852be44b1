//! A burst of four notifications, and an interrupt for each: by the library, which wakes who waits,
//! and by a bare handler, which counts. Both poll the network's status once.

mod raw_calls;

use std::hint::black_box;
use std::task::{Context, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use microvisor::{Network, NotificationCenter, sys};
use microvisor_sim::{Device, NetworkPlan, NetworkStatus};
use raw_calls::{RawDevice, check};

const BURST: u32 = 4;

static CENTER: NotificationCenter<8> = NotificationCenter::new(52);

fn dispatch(criterion: &mut Criterion) {
    let raw = RawDevice::boot(Device::builder().network(NetworkPlan::never()));
    let mut group = criterion.benchmark_group("dispatch");
    group.bench_function("raw calls", |bencher| {
        bencher.iter(|| {
            let mut status = 0;
            // SAFETY: the pointer is to a local, for the duration of the call.
            check(unsafe { sys::mvGetNetworkStatus(raw.network, &raw mut status) });
            burst(&raw.device);
            black_box((status, raw.taken.get()))
        });
    });
    drop(raw);

    let device = Device::builder().network(NetworkPlan::never()).boot();
    device.bind_interrupt(52, || CENTER.on_interrupt());
    let notifications = CENTER.open().expect("the centre opens");
    let mut network = Network::request(&notifications).expect("the network can be requested");
    group.bench_function("library", |bencher| {
        bencher.iter(|| {
            let mut context = Context::from_waker(Waker::noop());
            black_box(network.poll_connected(&mut context).is_ready());
            burst(&device);
        });
    });
    group.finish();
}

/// Four changes of the network, each with a notification and its interrupt.
fn burst(device: &Device) {
    for _ in 0..BURST / 2 {
        device.set_network(NetworkStatus::DisconnectedWithLinkUp);
        device.set_network(NetworkStatus::Connecting);
    }
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
