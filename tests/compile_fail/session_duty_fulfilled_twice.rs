//! A message of a session is acknowledged or left, and once.

use microvisor::session::{Obligation, Received};

pub fn acknowledge_and_leave(message: Received<'_, '_>) {
    message.acknowledge();
    message.leave(); //~ E0382
}

pub fn acknowledge_twice(obligation: Obligation<'_>) {
    obligation.acknowledge();
    obligation.acknowledge(); //~ E0382
}
