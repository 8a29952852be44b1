//! Two buffers need two units.

use microvisor::{ChannelBuffers, KernelBuffer};

pub fn split(memory: KernelBuffer<512>) -> ChannelBuffers {
    // Both the memory and the receive buffer have the wrong size.
    memory.split::<512>() //~ E0080
    //~ E0080
}
