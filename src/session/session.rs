//! The session, as an application sees it.

use core::cell::{Cell, RefCell, RefMut};
use core::fmt;
use core::future::poll_fn;
use core::mem;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;

use embedded_hal_async::delay::DelayNs;

use super::broker_profile::BrokerProfile;
use super::duties::Duties;
use super::event::Observer;
use super::machine::Machine;
use super::publishing::{Place, Publishing, WhenOffline};
use super::receiving::{Arrival, NoArrival, ReceiveError, Received};
use super::state::State;
use crate::mqtt::{Inbox, Publish};
use crate::notifications::Source;

/// A device that stays connected.
///
/// It is built by a [`SessionBuilder`](super::SessionBuilder), and lives where [`run`](Self::run) is
/// polled. All methods take `&self`, so that one task may publish while another receives; the session is
/// for one thread. See the [module](super) for an example.
pub struct Session<'a, P: BrokerProfile, O = (), const PUBLISHES: usize = 4> {
    machine: RefCell<Machine<'a, P, O, PUBLISHES>>,
    pub(super) duties: Duties,
    /// A copy, which an observer can read.
    state: Cell<State>,
}

impl<'a, P: BrokerProfile, O, const PUBLISHES: usize> Session<'a, P, O, PUBLISHES> {
    pub(super) fn new(machine: Machine<'a, P, O, PUBLISHES>, runner: Source) -> Self {
        Self { machine: RefCell::new(machine), duties: Duties::new(runner), state: Cell::new(State::Stopped) }
    }

    /// `None` while it is in use, from within which an observer or a waker called.
    pub(super) fn machine(&self) -> Option<RefMut<'_, Machine<'a, P, O, PUBLISHES>>> {
        self.machine.try_borrow_mut().ok()
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        match self.machine.try_borrow() {
            Ok(machine) => machine.state(),
            Err(_) => self.state.get(),
        }
    }

    /// How many messages were received that are neither acknowledged nor left.
    pub fn unacknowledged(&self) -> usize {
        self.duties.outstanding()
    }

    /// When it has to be polled next, on the clock of [`clock::uptime`](crate::clock::uptime); `None`
    /// where only an interrupt, or a call, can give it something to do.
    pub fn deadline(&self) -> Option<Duration> {
        self.machine.try_borrow().ok()?.deadline().map(Duration::from_micros)
    }
}

impl<'a, P: BrokerProfile, O: Observer, const PUBLISHES: usize> Session<'a, P, O, PUBLISHES> {
    /// Keeps the device connected, until it is [disconnected](Self::disconnect) meanwhile. One at a time
    /// may run it.
    ///
    /// Everything here happens only while this is polled. Run again, it connects again.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops nothing and loses nothing; the session goes on when it is run again.
    /// Until then nobody looks after deadlines.
    pub async fn run(&self, mut delay: impl DelayNs) {
        self.start();
        let mut next = poll_fn(|cx| Poll::Ready(self.drive(cx, None))).await;
        while let Next::At(deadline) = next {
            next = self.wait(&mut delay, deadline).await;
        }
    }

    /// Waits for `deadline`, driving the session meanwhile, until that is another or is reached.
    async fn wait(&self, delay: &mut impl DelayNs, deadline: u64) -> Next {
        let now = self.machine().map_or(deadline, |mut machine| machine.now());
        // A delay may be shorter than that: then it is waited again.
        let micros = deadline.saturating_sub(now).min(LONGEST_DELAY);
        let mut timer = pin!(sleep(delay, micros));
        let mut is_new = true;
        poll_fn(|cx| {
            // It has just been driven.
            if !mem::take(&mut is_new) {
                match self.drive(cx, None) {
                    Next::At(same) if same == deadline => {}
                    next => return Poll::Ready(next),
                }
            }
            timer.as_mut().poll(cx).map(|()| self.drive(cx, Some(now + micros)))
        })
        .await
    }

    /// Asks for the session to be online, without [`run`](Self::run): for those who
    /// [`poll`](Self::poll) it.
    pub fn start(&self) {
        self.duties.want(true);
    }

    /// Does what can be done now. `Ready` while it is stopped. The last waker polled with is woken when
    /// there may be more to do; it has to be polled again at the [`deadline`](Self::deadline) as well.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        // There is no timer that could say what time it is: the clock does.
        match self.drive(cx, Some(0)) {
            Next::Stopped => Poll::Ready(()),
            Next::At(_) => Poll::Pending,
        }
    }

    fn drive(&self, cx: &mut Context<'_>, waited_for: Option<u64>) -> Next {
        self.duties.runner().register(cx.waker());
        let Some(mut machine) = self.machine() else { return Next::At(u64::MAX) };
        machine.drive(waited_for, &self.duties);
        self.state.set(machine.state());
        if machine.is_stopped() {
            return Next::Stopped;
        }
        Next::At(machine.deadline().unwrap_or(u64::MAX))
    }

    /// Publishes a message: resolves to the broker's success code, or `None` for QoS 0, about which a
    /// broker says nothing.
    ///
    /// Messages have to be [received](Self::receive) meanwhile: the answer may lie behind one.
    ///
    /// # Errors
    ///
    /// A [`PublishError`](super::PublishError), which says whether anything was sent.
    ///
    /// # Cancellation
    ///
    /// Dropping the future before the message was sent leaves it unsent; later, it may or may not be
    /// published.
    pub fn publish<'s, 'p>(
        &'s self,
        publish: &Publish<'p>,
        when_offline: WhenOffline,
    ) -> Publishing<'s, 'a, 'p, P, O, PUBLISHES> {
        Publishing { session: self, publish: *publish, when_offline, slot: Place::None }
    }

    /// Waits for the next message, however long and however often the device goes offline.
    ///
    /// One task at a time may wait; of several, only the last is woken.
    ///
    /// # Errors
    ///
    /// A [`ReceiveError`] that says what happened instead; the session goes on.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses no message.
    pub async fn receive<'s, 'b>(
        &'s self,
        inbox: &'b mut Inbox<'_>,
    ) -> Result<Received<'s, 'b>, ReceiveError<'b>> {
        let taken = poll_fn(|cx| self.poll_take(cx, inbox)).await;
        self.received(taken, inbox)
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub fn try_receive<'s, 'b>(
        &'s self,
        inbox: &'b mut Inbox<'_>,
    ) -> Result<Option<Received<'s, 'b>>, ReceiveError<'b>> {
        let taken = match self.machine() {
            Some(mut machine) => machine.take(inbox, &self.duties),
            None => Err(NoArrival::InUse),
        };
        match taken {
            Ok(None) => Ok(None),
            Ok(Some(arrival)) => self.received(Ok(arrival), inbox).map(Some),
            Err(error) => Err(ReceiveError::new(&error, inbox)),
        }
    }

    fn poll_take(&self, cx: &mut Context<'_>, inbox: &mut Inbox<'_>) -> Poll<Result<Arrival, NoArrival>> {
        let Some(mut machine) = self.machine() else { return Poll::Ready(Err(NoArrival::InUse)) };
        machine.register_receiver(cx.waker());
        match machine.take(inbox, &self.duties) {
            Ok(Some(arrival)) => Poll::Ready(Ok(arrival)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn received<'s, 'b>(
        &'s self,
        taken: Result<Arrival, NoArrival>,
        inbox: &'b Inbox<'_>,
    ) -> Result<Received<'s, 'b>, ReceiveError<'b>> {
        match taken {
            Ok(arrival) => Ok(Received::new(&self.duties, arrival, inbox)),
            Err(error) => Err(ReceiveError::new(&error, inbox)),
        }
    }

    /// Waits until it does something else than `state`.
    ///
    /// Short states may pass unseen; an [observer](Observer) sees all. Up to 8 may wait for a state at a time
    /// at no cost; of more, each wakes another.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing.
    pub async fn changed_from(&self, state: State) -> State {
        self.watch(|now| now != state).await
    }

    /// Waits until it is online.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing.
    pub async fn online(&self) {
        self.watch(|now| now == State::Online).await;
    }

    async fn watch(&self, wanted: impl Fn(State) -> bool) -> State {
        poll_fn(|cx| {
            if let Some(mut machine) = self.machine() {
                machine.watchers().register(cx.waker());
            }
            let state = self.state();
            if wanted(state) { Poll::Ready(state) } else { Poll::Pending }
        })
        .await
    }

    /// Ends the session with the broker in order, closes the channel and gives the network up; then
    /// [`run`](Self::run), which has to be polled meanwhile, returns.
    ///
    /// A broker that does not answer is waited for as long as the
    /// [policy](super::Policy::with_answer_timeout) says.
    ///
    /// # Cancellation
    ///
    /// Dropping the future withdraws nothing: the session still ends.
    pub async fn disconnect(&self) {
        self.stop();
        poll_fn(|cx| {
            if let Some(mut machine) = self.machine() {
                machine.watchers().register(cx.waker());
                if machine.is_stopped() || self.duties.is_wanted() {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// Asks for the session to end, as [`disconnect`](Self::disconnect) does, and does not wait. One that
    /// does not run is stopped already: to run it asks for it to be online, whatever was asked before.
    pub fn stop(&self) {
        self.duties.want(false);
        self.duties.runner().wake();
    }
}

/// What to do next.
#[derive(Clone, Copy)]
enum Next {
    Stopped,
    /// Be driven at that time.
    At(u64),
}

/// The longest delay in microseconds: an hour, which every timer can do.
const LONGEST_DELAY: u64 = 3_600_000_000;

/// Sleeps for so many microseconds, up to [`LONGEST_DELAY`].
async fn sleep(delay: &mut impl DelayNs, micros: u64) {
    match u32::try_from(micros) {
        Ok(micros @ ..10_000) => delay.delay_us(micros).await,
        Ok(micros) => delay.delay_ms(micros.div_ceil(1_000)).await,
        Err(_) => delay.delay_ms(u32::MAX).await,
    }
}

impl<P: BrokerProfile, O, const PUBLISHES: usize> fmt::Debug for Session<'_, P, O, PUBLISHES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}
