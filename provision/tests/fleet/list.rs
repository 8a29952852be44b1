//! What may be in a list.

use crate::line::{ENDPOINT, Line, folder};

fn run_with(line: &Line, list: &str) -> crate::tool::Run {
    line.tool.write("devices.csv", list);
    let run = line.run(&[]);
    if run.code != Some(0) {
        assert!(line.api.requests().is_empty(), "something was sent: {run:#?}");
    }
    run
}

#[test]
fn every_mistake_of_a_list_is_told_with_line_and_column_and_nothing_is_sent() {
    let line = Line::of(2);
    let (sid, other) = (&line.devices[0].sid, &line.devices[1].sid);
    let list = format!(
        "sid,folder,endpoint,port,encoding\n\
         UV1,things/0000,,,\n\
         {sid},nowhere,,,\n\
         ,,,,\n\
         {other},things/0001,https://a.example/,0,octal\n\
         {other},things/0001,,,\n\
         {other},things/0001\n"
    );
    let run = run_with(&line, &list);
    run.assert_failed();
    for part in [
        "line 2, sid: a device id is",
        "line 3, folder: ",
        "nowhere is not a folder",
        "line 4, sid: it is empty",
        "line 4, folder: it is empty",
        "line 5, endpoint: ",
        "line 5, port: 0 is no port",
        "line 5, encoding: it is one of",
        "is in line 5 already",
        "line 7: it has 2 fields, and the header 5",
    ] {
        run.assert_says(part);
    }
}

#[test]
fn a_sid_in_other_case_is_the_same_device() {
    let line = Line::of(1);
    let list = "sid,folder\nUV0000000000000000000000000000000a,things/0000\nUV0000000000000000000000000000000A,things/0000\n";
    run_with(&line, list).assert_failed().assert_says("is in line 2 already");
}

#[test]
fn a_header_is_required_and_unknown_columns_are_refused() {
    let line = Line::of(1);
    let sid = &line.devices[0].sid;
    run_with(&line, &format!("{sid},things/0000\n")).assert_failed().assert_says("not its header");
    run_with(&line, &format!("sid,folder,prot\n{sid},things/0000,1\n"))
        .assert_failed()
        .assert_says(r#"no column "prot""#);
    run_with(&line, &format!("sid\n{sid}\n")).assert_failed().assert_says("the column folder is missing");
    run_with(&line, "sid,folder\n").assert_failed().assert_says("has no devices");
    run_with(&line, "").assert_failed();
    std::fs::remove_file(line.tool.path("devices.csv")).unwrap();
    line.run(&[]).assert_failed().assert_says("cannot read the list");
}

#[test]
fn a_row_may_differ_from_the_options() {
    let line = Line::of(3);
    let [a, b, c] = [0, 1, 2].map(|number| line.devices[number].sid.clone());
    let list = format!(
        "\u{feff}encoding, sid, folder, endpoint, port\r\n\
         ,{a},things/0000,,\r\n\
         # not yet: {a}\r\n\
         base64,{b},things/0001,,8884\r\n\
         ,{c},\"things/0002\",b.example,\r\n"
    );
    run_with(&line, &list).assert_done();
    let config = |sid: &str, key: &str| line.api.entry(&format!("/v1/Devices/{sid}/Configs/{key}")).unwrap();
    let broker = |sid: &str| (config(sid, "broker-host"), config(sid, "broker-port"));
    assert_eq!(broker(&a), (ENDPOINT.to_owned(), "8883".to_owned()));
    assert_eq!(broker(&b), (ENDPOINT.to_owned(), "8884".to_owned()));
    assert_eq!(broker(&c), ("b.example".to_owned(), "8883".to_owned()));
    assert!(config(&a, "cert").starts_with("3082") && config(&b, "cert").starts_with("MII"));
}

#[test]
fn without_an_endpoint_it_says_where_to_give_one() {
    let line = Line::of(1);
    line.tool.run(&["fleet", "devices.csv"]).assert_failed().assert_says("line 2, endpoint: there is none");
}

#[test]
fn devices_that_share_a_certificate_are_warned_of() {
    let line = Line::of(2);
    let (a, b) = (&line.devices[0].sid, &line.devices[1].sid);
    let list = format!("sid,folder\n{a},{}\n{b},{}\n", folder(0), folder(0));
    run_with(&line, &list).assert_done().assert_says("lines 2, 3 have the same certificate");
}

#[test]
fn a_dry_run_checks_all_and_sends_nothing() {
    let line = Line::of(2);
    let run = line.run(&["--dry-run"]);
    run.assert_done()
        .assert_says("Value=********")
        .assert_says(&format!("# line 3: {}", line.devices[1].sid));
    assert!(line.api.requests().is_empty() && !line.tool.path("devices.csv.journal").exists());
}

#[test]
fn help_has_examples_and_exit_codes() {
    let line = Line::of(0);
    let help = line.tool.run(&["fleet", "--help"]);
    help.assert_done()
        .assert_says("Examples:")
        .assert_says("Exit codes:")
        .assert_says("MICROVISOR_AUTH_TOKEN");
    assert_eq!(line.tool.run(&["fleet", "devices.csv", "--jobs", "0"]).code, Some(2));
    line.run(&["--report", "report.txt"]).assert_failed().assert_says("neither .csv nor .json");
}
