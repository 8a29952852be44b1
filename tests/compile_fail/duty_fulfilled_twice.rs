//! A message is acknowledged once.

use microvisor::mqtt::{Acknowledgement, Connected, Message, MqttChannel};

pub fn send_again(channel: &mut MqttChannel<Connected>, duty: Acknowledgement) {
    let first = channel.acknowledge(duty);
    let second = channel.acknowledge(duty); //~ E0382
    let _ = (first, second);
}

pub fn acknowledge_and_take_the_duty(message: Message<'_>) -> Option<Acknowledgement> {
    let _ = message.acknowledge();
    message.into_acknowledgement() //~ E0382
}

pub fn copy(duty: &Acknowledgement) -> Acknowledgement {
    duty.clone() //~ E0308
}
