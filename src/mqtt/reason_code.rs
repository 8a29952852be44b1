//! What a broker answered.

use core::convert::identity;
use core::fmt;

use super::QoS;
use crate::code::code;

code! {
    /// A reason code (MQTT 5 §2.4). Up to 0x7F they are successes of some kind.
    ///
    /// The code alone does not tell which packet it is from, so where MQTT has several names for one
    /// (0x00 is also "granted QoS 0" and "normal disconnection"), there is one here. Every `u32` is one.
    pub struct ReasonCode(u32): identity, identity;

    /// Success; also normal disconnection, and granted QoS 0.
    SUCCESS = 0x00, "success";
    /// The subscription was granted with QoS 1 at most.
    GRANTED_QOS_1 = 0x01, "granted QoS 1";
    /// The subscription was granted with QoS 2 at most.
    GRANTED_QOS_2 = 0x02, "granted QoS 2";
    /// The client leaves, and wants its will published.
    DISCONNECT_WITH_WILL = 0x04, "disconnected, will to be published";
    /// The message was accepted, and nobody is subscribed to it.
    NO_MATCHING_SUBSCRIBERS = 0x10, "no matching subscribers";
    /// There was no such subscription to end.
    NO_SUBSCRIPTION_EXISTED = 0x11, "no subscription existed";
    /// The authentication goes on with another step.
    CONTINUE_AUTHENTICATION = 0x18, "continue authentication";
    /// The client starts another authentication.
    RE_AUTHENTICATE = 0x19, "re-authenticate";
    /// Failed, and the broker does not say why.
    UNSPECIFIED_ERROR = 0x80, "unspecified error";
    /// A packet could not be parsed.
    MALFORMED_PACKET = 0x81, "malformed packet";
    /// A packet is not allowed in that place or form.
    PROTOCOL_ERROR = 0x82, "protocol error";
    /// Valid, but not something that this broker does.
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83, "refused for a reason of the broker's own";
    /// The broker does not speak that MQTT version.
    UNSUPPORTED_PROTOCOL_VERSION = 0x84, "unsupported protocol version";
    /// The broker does not take that client id.
    CLIENT_IDENTIFIER_NOT_VALID = 0x85, "client identifier not valid";
    /// The user name or the password is wrong.
    BAD_USER_NAME_OR_PASSWORD = 0x86, "bad user name or password";
    /// The client may not do that.
    NOT_AUTHORIZED = 0x87, "not authorized";
    /// The broker is not available.
    SERVER_UNAVAILABLE = 0x88, "server unavailable";
    /// The broker has too much to do: try later.
    SERVER_BUSY = 0x89, "server busy";
    /// The client is banned.
    BANNED = 0x8A, "banned";
    /// The broker is shutting down.
    SERVER_SHUTTING_DOWN = 0x8B, "server shutting down";
    /// The authentication method is not supported, or not the one agreed upon.
    BAD_AUTHENTICATION_METHOD = 0x8C, "bad authentication method";
    /// Nothing came from the client for one and a half keep-alive times.
    KEEP_ALIVE_TIMEOUT = 0x8D, "keep-alive timeout";
    /// Another connection uses the same client id.
    SESSION_TAKEN_OVER = 0x8E, "session taken over by another connection with the same client id";
    /// The topic filter is well-formed, but the broker does not take it.
    TOPIC_FILTER_INVALID = 0x8F, "topic filter invalid";
    /// The topic name is well-formed, but the broker does not take it.
    TOPIC_NAME_INVALID = 0x90, "topic name invalid";
    /// The packet identifier is in use.
    PACKET_IDENTIFIER_IN_USE = 0x91, "packet identifier in use";
    /// There is no such packet identifier.
    PACKET_IDENTIFIER_NOT_FOUND = 0x92, "packet identifier not found";
    /// More messages are unacknowledged than were agreed upon.
    RECEIVE_MAXIMUM_EXCEEDED = 0x93, "receive maximum exceeded";
    /// The topic alias is out of range or means nothing.
    TOPIC_ALIAS_INVALID = 0x94, "topic alias invalid";
    /// The packet is larger than the broker takes.
    PACKET_TOO_LARGE = 0x95, "packet too large";
    /// Messages come too fast.
    MESSAGE_RATE_TOO_HIGH = 0x96, "message rate too high";
    /// A limit of the broker or of the account is reached.
    QUOTA_EXCEEDED = 0x97, "quota exceeded";
    /// The connection was closed by an administrator.
    ADMINISTRATIVE_ACTION = 0x98, "administrative action";
    /// The payload is not what its format indicator says.
    PAYLOAD_FORMAT_INVALID = 0x99, "payload format invalid";
    /// The broker does not retain messages.
    RETAIN_NOT_SUPPORTED = 0x9A, "retain not supported";
    /// The broker does not do that quality of service.
    QOS_NOT_SUPPORTED = 0x9B, "QoS not supported";
    /// Another broker has to be used for now.
    USE_ANOTHER_SERVER = 0x9C, "use another server";
    /// Another broker has to be used from now on.
    SERVER_MOVED = 0x9D, "server moved";
    /// The broker does not share subscriptions.
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E, "shared subscriptions not supported";
    /// Connections are made too fast.
    CONNECTION_RATE_EXCEEDED = 0x9F, "connection rate exceeded";
    /// The connection has lasted as long as it was allowed to.
    MAXIMUM_CONNECT_TIME = 0xA0, "maximum connect time";
    /// The broker does not do subscription identifiers.
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1, "subscription identifiers not supported";
    /// The broker does not do wildcards in filters.
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2, "wildcard subscriptions not supported";
}

impl ReasonCode {
    /// The reason code with that number.
    #[inline]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prose = self.known().map_or("a reason that MQTT 5 does not list", |(_, prose)| prose);
        write!(f, "{prose} (0x{:02X})", self.raw())
    }
}

impl ReasonCode {
    /// The meaning of an MQTT 3.1.1 CONNACK return code (MQTT 3.1.1 §3.2.2.3), whose numbers are not
    /// those of MQTT 5.
    ///
    /// A number from 0x80 on is taken for a code of MQTT 5, in case the platform translates by itself,
    /// and the reserved ones below for [`UnspecifiedError`](Self::UNSPECIFIED_ERROR): none is a success.
    pub const fn from_connack_v3(raw: u32) -> Self {
        match raw {
            0 => Self::SUCCESS,
            1 => Self::UNSUPPORTED_PROTOCOL_VERSION,
            2 => Self::CLIENT_IDENTIFIER_NOT_VALID,
            3 => Self::SERVER_UNAVAILABLE,
            4 => Self::BAD_USER_NAME_OR_PASSWORD,
            5 => Self::NOT_AUTHORIZED,
            6..=0x7F => Self::UNSPECIFIED_ERROR,
            other => Self::from_raw(other),
        }
    }

    /// Whether the request succeeded: every code up to 0x7F says so (MQTT 5 §2.4).
    pub const fn is_success(self) -> bool {
        self.raw() < 0x80
    }

    /// The quality of service that a subscription was granted, where this is the answer to one and not a
    /// refusal.
    pub const fn granted_qos(self) -> Option<QoS> {
        QoS::from_raw(self.raw())
    }
}
