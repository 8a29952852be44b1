//! The notification centre and its life.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering, fence};

use super::ring::Ring;
use super::source::{Slots, Source};
use crate::claim::claim;
use crate::{HandedBack, Recovery, Status, sys};

/// Nobody uses it.
const CLOSED: u32 = 0;
/// Being opened or closed.
const CHANGING: u32 = u32::MAX;
/// The kernel did not let go of the ring, so it may still write there.
const LOST: u32 = u32::MAX - 1;
/// More than this do not open it.
const MOST_USERS: u32 = u32::MAX / 2;

/// The part of a centre that does not depend on the size of its ring.
pub(super) struct Core {
    /// Unless it was opened for another.
    irq: u32,
    handle: AtomicU32,
    /// How many `Notifications` and `Source`s exist, of which the last one to go closes the centre; or why there
    /// are none.
    users: AtomicU32,
    slots: Slots,
    overruns: AtomicU32,
    interrupts: AtomicU32,
}

impl Core {
    /// How many interrupts there were, modulo 2^32.
    pub(super) fn interrupts(&self) -> u32 {
        // What is read on account of it is the kernel's state, by calls that nothing is moved across.
        self.interrupts.load(Ordering::Relaxed)
    }

    /// Only the interrupt's handler writes it.
    fn count_interrupt(&self) {
        self.interrupts.store(self.interrupts.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn count_overrun(&self, is_one: bool) {
        let overruns = self.overruns.load(Ordering::Relaxed).wrapping_add(is_one.into());
        self.overruns.store(overruns, Ordering::Relaxed);
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(super) fn handle(&self) -> u32 {
        self.handle.load(Ordering::Relaxed)
    }

    /// More users of a centre that is open.
    pub(super) fn add_users(&self, more: u32) {
        self.users.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn remove_user(&self) {
        let fewer = |users: u32| Some(if users == 1 { CHANGING } else { users.saturating_sub(1) });
        if self.users.fetch_update(Ordering::AcqRel, Ordering::Relaxed, fewer) == Ok(1) {
            // Nobody is left to tell; a centre that does not close is not opened again.
            let _ = self.close();
        }
    }

    /// As the last user, while it is changing.
    fn close(&self) -> Result<(), Status> {
        let mut handle = self.handle();
        // SAFETY: `handle` is a live out-parameter for the duration of the call.
        let closed = Status::check(unsafe { sys::mvCloseNotifications(&raw mut handle) });
        self.handle.store(0, Ordering::Relaxed);
        self.users.store(if closed.is_ok() { CLOSED } else { LOST }, Ordering::Release);
        closed
    }
}

/// A ring for `RECORDS` notifications, the interrupt that announces them, and who waits for them.
///
/// It is a `static`, because the kernel writes into it from [`open`](Self::open) until it is closed. A record
/// takes 16 bytes; 8 records are plenty, since a ring that overflows loses nothing: an interrupt wakes
/// everybody who waits, and they read the state, not the ring. At most 6 networks and channels ([`MAX_SOURCES`](super::MAX_SOURCES)) use one
/// centre, and the kernel has room for 32 centres (ABI 0.7.0).
///
/// The interrupt stays the application's: choose a line that nothing else uses (a spare timer's,
/// such as `TIM8_BRK`, 51), call [`on_interrupt`](Self::on_interrupt) from its handler, and enable
/// it in the NVIC, which the kernel does not do.
///
/// ```
/// use microvisor::NotificationCenter;
/// use microvisor_sim::Device;
///
/// static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
///
/// let device = Device::builder().boot();
/// device.bind_interrupt(51, || CENTER.on_interrupt());
/// let notifications = CENTER.open()?;
/// # drop(notifications);
/// # Ok::<(), microvisor::NotificationError>(())
/// ```
pub struct NotificationCenter<const RECORDS: usize> {
    ring: Ring<RECORDS>,
    core: Core,
}

impl<const RECORDS: usize> NotificationCenter<RECORDS> {
    /// A centre that is not open, for interrupt number `irq` (the NVIC's, without the 16 system
    /// exceptions). Fewer than 2 records do not compile.
    pub const fn new(irq: u32) -> Self {
        Self {
            ring: Ring::new(),
            core: Core {
                irq,
                handle: AtomicU32::new(0),
                users: AtomicU32::new(CLOSED),
                slots: Slots::new(),
                overruns: AtomicU32::new(0),
                interrupts: AtomicU32::new(0),
            },
        }
    }

    /// A centre that is told its interrupt when it is opened, by [`open_for`](Self::open_for).
    ///
    /// Such a `static` is all zeros, of which flash holds no copy: on a board that spares as many bytes as
    /// the centre is large.
    pub const fn without_interrupt() -> Self {
        Self::new(0)
    }

    /// [`open`](Self::open) for interrupt number `irq`, whatever number the centre was made with.
    ///
    /// # Errors
    ///
    /// - [`InUse`](NotificationError::InUse): it is not closed. If it is open, [`open`](Self::open) shares it,
    ///   with the interrupt that it has; otherwise that says what it is instead.
    /// - [`Kernel`](NotificationError::Kernel), as with [`open`](Self::open).
    pub fn open_for(&'static self, irq: u32) -> Result<Notifications, NotificationError> {
        if claim(&self.core.users, CHANGING) { self.set_up(irq) } else { Err(NotificationError::InUse) }
    }

    /// Has the kernel write its notifications here from now on. A centre that is open already is
    /// shared.
    ///
    /// # Errors
    ///
    /// - [`Changing`](NotificationError::Changing): another thread is opening or closing it just now.
    /// - [`Lost`](NotificationError::Lost): the kernel did not close it when it was to.
    /// - [`Kernel`](NotificationError::Kernel): the interrupt cannot be used, or the kernel has no
    ///   room for another centre.
    pub fn open(&'static self) -> Result<Notifications, NotificationError> {
        let join = |users: u32| match users {
            CLOSED => Some(CHANGING),
            1..=MOST_USERS => Some(users + 1),
            _ => None,
        };
        match self.core.users.fetch_update(Ordering::AcqRel, Ordering::Relaxed, join) {
            Ok(CLOSED) => self.set_up(self.core.irq),
            Ok(_) => Ok(Notifications { core: &self.core }),
            Err(LOST) => Err(NotificationError::Lost),
            Err(_) => Err(NotificationError::Changing),
        }
    }

    fn set_up(&'static self, irq: u32) -> Result<Notifications, NotificationError> {
        let setup = sys::MvNotificationSetup {
            irq,
            buffer: self.ring.as_ptr(),
            buffer_size: Ring::<RECORDS>::size(),
        };
        let mut handle = 0;
        // SAFETY: `setup` and `handle` live during the call. The ring that the kernel keeps using
        // is static, is made for being written at any time, and is set up once at a time.
        let opened = Status::check(unsafe { sys::mvSetupNotifications(&raw const setup, &raw mut handle) });
        if let Err(status) = opened {
            self.core.users.store(CLOSED, Ordering::Release);
            return Err(NotificationError::Kernel(status));
        }
        self.core.handle.store(handle, Ordering::Relaxed);
        self.core.users.store(1, Ordering::Release);
        Ok(Notifications { core: &self.core })
    }

    /// To be called from the interrupt's handler: wakes whoever waits, and clears the ring.
    ///
    /// It does not wait, and may be called at any time, but by one at a time, as a handler is.
    #[inline]
    pub fn on_interrupt(&self) {
        self.core.count_overrun(self.ring.drain());
        // What was notified comes before the count, and before the look at who waits.
        fence(Ordering::SeqCst);
        self.core.count_interrupt();
        self.core.slots.wake_all();
    }

    /// How many times the ring was found full, so that notifications may have been overwritten.
    ///
    /// Nothing is lost by it. A count that goes up says that interrupts are masked for long, or that
    /// the ring is small; or that it was full when the centre was closed, and was opened again.
    pub fn overruns(&self) -> u32 {
        self.core.overruns.load(Ordering::Relaxed)
    }
}

impl<const RECORDS: usize> fmt::Debug for NotificationCenter<RECORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotificationCenter").field("irq", &self.core.irq).finish_non_exhaustive()
    }
}

/// An open notification centre.
///
/// Networks and channels keep it open for as long as they need it: dropping this closes the centre
/// when the last of them is gone.
pub struct Notifications {
    core: &'static Core,
}

impl Notifications {
    /// Closes the centre and says how that went.
    ///
    /// # Errors
    ///
    /// - [`InUse`](CloseNotificationsError::InUse): networks, channels or other `Notifications` still
    ///   use the centre; close them first. The notifications are handed back.
    /// - [`Kernel`](CloseNotificationsError::Kernel): the kernel did not let go of the ring, so the
    ///   centre cannot be opened again. Nothing is handed back.
    pub fn close(self) -> Result<(), HandedBack<Option<Self>, CloseNotificationsError>> {
        let core = self.core;
        // As one step, so that nobody joins in between.
        if core.users.compare_exchange(1, CHANGING, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return Err(HandedBack { error: CloseNotificationsError::InUse, value: Some(self) });
        }
        core::mem::forget(self);
        core.close()
            .map_err(|status| HandedBack { error: CloseNotificationsError::Kernel(status), value: None })
    }

    pub(crate) fn source(&self) -> Option<Source> {
        Source::take(self.core)
    }

    /// One, and two beside it that are never woken.
    pub(crate) fn source_and_silent(&self) -> Option<(Source, [Source; 2])> {
        Source::take_with_silent(self.core)
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.core.remove_user();
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications").field("handle", &self.core.handle()).finish_non_exhaustive()
    }
}

/// Why a notification centre did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NotificationError {
    /// Another thread is opening or closing the centre just now.
    Changing,
    /// It was to be opened for an interrupt, and is not closed.
    InUse,
    /// The kernel did not let go of the centre when it was closed, and may still write into its ring.
    Lost,
    /// The kernel refused: `InvalidInterrupt` for a line that is not the application's or is taken by
    /// another centre, `TooManyNotificationBuffers` where 32 centres are open.
    Kernel(Status),
}

impl NotificationError {
    /// What can be done about it.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::Changing
            | Self::Kernel(Status::TOO_MANY_NOTIFICATION_BUFFERS | Status::MICROVISOR_BUSY) => {
                Recovery::Retry
            }
            Self::InUse | Self::Lost | Self::Kernel(_) => Recovery::GiveUp,
        }
    }
}

impl fmt::Display for NotificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changing => f.write_str("the notification centre is being opened or closed; try again"),
            Self::InUse => f.write_str("the notification centre is not closed; share it, or close it first"),
            Self::Lost => f.write_str(
                "the kernel did not let go of the notification centre when it was closed; use another one",
            ),
            Self::Kernel(status) => write!(f, "the notification centre cannot be opened: {status}"),
        }
    }
}

impl core::error::Error for NotificationError {}

/// Why a notification centre did not close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CloseNotificationsError {
    /// Networks, channels or other `Notifications` still use the centre.
    InUse,
    /// The kernel did not close it.
    Kernel(Status),
}

impl CloseNotificationsError {
    /// What can be done about it.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::InUse => Recovery::Retry,
            Self::Kernel(_) => Recovery::GiveUp,
        }
    }
}

impl fmt::Display for CloseNotificationsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str(
                "networks, channels or others still use the notification centre; close them first",
            ),
            Self::Kernel(status) => write!(f, "the kernel did not close the notification centre: {status}"),
        }
    }
}

impl core::error::Error for CloseNotificationsError {}
