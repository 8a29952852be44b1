//! From an open channel to a session, and everything that can be in the way.

mod bed;

use std::cell::Cell;
use std::num::NonZeroU16;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bed::material;
use bed::scripted_broker::{ACCEPTED, Request, ScriptedBroker};
use bed::session::publish;
use bed::{Bed, options, poll_once, with_open_broker};
use microvisor::mqtt::{
    ClientId, ConnectError, ConnectOptions, Disconnected, Host, LimitError, Limits, MqttChannel,
    ProtocolVersion, QoS, ReasonCode, RequestState, Suspects, User,
};
use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey};
use microvisor::{ClosureReason, HandedBack, Recovery, Secret, Status, Transition, sys};
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::broker::{BrokerEvent, ConnectRequest, Protocol};
use microvisor_sim::{Device, Fault};

type Failure = HandedBack<MqttChannel<Disconnected>, ConnectError>;

/// Connects, which has to fail; at least a quarter of a second after the last time, since no more
/// than 8 channels may be opened in a second.
fn fail(bed: &Bed, options: &ConnectOptions<'_>) -> Failure {
    bed.device.advance(Duration::from_millis(250));
    let connecting = match bed.open_mqtt().connect(options) {
        Ok(connecting) => connecting,
        Err(failed) => return failed,
    };
    bed.device.block_on(connecting.connected()).expect_err("the connection fails")
}

fn error_of(bed: &Bed, options: &ConnectOptions<'_>) -> ConnectError {
    fail(bed, options).error
}

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
    let credentials = Credentials::new()
        .trust(CertificateChain::new(&roots).unwrap())
        .identity(CertificateChain::new(&chain).unwrap(), PrivateKey::from_pkcs8_der(&key).unwrap());
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
    let failed = fail(&bed, &options().with_limits(&LIMITS).with_will(will));
    let limit = LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce };
    assert_eq!(failed.error, ConnectError::Limit(limit));
    assert_eq!(bed.device.call_count("mvMqttRequestConnect"), 0);
    drop(failed.value.close().unwrap());
}

#[test]
fn every_request_state_but_completed_is_a_failure_whatever_the_reason() {
    let answer = Rc::new(Cell::new(0));
    let shared = answer.clone();
    let broker =
        ScriptedBroker::connecting(move || vec![BrokerEvent::Connected { state: shared.get(), reason: 0 }]);
    let bed = bed!(Device::builder().broker(broker)).online();
    let states = [
        RequestState::InvalidParameters,
        RequestState::AlreadyConnected,
        RequestState::NotConnected,
        RequestState::NxDomain,
        RequestState::UnknownCa,
        RequestState::CertificateExpired,
        RequestState::SocketError,
        RequestState::ConnectionCircuitBreaker,
        RequestState::Unknown(4711),
        RequestState::Unknown(0x8000_0000),
    ];
    for state in states {
        answer.set(state.raw());
        assert_eq!(error_of(&bed, &options()), ConnectError::Failed(state));
    }
}

#[test]
fn every_reason_code_of_mqtt_5_but_success_is_a_refusal() {
    let answer = Rc::new(Cell::new(0));
    let shared = answer.clone();
    let broker =
        ScriptedBroker::connecting(move || vec![BrokerEvent::Connected { state: 0, reason: shared.get() }]);
    let bed = bed!(Device::builder().broker(broker)).online();
    for reason in (1..0x120).chain([0xFFFF, u32::MAX]) {
        answer.set(reason);
        assert_eq!(error_of(&bed, &options()), ConnectError::Refused(ReasonCode::from_raw(reason)));
    }
}

#[test]
fn the_connack_codes_of_mqtt_3_1_1_have_their_own_meaning() {
    let answer = Rc::new(Cell::new(0));
    let shared = answer.clone();
    let broker =
        ScriptedBroker::connecting(move || vec![BrokerEvent::Connected { state: 0, reason: shared.get() }]);
    let bed = bed!(Device::builder().broker(broker)).online();
    let meanings = [
        (1, ReasonCode::UnsupportedProtocolVersion),
        (2, ReasonCode::ClientIdentifierNotValid),
        (3, ReasonCode::ServerUnavailable),
        (4, ReasonCode::BadUserNameOrPassword),
        (5, ReasonCode::NotAuthorized),
        (6, ReasonCode::UnspecifiedError),
        (0x10, ReasonCode::UnspecifiedError),
        (0x87, ReasonCode::NotAuthorized),
        (0xF0, ReasonCode::Unknown(0xF0)),
    ];
    for (code, meaning) in meanings {
        answer.set(code);
        let error = error_of(&bed, &options().with_version(ProtocolVersion::V3_1_1));
        assert_eq!(error, ConnectError::Refused(meaning), "code {code}");
    }
}

#[test]
fn a_model_broker_refuses_a_stranger_in_either_version() {
    for version in [ProtocolVersion::V5, ProtocolVersion::V3_1_1] {
        let broker = ModelBroker::open().user("ada", "hunter2").build();
        let bed = bed!(Device::builder().broker(broker)).online();
        let error = error_of(&bed, &options().with_version(version));
        assert_eq!(error, ConnectError::Refused(ReasonCode::BadUserNameOrPassword));
        let mut password = *b"hunter2";
        let password = Secret::new(&mut password);
        drop(
            bed.session_with(
                &options().with_version(version).with_user(User::new("ada", &password).unwrap()),
            ),
        );
    }
}

#[test]
fn a_host_a_port_and_a_broker_that_are_not_there_are_told_apart() {
    let broker = ModelBroker::open().host("broker.example").port(8883).build();
    let bed = bed!(Device::builder().broker(broker)).online();
    let elsewhere = ConnectOptions::new(Host::new("elsewhere").unwrap(), ClientId::new("device").unwrap());
    assert_eq!(error_of(&bed, &elsewhere), ConnectError::Failed(RequestState::NxDomain));
    let closed_port = options().with_port(NonZeroU16::new(1883).unwrap());
    assert_eq!(error_of(&bed, &closed_port), ConnectError::Failed(RequestState::SocketError));
    drop(bed.connect());
}

#[test]
fn what_the_kernel_answers_to_the_request_is_kept() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let statuses = [
        (sys::MV_STATUS_INVALIDAUTHENTICATION, Recovery::GiveUp),
        (sys::MV_STATUS_TOOMANYELEMENTS, Recovery::GiveUp),
        (sys::MV_STATUS_REQUIREDELEMENTMISSING, Recovery::GiveUp),
        (sys::MV_STATUS_LATEFAULT, Recovery::Reopen),
        (sys::MV_STATUS_PARAMETERFAULT, Recovery::Reopen),
        (sys::MV_STATUS_INVALIDHANDLE, Recovery::Reopen),
        (sys::MV_STATUS_REQUESTALREADYSENT, Recovery::Reopen),
        (999, Recovery::Reopen),
    ];
    for (status, recovery) in statuses {
        bed.device.inject(Fault::call("mvMqttRequestConnect").status(status));
        let error = error_of(&bed, &options());
        assert_eq!(error, ConnectError::Kernel(Status::check(status).unwrap_err()));
        assert_eq!(error.recovery(), recovery, "{error}");
    }
    drop(bed.connect());
}

#[test]
fn what_the_kernel_answers_instead_of_the_response_is_kept() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    for call in ["mvMqttGetNextReadableDataType", "mvMqttReadConnectResponse"] {
        for status in [sys::MV_STATUS_LATEFAULT, sys::MV_STATUS_PARAMETERFAULT, 999] {
            bed.device.inject(Fault::call(call).status(status));
            let error = error_of(&bed, &options());
            assert_eq!(error, ConnectError::Kernel(Status::check(status).unwrap_err()), "{call}");
        }
        bed.device.inject(Fault::call(call).status(sys::MV_STATUS_CHANNELCLOSED));
        assert_eq!(error_of(&bed, &options()), ConnectError::ChannelClosed(ClosureReason::None), "{call}");
    }
    drop(bed.connect());
}

#[test]
fn a_user_name_and_a_client_certificate_exclude_each_other_by_the_kernels_rules() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let (leaf, key) = (material::certificate(1), material::private_key());
    let chain = [Certificate::from_der(&leaf).unwrap()];
    let credentials = Credentials::new()
        .identity(CertificateChain::new(&chain).unwrap(), PrivateKey::from_pkcs8_der(&key).unwrap());
    let mut password = *b"hunter2";
    let password = Secret::new(&mut password);
    let error = error_of(
        &bed,
        &options().with_credentials(&credentials).with_user(User::new("ada", &password).unwrap()),
    );
    assert_eq!(error, ConnectError::Kernel(Status::InvalidAuthentication));
    assert_eq!(error.suspects(), Suspects::USER | Suspects::CERTIFICATE | Suspects::KEY);
    assert_eq!(bed.device.take_misuse().len(), 1);
}

#[test]
fn a_channel_that_closes_while_it_connects_says_why() {
    let reasons = [
        (sys::MV_CLOSUREREASON_NONE, ClosureReason::None),
        (sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER, ClosureReason::ClosedByServer),
        (sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER, ClosureReason::ResetByServer),
        (sys::MV_CLOSUREREASON_NETWORKDISCONNECTED, ClosureReason::NetworkDisconnected),
        (sys::MV_CLOSUREREASON_CONNECTIONTERMINATED, ClosureReason::ConnectionTerminated),
        (sys::MV_CLOSUREREASON_NOTYETOPEN, ClosureReason::NotYetOpen),
        (sys::MV_CLOSUREREASON_CLOSEDBYAPPLICATION, ClosureReason::ClosedByApplication),
        (sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED, ClosureReason::UnexpectedlyTerminated),
        (4711, ClosureReason::Unknown(4711)),
    ];
    let broker = ScriptedBroker::connecting(Vec::new);
    let bed = bed!(Device::builder().broker(broker)).online();
    for (raw, reason) in reasons {
        let soon = bed.device.now() + Duration::from_secs(2);
        bed.device.at(soon, move |device| device.close_channels(raw));
        let failed = fail(&bed, &options());
        assert_eq!(failed.error, ConnectError::ChannelClosed(reason));
        assert_eq!(failed.error.recovery(), Recovery::Reopen);
        drop(failed.value.close().expect("a channel that is closed can be given back"));
    }
}

#[test]
fn a_channel_that_closed_before_the_request_says_why() {
    let bed = bed!(Device::builder()).online();
    let channel = bed.open_mqtt();
    bed.device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
    let failed = channel.connect(&options()).unwrap_err();
    assert_eq!(failed.error, ConnectError::ChannelClosed(ClosureReason::ResetByServer));
    drop(failed.value.close().unwrap());
}

#[test]
fn a_network_that_goes_away_ends_the_wait() {
    let broker = ScriptedBroker::connecting(Vec::new);
    let bed = bed!(Device::builder().broker(broker)).online();
    bed.device.at(Duration::from_secs(9), |device| {
        device.set_network(microvisor_sim::NetworkStatus::Connecting);
    });
    let error = error_of(&bed, &options());
    assert_eq!(error, ConnectError::ChannelClosed(ClosureReason::NetworkDisconnected));
    assert!(bed.device.now() >= Duration::from_secs(9));
}

#[test]
fn a_disconnect_before_the_answer_is_told_as_such() {
    let answers = [
        (
            BrokerEvent::Disconnected { state: 0, reason: 0x8B },
            ConnectError::Disconnected(ReasonCode::ServerShuttingDown),
        ),
        (
            BrokerEvent::Disconnected { state: 0, reason: 0x1FF },
            ConnectError::Disconnected(ReasonCode::Unknown(0x1FF)),
        ),
        (BrokerEvent::Disconnected { state: 0, reason: 0 }, ConnectError::Disconnected(ReasonCode::Success)),
        (BrokerEvent::Disconnected { state: 3, reason: 0 }, ConnectError::Failed(RequestState::NotConnected)),
        (
            BrokerEvent::Closed { closure_reason: 1 },
            ConnectError::ChannelClosed(ClosureReason::ClosedByServer),
        ),
    ];
    for (answer, error) in answers {
        let broker = ScriptedBroker::connecting(move || vec![answer.clone(), ACCEPTED]);
        let bed = bed!(Device::builder().broker(broker)).online();
        assert_eq!(error_of(&bed, &options()), error);
    }
}

#[test]
fn a_disconnect_before_the_answer_that_cannot_be_read_is_a_failure() {
    let broker = ScriptedBroker::connecting(|| vec![BrokerEvent::Disconnected { state: 0, reason: 0 }]);
    let bed = bed!(Device::builder().broker(broker)).online();
    bed.device.inject(Fault::call("mvMqttReadDisconnectResponse").status(999));
    assert_eq!(error_of(&bed, &options()), ConnectError::Kernel(Status::Unknown(999)));
}

#[test]
fn what_does_not_belong_before_the_answer_is_a_failure() {
    let message =
        BrokerEvent::Message { delivery: 1, topic: b"t".to_vec(), payload: vec![], qos: 0, retain: false };
    let broker = ScriptedBroker::connecting(move || vec![message.clone(), ACCEPTED]);
    let bed = bed!(Device::builder().broker(broker)).online();
    let kind = sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED;
    assert_eq!(error_of(&bed, &options()), ConnectError::Unexpected(kind));
    bed.device.inject(Fault::call("mvMqttGetNextReadableDataType").output(4711));
    assert_eq!(error_of(&bed, &options()), ConnectError::Unexpected(4711));
}

#[test]
fn an_error_says_what_to_check_and_whether_trying_again_helps() {
    use ConnectError::{ChannelClosed, Failed, Kernel, Limit, Refused, Unexpected};
    let advice = [
        (Failed(RequestState::NxDomain), Suspects::ENDPOINT, Recovery::GiveUp, "host name"),
        (
            Failed(RequestState::UnknownCa),
            Suspects::CA | Suspects::ENDPOINT,
            Recovery::GiveUp,
            "CA certificate",
        ),
        (
            Failed(RequestState::CertificateExpired),
            Suspects::CERTIFICATE | Suspects::CA | Suspects::CLOCK,
            Recovery::GiveUp,
            "the date",
        ),
        (
            Failed(RequestState::SocketError),
            Suspects::PORT | Suspects::ENDPOINT | Suspects::CERTIFICATE | Suspects::KEY | Suspects::POLICY,
            Recovery::Reopen,
            "the private key",
        ),
        (Failed(RequestState::ConnectionCircuitBreaker), Suspects::WAIT, Recovery::Reopen, "try again later"),
        (Failed(RequestState::InvalidParameters), Suspects::REQUEST, Recovery::GiveUp, "the program"),
        (Failed(RequestState::Unknown(77)), Suspects::REQUEST, Recovery::Reopen, "request state 77"),
        (
            Refused(ReasonCode::NotAuthorized),
            Suspects::POLICY | Suspects::CERTIFICATE | Suspects::CLIENT_ID,
            Recovery::GiveUp,
            "the policy attached",
        ),
        (
            Refused(ReasonCode::BadUserNameOrPassword),
            Suspects::USER,
            Recovery::GiveUp,
            "user name and password",
        ),
        (Refused(ReasonCode::ClientIdentifierNotValid), Suspects::CLIENT_ID, Recovery::GiveUp, "client id"),
        (
            Refused(ReasonCode::SessionTakenOver),
            Suspects::OTHER_CLIENT | Suspects::CLIENT_ID,
            Recovery::Reopen,
            "another client",
        ),
        (Refused(ReasonCode::ServerBusy), Suspects::WAIT, Recovery::Reopen, "try again later"),
        (Refused(ReasonCode::QuotaExceeded), Suspects::WAIT, Recovery::Reopen, "try again later"),
        (Refused(ReasonCode::ServerMoved), Suspects::ENDPOINT, Recovery::GiveUp, "host name"),
        (Refused(ReasonCode::Unknown(0xF0)), Suspects::REQUEST, Recovery::Reopen, "(0xF0)"),
        (
            ChannelClosed(ClosureReason::ResetByServer),
            Suspects::WAIT | Suspects::POLICY | Suspects::CERTIFICATE,
            Recovery::Reopen,
            "reset by the server",
        ),
        (
            Kernel(Status::TooManyElements),
            Suspects::CA | Suspects::CERTIFICATE,
            Recovery::GiveUp,
            "certificate",
        ),
        (Kernel(Status::Unknown(999)), Suspects::REQUEST, Recovery::Reopen, "status 999"),
        (Limit(LimitError::ReservedTopic), Suspects::REQUEST, Recovery::GiveUp, "the will"),
        (Unexpected(4711), Suspects::REQUEST, Recovery::Reopen, "kind 4711"),
    ];
    for (error, suspects, recovery, words) in advice {
        assert_eq!(error.suspects(), suspects, "{error:?}");
        assert_eq!(error.recovery(), recovery, "{error:?}");
        let text = error.to_string();
        assert!(text.contains(words), "{words:?} is missing in {text:?}");
    }
}

#[test]
fn every_error_of_a_connection_ends_in_advice() {
    let states = (1..20).map(|raw| ConnectError::Failed(RequestState::from_raw(raw)));
    let reasons = (1..0x100).map(|raw| ConnectError::Refused(ReasonCode::from_raw(raw)));
    for error in states.chain(reasons) {
        let text = error.to_string();
        let (_, advice) = text.rsplit_once("; ").expect("advice");
        assert!(advice.starts_with("check ") || advice == "try again later", "{error}");
    }
}

#[test]
fn after_a_failure_the_buffers_serve_the_next_channel() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    broker.refuse_connect(0, 0x87);
    let failed = fail(&bed, &options());
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
    let failed = fail(&bed, &options());
    bed.device.inject(Fault::call("mvCloseChannel").status(999));
    let HandedBack { error, value } = failed.value.close().unwrap_err();
    assert_eq!(error.status(), Status::Unknown(999));
    assert!(bed.memory.take().is_none());
    drop(value.close().unwrap());
    drop(bed.buffers());
}

#[test]
fn a_connection_can_be_polled_without_async() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut context = Context::from_waker(Waker::noop());
    let mut connecting = bed.open_mqtt().connect(&options()).unwrap();
    assert!(connecting.poll_connected(&mut context).is_pending());
    let Transition::Waiting(mut connecting) = connecting.try_connected() else { panic!("no answer yet") };
    bed.device.run_until_idle();
    assert_eq!(connecting.poll_connected(&mut context), Poll::Ready(Ok(())));
    assert_eq!(connecting.poll_connected(&mut context), Poll::Ready(Ok(())), "the answer is kept");
    let Transition::Done(connected) = connecting.try_connected() else { panic!("the broker accepted") };
    drop(connected.close().unwrap());
}

#[test]
fn a_refusal_can_be_polled_without_async() {
    let bed = bed!(Device::builder()).online();
    let connecting = bed.open_mqtt().connect(&options()).unwrap();
    bed.device.run_until_idle();
    let Transition::Failed(failed) = connecting.try_connected() else { panic!("there is no broker") };
    assert_eq!(failed.error, ConnectError::Failed(RequestState::SocketError));
    drop(failed.value.close().unwrap());
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_waker_polled_with_last_is_the_one_that_is_woken() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut connecting = bed.open_mqtt().connect(&options()).unwrap();
    for count in [&first, &last] {
        let waker = Waker::from(count.clone());
        assert!(connecting.poll_connected(&mut Context::from_waker(&waker)).is_pending());
    }
    bed.device.run_until_idle();
    assert_eq!((first.0.load(Ordering::Relaxed), last.0.load(Ordering::Relaxed)), (0, 1));
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

#[test]
fn a_broker_that_is_not_there_is_a_socket_error() {
    let bed = bed!(Device::builder()).online();
    assert_eq!(error_of(&bed, &options()), ConnectError::Failed(RequestState::SocketError));
}
