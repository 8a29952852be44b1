//! A situation for each documented pair of call and status.

mod channels;
mod config_fetch;
mod mqtt_reads;
mod mqtt_requests;
mod notifications_and_network;
mod server_log;

use microvisor::sys;

use crate::raw::Bench;

/// One pair of the ABI table, and how it comes about.
pub(crate) struct Row {
    pub(crate) call: &'static str,
    pub(crate) status: &'static str,
    pub(crate) how: &'static str,
    /// Makes the call in that situation and returns what it answered.
    pub(crate) provoke: fn() -> sys::MvStatus,
}

/// `call STATUS "how" => closure;` rows, each closure on a bench of its own.
macro_rules! rows {
    ($($call:ident $status:ident $how:literal => |$bench:ident| $body:expr;)*) => {
        pub(crate) fn rows() -> Vec<crate::provocations::Row> {
            vec![$(crate::provocations::Row {
                call: stringify!($call),
                status: concat!("MV_STATUS_", stringify!($status)),
                how: $how,
                provoke: || crate::provocations::on_bench(|$bench| $body),
            }),*]
        }
    };
}
use rows;

/// Runs a situation on a bench of its own; misuse is often the point.
fn on_bench(situation: impl FnOnce(&Bench) -> sys::MvStatus) -> sys::MvStatus {
    let bench = Bench::with(|builder| builder.config("key", "value").config("long", &"x".repeat(600)));
    let status = situation(&bench);
    bench.misuse();
    status
}

pub(crate) fn all() -> Vec<Row> {
    let parts = [
        notifications_and_network::rows(),
        channels::rows(),
        server_log::rows(),
        config_fetch::rows(),
        mqtt_requests::rows(),
        mqtt_reads::rows(),
    ];
    parts.into_iter().flatten().collect()
}

/// A handle that names nothing.
const NOTHING: u32 = 0x0bad_cafe;
