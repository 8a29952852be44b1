//! The application: telemetry out, commands in.
//!
//! It needs no heap, names nothing of the machine it runs on, and is the same on a board and in the
//! simulator.

use core::fmt::{self, Write};
use core::future::Future;
use core::pin::pin;

use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use heapless::{Deque, String};
use microvisor::aws::{Encodings, Profile, ProfileError, Settings, SettingsError, Topics};
use microvisor::mqtt::{
    Acknowledgement, ConnectError, Connected, Event, EventError, Inbox, Message, MqttChannel, Publish, QoS,
    ReasonCode, RequestError, SessionEnd, Subscription, TopicOutcome,
};
use microvisor::{
    ChannelBuffers, CloseError, DeviceId, DeviceIdError, Network, NetworkError, Notifications, OpenError,
    Recovery,
};

/// How long the far end may take to answer.
const PATIENCE_MS: u32 = 60_000;

/// What the application gets from the machine it runs on.
pub struct Machine<'m, D, O> {
    pub notifications: Notifications,
    pub buffers: ChannelBuffers,
    /// Where the credentials go: 5 KiB for an RSA-2048 key.
    pub memory: &'m mut [u8],
    /// How the credentials are written in the device's stores.
    pub encodings: Encodings,
    pub delay: D,
    pub observer: O,
}

/// What it is to do.
#[derive(Clone, Copy)]
pub struct Plan {
    /// After how many readings it ends.
    pub publishes: u32,
    /// How long it waits between them.
    pub interval_ms: u32,
}

/// Whoever wants to know how far it is.
pub trait Observer {
    fn step(&mut self, step: &Step<'_>);
}

/// How far it is.
pub enum Step<'a> {
    Started(&'a DeviceId),
    NetworkConnected,
    SettingsFetched { host: &'a str, port: u16 },
    Connected { client_id: &'a str },
    Subscribed { filter: &'a str, qos: QoS },
    Published { number: u32, of: u32, payload: &'a str, reason: ReasonCode },
    Received { command: Command, topic: &'a str },
    Ignored { topic: &'a str, len: usize },
    Lost { len: u32 },
    Disconnected,
}

/// What a device can be told to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Stop,
    Restart,
}

/// What came of it.
pub struct Summary {
    pub published: u32,
    pub commands: u32,
}

/// Runs until the planned readings are published and the broker has taken each of them.
pub async fn run<D: DelayNs, O: Observer>(
    machine: Machine<'_, D, O>,
    plan: Plan,
) -> Result<Summary, Failure> {
    let Machine { notifications, buffers, memory, encodings, mut delay, mut observer } = machine;
    let id = DeviceId::read()?;
    observer.step(&Step::Started(&id));

    let mut network = Network::request(&notifications)?;
    in_time(&mut delay, Waiting::Network, network.connected()).await??;
    observer.step(&Step::NetworkConnected);

    let fetch = Settings::fetch_encoded(&network, buffers, memory, encodings);
    let fetched = in_time(&mut delay, Waiting::Settings, fetch).await?;
    let (settings, buffers) = fetched.map_err(|failed| Failure::Settings(failed.error))?;
    let (host, port) = (settings.endpoint().as_str(), settings.port().get());
    observer.step(&Step::SettingsFetched { host, port });

    let credentials = settings.credentials();
    let profile = Profile::new(settings.endpoint(), &id, &credentials)?.with_port(settings.port());
    let channel = MqttChannel::open(&network, buffers).map_err(|failed| failed.error)?;
    let connecting = channel.connect(&profile.connect_options()).map_err(|failed| failed.error)?;
    let connected = in_time(&mut delay, Waiting::Broker, connecting.connected()).await?;
    let channel = connected.map_err(|failed| failed.error)?;
    observer.step(&Step::Connected { client_id: id.as_str() });

    let commands = Commands { observer, publishing: true, received: 0, owed: Deque::new() };
    let (channel, commands) =
        Session { channel, commands, delay, topics: Topics::new(&id) }.run(plan).await?;
    let buffers = channel.close().map_err(|failed| failed.error)?;
    drop(buffers);
    Ok(Summary { published: plan.publishes, commands: commands.received })
}

/// A device that is connected.
struct Session<D, O> {
    channel: MqttChannel<Connected>,
    commands: Commands<O>,
    delay: D,
    topics: Topics,
}

impl<D: DelayNs, O: Observer> Session<D, O> {
    async fn run(
        mut self,
        plan: Plan,
    ) -> Result<(MqttChannel<microvisor::mqtt::Disconnected>, Commands<O>), Failure> {
        let (mut topic, mut payload) = ([0; 256], [0; 512]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        self.subscribe(&mut inbox).await?;
        let mut number = 0;
        while number < plan.publishes {
            if !self.commands.publishing {
                self.take_one(&mut inbox).await?;
                continue;
            }
            number += 1;
            self.publish(&mut inbox, number, plan.publishes).await?;
            if number < plan.publishes {
                self.wait(&mut inbox, plan.interval_ms).await?;
            }
        }
        let Self { channel, mut commands, mut delay, .. } = self;
        let ending = channel.disconnect(&mut inbox, |event| commands.take(event));
        let ended = in_time(&mut delay, Waiting::Disconnect, ending).await?;
        let (channel, _end) = ended.map_err(|failed| failed.error)?;
        commands.observer.step(&Step::Disconnected);
        Ok((channel, commands))
    }

    async fn subscribe(&mut self, inbox: &mut Inbox<'_>) -> Result<(), Failure> {
        let Self { channel, commands, delay, topics } = self;
        let filters = [topics.command(), topics.broadcast()];
        let subscriptions = filters.map(|filter| Subscription::new(filter, QoS::AtLeastOnce));
        let subscribing = channel.subscribe(&subscriptions, inbox, |event| commands.take(event));
        let outcomes = in_time(delay, Waiting::Subscribe, subscribing).await??;
        for (filter, outcome) in filters.iter().zip(&outcomes) {
            match *outcome {
                TopicOutcome::Granted(qos) => {
                    commands.observer.step(&Step::Subscribed { filter: filter.as_str(), qos });
                }
                TopicOutcome::Refused(reason) => return Err(Failure::SubscriptionRefused(reason)),
            }
        }
        Ok(())
    }

    async fn publish(&mut self, inbox: &mut Inbox<'_>, number: u32, of: u32) -> Result<(), Failure> {
        let Self { channel, commands, delay, topics } = self;
        let payload = reading(number);
        let message = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(QoS::AtLeastOnce);
        let publishing = channel.publish(&message, inbox, |event| commands.take(event));
        // With QoS 1 there always is a reason.
        let reason = in_time(delay, Waiting::Publish, publishing).await??.unwrap_or(ReasonCode::Success);
        commands.settle(channel);
        commands.observer.step(&Step::Published { number, of, payload: &payload, reason });
        Ok(())
    }

    /// Takes what comes next, however long that is.
    async fn take_one(&mut self, inbox: &mut Inbox<'_>) -> Result<(), Failure> {
        let Self { channel, commands, .. } = self;
        match channel.event(inbox).await? {
            Event::Ended(end) => return Err(Failure::Ended(end)),
            event => commands.take(event),
        }
        commands.settle(channel);
        Ok(())
    }

    /// Takes what comes until the interval is over.
    async fn wait(&mut self, inbox: &mut Inbox<'_>, interval_ms: u32) -> Result<(), Failure> {
        let Self { channel, commands, delay, .. } = self;
        let mut interval = pin!(delay.delay_ms(interval_ms));
        loop {
            match select(channel.event(inbox), interval.as_mut()).await {
                Either::First(event) => match event? {
                    Event::Ended(end) => return Err(Failure::Ended(end)),
                    event => commands.take(event),
                },
                Either::Second(()) => return Ok(()),
            }
            commands.settle(channel);
        }
    }
}

/// A simulated thermometer: tenths of a degree, up and down between 21.0 and 22.5.
fn reading(number: u32) -> String<64> {
    let phase = (number % 6) * 5;
    let tenths = 210 + if phase < 15 { phase } else { 30 - phase };
    let mut json = String::new();
    let (degrees, tenth) = (tenths / 10, tenths % 10);
    // 31 characters at most.
    let _ = write!(json, "{{\"temperature_celsius\":{degrees}.{tenth}}}");
    json
}

/// Takes commands, and acknowledges them in the order in which they came.
struct Commands<O> {
    observer: O,
    publishing: bool,
    received: u32,
    /// Acknowledgements that the kernel had no room for. The broker sends a message again whose
    /// acknowledgement is dropped, so this may be short.
    owed: Deque<Acknowledgement, 8>,
}

impl<O: Observer> Commands<O> {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Message(message) => self.obey(message),
            Event::Lost(lost) => self.observer.step(&Step::Lost { len: lost.message_len() }),
            // Answers to requests that were given up, and the end, which is told again.
            Event::Published(..) | Event::Subscribed(..) | Event::Unsubscribed(..) | Event::Ended(_) => {}
        }
    }

    fn obey(&mut self, message: Message<'_>) {
        let topic = message.topic_str().unwrap_or("a topic that is not UTF-8");
        let command = match message.payload() {
            b"stop" => Some(Command::Stop),
            b"restart" => Some(Command::Restart),
            _ => None,
        };
        if let Some(command) = command {
            self.publishing = command == Command::Restart;
            self.received += 1;
            self.observer.step(&Step::Received { command, topic });
        } else {
            self.observer.step(&Step::Ignored { topic, len: message.payload().len() });
        }
        self.acknowledge(message);
    }

    /// At once, unless an earlier one waits.
    fn acknowledge(&mut self, message: Message<'_>) {
        let owed = if self.owed.is_empty() {
            message.acknowledge().err().map(|failed| failed.value)
        } else {
            message.into_acknowledgement()
        };
        if let Some(acknowledgement) = owed {
            // Where even this is full, the broker sends the message again.
            let _ = self.owed.push_back(acknowledgement);
        }
    }

    /// Sends what is owed, as far as the kernel has room for it.
    fn settle(&mut self, channel: &mut MqttChannel<Connected>) {
        while let Some(acknowledgement) = self.owed.pop_front() {
            if let Err(failed) = channel.acknowledge(acknowledgement) {
                if failed.error.recovery() == Recovery::Retry {
                    let _ = self.owed.push_front(failed.value);
                }
                return;
            }
        }
    }
}

/// Gives `future` up when the far end takes too long.
async fn in_time<T>(
    delay: &mut impl DelayNs,
    waiting: Waiting,
    future: impl Future<Output = T>,
) -> Result<T, Failure> {
    match select(future, delay.delay_ms(PATIENCE_MS)).await {
        Either::First(output) => Ok(output),
        Either::Second(()) => Err(Failure::NoAnswer(waiting)),
    }
}

/// What was waited for.
#[derive(Clone, Copy, Debug)]
pub enum Waiting {
    Network,
    Settings,
    Broker,
    Subscribe,
    Publish,
    Disconnect,
}

/// Why it ended before its time.
#[derive(Debug)]
pub enum Failure {
    DeviceId(DeviceIdError),
    Network(NetworkError),
    Settings(SettingsError),
    Profile(ProfileError),
    Open(OpenError),
    Connect(ConnectError),
    Request(RequestError),
    SubscriptionRefused(ReasonCode),
    Event(EventError),
    Ended(SessionEnd),
    Close(CloseError),
    NoAnswer(Waiting),
}

macro_rules! failure_from {
    ($($error:ty => $variant:ident),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

failure_from! {
    DeviceIdError => DeviceId,
    NetworkError => Network,
    ProfileError => Profile,
    OpenError => Open,
    ConnectError => Connect,
    RequestError => Request,
    EventError => Event,
    CloseError => Close,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeviceId(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Settings(error) => error.fmt(f),
            Self::Profile(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::SubscriptionRefused(reason) => {
                write!(f, "the broker refused a subscription: {reason}; check the policy")
            }
            Self::Event(error) => error.fmt(f),
            Self::Ended(end) => write!(
                f,
                "the session ended: {end}; check whether the broker still runs, the policy (AWS drops a \
                 connection that does what it does not allow) and whether another client uses this client id"
            ),
            Self::Close(error) => error.fmt(f),
            Self::NoAnswer(waiting) => {
                let what = match waiting {
                    Waiting::Network => "the network did not connect",
                    Waiting::Settings => "the config store did not answer",
                    Waiting::Broker => "the broker did not answer",
                    Waiting::Subscribe => "the subscribe request was not answered",
                    Waiting::Publish => "the publish request was not answered",
                    Waiting::Disconnect => "the disconnect request was not answered",
                };
                write!(f, "{what} within {} s", PATIENCE_MS / 1000)
            }
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stop",
            Self::Restart => "restart",
        })
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(id) => write!(f, "device {id}"),
            Self::NetworkConnected => f.write_str("network connected"),
            Self::SettingsFetched { host, port } => write!(f, "settings fetched, broker {host}:{port}"),
            Self::Connected { client_id } => write!(f, "connected as {client_id}"),
            Self::Subscribed { filter, qos } => write!(f, "subscribed to {filter}, QoS {}", qos.raw()),
            Self::Published { number, of, payload, reason } => {
                write!(f, "published {number}/{of} {payload}: {reason}")
            }
            Self::Received { command, topic } => write!(f, "command {command} on {topic}"),
            Self::Ignored { topic, len } => write!(f, "{len} bytes on {topic} are no command"),
            Self::Lost { len } => write!(f, "a message of {len} bytes was too large and is lost"),
            Self::Disconnected => f.write_str("disconnected"),
        }
    }
}
