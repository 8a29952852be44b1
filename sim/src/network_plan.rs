use std::time::Duration;

use microvisor::sys;

/// The state of the device's network, as the application reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkStatus {
    /// Nobody wants the network.
    DeliberatelyOffline,
    /// The network can be used.
    Connected,
    /// The kernel tries to connect.
    Connecting,
    /// The link is up, the cloud is out of reach.
    DisconnectedWithLinkUp,
}

impl NetworkStatus {
    pub(crate) fn raw(self) -> sys::MvNetworkStatus {
        match self {
            Self::DeliberatelyOffline => sys::MV_NETWORKSTATUS_DELIBERATELYOFFLINE,
            Self::Connected => sys::MV_NETWORKSTATUS_CONNECTED,
            Self::Connecting => sys::MV_NETWORKSTATUS_CONNECTING,
            Self::DisconnectedWithLinkUp => sys::MV_NETWORKSTATUS_DISCONNECTEDWITHLINKUP,
        }
    }
}

/// How the network behaves over the device's life.
///
/// ```
/// use std::time::Duration;
/// use microvisor_sim::{Device, NetworkPlan, NetworkStatus};
///
/// // Up at once, gone after a minute, back five seconds later.
/// let plan = NetworkPlan::connected_at_boot()
///     .then(Duration::from_secs(60), NetworkStatus::Connecting)
///     .then(Duration::from_secs(65), NetworkStatus::Connected);
/// let device = Device::builder().network(plan).boot();
/// device.advance(Duration::from_secs(61));
/// assert_eq!(device.network(), NetworkStatus::Connecting);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPlan {
    pub(crate) at_boot: NetworkStatus,
    pub(crate) connects_after: Option<Duration>,
    pub(crate) steps: Vec<(Duration, NetworkStatus)>,
}

/// How long a connection takes where the plan does not say.
const USUAL_DELAY: Duration = Duration::from_millis(200);

impl NetworkPlan {
    /// Connected before the application starts; no notification ever says so.
    pub fn connected_at_boot() -> Self {
        Self { at_boot: NetworkStatus::Connected, ..Self::connected_after(USUAL_DELAY) }
    }

    /// Connected this long after the application first requests the network (and after it requests the
    /// network again, once it had been released).
    pub fn connected_after(delay: Duration) -> Self {
        Self { at_boot: NetworkStatus::Connecting, connects_after: Some(delay), steps: Vec::new() }
    }

    /// Never connected, unless a later step says so.
    pub fn never() -> Self {
        Self { at_boot: NetworkStatus::Connecting, connects_after: None, steps: Vec::new() }
    }

    /// The network changes to `status` at `since_boot`.
    #[must_use]
    pub fn then(mut self, since_boot: Duration, status: NetworkStatus) -> Self {
        self.steps.push((since_boot, status));
        self
    }
}

impl Default for NetworkPlan {
    /// Connected 200 ms after the first request.
    fn default() -> Self {
        Self::connected_after(USUAL_DELAY)
    }
}
