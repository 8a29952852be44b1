//! Every system call of an application fails in every way that it can, one after another.
//!
//! The application starts over whenever anything fails. So it has to come through each single
//! failure, without a panic, without misusing the kernel, and without a publish that only seems to
//! have worked.

mod bed;
mod statuses;

use std::fmt::Display;
use std::time::Duration;

use bed::material::{certificate, hex, private_key};
use bed::session::{publish, subscription};
use bed::{IRQ, MEMORY_LEN};
use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Settings;
use microvisor::mqtt::{
    ClientId, ConnectOptions, Connected, Event, Inbox, MqttChannel, QoS, ReasonCode, TopicFilter,
};
use microvisor::{ChannelBuffers, DeviceId, KernelMemory, Network, NotificationCenter, Notifications};
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Delay, Device, Fault, Misuse};
use statuses::Statuses;

/// After how many failures the application gives up.
const ATTEMPTS: usize = 5;

/// Why the application starts over, in words: that makes the words part of the test.
type Trouble = String;

fn trouble(error: impl Display) -> Trouble {
    let text = error.to_string();
    assert!(!text.is_empty());
    text
}

/// The application, and what it has been through.
struct Application {
    center: &'static NotificationCenter<8>,
    memory: &'static KernelMemory<MEMORY_LEN>,
    broker: ModelBroker,
    delay: Delay,
    /// The payloads whose publish was reported as taken.
    taken: Vec<String>,
    troubles: Vec<Trouble>,
}

impl Application {
    /// Works until all is done; `false` if it gave up.
    async fn run(&mut self) -> bool {
        let Some(notifications) = self.open_notifications().await else { return false };
        let done = loop {
            match self.attempt(&notifications).await {
                Ok(()) => break true,
                Err(trouble) => self.troubles.push(trouble),
            }
            if self.troubles.len() >= ATTEMPTS {
                break false;
            }
            self.delay.delay_ms(1_000).await;
        };
        // Whether it closes is of no consequence any more.
        if let Err(failed) = notifications.close() {
            self.troubles.push(trouble(failed.error));
        }
        done
    }

    async fn open_notifications(&mut self) -> Option<Notifications> {
        while self.troubles.len() < ATTEMPTS {
            match self.center.open() {
                Ok(notifications) => return Some(notifications),
                Err(error) => self.troubles.push(trouble(error)),
            }
            self.delay.delay_ms(1_000).await;
        }
        None
    }

    /// Two sessions: the broker ends the first, the application the second.
    async fn attempt(&mut self, notifications: &Notifications) -> Result<(), Trouble> {
        let id = DeviceId::read().map_err(trouble)?;
        let mut network = Network::request(notifications).map_err(trouble)?;
        in_time(self.delay, network.connected()).await?.map_err(trouble)?;
        let buffers = self.memory.take().ok_or("the memory is taken")?.split::<7168>();
        let mut memory = [0; 2048];
        let fetched = in_time(self.delay, Settings::fetch(&network, buffers, &mut memory)).await?;
        let (settings, buffers) = fetched.map_err(trouble)?;
        let credentials = settings.credentials();
        let client_id = ClientId::new(id.as_str()).map_err(trouble)?;
        let options = ConnectOptions::new(settings.endpoint(), client_id)
            .with_port(settings.port())
            .with_credentials(&credentials);
        let buffers = self.session(&network, buffers, &options, true).await?;
        let buffers = self.session(&network, buffers, &options, false).await?;
        drop(buffers);
        network.release().map_err(trouble)
    }

    async fn session(
        &mut self,
        network: &Network,
        buffers: ChannelBuffers,
        options: &ConnectOptions<'_>,
        is_cut: bool,
    ) -> Result<ChannelBuffers, Trouble> {
        let channel = MqttChannel::open(network, buffers).map_err(trouble)?;
        let connecting = channel.connect(options).map_err(trouble)?;
        let mut channel = in_time(self.delay, connecting.connected()).await?.map_err(trouble)?;
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        self.converse(&mut channel, &mut inbox).await?;
        if is_cut {
            self.broker.drop_connection();
            let until_the_end = async {
                while !matches!(channel.event(&mut inbox).await.map_err(trouble)?, Event::Ended(_)) {}
                Ok::<_, Trouble>(())
            };
            in_time(self.delay, until_the_end).await??;
            return channel.close().map_err(trouble);
        }
        let ending = channel.disconnect(&mut inbox, |_| ());
        let (channel, _) = in_time(self.delay, ending).await?.map_err(trouble)?;
        channel.close().map_err(trouble)
    }

    /// One of everything.
    async fn converse(
        &mut self,
        channel: &mut MqttChannel<Connected>,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), Trouble> {
        let Self { broker, delay, taken, .. } = self;
        let mut failed = None;
        let mut others = |event: Event<'_>| {
            if let Err(error) = acknowledge(event) {
                failed = Some(error);
            }
        };
        let wanted = [subscription("command", QoS::AtLeastOnce)];
        let subscribing = channel.subscribe(&wanted, inbox, &mut others);
        let granted = in_time(*delay, subscribing).await?.map_err(trouble)?;
        if !granted.iter().all(|outcome| outcome.is_granted()) {
            return Err("the subscription was refused".into());
        }
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let payload = format!("reading {}", taken.len());
            let reading = publish("sensor", payload.as_bytes(), qos);
            let verdict = in_time(*delay, channel.publish(&reading, inbox, &mut others)).await?;
            if verdict.map_err(trouble)? == Some(ReasonCode::SUCCESS) {
                taken.push(payload);
            }
        }
        broker.publish("command", vec![0; 7200], 0);
        broker.publish("command", "stop", 1);
        let until_stopped = async {
            loop {
                let event = channel.event(inbox).await.map_err(trouble)?;
                let is_message = matches!(event, Event::Message(_));
                acknowledge(event)?;
                if is_message {
                    return Ok::<_, Trouble>(());
                }
            }
        };
        in_time(*delay, until_stopped).await??;
        let filters = [TopicFilter::new("command").map_err(trouble)?];
        let unsubscribing = channel.unsubscribe(&filters, inbox, &mut others);
        in_time(*delay, unsubscribing).await?.map_err(trouble)?;
        failed.map_or(Ok(()), Err)
    }
}

fn acknowledge(event: Event<'_>) -> Result<(), Trouble> {
    match event {
        Event::Message(message) => message.acknowledge().map_err(trouble),
        Event::Ended(end) => Err(trouble(end)),
        _ => Ok(()),
    }
}

async fn in_time<T>(mut delay: Delay, future: impl Future<Output = T>) -> Result<T, Trouble> {
    match select(future, delay.delay_ms(60_000)).await {
        Either::First(output) => Ok(output),
        Either::Second(()) => Err("no answer within a minute".into()),
    }
}

/// What was left behind after a run.
struct Outcome {
    done: bool,
    troubles: Vec<Trouble>,
    misuse: Vec<Misuse>,
    memory_is_free: bool,
    trace: Vec<String>,
    opens: u64,
}

/// Runs the application on a new device with these faults.
fn run(faults: impl IntoIterator<Item = Fault>) -> Outcome {
    let broker = ModelBroker::open().build();
    let device = Device::builder()
        .broker(broker.clone())
        .config("root-CA", &hex(&certificate(1)))
        .config("cert", &hex(&certificate(2)))
        .secret("private_key", &hex(&private_key()))
        .config("broker-host", "broker.example")
        .config("broker-port", "8883")
        .boot();
    let center: &'static NotificationCenter<8> = Box::leak(Box::new(NotificationCenter::new(IRQ)));
    device.bind_interrupt(IRQ, || center.on_interrupt());
    for fault in faults {
        device.inject(fault);
    }
    let mut application = Application {
        center,
        memory: bed::new_memory(),
        broker: broker.clone(),
        delay: device.delay(),
        taken: Vec::new(),
        troubles: Vec::new(),
    };
    let done = device.block_on(application.run());
    device.advance(Duration::from_secs(1));
    let received = broker.received();
    for payload in &application.taken {
        let arrived = received.iter().any(|message| message.payload == payload.as_bytes());
        assert!(arrived, "{payload} was reported as taken and did not arrive");
    }
    assert_eq!(broker.complaints(), Vec::<String>::new());
    Outcome {
        done,
        misuse: device.take_misuse(),
        memory_is_free: application.memory.take().is_some(),
        trace: device.trace(),
        opens: device.call_count("mvOpenChannel"),
        troubles: application.troubles,
    }
}

/// The names of the system calls of a run that nothing disturbs.
fn undisturbed_calls() -> Vec<String> {
    let outcome = run([]);
    assert!(outcome.done && outcome.memory_is_free, "{:?}", outcome.troubles);
    assert_eq!((outcome.troubles, outcome.misuse), (vec![], vec![]));
    let calls = outcome.trace.iter().filter_map(|line| line.split_once("] ")?.1.split_once('('));
    calls.map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("mv")).collect()
}

/// Says which fault it was when a test panics.
struct Doing(String);

impl Drop for Doing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with {}", self.0);
        }
    }
}

#[test]
fn any_call_may_fail_once_before_it_does_anything() {
    let calls = undisturbed_calls();
    let statuses = Statuses::read();
    let mut tried = 0;
    for (index, name) in calls.iter().enumerate() {
        for status in statuses.of(name) {
            let _doing = Doing(format!("call {index}, {name}, answering {status}"));
            let outcome = run([Fault::call_index(index as u64).status(status).into()]);
            assert!(outcome.done, "{:?}", outcome.troubles);
            assert!(outcome.troubles.len() <= 1, "{:?}", outcome.troubles);
            assert_eq!(outcome.misuse, []);
            assert!(outcome.memory_is_free);
            tried += 1;
        }
    }
    println!("{tried} failures of {} calls", calls.len());
    assert!(calls.len() >= 60 && tried >= 240, "{tried} failures of {} calls", calls.len());
}

/// What becomes of the application when the kernel does what it is asked, and says that it did not.
enum Sequel {
    /// It starts over, and all is well.
    Recovers,
    /// It lets go once more of what is gone, which the kernel notes. All is well otherwise.
    RecoversAfterMisuse(&'static str),
    /// What the kernel holds without saying so cannot be given to it again, which the kernel notes.
    IsStuck(&'static str),
}

fn sequel(call: &str) -> Sequel {
    match call {
        "mvSetupNotifications" => Sequel::IsStuck("the ring overlaps"),
        "mvOpenChannel" => Sequel::IsStuck("receive_buffer overlaps"),
        "mvCloseChannel" => Sequel::IsStuck("is stale"),
        "mvReleaseNetwork" => Sequel::RecoversAfterMisuse("is stale"),
        _ => Sequel::Recovers,
    }
}

#[test]
fn any_call_may_work_once_and_say_that_it_failed() {
    let calls = undisturbed_calls();
    let statuses = Statuses::read();
    for (index, name) in calls.iter().enumerate() {
        for status in statuses.of(name) {
            let _doing = Doing(format!("call {index}, {name}, answering {status} when it is done"));
            let outcome = run([Fault::call_index(index as u64).status(status).after_effect().into()]);
            let expected_misuse = match sequel(name) {
                Sequel::Recovers => "",
                Sequel::RecoversAfterMisuse(what) | Sequel::IsStuck(what) => what,
            };
            for misuse in &outcome.misuse {
                assert!(!expected_misuse.is_empty() && misuse.what.contains(expected_misuse), "{misuse}");
            }
            if let Sequel::IsStuck(_) = sequel(name) {
                assert!(!outcome.done && !outcome.misuse.is_empty());
                // Memory that the application could not get back is never lent again.
                assert_eq!(outcome.memory_is_free, name != "mvCloseChannel");
            } else {
                assert!(outcome.done, "{:?}", outcome.troubles);
                assert!(outcome.troubles.len() <= 1, "{:?}", outcome.troubles);
                assert!(outcome.memory_is_free);
            }
        }
    }
}

#[test]
fn three_failures_in_a_row_cost_the_memory_only_where_one_was_of_closing() {
    let (mut recovered, mut stuck) = (0, 0);
    for (index, name) in undisturbed_calls().iter().enumerate() {
        let _doing = Doing(format!("calls from {index}, {name}, answering 999"));
        let outcome = run([Fault::call_index(index as u64).times(3).status(999).into()]);
        assert_eq!(outcome.misuse, []);
        assert_eq!(outcome.memory_is_free, outcome.done, "{:?}", outcome.troubles);
        if outcome.done {
            recovered += 1;
        } else {
            // A channel that is dropped tries to close once, and keeps the memory if that fails.
            let failed = |line: &String| line.contains("mvCloseChannel(") && line.contains("injected");
            assert!(outcome.trace.iter().any(failed), "{:?}", outcome.troubles);
            stuck += 1;
        }
    }
    println!("{recovered} times all was well, {stuck} times the memory was lost");
    assert!(recovered > 0 && stuck > 0);
}

#[test]
fn any_two_calls_may_fail() {
    let calls = undisturbed_calls().len() as u64;
    // A Weyl sequence (its step is SplitMix64's), which spreads the indices.
    let mut random = 7_u64;
    let mut next = |range: u64| {
        random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        (random >> 33) % range
    };
    for _ in 0..400 {
        let faults = [next(calls), next(calls + 40)];
        let _doing = Doing(format!("calls {faults:?} answering 999"));
        let outcome = run(faults.map(|index| Fault::call_index(index).status(999).into()));
        let lost = outcome.troubles.iter().any(|trouble| trouble.contains("the memory is taken"));
        assert!(outcome.done || lost, "{:?}", outcome.troubles);
        assert_eq!(outcome.misuse, []);
        assert_eq!(outcome.memory_is_free, !lost);
    }
}

#[test]
fn a_channel_that_never_closes_keeps_its_memory_for_good() {
    let statuses = Statuses::read();
    let documented =
        ["MV_STATUS_INVALIDHANDLE", "MV_STATUS_PARAMETERFAULT"].map(|name| statuses.number(name));
    for status in documented.into_iter().chain([999]) {
        for first in 1..=3 {
            let _doing = Doing(format!("closings from {first} answering {status}"));
            let outcome =
                run([Fault::call("mvCloseChannel").nth(first).times(u64::MAX).status(status).into()]);
            assert!(!outcome.done);
            assert!(!outcome.memory_is_free);
            assert_eq!(outcome.misuse, []);
            assert_eq!(outcome.opens, first, "the memory is not lent to another channel");
            assert!(outcome.troubles[1..].iter().all(|trouble| trouble == "the memory is taken"));
        }
    }
}
