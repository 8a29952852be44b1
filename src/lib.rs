//! Safe, `no_std`, no-alloc Rust for Microvisor devices (STM32U585): config fetch, managed MQTT and
//! AWS IoT over the kernel's system calls.
//!
//! The kernel owns the network, TLS and the MQTT client. An application lends it memory, asks for
//! work through system calls, and hears of outcomes through notifications. This crate makes that
//! safe: a wrong sequence does not compile, a wrong buffer does not exist, and a forgotten check is
//! an error that says what to do.
//!
//! # A device that stays connected
//!
//! [`session::Session`] is what most applications want: a state machine that waits for the network,
//! fetches the settings, connects, subscribes, and begins again after whatever went wrong. The
//! application publishes, receives and acknowledges.
//!
//! ```
//! use core::time::Duration;
//!
//! use embassy_futures::join::join;
//! use microvisor::mqtt::{ClientId, ConnectOptions, Host, Publish, QoS, TopicName};
//! use microvisor::session::{FixedProfile, MemoryPlan, SessionBuilder, WhenOffline};
//! use microvisor::{DeviceId, HandedBack, KernelMemory, NotificationCenter, kernel_memory};
//! # use microvisor_sim::{Device, broker::model::ModelBroker};
//!
//! static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
//! static MEMORY: KernelMemory<{ MemoryPlan::AWS_LEN }> = kernel_memory!(MemoryPlan::AWS_LEN);
//!
//! # let broker = ModelBroker::open().build();
//! # let device = Device::builder().broker(broker.clone()).boot();
//! # device.bind_interrupt(51, || CENTER.on_interrupt());
//! # let delay = device.delay();
//! # device.block_on(async {
//! // Without a profile, it is AWS IoT, with the credentials from the device's stores.
//! let options = ConnectOptions::new(Host::new("broker.example")?, ClientId::new("device-7")?);
//! let memory = MEMORY.take().expect("nobody else has it");
//! let id = DeviceId::read()?;
//! let builder = SessionBuilder::new(CENTER.open()?, memory, &id);
//! let session =
//!     builder.profile(FixedProfile::new(options)).build().map_err(HandedBack::into_error)?;
//!
//! let report = async {
//!     let reading = Publish::new(TopicName::new("sensor/7")?, b"21.5").with_qos(QoS::AtLeastOnce);
//!     session.publish(&reading, WhenOffline::Wait(Duration::from_mins(5))).await?;
//!     session.disconnect().await;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! };
//! join(session.run(delay), report).await.1?;
//! # assert_eq!(broker.received()[0].payload, b"21.5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Step by step
//!
//! Below it, each step is a type of its own:
//!
//! ```text
//!  KernelMemory ─take─▶ KernelBuffer ─split─▶ ChannelBuffers ─┐
//!  NotificationCenter ─open─▶ Notifications                   │
//!                               │                             ▼
//!                               └─request─▶ Network ─▶ ConfigFetch<Opened → Requested → Received>
//!                                              │              │ close: the buffers come back
//!                                              │              ▼
//!                                              └────▶ MqttChannel<Opened → Connecting → Connected → Disconnected>
//! ```
//!
//! 1. [`NotificationCenter`] is where the kernel says that something happened; its interrupt is the
//!    application's.
//! 2. [`Network`] asks for the network.
//! 3. [`config::ConfigFetch`] fetches values from the device's stores; [`aws::Settings`] the five
//!    that AWS IoT needs, decoded and checked.
//! 4. [`mqtt::MqttChannel`] connects ([`aws::Profile`] knows how AWS IoT wants it), subscribes,
//!    publishes, receives and acknowledges.
//!
//! ```
//! use microvisor::mqtt::{ClientId, ConnectOptions, Host, Inbox, MqttChannel, Publish, QoS, TopicName};
//! use microvisor::{KernelMemory, Network, NotificationCenter, kernel_memory};
//! # use microvisor_sim::{Device, broker::model::ModelBroker};
//!
//! static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
//! static MEMORY: KernelMemory<11264> = kernel_memory!(11264);
//!
//! # let broker = ModelBroker::open().build();
//! # let device = Device::builder().broker(broker.clone()).boot();
//! # device.bind_interrupt(51, || CENTER.on_interrupt());
//! # device.block_on(async {
//! let notifications = CENTER.open()?;
//! let mut network = Network::request(&notifications)?;
//! network.connected().await?;
//!
//! let buffers = MEMORY.take().expect("nobody else has it").split::<7168>();
//! let options = ConnectOptions::new(Host::new("broker.example")?, ClientId::new("device-7")?);
//! let mut session = MqttChannel::open(&network, buffers)?.connect(&options)?.connected().await?;
//!
//! let (mut topic, mut payload) = ([0; 128], [0; 1024]);
//! let mut inbox = Inbox::new(&mut topic, &mut payload);
//! let reading = Publish::new(TopicName::new("sensor/7")?, b"21.5").with_qos(QoS::AtLeastOnce);
//! session.publish(&reading, &mut inbox, |_event| ()).await?;
//! session.disconnect(&mut inbox, |_event| ()).await?;
//! # assert_eq!(broker.received()[0].payload, b"21.5");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Waiting
//!
//! Everything that waits has three forms: an `async fn`, a `poll_…` that any executor or state
//! machine can drive, and [`block_on`] for those without an executor. A session can do without futures:
//! a main loop asks it [what came in](session::Session::next).
//!
//! Nothing here owns a timer or a task, and the platform sets no time limits: to give up, drop the future.
//! That strands nothing; memory goes back to the [`KernelMemory`] that it came from. (A centre keeps a
//! clone of the last waker of each of its slots until the slot is used again.)
//!
//! A notification is a hint. Whoever waits reads the state again when woken, so late and superfluous
//! notifications do no harm, and one that is overwritten before it is read loses nothing, since the
//! interrupt wakes everybody. Only if the kernel never tells of a change is it seen no sooner than at
//! the next wake-up: one more reason for a time limit around everything that waits for the far end.
//!
//! # Errors
//!
//! There is one error type a family of operations. Each says in prose what is wrong and what to do,
//! keeps the raw status, and tells by its `recovery()` whether to [retry](Recovery::Retry),
//! [reopen](Recovery::Reopen) or [give up](Recovery::GiveUp). What went in comes back
//! ([`HandedBack`]): [`HandedBack::into_error`] drops it, `From<HandedBack<T, OpenError>>` for an error
//! type of one's own lets `?` do that, and `?` into a boxed error works wherever nothing borrowed is in it.
//!
//! # Running
//!
//! On a board, link with `-Tmicrovisor.x`, which the build script provides (see [`sys`]). On a
//! desktop, the `microvisor-sim` crate provides the same system calls: the same application runs
//! there, on virtual time, against a model of AWS IoT or a real broker. All examples in these pages
//! do; this is what the first lines of each are, which most of them hide:
//!
//! ```
//! use microvisor::{Network, NotificationCenter};
//! use microvisor_sim::{Device, broker::model::ModelBroker};
//!
//! static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
//!
//! let device = Device::builder().broker(ModelBroker::open().build()).boot();
//! device.bind_interrupt(51, || CENTER.on_interrupt());
//! let notifications = CENTER.open()?;
//! let mut network = Network::request(&notifications)?;
//! device.block_on(network.connected())?;
//! # drop((network, notifications));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `log` | `log::Log` for [`ServerLog`] |
//! | `defmt` | `defmt::Format` for errors, codes and ids |
//! | `bindgen` | generates the raw bindings at build time, from the vendor's header where `MICROVISOR_SDK` names its folder; needs libclang |
//!
//! None is on by default, and none changes a signature.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod aws;
pub mod clock;
pub mod config;
pub mod mqtt;
pub mod session;
pub mod sys;
pub mod tls;

mod block_on;
mod channel;
mod claim;
mod code;
mod critical;
mod decode;
mod device_id;
mod handed_back;
mod memory;
mod network;
mod notifications;
mod secret;
mod server_log;
mod sized_string;
mod status;
mod transition;
mod uses;
mod wipe;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use block_on::WaitForInterrupt;
pub use block_on::{Idle, block_on};
pub use channel::{ChannelBuffers, CloseError, ClosureReason, OpenError, SplitError};
pub use device_id::{DeviceId, DeviceIdError};
pub use handed_back::HandedBack;
pub use memory::{AlignedBytes, KERNEL_MEMORY_UNIT, KernelBuffer, KernelMemory, TakenFlag};
pub use network::{Network, NetworkError, NetworkReasons, NetworkStatus, network_reasons};
pub use notifications::{
    CloseNotificationsError, MAX_SOURCES, NotificationCenter, NotificationError, Notifications,
};
pub use secret::Secret;
pub use server_log::{Hexadecimal, LogError, LogLine, ServerLog, StartLogError};
pub use status::{Recovery, Status};
pub use transition::Transition;
