//! What can happen in the life of a device.

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::{FetchFault, NetworkStatus};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The length of a message that does not fit the receive buffer.
pub const TOO_LARGE: usize = 4_000;

/// One thing that happens. Whatever is not time passing takes none.
#[derive(Clone, Debug)]
pub enum Step {
    Pass(Duration),
    App(App),
    Network(NetworkStatus),
    Broker(Broker),
    Store(Store),
    Fault(Fault),
}

/// The application does something.
#[derive(Clone, Debug)]
pub enum App {
    /// Publishes so many messages at once; each waits so long while offline, or fails at once.
    Publish {
        qos: u8,
        wait: Option<Duration>,
        count: usize,
    },
    /// Drops one of the futures that publish.
    DropPublish(usize),
    /// Deals otherwise with what it receives from now on.
    Deal(Dealing),
    /// Acknowledges so many of the messages that it holds back, in order.
    AcknowledgeHeld(usize),
    /// Leaves one of them to be delivered again.
    LeaveHeld(usize),
    /// Drops one of them.
    ForgetHeld(usize),
    /// Receives with too small an inbox so many times.
    SmallInbox(u32),
    /// Drops the future that receives, and receives anew.
    ReceiveAnew,
    /// Drops the future that receives.
    StopReceiving,
    Disconnect,
    /// Asks for the end, and drops the future that waits for it.
    StartDisconnect,
    /// Runs the session, if nobody does.
    Run,
    /// Drops the future that runs it, and nobody does for so long.
    DropRun(Duration),
    /// Drops it, and runs it anew at once.
    RunAnew,
}

/// How the application deals with what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dealing {
    Acknowledge,
    Leave,
    Forget,
    /// Keeps the duty for later.
    Hold,
}

/// The broker, or the operator behind it, does something.
#[derive(Clone, Debug)]
pub enum Broker {
    /// Sends the device so many messages at once.
    Send {
        qos: u8,
        len: usize,
        count: usize,
    },
    Disconnect(u32),
    DropConnection(u32),
    TakeOver,
    FallSilent,
    EndSilence,
    RefuseConnect {
        state: u32,
        reason: u32,
    },
    SilentConnect,
    DelayResponses(Duration),
    LoseResponses(usize),
    ReverseResponses(usize),
    ReleaseResponses,
    DuplicateDeliveries(usize),
    AnswerSubscribe {
        state: u32,
        reasons: [u32; 2],
    },
    AnswerPublish {
        state: u32,
        reason: u32,
    },
    CutAfterPublish,
    CutBeforePublish,
}

/// Somebody changes what is stored for the device.
#[derive(Clone, Debug)]
pub enum Store {
    Break { key: &'static str, value: Option<&'static str> },
    Mend,
}

/// Something goes wrong in the kernel.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Calls answer `status`, the first so many calls from now.
    AtCalls {
        ahead: u64,
        times: u64,
        status: u32,
    },
    /// Calls of that name answer one of their statuses.
    Named {
        name: &'static str,
        nth: u64,
        times: u64,
        status: prop::sample::Index,
    },
    DropNotifications {
        skip: u64,
        count: u64,
    },
    DelayNotifications {
        count: u64,
        delay: Duration,
    },
    DuplicateNotifications(u64),
    Fetch(FetchFault),
}

/// The calls that a session makes time and again.
pub const CALLS: [&str; 18] = [
    "mvCloseChannel",
    "mvGetChannelClosureReason",
    "mvGetMicroseconds",
    "mvGetNetworkStatus",
    "mvMqttAcknowledgeMessage",
    "mvMqttGetNextReadableDataType",
    "mvMqttReadConnectResponse",
    "mvMqttReadDisconnectResponse",
    "mvMqttReadPublishResponse",
    "mvMqttReadSubscribeResponse",
    "mvMqttReceiveMessage",
    "mvMqttRequestConnect",
    "mvMqttRequestDisconnect",
    "mvMqttRequestPublish",
    "mvMqttRequestSubscribe",
    "mvOpenChannel",
    "mvReadConfigFetchResponseData",
    "mvSendConfigFetchRequest",
];

/// A life, of up to so many steps.
pub fn life(most: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..most)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop_oneof![0..300_u64, 300..3_000_u64, 3_000..70_000_u64]
            .prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
        8 => app().prop_map(Step::App),
        2 => prop_oneof![
            2 => Just(NetworkStatus::Connected),
            1 => Just(NetworkStatus::Connecting),
            1 => Just(NetworkStatus::DisconnectedWithLinkUp),
        ].prop_map(Step::Network),
        8 => broker().prop_map(Step::Broker),
        1 => store().prop_map(Step::Store),
        5 => fault().prop_map(Step::Fault),
    ]
}

fn app() -> impl Strategy<Value = App> {
    let wait = prop_oneof![Just(None), (0..60_u64).prop_map(|seconds| Some(Duration::from_secs(seconds))),];
    prop_oneof![
        8 => (0..2_u8, wait, 1..7_usize).prop_map(|(qos, wait, count)| App::Publish { qos, wait, count }),
        2 => (0..8_usize).prop_map(App::DropPublish),
        4 => select(vec![Dealing::Acknowledge, Dealing::Leave, Dealing::Forget, Dealing::Hold])
            .prop_map(App::Deal),
        2 => (1..9_usize).prop_map(App::AcknowledgeHeld),
        1 => (0..8_usize).prop_map(App::LeaveHeld),
        1 => (0..8_usize).prop_map(App::ForgetHeld),
        1 => (1..4_u32).prop_map(App::SmallInbox),
        2 => Just(App::ReceiveAnew),
        1 => Just(App::StopReceiving),
        1 => Just(App::Disconnect),
        1 => Just(App::StartDisconnect),
        2 => Just(App::Run),
        1 => (0..40_000_u64).prop_map(|millis| App::DropRun(Duration::from_millis(millis))),
        1 => Just(App::RunAnew),
    ]
}

fn broker() -> impl Strategy<Value = Broker> {
    let ends = select(vec![0x00, 0x80, 0x81, 0x82, 0x87, 0x8B, 0x8E, 0x93, 0x97, 0x98, 0xFF]);
    let refusals = select(vec![
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x87),
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x88),
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x8E),
        (sys::MV_MQTTREQUESTSTATE_NXDOMAIN, 0),
        (sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, 0),
        (sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0),
        (4711, 0),
    ]);
    let answers = select(vec![
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x10),
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x87),
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, 0x97),
        (sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0),
        (sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, 0),
        (4711, 0),
    ]);
    let grants = select(vec![
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, [0x87, 1]),
        (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, [0, 0x80]),
        (sys::MV_MQTTREQUESTSTATE_SOCKETERROR, [0, 0]),
        (sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, [0, 0]),
    ]);
    let closures = select(vec![
        sys::MV_CLOSUREREASON_CONNECTIONTERMINATED,
        sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER,
        sys::MV_CLOSUREREASON_NETWORKDISCONNECTED,
        4711,
    ]);
    let len = prop_oneof![6 => Just(0), 1 => Just(1_500), 1 => Just(3_000), 1 => Just(TOO_LARGE)];
    prop_oneof![
        8 => (0..2_u8, len, 1..12_usize).prop_map(|(qos, len, count)| Broker::Send { qos, len, count }),
        2 => ends.prop_map(Broker::Disconnect),
        2 => closures.prop_map(Broker::DropConnection),
        1 => Just(Broker::TakeOver),
        1 => Just(Broker::FallSilent),
        2 => Just(Broker::EndSilence),
        2 => refusals.prop_map(|(state, reason)| Broker::RefuseConnect { state, reason }),
        1 => Just(Broker::SilentConnect),
        1 => (0..15_000_u64).prop_map(|millis| Broker::DelayResponses(Duration::from_millis(millis))),
        1 => (1..4_usize).prop_map(Broker::LoseResponses),
        1 => (2..5_usize).prop_map(Broker::ReverseResponses),
        1 => Just(Broker::ReleaseResponses),
        1 => (1..5_usize).prop_map(Broker::DuplicateDeliveries),
        1 => grants.prop_map(|(state, reasons)| Broker::AnswerSubscribe { state, reasons }),
        2 => answers.prop_map(|(state, reason)| Broker::AnswerPublish { state, reason }),
        1 => Just(Broker::CutAfterPublish),
        1 => Just(Broker::CutBeforePublish),
    ]
}

fn store() -> impl Strategy<Value = Store> {
    prop_oneof![
        select(vec![
            ("cert", None),
            ("cert", Some("00")),
            ("private_key", None),
            ("private_key", Some("3082")),
            ("root-CA", Some("not hex")),
            ("broker-host", Some("elsewhere.example")),
            ("broker-host", Some("")),
            ("broker-port", Some("65536")),
        ])
        .prop_map(|(key, value)| Store::Break { key, value }),
        Just(Store::Mend),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    // `INVALIDHANDLE` is not among them: a kernel that says it of a channel that is open has its buffers
    // for good.
    let anything = select(vec![
        sys::MV_STATUS_INTERNALERROR,
        sys::MV_STATUS_LATEFAULT,
        sys::MV_STATUS_MICROVISORBUSY,
        sys::MV_STATUS_RATELIMITED,
        sys::MV_STATUS_PARAMETERFAULT,
        sys::MV_STATUS_CHANNELCLOSED,
        sys::MV_STATUS_UNAVAILABLE,
        crate::statuses::UNKNOWN,
    ]);
    let fetched = select(vec![
        FetchFault::ResponseTooLarge,
        FetchFault::Result(4711),
        FetchFault::ServerError("cert".to_owned()),
        FetchFault::ItemResult("private_key".to_owned(), 4711),
        FetchFault::ItemValue("broker-host".to_owned(), vec![0xFF, 0xFE]),
        FetchFault::FewerItems(2),
        FetchFault::Silent,
        FetchFault::Delay(Duration::from_secs(9)),
        FetchFault::Closed(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER),
    ]);
    prop_oneof![
        3 => (0..80_u64, 1..4_u64, anything)
            .prop_map(|(ahead, times, status)| Fault::AtCalls { ahead, times, status }),
        5 => (select(&CALLS[..]), 1..4_u64, 1..7_u64, any::<prop::sample::Index>())
            .prop_map(|(name, nth, times, status)| Fault::Named { name, nth, times, status }),
        1 => (0..4_u64, 1..4_u64).prop_map(|(skip, count)| Fault::DropNotifications { skip, count }),
        1 => (1..4_u64, 1..15_000_u64).prop_map(|(count, millis)| {
            Fault::DelayNotifications { count, delay: Duration::from_millis(millis) }
        }),
        1 => (1..4_u64).prop_map(Fault::DuplicateNotifications),
        1 => fetched.prop_map(Fault::Fetch),
    ]
}
