//! A session that is over takes no requests.

use microvisor::mqtt::{Connected, Disconnected, Inbox, MqttChannel, Publish};

pub fn publish_when_over(mut channel: MqttChannel<Disconnected>, message: &Publish<'_>) {
    channel.request_publish(message).unwrap(); //~ E0599
}

pub async fn publish_after_disconnecting(
    mut channel: MqttChannel<Connected>,
    message: &Publish<'_>,
    inbox: &mut Inbox<'_>,
) {
    let ended = channel.disconnect(inbox, |_| ()).await;
    let _ = channel.request_publish(message); //~ E0382
    drop(ended);
}
