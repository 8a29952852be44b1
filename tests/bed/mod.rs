//! A simulated device with its notification centre open, for tests of what is built on them.

#![allow(dead_code)] // Each test file uses its part.

pub mod material;
pub mod scripted_broker;
pub mod session;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use microvisor::config::{ConfigFetch, Opened};
use microvisor::mqtt::{ClientId, ConnectError, ConnectOptions, Connected, Disconnected, Host, MqttChannel};
use microvisor::{
    ChannelBuffers, ClosureReason, HandedBack, KernelMemory, Network, NotificationCenter, Notifications, sys,
};
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Builder, Device};
use session::Session;

/// The size of the channel memory of a bed: 7 KiB to receive, 4 KiB to send.
pub const MEMORY_LEN: usize = 11264;

/// The interrupt of a bed's notification centre (`TIM8_BRK`).
pub const IRQ: u32 = 51;

/// Why a channel closes: what the kernel says, and what the library makes of it.
pub const CLOSURE_REASONS: [(u32, ClosureReason); 9] = [
    (sys::MV_CLOSUREREASON_NONE, ClosureReason::NONE),
    (sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER, ClosureReason::CLOSED_BY_SERVER),
    (sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER, ClosureReason::RESET_BY_SERVER),
    (sys::MV_CLOSUREREASON_NETWORKDISCONNECTED, ClosureReason::NETWORK_DISCONNECTED),
    (sys::MV_CLOSUREREASON_CONNECTIONTERMINATED, ClosureReason::CONNECTION_TERMINATED),
    (sys::MV_CLOSUREREASON_NOTYETOPEN, ClosureReason::NOT_YET_OPEN),
    (sys::MV_CLOSUREREASON_CLOSEDBYAPPLICATION, ClosureReason::CLOSED_BY_APPLICATION),
    (sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED, ClosureReason::UNEXPECTEDLY_TERMINATED),
    (4711, ClosureReason::from_raw(4711)),
];

/// A bed on memory of its own: `bed!(Device::builder())`.
#[macro_export]
macro_rules! bed {
    ($builder:expr) => {{
        static MEMORY: microvisor::KernelMemory<{ $crate::bed::MEMORY_LEN }> =
            microvisor::kernel_memory!($crate::bed::MEMORY_LEN);
        $crate::bed::Bed::boot($builder, &MEMORY)
    }};
}

/// A device that has booted, and what an application holds on to.
///
/// The fields are dropped in order, the device last: what is left then is misuse.
pub struct Bed {
    pub network: Option<Network>,
    pub notifications: Notifications,
    pub center: &'static NotificationCenter<8>,
    pub memory: &'static KernelMemory<MEMORY_LEN>,
    pub device: Device,
}

impl Bed {
    pub fn boot(builder: Builder, memory: &'static KernelMemory<MEMORY_LEN>) -> Self {
        let device = builder.boot();
        let center: &'static NotificationCenter<8> = Box::leak(Box::new(NotificationCenter::new(IRQ)));
        device.bind_interrupt(IRQ, || center.on_interrupt());
        let notifications = center.open().expect("the centre opens");
        Self { network: None, notifications, center, memory, device }
    }

    /// A bed on new memory, for tests that boot many devices or lose the memory.
    pub fn boot_fresh(builder: Builder) -> Self {
        Self::boot(builder, new_memory())
    }

    /// Requests the network and waits until it is connected.
    pub fn online(mut self) -> Self {
        let mut network = Network::request(&self.notifications).expect("the network can be requested");
        self.device.block_on(network.connected()).expect("the network connects");
        self.network = Some(network);
        self
    }

    pub fn network(&self) -> &Network {
        self.network.as_ref().expect("the bed is online")
    }

    /// The bed's channel memory, which nobody may have.
    pub fn buffers(&self) -> ChannelBuffers {
        self.memory.take().expect("the channel memory is free").split::<7168>()
    }

    pub fn open_fetch(&self) -> ConfigFetch<Opened> {
        ConfigFetch::open(self.network(), self.buffers()).expect("a config channel opens")
    }

    pub fn open_mqtt(&self) -> MqttChannel<microvisor::mqtt::Opened> {
        MqttChannel::open(self.network(), self.buffers()).expect("an MQTT channel opens")
    }

    /// Connects, which has to fail; at least a quarter of a second after the last time, since no more
    /// than 8 channels may be opened in a second.
    pub fn fail_to_connect(
        &self,
        options: &ConnectOptions<'_>,
    ) -> HandedBack<MqttChannel<Disconnected>, ConnectError> {
        self.device.advance(Duration::from_millis(250));
        let connecting = match self.open_mqtt().connect(options) {
            Ok(connecting) => connecting,
            Err(failed) => return failed,
        };
        self.device.block_on(connecting.connected()).expect_err("the connection fails")
    }

    /// A session with the bed's broker, and what a test wants to know of it.
    pub fn session(&self) -> Session<'_> {
        Session::new(&self.device, self.connect())
    }

    /// The same, connected as a test wants it.
    pub fn session_with(&self, options: &ConnectOptions<'_>) -> Session<'_> {
        let connecting = self.open_mqtt().connect(options).expect("the connect request is taken");
        let channel = self.device.block_on(connecting.connected()).expect("the broker accepts");
        Session::new(&self.device, channel)
    }

    /// A session with the bed's broker.
    pub fn connect(&self) -> MqttChannel<Connected> {
        let connecting = self.open_mqtt().connect(&options()).expect("the connect request is taken");
        self.device.block_on(connecting.connected()).expect("the broker accepts")
    }
}

/// A connection to any broker of the model.
pub fn options() -> ConnectOptions<'static> {
    let host = Host::new("broker.example").expect("a host");
    ConnectOptions::new(host, ClientId::new("device").expect("a client id"))
}

/// Channel memory that nothing else uses.
pub fn new_memory() -> &'static KernelMemory<MEMORY_LEN> {
    let (bytes, taken) = (Box::leak(Box::default()), Box::leak(Box::default()));
    let memory = KernelMemory::from_static(bytes, taken);
    Box::leak(Box::new(memory))
}

/// Polls once, and wakes nobody later.
pub fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A broker that takes any client, and a device that talks to it.
pub fn with_open_broker() -> (ModelBroker, Builder) {
    let broker = ModelBroker::open().build();
    (broker.clone(), Device::builder().broker(broker))
}
