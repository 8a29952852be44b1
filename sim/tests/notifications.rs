//! Rings, interrupts, and what happens to an application that is late.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use microvisor::sys;
use microvisor_sim::{Device, Fault, NetworkPlan};
use raw::{Bench, call, clear, network_params, record, ring, setup};

const READABLE: u32 = sys::MV_EVENTTYPE_CHANNELDATAREADABLE;

fn center(irq: u32, ring: *mut sys::MvNotification, records: u32) -> u32 {
    let mut handle = 0;
    assert_eq!(call!(mvSetupNotifications(&setup(irq, ring, records), &mut handle)), sys::MV_STATUS_OKAY);
    handle
}

fn trigger(center: u32, tag: u32) {
    assert_eq!(call!(mvTempTriggerNotification(center, READABLE, tag)), sys::MV_STATUS_OKAY);
}

#[test]
fn records_are_written_round_the_ring_with_time_type_and_tag() {
    let device = Device::builder().boot();
    let ring = ring(2);
    let center = center(41, ring, 2);
    device.advance(Duration::from_secs(3));
    trigger(center, 7);
    let first = record(ring, 0);
    assert_eq!((first.event_type, first.tag), (READABLE, 7));
    assert_eq!(first.microseconds, 3_000_003, "the set-up took 3 µs");
    clear(ring, 0);
    trigger(center, 8);
    clear(ring, 1);
    trigger(center, 9);
    assert_eq!((record(ring, 0).tag, record(ring, 1).tag), (9, 8));
    assert_eq!(device.overruns(), 0);
}

#[test]
fn a_late_application_finds_its_records_overwritten_and_is_out_of_step() {
    let device = Device::builder().boot();
    let ring = ring(2);
    let center = center(41, ring, 2);
    for tag in 1..=3 {
        trigger(center, tag);
    }
    // The third is where the application expects the first; the second comes after it.
    assert_eq!((record(ring, 0).tag, record(ring, 1).tag), (3, 2));
    assert_eq!(device.overruns(), 1);
    assert!(device.trace().iter().any(|line| line.ends_with("tag=3 irq=41, over an unread record")));
}

#[test]
fn garbage_that_the_ring_held_before_is_no_overrun() {
    let device = Device::builder().boot();
    let ring = ring(2);
    // SAFETY: the ring is not the kernel's yet.
    unsafe { ring.cast::<u8>().write_bytes(0xff, 32) };
    let center = center(41, ring, 2);
    trigger(center, 1);
    trigger(center, 2);
    assert_eq!(device.overruns(), 0);
}

#[test]
fn an_interrupt_stays_pending_until_it_has_a_handler() {
    let device = Device::builder().boot();
    let center = center(41, ring(2), 2);
    trigger(center, 1);
    trigger(center, 2);
    let runs = Rc::new(Cell::new(0));
    let counted = runs.clone();
    device.bind_interrupt(41, move || counted.set(counted.get() + 1));
    assert_eq!(runs.get(), 1, "an interrupt is pending or not, whatever the number of records");
    trigger(center, 3);
    assert_eq!(runs.get(), 2);
    device.unbind_interrupt(41);
    trigger(center, 4);
    assert_eq!(runs.get(), 2);
}

#[test]
fn a_handler_may_use_system_calls_and_no_handler_interrupts_another() {
    let device = Device::builder().boot();
    let (first, second) = (center(41, ring(4), 4), center(42, ring(4), 4));
    let order = Rc::new(RefCell::new(Vec::new()));
    let log = order.clone();
    device.bind_interrupt(41, move || {
        log.borrow_mut().push("41 begins");
        trigger(second, 1);
        log.borrow_mut().push("41 ends");
    });
    let log = order.clone();
    device.bind_interrupt(42, move || log.borrow_mut().push("42"));
    trigger(first, 1);
    assert_eq!(*order.borrow(), ["41 begins", "41 ends", "42"]);
}

#[test]
fn a_handler_can_be_bound_anew_from_within_itself() {
    let device = Rc::new(Device::builder().boot());
    let center = center(41, ring(4), 4);
    let runs = Rc::new(Cell::new(0));
    let (weak, counted) = (Rc::downgrade(&device), runs.clone());
    device.bind_interrupt(41, move || {
        let counted = counted.clone();
        weak.upgrade().expect("a device").bind_interrupt(41, move || counted.set(counted.get() + 1));
    });
    trigger(center, 1);
    trigger(center, 2);
    assert_eq!(runs.get(), 1);
}

#[test]
fn an_interrupt_can_be_triggered_from_outside() {
    let device = Device::builder().boot();
    let runs = Rc::new(Cell::new(0));
    let counted = runs.clone();
    device.bind_interrupt(7, move || counted.set(counted.get() + 1));
    device.trigger_interrupt(7);
    assert_eq!(runs.get(), 1);
}

#[test]
fn a_network_that_is_up_already_is_not_announced() {
    let bench = Bench::new();
    bench.settle();
    assert_eq!(bench.events(), []);
    let mut status = 99;
    assert_eq!(call!(mvGetNetworkStatus(bench.network, &mut status)), sys::MV_STATUS_OKAY);
    assert_eq!(status, sys::MV_NETWORKSTATUS_CONNECTED);
}

#[test]
fn a_closed_centre_hears_nothing_and_its_interrupt_is_free() {
    let device = Device::builder().network(NetworkPlan::default()).boot();
    let ring = ring(2);
    let mut handle = center(41, ring, 2);
    assert_eq!(call!(mvRequestNetwork(&network_params(1, handle), &mut 0)), sys::MV_STATUS_OKAY);
    assert_eq!(call!(mvCloseNotifications(&mut handle)), sys::MV_STATUS_OKAY);
    assert_eq!(handle, 0);
    device.advance(Duration::from_secs(1));
    assert_eq!(record(ring, 0).event_type, sys::MV_EVENTTYPE_NOEVENT);
    center(41, ring, 2);
    // The network request tells nobody any more.
    assert_eq!(device.take_misuse().len(), 1);
}

#[test]
fn closing_a_centre_that_is_still_to_be_told_something_is_misuse() {
    let bench = Bench::new();
    let channel = bench.mqtt();
    assert_eq!(call!(mvCloseNotifications(&mut bench.center.clone())), sys::MV_STATUS_OKAY);
    let mut misuse: Vec<_> = bench.misuse().into_iter().map(|misuse| misuse.what).collect();
    misuse.sort();
    assert_eq!(misuse.len(), 2, "{misuse:?}");
    assert!(misuse[0].starts_with("the MQTT channel"), "{misuse:?}");
    assert!(misuse[1].starts_with("the network request"), "{misuse:?}");
    assert!(misuse[1].ends_with("still tells this notification centre what happens to it"), "{misuse:?}");
    bench.close(channel);
}

#[test]
fn closing_a_centre_is_fine_where_nothing_uses_it_or_a_fault_left_something_open() {
    for refuse in [false, true] {
        let bench = Bench::new();
        if refuse {
            bench.device.inject(Fault::call("mvCloseChannel").status(sys::MV_STATUS_MICROVISORBUSY));
        }
        let closed = call!(mvCloseChannel(&mut bench.mqtt()));
        assert_eq!(closed == sys::MV_STATUS_OKAY, !refuse);
        assert_eq!(call!(mvReleaseNetwork(&mut bench.network.clone())), sys::MV_STATUS_OKAY);
        assert_eq!(call!(mvCloseNotifications(&mut bench.center.clone())), sys::MV_STATUS_OKAY);
        assert_eq!(bench.misuse(), []);
    }
}

#[test]
fn system_notifications_tell_of_updates() {
    let bench = Bench::new();
    let params = sys::MvOpenSystemNotificationParams {
        notification_handle: bench.center,
        notification_tag: 5,
        notification_source: sys::MV_SYSTEMNOTIFICATIONSOURCE_UPDATE,
    };
    let mut handle = 0;
    assert_eq!(call!(mvOpenSystemNotification(&params, &mut handle)), sys::MV_STATUS_OKAY);
    bench.device.download_update();
    assert_eq!(bench.events(), [(sys::MV_EVENTTYPE_UPDATEDOWNLOADED, 5)]);
    assert_eq!(call!(mvCloseSystemNotification(&mut handle)), sys::MV_STATUS_OKAY);
    bench.device.download_update();
    assert_eq!(bench.events(), []);
}
