//! A session is for one thread, or one priority.

use microvisor::aws::StoredProfile;
use microvisor::session::Session;

fn share<T: Sync>(_: &T) {}

pub fn from_two_threads(session: &Session<'_, StoredProfile>) {
    share(session); //~ E0277
}
