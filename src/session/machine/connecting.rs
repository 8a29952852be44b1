//! From the network to a session with the broker.

use super::{Leaving, Machine, NEVER, NOTHING, Parts, Phase, Then};
use crate::channel::ChannelType;
use crate::config::Answer;
use crate::session::SettingsError;
use crate::session::broker_profile::{BrokerProfile, SettingsSource};
use crate::session::duties::Duties;
use crate::session::event::{Event, Observer};
use crate::session::publishing::Verdict;
use crate::session::state::{Awaited, Cause, State};
use crate::session::values::{StoredValues, ValueReader};
use crate::{NetworkError, NetworkStatus, Recovery};

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    pub(super) fn look_for_network(&mut self, duties: &Duties) -> bool {
        if !self.wanted {
            self.stop(duties);
            return true;
        }
        self.phase = Phase::Offline;
        let status =
            self.network.request_again().map_err(NetworkError::Kernel).and_then(|()| self.network.status());
        match status {
            Ok(NetworkStatus::Connected) => self.begin(duties),
            Ok(_) => {
                self.due = self.patience();
                self.refuse_queued(Verdict::Offline);
                self.set_state(State::Offline, duties);
                return false;
            }
            Err(error) => {
                if error.recovery() == Recovery::Reopen {
                    self.network.withdraw();
                }
                self.fault(Cause::Network(error), duties);
            }
        }
        true
    }

    /// The network is there: what next?
    fn begin(&mut self, duties: &Duties) {
        if self.settings.is_none() {
            match self.parts.profile.source() {
                SettingsSource::Known(settings) => self.settings = Some(settings),
                SettingsSource::Stored(keys) => {
                    self.keys = keys;
                    return self.fetch(duties);
                }
            }
        }
        self.connect(duties);
    }

    /// Opens the channel, with its memory divided for what it is to do. Whether that worked out.
    fn open(&mut self, channel_type: ChannelType, receive_len: usize, duties: &Duties) -> bool {
        self.channel.divide(receive_len);
        match self.channel.try_open(&self.network, channel_type) {
            Ok(()) => true,
            Err(error) => {
                self.fault(Cause::Open(error), duties);
                false
            }
        }
    }

    fn fetch(&mut self, duties: &Duties) {
        self.set_state(State::FetchingSettings, duties);
        if !self.open(ChannelType::ConfigFetch, self.parts.plan.fetch_receive(), duties) {
            return;
        }
        match self.channel.send_fetch(self.keys) {
            Ok(()) => {
                self.phase = Phase::Fetching;
                self.due = self.patience();
            }
            Err(error) => self.fault(Cause::Fetch(error), duties),
        }
    }

    pub(super) fn attend_fetch(&mut self, duties: &Duties) -> bool {
        match self.channel.read_fetch_result(self.keys.len()) {
            Some(Ok(())) => self.read_settings(duties),
            Some(Err(error)) => self.fault(Cause::Fetch(error), duties),
            None => return self.wait_on(Awaited::Settings, duties),
        }
        true
    }

    /// The far end has not answered. Whether it is given up.
    fn wait_on(&mut self, awaited: Awaited, duties: &Duties) -> bool {
        if !self.wanted {
            self.leave(Then::Stop, duties);
        } else if self.now >= self.due {
            self.fault(Cause::NoAnswer(awaited), duties);
        } else {
            return false;
        }
        true
    }

    #[inline(never)]
    fn read_settings(&mut self, duties: &Duties) {
        let Parts { profile, values, .. } = &mut self.parts;
        let answer = Answer { channel: &self.channel, keys: self.keys };
        match profile.read(&mut ValueReader::new(answer, values.bytes_mut())) {
            Ok(settings) => {
                self.settings = Some(settings);
                self.leave(Then::Connect, duties);
            }
            Err(error) => {
                self.forget_settings();
                self.fault(Cause::Settings(error), duties);
            }
        }
    }

    #[inline(never)]
    fn connect(&mut self, duties: &Duties) {
        self.set_state(State::Connecting, duties);
        if !self.open(ChannelType::Mqtt, self.parts.plan.mqtt_receive(), duties) {
            return;
        }
        let Self { settings: Some(settings), parts, channel, version, limits, .. } = self else {
            // Who comes here has settings.
            return self.leave(Then::Connect, duties);
        };
        let Parts { id, profile, observer, values, .. } = parts;
        let mut requested = None;
        let made = profile.connect(id, settings, StoredValues::new(values.bytes()), |options| {
            observer.event(&Event::Connecting {
                host: options.host(),
                port: options.port().get(),
                client_id: options.client_id().as_str(),
            });
            (*version, *limits) = (options.version(), options.limits());
            requested = Some(channel.send_connect(options));
        });
        let cause = match (requested, made) {
            (Some(Ok(())), _) => {
                self.phase = Phase::Connecting;
                self.due = self.patience();
                return;
            }
            (Some(Err(error)), _) => Cause::Connect(error),
            (None, made) => {
                self.forget_settings();
                Cause::Settings(made.err().unwrap_or(NO_CONNECTION))
            }
        };
        self.fault(cause, duties);
    }

    #[inline(never)]
    pub(super) fn attend_connect(&mut self, duties: &Duties) -> bool {
        match self.channel.read_connect_answer(self.version) {
            Some(Ok(())) => self.enter_session(duties),
            Some(Err(error)) => self.fault(Cause::Connect(error), duties),
            None => return self.wait_on(Awaited::Connect, duties),
        }
        true
    }

    fn enter_session(&mut self, duties: &Duties) {
        duties.begin(self.channel.handle());
        self.failed_connects = 0;
        self.unread = 0;
        self.head = NOTHING;
        self.look_again(duties);
        self.subscribed = 0;
        self.in_flight = None;
        self.leaving = Leaving::No;
        self.retry_at = NEVER;
        self.full_since = NEVER;
        self.owing_since = NEVER;
        self.check_at = self.patience();
        self.due = self.check_at;
        self.phase = Phase::InSession;
        self.set_state(State::Subscribing, duties);
    }
}

/// What a profile does wrong that neither makes a connection nor says why.
const NO_CONNECTION: SettingsError =
    SettingsError::Other { key: "profile", problem: "it made no connection of the settings" };
