//! What a session and its futures take, in bytes; for the host and, in `tests/minimal_image`, for the
//! board.

#[path = "../../examples/aws_iot/application.rs"]
mod application;

use core::future::Future;

use application::{Application, Log};
use embedded_hal_async::delay::DelayNs;
use microvisor::NotificationCenter;
use microvisor::aws::StoredProfile;
use microvisor::mqtt::Inbox;
use microvisor::session::{MemoryPlan, Publishing, Session};

type Aws<const PUBLISHES: usize> = Session<'static, StoredProfile, (), PUBLISHES>;

/// The kernel's memory for channels, and in the same bytes the credentials, RSA-2048 ones in hex.
pub const MEMORY: usize = MemoryPlan::AWS_LEN;
/// Of that, what keeps the credentials while the session lasts, by [`MemoryPlan::AWS`].
pub const VALUES: usize = 4_096;
/// The notification centre, with a ring of 8.
pub const CENTER: usize = size_of::<NotificationCenter<8>>();
/// A session with AWS IoT, for 4 publishes at a time, as is the default.
pub const SESSION: usize = size_of::<Aws<4>>();
/// The same for one at a time.
pub const SESSION_OF_ONE: usize = size_of::<Aws<1>>();
/// [`Session::run`], with a delay without a size.
pub const RUN: usize = of_future_of_2::<&'static Aws<4>, NoDelay, _>(Session::run);
/// [`Session::publish`].
pub const PUBLISH: usize = size_of::<Publishing<'static, 'static, 'static, StoredProfile, (), 4>>();
/// [`Session::receive`], without the inbox.
pub const RECEIVE: usize =
    of_future_of_2::<&'static Aws<4>, &'static mut Inbox<'static>, _>(Session::receive);
/// The example's application, session and inbox included.
pub const APPLICATION: usize = size_of::<Application<'static, NoLog>>();

const fn of_future_of_2<A, B, F: Future>(_: fn(A, B) -> F) -> usize {
    size_of::<F>()
}

#[derive(Clone, Copy)]
pub struct NoDelay;

impl DelayNs for NoDelay {
    async fn delay_ns(&mut self, _: u32) {}
}

#[derive(Clone, Copy)]
pub struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str, _: &[u8]) {}
}
