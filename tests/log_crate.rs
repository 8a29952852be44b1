//! The server log behind the `log` crate, which has one logger for the whole program: so there is one
//! test here.
#![cfg(feature = "log")]

use microvisor::{KernelMemory, ServerLog, kernel_memory};
use microvisor_sim::{Device, NetworkPlan};

#[test]
fn records_up_to_the_level_are_logged_as_lines() {
    static MEMORY: KernelMemory<1024> = kernel_memory!(1024);

    let device = Device::builder().network(NetworkPlan::connected_at_boot()).boot();
    let log = ServerLog::start(MEMORY.take().expect("free")).expect("the log starts");
    log.install(log::LevelFilter::Info).expect("the first logger");
    assert!(log.install(log::LevelFilter::Trace).is_err(), "there is one already");

    let degrees = 21;
    log::info!(target: "thermometer", "it is {degrees} °C");
    log::debug!(target: "thermometer", "not of interest");
    log::error!(target: "thermometer", "{}", "x".repeat(300));

    let lines = device.server_log();
    assert_eq!(lines.first().map(String::as_str), Some("INFO thermometer: it is 21 °C"));
    assert_eq!(lines[1..].concat(), format!("ERROR thermometer: {}", "x".repeat(300)));
}
