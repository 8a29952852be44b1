//! A device that stays connected, whatever happens.
//!
//! [`Session`] is the state machine between an application and its broker: it waits for the network,
//! fetches the settings, connects, subscribes, and when anything of that fails, backs off and begins
//! again.
//!
//! ```text
//!  Stopped ─run─▶ Offline ─▶ FetchingSettings ─▶ Connecting ─▶ Subscribing ─▶ Online
//!     ▲              ▲              │                 │             │           │
//!     │              │              ▼                 ▼             ▼           ▼
//!     └─disconnect   └───────── BackingOff { until, cause } ◀───────────────────┘
//! ```
mod back_off;
mod broker_profile;
mod builder;
mod duties;
mod event;
mod fixed_profile;
mod machine;
mod memory_plan;
mod policy;
mod publishing;
mod receiving;
#[allow(clippy::module_inception)] // Named after its main type.
mod session;
mod settings_error;
mod state;
mod stored_user_profile;
mod values;
mod wakers;

pub use broker_profile::{BrokerProfile, SettingsSource};
pub use builder::{BuildError, SessionBuilder};
pub use duties::{Acknowledged, MAX_UNACKNOWLEDGED, Obligation};
pub use event::{Event, Observer};
pub use fixed_profile::FixedProfile;
pub use memory_plan::MemoryPlan;
pub use policy::Policy;
pub use publishing::{Doubt, PublishError, Publishing, WhenOffline};
pub use receiving::{ReceiveError, Received};
pub use session::Session;
pub use settings_error::SettingsError;
pub use state::{Awaited, Cause, State};
pub use stored_user_profile::{StoredUserProfile, UserSettings};
pub use values::{Span, StoredValues, ValueReader};
