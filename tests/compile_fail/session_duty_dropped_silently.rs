//! A message of a session, and the duty to acknowledge it, are not dropped without a word.
#![deny(unused_must_use)]

use microvisor::aws::StoredProfile;
use microvisor::mqtt::{Inbox, Publish};
use microvisor::session::{Obligation, Received, ReceiveError, Session, WhenOffline};

fn obligation<'s>(message: Received<'s, '_>) -> Obligation<'s> {
    message.into_obligation().unwrap()
}

pub async fn ignore_a_message<'b>(
    session: &Session<'_, StoredProfile>,
    inbox: &'b mut Inbox<'_>,
) -> Result<(), ReceiveError<'b>> {
    session.receive(inbox).await?; //~ unused_must_use
    Ok(())
}

pub fn take_the_duty_and_drop_it(message: Received<'_, '_>) {
    message.into_obligation(); //~ unused_must_use
}

pub fn ignore_a_duty(message: Received<'_, '_>) {
    obligation(message); //~ unused_must_use
}

pub fn publish_and_do_not_wait(session: &Session<'_, StoredProfile>, message: &Publish<'_>) {
    session.publish(message, WhenOffline::Fail); //~ unused_must_use
}
