//! Connections that fail, and what they fail with.

use std::net::TcpListener;
use std::time::Duration;

use microvisor::sys;
use microvisor_sim::bridge::BridgeOptions;
use microvisor_sim::broker::{LinkId, TlsCredentials};

use crate::canned_broker::{CONNACK, CannedBroker};
use crate::device::{Device, connect_request, publish};
use crate::mosquitto::{Mosquitto, free_port};
use crate::pki::{Authority, Certificate};

const LINK: LinkId = LinkId(1);
const UNKNOWN_CA: (u32, u32) = (sys::MV_MQTTREQUESTSTATE_UNKNOWNCA, 0);
const EXPIRED: (u32, u32) = (sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, 0);
const SOCKET_ERROR: (u32, u32) = (sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0);
const NO_SUCH_NAME: (u32, u32) = (sys::MV_MQTTREQUESTSTATE_NXDOMAIN, 0);

/// What connecting with these credentials ends with, and what the log says.
fn outcome(port: u16, credentials: TlsCredentials) -> ((u32, u32), String) {
    let mut device = Device::new();
    let answer = device.connect(LINK, connect_request(port, "lamp", credentials));
    (answer, device.log().join("; "))
}

fn own_credentials() -> TlsCredentials {
    let authority = Authority::new("test CA");
    let client = authority.client("lamp");
    TlsCredentials { ca: vec![authority.der()], chain: vec![client.der.clone()], key: client.pkcs8() }
}

#[test]
fn a_ca_that_did_not_issue_the_brokers_certificate_is_an_unknown_ca() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let client = mosquitto.authority.client("lamp");
    for other in ["another CA", "test CA"] {
        let ca = vec![Authority::new(other).der()];
        let (answer, log) = outcome(mosquitto.port, TlsCredentials { ca, ..mosquitto.credentials(&client) });
        assert_eq!(answer, UNKNOWN_CA, "{log}");
    }
}

#[test]
fn a_broker_that_no_public_ca_knows_needs_its_ca_on_the_device() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let client = mosquitto.authority.client("lamp");
    let (answer, log) =
        outcome(mosquitto.port, TlsCredentials { ca: vec![], ..mosquitto.credentials(&client) });
    assert_eq!(answer, UNKNOWN_CA, "{log}");
}

#[test]
fn an_expired_certificate_of_the_broker_is_told_apart() {
    let authority = Authority::new("test CA");
    let server = authority.server_valid("localhost", 2020..=2021);
    let Some(mosquitto) = Mosquitto::start_with(authority, &server) else { return };
    let client = mosquitto.authority.client("lamp");
    let (answer, log) = outcome(mosquitto.port, mosquitto.credentials(&client));
    assert_eq!(answer, EXPIRED, "{log}");
}

#[test]
fn an_expired_certificate_of_the_device_is_told_apart() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let client = mosquitto.authority.client_valid("lamp", 2020..=2021);
    // Whether the broker's alert arrives before the end of the connection is a race; try it often.
    for _ in 0..20 {
        let (answer, log) = outcome(mosquitto.port, mosquitto.credentials(&client));
        assert_eq!(answer, EXPIRED, "{log}");
    }
}

#[test]
fn a_key_that_belongs_to_another_certificate_is_a_socket_error() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let client = mosquitto.authority.client("lamp");
    let key = mosquitto.authority.client("lamp").pkcs8();
    let (answer, log) = outcome(mosquitto.port, TlsCredentials { key, ..mosquitto.credentials(&client) });
    assert_eq!(answer, SOCKET_ERROR);
    assert!(log.contains("does not belong to the client certificate"), "{log}");
}

#[test]
fn a_client_certificate_that_the_broker_does_not_know_is_a_socket_error() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let stranger: Certificate = Authority::new("another CA").client("lamp");
    let (answer, log) = outcome(mosquitto.port, mosquitto.credentials(&stranger));
    assert_eq!(answer, SOCKET_ERROR, "{log}");
}

#[test]
fn a_client_without_a_certificate_is_a_socket_error() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let credentials = TlsCredentials { ca: vec![mosquitto.authority.der()], chain: vec![], key: vec![] };
    let (answer, log) = outcome(mosquitto.port, credentials);
    assert_eq!(answer, SOCKET_ERROR, "{log}");
}

#[test]
fn a_certificate_for_another_host_is_a_socket_error() {
    let authority = Authority::new("test CA");
    let server = authority.server("elsewhere.example");
    let Some(mosquitto) = Mosquitto::start_with(authority, &server) else { return };
    let client = mosquitto.authority.client("lamp");
    let (answer, log) = outcome(mosquitto.port, mosquitto.credentials(&client));
    assert_eq!(answer, SOCKET_ERROR, "{log}");
}

#[test]
fn a_closed_port_is_a_socket_error() {
    let (answer, log) = outcome(free_port(), own_credentials());
    assert_eq!(answer, SOCKET_ERROR, "{log}");
}

#[test]
fn a_name_without_an_address_does_not_exist() {
    let mut device = Device::with(BridgeOptions::new().connect_to("broker.invalid", 8883));
    let answer = device.connect(LINK, connect_request(8883, "lamp", own_credentials()));
    assert_eq!(answer, NO_SUCH_NAME, "{:?}", device.log());
}

#[test]
fn a_server_that_never_answers_is_a_socket_error_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut device = Device::with(BridgeOptions::new().connect_timeout(Duration::from_millis(200)));
    let answer = device.connect(LINK, connect_request(port, "lamp", own_credentials()));
    assert_eq!(answer, SOCKET_ERROR);
    assert!(device.log()[0].contains("in time"), "{:?}", device.log());
}

#[test]
fn a_broker_that_dies_closes_the_channel() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    let client = mosquitto.authority.client("lamp");
    let mut device = Device::new();
    let request = connect_request(mosquitto.port, "lamp", mosquitto.credentials(&client));
    assert_eq!(device.connect(LINK, request), (0, 0));
    mosquitto.kill();
    let reason = device.closed(LINK);
    assert!(
        matches!(
            reason,
            sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER | sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER
        ),
        "{reason} {:?}",
        device.log()
    );
    assert!(!device.log().is_empty());
}

#[test]
fn a_bridge_can_be_dropped_while_it_connects() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut device = Device::new();
    device.start_connecting(LINK, connect_request(port, "lamp", own_credentials()));
    drop(device);
}

#[test]
fn a_disconnect_of_the_broker_comes_with_its_reason_and_after_what_came_before() {
    // A CONNACK, a message of QoS 0 and a DISCONNECT, all at once.
    let broker = CannedBroker::start(&[0x20, 3, 0, 0, 0, 0x30, 5, 0, 1, b't', 0, b'x', 0xE0, 2, 0x8E, 0]);
    let mut device = Device::new();
    let request = connect_request(broker.port, "lamp", broker.credentials);
    assert_eq!(device.connect(LINK, request), (0, 0));
    let session_taken_over = 0x8E;
    assert_eq!(device.disconnected(LINK), (0, session_taken_over));
    assert_eq!(device.message(LINK).payload, b"x");
}

#[test]
fn a_connack_that_refuses_passes_its_reason_on() {
    let not_authorized = 0x87;
    let broker = CannedBroker::start(&[0x20, 3, 0, 0x87, 0]);
    let (answer, log) = outcome(broker.port, broker.credentials);
    assert_eq!(answer, (0, not_authorized), "{log}");
}

#[test]
fn a_broker_that_answers_with_something_else_is_a_socket_error() {
    let ping_response = &[0xD0, 0];
    let broker = CannedBroker::start(ping_response);
    let (answer, log) = outcome(broker.port, broker.credentials);
    assert_eq!(answer, SOCKET_ERROR, "{log}");
}

#[test]
fn a_connect_that_is_never_acknowledged_is_a_socket_error_after_the_timeout() {
    let broker = CannedBroker::start(&[]);
    let mut device = Device::with(BridgeOptions::new().connect_timeout(Duration::from_millis(300)));
    let answer = device.connect(LINK, connect_request(broker.port, "lamp", broker.credentials));
    assert_eq!(answer, SOCKET_ERROR, "{:?}", device.log());
}

#[test]
fn a_publish_under_way_when_the_connection_ends_gets_no_answer() {
    // The broker acknowledges the connection and nothing else.
    let broker = CannedBroker::start(CONNACK);
    let mut device = Device::new();
    let request = connect_request(broker.port, "lamp", broker.credentials);
    assert_eq!(device.connect(LINK, request), (0, 0));
    device.request_publish(LINK, publish("sensor/lamp", b"1", 1));
    device.abandon(LINK);
    assert!(device.events.is_empty(), "{:?}", device.events);
}
