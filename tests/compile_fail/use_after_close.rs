//! What is closed is gone.

use microvisor::config::{ConfigFetch, ConfigKey, Opened};
use microvisor::mqtt::{Connected, MqttChannel, Publish};
use microvisor::{Network, Notifications};

pub fn publish_on_a_closed_channel(mut channel: MqttChannel<Connected>, message: &Publish<'_>) {
    let buffers = channel.close();
    let _ = channel.request_publish(message); //~ E0382
    drop(buffers);
}

pub fn request_on_a_closed_channel(fetch: ConfigFetch<Opened>, keys: &[ConfigKey<'_>]) {
    let buffers = fetch.close();
    let _ = fetch.request(keys); //~ E0382
    drop(buffers);
}

pub fn ask_a_released_network(network: Network) {
    let released = network.release();
    let _ = network.status(); //~ E0382
    drop(released);
}

pub fn use_closed_notifications(notifications: Notifications) {
    let closed = notifications.close();
    let _ = Network::request(&notifications); //~ E0382
    drop(closed);
}
