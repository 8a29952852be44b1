//! `microvisor-provision upload` against a loopback API.

mod rest_api;
mod tool;

use std::process::Command;
use std::time::{Duration, Instant};

use rest_api::{ACCOUNT_SID, AUTH_TOKEN, Fault, RestApi, SecretReading};
use tool::{Run, Tool};

const SID: &str = "UV0123456789abcdef0123456789abcdef";
const KEY: &str = "308204a40201000282010100c0ffee5ec4e7";
const CONFIGS: &str = "/v1/Devices/UV0123456789abcdef0123456789abcdef/Configs";
const SECRET: &str = "/v1/Devices/UV0123456789abcdef0123456789abcdef/Secrets/private_key";

/// A certificate, a private key and a host.
fn bundle(sid: Option<&str>) -> String {
    let mut document = serde_json::json!({
        "version": 1,
        "entries": [
            {"store": "config", "scope": "device", "key": "cert", "encoding": "hex", "value": "3082"},
            {"store": "secret", "scope": "device", "key": "private_key", "encoding": "hex", "value": KEY},
            {"store": "config", "scope": "device", "key": "broker-host", "encoding": "text", "value": "a.example"},
        ]
    });
    if let Some(sid) = sid {
        document["sid"] = sid.into();
    }
    document.to_string()
}

fn world() -> (RestApi, Tool) {
    let api = RestApi::start();
    let tool = Tool::new(&api);
    tool.write("device.json", bundle(Some(SID)));
    (api, tool)
}

/// Runs `upload device.json`, and sees that nothing that it says holds a secret.
fn upload(tool: &Tool, more: &[&str]) -> Run {
    let run = tool.run(&[&["upload", "device.json"], more].concat());
    assert!(!run.all().contains(KEY) && !run.all().contains(AUTH_TOKEN), "{run:#?}");
    run
}

fn assert_all_stored_once(api: &RestApi) {
    let expected = [
        (format!("{CONFIGS}/cert"), "3082".to_owned()),
        (SECRET.to_owned(), KEY.to_owned()),
        (format!("{CONFIGS}/broker-host"), "a.example".to_owned()),
    ];
    assert_eq!(api.entries(), expected.into());
    assert!(api.creations().values().all(|count| *count == 1), "{:?}", api.creations());
    assert_eq!(api.planned(), 0, "not all that was planned came to pass");
}

#[test]
fn every_entry_is_created_and_configs_are_read_back() {
    let (api, tool) = world();
    let run = upload(&tool, &[]);
    run.assert_done().assert_says("3 of 3 entries stored");
    assert_all_stored_once(&api);
    let expected = [
        format!("POST {CONFIGS}"),
        format!("GET {CONFIGS}/cert"),
        format!("POST {CONFIGS}"),
        format!("GET {CONFIGS}/broker-host"),
        format!("GET {SECRET}"),
        "POST /v1/Devices/UV0123456789abcdef0123456789abcdef/Secrets".to_owned(),
    ];
    assert_eq!(api.log(), expected);
}

#[test]
fn an_upload_that_was_done_can_be_run_again_and_sends_nothing_twice() {
    let (api, tool) = world();
    upload(&tool, &[]).assert_done();
    let again = upload(&tool, &[]);
    again
        .assert_failed()
        .assert_says("was there already, with the same value")
        .assert_says("run again with --replace");
    assert_all_stored_once(&api);
    assert!(!api.log().iter().any(|line| line.starts_with("DELETE")));
}

#[test]
fn a_config_with_another_value_is_left_alone() {
    let (api, tool) = world();
    api.put(&format!("{CONFIGS}/cert"), "0000");
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says("not stored  config cert (device): the key is there with another value");
    run.assert_says("2 of 3 entries stored");
    assert_eq!(api.entry(&format!("{CONFIGS}/cert")).unwrap(), "0000");
}

#[test]
fn a_secret_that_is_there_is_left_alone_and_cannot_be_compared() {
    for reading in [SecretReading::Metadata, SecretReading::Always(404), SecretReading::Always(405)] {
        let (api, tool) = world();
        api.put(SECRET, "other");
        api.read_secrets(reading);
        let run = upload(&tool, &[]);
        run.assert_failed()
            .assert_says("unknown     secret private_key (device): the key is there, and was left alone");
        assert_eq!(api.entry(SECRET).unwrap(), "other");
    }
}

#[test]
fn replace_deletes_and_creates_what_is_there_and_only_that() {
    for reading in [SecretReading::Metadata, SecretReading::Always(405), SecretReading::Always(403)] {
        let (api, tool) = world();
        api.read_secrets(reading);
        api.put(&format!("{CONFIGS}/cert"), "3082");
        api.put(&format!("{CONFIGS}/broker-host"), "old.example");
        api.put(SECRET, "old");
        upload(&tool, &["--replace"]).assert_done().assert_says("replaced");
        assert_eq!(api.entry(SECRET).unwrap(), KEY);
        assert_eq!(api.entry(&format!("{CONFIGS}/broker-host")).unwrap(), "a.example");
        let log = api.log();
        let deleted: Vec<&String> = log.iter().filter(|line| line.starts_with("DELETE")).collect();
        assert_eq!(deleted, [&format!("DELETE {CONFIGS}/broker-host"), &format!("DELETE {SECRET}")]);
    }
}

#[test]
fn replace_deletes_nothing_where_nothing_is_there() {
    let (api, tool) = world();
    upload(&tool, &["--replace"]).assert_done();
    assert_all_stored_once(&api);
    assert!(!api.log().iter().any(|line| line.starts_with("DELETE")));
}

#[test]
fn a_failure_between_delete_and_create_says_that_the_key_is_missing_and_running_again_mends_it() {
    for key in ["private_key", "cert"] {
        let (api, tool) = world();
        api.put(SECRET, "old");
        api.put(&format!("{CONFIGS}/cert"), "0000");
        let posts_before = usize::from(key == "cert");
        api.plan_later("POST", key, posts_before, 100, Fault::status(400));
        let run = upload(&tool, &["--replace"]);
        run.assert_failed()
            .assert_says(&format!("{key} (device): the old value was deleted, but the new one could not"));
        run.assert_says("the key is missing now").assert_says("2 of 3 entries stored");
        api.forget_plans();
        upload(&tool, &["--replace"]).assert_done();
        assert_eq!(api.entry(SECRET).unwrap(), KEY);
        assert_eq!(api.entry(&format!("{CONFIGS}/cert")).unwrap(), "3082");
    }
}

#[test]
fn what_cannot_be_deleted_is_told_to_be_there_still() {
    let (api, tool) = world();
    api.put(SECRET, "old");
    api.plan("DELETE", "private_key", Fault::status(400));
    upload(&tool, &["--replace"])
        .assert_failed()
        .assert_says("could not be deleted, so the old value is there still");
    assert_eq!(api.entry(SECRET).unwrap(), "old");
}

#[test]
fn a_deletion_whose_answer_was_lost_is_sent_again() {
    let (api, tool) = world();
    api.put(SECRET, "old");
    api.plan("DELETE", "private_key", Fault::DropAfter);
    upload(&tool, &["--replace"]).assert_done();
    assert_eq!(api.entry(SECRET).unwrap(), KEY);
}

#[test]
fn a_deletion_in_doubt_is_told_as_such() {
    let (api, tool) = world();
    api.put(SECRET, "old");
    api.plan_times("DELETE", "private_key", 6, Fault::DropBefore);
    upload(&tool, &["--replace"]).assert_failed().assert_says("the old value may have been deleted or not");
}

#[test]
fn requests_are_tried_again_until_they_get_through() {
    let faults = [
        Fault::status(429),
        Fault::retry_after(429, "0"),
        Fault::retry_after(503, "Thu, 01 Jan 1970 00:00:00 GMT"),
        Fault::status(500),
        Fault::FailAfter(502),
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::BreakOff,
    ];
    for method in ["POST", "GET"] {
        for key in ["cert", "private_key"] {
            for fault in &faults {
                let (api, tool) = world();
                api.plan_times(method, key, 2, fault.clone());
                let run = upload(&tool, &[]);
                assert_eq!(run.code, Some(0), "{method} {key} {fault:?} {run:#?}");
                // After the effect, the second `POST` only meets what the first left.
                assert_all_stored_once(&api);
            }
        }
    }
}

#[test]
fn a_secret_whose_answer_was_lost_is_created_anew_where_the_api_does_not_tell_what_is_there() {
    for reading in [SecretReading::Always(404), SecretReading::Always(405)] {
        let (api, tool) = world();
        api.read_secrets(reading);
        api.plan("POST", "private_key", Fault::DropAfter);
        upload(&tool, &[]).assert_done();
        assert_eq!(api.entry(SECRET).unwrap(), KEY);
        assert!(api.log().contains(&format!("DELETE {SECRET}")));
    }
}

#[test]
fn a_config_whose_answer_was_lost_is_not_taken_for_somebody_elses() {
    let (api, tool) = world();
    api.put(&format!("{CONFIGS}/cert"), "0000");
    api.plan("POST", "cert", Fault::DropBefore);
    upload(&tool, &[]).assert_failed().assert_says("the key is there with another value");
}

#[test]
fn an_answer_that_stays_lost_leaves_the_entry_in_doubt_and_the_rest_alone() {
    let (api, tool) = world();
    api.plan_times("POST", "broker-host", 6, Fault::DropBefore);
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says("unknown     config broker-host (device): may have been created or not");
    run.assert_says("(tried 6 times)").assert_says("secret private_key (device): not tried");
    run.assert_says("1 of 3 entries stored, of 1 it is not known");
    upload(&tool, &[]).assert_done();
    assert_all_stored_once(&api);
}

#[test]
fn an_answer_that_takes_too_long_is_given_up_and_asked_for_again() {
    let (api, tool) = world();
    api.plan("POST", "cert", Fault::Slow(Duration::from_secs(2)));
    upload(&tool, &["--timeout", "0.3"]).assert_done();
    assert_all_stored_once(&api);
}

#[test]
fn waits_between_tries_grow_from_the_retry_delay() {
    let (api, tool) = world();
    api.plan_times("POST", "cert", 3, Fault::status(503));
    let begun = Instant::now();
    upload(&tool, &["--retry-delay", "0.2"]).assert_done();
    // 0.1 to 0.2, then 0.2 to 0.4, then 0.4 to 0.8 seconds.
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
}

#[test]
fn retry_after_is_waited_for_even_if_the_retry_delay_is_shorter() {
    let (api, tool) = world();
    api.plan("POST", "cert", Fault::retry_after(429, "1"));
    let begun = Instant::now();
    upload(&tool, &[]).assert_done();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn wrong_credentials_end_it_at_the_first_request() {
    let (api, tool) = world();
    let tool = tool.with_token(Some("wrong-but-secret"));
    let run = upload(&tool, &[]);
    run.assert_failed()
        .assert_says("does not take the credentials (status 401)")
        .assert_says("MICROVISOR_AUTH_TOKEN");
    run.assert_says("0 of 3 entries stored");
    assert!(!run.all().contains("wrong-but-secret"));
    assert_eq!(api.requests().len(), 1);
}

#[test]
fn what_is_forbidden_ends_it_at_once() {
    let (api, tool) = world();
    api.plan("POST", "broker-host", Fault::status(403));
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says("(status 403)").assert_says("private_key (device): not tried");
    assert_eq!(api.requests().len(), 3);
}

#[test]
fn an_unknown_device_ends_it_at_the_first_request() {
    let (api, tool) = world();
    api.forget_device(SID);
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says(&format!("knows no device {SID}")).assert_says("0 of 3 entries stored");
    assert_eq!(api.requests().len(), 1);
}

#[test]
fn an_entry_that_is_refused_does_not_keep_the_others_from_being_stored() {
    let (api, tool) = world();
    let problem = r#"{"code": 20001, "message": "cert is not to our liking"}"#.to_owned();
    api.plan("POST", "cert", Fault::Answer { status: 400, fields: vec![], body: problem });
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says("refuses it with status 400: cert is not to our liking");
    run.assert_says("2 of 3 entries stored");
    upload(&tool, &["--replace"]).assert_done();
}

#[test]
fn an_api_that_repeats_a_secret_in_its_error_does_not_get_it_shown() {
    let (api, tool) = world();
    let problem = format!(r#"{{"code": 20001, "message": "bad value {KEY}"}}"#);
    api.plan("POST", "private_key", Fault::Answer { status: 400, fields: vec![], body: problem });
    upload(&tool, &[]).assert_failed().assert_says("refuses it with status 400: error 20001");
}

#[test]
fn redirects_are_not_followed() {
    let (api, tool) = world();
    let elsewhere = RestApi::start();
    let location = vec![("Location", format!("{}/v1/Configs", elsewhere.url()))];
    for status in [301, 302, 307, 308] {
        api.plan("POST", "cert", Fault::Answer { status, fields: location.clone(), body: String::new() });
        upload(&tool, &[]).assert_failed().assert_says(&format!("redirect (status {status})"));
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_value_that_is_changed_by_somebody_else_is_noticed_when_it_is_read_back() {
    let (api, tool) = world();
    api.plan("POST", "cert", Fault::Overwrite("0000"));
    upload(&tool, &[]).assert_failed().assert_says("created, but what was read back is another value");
}

#[test]
fn what_cannot_be_read_back_is_told_to_be_stored_but_not_verified() {
    let (api, tool) = world();
    api.plan_times("GET", "cert", 6, Fault::status(500));
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says("stored      config cert (device): created, but could not be read back");
    upload(&tool, &[]).assert_done();
    assert_all_stored_once(&api);
}

#[test]
fn an_api_that_is_not_there_is_told_with_its_reason() {
    let (_, tool) = world();
    // Nobody listens there: the port was free a moment ago, and is below those that are handed out.
    let tool = tool.with_url("http://127.0.0.1:1");
    let run = upload(&tool, &[]);
    run.assert_failed().assert_says("no connection to the API").assert_says("(tried 6 times)");
    run.assert_says("0 of 3 entries stored");
}

#[test]
fn http_to_another_machine_is_refused_before_anything_is_sent() {
    let (_, tool) = world();
    upload(&tool.with_url("http://api.example.com"), &[]).assert_failed().assert_says("use https");
}

#[test]
fn without_a_token_and_a_terminal_it_says_which_variable_to_set() {
    let (api, tool) = world();
    let tool = tool.with_token(None);
    upload(&tool, &[])
        .assert_failed()
        .assert_says("MICROVISOR_AUTH_TOKEN is not set, and there is no terminal");
    assert!(api.requests().is_empty());
}

#[test]
fn no_option_takes_a_token() {
    let (_, tool) = world();
    let help = tool.run(&["upload", "--help"]);
    help.assert_done()
        .assert_says("MICROVISOR_AUTH_TOKEN")
        .assert_says("Examples:")
        .assert_says("Exit codes:");
    assert!(
        !help.out.contains("--auth") && !help.out.contains("--token") && !help.out.contains("--password")
    );
}

#[test]
fn the_device_is_the_bundles_or_the_one_that_is_asked_for() {
    let (api, tool) = world();
    let other = "UVffffffffffffffffffffffffffffffff";
    upload(&tool, &["--sid", other]).assert_failed().assert_says("make one for that device");
    tool.write("device.json", bundle(None));
    upload(&tool, &[]).assert_failed().assert_says("give --sid");
    assert!(api.requests().is_empty());
    upload(&tool, &["--sid", SID]).assert_done();
    assert_all_stored_once(&api);
    assert_eq!(upload(&tool, &["--sid", "UV1"]).code, Some(2));
}

#[test]
fn entries_of_the_account_go_to_the_account() {
    let (api, tool) = world();
    let document = serde_json::json!({"version": 1, "entries": [
        {"store": "config", "scope": "account", "key": "a/b c", "encoding": "text", "value": "x & y=é+%"},
        {"store": "secret", "scope": "account", "key": "password", "encoding": "text", "value": KEY},
    ]});
    tool.write("device.json", document.to_string());
    upload(&tool, &[]).assert_done();
    let expected = [("/v1/Configs/a/b c", "x & y=é+%"), ("/v1/Secrets/password", KEY)];
    let expected = expected.map(|(path, value)| (path.to_owned(), value.to_owned()));
    assert_eq!(api.entries(), expected.into());
}

#[test]
fn https_works_with_the_ca_that_is_given_and_not_without() {
    let (api, ca) = RestApi::start_tls();
    let tool = Tool::new(&api);
    tool.write("device.json", bundle(Some(SID)));
    let path = tool.write("ca.pem", ca);
    upload(&tool, &[]).assert_failed().assert_says("certificate is not trusted").assert_says("--ca");
    assert!(api.requests().is_empty());
    upload(&tool, &["--ca", "ca.pem"]).assert_done();
    assert_all_stored_once(&api);
    upload(&tool, &["--ca", "device.json"]).assert_failed().assert_says("holds no certificate");
    let tool = tool.with_variable("MICROVISOR_API_CA", path.to_str().unwrap().to_owned());
    upload(&tool, &["--replace"]).assert_done();
}

#[test]
fn a_dry_run_prints_commands_that_do_the_same_and_sends_nothing() {
    let (api, tool) = world();
    let tool = tool.with_token(None);
    let run = upload(&tool, &["--dry-run", "--replace"]);
    run.assert_done().assert_says("Value=********").assert_says("--request DELETE");
    assert!(!run.all().contains(ACCOUNT_SID));
    assert!(api.requests().is_empty());

    // What a shell makes of them, with a function in curl's place.
    let script = format!("curl() {{ printf '<%s>' \"$@\"; echo; }}\n{}", upload(&tool, &["--dry-run"]).out);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("MICROVISOR_ACCOUNT_SID", "AC1").env("MICROVISOR_AUTH_TOKEN", "a 'b' $c");
    let shown = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let configs = format!("{}{CONFIGS}", api.url());
    let first = format!(
        "<--fail-with-body><--user><AC1:a 'b' $c><--data-urlencode><Key=cert><--data-urlencode><Value=3082><{configs}>"
    );
    assert_eq!(shown.lines().next().unwrap(), first);
    assert_eq!(shown.lines().count(), 5);
}

#[test]
fn the_commands_of_a_dry_run_work_with_curl_itself() {
    let (api, tool) = world();
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "curl is not there: apt-get install curl"
        );
        eprintln!("skipped, since curl is not there: apt-get install curl");
        return;
    }
    let script = upload(&tool, &["--dry-run"]).out;
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", &script])
        .env("MICROVISOR_ACCOUNT_SID", ACCOUNT_SID)
        .env("MICROVISOR_AUTH_TOKEN", AUTH_TOKEN);
    let output = shell.env("NO_PROXY", "127.0.0.1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(api.entry(&format!("{CONFIGS}/cert")).unwrap(), "3082");
    assert_eq!(api.entry(SECRET).unwrap(), "********");
}
