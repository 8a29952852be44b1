//! From a device's settings to a session with AWS IoT, and what is said where there is none.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod bed;
mod recording_broker;
mod stored;

use std::num::NonZeroU16;
use std::time::Duration;

use bed::{Bed, MEMORY_LEN};
use microvisor::aws::{LIMITS, Profile, ProfileError, Settings, Topics};
use microvisor::mqtt::{
    ClientIdError, ConnectError, Connected, Event, Host, Inbox, LimitError, MqttChannel, Publish, QoS,
    ReasonCode, RequestError, RequestState, Subscription, Suspects, TopicFilter, TopicName, TopicOutcome,
};
use microvisor::tls::Credentials;
use microvisor::{DeviceId, HandedBack, KernelMemory, Recovery, kernel_memory};
use microvisor_sim::broker::Protocol;
use microvisor_sim::broker::model::{ModelBroker, ModelBrokerBuilder, Policy, Thing};
use microvisor_sim::{Device, WallClock};
use pki::{Authority, Certificate};
use recording_broker::RecordingBroker;
use stored::{HOST, Stored, hex};

const ID: &str = "UV0123456789abcdef0123456789abcdef";
const PORT: u16 = 8883;

fn id() -> DeviceId {
    DeviceId::parse(ID).unwrap()
}

/// What AWS and whoever provisions a device agree on.
struct Provisioned {
    authority: Authority,
    device: Certificate,
}

impl Provisioned {
    fn new() -> Self {
        let authority = Authority::new("Root CA");
        let device = authority.client(ID);
        Self { authority, device }
    }

    /// AWS, without any device.
    fn aws(&self) -> ModelBrokerBuilder {
        let server = self.authority.server(HOST);
        ModelBroker::aws_iot().host(HOST).port(PORT).public_ca(false).server_chain([server.der])
    }

    /// AWS, with the device and the policy of the guide.
    fn aws_with_device(&self) -> ModelBrokerBuilder {
        let policy = Policy::least_privilege("eu-west-1", "123456789012");
        self.aws().register_certificate(self.device.der.clone(), Thing::new(ID, policy))
    }

    fn stored(&self) -> Stored {
        Stored::new(&self.authority, &self.device, hex)
    }
}

/// A device with these values, in front of this broker.
macro_rules! online {
    ($broker:expr, $stored:expr) => {{
        static MEMORY: KernelMemory<MEMORY_LEN> = kernel_memory!(MEMORY_LEN);
        let bed = Bed::boot(Device::builder().device_id(ID).broker($broker), &MEMORY).online();
        $stored.store_on(&bed.device);
        bed
    }};
}

/// Fetches the settings and connects with them, as a program does.
fn connect(bed: &Bed) -> Result<MqttChannel<Connected>, ConnectError> {
    let id = DeviceId::read().unwrap();
    let mut memory = [0; 8192];
    let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
    let (settings, buffers) = bed.device.block_on(fetch).expect("the settings are good");
    let credentials = settings.credentials();
    let profile = Profile::new(settings.endpoint(), &id, &credentials).unwrap().with_port(settings.port());
    let channel = MqttChannel::open(bed.network(), buffers).unwrap();
    let connecting = channel.connect(&profile.connect_options()).map_err(|failed| failed.error)?;
    bed.device.block_on(connecting.connected()).map_err(|failed| {
        drop(failed.value.close().expect("the channel closes"));
        failed.error
    })
}

/// Connecting fails, and the message says what to check.
fn refused(bed: &Bed, expected: ConnectError, culprit: Suspects) {
    let error = connect(bed).expect_err("something is wrong");
    assert_eq!(error, expected, "{error}");
    assert!(error.suspects().contains(culprit), "{:?} lacks {culprit:?}", error.suspects());
    assert!(error.to_string().contains("; check "), "{error}");
    assert!(bed.memory.take().is_some(), "the buffers are back");
}

#[test]
fn the_guides_setup_connects_subscribes_publishes_and_obeys() {
    let provisioned = Provisioned::new();
    let broker = provisioned.aws_with_device().build();
    let bed = online!(broker.clone(), provisioned.stored());
    let mut session = connect(&bed).unwrap();
    let topics = Topics::new(&id());
    let (mut topic, mut payload) = ([0; 256], [0; 1024]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);

    let commands =
        [topics.command(), topics.broadcast()].map(|filter| Subscription::new(filter, QoS::AtLeastOnce));
    let subscribing = session.subscribe(&commands, &mut inbox, |_| ());
    let granted = bed.device.block_on(subscribing).unwrap();
    assert_eq!(granted, [TopicOutcome::Granted(QoS::AtLeastOnce); 2]);

    let reading = br#"{"temperature_celsius":21.5}"#;
    let message = Publish::new(topics.telemetry(), reading).with_qos(QoS::AtLeastOnce);
    let taken = bed.device.block_on(session.publish(&message, &mut inbox, |_| ())).unwrap();
    assert!(taken.is_some_and(ReasonCode::is_success));
    let [received] = &broker.received()[..] else { panic!("one message") };
    assert_eq!((received.topic.as_str(), received.qos), (format!("sensor/device/{ID}").as_str(), 1));
    assert_eq!((&received.payload[..], &received.client_id[..]), (&reading[..], ID.as_bytes()));

    for (to, command) in [(format!("command/device/{ID}"), "stop"), ("command/device/all".into(), "restart")]
    {
        broker.publish(to.clone(), command, 1);
        let Event::Message(message) = bed.device.block_on(session.event(&mut inbox)).unwrap() else {
            panic!("a message comes");
        };
        assert_eq!((message.topic_str().unwrap(), message.payload()), (to.as_str(), command.as_bytes()));
        message.acknowledge().unwrap();
    }
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
    assert_eq!(broker.complaints(), [""; 0]);
    let (over, _end) = bed.device.block_on(session.disconnect(&mut inbox, |_| ())).unwrap();
    drop(over.close().unwrap());
}

#[test]
fn the_connect_request_is_what_aws_wants_and_carries_the_der_bytes() {
    let provisioned = Provisioned::new();
    let broker = RecordingBroker::new(provisioned.aws_with_device().build());
    let bed = online!(broker.clone(), provisioned.stored());
    drop(connect(&bed).unwrap());
    let [request] = &broker.requests()[..] else { panic!("one request") };
    assert_eq!(request.protocol, Protocol::V5);
    assert_eq!((&request.host[..], request.port), (HOST.as_bytes(), PORT));
    assert_eq!(request.client_id, ID.as_bytes());
    assert_eq!((request.keep_alive, request.clean_start), (60, false));
    assert!(request.authentication.is_none());
    assert!(request.will.is_none());
    let credentials = request.credentials.as_ref().expect("mutual TLS");
    assert_eq!(credentials.ca, [provisioned.authority.der()]);
    assert_eq!(credentials.chain, std::slice::from_ref(&provisioned.device.der));
    assert_eq!(credentials.key, provisioned.device.pkcs8());
}

#[test]
fn what_a_profile_changes_is_in_the_request_and_nothing_else() {
    let provisioned = Provisioned::new();
    let broker = RecordingBroker::new(ModelBroker::aws_iot().accept_any_certificate().build());
    let bed = online!(broker.clone(), provisioned.stored());
    let mut memory = [0; 8192];
    let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
    let (settings, buffers) = bed.device.block_on(fetch).unwrap();
    let credentials = settings.credentials();
    let will = Publish::new(TopicName::new("sensor/gone").unwrap(), b"gone").with_qos(QoS::AtLeastOnce);
    let profile = Profile::with_client_id(settings.endpoint(), "another", &credentials)
        .unwrap()
        .with_port(NonZeroU16::new(443).unwrap())
        .with_clean_start(true)
        .with_will(will)
        .with_keep_alive(1200)
        .unwrap();
    let channel = MqttChannel::open(bed.network(), buffers).unwrap();
    let connecting = channel.connect(&profile.connect_options()).unwrap();
    drop(bed.device.block_on(connecting.connected()).unwrap());
    let [request] = &broker.requests()[..] else { panic!("one request") };
    assert_eq!((request.protocol, request.port), (Protocol::V5, 443));
    assert_eq!(request.client_id, b"another");
    assert_eq!((request.keep_alive, request.clean_start), (1200, true));
    let will = request.will.as_ref().expect("a will");
    assert_eq!((&will.topic[..], &will.payload[..], will.qos), (&b"sensor/gone"[..], &b"gone"[..], 1));
    assert!(request.credentials.is_some());
}

#[test]
fn a_ca_that_did_not_issue_the_servers_certificate_is_suspected() {
    let provisioned = Provisioned::new();
    let other = Authority::new("Another CA");
    let stored = provisioned.stored().with("root-CA", &hex(&other.der()));
    let bed = online!(provisioned.aws_with_device().build(), stored);
    refused(&bed, ConnectError::Failed(RequestState::UNKNOWN_CA), Suspects::CA);
    assert_eq!(ConnectError::Failed(RequestState::UNKNOWN_CA).recovery(), Recovery::GiveUp);
}

#[test]
fn an_expired_device_certificate_is_suspected() {
    let provisioned = Provisioned::new();
    let expired = Provisioned { device: provisioned.authority.client_valid(ID, 2020..=2025), ..provisioned };
    let bed = online!(expired.aws_with_device().build(), expired.stored());
    let error = ConnectError::Failed(RequestState::CERTIFICATE_EXPIRED);
    refused(&bed, error, Suspects::CERTIFICATE | Suspects::CLOCK);
    assert_eq!(error.recovery(), Recovery::GiveUp);
}

#[test]
fn an_expired_server_certificate_makes_the_clock_and_the_ca_suspects() {
    let provisioned = Provisioned::new();
    let server = provisioned.authority.server_valid(HOST, 2020..=2025);
    let broker = provisioned.aws_with_device().server_chain([server.der]).build();
    let bed = online!(broker, provisioned.stored());
    refused(&bed, ConnectError::Failed(RequestState::CERTIFICATE_EXPIRED), Suspects::CLOCK | Suspects::CA);
}

#[test]
fn a_clock_before_the_certificates_is_suspected() {
    static MEMORY: KernelMemory<MEMORY_LEN> = kernel_memory!(MEMORY_LEN);
    let provisioned = Provisioned::new();
    let epoch = Device::builder().device_id(ID).wall_clock(WallClock::set_at_boot(0));
    let bed = Bed::boot(epoch.broker(provisioned.aws_with_device().build()), &MEMORY).online();
    provisioned.stored().store_on(&bed.device);
    refused(&bed, ConnectError::Failed(RequestState::CERTIFICATE_EXPIRED), Suspects::CLOCK);
}

#[test]
fn a_key_that_does_not_belong_to_the_certificate_is_suspected() {
    let provisioned = Provisioned::new();
    let other = provisioned.authority.client(ID);
    let stored = provisioned.stored().with("private_key", &hex(&other.pkcs8()));
    let bed = online!(provisioned.aws_with_device().build(), stored);
    refused(&bed, ConnectError::Failed(RequestState::SOCKET_ERROR), Suspects::KEY);
}

#[test]
fn a_certificate_that_is_not_registered_is_suspected() {
    let provisioned = Provisioned::new();
    let bed = online!(provisioned.aws().build(), provisioned.stored());
    refused(&bed, ConnectError::Failed(RequestState::SOCKET_ERROR), Suspects::CERTIFICATE);
}

#[test]
fn a_host_that_does_not_exist_is_suspected() {
    let provisioned = Provisioned::new();
    let stored = provisioned.stored().with("broker-host", "abc124-ats.iot.eu-west-1.amazonaws.com");
    let bed = online!(provisioned.aws_with_device().build(), stored);
    refused(&bed, ConnectError::Failed(RequestState::NX_DOMAIN), Suspects::ENDPOINT);
    assert_eq!(ConnectError::Failed(RequestState::NX_DOMAIN).suspects(), Suspects::ENDPOINT);
}

#[test]
fn a_port_that_is_closed_is_suspected() {
    let provisioned = Provisioned::new();
    let bed =
        online!(provisioned.aws_with_device().build(), provisioned.stored().with("broker-port", "1883"));
    refused(&bed, ConnectError::Failed(RequestState::SOCKET_ERROR), Suspects::PORT);
}

#[test]
fn a_policy_that_does_not_let_the_device_connect_is_suspected() {
    let provisioned = Provisioned::new();
    // The certificate is attached to a Thing of another name, so the policy's variable does not match.
    let thing = Thing::new("another", Policy::least_privilege("eu-west-1", "123456789012"));
    let broker = provisioned.aws().register_certificate(provisioned.device.der.clone(), thing).build();
    let bed = online!(broker, provisioned.stored());
    let error = ConnectError::Refused(ReasonCode::NOT_AUTHORIZED);
    refused(&bed, error, Suspects::POLICY | Suspects::CLIENT_ID);
    assert_eq!(error.recovery(), Recovery::GiveUp);
}

#[test]
fn a_failure_does_not_keep_the_next_attempt_from_succeeding() {
    let provisioned = Provisioned::new();
    let bed =
        online!(provisioned.aws_with_device().build(), provisioned.stored().with("broker-port", "1883"));
    refused(&bed, ConnectError::Failed(RequestState::SOCKET_ERROR), Suspects::PORT);
    provisioned.stored().store_on(&bed.device);
    drop(connect(&bed).unwrap());
}

#[test]
fn an_operation_that_the_policy_forbids_ends_the_session_and_says_what_to_think_of() {
    let provisioned = Provisioned::new();
    let broker = provisioned.aws_with_device().build();
    let bed = online!(broker.clone(), provisioned.stored());
    let mut session = connect(&bed).unwrap();
    let (mut topic, mut payload) = ([0; 256], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let message =
        Publish::new(TopicName::new("sensor/device/another").unwrap(), b"21").with_qos(QoS::AtLeastOnce);
    let outcome = bed.device.block_on(session.publish(&message, &mut inbox, |_| ()));
    assert!(matches!(outcome, Err(RequestError::Indeterminate(_))), "{outcome:?}");
    assert_eq!(broker.received(), []);
}

#[test]
fn a_profile_needs_an_identity_and_a_client_id_that_aws_takes() {
    let provisioned = Provisioned::new();
    let bed = online!(provisioned.aws().build(), provisioned.stored());
    let endpoint = Host::new(HOST).unwrap();
    let id = id();
    let nobody = Credentials::new();
    assert_eq!(Profile::new(endpoint, &id, &nobody).unwrap_err(), ProfileError::NoIdentity);
    let mut memory = [0; 8192];
    let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
    let (settings, _buffers) = bed.device.block_on(fetch).unwrap();
    let credentials = settings.credentials();
    let calls = bed.device.calls();
    let with_id = |id: &str| Profile::with_client_id(endpoint, id, &credentials).map(drop);
    assert_eq!(with_id(&"c".repeat(128)), Ok(()));
    assert_eq!(with_id(&"c".repeat(129)), Err(ProfileError::ClientIdTooLong { len: 129 }));
    // 128 characters, but more bytes.
    assert_eq!(with_id(&"ü".repeat(128)), Err(ProfileError::ClientIdTooLong { len: 256 }));
    assert_eq!(with_id("$mine"), Err(ProfileError::ReservedClientId));
    assert_eq!(with_id(""), Err(ProfileError::ClientId(ClientIdError::Empty)));
    assert_eq!(with_id("a\0b"), Err(ProfileError::ClientId(ClientIdError::NulCharacter { at: 1 })));
    let profile = Profile::new(endpoint, &id, &credentials).unwrap();
    for seconds in [0, 30, 60, 1200] {
        assert!(profile.with_keep_alive(seconds).is_ok(), "{seconds} s");
    }
    for seconds in [1, 29, 1201, u16::MAX] {
        let error = profile.with_keep_alive(seconds).unwrap_err();
        assert_eq!(error, ProfileError::KeepAlive { seconds });
    }
    assert_eq!(bed.device.calls(), calls, "none of it is the kernel's business");
}

#[test]
fn topics_are_the_guides() {
    let topics = Topics::new(&id());
    assert_eq!(topics.telemetry().as_str(), format!("sensor/device/{ID}"));
    assert_eq!(topics.command().as_str(), format!("command/device/{ID}"));
    assert_eq!(topics.broadcast().as_str(), "command/device/all");
    // They are within AWS's limits, whatever the id.
    assert_eq!(LIMITS.check_publish(&Publish::new(topics.telemetry(), b"")), Ok(()));
}

#[test]
fn requests_beyond_the_limits_of_aws_are_refused_without_a_system_call() {
    let provisioned = Provisioned::new();
    let bed = online!(provisioned.aws_with_device().build(), provisioned.stored());
    let mut session = connect(&bed).unwrap();
    let calls = bed.device.calls();

    let long = "t".repeat(257);
    let name = |topic| TopicName::new(topic).unwrap();
    let payload = vec![0; 128 * 1024 + 1];
    let too_high = LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce };
    let too_long = LimitError::TopicTooLong { len: 257, max: 256 };
    let too_deep = LimitError::TooManySlashes { count: 8, max: 7 };
    let publishes = [
        (Publish::new(name("t"), b"").with_qos(QoS::ExactlyOnce), too_high),
        (Publish::new(name(&long), b""), too_long),
        (Publish::new(name("1/2/3/4/5/6/7/8/9"), b""), too_deep),
        (Publish::new(name("$SYS/broker"), b""), LimitError::ReservedTopic),
        (
            Publish::new(name("t"), &payload),
            LimitError::PayloadTooLong { len: 128 * 1024 + 1, max: 128 * 1024 },
        ),
    ];
    for (publish, limit) in publishes {
        let error = session.request_publish(&publish).unwrap_err();
        assert_eq!(error, RequestError::Limit(limit));
        assert_eq!(error.recovery(), Recovery::GiveUp);
    }

    let filter = |filter| TopicFilter::new(filter).unwrap();
    let of = |topic, qos| Subscription::new(filter(topic), qos);
    let subscribes = [
        (vec![of("t", QoS::AtMostOnce); 9], LimitError::TooManyTopics { count: 9 }),
        (vec![], LimitError::NoTopics),
        (vec![of("t", QoS::AtLeastOnce), of("u", QoS::ExactlyOnce)], too_high),
        (vec![of(&long, QoS::AtMostOnce)], too_long),
        (vec![of("1/2/3/4/5/6/7/8/#", QoS::AtMostOnce)], too_deep),
        (vec![of("$SYS/#", QoS::AtMostOnce)], LimitError::ReservedTopic),
    ];
    for (subscriptions, limit) in subscribes {
        let error = session.request_subscribe(&subscriptions).unwrap_err();
        assert_eq!(error, RequestError::Limit(limit));
    }
    let error = session.request_unsubscribe(&[filter("t"); 9]).unwrap_err();
    assert_eq!(error, RequestError::Limit(LimitError::TooManyTopics { count: 9 }));
    assert_eq!(bed.device.calls(), calls);
    // Nothing of all that is in flight, so a good request goes through.
    session.request_subscribe(&[Subscription::new(Topics::new(&id()).command(), QoS::AtLeastOnce)]).unwrap();
}

#[test]
fn a_will_beyond_the_limits_of_aws_is_refused_without_a_system_call() {
    let provisioned = Provisioned::new();
    let broker = provisioned.aws_with_device().build();
    let bed = online!(broker.clone(), provisioned.stored());
    let mut memory = [0; 8192];
    let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
    let (settings, buffers) = bed.device.block_on(fetch).unwrap();
    let (credentials, id) = (settings.credentials(), id());
    let will = Publish::new(TopicName::new("$SYS/gone").unwrap(), b"");
    let profile = Profile::new(settings.endpoint(), &id, &credentials).unwrap().with_will(will);
    let channel = MqttChannel::open(bed.network(), buffers).unwrap();
    let calls = bed.device.calls();
    let HandedBack { error, value } = channel.connect(&profile.connect_options()).unwrap_err();
    assert_eq!(error, ConnectError::Limit(LimitError::ReservedTopic));
    assert_eq!((error.suspects(), error.recovery()), (Suspects::REQUEST, Recovery::GiveUp));
    assert_eq!(bed.device.calls(), calls);
    drop(value.close().unwrap());
    assert_eq!(broker.connect_attempts(), []);
}
