//! The C symbols.

use std::collections::BTreeSet;

use microvisor::sys;
// The symbols come from this crate.
use microvisor_sim as _;
use serde_json::Value;

/// The address of each named system call, which does not link unless all are exported.
macro_rules! addresses {
    ($($name:ident)*) => {
        &[$((stringify!($name), sys::$name as *const ())),*]
    };
}

fn exported() -> &'static [(&'static str, *const ())] {
    addresses! {
        mvEnableFastInterrupt mvWriteChannelStream mvGetMicroseconds mvGetSysClk mvDisableAllFastInterrupts
        mvGetDeviceId mvWriteChannel mvGetWallTime mvRequestNetwork mvGetChannelClosureReason
        mvCloseNotifications mvSetFastInterrupt mvDisableFastInterrupt mvReadChannelComplete
        mvClearFastInterrupt mvSetupNotifications mvGetPClk1 mvGetPClk2 mvEnableAllFastInterrupts
        mvPeriphPoke32 mvReadChannel mvGetHClk mvOpenChannel mvGetNetworkReasons mvReleaseNetwork mvNoOp
        mvTempTriggerNotification mvGetNetworkStatus mvPeriphPeek32 mvCloseChannel mvSendHttpRequest
        mvReadHttpResponseBody mvReadHttpResponseHeader mvReadHttpResponseData mvServerLoggingInit
        mvServerLog mvSendConfigFetchRequest mvReadConfigFetchResponseData mvReadConfigResponseItem
        mvMqttReadUnsubscribeResponse mvMqttAcknowledgeMessage mvMqttReadDisconnectResponse
        mvMqttRequestDisconnect mvMqttReadConnectResponse mvMqttRequestPublish mvMqttRequestSubscribe
        mvMqttReadPublishResponse mvMqttReceiveLostMessageInfo mvMqttReceiveMessage
        mvMqttGetNextReadableDataType mvMqttRequestUnsubscribe mvMqttRequestConnect
        mvMqttReadSubscribeResponse mvTestingComplete mvTestLog mvTestLoggingInit mvPowerSave
        mvSystemLedEnable mvOpenSystemNotification mvCloseSystemNotification mvDeepSleep mvGetWakeReason
        mvRestart mvExternalFlashClose mvExternalFlashGetInfo mvExternalFlashWriteBlocking
        mvExternalFlashOpen mvExternalFlashEraseBlocking mvExternalFlashReadBlocking mvSetWifiConfig
        mvGetWifiConfig
    }
}

#[test]
fn all_71_system_calls_of_the_table_are_exported() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/microvisor-0.7.0.json");
    let table: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the ABI table")).expect("JSON");
    let functions = table["functions"].as_object().expect("functions");
    // A leftover in the vendor's header, which the platform does not offer.
    let wanted: BTreeSet<_> =
        functions.keys().map(String::as_str).filter(|name| *name != "mvTemporaryStructTest").collect();
    let names: BTreeSet<_> = exported().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, wanted);
    assert_eq!(names.len(), 71);
    let addresses: BTreeSet<_> = exported().iter().map(|(_, address)| *address).collect();
    assert!(addresses.len() > 1 && exported().iter().all(|(_, address)| !address.is_null()));
}

#[test]
fn a_thread_without_a_device_gets_unavailable() {
    // SAFETY: this call has no arguments.
    assert_eq!(unsafe { sys::mvNoOp() }, sys::MV_STATUS_UNAVAILABLE);
    let mut micros = 7;
    // SAFETY: the output is valid for the call.
    assert_eq!(unsafe { sys::mvGetMicroseconds(&raw mut micros) }, sys::MV_STATUS_UNAVAILABLE);
    assert_eq!(micros, 7);
}
