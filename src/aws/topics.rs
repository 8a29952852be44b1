//! The topics of the platform's AWS IoT guide.

use heapless::String;

use crate::DeviceId;
use crate::mqtt::{TopicFilter, TopicName};

const TELEMETRY: &str = "sensor/device/";
/// A device's id has none.
const TELEMETRY_SLASHES: u16 = 2;
const COMMAND: &str = "command/device/";

/// The topic that commands for all devices are published to.
const BROADCAST: &str = "command/device/all";

/// The guide's topics for one device: 48 and 49 bytes long.
#[derive(Clone, Debug)]
pub struct Topics {
    telemetry: String<48>,
    command: String<49>,
}

impl Topics {
    /// The topics of the device `id`.
    ///
    /// ```
    /// use microvisor::DeviceId;
    /// use microvisor::aws::Topics;
    ///
    /// let topics = Topics::new(&DeviceId::parse("UV0123456789abcdef0123456789abcdef")?);
    /// assert_eq!(topics.telemetry().as_str(), "sensor/device/UV0123456789abcdef0123456789abcdef");
    /// assert_eq!(topics.command().as_str(), "command/device/UV0123456789abcdef0123456789abcdef");
    /// assert_eq!(topics.broadcast().as_str(), "command/device/all");
    /// # Ok::<(), microvisor::DeviceIdError>(())
    /// ```
    pub fn new(id: &DeviceId) -> Self {
        Self { telemetry: concatenate(TELEMETRY, id), command: concatenate(COMMAND, id) }
    }

    /// What the device publishes to: `sensor/device/<id>`.
    pub fn telemetry(&self) -> TopicName<'_> {
        TopicName::from_valid(&self.telemetry, TELEMETRY_SLASHES)
    }

    /// Where commands for this device come: `command/device/<id>`.
    pub fn command(&self) -> TopicFilter<'_> {
        TopicFilter::from_valid(&self.command)
    }

    /// Where commands for all devices come: `command/device/all`.
    pub fn broadcast(&self) -> TopicFilter<'static> {
        TopicFilter::from_valid(BROADCAST)
    }
}

fn concatenate<const N: usize>(prefix: &str, id: &DeviceId) -> String<N> {
    let mut topic = String::new();
    // A device id has 34 characters, for which there is room.
    let _ = topic.push_str(prefix).and_then(|()| topic.push_str(id.as_str()));
    topic
}
