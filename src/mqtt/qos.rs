//! How often a message may be delivered.

/// The quality of service of a message (MQTT 5 §4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum QoS {
    /// 0: once or not at all; nobody acknowledges it.
    #[default]
    AtMostOnce,
    /// 1: repeated until acknowledged, so that it can arrive more than once.
    AtLeastOnce,
    /// 2: exactly once, in an exchange of four packets. AWS IoT does not take it.
    ExactlyOnce,
}

impl QoS {
    /// The quality of service with that number, or `None` if there is none.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The number: 0, 1 or 2.
    pub const fn raw(self) -> u32 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }
}
