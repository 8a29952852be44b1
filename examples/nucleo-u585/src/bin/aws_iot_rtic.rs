//! The main example's application as three tasks of RTIC.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
mod application;
mod board;

#[rtic::app(device = nucleo_u585::device, peripherals = false, dispatchers = [TIM1_BRK])]
mod app {
    use microvisor::aws::Topics;
    use microvisor::mqtt::Subscription;
    use nucleo_u585::{Timer, worst_case};
    use static_cell::StaticCell;

    use crate::application::{self, Device};
    use crate::board::{self, BoardLog};

    static LOG: StaticCell<BoardLog> = StaticCell::new();
    static TOPICS: StaticCell<Topics> = StaticCell::new();
    static SUBSCRIPTIONS: StaticCell<[Subscription<'static>; 2]> = StaticCell::new();
    static DEVICE: StaticCell<Device<'static, BoardLog>> = StaticCell::new();

    #[shared]
    struct Shared {}

    #[local]
    struct Local {}

    /// The device, which only one thread may use.
    pub struct OnePriority(&'static Device<'static, BoardLog>);

    // SAFETY: it is handed from task to task of one priority, none of which interrupts another.
    unsafe impl Send for OnePriority {}

    #[init]
    fn init(_: init::Context) -> (Shared, Local) {
        // Sent once each: there is room.
        let _ = start::spawn();
        (Shared {}, Local {})
    }

    /// Asleep. Whatever strikes before `wfi` has its tasks run there and then.
    #[idle]
    fn idle(_: idle::Context) -> ! {
        loop {
            cortex_m::asm::wfi();
        }
    }

    #[task(priority = 1)]
    async fn start(_: start::Context) {
        let log: &BoardLog = LOG.init(board::start_log());
        let machine = board::machine(Timer, log).await;
        let id = application::read_id(Timer, log).await;
        let topics = TOPICS.init(Topics::new(&id));
        let subscriptions = SUBSCRIPTIONS.init(application::subscriptions(topics));
        let Ok(device) = Device::new(machine, id, topics, subscriptions) else {
            // The memory is not as planned.
            worst_case::restart()
        };
        let device: &Device<'_, _> = DEVICE.init(device);
        let _ = stay_connected::spawn(OnePriority(device));
        let _ = telemetry::spawn(OnePriority(device));
        let _ = commands::spawn(OnePriority(device));
    }

    #[task(priority = 1)]
    async fn stay_connected(_: stay_connected::Context, device: OnePriority) {
        device.0.stay_connected(Timer).await;
    }

    #[task(priority = 1)]
    async fn telemetry(_: telemetry::Context, device: OnePriority) {
        device.0.telemetry(Timer, board::PLAN).await;
    }

    #[task(priority = 1)]
    async fn commands(_: commands::Context, device: OnePriority) {
        device.0.commands().await;
    }
}
