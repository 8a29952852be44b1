//! The kernel writes into a channel's memory until the channel is closed, so it has to live for ever.

use microvisor::{AlignedBytes, KernelMemory, TakenFlag};

pub fn lend_the_stack(taken: &'static mut TakenFlag) {
    let mut bytes = AlignedBytes::<1024>::new();
    let memory = KernelMemory::from_static(&mut bytes, taken); //~ E0597
    core::mem::forget(memory.take());
}

pub fn lend_what_others_share(bytes: &'static AlignedBytes<1024>, taken: &'static mut TakenFlag) {
    let _ = KernelMemory::from_static(bytes, taken); //~ E0308
}
