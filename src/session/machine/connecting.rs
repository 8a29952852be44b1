//! From the network to a session with the broker.

use core::mem;

use super::ending::{close_fetch, close_mqtt};
use super::{Leaving, Link, Machine, NEVER, Parts, Phase, Then};
use crate::config::{ConfigFetch, ConfigKey, Received};
use crate::mqtt::{Connected, MqttChannel};
use crate::session::SettingsError;
use crate::session::broker_profile::{BrokerProfile, SettingsSource};
use crate::session::duties::Duties;
use crate::session::event::{Event, Observer};
use crate::session::publishing::{PublishError, WhenOffline};
use crate::session::state::{Awaited, Cause, State};
use crate::session::values::{StoredValues, ValueReader};
use crate::{ChannelBuffers, CloseError, HandedBack, Network, NetworkStatus, Recovery, Status, Transition};

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    pub(super) fn look_for_network(&mut self) -> bool {
        if !self.wanted {
            self.stop();
            return true;
        }
        self.phase = Phase::Offline;
        let Some(network) = &self.network else {
            self.places.network = None;
            match Network::request(&self.parts.notifications) {
                Ok(network) => self.network = Some(network),
                Err(error) => self.back_off(Cause::Network(error)),
            }
            return true;
        };
        match network.status() {
            Ok(NetworkStatus::Connected) => self.begin(),
            Ok(_) => {
                self.due = self.patience();
                self.refuse_queued(PublishError::Offline, |when| matches!(when, WhenOffline::Fail));
                self.set_state(State::Offline);
                return false;
            }
            Err(error) => {
                if error.recovery() == Recovery::Reopen {
                    self.network = None;
                }
                self.back_off(Cause::Network(error));
            }
        }
        true
    }

    /// The network is there: what next?
    pub(super) fn begin(&mut self) {
        if self.settings.is_none() {
            match self.parts.profile.source() {
                SettingsSource::Known(settings) => self.settings = Some(settings),
                SettingsSource::Stored(keys) => return self.fetch(keys),
            }
        }
        self.connect();
    }

    /// The buffers, divided anew, and the network.
    pub(super) fn lend(&mut self, receive: usize) -> Option<(&Network, ChannelBuffers)> {
        let network = self.network.as_ref()?;
        let mut buffers = self.buffers.take()?;
        self.places.channel = None;
        // The plan was checked when the session was built.
        let _ = buffers.split_again(receive);
        Some((network, buffers))
    }

    pub(super) fn fetch(&mut self, keys: &'static [ConfigKey<'static>]) {
        self.set_state(State::FetchingSettings);
        let Some((network, buffers)) = self.lend(self.parts.plan.fetch_receive()) else {
            return self.back_off(NO_BUFFERS);
        };
        let opened = match ConfigFetch::open(network, buffers) {
            Ok(opened) => opened,
            Err(HandedBack { error, value }) => {
                self.buffers = Some(value);
                return self.back_off(Cause::Open(error));
            }
        };
        match opened.request(keys) {
            Ok(requested) => {
                self.phase = Phase::Fetching(requested);
                self.due = self.patience();
            }
            Err(HandedBack { error, value }) => {
                self.settle(close_fetch(value), Then::BackOff(Cause::Fetch(error)));
            }
        }
    }

    pub(super) fn attend_fetch(&mut self) -> bool {
        let Phase::Fetching(fetch) = mem::replace(&mut self.phase, Phase::Offline) else {
            return false;
        };
        match fetch.try_received() {
            Transition::Waiting(fetch) if !self.wanted => self.settle(close_fetch(fetch), Then::Stop),
            Transition::Waiting(fetch) if self.now >= self.due => {
                self.settle(close_fetch(fetch), Then::BackOff(Cause::NoAnswer(Awaited::Settings)));
            }
            Transition::Waiting(fetch) => {
                self.phase = Phase::Fetching(fetch);
                return false;
            }
            Transition::Done(received) => {
                let then = match self.read_settings(&received) {
                    Ok(()) => Then::Connect,
                    Err(error) => Then::BackOff(Cause::Settings(error)),
                };
                self.settle(close_fetch(received), then);
            }
            Transition::Failed(HandedBack { error, value }) => {
                self.settle(close_fetch(value), Then::BackOff(Cause::Fetch(error)));
            }
        }
        true
    }

    pub(super) fn read_settings(
        &mut self,
        received: &ConfigFetch<Received<'static>>,
    ) -> Result<(), SettingsError> {
        let Parts { profile, values, .. } = &mut self.parts;
        match profile.read(&mut ValueReader::new(received, values.bytes_mut())) {
            Ok(settings) => {
                self.settings = Some(settings);
                Ok(())
            }
            Err(error) => {
                self.forget_settings();
                Err(error)
            }
        }
    }

    pub(super) fn connect(&mut self) {
        self.set_state(State::Connecting);
        let Some((network, buffers)) = self.lend(self.parts.plan.mqtt_receive()) else {
            return self.back_off(NO_BUFFERS);
        };
        let opened = match MqttChannel::open(network, buffers) {
            Ok(opened) => opened,
            Err(HandedBack { error, value }) => {
                self.buffers = Some(value);
                return self.back_off(Cause::Open(error));
            }
        };
        let Self { settings: Some(settings), parts, .. } = self else {
            return self.settle(close_mqtt(opened), Then::Connect);
        };
        let Parts { id, profile, observer, values, .. } = parts;
        let mut requested = None;
        let made = profile.connect(id, settings, StoredValues::new(values.bytes()), |options| {
            observer.event(&Event::Connecting {
                host: options.host().as_str(),
                port: options.port().get(),
                client_id: options.client_id().as_str(),
            });
            requested = Some(opened.request_connect(options));
        });
        let failed = match (requested, made) {
            (Some(Ok(state)), _) => {
                self.phase = Phase::Connecting(opened.connecting(state));
                self.due = self.patience();
                return;
            }
            (Some(Err(error)), _) => Then::BackOff(Cause::Connect(error)),
            (None, Err(error)) => {
                self.forget_settings();
                Then::BackOff(Cause::Settings(error))
            }
            (None, Ok(())) => {
                self.forget_settings();
                Then::BackOff(Cause::Settings(NO_CONNECTION))
            }
        };
        self.settle(close_mqtt(opened), failed);
    }

    pub(super) fn attend_connect(&mut self, duties: &Duties) -> bool {
        let Phase::Connecting(connecting) = mem::replace(&mut self.phase, Phase::Offline) else {
            return false;
        };
        match connecting.try_connected() {
            Transition::Waiting(connecting) if !self.wanted => {
                self.settle(close_mqtt(connecting), Then::Stop);
            }
            Transition::Waiting(connecting) if self.now >= self.due => {
                self.settle(close_mqtt(connecting), Then::BackOff(Cause::NoAnswer(Awaited::Connect)));
            }
            Transition::Waiting(connecting) => {
                self.phase = Phase::Connecting(connecting);
                return false;
            }
            Transition::Done(channel) => self.enter_session(channel, duties),
            Transition::Failed(HandedBack { error, value }) => {
                self.settle(close_mqtt(value), Then::BackOff(Cause::Connect(error)));
            }
        }
        true
    }

    pub(super) fn enter_session(&mut self, channel: MqttChannel<Connected>, duties: &Duties) {
        let (session, handle) = channel.session();
        duties.begin(session, handle);
        self.failed_connects = 0;
        self.unread = 0;
        self.emptied_at = None;
        self.retry_at = NEVER;
        (self.full_since, self.owing_since) = (None, None);
        self.check_at = self.patience();
        self.due = self.check_at;
        self.phase = Phase::InSession(Link { channel, subscribed: 0, in_flight: None, leaving: Leaving::No });
        self.set_state(State::Subscribing);
    }
}

/// What a profile does wrong that neither makes a connection nor says why.
const NO_CONNECTION: SettingsError =
    SettingsError::Other { key: "profile", problem: "it made no connection of the settings" };
/// A machine has its buffers unless a channel has them.
const NO_BUFFERS: Cause = Cause::Close(CloseError(Status::INVALID_HANDLE));
