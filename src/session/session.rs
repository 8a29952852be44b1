//! The session, as an application sees it.

use core::cell::{RefCell, RefMut};
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
use super::incoming::{Incoming, Ticket};
use super::machine::Machine;
use super::publishing::{Place, PublishError, Publishing, WhenOffline};
use super::receiving::{NoArrival, ReceiveError, Received, Taken};
use super::state::State;
use crate::mqtt::{Inbox, MessageFacts, Publish};
use crate::notifications::Source;
use crate::uses::{ENDINGS, FUTURES};

/// A device that stays connected.
///
/// It is built by a [`SessionBuilder`](super::SessionBuilder), and lives where [`run`](Self::run) is
/// polled. Methods take `&self`, so that one task may publish while another receives, except those for a
/// main loop, which has it for itself; the session is for one thread. See the [module](super) for an example.
#[repr(C)]
pub struct Session<'a, P: BrokerProfile, O = (), const PUBLISHES: usize = 4> {
    machine: RefCell<Machine<'a, P, O, PUBLISHES>>,
    /// What can be asked and told while the machine is in use.
    pub(super) duties: Duties,
}

impl<'a, P: BrokerProfile, O, const PUBLISHES: usize> Session<'a, P, O, PUBLISHES> {
    pub(super) fn new(machine: Machine<'a, P, O, PUBLISHES>, runner: Source, is_wanted: bool) -> Self {
        Self { machine: RefCell::new(machine), duties: Duties::new(runner, is_wanted) }
    }

    /// `None` while it is in use, from within which an observer or a waker called.
    pub(super) fn machine(&self) -> Option<RefMut<'_, Machine<'a, P, O, PUBLISHES>>> {
        self.machine.try_borrow_mut().ok()
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.duties.state().get()
    }

    /// How many messages were received that are neither acknowledged nor left.
    pub fn unacknowledged(&self) -> usize {
        self.duties.outstanding()
    }

    /// When it has to be polled next, on the clock of [`clock::uptime`](crate::clock::uptime); `None`
    /// where only an interrupt, or a call, can give it something to do.
    pub fn deadline(&self) -> Option<Duration> {
        let deadline = self.deadline_micros();
        (deadline != u64::MAX).then(|| Duration::from_micros(deadline))
    }

    /// The same in microseconds, on the clock of [`clock::uptime_micros`](crate::clock::uptime_micros);
    /// [`u64::MAX`] is never.
    pub fn deadline_micros(&self) -> u64 {
        self.duties.deadline()
    }

    /// What time it was when the session last looked at the clock, in microseconds on the clock of
    /// [`clock::uptime_micros`](crate::clock::uptime_micros). When it is called at a deadline,
    /// [`next`](Self::next) looks at it before it returns `None`, and not where an interrupt called for it.
    pub fn looked_at_micros(&mut self) -> u64 {
        self.machine.get_mut().last_time()
    }

    /// Whether messages can be published: [`state`](Self::state) without the rest.
    pub fn is_online(&self) -> bool {
        self.duties.is_online()
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
    ///
    /// ```
    /// use core::task::{Context, Poll, Waker};
    ///
    /// use microvisor::mqtt::Inbox;
    /// use microvisor::session::{MemoryPlan, SessionBuilder, State};
    /// # use microvisor::{DeviceId, HandedBack, KernelMemory, NotificationCenter, kernel_memory};
    /// #
    /// # static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
    /// # static MEMORY: KernelMemory<{ MemoryPlan::AWS_LEN }> = kernel_memory!(MemoryPlan::AWS_LEN);
    /// #
    /// # use microvisor_sim::broker::model::{ModelBroker, Policy, Thing};
    /// # const SID: &str = "UV0123456789abcdef0123456789abcdef";
    /// # let key = rcgen::KeyPair::generate()?;
    /// # let certificate = rcgen::CertificateParams::new([])?.self_signed(&key)?;
    /// # let broker = ModelBroker::aws_iot()
    /// #     .host("aws.example")
    /// #     .register_certificate(
    /// #         certificate.der().to_vec(),
    /// #         Thing::new(SID, Policy::least_privilege("eu-west-1", "123456789012")),
    /// #     )
    /// #     .build();
    /// # broker.publish_at(core::time::Duration::from_secs(10), format!("command/device/{SID}"), "stop", 1);
    /// # let hex = |der: &[u8]| der.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    /// # let device = microvisor_sim::Device::builder()
    /// #     .device_id(SID)
    /// #     .config("root-CA", &hex(certificate.der()))
    /// #     .config("cert", &hex(certificate.der()))
    /// #     .config("broker-host", "aws.example")
    /// #     .config("broker-port", "8883")
    /// #     .secret("private_key", &hex(&key.serialize_der()))
    /// #     .broker(broker.clone())
    /// #     .boot();
    /// # device.bind_interrupt(51, || CENTER.on_interrupt());
    /// # let id = DeviceId::read()?;
    /// # let topics = microvisor::aws::Topics::new(&id);
    /// # let subscriptions =
    /// #     [microvisor::mqtt::Subscription::new(topics.command(), microvisor::mqtt::QoS::AtLeastOnce)];
    /// # let memory = MEMORY.take().expect("nobody else has it");
    /// # let builder = SessionBuilder::new(CENTER.open()?, memory, &id).subscriptions(&subscriptions);
    /// # let session = builder.build().map_err(HandedBack::into_error)?;
    /// # let waker = Waker::noop();
    /// # let sleep_until = |_: Option<core::time::Duration>| device.advance(core::time::Duration::from_millis(10));
    ///
    /// let (mut topic, mut payload) = ([0; 64], [0; 64]);
    /// session.start();
    /// // The waker is used by the interrupt. It ends the sleep, whoever it is.
    /// while session.poll(&mut Context::from_waker(waker)) == Poll::Pending {
    ///     match session.try_receive(&mut Inbox::new(&mut topic, &mut payload)) {
    ///         Ok(Some(command)) => {
    ///             command.acknowledge();
    ///             session.stop();
    ///         }
    ///         // Nothing is there, or there was a message that is too large.
    ///         Ok(None) | Err(_) => sleep_until(session.deadline()),
    ///     }
    /// }
    /// assert_eq!(session.state(), State::Stopped);
    /// # assert!(broker.all_acknowledged());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        if machine.is_stopped(&self.duties) {
            return Next::Stopped;
        }
        Next::At(self.duties.deadline())
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
        let mut facts = MessageFacts::unwritten();
        match poll_fn(|cx| self.poll_take(cx, inbox, &mut facts)).await {
            Ok(()) => Ok(Received::new(&self.duties, &facts, inbox)),
            Err(error) => Err(ReceiveError::new(error, &facts, inbox)),
        }
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
        FUTURES.make();
        let mut facts = MessageFacts::unwritten();
        let taken = match self.machine() {
            Some(mut machine) => machine.take(inbox, &mut facts, &self.duties),
            None => Taken::Not(NoArrival::InUse),
        };
        match taken {
            Taken::Nothing => Ok(None),
            Taken::Message => Ok(Some(Received::new(&self.duties, &facts, inbox))),
            Taken::Not(error) => Err(ReceiveError::new(error, &facts, inbox)),
        }
    }

    /// Does what can be done now, and returns what came in; `None` when there is nothing left. For a program
    /// with a main loop of its own, which has the session for itself: it calls this until there is nothing
    /// left, and again at the [deadline](Self::deadline_micros) or after an interrupt of the notification
    /// centre, whichever is first.
    ///
    /// The session has to be [started](Self::start) for anything to come.
    ///
    /// What came in borrows the session: a message is acknowledged or left before the session is used again,
    /// and a reply is published after that.
    ///
    /// ```
    /// use microvisor::mqtt::{Inbox, Publish, QoS};
    /// use microvisor::session::{Incoming, MemoryPlan, SessionBuilder, State};
    /// # use microvisor::{DeviceId, HandedBack, KernelMemory, NotificationCenter, kernel_memory};
    /// #
    /// # static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
    /// # static MEMORY: KernelMemory<{ MemoryPlan::AWS_LEN }> = kernel_memory!(MemoryPlan::AWS_LEN);
    /// #
    /// # use microvisor_sim::broker::model::{ModelBroker, Policy, Thing};
    /// # const SID: &str = "UV0123456789abcdef0123456789abcdef";
    /// # let key = rcgen::KeyPair::generate()?;
    /// # let certificate = rcgen::CertificateParams::new([])?.self_signed(&key)?;
    /// # let broker = ModelBroker::aws_iot()
    /// #     .host("aws.example")
    /// #     .register_certificate(
    /// #         certificate.der().to_vec(),
    /// #         Thing::new(SID, Policy::least_privilege("eu-west-1", "123456789012")),
    /// #     )
    /// #     .build();
    /// # broker.publish_at(core::time::Duration::from_secs(10), format!("command/device/{SID}"), "stop", 1);
    /// # let hex = |der: &[u8]| der.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    /// # let device = microvisor_sim::Device::builder()
    /// #     .device_id(SID)
    /// #     .config("root-CA", &hex(certificate.der()))
    /// #     .config("cert", &hex(certificate.der()))
    /// #     .config("broker-host", "aws.example")
    /// #     .config("broker-port", "8883")
    /// #     .secret("private_key", &hex(&key.serialize_der()))
    /// #     .broker(broker.clone())
    /// #     .boot();
    /// # device.bind_interrupt(51, || CENTER.on_interrupt());
    /// # let id = DeviceId::read()?;
    /// # let topics = microvisor::aws::Topics::new(&id);
    /// # let subscriptions =
    /// #     [microvisor::mqtt::Subscription::new(topics.command(), microvisor::mqtt::QoS::AtLeastOnce)];
    /// # let memory = MEMORY.take().expect("nobody else has it");
    /// # let builder = SessionBuilder::new(CENTER.open()?, memory, &id).subscriptions(&subscriptions);
    /// # let mut session = builder.build().map_err(HandedBack::into_error)?;
    /// # let sleep_until = |micros| device.sleep_until(core::time::Duration::from_micros(micros));
    ///
    /// let (mut topic, mut payload) = ([0; 64], [0; 64]);
    /// let (mut is_taken, mut waits_for) = (false, None);
    /// session.start();
    /// loop {
    ///     let mut inbox = Inbox::new(&mut topic, &mut payload);
    ///     let mut is_stop = false;
    ///     while let Some(incoming) = session.next(&mut inbox) {
    ///         match incoming {
    ///             Incoming::Message(command) => {
    ///                 is_stop |= command.payload() == b"stop";
    ///                 command.acknowledge();
    ///             }
    ///             Incoming::Published(ticket, verdict) => {
    ///                 assert_eq!(waits_for.take(), Some(ticket));
    ///                 // Otherwise it is published again.
    ///                 is_taken = verdict.is_ok();
    ///             }
    ///             // A message was too large.
    ///             _ => {}
    ///         }
    ///     }
    ///     if is_stop {
    ///         session.stop();
    ///     } else if session.state() == State::Stopped {
    ///         break;
    ///     } else if !is_taken && waits_for.is_none() {
    ///         let reading = Publish::new(topics.telemetry(), b"21.5").with_qos(QoS::AtLeastOnce);
    ///         // While it is offline, or there is no room, the deadline is when to try again.
    ///         waits_for = session.publish_now(&reading).ok();
    ///     }
    ///     sleep_until(session.deadline_micros());
    /// }
    /// # assert!(broker.all_acknowledged());
    /// # assert_eq!(broker.received().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next<'s, 'b>(&'s mut self, inbox: &'b mut Inbox<'_>) -> Option<Incoming<'s, 'b>> {
        let machine = self.machine.get_mut();
        if machine.turn(&self.duties) {
            let mut facts = MessageFacts::unwritten();
            match machine.take_next(inbox, &mut facts, &self.duties) {
                Taken::Message => return Some(Incoming::Message(Received::new(&self.duties, &facts, inbox))),
                // There is a verdict if that ended the session. Otherwise something is to be waited for.
                Taken::Nothing => self.duties.set_quiet(false),
                Taken::Not(error) => {
                    return Some(Incoming::NotReceived(ReceiveError::new(error, &facts, inbox)));
                }
            }
        }
        machine.take_verdict().map(|(id, verdict)| Incoming::Published(Ticket(id), verdict))
    }

    /// Sends a message at once. The verdict on it comes from [`next`](Self::next), with the same ticket; on
    /// one of QoS 0, none comes.
    ///
    /// # Errors
    ///
    /// A [`PublishError`] if it was not sent. [`NoRoom`](PublishError::NoRoom) and
    /// [`Offline`](PublishError::Offline) say that it may be later.
    pub fn publish_now(&mut self, publish: &Publish<'_>) -> Result<Ticket, PublishError> {
        self.machine.get_mut().publish_now(publish, &self.duties).map(Ticket)
    }

    fn poll_take(
        &self,
        cx: &mut Context<'_>,
        inbox: &mut Inbox<'_>,
        facts: &mut MessageFacts,
    ) -> Poll<Result<(), NoArrival>> {
        let Some(mut machine) = self.machine() else { return Poll::Ready(Err(NoArrival::InUse)) };
        machine.register_receiver(cx.waker());
        match machine.take(inbox, facts, &self.duties) {
            Taken::Message => Poll::Ready(Ok(())),
            Taken::Nothing => Poll::Pending,
            Taken::Not(error) => Poll::Ready(Err(error)),
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
                if machine.is_stopped(&self.duties) || self.duties.is_wanted() {
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
        ENDINGS.make();
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
