//! Fetching values from the device's config and secret stores.
//!
//! ```text
//!                open            request            received
//!  ChannelBuffers ──▶ <Opened> ──────▶ <Requested> ────────▶ <Received> ──▶ hex, base64, text, number, …
//!        ▲               │                  │                    │
//!        └───────────────┴────── close ─────┴────────────────────┘
//! ```
//!
//! A channel carries one request; another fetch needs another channel. Read [`ConfigKey`] first,
//! then [`ConfigFetch`], then [`ItemMemory`], where the values go.
//!
//! ```
//! use microvisor::config::{ConfigFetch, ConfigKey, ItemMemory};
//! use microvisor::config_key;
//! # use microvisor::{KernelMemory, Network, NotificationCenter, kernel_memory};
//! # use microvisor_sim::Device;
//! # static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
//! # static MEMORY: KernelMemory<11264> = kernel_memory!(11264);
//! # let device = Device::builder().config("broker-port", "8883").secret("private_key", "3082").boot();
//! # device.bind_interrupt(51, || CENTER.on_interrupt());
//! # let notifications = CENTER.open()?;
//! # let mut network = Network::request(&notifications)?;
//! # let buffers = MEMORY.take().unwrap().split::<7168>();
//! # let fetched = device.block_on(async {
//! # network.connected().await?;
//! static KEYS: [ConfigKey; 2] = [
//!     config_key!(Device, Config, "broker-port"),
//!     config_key!(Device, Secret, "private_key"),
//! ];
//! let fetch = ConfigFetch::open(&network, buffers)?.request(&KEYS)?.received().await?;
//!
//! let mut memory = [0; 1024];
//! let mut memory = ItemMemory::new(&mut memory);
//! let port = fetch.number(0, 1..=65535, &mut memory)?;
//! let key = fetch.secret_hex(1, &mut memory)?;
//! let buffers = fetch.close()?;
//! # assert_eq!((port, key.expose()), (8883, &[0x30, 0x82][..]));
//! # drop(buffers);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # drop((network, notifications));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod encoding;
mod fetch;
mod fetch_error;
mod item;
mod item_error;
mod key;

pub use crate::decode::DecodeError;
pub use encoding::Encoding;
pub use fetch::{ConfigFetch, Opened, Received, Requested, Spent};
pub use fetch_error::FetchError;
pub use item::ItemMemory;
pub(crate) use item::{Answer, as_it_is, utf8};
pub use item_error::{ItemError, ItemErrorKind};
pub use key::{ConfigKey, KeyError, MAX_KEY_LEN, MAX_VALUE_LEN, Scope, Store};
