//! A receive buffer is a multiple of 512 bytes that leaves 512 for sending.

use microvisor::{ChannelBuffers, KernelBuffer};

pub fn within_a_unit(memory: KernelBuffer<1024>) -> ChannelBuffers {
    memory.split::<100>() //~ E0080
}

pub fn nothing_to_receive_into(memory: KernelBuffer<1024>) -> ChannelBuffers {
    memory.split::<0>() //~ E0080
}

pub fn nothing_to_send_from(memory: KernelBuffer<1024>) -> ChannelBuffers {
    memory.split::<1024>() //~ E0080
}
