use std::fmt;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oorandom::Rand64;

use super::Device;
use super::bundle::{Bundle, BundleError};
use crate::broker::Broker;
use crate::kernel::{ConfigStores, Kernel, Key, Network, Setup};
use crate::machine::Machine;
use crate::network_plan::NetworkPlan;
use crate::no_broker::NoBroker;
use crate::quirks::Quirks;
use crate::trace::Trace;
use crate::wall_clock::WallClock;

/// The length of a device id (ABI 0.7.0).
const ID_LENGTH: usize = 34;

/// The settings of a [`Device`].
///
/// ```
/// use microvisor_sim::{Device, NetworkPlan, WallClock};
///
/// let device = Device::builder()
///     .seed(7)
///     .config("broker-port", "8883")
///     .secret("password", "hunter2")
///     .network(NetworkPlan::connected_at_boot())
///     .wall_clock(WallClock::set_at_boot(1_767_225_600))
///     .boot();
/// assert_eq!(device.calls(), 0);
/// ```
#[derive(Default)]
#[must_use = "a device runs once it is booted"]
pub struct Builder {
    seed: u64,
    device_id: Option<String>,
    stores: ConfigStores,
    network: NetworkPlan,
    wall_clock: Option<WallClock>,
    broker: Option<Box<dyn Broker>>,
    quirks: Quirks,
    stream: Option<Box<dyn Write>>,
}

impl Builder {
    /// What everything random is derived from: handles, junk, and the device id where none is given.
    /// Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The device id, 34 characters. Default: one that is derived from the seed.
    pub fn device_id(mut self, id: &str) -> Self {
        self.device_id = Some(id.to_owned());
        self
    }

    /// A value in the device's config store.
    ///
    /// # Panics
    ///
    /// Unless the key has 1 to 100 printable ASCII characters, and the value 4,096 characters at most.
    pub fn config(self, key: &str, value: &str) -> Self {
        self.stored(false, false, key, value)
    }

    /// A value in the device's secret store.
    ///
    /// # Panics
    ///
    /// Unless the key has 1 to 100 printable ASCII characters, and the value 4,096 characters at most.
    pub fn secret(self, key: &str, value: &str) -> Self {
        self.stored(true, false, key, value)
    }

    /// A value in the account's config store.
    ///
    /// # Panics
    ///
    /// Unless the key has 1 to 100 printable ASCII characters, and the value 4,096 characters at most.
    pub fn account_config(self, key: &str, value: &str) -> Self {
        self.stored(false, true, key, value)
    }

    /// A value in the account's secret store.
    ///
    /// # Panics
    ///
    /// Unless the key has 1 to 100 printable ASCII characters, and the value 4,096 characters at most.
    pub fn account_secret(self, key: &str, value: &str) -> Self {
        self.stored(true, true, key, value)
    }

    /// The values of a bundle, which `microvisor-provision bundle` makes, each in its store; and the
    /// bundle's device id, if it is for one device.
    ///
    /// The text is the file's. How a value is written the device's program has to know, as ever.
    ///
    /// ```
    /// use microvisor_sim::Device;
    ///
    /// let json = r#"{
    ///   "version": 1,
    ///   "sid": "UV0123456789abcdef0123456789abcdef",
    ///   "entries": [
    ///     {"store": "config", "scope": "device", "key": "broker-port", "encoding": "text", "value": "8883"}
    ///   ]
    /// }"#;
    /// let device = Device::builder().bundle(json)?.boot();
    /// # Ok::<(), microvisor_sim::BundleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`BundleError`] for what is no bundle.
    pub fn bundle(mut self, json: &str) -> Result<Self, BundleError> {
        let Bundle { sid, values } = Bundle::from_json(json)?;
        if let Some(sid) = sid {
            microvisor::DeviceId::parse(&sid).map_err(|_| BundleError::Sid { sid: sid.clone() })?;
            self.device_id = Some(sid);
        }
        for (key, value) in values {
            self.stores.insert(key, &value);
        }
        Ok(self)
    }

    fn stored(mut self, secret: bool, account: bool, key: &str, value: &str) -> Self {
        self.stores.insert(Key { secret, account, name: key.to_owned() }, value);
        self
    }

    /// How the network behaves. Default: it connects 200 ms after the first request.
    pub fn network(mut self, plan: NetworkPlan) -> Self {
        self.network = plan;
        self
    }

    /// The date. Default: the first of January 2026, known once the network connects; with a broker in
    /// real time, the host's date instead.
    pub fn wall_clock(mut self, clock: WallClock) -> Self {
        self.wall_clock = Some(clock);
        self
    }

    /// The far end of MQTT channels. Default: none, so that connecting ends in a socket error.
    pub fn broker(mut self, broker: impl Broker + 'static) -> Self {
        self.broker = Some(Box::new(broker));
        self
    }

    /// How the platform behaves where that is uncertain.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Writes each line of the call log to `stream` as well.
    pub fn trace_to(mut self, stream: Box<dyn Write>) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Boots the device and installs it on this thread.
    ///
    /// # Panics
    ///
    /// If this thread has a device already, or if the device id does not have 34 characters of ASCII.
    pub fn boot(self) -> Device {
        let device_id = self.device_id.unwrap_or_else(|| derived_id(self.seed));
        assert!(
            device_id.len() == ID_LENGTH && device_id.is_ascii(),
            "a device id has {ID_LENGTH} ASCII characters, unlike {device_id:?}"
        );
        let broker = self.broker.unwrap_or_else(|| Box::new(NoBroker::default()));
        let wall_clock = self.wall_clock.unwrap_or_else(|| {
            if broker.is_real_time() {
                WallClock::set_when_connected(host_date())
            } else {
                WallClock::default()
            }
        });
        let kernel = Kernel::new(Setup {
            seed: self.seed,
            device_id,
            stores: self.stores,
            network: Network::new(self.network),
            wall_clock,
            quirks: self.quirks,
            trace: Trace::new(self.stream.is_some()),
        });
        let machine = Machine::new(kernel, broker, self.stream);
        assert!(machine.install(), "this thread has a device already; drop it first");
        machine.start();
        Device { machine, installed: true }
    }
}

fn host_date() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn derived_id(seed: u64) -> String {
    // Not the kernel's own sequence, so that giving an id changes nothing else.
    let mut rng = Rand64::new(u128::from(seed) ^ 0x6465_7669_6365);
    format!("UV{:016x}{:016x}", rng.rand_u64(), rng.rand_u64())
}

impl fmt::Debug for Builder {
    /// Without the stores, which hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("seed", &self.seed)
            .field("device_id", &self.device_id)
            .field("network", &self.network)
            .field("wall_clock", &self.wall_clock)
            .field("quirks", &self.quirks)
            .finish_non_exhaustive()
    }
}
