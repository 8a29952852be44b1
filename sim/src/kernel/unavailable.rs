//! Calls for things that the model does not have: byte streams, HTTP, external flash and Wi-Fi.

use microvisor::sys;

use super::{Kernel, Outcome};

impl Kernel {
    /// A call on a channel of a type that cannot be opened here, so that no handle can be right.
    pub(crate) fn no_such_channel(&mut self, handle: u32) -> Outcome {
        self.require(handle, "byte stream or HTTP channel", |_| false)
    }
}

/// A call for hardware that this board lacks, or for the platform's own tests.
pub(crate) fn not_on_this_board(_: &mut Kernel) -> Outcome {
    Err(sys::MV_STATUS_UNAVAILABLE)
}

/// `mvNoOp`.
#[allow(clippy::unnecessary_wraps)] // A system call like any other.
pub(crate) fn no_op(_: &mut Kernel) -> Outcome {
    Ok(())
}
