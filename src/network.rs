//! The device's connection to its network.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use bitflags::bitflags;

use crate::notifications::{Notifications, Source};
use crate::{HandedBack, Recovery, Status, sys};

/// A request that the device be online, for as long as this exists.
///
/// Dropping it withdraws the request; the kernel goes offline some time after the last one is gone,
/// and closes the channels that are open then.
///
/// ```
/// use microvisor::{Network, NetworkStatus, NotificationCenter};
/// use microvisor_sim::Device;
///
/// static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
///
/// let device = Device::builder().boot();
/// device.bind_interrupt(51, || CENTER.on_interrupt());
/// let notifications = CENTER.open()?;
/// let mut network = Network::request(&notifications)?;
/// device.block_on(network.connected())?;
/// assert_eq!(network.status()?, NetworkStatus::Connected);
/// # drop((network, notifications));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Network {
    handle: u32,
    source: Source,
}

impl Network {
    /// Asks the kernel to connect, and to tell changes to `notifications`.
    ///
    /// # Errors
    ///
    /// - [`TooManySources`](NetworkError::TooManySources): the notification centre serves as many
    ///   networks and channels as it can; close one, or open another centre.
    /// - [`Kernel`](NetworkError::Kernel): the kernel refused.
    pub fn request(notifications: &Notifications) -> Result<Self, NetworkError> {
        let source = notifications.source().ok_or(NetworkError::TooManySources)?;
        let mut network = Self::withdrawn(source);
        network.request_again().map_err(NetworkError::Kernel)?;
        Ok(network)
    }

    /// No request, but a place for one.
    pub(crate) fn withdrawn(source: Source) -> Self {
        Self { handle: 0, source }
    }

    /// Asks for the network, unless it is asked for already.
    pub(crate) fn request_again(&mut self) -> Result<(), Status> {
        if self.is_requested() {
            return Ok(());
        }
        let params = sys::MvRequestNetworkParams {
            version: 1,
            __bindgen_anon_1: sys::MvRequestNetworkParams__bindgen_ty_1 {
                v1: sys::MvRequestNetworkParams__bindgen_ty_1__bindgen_ty_1 {
                    notification_handle: self.source.center_handle(),
                    notification_tag: self.source.tag(),
                },
            },
        };
        let mut handle = 0;
        // SAFETY: both pointers are to locals that live during the call; the kernel copies `params`.
        Status::check(unsafe { sys::mvRequestNetwork(&raw const params, &raw mut handle) })?;
        self.handle = handle;
        Ok(())
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.handle != 0
    }

    /// Withdraws the request, which lets the kernel go offline. What it says to that is of no use.
    pub(crate) fn withdraw(&mut self) {
        if self.is_requested() {
            let _ = self.release_handle();
            self.handle = 0;
        }
    }

    /// The state of the connection now.
    ///
    /// # Errors
    ///
    /// [`Kernel`](NetworkError::Kernel), where the kernel does not say.
    pub fn status(&self) -> Result<NetworkStatus, NetworkError> {
        self.raw_status().map(NetworkStatus::from_raw).map_err(NetworkError::Kernel)
    }

    fn raw_status(&self) -> Result<sys::MvNetworkStatus, Status> {
        let mut status = sys::MV_NETWORKSTATUS__MAX;
        // SAFETY: `status` is a live out-parameter of the enum's width.
        Status::check(unsafe { sys::mvGetNetworkStatus(self.handle, &raw mut status) })?;
        Ok(status)
    }

    /// Asks for the network, unless it is asked for already, and tells whether it is there.
    pub(crate) fn is_connected(&mut self) -> Result<bool, Status> {
        self.request_again()?;
        Ok(self.raw_status()? == sys::MV_NETWORKSTATUS_CONNECTED)
    }

    /// Waits until the status is another than `status`, which may be at once, and returns it.
    ///
    /// Changes back and forth between two polls are not seen.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing.
    pub async fn changed_from(&mut self, status: NetworkStatus) -> Result<NetworkStatus, NetworkError> {
        poll_fn(|cx| self.poll_changed_from(cx, status)).await
    }

    /// The polling form of [`changed_from`](Self::changed_from). The last waker polled with is woken.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub fn poll_changed_from(
        &mut self,
        cx: &mut Context<'_>,
        status: NetworkStatus,
    ) -> Poll<Result<NetworkStatus, NetworkError>> {
        self.poll_status(cx, |now| now != status)
    }

    /// Waits until the network is connected, which may be at once.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing: the request for the network stands.
    pub async fn connected(&mut self) -> Result<(), NetworkError> {
        poll_fn(|cx| self.poll_connected(cx)).await
    }

    /// The polling form of [`connected`](Self::connected). The last waker polled with is woken.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        self.poll_status(cx, |status| status == NetworkStatus::Connected).map_ok(|_| ())
    }

    fn poll_status(
        &mut self,
        cx: &mut Context<'_>,
        wanted: impl Fn(NetworkStatus) -> bool,
    ) -> Poll<Result<NetworkStatus, NetworkError>> {
        self.source.register(cx.waker());
        match self.status() {
            Ok(status) if !wanted(status) => Poll::Pending,
            answer => Poll::Ready(answer),
        }
    }

    /// Withdraws the request and says how that went.
    ///
    /// # Errors
    ///
    /// [`Kernel`](NetworkError::Kernel): the kernel did not take it back. The network is handed
    /// back; dropping it tries once more and ignores the answer.
    pub fn release(mut self) -> Result<(), HandedBack<Self, NetworkError>> {
        match self.release_handle() {
            Ok(()) => {
                self.handle = 0;
                Ok(())
            }
            Err(status) => Err(HandedBack { error: NetworkError::Kernel(status), value: self }),
        }
    }

    fn release_handle(&self) -> Result<(), Status> {
        let mut handle = self.handle;
        // SAFETY: `handle` is a live in-out-parameter.
        Status::check(unsafe { sys::mvReleaseNetwork(&raw mut handle) })
    }

    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// Why the device is or is not to be online, and how many requests for the network there are.
///
/// # Errors
///
/// [`Kernel`](NetworkError::Kernel), where the kernel does not say.
pub fn network_reasons() -> Result<(NetworkReasons, u32), NetworkError> {
    let mut reasons = 0;
    let mut requests = 0;
    // SAFETY: both are live out-parameters of the widths that the call writes.
    Status::check(unsafe { sys::mvGetNetworkReasons(&raw mut reasons, &raw mut requests) })
        .map_err(NetworkError::Kernel)?;
    Ok((NetworkReasons::from_bits_retain(reasons), requests))
}

/// The state of the network connection (ABI 0.7.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NetworkStatus {
    /// Nothing asks for the network.
    DeliberatelyOffline,
    /// Channels can be opened.
    Connected,
    /// On the way, for the first time or again.
    Connecting,
    /// The radio or cable link is up, but the connection over it is not.
    DisconnectedWithLinkUp,
    /// A status that ABI 0.7.0 does not list.
    Unknown(u32),
}

impl NetworkStatus {
    fn from_raw(raw: sys::MvNetworkStatus) -> Self {
        match raw {
            sys::MV_NETWORKSTATUS_DELIBERATELYOFFLINE => Self::DeliberatelyOffline,
            sys::MV_NETWORKSTATUS_CONNECTED => Self::Connected,
            sys::MV_NETWORKSTATUS_CONNECTING => Self::Connecting,
            sys::MV_NETWORKSTATUS_DISCONNECTEDWITHLINKUP => Self::DisconnectedWithLinkUp,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for NetworkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeliberatelyOffline => f.write_str("offline, since nothing asks for the network"),
            Self::Connected => f.write_str("connected"),
            Self::Connecting => f.write_str("connecting"),
            Self::DisconnectedWithLinkUp => f.write_str("the link is up, but there is no connection over it"),
            Self::Unknown(raw) => write!(f, "network status {raw}, which ABI 0.7.0 does not list"),
        }
    }
}

bitflags! {
    /// Why the kernel is online, or would be (ABI 0.7.0). Bits that the ABI does not list are kept.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct NetworkReasons: u32 {
        /// The application asks for the network.
        const USING_NETWORK = sys::MV_NETWORKREASON_USINGNETWORK;
        /// The application has not used the network calls since it started.
        const NEVER_USED_NETWORK_API = sys::MV_NETWORKREASON_NEVERUSEDNETWORKAPI;
        /// The kernel is due to check in with the server.
        const MINIMUM_CHECK_IN_EXPIRED = sys::MV_NETWORKREASON_MINIMUMCHECKINEXPIRED;
        /// The real-time clock is not set.
        const RTC_NOT_SET = sys::MV_NETWORKREASON_RTCNOTSET;
        /// The kernel has an error to report.
        const KERNEL_ERROR = sys::MV_NETWORKREASON_KERNELERROR;
        /// An error of the application is to be reported.
        const APPLICATION_ERROR = sys::MV_NETWORKREASON_APPLICATIONERROR;
        /// The device has started cold.
        const COLD_BOOT_CONNECTION = sys::MV_NETWORKREASON_COLDBOOTCONNECTION;
        /// An update is being downloaded.
        const FETCHING_UPDATE = sys::MV_NETWORKREASON_FETCHINGUPDATE;
        /// A debugger is attached.
        const DEBUGGER_ATTACHED = sys::MV_NETWORKREASON_DEBUGGERATTACHED;
        /// There is no application on the device.
        const NO_APPLICATION_CODE = sys::MV_NETWORKREASON_NOAPPLICATIONCODE;
        /// The server has asked for fewer connections.
        const ENHANCE_CALM = sys::MV_NETWORKREASON_ENHANCECALM;
        const _ = !0;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for NetworkReasons {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "NetworkReasons({=u32:#x})", self.bits());
    }
}

/// Why a call about the network failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NetworkError {
    /// The notification centre serves as many networks and channels as it can.
    TooManySources,
    /// The kernel refused the call.
    Kernel(Status),
}

impl NetworkError {
    /// What can be done about it.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::TooManySources
            | Self::Kernel(Status::PARAMETER_FAULT | Status::UNSUPPORTED_STRUCTURE_VERSION) => {
                Recovery::GiveUp
            }
            Self::Kernel(Status::INVALID_HANDLE) => Recovery::Reopen,
            Self::Kernel(_) => Recovery::Retry,
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySources => f.write_str(
                "the notification centre serves as many networks and channels as it can; close one or open another centre",
            ),
            Self::Kernel(status) => write!(f, "the network call failed: {status}"),
        }
    }
}

impl core::error::Error for NetworkError {}
