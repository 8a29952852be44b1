//! The Microvisor kernel, for hosts.
//!
//! This crate exports the 71 system calls of ABI 0.7.0 as C symbols, so that an application built on
//! [`microvisor`] runs on a desktop as it is. Each thread can have one [`Device`]: its kernel, its
//! network, its config and secret stores, and a [`Broker`](broker::Broker) at the far end. Time is
//! virtual, so nothing waits in reality, and everything random comes from a seed.
//!
//! The kernel is strict: it answers with every status that the ABI documents, and records as
//! [`Misuse`] what no correct application does, such as writing to a buffer that the kernel owns.
//! Where the platform's documents are silent, [`Quirks`] has a switch. A [`Fault`] makes things go
//! wrong, and [`Device::trace`] shows all calls like strace.
//!
//! # A test of an application
//!
//! Boot a device, bind the interrupt of the notification centre, and run the application on virtual
//! time. Each thread has a device of its own, and a static (a notification centre, kernel memory)
//! serves one device at a time: a test declares its own, or leaks them with `Box::leak`.
//!
//! ```
//! use microvisor::mqtt::{ClientId, ConnectOptions, Host, MqttChannel};
//! use microvisor::{KernelMemory, Network, NotificationCenter, OpenError, Status, kernel_memory, sys};
//! use microvisor_sim::broker::model::ModelBroker;
//! use microvisor_sim::{Device, Fault};
//!
//! static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
//! static MEMORY: KernelMemory<11264> = kernel_memory!(11264);
//!
//! let broker = ModelBroker::open().build();
//! let device = Device::builder().seed(7).broker(broker.clone()).boot();
//! device.bind_interrupt(51, || CENTER.on_interrupt());
//!
//! let notifications = CENTER.open()?;
//! let mut network = Network::request(&notifications)?;
//! device.block_on(network.connected())?;
//!
//! // The kernel has no channel to spare, once.
//! device.inject(Fault::call("mvOpenChannel").status(sys::MV_STATUS_TOOMANYCHANNELS));
//! let buffers = MEMORY.take().expect("nobody else has it").split::<7168>();
//! let refused = MqttChannel::open(&network, buffers).unwrap_err();
//! assert_eq!(refused.error, OpenError::Kernel(Status::TOO_MANY_CHANNELS));
//!
//! let options = ConnectOptions::new(Host::new("broker.example")?, ClientId::new("device-7")?);
//! let connecting = MqttChannel::open(&network, refused.value)?.connect(&options)?;
//! let session = device.block_on(connecting.connected())?;
//! assert!(broker.is_connected("device-7"));
//! session.close()?;
//!
//! assert_eq!(device.call_count("mvOpenChannel"), 2);
//! assert!(device.trace().iter().any(|line| line.contains("TOOMANYCHANNELS")));
//! // Dropping the device panics if the application has misused the kernel.
//! # drop((network, notifications));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without the library, on the raw calls:
//!
//! ```
//! use microvisor_sim::{Device, NetworkPlan};
//! use microvisor::sys;
//!
//! let device = Device::builder().network(NetworkPlan::connected_at_boot()).boot();
//! let mut id = [0; 34];
//! // SAFETY: the buffer is valid for the call.
//! let status = unsafe { sys::mvGetDeviceId(id.as_mut_ptr(), 34) };
//! assert_eq!(status, sys::MV_STATUS_OKAY);
//! assert!(id.starts_with(b"UV"));
//! assert_eq!(device.call_count("mvGetDeviceId"), 1);
//! ```

#[cfg(feature = "bridge")]
pub mod bridge;
pub mod broker;

mod address_space;
mod arguments;
mod device;
mod exports;
mod fault;
mod kernel;
mod machine;
mod misuse;
mod names;
mod network_plan;
mod no_broker;
mod quirks;
mod trace;
mod wall_clock;
mod x509;

pub use device::{Builder, BundleError, Delay, Device, DeviceIdle};
pub use fault::{CallFault, ConfigResponseFault, Fault, FetchFault, NotificationFault};
pub use kernel::End;
pub use misuse::Misuse;
pub use network_plan::{NetworkPlan, NetworkStatus};
pub use quirks::{LongValue, MissingKey, Quirks, ReasonCodesSize, SessionEnd, StreamedRequests};
pub use wall_clock::WallClock;
