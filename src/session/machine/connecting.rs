//! From the network to a session with the broker.

use super::{Machine, NEVER, Parts, Phase, Then};
use crate::NetworkError;
use crate::channel::ChannelType;
use crate::config::Answer;
use crate::session::SettingsError;
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::{Event, Observer};
use crate::session::publishing::Verdict;
use crate::session::state::{Awaited, Cause, State};
use crate::session::values::{StoredValues, ValueReader};

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    pub(super) fn look_for_network(&mut self, duties: &Duties) -> bool {
        if Self::is_ending(duties) {
            self.stop(duties);
            return true;
        }
        self.phase = Phase::Offline;
        match self.network.is_connected() {
            Ok(true) => self.begin(duties),
            Ok(false) => {
                self.be_patient();
                self.refuse_queued(Verdict::Offline);
                self.set_state(State::Offline, duties);
                return false;
            }
            Err(status) => {
                // Another handle, should this one be forgotten.
                self.network.withdraw();
                self.fault(Cause::Network(NetworkError::Kernel(status)), duties);
            }
        }
        true
    }

    /// The network is there: opens the channel, with its memory divided for what it is to do, and asks for the
    /// settings, or with them for a session with the broker.
    #[inline(never)]
    fn begin(&mut self, duties: &Duties) {
        if P::KEYS.is_empty() && self.settings.is_none() && !self.read() {
            return self.leave(Then::BackOff, duties);
        }
        let plan = self.parts.plan();
        let (phase, state, channel_type, receive_len) = if self.settings.is_none() {
            (Phase::Fetching, State::FetchingSettings, ChannelType::ConfigFetch, plan.fetch_receive())
        } else {
            (Phase::Connecting, State::Connecting, ChannelType::Mqtt, plan.mqtt_receive())
        };
        self.set_state(state, duties);
        self.channel.divide(receive_len);
        if self.ask(channel_type) {
            self.phase = phase;
            self.be_patient();
        } else {
            self.leave(Then::BackOff, duties);
        }
    }

    /// Whether it worked out; otherwise the machine's `cause` says what did not.
    fn ask(&mut self, channel_type: ChannelType) -> bool {
        let Self { settings, parts, network, channel, connected_with, cause, .. } = self;
        let Parts { id, profile, observer, values, .. } = parts;
        if let Err(error) = channel.try_open(network, channel_type) {
            *cause = Cause::Open(error);
            return false;
        }
        let Some(settings) = settings else {
            let sent = channel.send_fetch(P::KEYS);
            if let Err(error) = sent {
                *cause = Cause::Fetch(error);
            }
            return sent.is_ok();
        };
        let mut requested = None;
        let made = profile.connect(id, settings, StoredValues::new(values.bytes()), |options| {
            observer.event(&Event::Connecting {
                host: options.host(),
                port: options.port().get(),
                client_id: options.client_id().as_str(),
            });
            let limits = if let Some((_, limits)) = P::ALWAYS {
                limits
            } else {
                *connected_with = Some((options.version(), options.limits()));
                options.limits()
            };
            requested = Some(channel.send_connect(options, limits));
        });
        match requested {
            Some(Ok(())) => return true,
            Some(Err(error)) => *cause = Cause::Connect(error),
            None => {
                *cause = Cause::Settings(made.err().unwrap_or(NO_CONNECTION));
                self.forget_settings();
            }
        }
        false
    }

    /// Looks for the response to the config fetch, or for the broker's answer.
    #[inline(never)]
    pub(super) fn attend_answer(&mut self, duties: &Duties) -> bool {
        let fetches = self.phase == Phase::Fetching;
        let answer = if fetches {
            self.channel.read_fetch_result(P::KEYS.len()).map(|result| result.map_err(Cause::Fetch))
        } else {
            self.channel.read_connect_answer(self.version()).map(|result| result.map_err(Cause::Connect))
        };
        match answer {
            Some(Ok(())) if fetches => self.read_settings(duties),
            Some(Ok(())) => self.enter_session(duties),
            Some(Err(cause)) => self.fault(cause, duties),
            None if Self::is_ending(duties) => self.leave(Then::Stop, duties),
            None if self.now >= self.due => {
                let awaited = if fetches { Awaited::Settings } else { Awaited::Connect };
                self.fault(Cause::NoAnswer(awaited), duties);
            }
            None => return false,
        }
        true
    }

    #[inline(never)]
    fn read_settings(&mut self, duties: &Duties) {
        let then = if self.read() { Then::Connect } else { Then::BackOff };
        self.leave(then, duties);
    }

    /// Reads the settings; `false`, if they are not what they should be, for the machine's `cause`.
    fn read(&mut self) -> bool {
        let Self { parts, channel, settings, cause, .. } = self;
        let answer = Answer { channel, keys: P::KEYS };
        let mut reader = ValueReader::new(answer, parts.values.bytes_mut(), cause);
        *settings = Some(parts.profile.read(&mut reader));
        let is_read = !reader.has_failed();
        if !is_read {
            self.forget_settings();
        }
        is_read
    }

    fn enter_session(&mut self, duties: &Duties) {
        duties.begin(self.channel.handle());
        self.failed_connects = 0;
        self.unread = 0;
        self.look_again(duties);
        self.unsubscribed = self.parts.subscriptions;
        self.in_flight = None;
        self.full_since = NEVER;
        self.phase = Phase::InSession;
        self.be_patient();
        self.set_state(State::Subscribing, duties);
    }
}

/// What a profile does wrong that neither makes a connection nor says why.
const NO_CONNECTION: SettingsError =
    SettingsError::Other { key: "profile", problem: "it made no connection of the settings" };
