//! The layer below `Session`: one connection, the states of which are types.
//!
//! For those who want each step in their own hands. What cannot be done in a state is no method of it,
//! each transition takes the channel and gives it back in another state, and a request is `Ok` only when
//! the broker said so. Nothing here connects again by itself: that is what `microvisor::session` is for,
//! and the main example shows.
//!
//! ```text
//!  ConfigFetch<Opened → Requested → Received> ─close─▶ the same buffers
//!  MqttChannel<Opened → Connecting → Connected → Disconnected> ─close─▶ the same buffers
//! ```
//!
//! `cargo run --example typestate` runs it on the simulator, against the model of AWS IoT.

#[path = "aws_iot/test_pki.rs"]
mod test_pki;

use std::error::Error;

use microvisor::aws::{Profile, Settings, Topics};
use microvisor::config::{ConfigFetch, ConfigKey, ItemMemory};
use microvisor::mqtt::{Event, Inbox, MqttChannel, Publish, QoS, Subscription};
use microvisor::{DeviceId, KernelMemory, Network, NotificationCenter, config_key, kernel_memory};
use microvisor_sim::Device;
use microvisor_sim::broker::model::{ModelBroker, Policy, Thing};
use test_pki::TestPki;

/// A spare timer line, `TIM8_BRK`. On a board, its handler calls `CENTER.on_interrupt()`.
const IRQ: u32 = 51;
static CENTER: NotificationCenter<8> = NotificationCenter::new(IRQ);
/// The kernel writes to it, so it is static, and taken by one at a time.
static MEMORY: KernelMemory<11_264> = kernel_memory!(11_264);

/// A value of the device's own, beside those that AWS IoT needs.
static KEYS: [ConfigKey<'static>; 1] = [config_key!(Device, Config, "location")];

/// What runs on the device.
async fn application() -> Result<(), Box<dyn Error>> {
    let id = DeviceId::read()?;
    let notifications = CENTER.open()?;
    // Dropping it lets the kernel go offline.
    let mut network = Network::request(&notifications)?;
    network.connected().await?;

    // 1. A config fetch: any values of the device's stores.
    let buffers = MEMORY.take().ok_or("somebody else has the memory")?.split::<7168>();
    let requested = ConfigFetch::open(&network, buffers)?.request(&KEYS)?;
    let received = requested.received().await?;
    let mut memory = [0; 32];
    println!("location: {}", received.text(0, &mut ItemMemory::new(&mut memory))?);
    let buffers = received.close()?;

    // 2. The five values that AWS IoT needs, decoded and checked; it is a config fetch as well.
    let mut memory = [0; 4096];
    let (settings, buffers) = Settings::fetch(&network, buffers, &mut memory).await?;
    println!("broker: {}:{}", settings.endpoint().as_str(), settings.port());
    let credentials = settings.credentials();
    let profile = Profile::new(settings.endpoint(), &id, &credentials)?.with_port(settings.port());

    // 3. A connection. The credentials are sent with the request, and not needed after it.
    let connecting = MqttChannel::open(&network, buffers)?.connect(&profile.connect_options())?;
    let mut connected = connecting.connected().await?;

    // 4. Messages come at any time, also while an answer is awaited: `take` sees them all.
    let topics = Topics::new(&id);
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let mut take = |event: Event<'_>| {
        if let Event::Message(message) = event {
            println!("received: {}", String::from_utf8_lossy(message.payload()));
            // Without this, the broker delivers it again.
            if let Err(failed) = message.acknowledge() {
                println!("not acknowledged: {failed}");
            }
        }
    };
    let filters = [Subscription::new(topics.command(), QoS::AtLeastOnce)];
    for outcome in &connected.subscribe(&filters, &mut inbox, &mut take).await? {
        println!("subscribed: {outcome:?}");
    }
    let reading = Publish::new(topics.telemetry(), br#"{"temperature_celsius":21.5}"#);
    let verdict = connected.publish(&reading.with_qos(QoS::AtLeastOnce), &mut inbox, &mut take).await?;
    // With QoS 1 there is one; about QoS 0 a broker says nothing.
    if let Some(reason) = verdict {
        println!("published: {reason}");
    }
    // As long as the program likes; the next thing that happens is the command.
    take(connected.event(&mut inbox).await?);

    // 5. The end, after which the memory is free again.
    let (disconnected, end) = connected.disconnect(&mut inbox, &mut take).await?;
    println!("{end}");
    drop(disconnected.close()?);
    Ok(())
}

/// The device in the simulator: what its stores hold, and who is at the far end.
fn main() -> Result<(), Box<dyn Error>> {
    const HOST: &str = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com";
    const SID: &str = "UV0123456789abcdef0123456789abcdef";
    let pki = TestPki::create(HOST, SID)?;
    let thing = Thing::new(SID, Policy::least_privilege("eu-west-1", "123456789012"));
    let broker = ModelBroker::aws_iot()
        .host(HOST)
        .server_chain([pki.server_certificate])
        .register_certificate(pki.device_certificate.clone(), thing)
        .build();
    broker.at(std::time::Duration::from_secs(2), |broker| {
        broker.publish(format!("command/device/{SID}"), "stop", 1);
    });
    let hex = |der: &[u8]| -> Result<String, Box<dyn Error>> {
        Ok(base16ct::lower::encode_str(der, &mut vec![0; 2 * der.len()])?.to_owned())
    };
    let device = Device::builder()
        .device_id(SID)
        .config("location", "greenhouse 3")
        .config("root-CA", &hex(&pki.root_ca)?)
        .config("cert", &hex(&pki.device_certificate)?)
        .config("broker-host", HOST)
        .config("broker-port", "8883")
        .secret("private_key", &hex(&pki.device_key)?)
        .broker(broker)
        .boot();
    device.bind_interrupt(IRQ, || CENTER.on_interrupt());
    device.block_on(application())
}
