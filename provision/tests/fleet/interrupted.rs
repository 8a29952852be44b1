//! Runs that end before their time, and are carried on.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::line::Line;
use crate::rest_api::{Fault, SecretReading};
use crate::tool::Run;

fn start(line: &Line, more: &[&str]) -> Child {
    let mut command = line.tool.command(&Line::arguments(more));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for the API to have seen so many requests, and then kills, as `kill -9` does.
fn kill_after(line: &Line, mut child: Child, requests: usize) {
    let begun = Instant::now();
    while line.api.request_count() < requests {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(begun.elapsed() < Duration::from_mins(2), "it hangs");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, None, "it ended by itself: {run:#?}");
    line.assert_no_secret_in_files();
}

#[test]
fn a_thousand_devices_killed_again_and_again_have_each_entry_created_once() {
    let line = Line::of(1000);
    let options = ["--jobs", "8", "--report", "report.csv"];
    for requests in [7, 1_500, 4_000, 8_000] {
        kill_after(&line, start(&line, &options), requests);
    }
    let run = line.run(&options);
    run.assert_done().assert_says("1000 of 1000 devices provisioned").assert_says("by earlier runs");
    line.assert_all_stored_once();
    assert!(!line.api.log().iter().any(|line| line.starts_with("DELETE")));

    let report = std::fs::read_to_string(line.tool.path("report.csv")).unwrap();
    assert_eq!(report.lines().count(), 1001);
    assert_eq!(report.lines().next().unwrap(), "line,sid,folder,state,stored,entries,problems,advice");

    line.api.forget_requests();
    line.run(&options).assert_done().assert_says("(1000 of them by earlier runs)");
    assert_eq!(line.api.requests().len(), 0);
}

#[test]
fn killed_at_every_request_of_a_device_in_turn_each_entry_is_created_once() {
    let line = Line::of(1);
    // Four configs of two requests each, and a secret of two.
    line.api.answer_after(Duration::from_millis(40));
    for _ in 0..10 {
        line.api.forget_requests();
        let mut child = start(&line, &["--jobs", "1"]);
        while line.api.request_count() < 2 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        child.wait().unwrap();
    }
    line.api.answer_after(Duration::ZERO);
    line.run(&[]).assert_done();
    line.assert_all_stored_once();
}

#[test]
fn killed_with_a_secret_on_its_way_it_is_found_to_be_stored_and_not_created_twice() {
    let line = Line::of(1);
    line.api.plan("POST", "private_key", Fault::Slow(Duration::from_secs(5)));
    let child = start(&line, &[]);
    kill_after(&line, child, 10);
    assert!(line.journal().contains(r#""record":"sending""#));
    line.run(&[]).assert_done();
    line.assert_all_stored_once();
}

#[test]
fn killed_with_a_secret_on_its_way_it_is_created_anew_where_the_api_does_not_tell_what_is_there() {
    for reading in [SecretReading::Always(404), SecretReading::Always(405)] {
        let line = Line::of(1);
        line.api.read_secrets(reading);
        line.api.plan("POST", "private_key", Fault::Slow(Duration::from_secs(5)));
        kill_after(&line, start(&line, &[]), 10);
        line.run(&[]).assert_done();
        let secret = format!("/v1/Devices/{}/Secrets/private_key", line.devices[0].sid);
        assert_eq!(line.api.entry(&secret).unwrap(), line.devices[0].secret);
        let deletions = line.api.log().iter().filter(|line| line.starts_with("DELETE")).count();
        assert_eq!(deletions, 1);
        line.run(&[]).assert_done();
    }
}

#[test]
fn killed_between_delete_and_create_the_next_run_creates() {
    let line = Line::of(1);
    let secret = format!("/v1/Devices/{}/Secrets/private_key", line.devices[0].sid);
    line.api.put(&secret, "old");
    line.api.plan("DELETE", "private_key", Fault::Slow(Duration::from_secs(5)));
    kill_after(&line, start(&line, &["--replace"]), 10);
    assert_eq!(line.api.entry(&secret), None);
    line.run(&["--replace"]).assert_done();
    line.assert_all_stored_once();
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_what_was_begun_and_the_next_run_carries_on() {
    let line = Line::of(20);
    line.api.answer_after(Duration::from_millis(10));
    let child = start(&line, &["--jobs", "2", "--report", "report.json"]);
    while line.api.request_count() < 30 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let interrupted =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let run = Run::from(child.wait_with_output().unwrap());
    run.assert_failed().assert_says("stopping").assert_says("run again to carry on");
    let report = std::fs::read_to_string(line.tool.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let states: Vec<&str> = report["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| device["state"].as_str().unwrap())
        .collect();
    assert!(states.contains(&"done") && states.contains(&"not_tried"), "{states:?}");
    line.run(&[]).assert_done().assert_says("20 of 20 devices provisioned");
    line.assert_all_stored_once();
}
