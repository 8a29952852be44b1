//! The main example's application under RTIC: the notifications' interrupt is a task of it, and its idle task
//! polls the three futures.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
#[allow(dead_code, reason = "the main loop is not for futures")]
mod application;
mod board;
#[path = "board/static_device.rs"]
mod static_device;
#[path = "../../../aws_iot/tasks.rs"]
mod tasks;

#[rtic::app(device = nucleo_u585::device, peripherals = false)]
mod app {
    use embassy_futures::join::join3;
    use nucleo_u585::{Timer, worst_case};

    use crate::board::{CENTER, PLAN};
    use crate::static_device;

    #[shared]
    struct Shared {}

    #[local]
    struct Local {}

    #[init]
    fn init(_: init::Context) -> (Shared, Local) {
        (Shared {}, Local {})
    }

    /// Wakes who waits for a notification. It calls nothing of the kernel's.
    #[task(binds = TIM1_BRK, priority = 1)]
    fn notified(_: notified::Context) {
        CENTER.on_interrupt();
    }

    /// The application, in thread mode.
    ///
    /// RTIC runs software tasks in the handlers of interrupts, where nothing says that the kernel takes system
    /// calls; those of priority 0 it runs in thread mode, but then it never sleeps. So the futures are no
    /// tasks of its own: they are polled here, below all tasks, and the processor sleeps between interrupts.
    #[idle]
    fn idle(_: idle::Context) -> ! {
        let device = static_device::device();
        let (connection, telemetry) = (device.stay_connected(Timer), device.telemetry(Timer, PLAN));
        super::run(join3(connection, telemetry, device.commands()));
        // Commands are waited for without end.
        worst_case::give_up()
    }
}

#[cfg(target_arch = "arm")]
fn run(application: impl Future) {
    microvisor::block_on(&mut microvisor::WaitForInterrupt::new(), application);
}

/// The compiler for a host, on which no interrupt ends a sleep, only has a look at it.
#[cfg(not(target_arch = "arm"))]
fn run(_: impl Future) {}
