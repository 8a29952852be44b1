//! A device in front of AWS, an application on a session, and what both saw.

#![allow(dead_code)] // Each test file uses its part.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Topics;
use microvisor::mqtt::{Inbox, Publish, QoS, ReasonCode, Subscription};
use microvisor::session::{
    Acknowledged, BrokerProfile, Event, MemoryPlan, Observer, Policy, PublishError, Session, SessionBuilder,
    State, WhenOffline,
};
use microvisor::{AlignedBytes, DeviceId, KernelMemory, NotificationCenter, TakenFlag};
use microvisor_sim::broker::model::{self, ModelBroker, ModelBrokerBuilder, Thing};
use microvisor_sim::{Builder, Device};

use crate::pki::{Authority, Certificate};
use crate::stored::{HOST, Stored, hex};

pub const ID: &str = "UV0123456789abcdef0123456789abcdef";
/// `TIM8_BRK`.
pub const IRQ: u32 = 51;
/// How often the application publishes.
pub const INTERVAL: Duration = Duration::from_secs(10);

/// What AWS and whoever provisions a device agree on.
pub struct Provisioned {
    pub authority: Authority,
    pub device: Certificate,
}

impl Provisioned {
    pub fn new() -> Self {
        let authority = Authority::new("Root CA");
        let device = authority.client(ID);
        Self { authority, device }
    }

    /// AWS, with the device and the policy of the guide.
    pub fn aws(&self) -> ModelBrokerBuilder {
        let server = self.authority.server(HOST);
        let policy = model::Policy::least_privilege("eu-west-1", "123456789012");
        ModelBroker::aws_iot()
            .host(HOST)
            .public_ca(false)
            .server_chain([server.der])
            .register_certificate(self.device.der.clone(), Thing::new(ID, policy))
    }

    pub fn stored(&self) -> Stored {
        Stored::new(&self.authority, &self.device, hex)
    }
}

/// A device that is provisioned, in front of AWS.
pub struct World {
    pub broker: ModelBroker,
    pub stored: Stored,
    pub provisioned: Provisioned,
    pub seen: Rc<Seen>,
    pub memory: &'static KernelMemory<{ MemoryPlan::AWS_LEN }>,
    pub center: &'static NotificationCenter<8>,
    /// Last, so that what is left when it is dropped is misuse.
    pub device: Device,
}

impl World {
    pub fn new() -> Self {
        Self::with(|builder| builder, |broker| broker)
    }

    pub fn with(
        device: impl FnOnce(Builder) -> Builder,
        broker: impl FnOnce(ModelBrokerBuilder) -> ModelBrokerBuilder,
    ) -> Self {
        let provisioned = Provisioned::new();
        let broker = broker(provisioned.aws()).build();
        Self::before(provisioned, broker, device)
    }

    /// In front of another broker.
    pub fn before(
        provisioned: Provisioned,
        broker: ModelBroker,
        device: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let device = device(Device::builder().device_id(ID).broker(broker.clone())).boot();
        let stored = provisioned.stored();
        stored.store_on(&device);
        let center: &'static NotificationCenter<8> = Box::leak(Box::new(NotificationCenter::new(IRQ)));
        device.bind_interrupt(IRQ, || center.on_interrupt());
        let memory = Box::leak(Box::new(KernelMemory::from_static(
            Box::leak(Box::<AlignedBytes<{ MemoryPlan::AWS_LEN }>>::default()),
            Box::leak(Box::<TakenFlag>::default()),
        )));
        Self { broker, stored, provisioned, seen: Rc::default(), memory, center, device }
    }

    /// A session for AWS, all of whose events are kept.
    pub fn builder(&self) -> SessionBuilder<'static, microvisor::aws::StoredProfile, Watcher> {
        self.builder_for(ID)
    }

    /// The same, of a device with another id.
    pub fn builder_for(&self, id: &str) -> SessionBuilder<'static, microvisor::aws::StoredProfile, Watcher> {
        let notifications = self.center.open().expect("the centre opens");
        let memory = self.memory.take().expect("the memory is free");
        let id = Box::leak(Box::new(DeviceId::parse(id).expect("an id")));
        SessionBuilder::new(notifications, memory, id).observer(Watcher(self.seen.clone())).policy(policy())
    }

    /// Runs the application for so long.
    pub fn run<P: BrokerProfile, O: Observer, const N: usize>(
        &self,
        session: &Session<'_, P, O, N>,
        duration: Duration,
    ) {
        let application = application(session, self.device.delay(), &self.seen);
        let end = async { self.device.delay().delay_ms(millis(duration)).await };
        self.device.block_on(select(select(session.run(self.device.delay()), application), end));
    }

    /// Runs the session for so long, without an application.
    pub fn run_alone<P: BrokerProfile, O: Observer, const N: usize>(
        &self,
        session: &Session<'_, P, O, N>,
        duration: Duration,
    ) {
        self.while_running(session, async { self.device.delay().delay_ms(millis(duration)).await });
    }

    /// Runs the session for as long as `future` takes.
    pub fn while_running<P: BrokerProfile, O: Observer, const N: usize, T>(
        &self,
        session: &Session<'_, P, O, N>,
        future: impl Future<Output = T>,
    ) -> T {
        let running = async {
            session.run(self.device.delay()).await;
            std::future::pending::<()>().await;
        };
        match self.device.block_on(select(running, future)) {
            Either::First(()) => unreachable!("it never ends"),
            Either::Second(value) => value,
        }
    }

    pub fn now(&self) -> Duration {
        self.device.now()
    }
}

pub fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).expect("some weeks")
}

/// Shorter times than the default, so that long histories are short.
pub fn policy() -> Policy {
    Policy::new()
        .with_back_off(Duration::from_secs(1), Duration::from_mins(1))
        .with_stable_after(Duration::from_secs(30))
        .with_answer_timeout(Duration::from_secs(10))
}

/// What became of a publish.
pub type Verdict = Result<Option<ReasonCode>, PublishError>;
/// When a payload was received, and what became of its acknowledgement.
pub type Receipt = (Duration, Vec<u8>, Option<Acknowledged>);

/// What the application and the observer saw.
#[derive(Default)]
pub struct Seen {
    pub published: RefCell<Vec<(Duration, Verdict)>>,
    pub received: RefCell<Vec<Receipt>>,
    pub not_received: RefCell<Vec<String>>,
    pub states: RefCell<Vec<(Duration, State)>>,
    pub events: RefCell<Vec<String>>,
    number: Cell<u32>,
}

impl Seen {
    /// When a publish was last accepted.
    pub fn last_success(&self) -> Option<Duration> {
        self.published.borrow().iter().rev().find(|(_, outcome)| outcome.is_ok()).map(|(at, _)| *at)
    }

    /// When a publish was first accepted after `since`.
    pub fn first_success_after(&self, since: Duration) -> Option<Duration> {
        let published = self.published.borrow();
        published.iter().find(|(at, outcome)| *at > since && outcome.is_ok()).map(|(at, _)| *at)
    }

    pub fn states_since(&self, since: Duration) -> Vec<State> {
        self.states.borrow().iter().filter(|(at, _)| *at >= since).map(|(_, state)| *state).collect()
    }

    pub fn payloads(&self) -> Vec<Vec<u8>> {
        self.received.borrow().iter().map(|(_, payload, _)| payload.clone()).collect()
    }
}

/// Keeps all events.
pub struct Watcher(pub Rc<Seen>);

impl Observer for Watcher {
    fn event(&mut self, event: &Event<'_>) {
        let now = microvisor::clock::uptime().unwrap_or_default();
        if let Event::State(state) = event {
            self.0.states.borrow_mut().push((now, *state));
        }
        self.0.events.borrow_mut().push(event.to_string());
    }
}

/// The subscriptions of the guide.
pub fn subscriptions() -> &'static [Subscription<'static>] {
    let topics: &'static Topics = Box::leak(Box::new(Topics::new(&DeviceId::parse(ID).expect("an id"))));
    Box::leak(Box::new([
        Subscription::new(topics.command(), QoS::AtLeastOnce),
        Subscription::new(topics.broadcast(), QoS::AtLeastOnce),
    ]))
}

/// Publishes at intervals, and acknowledges what it receives.
pub async fn application<P: BrokerProfile, O: Observer, const N: usize>(
    session: &Session<'_, P, O, N>,
    delay: impl DelayNs,
    seen: &Seen,
) {
    join(telemetry(session, delay, seen), commands(session, seen)).await;
}

async fn telemetry<P: BrokerProfile, O: Observer, const N: usize>(
    session: &Session<'_, P, O, N>,
    mut delay: impl DelayNs,
    seen: &Seen,
) {
    let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
    loop {
        let payload = seen.number.replace(seen.number.get() + 1).to_string();
        let reading = Publish::new(topics.telemetry(), payload.as_bytes()).with_qos(QoS::AtLeastOnce);
        let outcome = session.publish(&reading, WhenOffline::Wait(INTERVAL)).await;
        let now = microvisor::clock::uptime().unwrap_or_default();
        seen.published.borrow_mut().push((now, outcome));
        delay.delay_ms(millis(INTERVAL)).await;
    }
}

/// Acknowledges what it receives.
pub async fn commands<P: BrokerProfile, O: Observer, const N: usize>(
    session: &Session<'_, P, O, N>,
    seen: &Seen,
) {
    let (mut topic, mut payload) = ([0; 256], [0; 512]);
    loop {
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        match session.receive(&mut inbox).await {
            Ok(message) => {
                let payload = message.payload().to_vec();
                let acknowledged = message.acknowledge();
                let now = microvisor::clock::uptime().unwrap_or_default();
                seen.received.borrow_mut().push((now, payload, acknowledged));
            }
            Err(error) => seen.not_received.borrow_mut().push(error.to_string()),
        }
    }
}
