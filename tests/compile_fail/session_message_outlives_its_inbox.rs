//! While a message of a session is in use, its memory is not written to, and its session stays.

use microvisor::aws::StoredProfile;
use microvisor::mqtt::Inbox;
use microvisor::session::{Obligation, Session};

pub fn keep_one_and_reuse_its_memory(session: &Session<'_, StoredProfile>, inbox: &mut Inbox<'_>) {
    let first = session.try_receive(inbox);
    let second = session.try_receive(inbox); //~ E0499
    let _ = (first, second);
}

pub fn keep_a_duty_and_drop_the_session(
    session: Session<'_, StoredProfile>,
    duty: for<'s> fn(&'s Session<'_, StoredProfile>) -> Obligation<'s>,
) {
    let duty = duty(&session);
    drop(session); //~ E0505
    duty.acknowledge();
}
