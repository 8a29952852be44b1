//! What `check` prints.

use serde_json::Value;

use crate::authority::{Authority, key_file};
use crate::tool::{ENDPOINT, Thing, run};

#[test]
fn the_table_has_a_row_for_each_part_and_a_line_for_each_check() {
    let outcome = Thing::good().check();

    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert_eq!(outcome.stderr, "");
    for words in [
        "| root CA            | AmazonRootCA1.pem",
        "| Amazon Root CA 1, EC P-256 ",
        "| device certificate | 0a1b2c-certificate.pem.crt | AWS IoT Certificate, RSA-2048 | 4096-01-01  |",
        "| private key        | 0a1b2c-private.pem.key     | RSA-2048, PKCS#1              | -           | 1217  | as hex, 2434 of 4096 |",
        "\nok       the private key in 0a1b2c-private.pem.key belongs to the certificate in 0a1b2c-certificate.pem.crt\n",
        "\nok       the device certificate in 0a1b2c-certificate.pem.crt is issued by AWS IoT itself\n",
        "\nok       the certificates are valid now, which is 2",
        "\nok       the certificates may be used for what they are needed for\n",
        "\nok       each value fits the device's store\n",
        "\nunused   0a1b2c-public.pem.key is a public key, which a device does not need\n",
    ] {
        assert!(outcome.stdout.contains(words), "'{words}' is not in\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.ends_with("\n\ngood\n"), "{}", outcome.stdout);
}

#[test]
fn the_json_has_the_same_for_programs() {
    let thing = Thing::with_keys("p256-pkcs8.pem", "p384-sec1.pem");
    let outcome = run(["check", thing.path().to_str().expect("text"), "--json"]);

    assert_eq!(outcome.status, 1, "{outcome:#?}");
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(report["good"], false);
    assert_eq!(report["parts"][2]["role"], "private-key");
    assert_eq!(report["parts"][2]["fits"], "hex");
    let [problem] = &report["problems"].as_array().expect("an array")[..] else { panic!("{report:#}") };
    assert_eq!(problem["level"], "error");
    assert_eq!(problem["code"], "key-mismatch");
    assert_eq!(problem["key"], "0a1b2c-private.pem.key");
    assert!(problem["message"].as_str().expect("text").contains("does not belong"));
}

#[test]
fn a_chain_is_followed_to_the_root() {
    let thing = Thing::with_keys("p256-pkcs8.pem", "p256-pkcs8.pem");
    let root = Authority::named("Our Root");
    let factory = root.authority("Our Factory");
    thing.write("AmazonRootCA1.pem", root.pem());
    let chain = format!("{}{}", factory.issue(&key_file("p256-pkcs8.pem")), factory.pem());
    thing.write("0a1b2c-certificate.pem.crt", chain);

    let outcome = thing.check();
    assert_eq!(outcome.status, 0, "{outcome:#?}");
    let file = "0a1b2c-certificate.pem.crt";
    for words in [
        format!("the device certificate in {file} is issued by Our Factory in {file}\n"),
        format!("the intermediate CA in {file} is issued by Our Root in AmazonRootCA1.pem\n"),
        format!("unused   {file} (Our Factory) is an intermediate CA, and the device's store holds"),
    ] {
        assert!(outcome.stdout.contains(&words), "'{words}' is not in\n{}", outcome.stdout);
    }
}

#[test]
fn what_should_be_looked_at_is_a_warning_and_good_nonetheless() {
    let thing = Thing::with_keys("p256-pkcs8.pem", "p256-pkcs8.pem");
    thing.write("AmazonRootCA1.pem", Authority::named("Our Root").pem());
    let path = thing.path().to_str().expect("text");

    let outcome = run(["check", path, "--endpoint", ENDPOINT]);
    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert!(
        outcome
            .stdout
            .contains("\nwarning  a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com is AWS IoT's, whose")
    );
    assert!(outcome.stdout.ends_with("\ngood, with warnings: 1\n"), "{}", outcome.stdout);

    let outcome = run(["check", path, "--endpoint", &ENDPOINT.replace("-ats", "")]);
    assert!(outcome.stdout.contains("not an -ats endpoint"), "{}", outcome.stdout);
    let outcome = run(["check", path, "--endpoint", "localhost"]);
    assert!(outcome.stdout.ends_with("\n\ngood\n"), "{}", outcome.stdout);
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for (arguments, advice) in [
        (&["check"][..], "DIR|FILES"),
        (&["check", ".", "--encoding", "rot13"], "one of `auto`, `hex` and `base64`"),
        (&["bundle", ".", "-o", "device.json"], "--endpoint"),
        (&["bundle", ".", "--endpoint", "localhost"], "--output"),
        (
            &["bundle", ".", "--endpoint", "mqtts://localhost", "-o", "x"],
            "the broker's host name has a scheme",
        ),
        (&["bundle", ".", "--endpoint", "localhost", "--port", "0", "-o", "x"], "--port"),
        (&["bundle", ".", "--endpoint", "localhost", "--sid", "UV1", "-o", "x"], "`UV` and 32 hex digits"),
        (&["nonsense"], "unrecognized subcommand"),
        (&[], "Usage:"),
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 2, "{arguments:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(advice), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}

#[test]
fn help_has_examples_and_exit_codes() {
    for command in ["check", "bundle", "policy", "completions"] {
        let help = run([command, "--help"]).stdout;
        assert!(help.contains("Examples:\n  microvisor-provision "), "{help}");
    }
    let help = run(["--help"]).stdout;
    assert!(help.contains("Exit codes:\n  0  done\n  1  a check or an operation failed"), "{help}");
}
