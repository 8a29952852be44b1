//! Registers, clocks, fast interrupts, power, and what this board does not have.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::Device;
use raw::{Bench, call};

const OKAY: u32 = sys::MV_STATUS_OKAY;
const UNAVAILABLE: u32 = sys::MV_STATUS_UNAVAILABLE;

/// RCC AHB2ENR1, where bit 0 is the clock of GPIOA.
const CLOCK_ENABLE: u32 = 0x4602_0c8c;

#[test]
fn all_clocks_run_at_160_mhz() {
    let _device = Device::builder().boot();
    let mut hz = [0; 4];
    assert_eq!(call!(mvGetSysClk(&mut hz[0])), OKAY);
    assert_eq!(call!(mvGetHClk(&mut hz[1])), OKAY);
    assert_eq!(call!(mvGetPClk1(&mut hz[2])), OKAY);
    assert_eq!(call!(mvGetPClk2(&mut hz[3])), OKAY);
    assert_eq!(hz, [160_000_000; 4]);
}

#[test]
fn a_poke_clears_the_mask_and_then_flips() {
    let device = Device::builder().boot();
    device.set_register(CLOCK_ENABLE, 0b1111);
    assert_eq!(call!(mvPeriphPoke32(CLOCK_ENABLE, 0b0011, 0b0101)), OKAY);
    let mut value = 0;
    assert_eq!(call!(mvPeriphPeek32(CLOCK_ENABLE, &mut value)), OKAY);
    assert_eq!(value, 0b1001);
    assert_eq!(device.register(CLOCK_ENABLE), 0b1001);
}

#[test]
fn only_registers_of_peripherals_can_be_reached() {
    let device = Device::builder().boot();
    for register in [0x2000_0000, 0x6000_0000, CLOCK_ENABLE + 2] {
        assert_eq!(call!(mvPeriphPoke32(register, 0, 1)), sys::MV_STATUS_PERIPHERALACCESSFAULT);
    }
    let nowhere = std::ptr::null_mut();
    assert_eq!(call!(mvPeriphPeek32(CLOCK_ENABLE, nowhere)), sys::MV_STATUS_PERIPHERALACCESSFAULT);
    assert_eq!(device.take_misuse().len(), 4);
}

#[test]
fn a_fast_interrupt_needs_a_handler_and_to_be_set() {
    let device = Device::builder().boot();
    assert_eq!(call!(mvSetFastInterrupt(10)), sys::MV_STATUS_INVALIDVECTOR);
    assert_eq!(call!(mvEnableFastInterrupt(10)), sys::MV_STATUS_INVALIDINTERRUPT);
    assert_eq!(call!(mvSetFastInterrupt(200)), sys::MV_STATUS_INVALIDINTERRUPT);
    device.bind_interrupt(10, || ());
    assert_eq!(call!(mvSetFastInterrupt(10)), OKAY);
    assert_eq!(call!(mvEnableFastInterrupt(10)), OKAY);
    assert_eq!(call!(mvDisableFastInterrupt(10)), OKAY);
    assert_eq!(call!(mvEnableAllFastInterrupts()), OKAY);
    assert_eq!(call!(mvDisableAllFastInterrupts()), OKAY);
    assert_eq!(call!(mvClearFastInterrupt(10)), OKAY);
    assert_eq!(call!(mvDisableFastInterrupt(10)), sys::MV_STATUS_INVALIDINTERRUPT);
}

#[test]
fn power_saving_waits_for_the_next_event() {
    let device = Device::builder().boot();
    device.at(Duration::from_secs(3), |_| ());
    assert_eq!(call!(mvPowerSave(sys::MV_POWERSAVINGMODE_STOP2)), OKAY);
    assert_eq!(device.now(), Duration::from_secs(3));
    assert_eq!(call!(mvPowerSave(9)), sys::MV_STATUS_PARAMETERFAULT);
    assert_eq!(device.take_misuse().len(), 1);
}

#[test]
fn the_processor_cannot_rest_while_the_network_is_wanted() {
    let _bench = Bench::new();
    assert_eq!(call!(mvPowerSave(sys::MV_POWERSAVINGMODE_SLEEP)), sys::MV_STATUS_MICROVISORBUSY);
    assert_eq!(call!(mvDeepSleep(sys::MV_DEEPSLEEPMODE_STANDBY)), sys::MV_STATUS_MICROVISORBUSY);
}

#[test]
fn system_calls_for_the_main_program_refuse_interrupt_handlers() {
    let bench = Bench::new();
    bench.device.bind_interrupt(7, || {
        assert_eq!(call!(mvGetWakeReason(&mut 0)), UNAVAILABLE);
        assert_eq!(call!(mvSystemLedEnable(1)), UNAVAILABLE);
        assert_eq!(call!(mvGetMicroseconds(&mut 0)), OKAY);
    });
    bench.device.trigger_interrupt(7);
    assert_eq!(call!(mvSystemLedEnable(1)), OKAY);
    assert_eq!(bench.misuse().len(), 2);
}

#[test]
fn channels_that_cannot_be_opened_have_no_handles() {
    let bench = Bench::new();
    for channel_type in [sys::MV_CHANNELTYPE_HTTP, sys::MV_CHANNELTYPE_OPAQUEBYTES] {
        assert_eq!(bench.try_open(|params| params.channel_type = channel_type), Err(UNAVAILABLE));
    }
    let channel = bench.mqtt();
    let (mut data, mut count) = ([0_u8; 8], 0);
    let mut response = sys::MvHttpResponseData { result: 0, status_code: 0, num_headers: 0, body_length: 0 };
    let answers = [
        call!(mvWriteChannel(channel, data.as_ptr(), 8, &mut count)),
        call!(mvWriteChannelStream(channel, data.as_ptr(), 8, &mut count)),
        call!(mvReadChannel(channel, &mut std::ptr::null_mut(), &mut count)),
        call!(mvReadChannelComplete(channel, 0)),
        call!(mvSendHttpRequest(channel, std::ptr::null())),
        call!(mvReadHttpResponseData(channel, &mut response)),
        call!(mvReadHttpResponseHeader(channel, 0, data.as_mut_ptr(), 8)),
        call!(mvReadHttpResponseBody(channel, 0, data.as_mut_ptr(), 8)),
    ];
    assert_eq!(answers, [sys::MV_STATUS_INVALIDHANDLE; 8]);
    assert_eq!(bench.misuse().len(), 8);
}

#[test]
fn there_is_no_external_flash_no_wifi_and_no_test_harness() {
    let _device = Device::builder().boot();
    let mut handle = 0;
    let answers = [
        call!(mvExternalFlashOpen(&mut handle)),
        call!(mvExternalFlashClose(&mut handle)),
        call!(mvExternalFlashGetInfo(1, std::ptr::null_mut())),
        call!(mvExternalFlashReadBlocking(1, 0, 0, std::ptr::null_mut())),
        call!(mvExternalFlashWriteBlocking(1, 0, 0, std::ptr::null())),
        call!(mvExternalFlashEraseBlocking(1, 0, 4096)),
        call!(mvSetWifiConfig(std::ptr::null())),
        call!(mvGetWifiConfig(std::ptr::null())),
        call!(mvTestingComplete(0)),
        call!(mvTestLoggingInit(std::ptr::null_mut(), 0)),
        call!(mvTestLog(std::ptr::null(), 0)),
    ];
    assert_eq!(answers, [UNAVAILABLE; 11]);
}
