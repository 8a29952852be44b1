//! From an open channel to a session, and back to the buffers.

mod bed;

use std::num::NonZeroU16;
use std::pin::pin;

use bed::material;
use bed::scripted_broker::{Request, ScriptedBroker};
use bed::session::publish;
use bed::{options, poll_once, with_open_broker};
use microvisor::mqtt::{
    ClientId, ConnectError, ConnectOptions, Host, LimitError, Limits, MqttChannel, ProtocolVersion, QoS, User,
};
use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey};
use microvisor::{HandedBack, Secret, Status};
use microvisor_sim::broker::{ConnectRequest, Protocol};
use microvisor_sim::{Device, Fault};

fn request_seen_by(broker: &ScriptedBroker) -> ConnectRequest {
    match broker.requests().into_iter().next_back() {
        Some(Request::Connect(request)) => request,
        other => panic!("a connect request, not {other:?}"),
    }
}

#[test]
fn a_broker_that_accepts_makes_a_session_in_either_version() {
    for version in [ProtocolVersion::V5, ProtocolVersion::V3_1_1] {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder).online();
        let session = bed.session_with(&options().with_version(version));
        assert!(broker.is_connected("device"));
        assert_eq!(session.channel.end(), None);
    }
}

#[test]
fn a_connection_is_mqtt_5_with_a_keep_alive_of_a_minute_unless_said_otherwise() {
    let broker = ScriptedBroker::accepting();
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let _channel = bed.connect();
    let request = request_seen_by(&broker);
    assert_eq!((request.protocol, request.port, request.keep_alive), (Protocol::V5, 8883, 60));
    assert_eq!((request.host, request.client_id), (b"broker.example".to_vec(), b"device".to_vec()));
    assert!(!request.clean_start);
    assert!(request.authentication.is_none() && request.credentials.is_none() && request.will.is_none());
}

#[test]
fn the_broker_sees_the_connection_that_was_asked_for() {
    let broker = ScriptedBroker::accepting();
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let mut password = *b"hunter2";
    let password = Secret::new(&mut password);
    let options = ConnectOptions::new(Host::new("10.0.0.7").unwrap(), ClientId::new("other").unwrap())
        .with_version(ProtocolVersion::V3_1_1)
        .with_port(NonZeroU16::new(443).unwrap())
        .with_keep_alive(1200)
        .with_clean_start(true)
        .with_will(publish("will/of/other", b"gone", QoS::AtLeastOnce).retained())
        .with_user(User::new("ada", &password).unwrap());
    let _channel = bed.session_with(&options);
    let request = request_seen_by(&broker);
    assert_eq!((request.protocol, request.port, request.keep_alive), (Protocol::V3_1_1, 443, 1200));
    assert_eq!((request.host, request.client_id), (b"10.0.0.7".to_vec(), b"other".to_vec()));
    assert!(request.clean_start);
    assert_eq!(request.authentication, Some((b"ada".to_vec(), b"hunter2".to_vec())));
    let will = request.will.expect("a will");
    assert_eq!((will.topic, will.payload), (b"will/of/other".to_vec(), b"gone".to_vec()));
    assert_eq!((will.qos, will.retain), (1, true));
    let log = bed.device.trace().join("\n");
    assert!(!log.contains("hunter2"), "{log}");
    assert!(!format!("{options:?}").contains("hunter2"));
}

#[test]
fn the_broker_sees_the_credentials_in_order() {
    let broker = ScriptedBroker::accepting();
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let (root, leaf, between, key) = (
        material::certificate(1),
        material::certificate(2),
        material::certificate(3),
        material::private_key(),
    );
    let roots = [Certificate::from_der(&root).unwrap()];
    let chain = [&leaf, &between].map(|der| Certificate::from_der(der).unwrap());
    let private_key = PrivateKey::from_pkcs8_der(&key).unwrap();
    let credentials = Credentials::new()
        .trust(CertificateChain::new(&roots).unwrap())
        .identity(CertificateChain::new(&chain).unwrap(), &private_key);
    let _channel = bed.session_with(&options().with_credentials(&credentials));
    let seen = request_seen_by(&broker).credentials.expect("credentials");
    assert_eq!((&seen.ca[..], &seen.chain[..]), (&[root.clone()][..], &[leaf.clone(), between.clone()][..]));
    assert_eq!(seen.key, key);
}

static LIMITS: Limits = Limits::MQTT.max_qos(QoS::AtLeastOnce);

#[test]
fn a_will_beyond_the_limits_is_found_before_anything_is_sent() {
    let bed = bed!(Device::builder()).online();
    let will = publish("will", b"", QoS::ExactlyOnce);
    let failed = bed.fail_to_connect(&options().with_limits(&LIMITS).with_will(will));
    let limit = LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce };
    assert_eq!(failed.error, ConnectError::Limit(limit));
    assert_eq!(bed.device.call_count("mvMqttRequestConnect"), 0);
    drop(failed.value.close().unwrap());
}

#[test]
fn after_a_failure_the_buffers_serve_the_next_channel() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    broker.refuse_connect(0, 0x87);
    let failed = bed.fail_to_connect(&options());
    assert!(bed.memory.take().is_none(), "the channel has the buffers until it is closed");
    let buffers = failed.value.close().unwrap();
    let channel = MqttChannel::open(bed.network(), buffers).unwrap();
    let connecting = channel.connect(&options()).unwrap();
    let connected = bed.device.block_on(connecting.connected()).unwrap();
    drop(connected.close().unwrap());
    drop(bed.buffers());
}

#[test]
fn a_failed_channel_that_does_not_close_is_handed_back_for_another_try() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    broker.refuse_connect(0, 0x87);
    let failed = bed.fail_to_connect(&options());
    bed.device.inject(Fault::call("mvCloseChannel").status(999));
    let HandedBack { error, value } = failed.value.close().unwrap_err();
    assert_eq!(error.status(), Status::check(999).unwrap_err());
    assert!(bed.memory.take().is_none());
    drop(value.close().unwrap());
    drop(bed.buffers());
}

#[test]
fn a_wait_that_is_given_up_closes_the_channel_and_frees_the_buffers() {
    let (broker, builder) = with_open_broker();
    broker.silent_connect();
    let bed = bed!(builder).online();
    {
        let mut connected = pin!(bed.open_mqtt().connect(&options()).unwrap().connected());
        assert!(poll_once(connected.as_mut()).is_pending());
        bed.device.run_until_idle();
        assert!(poll_once(connected.as_mut()).is_pending());
        assert!(bed.memory.take().is_none());
    }
    assert_eq!(bed.device.call_count("mvCloseChannel"), 1);
    drop(bed.connect());
}
