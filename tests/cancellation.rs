//! Futures that are dropped at every point at which they can be.
//!
//! Each test here runs one scenario over and over on a new device, and drops it after the first step,
//! the second and so on, until it comes to its end by itself. A step is a poll, or what happens
//! between two polls. After each drop the device has to work as if nothing had been: what was kept
//! goes on, the memory is free, and a whole new session succeeds.

mod bed;

use std::pin::pin;
use std::task::Context;
use std::time::Duration;

use bed::material::{certificate, hex, private_key};
use bed::session::{publish, subscription};
use bed::{Bed, MEMORY_LEN, poll_once};
use microvisor::aws::{KEYS, Settings};
use microvisor::config::ConfigFetch;
use microvisor::mqtt::{
    ClientId, ConnectOptions, Connected, Event, Host, Inbox, MqttChannel, QoS, ReasonCode, RequestError,
    TopicFilter, TopicOutcome,
};
use microvisor::{ChannelBuffers, Idle, KernelMemory, Network, Notifications};
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Device, NetworkPlan, NetworkStatus, Quirks, SessionEnd};

type Verdict = Result<Option<ReasonCode>, RequestError>;

/// What an application holds on to. It is dropped before the device.
struct Application {
    network: Option<Network>,
    channel: Option<MqttChannel<Connected>>,
    notifications: Notifications,
    /// The link is about to die, so the session on `channel` does not go on.
    doomed: bool,
    memory: &'static KernelMemory<MEMORY_LEN>,
    broker: ModelBroker,
    /// Payloads, and what became of them.
    published: Vec<(Vec<u8>, Verdict)>,
}

/// When a future is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polling {
    /// When it was woken, as an executor does it.
    WhenWoken,
    /// After every event in the device and its surroundings, as in a `select` with much else.
    AtEveryEvent,
}

/// Lets `steps` steps pass and drops the future; `true` if it was done before.
fn run(device: &Device, future: impl Future<Output = ()>, steps: usize, polling: Polling) -> bool {
    let mut idle = device.idle();
    let waker = idle.waker();
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    for step in 0..steps {
        match (step % 2, polling) {
            (0, _) => {
                if future.as_mut().poll(&mut context).is_ready() {
                    return true;
                }
            }
            (_, Polling::WhenWoken) => idle.sleep(),
            (_, Polling::AtEveryEvent) => assert!(device.step(), "the application sleeps for ever"),
        }
    }
    false
}

/// Drops `scenario` everywhere, each time on a device that `prepare` has prepared.
///
/// There have to be `least` places, lest a change of the scenario make the test empty.
#[allow(clippy::needless_pass_by_value)] // Closures, which read best without a `&`.
fn drop_everywhere(
    name: &str,
    least: usize,
    prepare: impl Fn(&mut Application, &Device),
    scenario: impl AsyncFn(&mut Application, &Device),
) {
    let mut dropped = 0;
    for polling in [Polling::WhenWoken, Polling::AtEveryEvent] {
        for quirk in [SessionEnd::DisconnectResponse, SessionEnd::ChannelNotConnected] {
            for steps in 0.. {
                let (device, mut application) = boot(quirk);
                prepare(&mut application, &device);
                let done = run(&device, scenario(&mut application, &device), steps, polling);
                works(&mut application, &device);
                if done {
                    break;
                }
                dropped += 1;
            }
        }
    }
    println!("{name}: dropped at {dropped} places");
    assert!(dropped >= least, "{name}: dropped at {dropped} places only");
}

fn boot(session_end: SessionEnd) -> (Device, Application) {
    let broker = ModelBroker::open().build();
    let plan = NetworkPlan::never()
        .then(Duration::from_millis(300), NetworkStatus::DisconnectedWithLinkUp)
        .then(Duration::from_millis(700), NetworkStatus::Connecting)
        .then(Duration::from_millis(900), NetworkStatus::Connected);
    let builder = Device::builder()
        .broker(broker.clone())
        .quirks(Quirks { session_end, max_acknowledgements_in_flight: 100, ..Quirks::default() })
        .network(plan)
        .config("root-CA", &hex(&certificate(1)))
        .config("cert", &hex(&certificate(2)))
        .secret("private_key", &hex(&private_key()))
        .config("broker-host", "broker.example")
        .config("broker-port", "8883");
    let Bed { network, notifications, center: _, memory, device } = Bed::boot_fresh(builder);
    let application = Application {
        network,
        channel: None,
        doomed: false,
        notifications,
        memory,
        broker,
        published: Vec::new(),
    };
    (device, application)
}

impl Application {
    fn buffers(&self) -> ChannelBuffers {
        self.memory.take().expect("the memory is free").split::<7168>()
    }

    async fn go_online(&mut self) {
        if self.network.is_none() {
            self.network = Some(Network::request(&self.notifications).expect("the network can be requested"));
        }
        self.network.as_mut().expect("just requested").connected().await.expect("the network connects");
    }

    fn network(&self) -> &Network {
        self.network.as_ref().expect("online")
    }

    async fn connect(&self, options: &ConnectOptions<'_>) -> MqttChannel<Connected> {
        let channel = MqttChannel::open(self.network(), self.buffers()).expect("a channel opens");
        let connecting = channel.connect(options).expect("the request is taken");
        connecting.connected().await.expect("the broker accepts")
    }

    /// Fetches the settings and connects with them.
    async fn fetch_and_connect(&self) -> MqttChannel<Connected> {
        let mut memory = [0; 2048];
        let fetched = Settings::fetch(self.network(), self.buffers(), &mut memory).await;
        let (settings, buffers) = fetched.expect("the settings are there");
        drop(buffers);
        let credentials = settings.credentials();
        let client_id = ClientId::new("device").expect("a client id");
        let options = ConnectOptions::new(settings.endpoint(), client_id).with_port(settings.port());
        self.connect(&options.with_credentials(&credentials)).await
    }

    /// Publishes on the channel that is kept, acknowledges what comes meanwhile, and remembers the
    /// verdict.
    async fn publish(&mut self, payload: &[u8]) {
        let (mut topic, mut memory) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut memory);
        let channel = self.channel.as_mut().expect("in session");
        let reading = publish("sensor", payload, QoS::AtLeastOnce);
        let verdict = channel.publish(&reading, &mut inbox, acknowledge).await;
        self.published.push((payload.to_vec(), verdict));
    }
}

fn options() -> ConnectOptions<'static> {
    let host = Host::new("broker.example").expect("a host");
    ConnectOptions::new(host, ClientId::new("device").expect("a client id"))
}

fn acknowledge(event: Event<'_>) {
    if let Event::Message(message) = event {
        message.acknowledge().expect("acknowledged");
    }
}

/// A future was dropped: whatever it was, everything works.
fn works(application: &mut Application, device: &Device) {
    if let Some(channel) = application.channel.take()
        && !application.doomed
    {
        goes_on(channel, application, device);
    }
    device.block_on(whole_session(application));
    // Later, when no message is on its way any more.
    device.advance(Duration::from_secs(2));
    device.block_on(whole_session(application));
    let broker = &application.broker;
    device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged(), "unacknowledged: {:?}", broker.unacknowledged());
    assert_eq!(broker.complaints(), Vec::<String>::new());
    assert_eq!(device.misuse(), []);
    let received = broker.received();
    for (payload, verdict) in &application.published {
        if verdict.is_ok() {
            assert!(received.iter().any(|message| message.payload == *payload), "{payload:?} was not taken");
        }
    }
}

/// The session whose future was dropped can still do everything.
fn goes_on(mut channel: MqttChannel<Connected>, application: &mut Application, device: &Device) {
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    device.block_on(async {
        let filter = TopicFilter::new("command").unwrap();
        let wanted = [subscription("command", QoS::AtLeastOnce)];
        let granted = channel.subscribe(&wanted, &mut inbox, acknowledge).await.unwrap();
        assert_eq!(granted.as_slice(), [TopicOutcome::Granted(QoS::AtLeastOnce)]);
        application.broker.publish("command", "still there?", 1);
        let reading = publish("sensor", b"still here", QoS::AtLeastOnce);
        let verdict = channel.publish(&reading, &mut inbox, acknowledge);
        assert_eq!(verdict.await, Ok(Some(ReasonCode::SUCCESS)));
        let ended = channel.unsubscribe(&[filter], &mut inbox, acknowledge).await.unwrap();
        assert_eq!(ended.as_slice(), [ReasonCode::SUCCESS]);
    });
    let buffers = channel.close().expect("the channel closes");
    drop(buffers);
}

/// From the network to the disconnect, with all that an application does.
async fn whole_session(application: &mut Application) {
    application.go_online().await;
    let mut channel = application.fetch_and_connect().await;
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let wanted = [subscription("command", QoS::AtLeastOnce)];
    let granted = channel.subscribe(&wanted, &mut inbox, acknowledge).await.expect("subscribed");
    assert!(granted.iter().all(|outcome| outcome.is_granted()));
    let reading = publish("sensor", b"whole session", QoS::AtLeastOnce);
    let verdict = channel.publish(&reading, &mut inbox, acknowledge).await;
    application.published.push((b"whole session".to_vec(), verdict));
    assert_eq!(verdict, Ok(Some(ReasonCode::SUCCESS)));
    application.broker.publish("command", "last", 1);
    loop {
        let Event::Message(message) = channel.event(&mut inbox).await.expect("an event") else { continue };
        let is_last = message.payload() == b"last";
        message.acknowledge().expect("acknowledged");
        if is_last {
            break;
        }
    }
    let ended = channel.disconnect(&mut inbox, acknowledge).await;
    let (channel, _) = ended.expect("disconnected");
    drop(channel.close().expect("closed"));
}

fn nothing(_: &mut Application, _: &Device) {}

fn online(application: &mut Application, device: &Device) {
    device.block_on(application.go_online());
}

/// In session, subscribed to commands.
fn connected(application: &mut Application, device: &Device) {
    online(application, device);
    application.channel = Some(device.block_on(async {
        let mut channel = application.connect(&options()).await;
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let wanted = [subscription("command", QoS::AtLeastOnce)];
        channel.subscribe(&wanted, &mut inbox, |_| ()).await.expect("subscribed");
        channel
    }));
}

/// In session, and messages are on their way.
fn addressed(application: &mut Application, device: &Device) {
    connected(application, device);
    for millis in [0, 5, 40, 60, 60, 100, 200] {
        let at = device.now() + Duration::from_millis(millis);
        application.broker.publish_at(at, "command", format!("after {millis} ms"), u8::from(millis != 5));
    }
}

#[test]
fn waiting_for_the_network() {
    drop_everywhere("network", 24, nothing, async |application, _| application.go_online().await);
}

#[test]
fn waiting_for_a_network_that_is_given_up_too() {
    drop_everywhere("network, given up", 24, nothing, async |application, _| {
        let mut network = Network::request(&application.notifications).unwrap();
        network.connected().await.unwrap();
    });
}

#[test]
fn waiting_for_the_network_to_change() {
    drop_everywhere("network change", 10, online, async |application, device| {
        let at = device.now() + Duration::from_millis(500);
        device.at(at, |device| device.set_network(NetworkStatus::Connecting));
        device.at(at + Duration::from_millis(500), |device| device.set_network(NetworkStatus::Connected));
        let network = application.network.as_mut().unwrap();
        network.changed_from(microvisor::NetworkStatus::Connected).await.unwrap();
    });
}

#[test]
fn fetching_the_settings() {
    drop_everywhere("settings", 10, online, async |application, _| {
        let mut memory = [0; 2048];
        let fetched = Settings::fetch(application.network(), application.buffers(), &mut memory).await;
        drop(fetched.unwrap());
    });
}

#[test]
fn fetching_on_the_channel_itself() {
    drop_everywhere("config fetch", 10, online, async |application, _| {
        let fetch = ConfigFetch::open(application.network(), application.buffers()).unwrap();
        let received = fetch.request(&KEYS).unwrap().received().await.unwrap();
        drop(received.close().unwrap());
    });
}

#[test]
fn connecting() {
    drop_everywhere("connecting", 14, online, async |application, _| {
        application.channel = Some(application.connect(&options()).await);
    });
}

#[test]
fn waiting_for_events() {
    drop_everywhere("events", 100, addressed, async |application, _| {
        let channel = application.channel.as_mut().unwrap();
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        for _ in 0..7 {
            acknowledge(channel.event(&mut inbox).await.unwrap());
        }
    });
}

#[test]
fn publishing() {
    drop_everywhere("publishing", 110, addressed, async |application, _| {
        for payload in [b"1", b"2", b"3"] {
            application.publish(payload).await;
        }
    });
}

#[test]
fn publishing_while_the_link_dies() {
    let dying = |application: &mut Application, device: &Device| {
        addressed(application, device);
        let at = device.now() + Duration::from_millis(95);
        application.broker.at(at, ModelBroker::drop_connection);
        application.doomed = true;
    };
    drop_everywhere("publishing on a dying link", 100, dying, async |application, _| {
        for payload in [b"1", b"2", b"3"] {
            application.publish(payload).await;
        }
        assert!(application.published.iter().any(|(_, verdict)| verdict.is_err()));
    });
}

#[test]
fn subscribing() {
    drop_everywhere("subscribing", 100, addressed, async |application, _| {
        let channel = application.channel.as_mut().unwrap();
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        for filter in ["a", "b"] {
            let wanted = [subscription(filter, QoS::AtMostOnce)];
            channel.subscribe(&wanted, &mut inbox, acknowledge).await.unwrap();
        }
    });
}

#[test]
fn unsubscribing() {
    drop_everywhere("unsubscribing", 100, addressed, async |application, _| {
        let channel = application.channel.as_mut().unwrap();
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        for filter in ["a", "b"] {
            let filter = TopicFilter::new(filter).unwrap();
            channel.unsubscribe(&[filter], &mut inbox, acknowledge).await.unwrap();
        }
    });
}

#[test]
fn disconnecting() {
    drop_everywhere("disconnecting", 40, addressed, async |application, _| {
        let channel = application.channel.take().unwrap();
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let ended = channel.disconnect(&mut inbox, acknowledge).await;
        let (channel, _) = ended.unwrap();
        drop(channel.close().unwrap());
    });
}

#[test]
fn a_whole_session() {
    let commanded = |application: &mut Application, _: &Device| {
        for millis in (900..1800).step_by(25) {
            application.broker.publish_at(Duration::from_millis(millis), "command", millis.to_string(), 1);
        }
    };
    drop_everywhere("whole session", 250, commanded, async |application, _| {
        whole_session(application).await;
    });
}

#[test]
fn an_event_future_that_is_dropped_after_every_poll_loses_no_event() {
    let (device, mut application) = boot(SessionEnd::DisconnectResponse);
    connected(&mut application, &device);
    let channel = application.channel.as_mut().unwrap();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    for number in 0..200 {
        let at = device.now() + Duration::from_millis(number);
        application.broker.publish_at(at, "command", number.to_string(), 1);
    }
    let mut heard = Vec::new();
    while heard.len() < 200 {
        if let std::task::Poll::Ready(event) = poll_once(pin!(channel.event(&mut inbox))) {
            let Event::Message(message) = event.unwrap() else { panic!("a message") };
            heard.push(String::from_utf8(message.payload().to_vec()).unwrap());
            message.acknowledge().unwrap();
            device.advance(Duration::from_millis(2));
        } else {
            assert!(device.step(), "{} messages are missing", 200 - heard.len());
        }
    }
    assert!(heard.iter().eq((0..200).map(|number| number.to_string()).collect::<Vec<_>>().iter()));
    application.channel = None;
    works(&mut application, &device);
}
