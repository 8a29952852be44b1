//! What goes wrong while it runs.

use std::time::Duration;

use crate::line::Line;
use crate::rest_api::Fault;

#[test]
fn as_many_devices_as_asked_for_are_uploaded_at_a_time_and_no_more() {
    for jobs in [1, 3] {
        let line = Line::of(8);
        line.api.answer_after(Duration::from_millis(10));
        line.run(&["--jobs", &jobs.to_string()]).assert_done();
        line.assert_all_stored_once();
        assert_eq!(line.api.peak(), jobs);
    }
}

#[test]
fn trouble_with_one_device_leaves_the_others_alone_and_the_report_tells_what_to_do() {
    let line = Line::of(4);
    line.api.forget_device(&line.devices[1].sid);
    line.api.put(&format!("/v1/Devices/{}/Configs/broker-port", line.devices[2].sid), "1883");
    let run = line.run(&["--report", "report.json"]);
    run.assert_failed().assert_says("2 of 4 devices provisioned, 2 failed");
    let report = std::fs::read_to_string(line.tool.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let device = |number: usize| &report["devices"][number];
    assert_eq!((device(0)["state"].as_str(), device(0)["stored"].as_u64()), (Some("done"), Some(5)));
    assert_eq!((device(1)["state"].as_str(), device(1)["stored"].as_u64()), (Some("failed"), Some(0)));
    assert!(device(1)["problems"].as_str().unwrap().contains("knows no device"));
    assert_eq!(device(2)["stored"].as_u64(), Some(4));
    assert!(
        device(2)["problems"]
            .as_str()
            .unwrap()
            .contains("broker-port (device): the key is there with another")
    );
    assert!(device(2)["advice"].as_str().unwrap().contains("--replace"));
    line.api.know_all_devices();
    line.run(&["--replace"]).assert_done().assert_says("(2 of them by earlier runs)");
    line.assert_all_stored_once();
}

#[test]
fn a_bad_connection_costs_time_and_nothing_else() {
    let line = Line::of(40);
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::FailAfter(500),
        Fault::status(503),
        Fault::retry_after(429, "0"),
        Fault::BreakOff,
    ];
    for (at, fault) in faults.iter().cycle().take(36).enumerate() {
        line.api.plan_later("POST", "", at * 5, 1, fault.clone());
        line.api.plan_later("GET", "", at * 5, 1, fault.clone());
    }
    line.run(&["--tries", "40"]).assert_done();
    line.assert_all_stored_once();
}

#[test]
fn wrong_credentials_end_it_at_once() {
    let line = Line::of(10);
    let mut command = line.tool.command(&Line::arguments(&["--jobs", "4"]));
    let output = command.env("MICROVISOR_AUTH_TOKEN", "wrong").output().unwrap();
    let run = crate::tool::Run::from(output);
    run.assert_failed()
        .assert_says("does not take the credentials (status 401)")
        .assert_says("ended before its time");
    assert!(line.api.request_count() <= 4, "{:?}", line.api.log());
    line.run(&[]).assert_done();
    line.assert_all_stored_once();
}

#[test]
fn an_api_that_cannot_be_reached_ends_it_after_a_few_devices() {
    let line = Line::of(10);
    let run = line.run(&["--jobs", "1", "--api-url", "http://127.0.0.1:1"]);
    run.assert_failed().assert_says("no connection to the API").assert_says("3 failed, 7 not tried");
}

#[test]
fn a_journal_that_cannot_be_written_keeps_anything_from_being_sent() {
    let line = Line::of(1);
    let run = line.run(&["--journal", "no/such/folder/journal"]);
    run.assert_failed().assert_says("cannot use the journal");
    assert!(line.api.requests().is_empty());
}
