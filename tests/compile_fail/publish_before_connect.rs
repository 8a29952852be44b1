//! A channel that is only open, or only connecting, cannot publish.

use microvisor::mqtt::{Connecting, MqttChannel, Opened, Publish};

pub fn publish_when_open(mut channel: MqttChannel<Opened>, message: &Publish<'_>) {
    channel.request_publish(message).unwrap(); //~ E0599
}

pub fn publish_when_connecting(mut channel: MqttChannel<Connecting>, message: &Publish<'_>) {
    channel.request_publish(message).unwrap(); //~ E0599
}
