//! Where received messages go.

use core::fmt;

/// The caller's memory for the topic and the payload of one message at a time.
///
/// A message that does not fit stays where it is, and everything behind it waits. An inbox whose
/// two buffers are each as large as the channel's receive buffer takes every message that the
/// kernel can hold.
///
/// ```
/// use microvisor::mqtt::Inbox;
///
/// let mut topic = [0; 128];
/// let mut payload = [0; 1024];
/// let inbox = Inbox::new(&mut topic, &mut payload);
/// # drop(inbox);
/// ```
pub struct Inbox<'b> {
    pub(super) topic: &'b mut [u8],
    pub(super) payload: &'b mut [u8],
}

impl<'b> Inbox<'b> {
    /// An inbox for topics of `topic.len()` bytes and payloads of `payload.len()`.
    pub fn new(topic: &'b mut [u8], payload: &'b mut [u8]) -> Self {
        Self { topic, payload }
    }

    /// The first bytes of both, as many as were written.
    pub(crate) fn written(&self, topic_len: usize, payload_len: usize) -> (&[u8], &[u8]) {
        (
            self.topic.get(..topic_len).unwrap_or(self.topic),
            self.payload.get(..payload_len).unwrap_or(self.payload),
        )
    }
}

impl fmt::Debug for Inbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox {{ topic: {}, payload: {} }}", self.topic.len(), self.payload.len())
    }
}
