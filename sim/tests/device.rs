//! The device itself: time, sleeping, and its end.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use embedded_hal_async::delay::DelayNs;
use microvisor::sys;
use microvisor_sim::{Device, End, NetworkStatus};
use raw::{Bench, call, ring, setup};

/// What a panic said.
fn message(result: std::thread::Result<()>) -> String {
    let panic = result.expect_err("a panic");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| (*panic.downcast_ref::<&str>().expect("text")).to_owned())
}

#[test]
fn virtual_time_costs_no_real_time() {
    let started = Instant::now();
    let device = Device::builder().boot();
    device.block_on(async { device.delay().delay_ms(u32::MAX).await });
    device.advance(Duration::from_hours(365 * 24));
    assert_eq!(device.now(), Duration::from_millis(u64::from(u32::MAX)) + Duration::from_hours(365 * 24));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_system_call_takes_three_microseconds() {
    let device = Device::builder().boot();
    let mut micros = 0;
    for expected in [0, 3, 6] {
        assert_eq!(call!(mvGetMicroseconds(&mut micros)), sys::MV_STATUS_OKAY);
        assert_eq!(micros, expected);
    }
    assert_eq!(device.now(), Duration::from_micros(9));
}

#[test]
fn busy_waiting_gets_there_too() {
    let device = Device::builder().boot();
    device.at(Duration::from_millis(1), |device| device.set_network(NetworkStatus::Connected));
    while device.network() != NetworkStatus::Connected {
        assert_eq!(call!(mvNoOp()), sys::MV_STATUS_OKAY);
    }
    assert!(device.now() < Duration::from_millis(2));
}

#[test]
fn actions_run_in_order_and_may_plan_others() {
    let device = Device::builder().boot();
    let log = Rc::new(RefCell::new(Vec::new()));
    for (at, name) in [(2, "b"), (1, "a"), (2, "c")] {
        let log = log.clone();
        device.at(Duration::from_secs(at), move |device| {
            log.borrow_mut().push((device.now().as_secs(), name));
            let log = log.clone();
            let again = device.now() + Duration::from_secs(5);
            device.at(again, move |device| log.borrow_mut().push((device.now().as_secs(), name)));
        });
    }
    device.run_until_idle();
    assert_eq!(*log.borrow(), [(1, "a"), (2, "b"), (2, "c"), (6, "a"), (7, "b"), (7, "c")]);
}

#[test]
fn delays_end_in_order_of_their_time() {
    let device = Device::builder().boot();
    let log = RefCell::new(Vec::new());
    let wait = async |ms| {
        device.delay().delay_ms(ms).await;
        log.borrow_mut().push(ms);
    };
    device.block_on(async {
        let mut waits = [Box::pin(wait(30)), Box::pin(wait(10)), Box::pin(wait(20))].map(Some);
        poll_fn(|context| {
            for slot in &mut waits {
                if slot.as_mut().is_some_and(|wait| wait.as_mut().poll(context).is_ready()) {
                    *slot = None;
                }
            }
            if waits.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
    assert_eq!(*log.borrow(), [10, 20, 30]);
}

#[test]
fn a_delay_that_is_dropped_keeps_nobody_awake() {
    let device = Device::builder().boot();
    let mut delay = device.delay();
    let mut wait = Box::pin(delay.delay_ms(1000));
    let mut context = std::task::Context::from_waker(Waker::noop());
    assert!(wait.as_mut().poll(&mut context).is_pending());
    drop(wait);
    device.run_until_idle();
    assert_eq!(device.now(), Duration::ZERO);
}

#[test]
fn an_interrupt_wakes_the_application() {
    let device = Device::builder().boot();
    let woken = Rc::new(Cell::new(false));
    let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
    let (flag, slot) = (woken.clone(), waker.clone());
    device.bind_interrupt(41, move || {
        flag.set(true);
        if let Some(waker) = slot.borrow_mut().take() {
            waker.wake();
        }
    });
    device.at(Duration::from_secs(1), |device| device.trigger_interrupt(41));
    device.block_on(poll_fn(|context| {
        if woken.get() {
            return Poll::Ready(());
        }
        *waker.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }));
    assert_eq!(device.now(), Duration::from_secs(1));
}

#[test]
fn an_action_may_run_a_future_of_its_own() {
    let device = Device::builder().boot();
    device.at(Duration::from_secs(1), |device| {
        let mut delay = device.delay();
        device.block_on(async { delay.delay_ms(5_000).await });
    });
    // Its delay ends while the action still waits for its own.
    device.block_on(async { device.delay().delay_ms(3_000).await });
    assert_eq!(device.now(), Duration::from_secs(6));
}

#[test]
fn sleeping_for_ever_panics_and_names_the_state() {
    let bench = Bench::new();
    bench.connected();
    let mut handle = 0;
    let status = call!(mvSetupNotifications(&setup(50, ring(2), 2), &mut handle));
    assert_eq!(status, sys::MV_STATUS_OKAY);
    let said = message(catch_unwind(AssertUnwindSafe(|| bench.device.block_on(std::future::pending()))));
    assert!(said.contains("sleeps for ever"), "{said}");
    assert!(said.contains("network: CONNECTED, 1 request(s) for it"), "{said}");
    assert!(said.contains("MQTT channel, connected"), "{said}");
    assert!(said.contains("interrupt 41 is pending, but has no handler"), "{said}");
}

#[test]
fn a_panic_in_a_handler_goes_on_when_the_application_sleeps() {
    let bench = Bench::new();
    bench.device.bind_interrupt(41, || panic!("the handler fails"));
    let status = call!(mvTempTriggerNotification(bench.center, sys::MV_EVENTTYPE_CHANNELDATAREADABLE, 1));
    assert_eq!(status, sys::MV_STATUS_OKAY, "what unwound through C would abort");
    let said = message(catch_unwind(AssertUnwindSafe(|| bench.device.advance(Duration::from_secs(1)))));
    assert_eq!(said, "the handler fails");
}

#[test]
fn a_panic_in_a_handler_goes_on_at_the_end_at_the_latest() {
    let said = message(catch_unwind(|| {
        let bench = Bench::new();
        bench.device.bind_interrupt(41, || panic!("the handler fails"));
        call!(mvTempTriggerNotification(bench.center, sys::MV_EVENTTYPE_CHANNELDATAREADABLE, 1));
    }));
    assert_eq!(said, "the handler fails");
}

#[test]
fn misuse_that_nobody_asked_for_panics_at_the_end() {
    let said = message(catch_unwind(|| {
        let _device = Device::builder().boot();
        call!(mvGetMicroseconds(std::ptr::null_mut()));
    }));
    assert!(said.contains("the application misused the kernel"), "{said}");
    assert!(said.contains("[  0.000000] mvGetMicroseconds: ms is NULL"), "{said}");
    // The thread can have another device after that.
    let device = Device::builder().boot();
    call!(mvGetMicroseconds(std::ptr::null_mut()));
    assert_eq!(device.misuse().len(), 1);
    assert_eq!(device.take_misuse().len(), 1);
    assert_eq!(device.misuse(), []);
}

#[test]
fn a_thread_has_one_device_at_a_time() {
    let first = Device::builder().boot();
    let said = message(catch_unwind(|| drop(Device::builder().boot())));
    assert!(said.contains("this thread has a device already"), "{said}");
    drop(first);
    drop(Device::builder().boot());
}

#[test]
fn threads_have_devices_of_their_own() {
    let ids: Vec<_> = (0..8_u64)
        .map(|seed| {
            std::thread::spawn(move || {
                let device = Device::builder().seed(seed).boot();
                let mut id = [0; 34];
                for _ in 0..=seed {
                    assert_eq!(call!(mvGetDeviceId(id.as_mut_ptr(), 34)), sys::MV_STATUS_OKAY);
                }
                assert_eq!(device.calls(), seed + 1);
                id
            })
        })
        .map(|thread| thread.join().expect("no panic"))
        .collect();
    assert!(ids.iter().all(|id| id.starts_with(b"UV")));
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_device_id_can_be_chosen() {
    let _device = Device::builder().device_id("UV0123456789abcdef0123456789abcdef").boot();
    let mut id = [0; 34];
    assert_eq!(call!(mvGetDeviceId(id.as_mut_ptr(), 34)), sys::MV_STATUS_OKAY);
    assert_eq!(&id, b"UV0123456789abcdef0123456789abcdef");
}

#[test]
fn after_a_restart_or_deep_sleep_nothing_works_any_more() {
    let device = Device::builder().boot();
    assert_eq!(device.ended(), None);
    assert_eq!(call!(mvRestart(sys::MV_RESTARTMODE_AUTOAPPLYUPDATE)), sys::MV_STATUS_OKAY);
    assert_eq!(device.ended(), Some(End::Restart));
    assert_eq!(call!(mvNoOp()), sys::MV_STATUS_UNAVAILABLE);
    let said = message(catch_unwind(AssertUnwindSafe(|| device.block_on(std::future::pending()))));
    assert!(said.contains("the application has ended itself: Restart"), "{said}");
    drop(device);
    let device = Device::builder().boot();
    assert_eq!(call!(mvDeepSleep(sys::MV_DEEPSLEEPMODE_SHUTDOWN)), sys::MV_STATUS_OKAY);
    assert_eq!(device.ended(), Some(End::DeepSleep(sys::MV_DEEPSLEEPMODE_SHUTDOWN)));
}
