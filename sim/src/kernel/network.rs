use microvisor::sys;

use super::handles::{NetworkRequest, Object};
use super::pointers::write_output;
use super::{Event, Kernel, Outcome};
use crate::names;
use crate::network_plan::{NetworkPlan, NetworkStatus};

/// How long the kernel stays connected after the last request is released, in microseconds.
const LINGER: u64 = 500_000;
/// How long after the network is up the log buffer is sent.
const LOG_DELAY: u64 = 50_000;

/// The state of the network and its plan.
#[derive(Debug)]
pub(crate) struct Network {
    status: NetworkStatus,
    plan: NetworkPlan,
    /// Whether the application has requested it, ever.
    requested: bool,
    /// Whether a connection is being made because the application asked.
    connecting: bool,
    was_connected: bool,
}

impl Network {
    pub(crate) fn new(plan: NetworkPlan) -> Self {
        let status = plan.at_boot;
        let was_connected = status == NetworkStatus::Connected;
        Self { status, plan, requested: false, connecting: false, was_connected }
    }

    pub(crate) fn status(&self) -> NetworkStatus {
        self.status
    }

    pub(crate) fn is_up(&self) -> bool {
        self.status == NetworkStatus::Connected
    }

    pub(crate) fn was_connected(&self) -> bool {
        self.was_connected
    }
}

impl Kernel {
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(super) fn schedule_network_steps(&mut self) {
        for (at, status) in self.network.plan.steps.clone() {
            let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
            self.queue.push(at, Event::Network(status));
        }
    }

    pub(crate) fn request_network(
        &mut self,
        params: *const sys::MvRequestNetworkParams,
        handle_out: *mut u32,
    ) -> Outcome {
        let params = self.input(params, "params")?;
        self.output(handle_out, "handle")?;
        self.require_version(params.version)?;
        // SAFETY: the union has one member, and every bit pattern is a value of its integers.
        let v1 = unsafe { params.__bindgen_anon_1.v1 };
        self.require_center(v1.notification_handle)?;
        let request = NetworkRequest { center: v1.notification_handle, tag: v1.notification_tag };
        let handle = self.new_handle(Object::Network(request));
        self.put(handle_out, handle, "handle", names::handle(handle));
        let first = !std::mem::replace(&mut self.network.requested, true);
        if first || self.network.status == NetworkStatus::DeliberatelyOffline {
            self.start_connecting();
        }
        Ok(())
    }

    fn start_connecting(&mut self) {
        let Some(delay) = self.network.plan.connects_after else { return };
        if self.network.is_up() || self.network.connecting {
            return;
        }
        self.network.connecting = true;
        if self.network.status == NetworkStatus::DeliberatelyOffline {
            self.set_network(NetworkStatus::Connecting);
        }
        self.schedule(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX), Event::NetworkConnects);
    }

    pub(super) fn network_connects(&mut self) {
        self.network.connecting = false;
        if self.handles.networks().count() > 0 {
            self.set_network(NetworkStatus::Connected);
        }
    }

    pub(crate) fn release_network(&mut self, handle_in_out: *mut u32) -> Outcome {
        let handle = self.handle_to_close(handle_in_out, sys::MV_STATUS_PARAMETERFAULT)?;
        self.require_network(handle)?;
        self.retire_handle(handle);
        write_output(handle_in_out, 0);
        if self.handles.networks().count() == 0 {
            self.schedule(LINGER, Event::NetworkReleased);
        }
        Ok(())
    }

    pub(super) fn network_released(&mut self) {
        if self.handles.networks().count() == 0 {
            self.set_network(NetworkStatus::DeliberatelyOffline);
        }
    }

    pub(crate) fn get_network_status(&mut self, handle: u32, out: *mut sys::MvNetworkStatus) -> Outcome {
        self.require_network(handle)?;
        self.output(out, "status")?;
        let status = self.network.status.raw();
        self.put(out, status, "status", names::network_status(status));
        Ok(())
    }

    pub(crate) fn get_network_reasons(
        &mut self,
        reasons: *mut sys::MvNetworkReason,
        request_ref_count: *mut u32,
    ) -> Outcome {
        self.output(reasons, "reasons")?;
        self.output(request_ref_count, "request_ref_count")?;
        let requests = u32::try_from(self.handles.networks().count()).unwrap_or(u32::MAX);
        let reason = match (requests, self.network.requested) {
            (1.., _) => sys::MV_NETWORKREASON_USINGNETWORK,
            (0, true) => sys::MV_NETWORKREASON_NOTCONNECTING,
            (0, false) => sys::MV_NETWORKREASON_NEVERUSEDNETWORKAPI,
        };
        self.put(reasons, reason, "reasons", format_args!("{reason:#x}"));
        self.put(request_ref_count, requests, "request_ref_count", requests);
        Ok(())
    }

    /// Changes the network's state and tells all that it concerns.
    pub(crate) fn set_network(&mut self, status: NetworkStatus) {
        if self.network.status == status {
            return;
        }
        self.network.status = status;
        self.trace.event(self.now, &format!("network {}", names::network_status(status.raw())));
        if status == NetworkStatus::Connected {
            self.network.was_connected = true;
            if self.log.holds_lines() {
                self.schedule(LOG_DELAY, Event::LogDrained);
            }
        } else {
            self.close_channels(sys::MV_CLOSUREREASON_NETWORKDISCONNECTED);
        }
        let requests = self.handles.networks().map(|request| (request.center, request.tag));
        let systems = self
            .handles
            .system_events()
            .filter(|events| events.source == sys::MV_SYSTEMNOTIFICATIONSOURCE_NETWORK)
            .map(|events| (events.center, events.tag));
        for (center, tag) in requests.chain(systems).collect::<Vec<_>>() {
            self.notify(center, sys::MV_EVENTTYPE_NETWORKSTATUSCHANGED, tag);
        }
    }

    /// Refuses a structure of a version that ABI 0.7.0 does not know.
    pub(super) fn require_version(&mut self, version: u32) -> Outcome {
        if version == 1 {
            return Ok(());
        }
        self.misused(
            sys::MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION,
            format!("the structure has version {version}; only 1 exists"),
        )
    }
}
