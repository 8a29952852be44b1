//! What lies at the far end of the device's managed MQTT channels.
//!
//! The kernel model hands every MQTT request to a [`Broker`] and asks it for events when they are
//! due. Two brokers exist: a model with AWS IoT's rules, on virtual time, and a bridge to a real
//! broker, on real time.

use std::fmt;
use std::time::Duration;

pub mod model;

/// One connection attempt of the device's managed MQTT client, and the session that may follow.
///
/// A channel has one link in its life, and no two links of a process are the same, whatever device they
/// belong to: a link never comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// The time at the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Microseconds since the kernel started.
    pub micros: u64,
    /// Microseconds since the Unix epoch, whether or not the device knows the date.
    pub unix_micros: u64,
}

/// The MQTT version that a connect request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 3.1.1.
    V3_1_1,
    /// MQTT 5.
    V5,
}

/// A connect request, checked and copied by the kernel model.
#[derive(Clone)]
#[allow(missing_docs)] // The fields of MQTT's CONNECT, by MQTT's names.
pub struct ConnectRequest {
    pub protocol: Protocol,
    pub host: Vec<u8>,
    pub port: u16,
    pub client_id: Vec<u8>,
    /// User name and password.
    pub authentication: Option<(Vec<u8>, Vec<u8>)>,
    pub credentials: Option<TlsCredentials>,
    /// Seconds.
    pub keep_alive: u32,
    pub clean_start: bool,
    pub will: Option<Will>,
}

impl fmt::Debug for ConnectRequest {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authentication = self.authentication.as_ref().map(|(user, password)| {
            format!("{:?}, password of {} bytes, redacted", String::from_utf8_lossy(user), password.len())
        });
        f.debug_struct("ConnectRequest")
            .field("protocol", &self.protocol)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("client_id", &self.client_id)
            .field("authentication", &authentication)
            .field("credentials", &self.credentials)
            .field("keep_alive", &self.keep_alive)
            .field("clean_start", &self.clean_start)
            .field("will", &self.will)
            .finish()
    }
}

/// The TLS material of a connect request. Certificates are DER, the key PKCS#8 DER.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct TlsCredentials {
    /// Trusted instead of the public CAs, where not empty.
    pub ca: Vec<Vec<u8>>,
    pub chain: Vec<Vec<u8>>,
    pub key: Vec<u8>,
}

impl fmt::Debug for TlsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsCredentials")
            .field("ca", &self.ca.len())
            .field("chain", &self.chain.len())
            .field("key", &format_args!("{} bytes, redacted", self.key.len()))
            .finish()
    }
}

/// The message that the broker publishes when the session ends without a DISCONNECT.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Will {
    pub topic: Vec<u8>,
    pub payload: Vec<u8>,
    pub qos: u8,
    pub retain: bool,
}

/// One topic filter of a subscribe request.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Subscription {
    pub filter: Vec<u8>,
    pub qos: u8,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retain_handling: u8,
}

/// A publish request.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Publish {
    pub topic: Vec<u8>,
    pub payload: Vec<u8>,
    pub qos: u8,
    pub retain: bool,
}

/// Something that the far end tells the kernel about a link.
///
/// `state` is an `MvMqttRequestState`, `reason` an MQTT reason code.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum BrokerEvent {
    Connected {
        state: u32,
        reason: u32,
    },
    Subscribed {
        correlation_id: u32,
        state: u32,
        reasons: Vec<u32>,
    },
    Unsubscribed {
        correlation_id: u32,
        state: u32,
        reasons: Vec<u32>,
    },
    Published {
        correlation_id: u32,
        state: u32,
        reason: u32,
    },
    /// A message for the device. `delivery` is the broker's own number for it; the kernel gives it
    /// back in [`Broker::acknowledge`].
    Message {
        delivery: u32,
        topic: Vec<u8>,
        payload: Vec<u8>,
        qos: u8,
        retain: bool,
    },
    /// The session ended in an orderly way: an answer to a disconnect request, or the broker's own
    /// DISCONNECT.
    Disconnected {
        state: u32,
        reason: u32,
    },
    /// The connection is gone without a DISCONNECT; the kernel closes the channel for this
    /// `MvClosureReason`.
    Closed {
        closure_reason: u32,
    },
}

/// The far end of managed MQTT channels.
///
/// Requests return at once; what comes of them is an event. The kernel calls `take_event` whenever
/// `next_event_at` is due, and no event of a link is wanted after `abandon`.
pub trait Broker {
    /// The device connects.
    fn connect(&mut self, now: Now, link: LinkId, request: ConnectRequest);
    /// The device subscribes to 1 to 8 filters.
    fn subscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, subscriptions: Vec<Subscription>);
    /// The device unsubscribes from 1 to 8 filters.
    fn unsubscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, filters: Vec<Vec<u8>>);
    /// The device publishes.
    fn publish(&mut self, now: Now, link: LinkId, correlation_id: u32, publish: Publish);
    /// The device has dealt with a message of QoS 1 or 2.
    fn acknowledge(&mut self, now: Now, link: LinkId, delivery: u32);
    /// The device asks for an orderly end.
    fn disconnect(&mut self, now: Now, link: LinkId);
    /// The channel is closed, or the network is gone: an end without a DISCONNECT, if there was none.
    fn abandon(&mut self, now: Now, link: LinkId);
    /// A kernel starts, and its clock with it at 0. For brokers that outlive a kernel.
    fn kernel_starts(&mut self, now: Now) {
        let _ = now;
    }
    /// The kernel ends; its links were abandoned before. The next calls may come from another kernel.
    fn kernel_ends(&mut self, now: Now) {
        let _ = now;
    }
    /// When the next event is due, in microseconds since the kernel started.
    fn next_event_at(&self) -> Option<u64>;
    /// The next event that is due at `now`.
    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)>;

    /// Whether the far end lives in real time, so that the kernel's clock has to as well.
    fn is_real_time(&self) -> bool {
        false
    }

    /// Waits in real time until there may be an event, `timeout` at most. Only for real-time brokers.
    fn wait(&mut self, timeout: Duration) {
        std::thread::sleep(timeout);
    }
}
