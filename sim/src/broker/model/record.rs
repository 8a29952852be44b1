//! What a test can look at afterwards.

use std::time::Duration;

/// A publish that the broker accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Who published: the client id.
    pub client_id: Vec<u8>,
    /// The topic name.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The QoS that it was published with.
    pub qos: u8,
    /// Whether it was published with the retain flag.
    pub retain: bool,
    /// When the broker had it, since the kernel started.
    pub at: Duration,
}

/// A message of QoS 1 or 2 that a client acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledged {
    /// The broker's number for the message.
    pub delivery: u32,
    /// The topic name.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// When the broker had the first acknowledgement, since the kernel started.
    pub at: Duration,
    /// How often the message was sent before and after.
    pub deliveries: u32,
    /// How often it was acknowledged.
    pub acknowledgements: u32,
}

/// An attempt to connect, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectAttempt {
    /// The client id.
    pub client_id: Vec<u8>,
    /// When it reached the broker, since the kernel started.
    pub at: Duration,
    /// The `MvMqttRequestState`, if it was answered.
    pub state: Option<u32>,
    /// The reason code of the CONNACK, if it was answered.
    pub reason: Option<u32>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    pub received: Vec<Received>,
    pub acknowledged: Vec<Acknowledged>,
    pub attempts: Vec<ConnectAttempt>,
    pub complaints: Vec<String>,
}

impl Record {
    pub(super) fn complain(&mut self, client_id: &[u8], what: &str) {
        let complaint = format!("{}: {what}", String::from_utf8_lossy(client_id));
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }
}
