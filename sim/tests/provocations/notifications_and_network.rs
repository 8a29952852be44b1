use std::ptr::{null, null_mut};

use microvisor::sys;
use microvisor_sim::{Fault, WallClock};

use super::{NOTHING, rows};
use crate::raw::{Bench, call, network_params, ring, setup};

fn try_setup(irq: u32, ring: *mut sys::MvNotification, size: u32) -> sys::MvStatus {
    let setup = sys::MvNotificationSetup { irq, buffer: ring, buffer_size: size };
    call!(mvSetupNotifications(&setup, &mut 0))
}

fn without_a_date() -> sys::MvStatus {
    let bench = Bench::with(|builder| builder.wall_clock(WallClock::never_set(0)));
    let status = call!(mvGetWallTime(&mut 0));
    drop(bench);
    status
}

/// The bench has one centre; the platform has 32.
fn one_center_too_many() -> sys::MvStatus {
    for irq in 0..31 {
        assert_eq!(try_setup(irq, ring(2), 32), sys::MV_STATUS_OKAY);
    }
    try_setup(50, ring(2), 32)
}

rows! {
    mvGetDeviceId PARAMETERFAULT "the buffer is NULL" => |_bench| call!(mvGetDeviceId(null_mut(), 34));
    mvGetDeviceId INVALIDBUFFERSIZE "the buffer has room for a NUL" => |_bench| {
        call!(mvGetDeviceId([0; 35].as_mut_ptr(), 35))
    };
    mvGetMicroseconds PARAMETERFAULT "the output is NULL" => |_bench| call!(mvGetMicroseconds(null_mut()));
    mvGetWallTime PARAMETERFAULT "the output is NULL" => |_bench| call!(mvGetWallTime(null_mut()));
    mvGetWallTime TIMENOTSET "the clock was never set" => |bench| {
        // This row needs another device; the thread can have one.
        let status = std::thread::spawn(without_a_date).join().expect("no panic");
        assert!(bench.misuse().is_empty());
        status
    };
    mvSetupNotifications PARAMETERFAULT "the ring is NULL" => |_bench| try_setup(51, null_mut(), 32);
    mvSetupNotifications INVALIDBUFFERSIZE "the ring has one record" => |_bench| try_setup(51, ring(2), 16);
    mvSetupNotifications BUFFERALREADYINUSE "the ring is that of another centre" => |bench| {
        try_setup(51, bench.ring, 32)
    };
    mvSetupNotifications INVALIDINTERRUPT "the interrupt is that of another centre" => |_bench| {
        call!(mvSetupNotifications(&setup(41, ring(2), 2), &mut 0))
    };
    mvSetupNotifications TOOMANYNOTIFICATIONBUFFERS "a 33rd centre" => |_bench| one_center_too_many();
    mvCloseNotifications PARAMETERFAULT "the handle's address is NULL" => |_bench| {
        call!(mvCloseNotifications(null_mut()))
    };
    mvCloseNotifications INVALIDHANDLE "the centre is closed already" => |bench| {
        let mut handle = bench.center;
        assert_eq!(call!(mvCloseNotifications(&mut handle)), sys::MV_STATUS_OKAY);
        handle = bench.center;
        call!(mvCloseNotifications(&mut handle))
    };
    mvRequestNetwork PARAMETERFAULT "the parameters are NULL" => |_bench| {
        call!(mvRequestNetwork(null(), &mut 0))
    };
    mvRequestNetwork UNSUPPORTEDSTRUCTUREVERSION "the parameters have version 2" => |bench| {
        call!(mvRequestNetwork(&network_params(2, bench.center), &mut 0))
    };
    mvReleaseNetwork PARAMETERFAULT "the handle's address is NULL" => |_bench| {
        call!(mvReleaseNetwork(null_mut()))
    };
    mvReleaseNetwork INVALIDHANDLE "the handle names nothing" => |_bench| {
        call!(mvReleaseNetwork(&mut NOTHING.clone()))
    };
    mvReleaseNetwork UNSUPPORTEDSTRUCTUREVERSION "only a broken kernel: the call has no structure (injected)" =>
    |bench| {
        let unsupported = sys::MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION;
        bench.device.inject(Fault::call("mvReleaseNetwork").status(unsupported));
        call!(mvReleaseNetwork(&mut bench.network.clone()))
    };
    mvGetNetworkStatus PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvGetNetworkStatus(bench.network, null_mut()))
    };
    mvGetNetworkStatus INVALIDHANDLE "the handle is that of a notification centre" => |bench| {
        call!(mvGetNetworkStatus(bench.center, &mut 0))
    };
    mvGetNetworkReasons PARAMETERFAULT "the second output is NULL" => |_bench| {
        call!(mvGetNetworkReasons(&mut 0, null_mut()))
    };
}
