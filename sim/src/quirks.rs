/// What the size field of a subscribe or unsubscribe response counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReasonCodesSize {
    /// Bytes, as the platform's header says.
    #[default]
    Bytes,
    /// Elements, as the vendor's demo passes it.
    Elements,
}

/// What reading the item of a key that does not exist writes besides the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// The length 0.
    #[default]
    Empty,
    /// A text that describes the error, as if it were the value.
    ErrorText,
}

/// What becomes of a config value that is longer than the buffer it is read into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongValue {
    /// The call is refused with `INVALIDBUFFERSIZE`.
    #[default]
    Refused,
    /// As much as fits is written, with that length.
    CutOff,
    /// As much as fits is written, with the length of the whole.
    CutOffWithItsLength,
}

/// Which MQTT requests may be larger than the channel's send buffer, because the kernel sends them in
/// parts. Any other is answered `INVALIDPARAMETERS`, and reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamedRequests {
    /// None.
    Nothing,
    /// Connect requests: the vendor's demo has 4 KiB for credentials that take more.
    #[default]
    Connect,
    /// All of them.
    Everything,
}

/// How the application learns that the broker has ended the session with a DISCONNECT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionEnd {
    /// A disconnect response to read; the channel stays open.
    #[default]
    DisconnectResponse,
    /// The channel is closed by the server, with a `CHANNELNOTCONNECTED` notification.
    ChannelNotConnected,
}

/// The points on which the platform's documents are silent or contradict each other.
///
/// An application that is right must work under every setting. Name the fields that matter and take
/// the rest from [`Quirks::default`]:
///
/// ```
/// use microvisor_sim::{Quirks, ReasonCodesSize};
///
/// let quirks = Quirks { reason_codes_size: ReasonCodesSize::Elements, ..Quirks::default() };
/// assert!(quirks.qos0_publish_response);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // Each is one independent question.
pub struct Quirks {
    /// What `reason_codes_size` counts.
    pub reason_codes_size: ReasonCodesSize,
    /// What the item of a missing config key holds.
    pub missing_key: MissingKey,
    /// Which MQTT requests may be larger than the send buffer. What counts are the texts and bytes that a
    /// request hands over; how much the kernel adds is not known.
    pub streams_large_requests: StreamedRequests,
    /// What becomes of a config value that does not fit the caller's buffer.
    pub long_value: LongValue,
    /// Whether reading a config response that is not there yet is answered `OKAY`, with nothing written,
    /// instead of `RESPONSENOTPRESENT`. Default: no.
    pub early_config_reads_succeed: bool,
    /// Whether a client may connect with a user name as well as a certificate, instead of being refused
    /// with `INVALIDAUTHENTICATION`. Default: no.
    pub accepts_user_name_with_certificate: bool,
    /// Whether outputs that the ABI does not promise to write receive junk: everything a failed call
    /// could have written, and the rest of a buffer behind the data. Default: yes.
    pub junk_in_outputs: bool,
    /// How the end of a session by the broker shows.
    pub session_end: SessionEnd,
    /// Whether `CHANNELDATAWRITESPACE` follows once a request that was rate limited could be repeated.
    /// Default: no.
    pub write_space_events: bool,
    /// Whether a publish of QoS 0 has a response. Default: yes.
    pub qos0_publish_response: bool,
    /// Whether the kernel acknowledges a message that it dropped for being too large, so that the broker
    /// does not send it again. Default: yes.
    pub acknowledges_lost_messages: bool,
    /// Whether the messages that the application has not read share the receive buffer, so that a message
    /// that does not fit beside them is held back until they are read. Default: yes.
    pub unread_messages_share_buffer: bool,
    /// The most keys that one config request may name. Default: 16.
    pub max_config_keys: u32,
    /// The longest log message, in bytes. Default: 1024.
    pub max_log_message: u16,
    /// The most publishes that may await their response on one channel. Default: 10.
    pub max_publishes_in_flight: usize,
    /// The most acknowledgements that may be under way on one channel; each takes 20 ms. Default: 16.
    pub max_acknowledgements_in_flight: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            reason_codes_size: ReasonCodesSize::default(),
            missing_key: MissingKey::default(),
            streams_large_requests: StreamedRequests::default(),
            long_value: LongValue::default(),
            early_config_reads_succeed: false,
            accepts_user_name_with_certificate: false,
            junk_in_outputs: true,
            session_end: SessionEnd::default(),
            write_space_events: false,
            qos0_publish_response: true,
            acknowledges_lost_messages: true,
            unread_messages_share_buffer: true,
            max_config_keys: 16,
            max_log_message: 1024,
            max_publishes_in_flight: 10,
            max_acknowledgements_in_flight: 16,
        }
    }
}
