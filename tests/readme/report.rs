use core::error::Error;

use microvisor::aws::{Profile, Settings, Topics};
use microvisor::mqtt::{Event, Inbox, MqttChannel, Publish, QoS, Subscription};
use microvisor::{DeviceId, KernelMemory, Network, NotificationCenter, kernel_memory};

/// The handler of interrupt 51, a timer's line that is to spare, calls `CENTER.on_interrupt()`.
static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
static MEMORY: KernelMemory<11264> = kernel_memory!(11264);

async fn report() -> Result<(), Box<dyn Error>> {
    let id = DeviceId::read()?;
    let topics = Topics::new(&id);
    let notifications = CENTER.open()?;
    let mut network = Network::request(&notifications)?;
    network.connected().await?;

    // The root CA, the certificate and its key, the broker's host and port.
    let buffers = MEMORY.take().ok_or("somebody else has the memory")?.split::<7168>();
    let mut memory = [0; 7168];
    let (settings, buffers) = Settings::fetch(&network, buffers, &mut memory).await?;
    let credentials = settings.credentials();
    let profile = Profile::new(settings.endpoint(), &id, &credentials)?.with_port(settings.port());

    let channel = MqttChannel::open(&network, buffers)?;
    let mut session = channel.connect(&profile.connect_options())?.connected().await?;

    let (mut topic, mut payload) = ([0; 128], [0; 1024]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    // A message can come at any time; it comes again until it is acknowledged.
    let mut take = |event: Event<'_>| {
        if let Event::Message(command) = event {
            let _ = command.acknowledge();
        }
    };
    let commands = Subscription::new(topics.command(), QoS::AtLeastOnce);
    let granted = session.subscribe(&[commands], &mut inbox, &mut take).await?;
    assert!(granted.iter().all(|outcome| outcome.is_granted()));

    let reading = Publish::new(topics.telemetry(), br#"{"temperature_celsius":21.5}"#);
    session.publish(&reading.with_qos(QoS::AtLeastOnce), &mut inbox, &mut take).await?;
    session.disconnect(&mut inbox, take).await?;
    Ok(())
}
