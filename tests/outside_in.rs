//! The library as a crate outside sees it: traits that others implement, errors that others match, and what
//! may go to another thread.

mod bed;

use core::error::Error;
use core::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use microvisor::aws::{ProfileError, SettingsError};
use microvisor::clock::{ClockError, WallTime};
use microvisor::config::{
    ConfigFetch, ConfigKey, DecodeError, FetchError, ItemError, ItemErrorKind, ItemMemory, KeyError,
    Received, Requested, Scope, Store,
};
use microvisor::mqtt::{
    AcknowledgeError, Acknowledgement, ClientIdError, ConnectError, Connected, Connecting, Event, EventError,
    Host, HostError, Inbox, LimitError, MqttChannel, QoS, ReasonCode, RequestError, RequestState, SessionEnd,
    Subscription, Suspects, TopicError, TopicFilter, UserError,
};
use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey, TlsMaterialError};
use microvisor::{
    ChannelBuffers, CloseError, CloseNotificationsError, ClosureReason, DeviceId, DeviceIdError, HandedBack,
    Idle, KernelBuffer, KernelMemory, LogError, LogLine, Network, NetworkError, NetworkStatus,
    NotificationCenter, NotificationError, Notifications, OpenError, Recovery, Secret, ServerLog, SplitError,
    StartLogError, Status, Transition, block_on, config_key,
};
use microvisor_sim::{Device, Fault};

/// A number that no list of the ABI has.
const UNLISTED: u32 = 999;

// What others implement.

/// Sleep by letting the clock of the simulated device go on.
struct Tick<'d> {
    device: &'d Device,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Idle for Tick<'_> {
    fn waker(&self) -> Waker {
        Waker::from(self.woken.clone())
    }

    fn sleep(&mut self) {
        for _ in 0..10_000 {
            if self.woken.0.swap(false, Ordering::Acquire) {
                return;
            }
            self.device.advance(Duration::from_millis(1));
        }
        panic!("nobody wakes the application");
    }
}

#[test]
fn an_idle_of_somebody_else_drives_a_future() {
    let bed = bed!(Device::builder());
    let mut network = Network::request(&bed.notifications).unwrap();
    let mut idle = Tick { device: &bed.device, woken: Arc::default() };
    block_on(&mut idle, network.connected()).unwrap();
    assert_eq!(network.status(), Ok(NetworkStatus::Connected));
}

// What others match.

/// Of each error, every variant that others can make.
fn errors() -> Vec<Box<dyn Error + Send + Sync>> {
    let mut all: Vec<Box<dyn Error + Send + Sync>> = Vec::new();
    let mut add = |errors: Vec<Box<dyn Error + Send + Sync>>| all.extend(errors);
    add(boxed((1..=64).chain([UNLISTED]).filter_map(|raw| Status::check(raw).err())));
    add(boxed(STATUSES.map(NetworkError::Kernel).into_iter().chain([NetworkError::TooManySources])));
    add(boxed(STATUSES.map(OpenError::Kernel).into_iter().chain([OpenError::TooManySources])));
    add(boxed([
        NotificationError::Changing,
        NotificationError::InUse,
        NotificationError::Lost,
        NotificationError::Kernel(Status::INVALID_INTERRUPT),
    ]));
    add(boxed([CloseNotificationsError::InUse, CloseNotificationsError::Kernel(Status::INTERNAL_ERROR)]));
    add(boxed([SplitError { receive_len: 100, total: 1024 }]));
    add(boxed([
        DeviceIdError::Kernel(Status::INTERNAL_ERROR),
        DeviceIdError::WrongLength { length: 3 },
        DeviceIdError::Malformed { at: 7 },
    ]));
    add(boxed([ClockError::Kernel(Status::INTERNAL_ERROR)]));
    add(boxed([StartLogError::Kernel(Status::INTERNAL_ERROR)]));
    add(boxed([
        LogError::BufferFull,
        LogError::TooLong,
        LogError::DisabledByServer,
        LogError::Kernel(Status::INTERNAL_ERROR),
    ]));
    add(boxed([KeyError::Empty, KeyError::TooLong { len: 101 }, KeyError::NotPrintable { at: 3 }]));
    add(boxed(fetch_errors()));
    add(boxed(DECODE_ERRORS));
    add(boxed(item_error_kinds()));
    add(boxed(TLS_ERRORS));
    add(boxed([
        ProfileError::NoIdentity,
        ProfileError::ClientIdTooLong { len: 129 },
        ProfileError::ReservedClientId,
        ProfileError::ClientId(ClientIdError::Empty),
        ProfileError::KeepAlive { seconds: 1 },
    ]));
    add(boxed([
        SettingsError::Open(OpenError::TooManySources),
        SettingsError::Fetch(FetchError::ResponseTooLarge),
        SettingsError::Material { key: "cert", error: TlsMaterialError::Pem },
    ]));
    add(boxed([
        HostError::TooShort { len: 0 },
        HostError::TooLong { len: 254 },
        HostError::NotOnlyHost,
        HostError::InvalidCharacter { at: 2 },
    ]));
    add(boxed([
        ClientIdError::Empty,
        ClientIdError::TooLong { length: 65_536, max: 65_535 },
        ClientIdError::NulCharacter { at: 1 },
        ClientIdError::ControlCharacter { at: 1 },
        ClientIdError::NonCharacter { at: 1 },
    ]));
    add(boxed([
        TopicError::Empty,
        TopicError::TooLong { length: 65_536, max: 65_535 },
        TopicError::NulCharacter { at: 1 },
        TopicError::ControlCharacter { at: 1 },
        TopicError::NonCharacter { at: 1 },
        TopicError::WildcardInName { at: 1 },
        TopicError::MisplacedWildcard { at: 1 },
        TopicError::MalformedShare,
    ]));
    add(boxed([
        UserError::NameTooLong { len: 65_536 },
        UserError::NulInName { at: 1 },
        UserError::PasswordTooLong { len: 65_536 },
    ]));
    add(boxed(STATUSES.map(AcknowledgeError::Kernel).into_iter().chain([AcknowledgeError::OtherSession])));
    add(boxed(LIMIT_ERRORS));
    add(boxed(connect_errors()));
    add(boxed(request_errors()));
    add(boxed(event_errors()));
    add(boxed(session_ends()));
    add(boxed([HandedBack { error: OpenError::TooManySources, value: () }]));
    all
}

fn boxed<E: Error + Send + Sync + 'static>(
    errors: impl IntoIterator<Item = E>,
) -> Vec<Box<dyn Error + Send + Sync>> {
    errors.into_iter().map(|error| Box::new(error) as _).collect()
}

const STATUSES: [Status; 6] = [
    Status::NETWORK_NOT_CONNECTED,
    Status::RATE_LIMITED,
    Status::TOO_MANY_CHANNELS,
    Status::INVALID_HANDLE,
    Status::LATE_FAULT,
    Status::from_raw(NonZeroU32::new(UNLISTED).unwrap()),
];

const REASONS: [ClosureReason; 9] = [
    ClosureReason::NONE,
    ClosureReason::CLOSED_BY_SERVER,
    ClosureReason::RESET_BY_SERVER,
    ClosureReason::NETWORK_DISCONNECTED,
    ClosureReason::CONNECTION_TERMINATED,
    ClosureReason::NOT_YET_OPEN,
    ClosureReason::CLOSED_BY_APPLICATION,
    ClosureReason::UNEXPECTEDLY_TERMINATED,
    ClosureReason::from_raw(UNLISTED),
];

const STATES: [RequestState; 10] = [
    RequestState::REQUEST_COMPLETED,
    RequestState::INVALID_PARAMETERS,
    RequestState::ALREADY_CONNECTED,
    RequestState::NOT_CONNECTED,
    RequestState::NX_DOMAIN,
    RequestState::UNKNOWN_CA,
    RequestState::CERTIFICATE_EXPIRED,
    RequestState::SOCKET_ERROR,
    RequestState::CONNECTION_CIRCUIT_BREAKER,
    RequestState::from_raw(UNLISTED),
];

const DECODE_ERRORS: [DecodeError; 10] = [
    DecodeError::Empty,
    DecodeError::PemText,
    DecodeError::NotHex { at: 3 },
    DecodeError::OddLength,
    DecodeError::NotBase64 { at: 3 },
    DecodeError::IncompleteBase64,
    DecodeError::NotUtf8,
    DecodeError::NotHost(HostError::NotOnlyHost),
    DecodeError::NotDecimal { at: 3 },
    DecodeError::OutOfRange { min: 1, max: 9 },
];

const LIMIT_ERRORS: [LimitError; 8] = [
    LimitError::NeedsVersion5,
    LimitError::NoTopics,
    LimitError::TooManyTopics { count: 9 },
    LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce },
    LimitError::TopicTooLong { len: 257, max: 256 },
    LimitError::TooManySlashes { count: 8, max: 7 },
    LimitError::ReservedTopic,
    LimitError::PayloadTooLong { len: 2, max: 1 },
];

const TLS_ERRORS: [TlsMaterialError; 11] = [
    TlsMaterialError::Pem,
    TlsMaterialError::NotDer,
    TlsMaterialError::Truncated { expected: 2, actual: 1 },
    TlsMaterialError::TrailingBytes { expected: 1, actual: 2 },
    TlsMaterialError::Certificate,
    TlsMaterialError::PrivateKey,
    TlsMaterialError::TraditionalKey,
    TlsMaterialError::PublicOrEncryptedKey,
    TlsMaterialError::CertificateRequest,
    TlsMaterialError::EmptyChain,
    TlsMaterialError::TooManyCertificates { count: 9, max: 8 },
];

fn fetch_errors() -> Vec<FetchError> {
    let mut all = vec![
        FetchError::NoKeys,
        FetchError::TooManyKeys,
        FetchError::ResponseTooLarge,
        FetchError::WrongItemCount { requested: 2, received: 1 },
        FetchError::UnknownResult(UNLISTED),
    ];
    all.extend(REASONS.map(FetchError::ChannelClosed));
    all.extend(STATUSES.map(FetchError::Kernel));
    all
}

fn item_error_kinds() -> Vec<ItemErrorKind> {
    let mut all = vec![
        ItemErrorKind::NoSuchItem { index: 5, len: 5 },
        ItemErrorKind::KeyNotFound,
        ItemErrorKind::ServerError,
        ItemErrorKind::UnknownResult(UNLISTED),
        ItemErrorKind::MemoryTooSmall { free: 3 },
    ];
    all.extend(DECODE_ERRORS.map(ItemErrorKind::Decode));
    all.extend(REASONS.map(ItemErrorKind::ChannelClosed));
    all.extend(STATUSES.map(ItemErrorKind::Kernel));
    all
}

fn reason_codes() -> impl Iterator<Item = ReasonCode> {
    (0..=0xFF).chain([UNLISTED]).map(ReasonCode::from_raw)
}

fn connect_errors() -> Vec<ConnectError> {
    let mut all = vec![ConnectError::Unexpected(UNLISTED)];
    all.extend(LIMIT_ERRORS.map(ConnectError::Limit));
    all.extend((1..=64).filter_map(|raw| Status::check(raw).err()).map(ConnectError::Kernel));
    all.extend(STATES.map(ConnectError::Failed));
    all.extend(reason_codes().map(ConnectError::Refused));
    all.extend(reason_codes().map(ConnectError::Disconnected));
    all.extend(REASONS.map(ConnectError::ChannelClosed));
    all
}

fn session_ends() -> Vec<SessionEnd> {
    let mut all: Vec<_> = REASONS.map(SessionEnd::ChannelClosed).into();
    all.extend(
        STATES.map(|state| SessionEnd::Disconnected { state, reason: ReasonCode::SESSION_TAKEN_OVER }),
    );
    all
}

fn event_errors() -> Vec<EventError> {
    let mut all = vec![EventError::InboxTooSmall { topic: 1, payload: 2 }, EventError::UnknownKind(UNLISTED)];
    all.extend(STATUSES.map(EventError::Kernel));
    all
}

fn request_errors() -> Vec<RequestError> {
    let mut all = vec![
        RequestError::InFlight,
        RequestError::RateLimited,
        RequestError::OtherRequest,
        RequestError::WrongOutcomeCount { requested: 2, received: 1 },
    ];
    all.extend(LIMIT_ERRORS.map(RequestError::Limit));
    all.extend(STATUSES.map(RequestError::Kernel));
    all.extend(STATES.map(RequestError::Failed));
    all.extend(reason_codes().map(RequestError::Refused));
    all.extend(session_ends().into_iter().map(RequestError::Ended));
    all.extend(session_ends().into_iter().map(RequestError::Indeterminate));
    all.extend(event_errors().into_iter().map(RequestError::Event));
    all
}

/// Whether a text is prose to go on with: "…: cause", within a log line.
fn assert_is_prose(text: &str, debug: &str) {
    assert!(text.len() > 8, "says too little: {text:?}");
    assert_ne!(text, debug, "is what `Debug` prints");
    assert!(!text.ends_with(['.', '!', '\n', ' ', ':', ';', ',']), "ends wrongly: {text:?}");
    assert!(!text.starts_with([' ', ':']), "begins wrongly: {text:?}");
    assert!(!text.contains('\n') && !text.contains("  "), "is more than one line: {text:?}");
    // `Debug` prints `Variant(Inner)` or `Struct { field: … }`.
    for sign in ["Some(", "None", "Err(", "Ok(", " { ", "::", "Unknown("] {
        assert!(!text.contains(sign), "shows {sign:?} of `Debug`: {text:?}");
    }
    let camel_case = |word: &str| word.chars().skip(1).any(char::is_uppercase);
    let names = ["IoT", "QoS", "MiB"];
    let acronym = |word: &str| word.chars().all(|letter| !letter.is_lowercase());
    let number = |word: &str| word.starts_with("0x");
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !number(word)) {
        assert!(!camel_case(word) || acronym(word) || names.contains(&word), "{word:?} in {text:?}");
    }
}

#[test]
fn every_error_is_prose() {
    let errors = errors();
    assert!(errors.len() > 500, "{}", errors.len());
    for error in errors {
        assert_is_prose(&error.to_string(), &format!("{error:?}"));
    }
    for value in STATES {
        assert_is_prose(&value.to_string(), &format!("{value:?}"));
    }
    for value in REASONS {
        assert_is_prose(&value.to_string(), &format!("{value:?}"));
    }
}

#[test]
fn errors_that_only_the_library_makes_are_prose_as_well() {
    static KEYS: [ConfigKey; 1] = [config_key!(Device, Config, "name")];
    let (broker, builder) = bed::with_open_broker();
    let bed = bed!(builder).online();

    bed.device.inject(Fault::call("mvCloseChannel").status(UNLISTED));
    let HandedBack { error, value: channel } = bed.open_mqtt().close().unwrap_err();
    let error: CloseError = error;
    assert_is_prose(&error.to_string(), &format!("{error:?}"));
    assert_is_prose(&SettingsError::Close(error).to_string(), "");
    drop(channel);

    let fetch = bed.device.block_on(bed.open_fetch().request(&KEYS).unwrap().received()).unwrap();
    let error: ItemError<'static> = fetch.text(0, &mut ItemMemory::new(&mut [])).unwrap_err();
    assert_is_prose(&error.to_string(), &format!("{error:?}"));
    assert_is_prose(&SettingsError::Item(error).to_string(), "");
    let boxed: Box<dyn Error> = Box::new(error);
    assert!(boxed.source().is_none());
    drop(fetch);

    let mut session = bed.connect();
    let (mut topic, mut payload) = ([0; 8], [0; 8]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let all = [Subscription::new(TopicFilter::new("#").unwrap(), QoS::AtLeastOnce)];
    bed.device.block_on(session.subscribe(&all, &mut inbox, |_| ())).unwrap();
    broker.publish("topic", "payload", 1);
    let Event::Message(message) = bed.device.block_on(session.event(&mut inbox)).unwrap() else {
        panic!("a message comes");
    };
    bed.device.inject(Fault::call("mvMqttAcknowledgeMessage").status(UNLISTED));
    let HandedBack { error, value: duty } = message.acknowledge().unwrap_err();
    let error: AcknowledgeError = error;
    assert_is_prose(&error.to_string(), &format!("{error:?}"));
    session.acknowledge(duty).unwrap();
}

#[test]
fn errors_are_matched_by_name() {
    // As an application does: what it knows by name, and a way out for what it does not.
    fn advice(error: &ConnectError) -> &'static str {
        match error {
            ConnectError::Limit(LimitError::TooManyTopics { .. }) => "fewer topics",
            ConnectError::Limit(_) => "another will",
            ConnectError::Kernel(Status::LATE_FAULT) => "open another channel",
            ConnectError::Kernel(_) => "look at the status",
            ConnectError::Failed(RequestState::NX_DOMAIN) => "look at the host",
            ConnectError::Failed(_) => "look at the state",
            ConnectError::Refused(ReasonCode::NOT_AUTHORIZED) => "look at the policy",
            ConnectError::Refused(_) => "look at the reason",
            ConnectError::ChannelClosed(ClosureReason::NETWORK_DISCONNECTED) => "wait for the network",
            ConnectError::ChannelClosed(_) => "try again",
            _ => "update the program",
        }
    }
    assert_eq!(advice(&ConnectError::Failed(RequestState::NX_DOMAIN)), "look at the host");
    assert_eq!(advice(&ConnectError::Unexpected(7)), "update the program");
    assert!(connect_errors().iter().all(|error| !error.suspects().is_empty()));
    assert_eq!(SettingsError::Material { key: "cert", error: TlsMaterialError::Pem }.key(), Some("cert"));
    assert_eq!(SettingsError::Open(OpenError::TooManySources).key(), None);
    // Every error has one of three recoveries, and that is all there is.
    let recoveries = [
        NetworkError::TooManySources.recovery(),
        OpenError::TooManySources.recovery(),
        NotificationError::Lost.recovery(),
        DeviceIdError::Malformed { at: 0 }.recovery(),
        FetchError::NoKeys.recovery(),
        EventError::UnknownKind(0).recovery(),
        RequestError::InFlight.recovery(),
    ];
    for recovery in recoveries {
        match recovery {
            Recovery::Retry | Recovery::Reopen | Recovery::GiveUp => {}
        }
    }
}

#[test]
fn a_request_error_says_whether_trying_again_helps() {
    let end = SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED);
    for (error, recovery) in [
        (RequestError::InFlight, Recovery::Retry),
        (RequestError::RateLimited, Recovery::Retry),
        (RequestError::Kernel(Status::MICROVISOR_BUSY), Recovery::Retry),
        (RequestError::Refused(ReasonCode::SERVER_BUSY), Recovery::Retry),
        (RequestError::Refused(ReasonCode::QUOTA_EXCEEDED), Recovery::Retry),
        (RequestError::Refused(ReasonCode::NOT_AUTHORIZED), Recovery::GiveUp),
        (RequestError::Limit(LimitError::NoTopics), Recovery::GiveUp),
        (RequestError::Failed(RequestState::INVALID_PARAMETERS), Recovery::GiveUp),
        (RequestError::Kernel(Status::TOO_MANY_ELEMENTS), Recovery::GiveUp),
        (RequestError::Failed(RequestState::NOT_CONNECTED), Recovery::Reopen),
        (RequestError::Kernel(Status::LATE_FAULT), Recovery::Reopen),
        (RequestError::OtherRequest, Recovery::Reopen),
        (RequestError::Ended(end), Recovery::Reopen),
        (RequestError::Indeterminate(end), Recovery::Reopen),
        // What was sent is in flight, so it must not be sent again.
        (RequestError::Event(EventError::InboxTooSmall { topic: 1, payload: 1 }), Recovery::Reopen),
    ] {
        assert_eq!(error.recovery(), recovery, "{error:?}");
    }
}

#[test]
fn every_connect_error_says_what_to_do() {
    for error in connect_errors() {
        let text = error.to_string();
        let (_, advice) = text.rsplit_once("; ").expect("a second part");
        let does = advice.starts_with("check ") || advice == "try again later";
        assert!(does, "{text}");
        assert!(error.suspects() == Suspects::WAIT || advice.starts_with("check "), "{text}");
    }
}

// What may go to another thread.

fn is_send<T: Send>() {}
fn is_send_and_sync<T: Send + Sync>() {}

/// Whether the future of an async method can go to another thread, as executors want it.
fn future_is_send(_: &(impl Future + Send)) {}

#[test]
fn what_an_application_holds_can_go_to_another_thread() {
    is_send::<Notifications>();
    is_send::<Network>();
    is_send::<ChannelBuffers>();
    is_send::<KernelBuffer<512>>();
    is_send::<ConfigFetch<microvisor::config::Opened>>();
    is_send::<ConfigFetch<Requested<'static>>>();
    is_send::<ConfigFetch<Received<'static>>>();
    is_send::<ConfigFetch<microvisor::config::Spent>>();
    is_send::<MqttChannel<microvisor::mqtt::Opened>>();
    is_send::<MqttChannel<Connecting>>();
    is_send::<MqttChannel<Connected>>();
    is_send::<MqttChannel<microvisor::mqtt::Disconnected>>();
    is_send::<Acknowledgement>();
    is_send::<Secret<'static>>();
    is_send::<PrivateKey<'static>>();
    is_send::<ItemMemory<'static>>();
    is_send::<LogLine<64>>();
    is_send::<Transition<MqttChannel<Connected>, MqttChannel<Connecting>, ConnectError>>();
}

#[test]
fn what_is_static_or_only_read_can_be_shared() {
    is_send_and_sync::<NotificationCenter<8>>();
    is_send_and_sync::<KernelMemory<512>>();
    is_send_and_sync::<ServerLog>();
    is_send_and_sync::<DeviceId>();
    is_send_and_sync::<WallTime>();
    is_send_and_sync::<ConfigKey<'static>>();
    is_send_and_sync::<Scope>();
    is_send_and_sync::<Store>();
    is_send_and_sync::<Certificate<'static>>();
    is_send_and_sync::<CertificateChain<'static>>();
    is_send_and_sync::<Credentials<'static>>();
    is_send_and_sync::<Host<'static>>();
    is_send_and_sync::<Subscription<'static>>();
    is_send_and_sync::<microvisor::mqtt::ConnectOptions<'static>>();
    is_send_and_sync::<microvisor::aws::Profile<'static>>();
    is_send_and_sync::<microvisor::aws::Settings<'static>>();
    is_send_and_sync::<AcknowledgeError>();
}

#[test]
fn what_is_handed_back_fits_the_error_types_of_applications() {
    fn open(network: &Network, buffers: ChannelBuffers) -> Result<(), Box<dyn Error + Send + Sync>> {
        drop(MqttChannel::open(network, buffers)?.connect(&bed::options())?.close()?);
        Ok(())
    }
    let (_broker, builder) = bed::with_open_broker();
    let bed = bed!(builder).online();
    open(bed.network(), bed.buffers()).unwrap();
    bed.device.rate_limit_opens(1);
    let error = open(bed.network(), bed.buffers()).unwrap_err();
    assert!(error.to_string().contains("wait a second"), "{error}");
    assert!(bed.memory.take().is_none(), "the error has the buffers");
    drop(error);
    assert!(bed.memory.take().is_some());
}

#[test]
fn futures_can_go_to_another_thread() {
    static KEYS: [ConfigKey; 1] = [config_key!(Device, Config, "name")];
    let (_broker, builder) = bed::with_open_broker();
    let bed = bed!(builder).online();
    let mut other = Network::request(&bed.notifications).unwrap();
    future_is_send(&other.connected());
    future_is_send(&other.changed_from(NetworkStatus::Connected));
    future_is_send(&bed.open_fetch().request(&KEYS).unwrap().received());
    future_is_send(&bed.open_mqtt().connect(&bed::options()).unwrap().connected());
    let mut memory = [0; 64];
    future_is_send(&microvisor::aws::Settings::fetch(bed.network(), bed.buffers(), &mut memory));
}
