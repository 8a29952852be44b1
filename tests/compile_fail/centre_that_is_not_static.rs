//! The kernel writes into an open centre until it is closed, so it has to live for ever.

use microvisor::{NotificationCenter, NotificationError};

pub fn open_on_the_stack() -> Result<(), NotificationError> {
    let center = NotificationCenter::<8>::new(51);
    let notifications = center.open()?; //~ E0597
    core::mem::forget(notifications);
    Ok(())
}
