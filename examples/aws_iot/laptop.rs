//! The device on a laptop: what the application finds in its stores, its memory and its interrupt,
//! and the broker at the far end.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding};
use embassy_futures::select::{Either, select};
use microvisor::aws::Encodings;
use microvisor::session::{MemoryPlan, Policy};
use microvisor::{KernelMemory, NotificationCenter, kernel_memory};
use microvisor_sim::bridge::{Bridge, BridgeOptions};
use microvisor_sim::broker::model::{self, ModelBroker, Thing};
use microvisor_sim::{Builder, Device, WallClock};
use zeroize::Zeroizing;

use crate::application::{self, Machine, Plan, Summary};
use crate::credentials::{Credentials, LONGEST_VALUE};
use crate::operator::Operator;
use crate::options::{Endpoint, Options};
use crate::patience::Patience;
use crate::report::{self, Printer};
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

/// The model's "device data endpoint".
const MODEL_HOST: &str = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com";
const MODEL_REGION: &str = "eu-west-1";
const MODEL_ACCOUNT: &str = "123456789012";
const MQTT_TLS_PORT: u16 = 8883;

/// The broker, and what the device has to know of it.
pub(crate) struct FarEnd {
    broker: Broker,
    endpoint: Endpoint,
    credentials: Credentials,
}

enum Broker {
    Model(ModelBroker),
    Real,
}

impl FarEnd {
    /// A real broker.
    pub(crate) fn real(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self { broker: Broker::Real, endpoint, credentials }
    }

    /// A model of AWS IoT Core that knows the device's certificate. It shows none that the device's
    /// root CA could have issued, so that the root CA is not put to the test.
    pub(crate) fn model_for(sid: &str, credentials: Credentials) -> Self {
        report::print(
            "no --broker, so a model of AWS IoT takes its place: nothing leaves this machine, and the root \
             CA is not put to the test",
        );
        let broker = ModelBroker::aws_iot()
            .host(MODEL_HOST)
            .port(MQTT_TLS_PORT)
            .register_certificate(credentials.certificate.clone(), thing(sid))
            .build();
        Self::model(broker, credentials)
    }

    /// A model of AWS IoT Core with a CA of its own, and the credentials that it handed out.
    pub(crate) fn model_with_test_pki(sid: &str) -> Result<Self, Box<dyn Error>> {
        let pki = TestPki::create(MODEL_HOST, sid)?;
        report::print(
            "made a test CA, a certificate for the broker, and a certificate and key for the device",
        );
        let broker = ModelBroker::aws_iot()
            .host(MODEL_HOST)
            .port(MQTT_TLS_PORT)
            .server_chain([pki.server_certificate])
            .register_certificate(pki.device_certificate.clone(), thing(sid))
            .build();
        let credentials = Credentials {
            root_ca: pki.root_ca,
            certificate: pki.device_certificate,
            private_key: pki.device_key,
            notes: Vec::new(),
            warnings: Vec::new(),
        };
        Ok(Self::model(broker, credentials))
    }

    fn model(broker: ModelBroker, credentials: Credentials) -> Self {
        let endpoint = Endpoint { host: MODEL_HOST.to_owned(), port: MQTT_TLS_PORT };
        Self { broker: Broker::Model(broker), endpoint, credentials }
    }
}

/// The device's Thing, with the guide's policy.
fn thing(sid: &str) -> Thing {
    Thing::new(sid, model::Policy::least_privilege(MODEL_REGION, MODEL_ACCOUNT))
}

/// Boots a device with these credentials in its stores, and runs the application on it.
pub(crate) fn run(options: &Options, far_end: FarEnd) -> Result<String, Box<dyn Error>> {
    let FarEnd { broker, endpoint, credentials } = far_end;
    let encodings = encodings_for(&credentials);
    let mut builder = store(Device::builder(), &endpoint, &credentials, encodings)
        .device_id(&options.sid)
        .wall_clock(WallClock::set_when_connected(unix_seconds()));
    if options.trace {
        builder = builder.trace_to(Box::new(io::stderr()));
    }
    match broker {
        Broker::Model(model) => {
            Operator::new(&options.sid, options.publishes, options.interval).watch(&model);
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
    let machine = Machine {
        notifications: CENTER.open()?,
        memory: MEMORY.take().ok_or("the memory is taken")?,
        memory_plan: MEMORY_PLAN,
        encodings,
        policy: POLICY,
        delay: device.delay(),
        log: Printer::new(|| device.now(), options.publishes, &patience),
    };
    let plan = Plan { publishes: options.publishes, interval_ms: milliseconds(options.interval) };
    let patience = patience.run_out(|| device.now(), device.delay());
    match device.block_on(select(application::run(machine, plan), patience)) {
        Either::First(Ok(Summary { published, commands })) => Ok(format!(
            "done: {published} of {} messages published and acknowledged, commands obeyed: {commands}",
            options.publishes
        )),
        Either::First(Err(error)) => Err(error.into()),
        Either::Second(trouble) => {
            Err(format!("{trouble}; gave up after {:?} (--patience)", options.patience).into())
        }
    }
}

/// Hex, as the guide has it, where each value fits its store that way; otherwise base64.
fn encodings_for(credentials: &Credentials) -> Encodings {
    let Credentials { root_ca, certificate, private_key, .. } = credentials;
    let longest = root_ca.len().max(certificate.len()).max(private_key.len());
    if 2 * longest <= LONGEST_VALUE { Encodings::HEX } else { Encodings::BASE64 }
}

/// Puts into the stores what the guide puts there.
fn store(builder: Builder, endpoint: &Endpoint, credentials: &Credentials, encodings: Encodings) -> Builder {
    let encode = if encodings == Encodings::HEX { hex } else { base64 };
    builder
        .config("root-CA", &encode(&credentials.root_ca))
        .config("cert", &encode(&credentials.certificate))
        .config("broker-host", &endpoint.host)
        .config("broker-port", &endpoint.port.to_string())
        .secret("private_key", &encode(&credentials.private_key))
}

fn base64(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(vec![0; Base64::encoded_len(bytes)]);
    let text = Base64::encode(bytes, &mut text).expect("the room is as long as the text");
    Zeroizing::new(text.to_owned())
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(vec![0; bytes.len() * 2]);
    let text = base16ct::lower::encode_str(bytes, &mut text).expect("there are two digits for each byte");
    Zeroizing::new(text.to_owned())
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
