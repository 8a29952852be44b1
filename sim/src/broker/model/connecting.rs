//! How a connection comes about: name, socket, TLS, CONNECT, session.

use std::time::Duration;

use microvisor::sys;

use super::far_end::{FarEnd, Phase, disconnected};
use super::identity::Principal;
use super::reason;
use super::record::ConnectAttempt;
use super::script::ConnectAnswer;
use super::session::Session;
use super::topic;
use crate::broker::{BrokerEvent, ConnectRequest, LinkId, Protocol};

/// Why there is no session.
#[derive(Debug)]
struct Refusal {
    state: u32,
    reason: u32,
    what: String,
}

impl Refusal {
    /// The network or TLS fails.
    fn before_mqtt(state: u32, what: impl Into<String>) -> Self {
        Self { state, reason: 0, what: what.into() }
    }

    /// The broker answers with a CONNACK that refuses.
    fn by_connack(reason: u32, what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, reason, what: what.into() }
    }
}

impl FarEnd {
    pub(super) fn connect(&mut self, at: u64, link: LinkId, request: ConnectRequest) {
        let attempt = self.record.attempts.len();
        self.record.attempts.push(ConnectAttempt {
            client_id: request.client_id.clone(),
            at: Duration::from_micros(at),
            state: None,
            reason: None,
            resumed: false,
        });
        let protocol = request.protocol;
        let verdict = match self.script.connects.pop_front() {
            Some(ConnectAnswer::Silence) => return,
            Some(ConnectAnswer::Refuse { state, reason }) => {
                Err(Refusal { state, reason, what: String::new() })
            }
            None => self.judge(at, link, &request),
        };
        let (state, reason) = match verdict {
            Ok(()) => {
                self.record.attempts[attempt].resumed = self.begin_session(at, link, request);
                (sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, reason::SUCCESS)
            }
            Err(refusal) => {
                if !refusal.what.is_empty() {
                    self.complain(link, &format!("connect: {}", refusal.what));
                }
                if let Some(connection) = self.links.get_mut(&link) {
                    connection.phase = Phase::Ended;
                }
                (refusal.state, refusal.reason)
            }
        };
        let reason = reason::of_connack(protocol, reason);
        self.record.attempts[attempt].state = Some(state);
        self.record.attempts[attempt].reason = Some(reason);
        self.send_down(at, link, BrokerEvent::Connected { state, reason });
        if state == sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED && reason == reason::SUCCESS {
            self.resume_deliveries(at, link);
        }
    }

    /// Everything that has to be right, in the order in which a connection meets it.
    fn judge(&mut self, at: u64, link: LinkId, request: &ConnectRequest) -> Result<(), Refusal> {
        self.find_host(request)?;
        let principal = self.shake_hands(at, request)?;
        if let Some(connection) = self.links.get_mut(&link) {
            connection.principal = Some(principal);
        }
        self.check_client_id(link, request)?;
        self.check_user(request)?;
        self.check_will(request)?;
        self.check_connect_policy(link, request)?;
        let effective = self.settings.limits.effective_keep_alive(request.keep_alive);
        if request.keep_alive != 0 && effective != request.keep_alive {
            self.complain(
                link,
                &format!("connect: a keep-alive of {} s is taken as {effective} s", request.keep_alive),
            );
        }
        Ok(())
    }

    fn find_host(&self, request: &ConnectRequest) -> Result<(), Refusal> {
        let host = String::from_utf8_lossy(&request.host);
        if self.settings.host.as_ref().is_some_and(|own| !own.eq_ignore_ascii_case(&host)) {
            let what = format!("there is no host {host}");
            return Err(Refusal::before_mqtt(sys::MV_MQTTREQUESTSTATE_NXDOMAIN, what));
        }
        if self.settings.port.is_some_and(|own| own != request.port) {
            let what = format!("port {} is closed", request.port);
            return Err(Refusal::before_mqtt(sys::MV_MQTTREQUESTSTATE_SOCKETERROR, what));
        }
        Ok(())
    }

    fn shake_hands(&self, at: u64, request: &ConnectRequest) -> Result<Principal, Refusal> {
        let unix = self.unix_seconds(at);
        let host = String::from_utf8_lossy(&request.host);
        let credentials = request.credentials.as_ref();
        let ca = credentials.map_or(&[][..], |credentials| &credentials.ca);
        self.identities
            .check_server(&host, ca, unix)
            .and_then(|()| self.identities.check_client(credentials, unix))
            .map_err(|failure| Refusal::before_mqtt(failure.state, failure.what))
    }

    /// Checks the client id, and makes one up where none was given and the broker does that.
    fn check_client_id(&mut self, link: LinkId, request: &ConnectRequest) -> Result<(), Refusal> {
        let limits = &self.settings.limits;
        let id = &request.client_id;
        let invalid = |what: String| Err(Refusal::by_connack(reason::CLIENT_ID_NOT_VALID, what));
        if std::str::from_utf8(id).is_err() || id.contains(&0) {
            return invalid("the client id is not text that MQTT allows".into());
        }
        if id.len() > limits.client_id {
            return invalid(format!(
                "the client id has {} bytes, {} are allowed",
                id.len(),
                limits.client_id
            ));
        }
        if limits.reserved_topics && id.first() == Some(&b'$') {
            return invalid("the client id starts with $".into());
        }
        if id.is_empty() {
            if !limits.assigns_client_ids || (request.protocol == Protocol::V3_1_1 && !request.clean_start) {
                return invalid("the client id is empty".into());
            }
            self.made_up += 1;
            let made_up = format!("auto-{}", self.made_up);
            if let Some(connection) = self.links.get_mut(&link) {
                connection.client_id = made_up.into_bytes();
            }
        }
        Ok(())
    }

    fn check_user(&self, request: &ConnectRequest) -> Result<(), Refusal> {
        let users = &self.settings.users;
        if users.is_empty() || request.authentication.as_ref().is_some_and(|user| users.contains(user)) {
            return Ok(());
        }
        Err(Refusal::by_connack(
            reason::BAD_USER_NAME_OR_PASSWORD,
            "the user name and password are not known",
        ))
    }

    fn check_will(&self, request: &ConnectRequest) -> Result<(), Refusal> {
        let Some(will) = &request.will else { return Ok(()) };
        let limits = &self.settings.limits;
        if !topic::is_name(&will.topic) || limits.is_reserved(&will.topic) {
            return Err(Refusal::by_connack(
                reason::TOPIC_NAME_INVALID,
                "the will's topic is not one to publish to",
            ));
        }
        if let Some(excess) = limits.topic_excess(&will.topic) {
            return Err(Refusal::by_connack(reason::TOPIC_NAME_INVALID, format!("the will: {excess}")));
        }
        if will.qos > limits.qos {
            return Err(Refusal::by_connack(
                reason::QOS_NOT_SUPPORTED,
                format!("the will has QoS {}", will.qos),
            ));
        }
        if will.payload.len() > limits.payload {
            return Err(Refusal::by_connack(reason::PACKET_TOO_LARGE, "the will's payload is too large"));
        }
        Ok(())
    }

    fn check_connect_policy(&self, link: LinkId, request: &ConnectRequest) -> Result<(), Refusal> {
        let denied = |what: &str| Err(Refusal::by_connack(reason::NOT_AUTHORIZED, what));
        if !self.may(link, "iot:Connect", "client", &request.client_id) {
            return denied("the policy does not allow iot:Connect with this client id");
        }
        let Some(will) = &request.will else { return Ok(()) };
        if !self.may(link, "iot:Publish", "topic", &will.topic) {
            return denied("the policy does not allow iot:Publish to the will's topic");
        }
        if will.retain && !self.may(link, "iot:RetainPublish", "topic", &will.topic) {
            return denied("the policy does not allow iot:RetainPublish to the will's topic");
        }
        Ok(())
    }

    /// Puts the client's session on the link, an earlier one if there is any and it is wanted; says
    /// whether one was resumed. The link that the session was on is told.
    fn begin_session(&mut self, at: u64, link: LinkId, request: ConnectRequest) -> bool {
        let Some(connection) = self.links.get_mut(&link) else { return false };
        connection.will = request.will;
        let client_id = connection.client_id.clone();
        self.take_over(at, &client_id);
        if let Some(connection) = self.links.get_mut(&link) {
            connection.phase = Phase::Connected;
        }
        let gone = |session: &Session| request.clean_start || session.is_expired(at);
        if self.sessions.get(&client_id).is_some_and(gone) {
            self.sessions.remove(&client_id);
        }
        let resumed = self.sessions.contains_key(&client_id);
        let session = self.sessions.entry(client_id).or_default();
        session.link = Some(link);
        session.expires_at = None;
        session.persistent = !request.clean_start;
        resumed
    }

    /// Ends the connection that a client has, if any, because another one takes its place.
    pub(super) fn take_over(&mut self, at: u64, client_id: &[u8]) {
        let Some(old) = self.sessions.get(client_id).and_then(|session| session.link) else { return };
        let event = match self.links.get(&old).map(|connection| connection.protocol) {
            Some(Protocol::V5) => disconnected(reason::SESSION_TAKEN_OVER),
            _ => BrokerEvent::Closed { closure_reason: sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER },
        };
        self.end(at, old, event);
    }
}
