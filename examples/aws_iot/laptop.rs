//! The device on a laptop: what the application finds in its stores, its memory and its interrupt,
//! and the broker at the far end.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use microvisor::aws::{Encodings, StoredProfile};
use microvisor::session::{MemoryPlan, Policy, SessionBuilder};
use microvisor::{DeviceId, KernelMemory, NotificationCenter, kernel_memory};
use microvisor_provision::{Credentials, Endpoint};
use microvisor_sim::bridge::{Bridge, BridgeOptions};
use microvisor_sim::broker::model::{self, ModelBroker, ModelBrokerBuilder, Thing};
use microvisor_sim::{Device, WallClock};

use crate::application::{self, Machine, Plan, Summary};
use crate::operator::Operator;
use crate::options::Options;
use crate::patience::Patience;
use crate::report::{self, Printer};
use crate::stores::{MODEL_HOST, Stores};
use crate::test_pki::TestPki;

/// A spare timer line, `TIM8_BRK`.
const IRQ: u32 = 51;
static CENTER: NotificationCenter<8> = NotificationCenter::new(IRQ);
/// More than the [`MemoryPlan::AWS`] of a board, since a laptop also takes RSA-4096 keys.
static MEMORY: KernelMemory<24_576> = kernel_memory!(24_576);
const MEMORY_PLAN: MemoryPlan = MemoryPlan::new(8_192, 12_288, 4_096);
/// People watch, and the broker has one device to serve.
const POLICY: Policy = Policy::new()
    .with_back_off(Duration::from_millis(500), Duration::from_secs(5))
    .with_answer_timeout(Duration::from_secs(10));

const MODEL_REGION: &str = "eu-west-1";
const MODEL_ACCOUNT: &str = "123456789012";

/// The broker, and what the device has to know of it.
pub(crate) struct FarEnd {
    broker: Broker,
    stores: Stores,
}

enum Broker {
    Model(ModelBroker),
    Real,
}

impl FarEnd {
    /// The broker that the stores name.
    pub(crate) fn real(stores: Stores) -> Self {
        Self { broker: Broker::Real, stores }
    }

    /// A model of AWS IoT Core, in the place of the broker that the stores name, that knows the device's
    /// certificate. It shows none that the device's root CA could have issued, so that the root CA is not
    /// put to the test.
    pub(crate) fn model(stores: Stores) -> Result<Self, Box<dyn Error>> {
        report::print(
            "no --broker, so a model of AWS IoT takes its place: nothing leaves this machine, and the root \
             CA is not put to the test",
        );
        let certificate = stores.certificate().ok_or("the device has no certificate")?;
        let broker = model_for(&stores.endpoint).register_certificate(certificate, thing(&stores)).build();
        Ok(Self { broker: Broker::Model(broker), stores })
    }

    /// A model of AWS IoT Core with a CA of its own, and the credentials that it handed out.
    pub(crate) fn model_with_test_pki(options: &Options) -> Result<Self, Box<dyn Error>> {
        let pki = TestPki::create(MODEL_HOST, options.sid.as_deref().unwrap_or("device"))?;
        report::print(
            "made a test CA, a certificate for the broker, and a certificate and key for the device",
        );
        let credentials = Credentials::new(pki.root_ca, pki.device_certificate.clone(), pki.device_key);
        let stores = Stores::of(&credentials, options)?;
        let broker = model_for(&stores.endpoint)
            .server_chain([pki.server_certificate])
            .register_certificate(pki.device_certificate, thing(&stores))
            .build();
        Ok(Self { broker: Broker::Model(broker), stores })
    }
}

fn model_for(endpoint: &Endpoint) -> ModelBrokerBuilder {
    ModelBroker::aws_iot().host(endpoint.host()).port(endpoint.port().get())
}

/// The device's Thing, with the guide's policy.
fn thing(stores: &Stores) -> Thing {
    let region = stores.endpoint.aws_region().unwrap_or(MODEL_REGION);
    Thing::new(&stores.sid, model::Policy::least_privilege(region, MODEL_ACCOUNT))
}

/// Boots a device with this in its stores, and runs the application on it.
pub(crate) fn run(options: &Options, far_end: FarEnd) -> Result<String, Box<dyn Error>> {
    let FarEnd { broker, stores } = far_end;
    let encodings = stores.encodings;
    let mut builder =
        stores.load(Device::builder())?.wall_clock(WallClock::set_when_connected(unix_seconds()));
    if options.trace {
        builder = builder.trace_to(Box::new(io::stderr()));
    }
    match broker {
        Broker::Model(model) => {
            Operator::new(&stores.sid, options.publishes, options.interval).watch(&model);
            run_on(&builder.broker(model).boot(), options, encodings)
        }
        Broker::Real => {
            let bridge = Bridge::new(BridgeOptions::new());
            let log = bridge.log();
            let outcome = run_on(&builder.broker(bridge).boot(), options, encodings);
            if outcome.is_err() {
                // The device is told less than the laptop knows.
                log.lines().iter().for_each(|line| eprintln!("note: {line}"));
            }
            outcome
        }
    }
}

fn run_on(device: &Device, options: &Options, encodings: Encodings) -> Result<String, Box<dyn Error>> {
    device.bind_interrupt(IRQ, || CENTER.on_interrupt());
    let patience = Patience::of(options.patience);
    let log = Printer::new(|| device.now(), options.publishes, &patience);
    let id = DeviceId::read()?;
    let session = SessionBuilder::new(CENTER.open()?, MEMORY.take().ok_or("the memory is taken")?, &id)
        .memory_plan(MEMORY_PLAN)
        .profile(StoredProfile::new().with_encodings(encodings))
        .policy(POLICY);
    let machine = Machine { session, log: &log };
    let plan = Plan { publishes: options.publishes, interval_ms: milliseconds(options.interval) };
    let summary = application::run(machine, &id, plan, |until| {
        let left = patience.left(device.now());
        device.sleep_until(Duration::from_micros(until).min(device.now() + left));
        !left.is_zero()
    })?;
    let Summary { published, commands, is_done } = summary;
    if is_done {
        Ok(format!(
            "done: {published} of {} messages published and acknowledged, commands obeyed: {commands}",
            options.publishes
        ))
    } else {
        let trouble = patience.trouble();
        Err(format!("{trouble}; gave up after {:?} (--patience)", options.patience).into())
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
