//! How the managed MQTT client connects.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::ptr::null;

use microvisor::sys;
use microvisor_sim::broker::Protocol;
use microvisor_sim::{Quirks, StreamedRequests};
use raw::{Bench, call, connect_request, text};

const OKAY: u32 = sys::MV_STATUS_OKAY;
const INVALID_PARAMETERS: u32 = sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS;

#[test]
fn a_connect_request_reaches_the_broker_as_it_was_made() {
    let bench = Bench::new();
    let (ca, cert) = ([text(b"ca")], [text(b"cert")]);
    let chain =
        |certs: &[sys::MvSizedString; 1]| sys::MvTlsCertificateChain { num_certs: 1, certs: certs.as_ptr() };
    let credentials = sys::MvTlsCredentials {
        cacert: chain(&ca),
        clientcert: sys::MvOwnTlsCertificateChain { chain: chain(&cert), key: text(b"key") },
    };
    let will = sys::MvMqttWill { topic: text(b"gone"), payload: text(b"bye"), qos: 1, retain: 1 };
    let request = sys::MvMqttConnectRequest {
        tls_credentials: &raw const credentials,
        clean_start: 1,
        will: &raw const will,
        ..connect_request()
    };
    assert_eq!(call!(mvMqttRequestConnect(bench.mqtt(), &request)), OKAY);
    let arrived = bench.broker.last_connect();
    assert_eq!(
        (arrived.protocol, arrived.host, arrived.port),
        (Protocol::V5, b"broker.example".to_vec(), 8883)
    );
    assert_eq!((arrived.client_id, arrived.keep_alive, arrived.clean_start), (b"client".to_vec(), 60, true));
    let tls = arrived.credentials.expect("credentials");
    assert_eq!((tls.ca, tls.chain, tls.key), (vec![b"ca".to_vec()], vec![b"cert".to_vec()], b"key".to_vec()));
    let will = arrived.will.expect("a will");
    assert_eq!(
        (will.topic, will.payload, will.qos, will.retain),
        (b"gone".to_vec(), b"bye".to_vec(), 1, true)
    );
}

#[test]
fn a_user_name_beside_a_certificate_is_refused_or_reaches_the_broker() {
    for accepted in [false, true] {
        let quirks = Quirks { accepts_user_name_with_certificate: accepted, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let cert = [text(b"cert")];
        let chain = sys::MvTlsCertificateChain { num_certs: 1, certs: cert.as_ptr() };
        let credentials = sys::MvTlsCredentials {
            cacert: sys::MvTlsCertificateChain { num_certs: 0, certs: null() },
            clientcert: sys::MvOwnTlsCertificateChain { chain, key: text(b"key") },
        };
        let username_password =
            sys::MvUsernamePassword { username: text(b"user"), password: text(b"password") };
        let request = sys::MvMqttConnectRequest {
            tls_credentials: &raw const credentials,
            authentication: sys::MvMqttAuthentication {
                method: sys::MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD,
                username_password,
            },
            ..connect_request()
        };
        let status = call!(mvMqttRequestConnect(bench.mqtt(), &request));
        if accepted {
            assert_eq!(status, OKAY);
            let arrived = bench.broker.last_connect();
            assert_eq!(arrived.authentication, Some((b"user".to_vec(), b"password".to_vec())));
            assert_eq!(arrived.credentials.expect("credentials").key, b"key");
        } else {
            assert_eq!(status, sys::MV_STATUS_INVALIDAUTHENTICATION);
            assert_eq!(bench.misuse().len(), 1);
        }
    }
}

#[test]
fn a_connect_request_may_be_larger_than_the_send_buffer_unless_the_kernel_sends_nothing_in_parts() {
    for (streams, accepted) in [
        (StreamedRequests::Nothing, false),
        (StreamedRequests::Connect, true),
        (StreamedRequests::Everything, true),
    ] {
        let quirks = Quirks { streams_large_requests: streams, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let will = sys::MvMqttWill { topic: text(b"gone"), payload: text(&[b'x'; 489]), qos: 1, retain: 0 };
        let request = sys::MvMqttConnectRequest { will: &raw const will, ..connect_request() };
        let channel = bench.mqtt();
        assert_eq!(call!(mvMqttRequestConnect(channel, &request)), OKAY);
        bench.settle();
        let mut response = sys::MvMqttConnectResponse { request_state: 99, reason_code: 99 };
        assert_eq!(call!(mvMqttReadConnectResponse(channel, &mut response)), OKAY);
        assert_eq!(response.request_state == 0, accepted, "{streams:?}");
        assert_eq!(response.request_state == INVALID_PARAMETERS, !accepted, "{streams:?}");
        let misuse: Vec<_> = bench.misuse().into_iter().map(|misuse| misuse.what).collect();
        let refused = ["a connect request of 513 bytes does not fit the send buffer of 512".to_owned()];
        assert_eq!(misuse, if accepted { &[][..] } else { &refused[..] });
    }
}

#[test]
fn a_connect_request_out_of_range_uses_up_the_channel() {
    let bench = Bench::new();
    let channel = bench.mqtt();
    let request = sys::MvMqttConnectRequest { protocol_version: 5, ..connect_request() };
    assert_eq!(call!(mvMqttRequestConnect(channel, &request)), OKAY);
    bench.settle();
    let mut response = sys::MvMqttConnectResponse { request_state: 99, reason_code: 99 };
    assert_eq!(call!(mvMqttReadConnectResponse(channel, &mut response)), OKAY);
    assert_eq!(response.request_state, INVALID_PARAMETERS);
    assert_eq!(call!(mvMqttRequestConnect(channel, &connect_request())), sys::MV_STATUS_REQUESTALREADYSENT);
    assert_eq!(bench.misuse().len(), 2);
}

#[test]
fn without_a_broker_connecting_ends_in_a_socket_error() {
    let bench = Bench::without_broker();
    let channel = bench.connected_unread();
    let mut response = sys::MvMqttConnectResponse { request_state: 99, reason_code: 99 };
    assert_eq!(call!(mvMqttReadConnectResponse(channel, &mut response)), OKAY);
    assert_eq!(response.request_state, sys::MV_MQTTREQUESTSTATE_SOCKETERROR);
}
