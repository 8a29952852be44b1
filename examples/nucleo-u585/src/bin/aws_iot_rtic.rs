//! The main example's application as three tasks of RTIC.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
mod application;
mod board;
#[path = "board/static_device.rs"]
mod static_device;

#[rtic::app(device = nucleo_u585::device, peripherals = false, dispatchers = [TIM1_BRK])]
mod app {
    use nucleo_u585::Timer;

    use crate::application::Device;
    use crate::board::{self, BoardLog};
    use crate::static_device;

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
        let device = static_device::device().await;
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
