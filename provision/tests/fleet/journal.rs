//! What the journal notices.

use std::fs::OpenOptions;
use std::io::Write;

use crate::line::{Line, folder};
use crate::rest_api::{Fault, RestApi};

/// Three devices, of which the last is not done.
fn interrupted() -> Line {
    let line = Line::of(3);
    line.api.forget_device(&line.devices[2].sid);
    line.run(&["--jobs", "1"]).assert_failed();
    line.api.know_all_devices();
    line.api.forget_requests();
    line
}

#[test]
fn a_last_line_that_was_written_in_part_counts_for_nothing() {
    let line = interrupted();
    let whole = line.journal();
    let last = whole.trim_end().lines().last().unwrap().to_owned();
    for length in [1, last.len() / 2, last.len()] {
        let mut file = OpenOptions::new().append(true).open(line.tool.path("devices.csv.journal")).unwrap();
        file.write_all(&last.as_bytes()[..length]).unwrap();
        line.api.forget_device(&line.devices[2].sid);
        line.run(&[]).assert_failed().assert_says("2 of 3 devices provisioned (2 of them by earlier runs)");
        line.api.know_all_devices();
    }
    line.run(&[]).assert_done();
    line.assert_all_stored_once();
    // What came behind the line can be read again.
    line.run(&[]).assert_done().assert_says("(3 of them by earlier runs)");
}

#[test]
fn a_journal_cut_anywhere_loses_no_entry_and_creates_none_twice() {
    let line = Line::of(2);
    line.run(&[]).assert_done();
    let whole = line.journal();
    for length in (0..whole.len()).step_by(97) {
        line.tool.write("devices.csv.journal", &whole[..length]);
        // What the journal does not tell is found out, but for a secret, which cannot be compared.
        let run = line.run(&[]);
        assert!(matches!(run.code, Some(0 | 1)), "{length} {run:#?}");
        line.assert_all_stored_once();
    }
}

#[test]
fn a_line_within_that_is_no_journals_is_told_with_its_number() {
    let line = interrupted();
    let damaged = line.journal().replacen('\n', "\n{\"record\":\"st\n", 1);
    line.tool.write("devices.csv.journal", damaged);
    line.run(&[]).assert_failed().assert_says("devices.csv.journal, line 2: this is no line of a journal");
    line.tool.write(
        "devices.csv.journal",
        "{\"record\":\"fleet\",\"version\":2,\"list\":\"\",\"api\":\"\",\"account\":\"\"}\n",
    );
    line.run(&[]).assert_failed().assert_says("has version 2");
    assert!(line.api.requests().is_empty());
}

#[test]
fn a_changed_list_is_noticed_and_can_be_accepted() {
    let line = interrupted();
    line.write_list([0, 2, 1]);
    line.run(&[]).assert_failed().assert_says("or the list was changed").assert_says("--accept-changes");
    assert!(line.api.requests().is_empty());
    line.run(&["--accept-changes"]).assert_done();
    line.assert_all_stored_once();
    line.run(&[]).assert_done();
}

#[test]
fn changed_files_are_noticed_and_their_devices_begun_anew_if_accepted() {
    let mut line = interrupted();
    line.hand_out_again(1);
    let run = line.run(&[]);
    run.assert_failed().assert_says(&format!("the files of {} were changed", line.devices[1].sid));
    assert!(line.api.requests().is_empty());
    line.run(&["--accept-changes"]).assert_failed().assert_says("run again with --replace");
    line.run(&["--accept-changes", "--replace"]).assert_done();
    let secret = format!("/v1/Devices/{}/Secrets/private_key", line.devices[1].sid);
    assert_eq!(line.api.entry(&secret).unwrap(), line.devices[1].secret);
    // The others were left alone.
    assert!(line.api.log().iter().all(|request| !request.contains(&line.devices[0].sid)));
}

#[test]
fn the_journal_of_another_api_or_account_is_not_taken() {
    let line = interrupted();
    let other = RestApi::start();
    let run = line.run(&["--api-url", &other.url()]);
    run.assert_failed().assert_says("of another account or API");
    let mut command = line.tool.command(&Line::arguments(&[]));
    let output = command.env("MICROVISOR_ACCOUNT_SID", "AC2").output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("of another account or API"));
    assert!(line.api.requests().is_empty() && other.requests().is_empty());
}

#[test]
fn two_runs_do_not_share_a_journal() {
    let line = Line::of(1);
    line.api.plan("POST", "root-CA", Fault::Slow(std::time::Duration::from_secs(3)));
    let mut first = line.tool.command(&Line::arguments(&[])).spawn().unwrap();
    while line.api.requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    line.run(&[]).assert_failed().assert_says("is in use");
    assert!(first.wait().unwrap().success());
    line.assert_all_stored_once();
}

#[test]
fn a_secret_that_was_refused_is_not_taken_for_one_of_its_own_afterwards() {
    let line = Line::of(1);
    let secret = format!("/v1/Devices/{}/Secrets/private_key", line.devices[0].sid);
    line.api.read_secrets(crate::rest_api::SecretReading::Always(405));
    line.api.put(&secret, "somebody else's");
    for _ in 0..2 {
        line.run(&[]).assert_failed().assert_says("the key is there, and was left alone");
    }
    assert_eq!(line.api.entry(&secret).unwrap(), "somebody else's");
}

#[test]
fn files_that_are_not_good_any_more_are_found_before_anything_is_sent() {
    let line = interrupted();
    std::fs::remove_file(line.tool.path(&format!("{}/AmazonRootCA1.pem", folder(1)))).unwrap();
    line.run(&[]).assert_failed().assert_says("line 3, folder: things/0001:");
    assert!(line.api.requests().is_empty());
}
