use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use microvisor::sys;

use super::channels::Channel;
use super::notifications::Center;
use super::{Kernel, Outcome};
use crate::names;

/// The application's wish for the network.
#[derive(Debug)]
pub(crate) struct NetworkRequest {
    pub(crate) center: u32,
    pub(crate) tag: u32,
}

/// The application's wish to hear of the system.
#[derive(Debug)]
pub(crate) struct SystemEvents {
    pub(crate) center: u32,
    pub(crate) tag: u32,
    pub(crate) source: sys::MvSystemNotificationSource,
}

/// What a handle can name.
#[derive(Debug)]
pub(crate) enum Object {
    Center(Center),
    Network(NetworkRequest),
    Channel(Box<Channel>),
    SystemEvents(SystemEvents),
}

impl Object {
    fn kind(&self) -> &'static str {
        match self {
            Self::Center(_) => "notification centre",
            Self::Network(_) => "network request",
            Self::Channel(channel) => channel.kind_name(),
            Self::SystemEvents(_) => "system notification",
        }
    }
}

/// Everything open, and what was open before.
#[derive(Debug)]
pub(crate) struct Handles {
    /// The last digits of all handles: another kernel's are never the same, so that what was opened
    /// on one device cannot be taken for something that is open on another.
    kernel: u32,
    live: BTreeMap<u32, Object>,
    stale: BTreeMap<u32, (&'static str, Duration)>,
}

impl Default for Handles {
    fn default() -> Self {
        static KERNELS: AtomicU32 = AtomicU32::new(0);
        let kernel = KERNELS.fetch_add(1, Ordering::Relaxed) & names::KERNEL_DIGITS;
        Self { kernel, live: BTreeMap::new(), stale: BTreeMap::new() }
    }
}

impl Handles {
    pub(crate) fn center(&mut self, handle: u32) -> Option<&mut Center> {
        match self.live.get_mut(&handle)? {
            Object::Center(center) => Some(center),
            _ => None,
        }
    }

    pub(crate) fn channel(&mut self, handle: u32) -> Option<&mut Channel> {
        match self.live.get_mut(&handle)? {
            Object::Channel(channel) => Some(channel),
            _ => None,
        }
    }

    pub(crate) fn centers(&self) -> impl Iterator<Item = (u32, &Center)> {
        self.live.iter().filter_map(|(&handle, object)| match object {
            Object::Center(center) => Some((handle, center)),
            _ => None,
        })
    }

    pub(crate) fn networks(&self) -> impl Iterator<Item = &NetworkRequest> {
        self.live.values().filter_map(|object| match object {
            Object::Network(request) => Some(request),
            _ => None,
        })
    }

    /// What would lose its notifications with a centre.
    pub(crate) fn users_of_center(&self, center: u32) -> Vec<String> {
        let users = self.live.iter().filter(|(_, object)| match object {
            Object::Network(request) => request.center == center,
            Object::Channel(channel) => channel.center == center,
            Object::SystemEvents(events) => events.center == center,
            Object::Center(_) => false,
        });
        users.map(|(handle, object)| format!("{} {}", object.kind(), names::handle(*handle))).collect()
    }

    pub(crate) fn system_events(&self) -> impl Iterator<Item = &SystemEvents> {
        self.live.values().filter_map(|object| match object {
            Object::SystemEvents(events) => Some(events),
            _ => None,
        })
    }

    pub(crate) fn channels(&self) -> impl Iterator<Item = (u32, &Channel)> {
        self.live.iter().filter_map(|(&handle, object)| match object {
            Object::Channel(channel) => Some((handle, &**channel)),
            _ => None,
        })
    }
}

impl Kernel {
    /// Gives an object a handle: random but for the kernel's digits, never 0 and never one that was
    /// given out before.
    pub(crate) fn new_handle(&mut self, object: Object) -> u32 {
        loop {
            let Ok(random) = u32::try_from(self.rng.rand_u64() >> 32) else { continue };
            let handle = random & !names::KERNEL_DIGITS | self.handles.kernel;
            if random <= names::KERNEL_DIGITS
                || self.handles.live.contains_key(&handle)
                || self.handles.stale.contains_key(&handle)
            {
                continue;
            }
            self.handles.live.insert(handle, object);
            return handle;
        }
    }

    pub(crate) fn retire_handle(&mut self, handle: u32) {
        if let Some(object) = self.handles.live.remove(&handle) {
            self.handles.stale.insert(handle, (object.kind(), self.uptime()));
        }
    }

    /// Refuses a handle unless `wanted` takes what it names.
    pub(crate) fn require(&mut self, handle: u32, kind: &str, wanted: impl Fn(&Object) -> bool) -> Outcome {
        let why = match self.handles.live.get(&handle) {
            Some(object) if wanted(object) => return Ok(()),
            Some(object) => format!("is that of a {}", object.kind()),
            None if handle == 0 => "was never opened, or is closed already".to_owned(),
            None => match self.handles.stale.get(&handle) {
                Some((kind, at)) => format!("is stale: that {kind} was closed at {at:?}"),
                None => "was not given out by this kernel; another thread's device may have, since a static \
                         serves one device at a time"
                    .to_owned(),
            },
        };
        self.misused(
            sys::MV_STATUS_INVALIDHANDLE,
            format!("the handle of a {kind} is needed, but {} {why}", names::handle(handle)),
        )
    }

    pub(crate) fn require_center(&mut self, handle: u32) -> Outcome {
        self.require(handle, "notification centre", |object| matches!(object, Object::Center(_)))
    }

    pub(crate) fn require_network(&mut self, handle: u32) -> Outcome {
        self.require(handle, "network request", |object| matches!(object, Object::Network(_)))
    }
}
