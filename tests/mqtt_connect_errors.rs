//! Why connections do not come about, and what the errors say to check.

mod bed;

use std::cell::Cell;
use std::num::NonZeroU16;
use std::rc::Rc;
use std::time::Duration;

use bed::material;
use bed::scripted_broker::{ACCEPTED, ScriptedBroker};
use bed::{CLOSURE_REASONS, options, with_open_broker};
use microvisor::mqtt::{
    ClientId, ConnectError, ConnectOptions, Host, LimitError, ProtocolVersion, ReasonCode, RequestState,
    Suspects, User,
};
use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey};
use microvisor::{ClosureReason, Recovery, Secret, Status, sys};
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Device, Fault};

#[test]
fn every_request_state_but_completed_is_a_failure_whatever_the_reason() {
    let answer = Rc::new(Cell::new(0));
    let shared = answer.clone();
    let broker =
        ScriptedBroker::connecting(move || vec![BrokerEvent::Connected { state: shared.get(), reason: 0 }]);
    let bed = bed!(Device::builder().broker(broker)).online();
    let states = [
        RequestState::INVALID_PARAMETERS,
        RequestState::ALREADY_CONNECTED,
        RequestState::NOT_CONNECTED,
        RequestState::NX_DOMAIN,
        RequestState::UNKNOWN_CA,
        RequestState::CERTIFICATE_EXPIRED,
        RequestState::SOCKET_ERROR,
        RequestState::CONNECTION_CIRCUIT_BREAKER,
        RequestState::from_raw(4711),
        RequestState::from_raw(0x8000_0000),
    ];
    for state in states {
        answer.set(state.raw());
        assert_eq!(bed.fail_to_connect(&options()).error, ConnectError::Failed(state));
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
        assert_eq!(
            bed.fail_to_connect(&options()).error,
            ConnectError::Refused(ReasonCode::from_raw(reason))
        );
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
        (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
        (2, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        (3, ReasonCode::SERVER_UNAVAILABLE),
        (4, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        (5, ReasonCode::NOT_AUTHORIZED),
        (6, ReasonCode::UNSPECIFIED_ERROR),
        (0x10, ReasonCode::UNSPECIFIED_ERROR),
        (0x87, ReasonCode::NOT_AUTHORIZED),
        (0xF0, ReasonCode::from_raw(0xF0)),
    ];
    for (code, meaning) in meanings {
        answer.set(code);
        let error = bed.fail_to_connect(&options().with_version(ProtocolVersion::V3_1_1)).error;
        assert_eq!(error, ConnectError::Refused(meaning), "code {code}");
    }
}

#[test]
fn a_model_broker_refuses_a_stranger_in_either_version() {
    for version in [ProtocolVersion::V5, ProtocolVersion::V3_1_1] {
        let broker = ModelBroker::open().user("ada", "hunter2").build();
        let bed = bed!(Device::builder().broker(broker)).online();
        let error = bed.fail_to_connect(&options().with_version(version)).error;
        assert_eq!(error, ConnectError::Refused(ReasonCode::BAD_USER_NAME_OR_PASSWORD));
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
    assert_eq!(bed.fail_to_connect(&elsewhere).error, ConnectError::Failed(RequestState::NX_DOMAIN));
    let closed_port = options().with_port(NonZeroU16::new(1883).unwrap());
    assert_eq!(bed.fail_to_connect(&closed_port).error, ConnectError::Failed(RequestState::SOCKET_ERROR));
    drop(bed.connect());
}

#[test]
fn a_broker_that_is_not_there_is_a_socket_error() {
    let bed = bed!(Device::builder()).online();
    assert_eq!(bed.fail_to_connect(&options()).error, ConnectError::Failed(RequestState::SOCKET_ERROR));
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
        let error = bed.fail_to_connect(&options()).error;
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
            let error = bed.fail_to_connect(&options()).error;
            assert_eq!(error, ConnectError::Kernel(Status::check(status).unwrap_err()), "{call}");
        }
        bed.device.inject(Fault::call(call).status(sys::MV_STATUS_CHANNELCLOSED));
        assert_eq!(
            bed.fail_to_connect(&options()).error,
            ConnectError::ChannelClosed(ClosureReason::NONE),
            "{call}"
        );
    }
    drop(bed.connect());
}

#[test]
fn a_user_name_and_a_client_certificate_exclude_each_other_by_the_kernels_rules() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let (leaf, key) = (material::certificate(1), material::private_key());
    let chain = [Certificate::from_der(&leaf).unwrap()];
    let private_key = PrivateKey::from_pkcs8_der(&key).unwrap();
    let credentials = Credentials::new().identity(CertificateChain::new(&chain).unwrap(), &private_key);
    let mut password = *b"hunter2";
    let password = Secret::new(&mut password);
    let both = options().with_credentials(&credentials).with_user(User::new("ada", &password).unwrap());
    let error = bed.fail_to_connect(&both).error;
    assert_eq!(error, ConnectError::Kernel(Status::INVALID_AUTHENTICATION));
    assert_eq!(error.suspects(), Suspects::USER | Suspects::CERTIFICATE | Suspects::KEY);
    assert_eq!(bed.device.take_misuse().len(), 1);
}

#[test]
fn a_channel_that_closes_while_it_connects_says_why() {
    let broker = ScriptedBroker::connecting(Vec::new);
    let bed = bed!(Device::builder().broker(broker)).online();
    for (raw, reason) in CLOSURE_REASONS {
        let soon = bed.device.now() + Duration::from_secs(2);
        bed.device.at(soon, move |device| device.close_channels(raw));
        let failed = bed.fail_to_connect(&options());
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
    assert_eq!(failed.error, ConnectError::ChannelClosed(ClosureReason::RESET_BY_SERVER));
    drop(failed.value.close().unwrap());
}

#[test]
fn a_network_that_goes_away_ends_the_wait() {
    let broker = ScriptedBroker::connecting(Vec::new);
    let bed = bed!(Device::builder().broker(broker)).online();
    bed.device.at(Duration::from_secs(9), |device| {
        device.set_network(microvisor_sim::NetworkStatus::Connecting);
    });
    let error = bed.fail_to_connect(&options()).error;
    assert_eq!(error, ConnectError::ChannelClosed(ClosureReason::NETWORK_DISCONNECTED));
    assert!(bed.device.now() >= Duration::from_secs(9));
}

#[test]
fn a_disconnect_before_the_answer_is_told_as_such() {
    let answers = [
        (
            BrokerEvent::Disconnected { state: 0, reason: 0x8B },
            ConnectError::Disconnected(ReasonCode::SERVER_SHUTTING_DOWN),
        ),
        (
            BrokerEvent::Disconnected { state: 0, reason: 0x1FF },
            ConnectError::Disconnected(ReasonCode::from_raw(0x1FF)),
        ),
        (BrokerEvent::Disconnected { state: 0, reason: 0 }, ConnectError::Disconnected(ReasonCode::SUCCESS)),
        (
            BrokerEvent::Disconnected { state: 3, reason: 0 },
            ConnectError::Failed(RequestState::NOT_CONNECTED),
        ),
        (
            BrokerEvent::Closed { closure_reason: 1 },
            ConnectError::ChannelClosed(ClosureReason::CLOSED_BY_SERVER),
        ),
    ];
    for (answer, error) in answers {
        let broker = ScriptedBroker::connecting(move || vec![answer.clone(), ACCEPTED]);
        let bed = bed!(Device::builder().broker(broker)).online();
        assert_eq!(bed.fail_to_connect(&options()).error, error);
    }
}

#[test]
fn a_disconnect_before_the_answer_that_cannot_be_read_is_a_failure() {
    let broker = ScriptedBroker::connecting(|| vec![BrokerEvent::Disconnected { state: 0, reason: 0 }]);
    let bed = bed!(Device::builder().broker(broker)).online();
    bed.device.inject(Fault::call("mvMqttReadDisconnectResponse").status(999));
    assert_eq!(bed.fail_to_connect(&options()).error, ConnectError::Kernel(Status::check(999).unwrap_err()));
}

#[test]
fn what_does_not_belong_before_the_answer_is_a_failure() {
    let message =
        BrokerEvent::Message { delivery: 1, topic: b"t".to_vec(), payload: vec![], qos: 0, retain: false };
    let broker = ScriptedBroker::connecting(move || vec![message.clone(), ACCEPTED]);
    let bed = bed!(Device::builder().broker(broker)).online();
    let kind = sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED;
    assert_eq!(bed.fail_to_connect(&options()).error, ConnectError::Unexpected(kind));
    bed.device.inject(Fault::call("mvMqttGetNextReadableDataType").output(4711));
    assert_eq!(bed.fail_to_connect(&options()).error, ConnectError::Unexpected(4711));
}

#[test]
fn an_error_says_what_to_check_and_whether_trying_again_helps() {
    use ConnectError::{ChannelClosed, Failed, Kernel, Limit, Refused, Unexpected};
    let advice = [
        (Failed(RequestState::NX_DOMAIN), Suspects::ENDPOINT, Recovery::GiveUp, "host name"),
        (
            Failed(RequestState::UNKNOWN_CA),
            Suspects::CA | Suspects::ENDPOINT,
            Recovery::GiveUp,
            "CA certificate",
        ),
        (
            Failed(RequestState::CERTIFICATE_EXPIRED),
            Suspects::BROKER_CERTIFICATE | Suspects::CERTIFICATE | Suspects::CA | Suspects::CLOCK,
            Recovery::GiveUp,
            "the date",
        ),
        (
            Failed(RequestState::SOCKET_ERROR),
            Suspects::PORT | Suspects::ENDPOINT | Suspects::CERTIFICATE | Suspects::KEY | Suspects::POLICY,
            Recovery::Reopen,
            "the private key",
        ),
        (
            Failed(RequestState::CONNECTION_CIRCUIT_BREAKER),
            Suspects::WAIT,
            Recovery::Reopen,
            "try again later",
        ),
        (
            Failed(RequestState::NOT_CONNECTED),
            Suspects::WAIT | Suspects::POLICY | Suspects::CERTIFICATE,
            Recovery::Reopen,
            "the policy attached",
        ),
        (Failed(RequestState::INVALID_PARAMETERS), Suspects::REQUEST, Recovery::GiveUp, "the program"),
        (Failed(RequestState::from_raw(77)), Suspects::REQUEST, Recovery::Reopen, "request state 77"),
        (
            Refused(ReasonCode::NOT_AUTHORIZED),
            Suspects::POLICY | Suspects::CERTIFICATE | Suspects::CLIENT_ID,
            Recovery::GiveUp,
            "the policy attached",
        ),
        (
            Refused(ReasonCode::BAD_USER_NAME_OR_PASSWORD),
            Suspects::USER,
            Recovery::GiveUp,
            "user name and password",
        ),
        (
            Refused(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
            Suspects::CLIENT_ID,
            Recovery::GiveUp,
            "client id",
        ),
        (
            Refused(ReasonCode::SESSION_TAKEN_OVER),
            Suspects::OTHER_CLIENT | Suspects::CLIENT_ID,
            Recovery::Reopen,
            "another client",
        ),
        (Refused(ReasonCode::SERVER_BUSY), Suspects::WAIT, Recovery::Reopen, "try again later"),
        (Refused(ReasonCode::QUOTA_EXCEEDED), Suspects::WAIT, Recovery::Reopen, "try again later"),
        (Refused(ReasonCode::SERVER_MOVED), Suspects::ENDPOINT, Recovery::GiveUp, "host name"),
        (Refused(ReasonCode::from_raw(0xF0)), Suspects::REQUEST, Recovery::Reopen, "(0xF0)"),
        (
            ChannelClosed(ClosureReason::RESET_BY_SERVER),
            Suspects::WAIT | Suspects::POLICY | Suspects::CERTIFICATE,
            Recovery::Reopen,
            "reset by the server",
        ),
        (
            Kernel(Status::TOO_MANY_ELEMENTS),
            Suspects::CA | Suspects::CERTIFICATE,
            Recovery::GiveUp,
            "certificate",
        ),
        (Kernel(Status::check(999).unwrap_err()), Suspects::REQUEST, Recovery::Reopen, "status 999"),
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
