//! How the kernel says that something happened.
//!
//! The kernel writes a record into a ring that the application provides, and pends an interrupt.
//! If the application is late, records are overwritten, and while it reads them, they change. So a
//! notification is only a hint here: an interrupt wakes whoever waits, and a waiter reads the state
//! it waits for, never the record.
//!
//! ```text
//!  kernel ──record──▶ Ring ◀──clears── on_interrupt() ──wakes──▶ Source.waker ──▶ future polls the kernel
//!         ──pend────▶ IRQ ──────────────────▲
//! ```
//!
//! [`NotificationCenter`] is the static: ring, interrupt number, one [`Source`] a waiter.
//! [`Notifications`] is the open centre, from which networks and channels take a source each.

mod center;
mod ring;
mod source;

pub use center::{CloseNotificationsError, NotificationCenter, NotificationError, Notifications};
pub use source::MAX_SOURCES;
pub(crate) use source::Source;
