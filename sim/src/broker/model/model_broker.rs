//! The handle of the model broker: what the kernel calls, and what a test does with it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use microvisor::sys;

use super::builder::ModelBrokerBuilder;
use super::far_end::{FarEnd, disconnected};
use super::latency::micros;
use super::schedule::{Due, Packet};
use super::script::{ConnectAnswer, PublishAnswer};
use super::{Acknowledged, ConnectAttempt, Message, Received, Thing};
use crate::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};

/// A model of an MQTT broker on virtual time. Clones are handles of the same broker.
///
/// It can outlive the device and serve the next one, as after a reboot. Times since the kernel started
/// are those of the kernel that runs, or of the next one while none does; what was planned for an
/// earlier kernel comes as much later as was left of the wait. Sessions age by the date, if that has
/// moved on when the next kernel starts.
///
/// The device's end is the [`Broker`] trait. Everything else is a test's: the operator at the far
/// end who publishes commands and sees telemetry, and the ways in which a broker can misbehave. All
/// of it works while the device runs.
///
/// ```
/// use std::time::Duration;
/// use microvisor_sim::broker::model::ModelBroker;
///
/// let broker = ModelBroker::open().host("broker.example").port(8883).build();
/// broker.publish_at(Duration::from_secs(5), "command/device/all", "restart", 1);
/// broker.at(Duration::from_secs(9), |broker| broker.drop_connection());
/// assert!(broker.received().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct ModelBroker(Rc<RefCell<FarEnd>>);

impl ModelBroker {
    /// A broker with AWS IoT's rules and limits. Clients have to show a certificate that is
    /// registered, or whose CA is; until the builder is told of any, none is let in.
    pub fn aws_iot() -> ModelBrokerBuilder {
        ModelBrokerBuilder::aws_iot()
    }

    /// A plain broker: any client, any topic, QoS 0 to 2.
    pub fn open() -> ModelBrokerBuilder {
        ModelBrokerBuilder::open()
    }

    pub(super) fn of(far_end: FarEnd) -> Self {
        Self(Rc::new(RefCell::new(far_end)))
    }

    // The operator.

    /// The operator publishes now.
    pub fn publish(&self, topic: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>, qos: u8) {
        self.operator_publishes(None, topic.into(), payload.into(), qos, false);
    }

    /// The operator publishes at a time since the kernel started.
    pub fn publish_at(&self, at: Duration, topic: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>, qos: u8) {
        self.operator_publishes(Some(at), topic.into(), payload.into(), qos, false);
    }

    /// The operator publishes a message that the broker keeps for later subscribers; an empty
    /// payload removes it.
    pub fn publish_retained(&self, topic: impl Into<Vec<u8>>, payload: impl Into<Vec<u8>>, qos: u8) {
        self.operator_publishes(None, topic.into(), payload.into(), qos, true);
    }

    fn operator_publishes(
        &self,
        at: Option<Duration>,
        topic: Vec<u8>,
        payload: Vec<u8>,
        qos: u8,
        retain: bool,
    ) {
        let mut far_end = self.0.borrow_mut();
        let at = at.map_or(far_end.last_seen(), micros);
        far_end.schedule.plan(at, Due::Operator(Message { topic, payload, qos, retain }));
    }

    /// Sets what the operator and other clients are subscribed to, by default everything (`#`). A
    /// publish that neither they nor a device subscribed to is answered with 0x10.
    pub fn observe(&self, filters: &[&str]) {
        self.0.borrow_mut().observed = filters.iter().map(|filter| filter.as_bytes().to_vec()).collect();
    }

    /// Runs `action` at a time since the kernel started. It can do with the broker what a test can;
    /// what it wants of the device belongs into an action of the device.
    pub fn at(&self, at: Duration, action: impl FnOnce(&Self) + 'static) {
        self.0.borrow_mut().schedule.plan(micros(at), Due::Action(Box::new(action)));
    }

    // What was seen.

    /// The publishes that the broker accepted, wills included.
    pub fn received(&self) -> Vec<Received> {
        self.received_since(0)
    }

    /// The same without the first `seen`, for whoever looks again and again.
    pub fn received_since(&self, seen: usize) -> Vec<Received> {
        self.0.borrow().record.received.get(seen..).unwrap_or_default().to_vec()
    }

    /// The messages of QoS 1 and 2 that were acknowledged.
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.0.borrow().record.acknowledged.clone()
    }

    /// Whether every message of QoS 1 and 2 that was sent has been acknowledged, each as often as it
    /// was sent or less, and none is waiting.
    pub fn all_acknowledged(&self) -> bool {
        let far_end = self.0.borrow();
        far_end
            .sessions
            .values()
            .all(|session| session.unacknowledged.is_empty() && session.waiting.is_empty())
            && far_end
                .record
                .acknowledged
                .iter()
                .all(|message| message.acknowledgements <= message.deliveries)
    }

    /// The payloads that were sent and are not acknowledged, over all sessions.
    pub fn unacknowledged(&self) -> Vec<Vec<u8>> {
        let far_end = self.0.borrow();
        let outgoing = far_end.sessions.values().flat_map(|session| session.unacknowledged.values());
        outgoing.map(|outgoing| outgoing.message.payload.clone()).collect()
    }

    /// The attempts to connect.
    pub fn connect_attempts(&self) -> Vec<ConnectAttempt> {
        self.0.borrow().record.attempts.clone()
    }

    /// What clients did that the broker objected to, each once, with the client id in front.
    pub fn complaints(&self) -> Vec<String> {
        self.0.borrow().record.complaints.clone()
    }

    /// Whether a client with this id is connected.
    pub fn is_connected(&self, client_id: &str) -> bool {
        let far_end = self.0.borrow();
        far_end.sessions.get(client_id.as_bytes()).is_some_and(|session| session.link.is_some())
    }

    /// The topic filters that a client's session is subscribed to, with the granted QoS.
    pub fn subscriptions(&self, client_id: &str) -> Vec<(String, u8)> {
        let far_end = self.0.borrow();
        let session = far_end.sessions.get(client_id.as_bytes());
        let subscriptions = session.into_iter().flat_map(|session| session.subscriptions.values());
        subscriptions
            .map(|wanted| (String::from_utf8_lossy(&wanted.filter).into_owned(), wanted.qos))
            .collect()
    }

    /// The payload of the retained message of a topic.
    pub fn retained(&self, topic: &str) -> Option<Vec<u8>> {
        self.0.borrow().retained.get(topic.as_bytes()).map(|message| message.payload.clone())
    }

    // What can go wrong.

    /// Refuses the next connection that is not refused yet: with an `MvMqttRequestState` for a
    /// failure of network or TLS, or with state 0 and a CONNACK reason code.
    pub fn refuse_connect(&self, state: u32, reason: u32) {
        self.0.borrow_mut().script.connects.push_back(ConnectAnswer::Refuse { state, reason });
    }

    /// Leaves the next connection that is not refused yet without an answer.
    pub fn silent_connect(&self) {
        self.0.borrow_mut().script.connects.push_back(ConnectAnswer::Silence);
    }

    /// Takes connections as they deserve again: forgets the refusals and silences that are left.
    pub fn end_refusals(&self) {
        self.0.borrow_mut().script.connects.clear();
    }

    /// Ends all connections with a DISCONNECT of this reason; those of MQTT 3.1.1 are closed.
    pub fn disconnect_client(&self, reason: u32) {
        let mut far_end = self.0.borrow_mut();
        let at = far_end.last_seen();
        for link in far_end.connected_links() {
            far_end.end(at, link, disconnected(reason));
        }
    }

    /// Cuts all connections; the channels close with `CONNECTIONTERMINATED`.
    pub fn drop_connection(&self) {
        self.drop_connection_because(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
    }

    /// Cuts all connections; the channels close with this `MvClosureReason`.
    pub fn drop_connection_because(&self, closure_reason: u32) {
        let mut far_end = self.0.borrow_mut();
        let at = far_end.last_seen();
        for link in far_end.connected_links() {
            far_end.cut(at, link, closure_reason);
        }
    }

    /// Another client connects with this client id, which ends the connection of the one that has it.
    pub fn take_over(&self, client_id: &str) {
        let mut far_end = self.0.borrow_mut();
        let at = far_end.last_seen();
        far_end.take_over(at, client_id.as_bytes());
    }

    /// Leaves all requests that arrive from now on lying, until [`ModelBroker::end_silence`].
    pub fn fall_silent(&self) {
        self.0.borrow_mut().script.silent = true;
    }

    /// Deals with the requests that were left lying, and with all that follow.
    pub fn end_silence(&self) {
        self.0.borrow_mut().end_silence();
    }

    /// Answers the next publish with this reason code. It is carried out if that is a success.
    pub fn answer_publish(&self, reason: u32) {
        self.answer_publish_with(sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, reason);
    }

    /// Answers the next publish with this `MvMqttRequestState` and reason code.
    pub fn answer_publish_with(&self, state: u32, reason: u32) {
        self.0.borrow_mut().script.publishes.push_back(PublishAnswer::Answer { state, reason });
    }

    /// Carries the next publish out, and cuts the connection before it is answered.
    pub fn cut_after_publish(&self) {
        self.0.borrow_mut().script.publishes.push_back(PublishAnswer::CutAfterwards);
    }

    /// Loses the next publish along with the connection.
    pub fn cut_before_publish(&self) {
        self.0.borrow_mut().script.publishes.push_back(PublishAnswer::CutBefore);
    }

    /// Answers the next subscribe with these codes, by filter: above 2 a refusal, else the most that
    /// is granted.
    pub fn answer_subscribe(&self, reasons: &[u32]) {
        self.answer_subscribe_with(sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, reasons);
    }

    /// Answers the next subscribe with this `MvMqttRequestState`; nothing is subscribed unless it is 0.
    pub fn answer_subscribe_with(&self, state: u32, reasons: &[u32]) {
        self.0.borrow_mut().script.subscribes.push_back((state, reasons.to_vec()));
    }

    /// Answers the next unsubscribe with this `MvMqttRequestState` and these codes; filters with a
    /// code of 0x80 or above stay subscribed.
    pub fn answer_unsubscribe_with(&self, state: u32, reasons: &[u32]) {
        self.0.borrow_mut().script.unsubscribes.push_back((state, reasons.to_vec()));
    }

    /// Holds back the next `count` answers to publishes, subscribes and unsubscribes, then sends
    /// them in reverse.
    pub fn reverse_responses(&self, count: usize) {
        self.0.borrow_mut().script.reorder = count;
    }

    /// Sends the answers that are held back although there are fewer than were waited for.
    pub fn release_responses(&self) {
        let mut far_end = self.0.borrow_mut();
        let at = far_end.last_seen();
        far_end.release_held(at);
    }

    /// Sends every answer to a publish, subscribe or unsubscribe this much later, from now on.
    /// Messages overtake them.
    pub fn delay_responses(&self, delay: Duration) {
        self.0.borrow_mut().script.response_delay = delay;
    }

    /// Loses the next `count` answers to publishes, subscribes and unsubscribes.
    pub fn lose_responses(&self, count: usize) {
        self.0.borrow_mut().script.swallow = count;
    }

    /// Delivers each of the next `count` messages of QoS 1 or 2 twice.
    pub fn duplicate_deliveries(&self, count: usize) {
        self.0.borrow_mut().script.duplicates = count;
    }

    /// Registers a DER client certificate and attaches it to `thing`.
    pub fn register_certificate(&self, der: impl Into<Vec<u8>>, thing: Thing) {
        self.0.borrow_mut().identities.registered.push((der.into(), thing));
    }

    /// Makes a registered certificate unknown again; a connection that stands is not affected.
    pub fn revoke_certificate(&self, der: &[u8]) {
        self.0.borrow_mut().identities.registered.retain(|(known, _)| known != der);
    }

    fn send_up(&self, now: Now, link: LinkId, packet: Packet) {
        self.0.borrow_mut().send_up(now, link, 0, packet);
    }
}

/// Round trips of TCP and TLS before the CONNECT goes out.
const HANDSHAKE_ROUND_TRIPS: u64 = 2;

impl Broker for ModelBroker {
    fn connect(&mut self, now: Now, link: LinkId, request: ConnectRequest) {
        let mut far_end = self.0.borrow_mut();
        far_end.open_link(link, request.protocol, request.client_id.clone());
        far_end.send_up(now, link, HANDSHAKE_ROUND_TRIPS, Packet::Connect(request));
    }

    fn subscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, subscriptions: Vec<Subscription>) {
        self.send_up(now, link, Packet::Subscribe { correlation_id, subscriptions });
    }

    fn unsubscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, filters: Vec<Vec<u8>>) {
        self.send_up(now, link, Packet::Unsubscribe { correlation_id, filters });
    }

    fn publish(&mut self, now: Now, link: LinkId, correlation_id: u32, publish: Publish) {
        self.send_up(now, link, Packet::Publish { correlation_id, publish });
    }

    fn acknowledge(&mut self, now: Now, link: LinkId, delivery: u32) {
        self.send_up(now, link, Packet::Acknowledge { delivery });
    }

    fn disconnect(&mut self, now: Now, link: LinkId) {
        self.send_up(now, link, Packet::Disconnect);
    }

    fn abandon(&mut self, now: Now, link: LinkId) {
        self.send_up(now, link, Packet::Gone);
        self.0.borrow_mut().deafen(link);
    }

    fn kernel_starts(&mut self, now: Now) {
        self.0.borrow_mut().kernel_starts(now);
    }

    fn kernel_ends(&mut self, now: Now) {
        self.0.borrow_mut().kernel_ends(now);
    }

    fn next_event_at(&self) -> Option<u64> {
        self.0.borrow().schedule.next_at()
    }

    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)> {
        self.0.borrow_mut().see(now);
        loop {
            // The borrow ends here, so that an action can use the handle.
            let (at, due) = self.0.borrow_mut().schedule.take_due(now.micros)?;
            match due {
                Due::Event(link, event) => return Some((link, event)),
                Due::Action(action) => action(self),
                Due::Arrival(link, packet) => self.0.borrow_mut().arrive(at, link, packet),
                Due::Redelivery { link, client_id, delivery } => {
                    self.0.borrow_mut().redeliver(at, link, &client_id, delivery);
                }
                Due::Operator(message) => {
                    self.0.borrow_mut().route(at, None, &message);
                }
            }
        }
    }
}
