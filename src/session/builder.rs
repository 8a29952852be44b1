//! Building a session.

use core::fmt;

use super::broker_profile::BrokerProfile;
use super::event::Observer;
use super::machine::{Machine, Parts};
use super::memory_plan::MemoryPlan;
use super::values::ValueMemory;
use super::{Policy, Session};
use crate::aws::{Commands, StoredProfile};
use crate::channel::Channel;
use crate::memory::{KernelBuffer, Region};
use crate::mqtt::Subscription;
use crate::uses::{FILTERS, PLANS, POLICIES};
use crate::{ChannelBuffers, DeviceId, HandedBack, Network, Notifications};

/// What a session is to be.
///
/// Unless said otherwise, it is one with AWS IoT: the [`StoredProfile`], whose values are in hex,
/// [`MemoryPlan::AWS`], no subscriptions, and the [`Policy`]'s defaults.
#[must_use = "a session is there once it is built"]
pub struct SessionBuilder<'a, P = StoredProfile, O = ()> {
    notifications: Notifications,
    memory: Region,
    id: &'a DeviceId,
    profile: P,
    observer: O,
    /// If they are not the usual ones.
    policy: Option<Policy>,
    plan: Option<MemoryPlan>,
    subscriptions: &'a [Subscription<'a>],
    is_started: bool,
}

impl<'a> SessionBuilder<'a> {
    /// A session of the device `id` over `memory`, [`MemoryPlan::AWS_LEN`] bytes for AWS IoT.
    pub fn new<const N: usize>(
        notifications: Notifications,
        memory: KernelBuffer<N>,
        id: &'a DeviceId,
    ) -> Self {
        Self {
            notifications,
            memory: memory.into_region(),
            id,
            profile: StoredProfile::new(),
            observer: (),
            policy: None,
            plan: None,
            subscriptions: &[],
            is_started: false,
        }
    }
}

impl<'a, P, O> SessionBuilder<'a, P, O> {
    /// With another broker, or another way to it.
    pub fn profile<Q: BrokerProfile>(self, profile: Q) -> SessionBuilder<'a, Q, O> {
        let Self { notifications, memory, id, observer, policy, plan, subscriptions, is_started, .. } = self;
        SessionBuilder {
            notifications,
            memory,
            id,
            profile,
            observer,
            policy,
            plan,
            subscriptions,
            is_started,
        }
    }

    /// With somebody who is told of everything that happens.
    pub fn observer<Q: Observer>(self, observer: Q) -> SessionBuilder<'a, P, Q> {
        let Self { notifications, memory, id, profile, policy, plan, subscriptions, is_started, .. } = self;
        SessionBuilder {
            notifications,
            memory,
            id,
            profile,
            observer,
            policy,
            plan,
            subscriptions,
            is_started,
        }
    }

    /// Subscribed to, of any number, with each connection.
    pub fn subscriptions<'b>(self, subscriptions: &'b [Subscription<'b>]) -> SessionBuilder<'b, P, O>
    where
        'a: 'b,
    {
        FILTERS.make();
        self.checked_subscriptions(subscriptions)
    }

    /// Subscribed to with each connection, in the place of [other subscriptions](Self::subscriptions). In an
    /// image with no others, nothing checks filters.
    pub fn commands<'b>(self, commands: &'b Commands<'b>) -> SessionBuilder<'b, P, O>
    where
        'a: 'b,
    {
        self.checked_subscriptions(commands.subscriptions())
    }

    fn checked_subscriptions<'b>(self, subscriptions: &'b [Subscription<'b>]) -> SessionBuilder<'b, P, O>
    where
        'a: 'b,
    {
        let Self { notifications, memory, id, profile, observer, policy, plan, is_started, .. } = self;
        SessionBuilder {
            notifications,
            memory,
            id,
            profile,
            observer,
            policy,
            plan,
            subscriptions,
            is_started,
        }
    }

    /// With other times.
    pub fn policy(mut self, policy: Policy) -> Self {
        POLICIES.make();
        self.policy = Some(policy);
        self
    }

    /// Asked to be online from the beginning, as by [`Session::start`].
    pub fn started(mut self) -> Self {
        self.is_started = true;
        self
    }

    /// With the memory divided otherwise.
    pub fn memory_plan(mut self, plan: MemoryPlan) -> Self {
        PLANS.make();
        self.plan = Some(plan);
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
        let plan = PLANS.choice(self.plan, MemoryPlan::AWS);
        if !plan.fits(len) {
            return Err(HandedBack { error: BuildError::Memory { len, plan }, value: self });
        }
        // The runner looks after the network and the channel.
        let Some((runner, [network, channel])) = self.notifications.source_and_silent() else {
            return Err(HandedBack { error: BuildError::TooManySources, value: self });
        };
        let Some(values) = self.memory.split_off(plan.values()) else {
            return Err(HandedBack { error: BuildError::Memory { len, plan }, value: self });
        };
        let receive_len = plan.fetch_receive();
        let Self { notifications, memory, id, profile, observer, policy, plan, subscriptions, is_started } =
            self;
        let channel = Channel::closed(channel, ChannelBuffers::of(memory, receive_len));
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
        Ok(Session::new(Machine::new(parts, network, channel), runner, is_started))
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
    /// The notification centre serves as many networks, channels and sessions as it can.
    TooManySources,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { len, plan } => write!(
                f,
                "{len} bytes cannot be divided into {} for values and, of the rest, once {} and once {} to receive, \
                 with 512 left to send; all are multiples of 512, and the values have 512 more than messages, and \
                 less than 65,536",
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
