//! What a library of drivers or an executor would do with `microvisor`: implement its public trait,
//! keep each of its errors in one of its own, and let its lifetimes and types be named.
#![no_std]

use core::task::Waker;

use microvisor::mqtt::{Connected, Inbox, MqttChannel, Publish, QoS, ReasonCode, TopicName};
use microvisor::{Idle, Recovery, block_on};

/// A processor that never sleeps.
pub struct Spin;

impl Idle for Spin {
    fn waker(&self) -> Waker {
        Waker::noop().clone()
    }

    fn sleep(&mut self) {
        core::hint::spin_loop();
    }
}

/// Every error that an application can meet.
#[derive(Debug)]
pub enum Error {
    Status(microvisor::Status),
    DeviceId(microvisor::DeviceIdError),
    Clock(microvisor::clock::ClockError),
    Notification(microvisor::NotificationError),
    CloseNotifications(microvisor::CloseNotificationsError),
    Network(microvisor::NetworkError),
    Open(microvisor::OpenError),
    Close(microvisor::CloseError),
    Split(microvisor::SplitError),
    Log(microvisor::LogError),
    StartLog(microvisor::StartLogError),
    Fetch(microvisor::config::FetchError),
    Key(microvisor::config::KeyError),
    Item(microvisor::config::ItemError<'static>),
    TlsMaterial(microvisor::tls::TlsMaterialError),
    ClientId(microvisor::mqtt::ClientIdError),
    Host(microvisor::mqtt::HostError),
    Topic(microvisor::mqtt::TopicError),
    User(microvisor::mqtt::UserError),
    Limit(microvisor::mqtt::LimitError),
    Connect(microvisor::mqtt::ConnectError),
    Request(microvisor::mqtt::RequestError),
    Event(microvisor::mqtt::EventError),
    Acknowledge(microvisor::mqtt::AcknowledgeError),
    SessionEnd(microvisor::mqtt::SessionEnd),
    Profile(microvisor::aws::ProfileError),
    Settings(microvisor::aws::SettingsError),
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::error::Error::source(self).map_or(Ok(()), |source| write!(f, "{source}"))
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(match self {
            Self::Status(error) => error,
            Self::DeviceId(error) => error,
            Self::Clock(error) => error,
            Self::Notification(error) => error,
            Self::CloseNotifications(error) => error,
            Self::Network(error) => error,
            Self::Open(error) => error,
            Self::Close(error) => error,
            Self::Split(error) => error,
            Self::Log(error) => error,
            Self::StartLog(error) => error,
            Self::Fetch(error) => error,
            Self::Key(error) => error,
            Self::Item(error) => error,
            Self::TlsMaterial(error) => error,
            Self::ClientId(error) => error,
            Self::Host(error) => error,
            Self::Topic(error) => error,
            Self::User(error) => error,
            Self::Limit(error) => error,
            Self::Connect(error) => error,
            Self::Request(error) => error,
            Self::Event(error) => error,
            Self::Acknowledge(error) => error,
            Self::SessionEnd(error) => error,
            Self::Profile(error) => error,
            Self::Settings(error) => error,
        })
    }
}

/// A sensor that owns its session, and blocks.
pub struct Sensor {
    session: MqttChannel<Connected>,
    topic: TopicName<'static>,
}

impl Sensor {
    /// Publishes one reading.
    pub fn report(&mut self, reading: &[u8]) -> Result<Option<ReasonCode>, Error> {
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let message = Publish::new(self.topic, reading).with_qos(QoS::AtLeastOnce);
        block_on(&mut Spin, self.session.publish(&message, &mut inbox, |_event| ())).map_err(Error::Request)
    }
}

/// Whether it is worth another try on the same channel.
pub fn can_be_repeated(error: &Error) -> bool {
    let recovery = match error {
        Error::Notification(error) => error.recovery(),
        Error::Network(error) => error.recovery(),
        Error::Fetch(error) => error.recovery(),
        Error::Connect(error) => error.recovery(),
        Error::Request(error) => error.recovery(),
        Error::Event(error) => error.recovery(),
        Error::Settings(error) => error.recovery(),
        _ => Recovery::GiveUp,
    };
    recovery == Recovery::Retry
}
