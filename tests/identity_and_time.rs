//! What a device says about itself, and about the time.

use std::mem::MaybeUninit;
use std::time::Duration;

use microvisor::aws::Topics;
use microvisor::clock::{self, ClockError, WallTime};
use microvisor::{DeviceId, DeviceIdError, Recovery, Status, sys};
use microvisor_sim::{Device, Fault, WallClock};

const ID: &str = "UV00112233445566778899aabbccddeeff";
/// 2026-07-01, 00:00:00 UTC.
const UNIX_SECONDS: u64 = 1_782_864_000;

#[test]
fn the_kernel_tells_the_device_id() {
    let _device = Device::builder().device_id(ID).boot();
    assert_eq!(DeviceId::read().map(|id| id.to_string()).as_deref(), Ok(ID));
    assert_eq!(DeviceId::read(), DeviceId::parse(ID));
}

#[test]
fn the_kernel_writes_the_device_id_into_its_topics() {
    let device = Device::builder().device_id(ID).boot();
    let mut place = MaybeUninit::uninit();
    let topics = Topics::read_into(&mut place).expect("the kernel answers");
    let expected = Topics::new(&DeviceId::parse(ID).expect("an id"));
    assert_eq!(format!("{topics:?}"), format!("{expected:?}"));
    assert_eq!(topics.id(), expected.id());
    device.inject(Fault::call("mvGetDeviceId").status(sys::MV_STATUS_PARAMETERFAULT));
    let refused = Topics::read_into(&mut place).map(Topics::id);
    assert_eq!(refused, Err(DeviceIdError::Kernel(Status::PARAMETER_FAULT)));
}

#[test]
fn a_refused_device_id_keeps_the_status() {
    for raw in [sys::MV_STATUS_PARAMETERFAULT, sys::MV_STATUS_INVALIDBUFFERSIZE, 4_711] {
        let device = Device::builder().boot();
        device.inject(Fault::call("mvGetDeviceId").status(raw));
        let error = DeviceId::read().expect_err("the kernel refuses");
        assert!(matches!(error, DeviceIdError::Kernel(status) if status.raw() == raw));
        assert_eq!(error.recovery(), Recovery::GiveUp);
        assert!(DeviceId::read().is_ok());
    }
}

#[test]
fn what_is_no_device_id_is_not_taken_from_the_kernel_either() {
    let device = Device::builder().device_id("UV0123456789abcdef0123456789abcdeg").boot();
    assert_eq!(DeviceId::read(), Err(DeviceIdError::Malformed { at: 33 }));
    // A kernel that succeeds without writing.
    device.inject(Fault::call("mvGetDeviceId").status(sys::MV_STATUS_OKAY));
    assert_eq!(DeviceId::read(), Err(DeviceIdError::Malformed { at: 0 }));
}

#[test]
fn uptime_runs_with_the_kernel() {
    let device = Device::builder().boot();
    for _ in 0..3 {
        device.advance(Duration::from_micros(1_234_567));
        // A system call takes a little time itself.
        let before = device.now();
        let readings = [clock::uptime(), clock::uptime_micros().map(Duration::from_micros), Ok(device.now())];
        let readings = readings.map(|reading| reading.expect("a time"));
        assert!(before <= readings[0] && readings.is_sorted(), "{readings:?}");
    }
}

#[test]
fn a_wall_clock_that_is_not_set_is_an_answer() {
    let clock = WallClock::set_after(UNIX_SECONDS, Duration::from_secs(2));
    let device = Device::builder().wall_clock(clock).boot();
    assert_eq!(clock::wall_time(), Ok(WallTime::NotSet));
    assert_eq!(WallTime::NotSet.since_epoch(), None);
    device.advance(Duration::from_secs(3));
    let time = clock::wall_time().expect("a time").since_epoch().expect("it is set");
    assert_eq!(time.as_secs(), UNIX_SECONDS + 3);
}

#[test]
fn a_clock_that_cannot_be_read_keeps_the_status() {
    let device = Device::builder().boot();
    let error = Err(ClockError::Kernel(Status::PARAMETER_FAULT));
    device.inject(Fault::call("mvGetMicroseconds").status(sys::MV_STATUS_PARAMETERFAULT));
    assert_eq!(clock::uptime_micros(), error);
    device.inject(Fault::call("mvGetWallTime").status(sys::MV_STATUS_PARAMETERFAULT));
    assert_eq!(clock::wall_time().map(|_| 0), error);
    assert_eq!(error.map_err(ClockError::recovery), Err(Recovery::GiveUp));
}
