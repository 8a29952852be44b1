//! The buffers of a channel are the kernel's until the channel is closed.

use microvisor::mqtt::{MqttChannel, Opened};
use microvisor::{ChannelBuffers, Network};

pub fn share_out_anew(network: &Network, mut buffers: ChannelBuffers) {
    let channel = MqttChannel::open(network, buffers);
    let _ = buffers.split_again(512); //~ E0382
    drop(channel);
}

pub fn take_out_of_a_channel(channel: MqttChannel<Opened>) -> ChannelBuffers {
    channel.buffers //~ E0609
}
