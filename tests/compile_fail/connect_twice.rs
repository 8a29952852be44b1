//! A channel connects once in its life.

use microvisor::mqtt::{ConnectOptions, Connected, Connecting, Disconnected, MqttChannel, Opened};

pub fn connect_again(channel: MqttChannel<Opened>, options: &ConnectOptions<'_>) {
    let first = channel.connect(options);
    let second = channel.connect(options); //~ E0382
    drop((first, second));
}

pub fn connect_while_connecting(channel: MqttChannel<Connecting>, options: &ConnectOptions<'_>) {
    let _ = channel.connect(options); //~ E0599
}

pub fn connect_when_connected(channel: MqttChannel<Connected>, options: &ConnectOptions<'_>) {
    let _ = channel.connect(options); //~ E0599
}

pub fn connect_when_over(channel: MqttChannel<Disconnected>, options: &ConnectOptions<'_>) {
    let _ = channel.connect(options); //~ E0599
}
