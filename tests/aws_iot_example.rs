//! The example `aws_iot`, as people run it.

mod authority;
mod running_example;

use running_example::run;

#[test]
fn help_shows_every_option_and_examples() {
    let outcome = run(["--help"]);

    assert_eq!(outcome.status, 0);
    for option in [
        "--credentials DIR",
        "--broker HOST:PORT",
        "--sid SID",
        "--publishes N",
        "--interval SECONDS",
        "--trace",
    ] {
        assert!(outcome.stdout.contains(option), "{option}");
    }
    assert!(outcome.stdout.contains("\nExamples:\n  cargo run --example aws_iot\n"));
}

#[test]
fn a_wrong_option_says_what_to_do_and_exits_with_2() {
    let sid = "UV0123456789abcdef0123456789abcdef";
    for (arguments, advice) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["-x"], "-x"),
        (&["run"], "every option starts with --"),
        (&["--publishes"], "--publishes"),
        (&["--publishes", "0"], "give a whole number from 1"),
        (&["--publishes", "-1"], "give a whole number from 1"),
        (&["--publishes", "many"], "give a whole number from 1"),
        (&["--publishes", "4294967296"], "give a whole number from 1"),
        (&["--interval", "soon"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--interval", "-1"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--interval", "NaN"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--interval", "1e9"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--sid", "my-device"], "UV followed by 32 hexadecimal digits"),
        (&["--sid", &sid[1..]], "UV followed by 32 hexadecimal digits"),
        (&["--sid", "UVéééééééééééééééé"], "UV followed by 32 hexadecimal digits"),
        (&["--trace=all"], "--trace"),
        (&["--broker", "localhost:8883"], "--broker needs --credentials DIR"),
        (&["--credentials", ".", "--broker", "localhost"], "the port is missing"),
        (&["--credentials", ".", "--broker", ":8883"], "the host is missing"),
        (&["--credentials", ".", "--broker", "localhost:0"], "a number from 1 to 65535"),
        (&["--credentials", ".", "--broker", "localhost:65536"], "a number from 1 to 65535"),
        (&["--credentials", ".", "--broker", "mqtts://localhost:8883"], "not a URL"),
        (&["--credentials", ".", "--broker", "::1:8883"], "an IPv6 address goes in brackets"),
        (&["--credentials", ".", "--broker", "[::1:8883"], "the bracket is not closed"),
        (&["--credentials", ".", "--broker", "local host:8883"], "that is no host name"),
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 2, "{arguments:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(advice), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.ends_with("Try --help.\n"), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}
