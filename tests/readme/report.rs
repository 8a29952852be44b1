use core::error::Error;
use core::time::Duration;

use embassy_futures::{join::join, select::select};
use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Topics;
use microvisor::mqtt::{Inbox, Publish, QoS, Subscription};
use microvisor::session::{MemoryPlan, SessionBuilder, WhenOffline};
use microvisor::{DeviceId, HandedBack, KernelMemory, NotificationCenter, kernel_memory};

/// The handler of interrupt 51, a timer's line that is to spare, calls `CENTER.on_interrupt()`.
static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
static MEMORY: KernelMemory<{ MemoryPlan::AWS_LEN }> = kernel_memory!(MemoryPlan::AWS_LEN);

async fn report(mut delay: impl DelayNs + Clone) -> Result<(), Box<dyn Error>> {
    let id = DeviceId::read()?;
    let topics = Topics::new(&id);
    let subscriptions = [Subscription::new(topics.command(), QoS::AtLeastOnce)];
    let memory = MEMORY.take().ok_or("somebody else has the memory")?;
    let builder = SessionBuilder::new(CENTER.open()?, memory, &id).subscriptions(&subscriptions);
    let session = builder.build().map_err(HandedBack::into_error)?;

    let timer = delay.clone();
    let telemetry = async {
        loop {
            let reading = Publish::new(topics.telemetry(), br#"{"temperature_celsius":21.5}"#);
            let patience = WhenOffline::Wait(Duration::from_mins(1));
            // `Ok` only when the broker has it. If not, the next one is due in a minute.
            let _ = session.publish(&reading.with_qos(QoS::AtLeastOnce), patience).await;
            delay.delay_ms(60_000).await;
        }
    };
    let commands = async {
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        // A message that is too large for the inbox is an error, and is thrown away when met again.
        loop {
            if let Ok(command) = session.receive(&mut Inbox::new(&mut topic, &mut payload)).await {
                if command.payload() == b"stop" {
                    session.stop();
                }
                command.acknowledge();
            }
        }
    };
    // Fetches the credentials, connects, subscribes; and again after whatever went wrong.
    select(session.run(timer), join(telemetry, commands)).await;
    Ok(())
}
