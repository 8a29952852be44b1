//! The kernel writes into a channel's memory until the channel is closed, so it has to live for ever.

use microvisor::{AlignedBytes, KernelBuffer};

pub fn lend_the_stack() {
    let mut bytes = AlignedBytes::<1024>::new();
    let buffer = KernelBuffer::from_static(&mut bytes); //~ E0597
    core::mem::forget(buffer);
}

pub fn lend_what_others_share(bytes: &'static AlignedBytes<1024>) {
    let _ = KernelBuffer::from_static(bytes); //~ E0308
}
