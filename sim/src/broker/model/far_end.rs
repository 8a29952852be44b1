//! The broker's state, and how packets get to it and from it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use microvisor::sys;

use super::builder::Denial;
use super::identity::{Identities, Principal};
use super::latency::{Latency, micros};
use super::policy::{self, Caller};
use super::record::Record;
use super::retained::Retained;
use super::schedule::{Due, Packet, Schedule};
use super::script::Script;
use super::session::Session;
use super::{Limits, reason};
use crate::broker::{BrokerEvent, LinkId, Now, Protocol, Will};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub limits: Limits,
    pub users: Vec<(Vec<u8>, Vec<u8>)>,
    pub region: String,
    pub account_id: String,
    pub denial: Denial,
    pub redelivery: Option<Duration>,
    pub session_expiry: Duration,
}

/// A connection, as the broker sees it.
#[derive(Debug)]
pub(super) struct Link {
    pub phase: Phase,
    pub protocol: Protocol,
    pub client_id: Vec<u8>,
    pub will: Option<Will>,
    pub principal: Option<Principal>,
    /// Times of the publishes of the last second.
    pub publishes: VecDeque<u64>,
    /// Publishes that were accepted and whose answers are still on their way.
    pub unanswered: VecDeque<u64>,
    /// Packets do not overtake each other: when the last one arrives, either way.
    last_up: u64,
    last_down: u64,
    /// The kernel wants no more events.
    deaf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Opening,
    Connected,
    Ended,
}

#[derive(Debug)]
pub(super) struct FarEnd {
    pub settings: Settings,
    pub identities: Identities,
    pub schedule: Schedule,
    pub links: BTreeMap<LinkId, Link>,
    pub sessions: BTreeMap<Vec<u8>, Session>,
    pub retained: Retained,
    pub script: Script,
    pub record: Record,
    /// The topic filters that other clients are subscribed to.
    pub observed: Vec<Vec<u8>>,
    pub delivery: u32,
    latency: Latency,
    /// Requests that arrived while the broker was silent.
    lying: Vec<(LinkId, Packet)>,
    last: Now,
    /// Whether there is a kernel.
    pub running: bool,
    /// The date, in microseconds since the Unix epoch, at which the kernel before ended.
    pub ended_at: Option<u64>,
    /// How many client ids were made up.
    pub made_up: u32,
}

impl FarEnd {
    pub(super) fn new(settings: Settings, identities: Identities, latency: Latency) -> Self {
        Self {
            settings,
            identities,
            schedule: Schedule::default(),
            links: BTreeMap::new(),
            sessions: BTreeMap::new(),
            retained: Retained::default(),
            script: Script::default(),
            record: Record::default(),
            observed: vec![b"#".to_vec()],
            delivery: 0,
            latency,
            lying: Vec::new(),
            last: Now { micros: 0, unix_micros: 0 },
            running: false,
            ended_at: None,
            made_up: 0,
        }
    }

    pub(super) fn see(&mut self, now: Now) {
        self.last = now;
    }

    /// The kernel's clocks when it last called.
    pub(super) fn last(&self) -> Now {
        self.last
    }

    /// The kernel's time when it last called.
    pub(super) fn last_seen(&self) -> u64 {
        self.last.micros
    }

    /// Seconds since the Unix epoch at a time of the kernel's clock.
    pub(super) fn unix_seconds(&self, at: u64) -> u64 {
        self.last.unix_micros.saturating_sub(self.last.micros).saturating_add(at) / 1_000_000
    }

    pub(super) fn open_link(&mut self, link: LinkId, protocol: Protocol, client_id: Vec<u8>) {
        let opened = Link {
            phase: Phase::Opening,
            protocol,
            client_id,
            will: None,
            principal: None,
            publishes: VecDeque::new(),
            unanswered: VecDeque::new(),
            last_up: 0,
            last_down: 0,
            deaf: false,
        };
        self.links.insert(link, opened);
    }

    /// Sends a packet of the device on its way, `round_trips` after some that TCP and TLS take.
    pub(super) fn send_up(&mut self, now: Now, link: LinkId, round_trips: u64, packet: Packet) {
        self.see(now);
        let delay = self.latency.next().saturating_mul(1 + 2 * round_trips);
        let Some(connection) = self.links.get_mut(&link) else { return };
        let at = (now.micros + delay).max(connection.last_up);
        connection.last_up = at;
        self.schedule.plan(at, Due::Arrival(link, packet));
    }

    /// The kernel wants no more events of this link.
    pub(super) fn deafen(&mut self, link: LinkId) {
        if let Some(connection) = self.links.get_mut(&link) {
            connection.deaf = true;
        }
        self.schedule.forget_events_of(link);
        self.script.held.retain(|(held, _)| *held != link);
    }

    /// A packet has arrived at the broker.
    pub(super) fn arrive(&mut self, at: u64, link: LinkId, packet: Packet) {
        if self.script.silent {
            self.lying.push((link, packet));
            return;
        }
        match packet {
            Packet::Connect(request) => self.connect(at, link, request),
            Packet::Gone => self.lose(at, link),
            packet => self.request(at, link, packet),
        }
    }

    /// Takes up what was left lying.
    pub(super) fn end_silence(&mut self) {
        self.script.silent = false;
        let at = self.last_seen();
        for (link, packet) in std::mem::take(&mut self.lying) {
            self.schedule.plan(at, Due::Arrival(link, packet));
        }
    }

    /// Forgets what was left lying.
    pub(super) fn forget_lying(&mut self) {
        self.lying.clear();
    }

    /// Sends an event to the device, behind those that were sent before.
    pub(super) fn send_down(&mut self, at: u64, link: LinkId, event: BrokerEvent) -> u64 {
        let delay = self.latency.next();
        let Some(connection) = self.links.get_mut(&link) else { return at };
        let arrival = (at + delay).max(connection.last_down);
        connection.last_down = arrival;
        if !connection.deaf {
            self.schedule.plan(arrival, Due::Event(link, event));
        }
        arrival
    }

    /// Sends the answer to a request, as the script has it; says when it arrives.
    pub(super) fn respond(&mut self, at: u64, link: LinkId, event: BrokerEvent) -> u64 {
        if self.script.swallow > 0 {
            self.script.swallow -= 1;
            return at;
        }
        if self.script.reorder > 0 {
            self.script.reorder -= 1;
            self.script.held.push((link, event));
            if self.script.reorder == 0 {
                self.release_held(at);
            }
            return at;
        }
        let delay = micros(self.script.response_delay);
        if delay == 0 {
            return self.send_down(at, link, event);
        }
        let arrival = at + delay + self.latency.next();
        if self.links.get(&link).is_some_and(|connection| !connection.deaf) {
            self.schedule.plan(arrival, Due::Event(link, event));
        }
        arrival
    }

    /// Sends the responses that were held back, the last one first.
    pub(super) fn release_held(&mut self, at: u64) {
        self.script.reorder = 0;
        for (link, event) in std::mem::take(&mut self.script.held).into_iter().rev() {
            self.send_down(at, link, event);
        }
    }

    pub(super) fn is_connected(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|connection| connection.phase == Phase::Connected)
    }

    pub(super) fn connected_links(&self) -> Vec<LinkId> {
        self.links.keys().copied().filter(|link| self.is_connected(*link)).collect()
    }

    pub(super) fn complain(&mut self, link: LinkId, what: &str) {
        let client_id =
            self.links.get(&link).map(|connection| connection.client_id.clone()).unwrap_or_default();
        self.record.complain(&client_id, what);
    }

    /// Whether the client's policies allow an action on a resource such as `topic/a`. Without
    /// policies everything is allowed.
    pub(super) fn may(&self, link: LinkId, action: &str, kind: &str, name: &[u8]) -> bool {
        let Some(connection) = self.links.get(&link) else { return false };
        let Some(principal) = &connection.principal else { return true };
        let Some(policies) = &principal.policies else { return true };
        let client_id = String::from_utf8_lossy(&connection.client_id);
        let thing_name = principal.thing_name.as_deref().filter(|name| *name == client_id);
        let Settings { region, account_id, .. } = &self.settings;
        let resource = format!("arn:aws:iot:{region}:{account_id}:{kind}/{}", String::from_utf8_lossy(name));
        policy::allows(policies, action, &resource, Caller { client_id: &client_id, thing_name })
    }

    /// Ends the connection for something that the client did.
    pub(super) fn punish(&mut self, at: u64, link: LinkId, reason: u32, what: &str) {
        self.complain(link, what);
        let protocol = self.links.get(&link).map(|connection| connection.protocol);
        let event = match (self.settings.denial, protocol) {
            // The policy's verdicts are silent at AWS; violations of MQTT 5 itself are not.
            (Denial::Drop(closure_reason), Some(Protocol::V5)) if reason == reason::NOT_AUTHORIZED => {
                BrokerEvent::Closed { closure_reason }
            }
            (_, Some(Protocol::V5)) => disconnected(reason),
            (Denial::Drop(closure_reason), _) => BrokerEvent::Closed { closure_reason },
            _ => BrokerEvent::Closed { closure_reason: sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER },
        };
        self.end(at, link, event);
    }

    /// Ends the connection from the broker's side.
    pub(super) fn end(&mut self, at: u64, link: LinkId, event: BrokerEvent) {
        self.send_down(at, link, event);
        self.lose(at, link);
    }

    /// The connection is over without a DISCONNECT of the client: its will is published.
    pub(super) fn lose(&mut self, at: u64, link: LinkId) {
        let Some(connection) = self.links.get_mut(&link) else { return };
        if connection.phase != Phase::Connected {
            connection.phase = Phase::Ended;
            return;
        }
        connection.phase = Phase::Ended;
        let client_id = connection.client_id.clone();
        let will = connection.will.take();
        self.detach(at, link, &client_id);
        if let Some(will) = will {
            self.publish_will(at, &client_id, will);
        }
    }

    /// Takes the session off the link that ended.
    pub(super) fn detach(&mut self, at: u64, link: LinkId, client_id: &[u8]) {
        self.schedule.forget_redeliveries_of(link);
        let Some(session) = self.sessions.get_mut(client_id) else { return };
        if session.link != Some(link) {
            return;
        }
        session.link = None;
        session.expires_at = Some(at.saturating_add(micros(self.settings.session_expiry)));
        if !session.persistent {
            self.sessions.remove(client_id);
        }
    }
}

/// An orderly end with this MQTT reason code.
pub(super) fn disconnected(reason: u32) -> BrokerEvent {
    BrokerEvent::Disconnected { state: sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, reason }
}
