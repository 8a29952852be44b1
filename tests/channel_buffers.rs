//! The memory that channels lend to the kernel: who has it when, and that it comes back or never does.

mod bed;

use std::mem;
use std::time::Duration;

use microvisor::config::{ConfigFetch, ConfigKey, FetchError, ItemMemory};
use microvisor::mqtt::MqttChannel;
use microvisor::{
    AlignedBytes, ChannelBuffers, HandedBack, KernelMemory, Network, OpenError, Recovery, SplitError, Status,
    config_key, kernel_memory,
};
use microvisor_sim::{Device, Fault, NetworkStatus};

const UNLISTED: u32 = 999;
/// `MV_CLOSUREREASON_CHANNELRESETBYSERVER`.
const RESET: u32 = microvisor::sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER;

static KEYS: [ConfigKey; 1] = [config_key!(Device, Config, "name")];

/// The smallest pair.
fn small(memory: &'static KernelMemory<1024>) -> ChannelBuffers {
    memory.take().expect("the memory is free").split::<512>()
}

/// Opening fails with `error`, and the buffers are as they were.
fn refused(network: &Network, buffers: ChannelBuffers, error: OpenError) -> ChannelBuffers {
    let (receive, send) = (buffers.receive_len(), buffers.send_len());
    let HandedBack { error: fetch_error, value: buffers } = ConfigFetch::open(network, buffers).unwrap_err();
    let HandedBack { error: mqtt_error, value: buffers } = MqttChannel::open(network, buffers).unwrap_err();
    assert_eq!((fetch_error, mqtt_error), (error, error));
    assert_eq!((buffers.receive_len(), buffers.send_len()), (receive, send));
    buffers
}

#[test]
fn before_the_network_is_connected_the_buffers_are_handed_back() {
    let bed = bed!(Device::builder());
    let mut network = Network::request(&bed.notifications).unwrap();
    let error = OpenError::Kernel(Status::NETWORK_NOT_CONNECTED);
    assert_eq!(error.recovery(), Recovery::Retry);
    let buffers = refused(&network, bed.buffers(), error);
    assert!(bed.memory.take().is_none(), "the buffers exist");
    bed.device.block_on(network.connected()).unwrap();
    let fetch = ConfigFetch::open(&network, buffers).unwrap();
    drop(fetch);
    drop(network);
}

#[test]
fn channels_that_open_too_fast_are_refused_until_a_second_has_passed() {
    let bed = bed!(Device::builder()).online();
    let mut buffers = bed.buffers();
    for _ in 0..8 {
        buffers = ConfigFetch::open(bed.network(), buffers).unwrap().close().unwrap();
    }
    let error = OpenError::Kernel(Status::RATE_LIMITED);
    assert_eq!(error.recovery(), Recovery::Retry);
    let buffers = refused(bed.network(), buffers, error);
    bed.device.advance(Duration::from_secs(1));
    drop(MqttChannel::open(bed.network(), buffers).unwrap());
}

#[test]
fn four_channels_can_be_open_and_a_fifth_is_refused() {
    static MEMORIES: [KernelMemory<1024>; 4] =
        [kernel_memory!(1024), kernel_memory!(1024), kernel_memory!(1024), kernel_memory!(1024)];
    let bed = bed!(Device::builder()).online();
    let mut open: Vec<_> =
        MEMORIES.iter().map(|memory| MqttChannel::open(bed.network(), small(memory)).unwrap()).collect();
    let error = OpenError::Kernel(Status::TOO_MANY_CHANNELS);
    assert_eq!(error.recovery(), Recovery::Retry);
    let buffers = refused(bed.network(), bed.buffers(), error);
    // The one that could not be opened has taken nothing from those that are.
    drop(open.pop().unwrap());
    let channel = MqttChannel::open(bed.network(), buffers).unwrap();
    assert_eq!(bed.device.call_count("mvCloseChannel"), 1);
    drop(channel);
}

#[test]
fn a_centre_without_a_free_slot_refuses_before_the_kernel_is_asked() {
    let bed = bed!(Device::builder()).online();
    let others: Vec<_> = (0..5).map(|_| Network::request(&bed.notifications).unwrap()).collect();
    assert_eq!(OpenError::TooManySources.recovery(), Recovery::GiveUp);
    let buffers = refused(bed.network(), bed.buffers(), OpenError::TooManySources);
    assert_eq!(bed.device.call_count("mvOpenChannel"), 0);
    drop(others);
    drop(ConfigFetch::open(bed.network(), buffers).unwrap());
}

#[test]
fn whatever_the_kernel_answers_the_buffers_are_handed_back() {
    let bed = bed!(Device::builder()).online();
    let mut buffers = bed.buffers();
    for raw in (1..=64).chain([UNLISTED, u32::MAX]) {
        let status = Status::check(raw).unwrap_err();
        bed.device.inject(Fault::call("mvOpenChannel").times(2).status(raw));
        buffers = refused(bed.network(), buffers, OpenError::Kernel(status));
    }
    drop(ConfigFetch::open(bed.network(), buffers).unwrap());
}

#[test]
fn closing_hands_the_buffers_back_as_they_were() {
    let bed = bed!(Device::builder()).online();
    let buffers = bed.buffers();
    let channel = MqttChannel::open(bed.network(), buffers).unwrap();
    assert!(bed.memory.take().is_none());
    let buffers = channel.close().unwrap();
    assert_eq!((buffers.receive_len(), buffers.send_len()), (7168, 4096));
    assert!(bed.memory.take().is_none(), "the buffers exist");
    let fetch = ConfigFetch::open(bed.network(), buffers).unwrap();
    let buffers = fetch.close().unwrap();
    drop(buffers);
    assert!(bed.memory.take().is_some());
}

#[test]
fn dropping_a_channel_in_any_state_closes_it_and_frees_its_memory() {
    let (_broker, builder) = bed::with_open_broker();
    let bed = bed!(builder.config("name", "value")).online();
    drop(bed.open_fetch());
    drop(bed.open_fetch().request(&KEYS).unwrap());
    drop(bed.device.block_on(bed.open_fetch().request(&KEYS).unwrap().received()).unwrap());
    drop(bed.open_fetch().request(&[]).unwrap_err());
    drop(bed.open_mqtt());
    drop(bed.open_mqtt().connect(&bed::options()).unwrap());
    drop(bed.connect());
    assert!(bed.memory.take().is_some());
    assert_eq!(bed.device.call_count("mvCloseChannel"), 7);
}

#[test]
fn a_channel_that_the_far_end_closed_keeps_its_buffers_until_it_is_closed_here() {
    let bed = bed!(Device::builder()).online();
    let channel = bed.open_mqtt();
    bed.device.close_channels(RESET);
    assert!(bed.memory.take().is_none());
    drop(channel.close().unwrap());
    let channel = bed.open_fetch();
    bed.device.set_network(NetworkStatus::Connecting);
    assert!(bed.memory.take().is_none());
    drop(channel);
    assert!(bed.memory.take().is_some());
}

#[test]
fn memory_that_the_kernel_did_not_give_back_is_never_handed_out_again() {
    let bed = bed!(Device::builder()).online();
    let channel = bed.open_fetch();
    bed.device.inject(Fault::call("mvCloseChannel").status(UNLISTED));
    drop(channel);
    assert!(bed.memory.take().is_none());
    bed.device.advance(Duration::from_hours(1));
    assert!(bed.memory.take().is_none());
    assert_eq!(bed.device.misuse(), []);
}

#[test]
fn a_close_that_failed_can_be_repeated() {
    let bed = bed!(Device::builder()).online();
    bed.device.inject(Fault::call("mvCloseChannel").times(2).status(UNLISTED));
    let HandedBack { error, value: channel } = bed.open_mqtt().close().unwrap_err();
    assert_eq!(error.status(), Status::check(UNLISTED).unwrap_err());
    let HandedBack { value: channel, .. } = channel.close().unwrap_err();
    assert!(bed.memory.take().is_none());
    drop(channel.close().unwrap());

    bed.device.inject(Fault::call("mvCloseChannel").status(UNLISTED));
    let HandedBack { error, value: fetch } = bed.open_fetch().close().unwrap_err();
    assert_eq!(error.status(), Status::check(UNLISTED).unwrap_err());
    drop(fetch.close().unwrap());
    assert!(bed.memory.take().is_some());
}

#[test]
fn dropping_a_channel_after_a_close_that_failed_tries_once_more() {
    let bed = bed!(Device::builder()).online();
    bed.device.inject(Fault::call("mvCloseChannel").status(UNLISTED));
    let HandedBack { value: channel, .. } = bed.open_mqtt().close().unwrap_err();
    drop(channel);
    assert_eq!(bed.device.call_count("mvCloseChannel"), 2);
    assert!(bed.memory.take().is_some());
}

#[test]
fn a_forgotten_channel_keeps_its_memory_for_ever() {
    let (broker, builder) = bed::with_open_broker();
    let bed = bed!(builder).online();
    mem::forget(bed.connect());
    broker.publish("a/topic", vec![7; 3000], 1);
    bed.device.advance(Duration::from_hours(1));
    assert!(bed.memory.take().is_none());
    assert_eq!(bed.device.misuse(), []);
    assert_eq!(bed.device.call_count("mvCloseChannel"), 0);
}

/// Leaked memory that a test looks at when nobody has it.
struct Leaked(*mut AlignedBytes<1024>);

impl Leaked {
    fn new() -> Self {
        Self(Box::into_raw(Box::new(AlignedBytes::new())))
    }

    fn buffers(&self) -> ChannelBuffers {
        // SAFETY: it is leaked, and this is asked for once.
        let bytes = unsafe { &mut *self.0 };
        let memory = KernelMemory::from_static(bytes, Box::leak(Box::default()));
        memory.take().expect("nobody else has it").split::<512>()
    }

    /// Nothing that was made of the memory may be used afterwards.
    fn is_zero(&self) -> bool {
        // SAFETY: the memory lives for ever. The kernel may write to it, but not while this runs.
        unsafe { self.0.cast::<[u8; 1024]>().read_volatile() }.iter().all(|byte| *byte == 0)
    }
}

#[test]
fn what_a_channel_held_is_overwritten_when_it_is_closed() {
    let (_broker, builder) = bed::with_open_broker();
    let bed = bed!(builder.config("name", &"v".repeat(400))).online();
    let fetched = |buffers| {
        let requested = ConfigFetch::open(bed.network(), buffers).unwrap().request(&KEYS).unwrap();
        bed.device.block_on(requested.received()).unwrap()
    };
    let connected = |buffers| {
        let opened = MqttChannel::open(bed.network(), buffers).unwrap();
        bed.device.block_on(opened.connect(&bed::options()).unwrap().connected()).unwrap()
    };
    let ends: [&dyn Fn(ChannelBuffers); 4] = [
        &|buffers| mem::forget(fetched(buffers).close().unwrap()),
        &|buffers| drop(fetched(buffers)),
        &|buffers| mem::forget(connected(buffers).close().unwrap()),
        &|buffers| drop(connected(buffers)),
    ];
    for end in ends {
        let memory = Leaked::new();
        end(memory.buffers());
        // What the simulated kernel keeps in there is not zero.
        assert!(memory.is_zero());
    }
    let memory = Leaked::new();
    mem::forget(fetched(memory.buffers()));
    assert!(!memory.is_zero(), "the kernel still has it");
}

#[test]
fn memory_that_cannot_be_shared_out_so_stays_as_it_was() {
    static MEMORY: KernelMemory<4096> = kernel_memory!(4096);
    let mut buffers = MEMORY.take().unwrap().split::<1024>();
    for receive_len in [0, 1, 511, 513, 1000, 3585, 4096, 4608, 8192, usize::MAX, usize::MAX - 511] {
        let error = SplitError { receive_len, total: 4096 };
        assert_eq!(buffers.split_again(receive_len), Err(error));
        assert_eq!((buffers.receive_len(), buffers.send_len()), (1024, 3072));
        assert!(error.to_string().contains(&receive_len.to_string()));
    }
}

#[test]
fn memory_shared_out_anew_holds_what_did_not_fit_before() {
    static MEMORY: KernelMemory<2048> = kernel_memory!(2048);
    let bed = bed!(Device::builder().config("name", &"v".repeat(1500))).online();
    let mut buffers = MEMORY.take().unwrap().split::<512>();
    let requested = ConfigFetch::open(bed.network(), buffers).unwrap().request(&KEYS).unwrap();
    let failed = bed.device.block_on(requested.received()).unwrap_err();
    assert_eq!(failed.error, FetchError::ResponseTooLarge);
    buffers = failed.value.close().unwrap();
    buffers.split_again(1536).unwrap();
    assert_eq!((buffers.receive_len(), buffers.send_len()), (1536, 512));
    let requested = ConfigFetch::open(bed.network(), buffers).unwrap().request(&KEYS).unwrap();
    let fetch = bed.device.block_on(requested.received()).unwrap();
    let mut memory = [0; 1501];
    assert_eq!(fetch.text(0, &mut ItemMemory::new(&mut memory)).unwrap().len(), 1500);
}

#[test]
fn memory_from_elsewhere_serves_as_well() {
    let bed = bed!(Device::builder()).online();
    let bytes = Box::leak(Box::new(AlignedBytes::<1024>::new()));
    let memory = KernelMemory::from_static(bytes, Box::leak(Box::default()));
    let buffer = memory.take().expect("nobody else has it");
    assert_eq!((buffer.len(), buffer.is_empty()), (1024, false));
    let channel = MqttChannel::open(bed.network(), buffer.split::<512>()).unwrap();
    assert!(memory.take().is_none());
    drop(channel.close().unwrap());
    assert!(memory.take().is_some());
}

#[test]
fn two_values_of_one_expression_are_one_memory() {
    fn memory() -> KernelMemory<1024> {
        kernel_memory!(1024)
    }
    let taken = memory().take().expect("it is free");
    assert!(memory().take().is_none());
    drop(taken);
    assert!(memory().take().is_some());
}

#[test]
fn a_channel_on_another_devices_thread_closes_nothing_there() {
    let (to_other, from_first) = std::sync::mpsc::channel();
    let memory = bed::new_memory();
    let first = std::thread::spawn(move || {
        let bed = bed::Bed::boot(bed::with_open_broker().1, memory).online();
        to_other.send(bed.connect()).expect("the other thread waits for it");
    });
    let stranger = from_first.recv().expect("a channel of another device");
    first.join().expect("the other device ends well");
    let bed = bed!(bed::with_open_broker().1).online();
    let own = bed.connect();
    assert!(stranger.close().is_err());
    assert!(memory.take().is_none(), "the other kernel may still write to it");
    assert_eq!(own.end(), None);
    drop(own.close().expect("the own channel is still open"));
    // The kernel was asked about a handle that is not its own.
    assert!(!bed.device.take_misuse().is_empty());
}
