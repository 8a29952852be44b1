//! Settings that are missing, wrong, or do not come.
//!
//! What is wrong in the stores is permanent: no connection is tried with it, the key is named, and the
//! session heals once the values are put right.

use std::time::Duration;

use microvisor_sim::{Fault, FetchFault};

use crate::stored::{hex, key_der, key_pem};
use crate::survival::{Case, back_offs};
use crate::world::World;

const KEYS: [&str; 5] = ["private_key", "root-CA", "cert", "broker-host", "broker-port"];

/// When the values are put right, or the far end answers again, in seconds.
const HEALED: u64 = 300;

crate::cases! {
    a_missing_value => KEYS.into_iter().map(missing);
    a_value_that_the_server_cannot_look_up => KEYS.into_iter().map(server_error);
    a_result_of_a_newer_kernel_for_one_value => KEYS.into_iter().map(unknown_result);
    a_value_that_is_not_utf8 => KEYS.into_iter().map(not_text);
    an_empty_value => KEYS.into_iter().map(|key| wrong(key, "empty", "", key));
    hex_with_a_wrong_digit => ["private_key", "root-CA", "cert"].into_iter().map(|key| {
        wrong(key, "not hex", "30820x", key)
    });
    hex_with_a_digit_missing => ["private_key", "root-CA", "cert"].into_iter().map(|key| {
        wrong(key, "odd hex", "30820", key)
    });
    pem_instead_of_der => [
        wrong("private_key", "PEM in hex", &hex(key_pem("p256-pkcs8.pem").as_bytes()), "PEM"),
        wrong("private_key", "PEM", &key_pem("p256-pkcs8.pem"), "private_key"),
        wrong("cert", "PEM in hex", &hex(b"-----BEGIN CERTIFICATE-----\nMIIB\n"), "PEM"),
        wrong("root-CA", "PEM in hex", &hex(b"-----BEGIN CERTIFICATE-----\nMIIB\n"), "PEM"),
    ];
    a_key_that_is_not_pkcs8 => [
        wrong("private_key", "PKCS#1", &hex(&key_der("rsa2048-pkcs1.pem")), "PKCS#8"),
        wrong("private_key", "SEC 1", &hex(&key_der("p256-sec1.pem")), "PKCS#8"),
    ];
    a_certificate_that_is_cut_off => ["cert", "root-CA"].into_iter().map(|key| {
        wrong(key, "cut off", "3082010a0201", key)
    });
    a_port_that_is_none => ["0", "65536", "mqtt", "8883 ", "-1"].into_iter().map(|port| {
        wrong("broker-port", &format!("{port:?}"), port, "broker-port")
    });
    a_host_that_is_none => ["https://a.example", "a.example:8883", "a b"].into_iter().map(|host| {
        wrong("broker-host", &format!("{host:?}"), host, "broker-host")
    });
    values_that_do_not_fit_the_response => [too_large(), said_to_be_too_large()];
    a_fetch_that_fails_with_a_result_of_a_newer_kernel => [
        at_responses("result 4711", FetchFault::Result(4711)).tells("4711").passes_for_transient(),
    ];
    a_response_that_lacks_values => [
        at_responses("two values too few", FetchFault::FewerItems(2))
            .tells("5 config values")
            .passes_for_transient(),
    ];
    a_fetch_that_is_never_answered => [
        at_responses("no response", FetchFault::Silent)
            .tells("the config fetch was not answered in time")
            .passes_for_transient(),
    ];
    a_response_that_comes_too_late => [
        at_responses("response 15 s late", FetchFault::Delay(Duration::from_secs(15))).passes_for_transient(),
    ];
    a_response_that_comes_late_and_in_time => [
        Case::new("response 8 s late", "fetching settings").strikes(0, |world| {
            let late = FetchFault::Delay(Duration::from_secs(8));
            world.device.inject(Fault::config_response(late));
        }),
    ];
}

fn named(fault: impl Into<String>) -> Case {
    Case::new(fault, "fetching settings")
}

/// Heals when the stores hold the right values again.
fn stored_wrongly(fault: String, spoil: impl FnOnce(&World) + 'static) -> Case {
    named(fault)
        .strikes(0, spoil)
        .until(HEALED, |world| world.stored.store_on(&world.device))
        .never_connects()
        .passes_for_permanent()
}

fn missing(key: &'static str) -> Case {
    stored_wrongly(format!("`{key}` missing"), move |world| {
        if key == "private_key" { world.device.remove_secret(key) } else { world.device.remove_config(key) }
    })
    .tells(format!("`{key}`: the store has no such key"))
    .check(move |world| names(world, key))
}

/// The reason, which contains `reason`, is told with the key.
fn wrong(key: &'static str, what: &str, value: &str, reason: &'static str) -> Case {
    let value = value.to_owned();
    stored_wrongly(format!("`{key}`: {what}"), move |world| {
        if key == "private_key" {
            world.device.set_secret(key, &value);
        } else {
            world.device.set_config(key, &value);
        }
    })
    .tells(format!("`{key}`: "))
    .tells(reason)
    .check(move |world| names(world, key))
}

fn names(world: &World, key: &str) {
    let waits = back_offs(world, Duration::ZERO, Duration::from_secs(HEALED));
    assert!(waits.iter().all(|(.., cause)| cause.key() == Some(key)), "{waits:?}");
}

fn at_responses(fault: impl Into<String>, response: FetchFault) -> Case {
    named(fault)
        .strikes(0, |world| {
            let fault = Fault::config_response(response);
            world.device.inject(fault.until(Duration::from_secs(HEALED)));
        })
        .until(HEALED, |_| ())
        .never_connects()
}

fn server_error(key: &'static str) -> Case {
    at_responses(format!("`{key}`: server error"), FetchFault::ServerError(key.to_owned()))
        .passes_for_transient()
        .tells(format!("`{key}`: the server could not look it up"))
        .check(move |world| names(world, key))
}

fn unknown_result(key: &'static str) -> Case {
    at_responses(format!("`{key}`: result 4711"), FetchFault::ItemResult(key.to_owned(), 4711))
        .passes_for_transient()
        .tells(format!("`{key}`: result 4711"))
}

fn not_text(key: &'static str) -> Case {
    at_responses(format!("`{key}`: not UTF-8"), FetchFault::ItemValue(key.to_owned(), vec![0xFF, 0xFE]))
        .passes_for_permanent()
        .tells(format!("`{key}`: "))
        .check(move |world| names(world, key))
}

/// 4,096 characters, the most that a value can have, three times.
fn too_large() -> Case {
    stored_wrongly("values of 12 KiB".to_owned(), |world| {
        for key in ["cert", "root-CA", "broker-host"] {
            world.device.set_config(key, &"a".repeat(4_096));
        }
    })
    .tells("do not fit the channel's receive buffer")
}

fn said_to_be_too_large() -> Case {
    at_responses("response too large", FetchFault::ResponseTooLarge)
        .passes_for_permanent()
        .tells("do not fit the channel's receive buffer")
}
