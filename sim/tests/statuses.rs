//! Every status that the ABI documents for the calls of the library comes from a situation that can
//! really arise. The test prints them all:
//!
//! ```sh
//! cargo test -p microvisor-sim --test statuses -- --nocapture
//! ```

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod provocations;
mod raw;

use std::collections::BTreeMap;

use provocations::Row;
use serde_json::Value;

/// The calls that the library makes, beside all of managed MQTT.
const CALLS: &[&str] = &[
    "mvGetDeviceId",
    "mvGetMicroseconds",
    "mvGetWallTime",
    "mvSetupNotifications",
    "mvCloseNotifications",
    "mvRequestNetwork",
    "mvReleaseNetwork",
    "mvGetNetworkStatus",
    "mvGetNetworkReasons",
    "mvOpenChannel",
    "mvCloseChannel",
    "mvGetChannelClosureReason",
    "mvServerLoggingInit",
    "mvServerLog",
    "mvSendConfigFetchRequest",
    "mvReadConfigFetchResponseData",
    "mvReadConfigResponseItem",
];

fn table() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/microvisor-0.7.0.json");
    let text = std::fs::read_to_string(path).expect("the ABI table can be read");
    serde_json::from_str(&text).expect("the ABI table is JSON")
}

/// The documented pairs of call and status, with the number of the status.
fn documented(table: &Value) -> Vec<(String, String, u64)> {
    let numbers = &table["enums"]["MvStatus"]["values"];
    let functions = table["functions"].as_object().expect("functions");
    let mut pairs = Vec::new();
    for (call, function) in functions {
        if !CALLS.contains(&call.as_str()) && !call.starts_with("mvMqtt") {
            continue;
        }
        for status in function["documented_status"].as_array().expect("statuses") {
            let status = status.as_str().expect("a name").to_owned();
            let number = numbers[&status].as_u64().expect("a number");
            pairs.push((call.clone(), status, number));
        }
    }
    pairs
}

#[test]
fn every_documented_status_of_the_library_s_calls_can_be_provoked() {
    let pairs = documented(&table());
    assert_eq!(pairs.len(), 121, "ABI 0.7.0 documents 121 pairs for these calls");

    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    for row in provocations::all() {
        let key = (row.call, row.status);
        assert!(rows.insert(key, row).is_none(), "{key:?} is there twice");
    }
    let mut failures = Vec::new();
    println!("{:<30} {:<28} how", "call", "status");
    for (call, status, number) in &pairs {
        let Some(row) = rows.remove(&(call.as_str(), status.as_str())) else {
            failures.push(format!("{call} {status}: not covered"));
            continue;
        };
        println!("{call:<30} {:<28} {}", status.trim_start_matches("MV_STATUS_"), row.how);
        let answered = u64::from((row.provoke)());
        if answered != *number {
            failures.push(format!("{call} {status}: answered {answered} instead of {number}"));
        }
    }
    failures.extend(rows.keys().map(|key| format!("{key:?}: the table does not list it")));
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
