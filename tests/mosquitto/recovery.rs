//! What happens to a broker, and how the example's application comes back from it, in real time.

#[path = "../../examples/aws_iot/application.rs"]
mod application;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use application::{Log, Machine, Plan};
use microvisor::session::{MemoryPlan, Policy, SessionBuilder};
use microvisor::{AlignedBytes, DeviceId, KernelMemory, NotificationCenter};
use microvisor_sim::bridge::{Bridge, BridgeOptions};
use microvisor_sim::{Builder, Device, WallClock};
use rcgen::{CertificateParams, date_time_ymd};

use super::SID;
use crate::authority::{Authority, key_file};
use crate::broker::Mosquitto;

/// `TIM8_BRK`.
const IRQ: u32 = 51;
/// Recovering takes a second or two; what takes this long does not happen.
const PATIENCE: Duration = Duration::from_secs(20);
const POLICY: Policy = Policy::new()
    .with_back_off(Duration::from_millis(100), Duration::from_secs(1))
    .with_stable_after(Duration::from_secs(5))
    .with_answer_timeout(Duration::from_secs(2));
/// Without an end.
const PLAN: Plan = Plan { publishes: u32::MAX, interval_ms: 200 };

/// A device on which the example's application runs.
struct Running {
    lines: Receiver<String>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Switches it on, with credentials that this broker accepts.
    fn start(mosquitto: &Mosquitto) -> Self {
        let store = store(&mosquitto.authority, mosquitto.port);
        let (log, lines) = channel();
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let thread = thread::spawn(move || run(&store(Device::builder()).boot(), log, &until));
        Self { lines, ended, thread: Some(thread) }
    }

    /// Reads its log until a line that contains `text`.
    fn wait_for(&self, text: &str) {
        let mut seen = String::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return;
            }
            seen += &line;
            seen.push('\n');
        }
        panic!("the device did not log '{text}':\n{seen}");
    }

    /// It is as it was before: its readings arrive, and it takes commands.
    fn assert_at_work(&self, mosquitto: &Mosquitto) {
        let mut observer = mosquitto.observe(&format!("sensor/device/{SID}"));
        assert!(observer.next_message().starts_with("{\"temperature_celsius\":"));
        self.wait_for("published");
        let command = format!("command/device/{SID}");
        mosquitto.publish(&command, "stop");
        self.wait_for("stopped");
        mosquitto.publish(&command, "restart");
        self.wait_for("restarted");
        self.wait_for("published");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let outcome = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(outcome, Some(Ok(()))), "the device's thread panicked");
    }
}

/// What a device has in its stores for a broker at this port.
fn store(authority: &Authority, port: u16) -> impl FnOnce(Builder) -> Builder + Send + 'static {
    let key = key_file("p256-pkcs8.pem");
    let [certificate, root_ca] = [authority.issue(&key), authority.pem().to_owned()];
    move |builder| {
        builder
            .config("root-CA", &hex(&root_ca))
            .config("cert", &hex(&certificate))
            .config("broker-host", "localhost")
            .config("broker-port", &port.to_string())
            .secret("private_key", &hex(&key))
            .device_id(SID)
            .wall_clock(WallClock::set_when_connected(unix_seconds()))
            .broker(Bridge::new(BridgeOptions::new()))
    }
}

fn run(device: &Device, log: Sender<String>, ended: &AtomicBool) {
    let center: &'static NotificationCenter<8> = Box::leak(Box::new(NotificationCenter::new(IRQ)));
    device.bind_interrupt(IRQ, || center.on_interrupt());
    let bytes = Box::<AlignedBytes<{ MemoryPlan::AWS_LEN }>>::default();
    let memory: &'static KernelMemory<_> =
        Box::leak(Box::new(KernelMemory::from_static(Box::leak(bytes), Box::leak(Box::default()))));
    let id = DeviceId::read().expect("the kernel answers");
    let notifications = center.open().expect("a centre");
    let memory = memory.take().expect("nobody has it");
    let session = SessionBuilder::new(notifications, memory, &id).policy(POLICY);
    let machine = Machine { session, log: &Lines(log) };
    let summary = application::run(machine, &id, PLAN, |until| {
        let soon = device.now() + Duration::from_millis(20);
        device.sleep_until(Duration::from_micros(until).min(soon));
        !ended.load(Ordering::Relaxed)
    });
    assert!(summary.is_ok());
    assert!(device.misuse().is_empty(), "{:?}", device.misuse());
}

/// What a board writes to its log.
struct Lines(Sender<String>);

impl Log for &Lines {
    fn line(&self, what: &str, which: &[u8]) {
        // Nobody reads on at the end.
        let _ = self.0.send(format!("{what}{}", String::from_utf8_lossy(which)));
    }
}

fn hex(pem: &str) -> String {
    let der = pem::parse(pem).expect("it is PEM").into_contents();
    let mut text = vec![0; der.len() * 2];
    base16ct::lower::encode_str(&der, &mut text).expect("it is twice as long").to_owned()
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later").as_secs()
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2020, 2, 29);
}

#[test]
fn the_application_recovers_when_the_broker_is_killed_and_started_again() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    let device = Running::start(&mosquitto);
    for _ in 0..3 {
        device.wait_for("published");
        mosquitto.kill();
        device.wait_for("backing off ");
        mosquitto.restart();
        device.wait_for("online");
        device.assert_at_work(&mosquitto);
    }
}

#[test]
fn the_application_recovers_when_nobody_listens_at_the_port_for_a_while() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    mosquitto.kill();
    let device = Running::start(&mosquitto);
    for _ in 0..4 {
        device.wait_for("backing off 0x7");
    }
    mosquitto.restart();
    device.wait_for("online");
    device.assert_at_work(&mosquitto);
}

#[test]
fn the_application_recovers_when_the_port_answers_nothing_for_a_while() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    let device = Running::start(&mosquitto);
    device.wait_for("published");
    mosquitto.kill();
    // Connections are made, and stay unanswered.
    let addresses = ["127.0.0.1", "::1"];
    let listeners: Vec<_> =
        addresses.iter().filter_map(|&address| TcpListener::bind((address, mosquitto.port)).ok()).collect();
    assert!(!listeners.is_empty(), "the port is not free");
    for _ in 0..2 {
        device.wait_for("backing off 0x0");
    }
    drop(listeners);
    mosquitto.restart();
    device.wait_for("online");
    device.assert_at_work(&mosquitto);
}

#[test]
fn the_application_recovers_when_the_brokers_certificate_was_an_expired_one_for_a_while() {
    let Some(mut mosquitto) = Mosquitto::start() else { return };
    let device = Running::start(&mosquitto);
    device.wait_for("published");
    mosquitto.restart_with(expired);
    for _ in 0..2 {
        device.wait_for("backing off 0x6");
    }
    mosquitto.restart_with(|_| ());
    device.wait_for("online");
    device.assert_at_work(&mosquitto);
}
