//! Building a session.

use core::fmt;

use super::broker_profile::BrokerProfile;
use super::event::Observer;
use super::machine::{Machine, Parts};
use super::memory_plan::MemoryPlan;
use super::values::ValueMemory;
use super::{Policy, Session};
use crate::aws::StoredProfile;
use crate::channel::Channel;
use crate::memory::{KernelBuffer, Region};
use crate::mqtt::Subscription;
use crate::{ChannelBuffers, DeviceId, HandedBack, Network, Notifications};

/// What a session is to be.
///
/// Unless said otherwise, it is one with AWS IoT: the [`StoredProfile`], whose values are in hex,
/// [`MemoryPlan::AWS`], no subscriptions, and the [`Policy`]'s defaults.
#[must_use = "a session is there once it is built"]
pub struct SessionBuilder<'a, P = StoredProfile, O = ()> {
    notifications: Notifications,
    memory: Region,
    id: DeviceId,
    profile: P,
    observer: O,
    policy: Policy,
    plan: MemoryPlan,
    subscriptions: &'a [Subscription<'a>],
}

impl SessionBuilder<'_> {
    /// A session of the device `id` over `memory`, [`MemoryPlan::AWS_LEN`] bytes for AWS IoT.
    pub fn new<const N: usize>(notifications: Notifications, memory: KernelBuffer<N>, id: DeviceId) -> Self {
        Self {
            notifications,
            memory: memory.into_region(),
            id,
            profile: StoredProfile::new(),
            observer: (),
            policy: Policy::new(),
            plan: MemoryPlan::AWS,
            subscriptions: &[],
        }
    }
}

impl<'a, P, O> SessionBuilder<'a, P, O> {
    /// With another broker, or another way to it.
    pub fn profile<Q: BrokerProfile>(self, profile: Q) -> SessionBuilder<'a, Q, O> {
        let Self { notifications, memory, id, observer, policy, plan, subscriptions, .. } = self;
        SessionBuilder { notifications, memory, id, profile, observer, policy, plan, subscriptions }
    }

    /// With somebody who is told of everything that happens.
    pub fn observer<Q: Observer>(self, observer: Q) -> SessionBuilder<'a, P, Q> {
        let Self { notifications, memory, id, profile, policy, plan, subscriptions, .. } = self;
        SessionBuilder { notifications, memory, id, profile, observer, policy, plan, subscriptions }
    }

    /// Subscribed to, of any number, with each connection.
    pub fn subscriptions<'b>(self, subscriptions: &'b [Subscription<'b>]) -> SessionBuilder<'b, P, O> {
        let Self { notifications, memory, id, profile, observer, policy, plan, .. } = self;
        SessionBuilder { notifications, memory, id, profile, observer, policy, plan, subscriptions }
    }

    /// With other times.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// With the memory divided otherwise.
    pub fn memory_plan(mut self, plan: MemoryPlan) -> Self {
        self.plan = plan;
        self
    }
}

impl<'a, P, O> SessionBuilder<'a, P, O> {
    /// The session, stopped until it is [run](Session::run). Up to 4 messages at a time can be on their
    /// way.
    ///
    /// # Errors
    ///
    /// A [`BuildError`], with the builder handed back. To have the error alone, for `?`:
    /// `.build().map_err(HandedBack::into_error)?`.
    #[allow(clippy::result_large_err)] // Built once, where there is room for a session.
    pub fn build(self) -> Result<Session<'a, P, O>, HandedBack<Self, BuildError>>
    where
        P: BrokerProfile,
        O: Observer,
    {
        self.build_for()
    }

    /// The same, with up to `PUBLISHES` messages at a time on their way.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    #[allow(clippy::result_large_err)] // As above.
    pub fn build_for<const PUBLISHES: usize>(
        mut self,
    ) -> Result<Session<'a, P, O, PUBLISHES>, HandedBack<Self, BuildError>>
    where
        P: BrokerProfile,
        O: Observer,
    {
        let len = self.memory.len();
        if !self.plan.fits(len) {
            return Err(HandedBack { error: BuildError::Memory { len, plan: self.plan }, value: self });
        }
        let source = || self.notifications.source();
        let (Some(runner), Some(network), Some(channel)) = (source(), source(), source()) else {
            return Err(HandedBack { error: BuildError::TooManySources, value: self });
        };
        let Some(values) = self.memory.split_off(self.plan.values()) else {
            return Err(HandedBack { error: BuildError::Memory { len, plan: self.plan }, value: self });
        };
        let Self { notifications, memory, id, profile, observer, policy, plan, subscriptions } = self;
        let channel = Channel::closed(channel, ChannelBuffers::of(memory, plan.fetch_receive()));
        let network = Network::withdrawn(network);
        let values = ValueMemory::new(values);
        let parts = Parts {
            id,
            profile,
            observer,
            policy,
            subscriptions,
            plan,
            values,
            _notifications: notifications,
        };
        Ok(Session::new(Machine::new(parts, network, channel), runner))
    }
}

impl<P: fmt::Debug, O> fmt::Debug for SessionBuilder<'_, P, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("id", &self.id)
            .field("profile", &self.profile)
            .field("policy", &self.policy)
            .field("plan", &self.plan)
            .field("subscriptions", &self.subscriptions)
            .finish_non_exhaustive()
    }
}

/// Why a session cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BuildError {
    /// The memory cannot be divided as planned.
    Memory {
        /// Its length in bytes.
        len: usize,
        /// The plan.
        plan: MemoryPlan,
    },
    /// The notification centre serves as many networks, channels and sessions as it can. A session takes
    /// the places of three.
    TooManySources,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { len, plan } => write!(
                f,
                "{len} bytes cannot be divided into {} for values and, of the rest, once {} and once {} to receive, \
                 with 512 left to send; all are multiples of 512, and the values have 512 more than messages",
                plan.values(),
                plan.fetch_receive(),
                plan.mqtt_receive()
            ),
            Self::TooManySources => f.write_str(
                "the notification centre serves as many networks, channels and sessions as it can; close one or \
                 open another centre",
            ),
        }
    }
}

impl core::error::Error for BuildError {}
