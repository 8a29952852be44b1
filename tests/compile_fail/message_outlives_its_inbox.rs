//! The memory of a message is not written to while the message is in use.

use microvisor::mqtt::{Connected, Inbox, MqttChannel};

pub fn keep_one_and_read_the_next(channel: &mut MqttChannel<Connected>, inbox: &mut Inbox<'_>) {
    let first = channel.try_event(inbox);
    let second = channel.try_event(inbox); //~ E0499
    let _ = (first, second);
}
