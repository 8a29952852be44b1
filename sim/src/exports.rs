//! The C symbols of the 71 system calls of ABI 0.7.0.
//!
//! # Safety
//!
//! All of them have the contract of the platform. What an argument points to, and what a structure
//! points to, must be valid for the call; the buffers of notification centres and channels until they
//! are closed, and the log buffer for ever (here: until the device is dropped), without anybody else
//! touching them. Addresses that cannot be right are refused, but no more than that can be seen.

#![allow(non_snake_case)] // The platform's names.

use std::cell::Cell;

use microvisor::sys;

use crate::arguments::Argument;
use crate::kernel::{Kernel, Outcome, no_op, not_on_this_board};
use crate::machine::Machine;

macro_rules! export {
    ($(fn $name:ident($($arg:ident: $type:ty),*) => $body:expr;)*) => {
        $(
            /// The system call of that name.
            ///
            /// # Safety
            ///
            /// See the module: the platform's contract.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($arg: $type),*) -> sys::MvStatus {
                let arguments: &[(&str, &dyn Argument)] = &[$((stringify!($arg), &$arg)),*];
                enter(stringify!($name), arguments, $body)
            }
        )*

        /// The names of all system calls.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

/// Hands a system call to the device of this thread.
fn enter(
    name: &'static str,
    arguments: &[(&str, &dyn Argument)],
    body: impl FnOnce(&mut Kernel) -> Outcome,
) -> sys::MvStatus {
    if let Some(machine) = Machine::current() {
        machine.system_call(name, arguments, body)
    } else {
        complain(name);
        sys::MV_STATUS_UNAVAILABLE
    }
}

/// Says once for each thread that it has no device.
fn complain(name: &str) {
    thread_local!(static COMPLAINED: Cell<bool> = const { Cell::new(false) });
    // Without its thread-local memory, the thread is about to end.
    if !COMPLAINED.try_with(|complained| complained.replace(true)).unwrap_or(true) {
        eprintln!(
            "microvisor-sim: {name} was called on a thread without a device; boot one with Device::builder()"
        );
    }
}

export! {
    fn mvEnableFastInterrupt(irqn: u32) => |kernel| kernel.switch_fast_interrupt(irqn, true);
    fn mvWriteChannelStream(handle: u32, data: *const u8, len: u32, written: *mut u32) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvGetMicroseconds(ms: *mut u64) => |kernel| kernel.get_microseconds(ms);
    fn mvGetSysClk(hz: *mut u32) => |kernel| kernel.clock_rate(hz);
    fn mvDisableAllFastInterrupts() => |kernel| kernel.switch_all_fast_interrupts(false);
    fn mvGetDeviceId(buf: *mut u8, len: u32) => |kernel| kernel.get_device_id(buf, len);
    fn mvWriteChannel(handle: u32, data: *const u8, len: u32, available: *mut u32) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvGetWallTime(usec: *mut u64) => |kernel| kernel.get_wall_time(usec);
    fn mvRequestNetwork(params: *const sys::MvRequestNetworkParams, handle: *mut u32) =>
        |kernel| kernel.request_network(params, handle);
    fn mvGetChannelClosureReason(handle: u32, reason_out: *mut sys::MvClosureReason) =>
        |kernel| kernel.get_channel_closure_reason(handle, reason_out);
    fn mvCloseNotifications(handle_in_out: *mut u32) => |kernel| kernel.close_notifications(handle_in_out);
    fn mvSetFastInterrupt(irqn: u32) => |kernel| kernel.set_fast_interrupt(irqn);
    fn mvDisableFastInterrupt(irqn: u32) => |kernel| kernel.switch_fast_interrupt(irqn, false);
    fn mvReadChannelComplete(handle: u32, consumed: u32) => |kernel| kernel.no_such_channel(handle);
    fn mvClearFastInterrupt(irqn: u32) => |kernel| kernel.clear_fast_interrupt(irqn);
    fn mvSetupNotifications(notifications: *const sys::MvNotificationSetup, handle_out: *mut u32) =>
        |kernel| kernel.setup_notifications(notifications, handle_out);
    fn mvGetPClk1(hz: *mut u32) => |kernel| kernel.clock_rate(hz);
    fn mvGetPClk2(hz: *mut u32) => |kernel| kernel.clock_rate(hz);
    fn mvEnableAllFastInterrupts() => |kernel| kernel.switch_all_fast_interrupts(true);
    fn mvPeriphPoke32(reg: u32, mask: u32, xorvalue: u32) => |kernel| kernel.periph_poke(reg, mask, xorvalue);
    fn mvReadChannel(handle: u32, read_pointer_out: *mut *mut u8, length_out: *mut u32) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvGetHClk(hz: *mut u32) => |kernel| kernel.clock_rate(hz);
    fn mvOpenChannel(params: *const sys::MvOpenChannelParams, handle: *mut u32) =>
        |kernel| kernel.open_channel(params, handle);
    fn mvGetNetworkReasons(reasons: *mut sys::MvNetworkReason, request_ref_count: *mut u32) =>
        |kernel| kernel.get_network_reasons(reasons, request_ref_count);
    fn mvReleaseNetwork(handle: *mut u32) => |kernel| kernel.release_network(handle);
    fn mvNoOp() => no_op;
    fn mvTempTriggerNotification(handle: u32, type_: sys::MvEventType, tag: u32) =>
        |kernel| kernel.temp_trigger_notification(handle, type_, tag);
    fn mvGetNetworkStatus(handle: u32, status: *mut sys::MvNetworkStatus) =>
        |kernel| kernel.get_network_status(handle, status);
    fn mvPeriphPeek32(reg: u32, output: *mut u32) => |kernel| kernel.periph_peek(reg, output);
    fn mvCloseChannel(handle: *mut u32) => |kernel| kernel.close_channel(handle);
    fn mvSendHttpRequest(handle: u32, request: *const sys::MvHttpRequest) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvReadHttpResponseBody(handle: u32, offset: u32, buf: *mut u8, size: u32) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvReadHttpResponseHeader(handle: u32, header_index: u32, buf: *mut u8, size: u32) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvReadHttpResponseData(handle: u32, response_data: *mut sys::MvHttpResponseData) =>
        |kernel| kernel.no_such_channel(handle);
    fn mvServerLoggingInit(buffer: *mut u8, length_bytes: u32) =>
        |kernel| kernel.server_logging_init(buffer, length_bytes);
    fn mvServerLog(message: *const u8, length_bytes: u16) => |kernel| kernel.server_log(message, length_bytes);
    fn mvSendConfigFetchRequest(handle: u32, request: *const sys::MvConfigKeyFetchParams) =>
        |kernel| kernel.send_config_fetch_request(handle, request);
    fn mvReadConfigFetchResponseData(handle: u32, response_data: *mut sys::MvConfigResponseData) =>
        |kernel| kernel.read_config_fetch_response_data(handle, response_data);
    fn mvReadConfigResponseItem(handle: u32, params: *const sys::MvConfigResponseReadItemParams) =>
        |kernel| kernel.read_config_response_item(handle, params);
    fn mvMqttReadUnsubscribeResponse(handle: u32, response_data: *const sys::MvMqttUnsubscribeResponse) =>
        |kernel| kernel.mqtt_read_unsubscribe_response(handle, response_data);
    fn mvMqttAcknowledgeMessage(handle: u32, correlation_id: u32) =>
        |kernel| kernel.mqtt_acknowledge_message(handle, correlation_id);
    fn mvMqttReadDisconnectResponse(handle: u32, response_data: *mut sys::MvMqttDisconnectResponse) =>
        |kernel| kernel.mqtt_read_disconnect_response(handle, response_data);
    fn mvMqttRequestDisconnect(handle: u32) => |kernel| kernel.mqtt_request_disconnect(handle);
    fn mvMqttReadConnectResponse(handle: u32, response_data: *mut sys::MvMqttConnectResponse) =>
        |kernel| kernel.mqtt_read_connect_response(handle, response_data);
    fn mvMqttRequestPublish(handle: u32, request: *const sys::MvMqttPublishRequest) =>
        |kernel| kernel.mqtt_request_publish(handle, request);
    fn mvMqttRequestSubscribe(handle: u32, request: *const sys::MvMqttSubscribeRequest) =>
        |kernel| kernel.mqtt_request_subscribe(handle, request);
    fn mvMqttReadPublishResponse(handle: u32, response_data: *mut sys::MvMqttPublishResponse) =>
        |kernel| kernel.mqtt_read_publish_response(handle, response_data);
    fn mvMqttReceiveLostMessageInfo(handle: u32, lost_message_info: *const sys::MvMqttLostMessageInfo) =>
        |kernel| kernel.mqtt_receive_lost_message_info(handle, lost_message_info);
    fn mvMqttReceiveMessage(handle: u32, message_data: *const sys::MvMqttMessage) =>
        |kernel| kernel.mqtt_receive_message(handle, message_data);
    fn mvMqttGetNextReadableDataType(handle: u32, data_type: *mut sys::MvMqttReadableDataType) =>
        |kernel| kernel.mqtt_get_next_readable_data_type(handle, data_type);
    fn mvMqttRequestUnsubscribe(handle: u32, request: *const sys::MvMqttUnsubscribeRequest) =>
        |kernel| kernel.mqtt_request_unsubscribe(handle, request);
    fn mvMqttRequestConnect(handle: u32, request: *const sys::MvMqttConnectRequest) =>
        |kernel| kernel.mqtt_request_connect(handle, request);
    fn mvMqttReadSubscribeResponse(handle: u32, response_data: *const sys::MvMqttSubscribeResponse) =>
        |kernel| kernel.mqtt_read_subscribe_response(handle, response_data);
    fn mvTestingComplete(status: u32) => not_on_this_board;
    fn mvTestLog(message: *const u8, length_bytes: u16) => not_on_this_board;
    fn mvTestLoggingInit(buffer: *mut u8, length_bytes: u32) => not_on_this_board;
    fn mvPowerSave(mode: sys::MvPowerSavingMode) => |kernel| kernel.power_save(mode);
    fn mvSystemLedEnable(enable: u32) => |kernel| kernel.system_led_enable(enable);
    fn mvOpenSystemNotification(params: *const sys::MvOpenSystemNotificationParams, handle: *mut u32) =>
        |kernel| kernel.open_system_notification(params, handle);
    fn mvCloseSystemNotification(handle: *mut u32) => |kernel| kernel.close_system_notification(handle);
    fn mvDeepSleep(mode: sys::MvDeepSleepMode) => |kernel| kernel.deep_sleep(mode);
    fn mvGetWakeReason(mode: *mut sys::MvWakeReason) => |kernel| kernel.get_wake_reason(mode);
    fn mvRestart(mode: sys::MvRestartMode) => |kernel| kernel.restart(mode);
    fn mvExternalFlashClose(handle: *mut u32) => not_on_this_board;
    fn mvExternalFlashGetInfo(handle: u32, info: *mut sys::MvExternalFlashInfo) =>
        not_on_this_board;
    fn mvExternalFlashWriteBlocking(handle: u32, address: u32, length: u32, buffer: *const u8) =>
        not_on_this_board;
    fn mvExternalFlashOpen(handle: *mut u32) => not_on_this_board;
    fn mvExternalFlashEraseBlocking(handle: u32, address: u32, length: u32) =>
        not_on_this_board;
    fn mvExternalFlashReadBlocking(handle: u32, address: u32, length: u32, buffer: *mut u8) =>
        not_on_this_board;
    fn mvSetWifiConfig(params: *const sys::MvWifiConfig) => not_on_this_board;
    fn mvGetWifiConfig(params: *const sys::MvWifiConfigOut) => not_on_this_board;
}
