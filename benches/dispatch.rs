//! A burst of four notifications, and an interrupt for each: by the library, which wakes who waits,
//! and by a bare handler, which counts. Both poll the network's status once.

mod raw_calls;

use std::hint::black_box;
use std::task::{Context, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use microvisor::{Network, NotificationCenter, sys};
use microvisor_sim::{Device, NetworkPlan};
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
            burst(raw.center);
            black_box((status, raw.taken.get()))
        });
    });
    drop(raw);

    let device = Device::builder().network(NetworkPlan::never()).boot();
    device.bind_interrupt(52, || CENTER.on_interrupt());
    let notifications = CENTER.open().expect("the centre opens");
    let center = handle_of_the_centre(&device);
    let mut network = Network::request(&notifications).expect("the network can be requested");
    group.bench_function("library", |bencher| {
        bencher.iter(|| {
            let mut context = Context::from_waker(Waker::noop());
            black_box(network.poll_connected(&mut context).is_ready());
            burst(center);
        });
    });
    group.finish();
}

/// The library keeps it to itself; the call log has it.
fn handle_of_the_centre(device: &Device) -> u32 {
    let trace = device.trace();
    let line = trace.iter().find(|line| line.contains("mvSetupNotifications")).expect("the call is logged");
    let digits: String =
        line.rsplit("0x").next().expect("a handle").chars().take_while(char::is_ascii_hexdigit).collect();
    u32::from_str_radix(&digits, 16).expect("a hex number")
}

fn burst(center: u32) {
    for _ in 0..BURST {
        // SAFETY: the call takes no pointers.
        check(unsafe { sys::mvTempTriggerNotification(center, sys::MV_EVENTTYPE_NETWORKSTATUSCHANGED, 0) });
    }
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
