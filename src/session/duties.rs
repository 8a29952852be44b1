//! The messages that have yet to be acknowledged.

use core::cell::Cell;
use core::fmt;

use super::State;
use crate::mqtt::AcknowledgeError;
use crate::notifications::Source;
use crate::uses::{FORGETTING, FUTURES};
use crate::{Recovery, Status, sys};

/// How many messages may be received and not yet acknowledged, by the application or by the kernel, where a
/// session is shared. A main loop that has it for itself deals with one message before it takes the next.
pub const MAX_UNACKNOWLEDGED: usize = 8;

/// What is owed to the broker, and in whose hands it is.
///
/// Apart from the rest of the session, so that an [`Obligation`] need not know the session's type.
///
/// What is small comes first, since the processor has shorter instructions for what is near.
#[repr(C)]
pub(super) struct Duties {
    /// Whether messages can be published.
    online: Cell<bool>,
    /// Whether nothing is to be attended to but what the kernel has.
    quiet: Cell<bool>,
    /// Whether the session is to be online.
    wanted: Cell<bool>,
    /// Whether whoever runs the session has to look at what is below.
    attention: Cell<bool>,
    /// How many obligations are out, where there can be more than one: a main loop deals with one message
    /// before it takes the next.
    outstanding: Cell<u16>,
    first_owed: Cell<u8>,
    owed_len: Cell<u8>,
    /// The channel of the session with the broker; 0 while there is none.
    handle: Cell<u32>,
    /// Tells those of one session with the broker from those of another: how often one began or ended.
    session: Cell<u32>,
    /// When the session has to be driven next, in microseconds; [`u64::MAX`] while nothing is to happen by
    /// itself.
    deadline: Cell<u64>,
    /// Publishes that nobody waits for any more, a bit each; dropped while the session was in use.
    abandoned: Cell<u32>,
    /// How many obligations were dropped without a word.
    forgotten: Cell<u32>,
    /// Acknowledgements that the kernel had no room for, in order: a ring.
    owed: [Cell<u32>; MAX_UNACKNOWLEDGED],
    /// Why an acknowledgement failed for good.
    failed: Cell<Option<Status>>,
    /// What the session is doing, which an observer can ask in the midst of things.
    state: Cell<State>,
    /// Wakes whoever runs the session.
    runner: Source,
}

impl Duties {
    pub(super) const fn new(runner: Source, is_wanted: bool) -> Self {
        Self {
            handle: Cell::new(0),
            session: Cell::new(0),
            deadline: Cell::new(if is_wanted { 0 } else { u64::MAX }),
            outstanding: Cell::new(0),
            owed: [const { Cell::new(0) }; MAX_UNACKNOWLEDGED],
            first_owed: Cell::new(0),
            owed_len: Cell::new(0),
            failed: Cell::new(None),
            forgotten: Cell::new(0),
            abandoned: Cell::new(0),
            online: Cell::new(false),
            quiet: Cell::new(false),
            wanted: Cell::new(is_wanted),
            attention: Cell::new(is_wanted),
            state: Cell::new(State::Stopped),
            runner,
        }
    }

    pub(super) fn deadline(&self) -> u64 {
        self.deadline.get()
    }

    pub(super) fn set_deadline(&self, deadline: u64) {
        self.deadline.set(deadline);
    }

    /// Makes sure that the session is driven in time.
    pub(super) fn hurry(&self, deadline: u64) {
        if deadline < self.deadline() {
            self.set_deadline(deadline);
            self.runner.wake();
        }
    }

    pub(super) fn state(&self) -> &Cell<State> {
        &self.state
    }

    /// A session with the broker began.
    pub(super) fn begin(&self, handle: u32) {
        self.handle.set(handle);
        self.forget_messages();
    }

    /// It ended: the broker delivers again what was not acknowledged.
    pub(super) fn end(&self) {
        self.handle.set(0);
        self.online.set(false);
        self.owed_len.set(0);
        self.forget_messages();
    }

    /// Acknowledgements of messages until now come too late.
    fn forget_messages(&self) {
        self.session.set(self.session.get().wrapping_add(1));
        self.failed.set(None);
    }

    pub(super) fn outstanding(&self) -> usize {
        self.outstanding.get().into()
    }

    /// How many more messages may be received.
    pub(super) fn has_room(&self) -> bool {
        let outstanding = if FUTURES.is_made() { self.outstanding.get() } else { 0 };
        usize::from(outstanding.saturating_add(self.owed_len.get().into())) < MAX_UNACKNOWLEDGED
    }

    pub(super) fn owes(&self) -> bool {
        self.owed_len.get() != 0
    }

    pub(super) fn take_forgotten(&self) -> u32 {
        self.forgotten.take()
    }

    pub(super) fn take_failure(&self) -> Option<AcknowledgeError> {
        self.failed.take().map(AcknowledgeError::Kernel)
    }

    /// One more message that has to be acknowledged, by that number.
    pub(super) fn incur(&self, correlation_id: u32) -> Obligation<'_> {
        if FUTURES.is_made() {
            self.outstanding.set(self.outstanding.get().saturating_add(1));
        }
        Obligation { duties: self, session: self.session.get(), correlation_id }
    }

    /// Sends what is owed, as far as the kernel takes it. Whether it took anything.
    pub(super) fn settle(&self) -> bool {
        let mut some = false;
        while self.owes() {
            let first = self.first_owed.get();
            let Some(owed) = self.owed.get(usize::from(first)) else { break };
            if self.send(owed.get()) != Some(Acknowledged::Sent) {
                break;
            }
            some = true;
            self.first_owed.set((first + 1) % RING);
            self.owed_len.set(self.owed_len.get().saturating_sub(1));
        }
        some
    }

    /// `None`: it can be sent later.
    fn send(&self, correlation_id: u32) -> Option<Acknowledged> {
        // SAFETY: the call takes no pointers.
        let sent = unsafe { sys::mvMqttAcknowledgeMessage(self.handle.get(), correlation_id) };
        match Status::check(sent) {
            Ok(()) => Some(Acknowledged::Sent),
            Err(status) if AcknowledgeError::Kernel(status).recovery() == Recovery::Retry => None,
            Err(status) => {
                // The order is broken, or the channel is: a new session delivers again.
                self.failed.set(Some(status));
                self.call_attention();
                Some(Acknowledged::TooLate)
            }
        }
    }

    /// An obligation outlives its session, or the failure of another, only where the session is shared.
    fn is_over(&self, session: u32) -> bool {
        FUTURES.is_made() && (self.session.get() != session || self.failed.get().is_some())
    }

    #[inline(never)]
    fn acknowledge(&self, correlation_id: u32) -> Acknowledged {
        if !self.owes()
            && let Some(acknowledged) = self.send(correlation_id)
        {
            return acknowledged;
        }
        self.owe(correlation_id)
    }

    #[cold]
    fn owe(&self, correlation_id: u32) -> Acknowledged {
        self.call_attention();
        let (first, len) = (self.first_owed.get(), self.owed_len.get());
        let free = self.owed.get(usize::from((first + len) % RING)).filter(|_| len < RING);
        // There is always room: no more are out than fit.
        let Some(free) = free else { return Acknowledged::TooLate };
        free.set(correlation_id);
        self.owed_len.set(len + 1);
        Acknowledged::Queued
    }

    fn release(&self) {
        if FUTURES.is_made() {
            if !self.has_room() {
                // There is room for a message now, and perhaps one waits.
                self.call_attention();
            }
            // It was not counted if it was alone.
            self.outstanding.set(self.outstanding.get().saturating_sub(1));
        }
    }

    /// Asks for the session to be online, or to stop.
    pub(super) fn want(&self, online: bool) {
        if self.wanted.replace(online) != online {
            self.attend_at_once();
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// Nobody waits for publish `slot` any more.
    pub(super) fn abandon(&self, slot: usize) {
        // It was queued, so futures are used.
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

    pub(super) fn is_online(&self) -> bool {
        self.online.get()
    }

    pub(super) fn set_online(&self, is_online: bool) {
        self.online.set(is_online);
    }

    /// Whether something came up that was not attended to.
    pub(super) fn needs_attention(&self) -> bool {
        self.attention.get()
    }

    fn attend_at_once(&self) {
        self.attention.set(true);
        self.quiet.set(false);
        self.deadline.set(0);
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.get()
    }

    /// Until something is to be attended to.
    pub(super) fn set_quiet(&self, is_quiet: bool) {
        self.quiet.set(is_quiet && !self.attention.get());
    }

    fn call_attention(&self) {
        self.attend_at_once();
        self.runner.wake();
    }
}

/// The length of the ring, as the number of its places is counted.
#[allow(clippy::cast_possible_truncation)] // 8.
const RING: u8 = MAX_UNACKNOWLEDGED as u8;

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
    session: u32,
    correlation_id: u32,
}

impl Obligation<'_> {
    /// Tells the broker that the message is dealt with. In the order of these calls, and each once.
    #[inline]
    pub fn acknowledge(self) -> Acknowledged {
        let Self { duties, session, correlation_id } = self;
        self.leave();
        if duties.is_over(session) { Acknowledged::TooLate } else { duties.acknowledge(correlation_id) }
    }

    /// Leaves the message to be delivered again, with the next session at the latest.
    pub fn leave(self) {
        self.duties.release();
        // Dropping it would tell that it was forgotten.
        core::mem::forget(self);
    }
}

impl Drop for Obligation<'_> {
    fn drop(&mut self) {
        FORGETTING.make();
        self.duties.release();
        self.duties.forgotten.set(self.duties.forgotten.get().saturating_add(1));
        self.duties.call_attention();
    }
}

impl fmt::Debug for Obligation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Obligation").finish_non_exhaustive()
    }
}
