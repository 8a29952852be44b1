//! While a message is in use, its memory is not written to, and its session does not go on.

use microvisor::mqtt::{Connected, Inbox, MqttChannel};

pub fn keep_one_and_read_the_next(channel: &mut MqttChannel<Connected>, inboxes: [&mut Inbox<'_>; 2]) {
    let [first, second] = inboxes;
    let first = channel.try_event(first);
    let second = channel.try_event(second); //~ E0499
    let _ = (first, second);
}

pub fn keep_one_and_reuse_its_memory(channels: [&mut MqttChannel<Connected>; 2], inbox: &mut Inbox<'_>) {
    let [first, second] = channels;
    let first = first.try_event(inbox);
    let second = second.try_event(inbox); //~ E0499
    let _ = (first, second);
}

pub fn keep_one_and_end_the_session(mut channel: MqttChannel<Connected>, inbox: &mut Inbox<'_>) {
    let message = channel.try_event(inbox);
    let closed = channel.close(); //~ E0505
    let _ = (message, closed);
}
