//! A message is acknowledged once.

use microvisor::mqtt::{Acknowledgement, Message};

pub fn send_again(duty: Acknowledgement) {
    let first = duty.send();
    let second = duty.send(); //~ E0382
    let _ = (first, second);
}

pub fn acknowledge_and_take_the_duty(message: Message<'_>) -> Option<Acknowledgement> {
    let _ = message.acknowledge();
    message.into_acknowledgement() //~ E0382
}

pub fn copy(duty: &Acknowledgement) -> Acknowledgement {
    duty.clone() //~ E0308
}
