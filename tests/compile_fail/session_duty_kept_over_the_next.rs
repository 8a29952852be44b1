//! In a main loop, what came in is dealt with before the session is used again.

use microvisor::aws::StoredProfile;
use microvisor::mqtt::{Inbox, Publish};
use microvisor::session::{Incoming, Session};

pub fn acknowledge_after_the_next(
    session: &mut Session<'_, StoredProfile>,
    first: &mut Inbox<'_>,
    second: &mut Inbox<'_>,
) {
    let message = session.next(first);
    let next = session.next(second); //~ E0499
    let _ = (message, next);
}

pub fn acknowledge_after_the_reply(
    session: &mut Session<'_, StoredProfile>,
    inbox: &mut Inbox<'_>,
    reply: &Publish<'_>,
) {
    if let Some(Incoming::Message(message)) = session.next(inbox) {
        let _ = session.publish_now(reply); //~ E0499
        message.acknowledge();
    }
}
