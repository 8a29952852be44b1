//! The messages that have yet to be acknowledged.

use core::cell::{Cell, RefCell};
use core::fmt;

use heapless::Deque;

use crate::mqtt::{AcknowledgeError, Acknowledgement};
use crate::notifications::Source;
use crate::{HandedBack, Recovery};

/// How many messages may be received and not yet acknowledged, by the application or by the kernel.
pub const MAX_UNACKNOWLEDGED: usize = 8;

/// What is owed to the broker, and in whose hands it is.
///
/// Apart from the rest of the session, so that an [`Obligation`] need not know the session's type.
pub(super) struct Duties {
    /// Number and handle of the session with the broker, while there is one.
    session: Cell<Option<(u32, u32)>>,
    /// How many obligations are out.
    outstanding: Cell<usize>,
    /// How many were dropped without a word.
    forgotten: Cell<u32>,
    /// Why an acknowledgement failed for good.
    failed: Cell<Option<AcknowledgeError>>,
    /// Acknowledgements that the kernel had no room for, in order.
    owed: RefCell<Deque<Acknowledgement, MAX_UNACKNOWLEDGED>>,
    /// Publishes that nobody waits for any more, a bit each; dropped while the session was in use.
    abandoned: Cell<u32>,
    /// Whether the session is to be online.
    wanted: Cell<bool>,
    /// Whether whoever runs the session has to look at the above.
    attention: Cell<bool>,
    /// Wakes whoever runs the session.
    runner: Source,
}

impl Duties {
    pub(super) const fn new(runner: Source) -> Self {
        Self {
            session: Cell::new(None),
            outstanding: Cell::new(0),
            forgotten: Cell::new(0),
            failed: Cell::new(None),
            owed: RefCell::new(Deque::new()),
            abandoned: Cell::new(0),
            wanted: Cell::new(false),
            attention: Cell::new(false),
            runner,
        }
    }

    /// A session with the broker began.
    pub(super) fn begin(&self, session: u32, handle: u32) {
        self.session.set(Some((session, handle)));
        self.failed.set(None);
    }

    /// It ended: the broker delivers again what was not acknowledged.
    pub(super) fn end(&self) {
        self.session.set(None);
        self.failed.set(None);
        if let Ok(mut owed) = self.owed.try_borrow_mut() {
            owed.clear();
        }
    }

    /// How many messages are out or owed.
    fn unsettled(&self) -> usize {
        self.outstanding.get() + self.owed.try_borrow().map_or(0, |owed| owed.len())
    }

    pub(super) fn outstanding(&self) -> usize {
        self.outstanding.get()
    }

    pub(super) fn has_room(&self) -> bool {
        self.unsettled() < MAX_UNACKNOWLEDGED
    }

    pub(super) fn owes(&self) -> bool {
        self.owed.try_borrow().is_ok_and(|owed| !owed.is_empty())
    }

    pub(super) fn take_forgotten(&self) -> u32 {
        self.forgotten.take()
    }

    pub(super) fn take_failure(&self) -> Option<AcknowledgeError> {
        self.failed.take()
    }

    /// One more message that has to be acknowledged.
    pub(super) fn incur(&self, acknowledgement: Acknowledgement) -> Obligation<'_> {
        self.outstanding.set(self.outstanding.get() + 1);
        Obligation { duties: self, acknowledgement: Some(acknowledgement) }
    }

    /// Sends what is owed, as far as the kernel takes it. Whether it took anything.
    pub(super) fn settle(&self) -> bool {
        let mut some = false;
        let Ok(mut owed) = self.owed.try_borrow_mut() else { return some };
        while let Some(acknowledgement) = owed.pop_front() {
            match self.send(acknowledgement) {
                Ok(_) => some = true,
                Err(acknowledgement) => {
                    // It has just been taken from there.
                    let _ = owed.push_front(acknowledgement);
                    break;
                }
            }
        }
        some
    }

    /// `Err` hands back what can be sent later.
    fn send(&self, acknowledgement: Acknowledgement) -> Result<Acknowledged, Acknowledgement> {
        let Some((session, handle)) = self.session.get() else { return Ok(Acknowledged::TooLate) };
        if !acknowledgement.is_of(session) || self.failed.get().is_some() {
            return Ok(Acknowledged::TooLate);
        }
        match acknowledgement.send(handle) {
            Ok(()) => Ok(Acknowledged::Sent),
            Err(HandedBack { error, value }) if error.recovery() == Recovery::Retry => Err(value),
            Err(failed) => {
                // The order is broken, or the channel is: a new session delivers again.
                self.failed.set(Some(failed.error));
                self.call_attention();
                Ok(Acknowledged::TooLate)
            }
        }
    }

    fn acknowledge(&self, acknowledgement: Acknowledgement) -> Acknowledged {
        let owed = if self.owes() { Err(acknowledgement) } else { self.send(acknowledgement) };
        let acknowledgement = match owed {
            Ok(acknowledged) => return acknowledged,
            Err(acknowledgement) => acknowledgement,
        };
        let queued = match self.owed.try_borrow_mut() {
            // There is room: no more are out than fit.
            Ok(mut owed) => owed.push_back(acknowledgement).is_ok(),
            Err(_) => false,
        };
        self.call_attention();
        if queued { Acknowledged::Queued } else { Acknowledged::TooLate }
    }

    fn release(&self) {
        if !self.has_room() {
            // There is room for a message now, and perhaps one waits.
            self.call_attention();
        }
        self.outstanding.set(self.outstanding.get().saturating_sub(1));
    }

    /// Asks for the session to be online, or to stop.
    pub(super) fn want(&self, online: bool) {
        self.wanted.set(online);
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// Nobody waits for publish `slot` any more.
    pub(super) fn abandon(&self, slot: usize) {
        self.abandoned.set(self.abandoned.get() | 1 << slot);
    }

    pub(super) fn take_abandoned(&self) -> u32 {
        self.abandoned.take()
    }

    pub(super) fn runner(&self) -> &Source {
        &self.runner
    }

    /// Whether there is a failure, something owed or something forgotten since this was last asked.
    pub(super) fn take_attention(&self) -> bool {
        self.attention.take()
    }

    fn call_attention(&self) {
        self.attention.set(true);
        self.runner.wake();
    }
}

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Acknowledged {
    /// The kernel has it.
    Sent,
    /// The kernel has no room for it now; the session sends it as soon as it has, before all later
    /// ones.
    Queued,
    /// The session that the message came in is over, or is given up: the broker delivers the message
    /// again.
    TooLate,
}

/// The duty to acknowledge one message of QoS 1 or 2.
///
/// One that is dropped is told to the [observer](super::Observer) as
/// [`Event::Forgotten`](super::Event::Forgotten).
#[must_use = "the message is delivered again until it is acknowledged"]
pub struct Obligation<'s> {
    duties: &'s Duties,
    acknowledgement: Option<Acknowledgement>,
}

impl Obligation<'_> {
    /// Tells the broker that the message is dealt with. In the order of these calls, and each once.
    pub fn acknowledge(mut self) -> Acknowledged {
        match self.acknowledgement.take() {
            Some(acknowledgement) => {
                self.duties.release();
                self.duties.acknowledge(acknowledgement)
            }
            // Only this method and `leave` take it, and both consume the obligation.
            None => Acknowledged::TooLate,
        }
    }

    /// Leaves the message to be delivered again, with the next session at the latest.
    pub fn leave(mut self) {
        if self.acknowledgement.take().is_some() {
            self.duties.release();
        }
    }
}

impl Drop for Obligation<'_> {
    fn drop(&mut self) {
        if self.acknowledgement.take().is_some() {
            self.duties.release();
            self.duties.forgotten.set(self.duties.forgotten.get().saturating_add(1));
            self.duties.call_attention();
        }
    }
}

impl fmt::Debug for Obligation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Obligation").finish_non_exhaustive()
    }
}
