//! Two channels need two pieces of memory.

use microvisor::config::ConfigFetch;
use microvisor::mqtt::MqttChannel;
use microvisor::{ChannelBuffers, KernelBuffer, Network};

pub fn open_two(network: &Network, buffers: ChannelBuffers) {
    let first = MqttChannel::open(network, buffers);
    let second = ConfigFetch::open(network, buffers); //~ E0382
    drop((first, second));
}

pub fn copy_buffers(buffers: ChannelBuffers) -> (ChannelBuffers, ChannelBuffers) {
    (buffers.clone(), buffers) //~ E0599
}

pub fn split_twice(memory: KernelBuffer<2048>) -> (ChannelBuffers, ChannelBuffers) {
    (memory.split::<512>(), memory.split::<1024>()) //~ E0382
}
