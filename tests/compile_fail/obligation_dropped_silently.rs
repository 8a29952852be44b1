//! A message, and the duty to acknowledge it, are not dropped without a word.
#![deny(unused_must_use)]

use microvisor::mqtt::{Acknowledgement, Event, EventError, Connected, Inbox, Message, MqttChannel};

fn next<'b>(channel: &'b mut MqttChannel<Connected>, inbox: &'b mut Inbox<'_>) -> Message<'b> {
    match channel.try_event(inbox) {
        Ok(Some(Event::Message(message))) => message,
        _ => unreachable!(),
    }
}

fn duty(message: Message<'_>) -> Acknowledgement {
    message.into_acknowledgement().unwrap()
}

pub fn ignore_a_message(channel: &mut MqttChannel<Connected>, inbox: &mut Inbox<'_>) {
    next(channel, inbox); //~ unused_must_use
}

pub fn take_the_duty_and_drop_it(message: Message<'_>) {
    message.into_acknowledgement(); //~ unused_must_use
}

pub fn ignore_a_duty(message: Message<'_>) {
    duty(message); //~ unused_must_use
}

pub fn ignore_whether_it_was_taken(message: Message<'_>) {
    message.acknowledge(); //~ unused_must_use
}

pub fn ignore_whether_it_was_sent(channel: &mut MqttChannel<Connected>, duty: Acknowledgement) {
    channel.acknowledge(duty); //~ unused_must_use
}

pub async fn ignore_an_event(
    channel: &mut MqttChannel<Connected>,
    inbox: &mut Inbox<'_>,
) -> Result<(), EventError> {
    channel.event(inbox).await?; //~ unused_must_use
    Ok(())
}
