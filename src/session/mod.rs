//! A device that stays connected, whatever happens.
//!
//! [`Session`] is the state machine between an application and its broker: it waits for the network,
//! fetches the settings, connects, subscribes, and when anything of that fails, backs off and begins
//! again. The application publishes, receives and acknowledges, and need not know of any of that.
//!
//! ```
//! use core::time::Duration;
//!
//! use embassy_futures::{join::join, select::select};
//! use embedded_hal_async::delay::DelayNs;
//! use microvisor::aws::Topics;
//! use microvisor::mqtt::{Inbox, Publish, QoS, Subscription};
//! use microvisor::session::{MemoryPlan, SessionBuilder, WhenOffline};
//! use microvisor::{DeviceId, HandedBack, KernelMemory, NotificationCenter, kernel_memory};
//!
//! static CENTER: NotificationCenter<8> = NotificationCenter::new(51);
//! static MEMORY: KernelMemory<{ MemoryPlan::AWS_LEN }> = kernel_memory!(MemoryPlan::AWS_LEN);
//!
//! # use microvisor_sim::broker::model::{ModelBroker, Policy, Thing};
//! # const SID: &str = "UV0123456789abcdef0123456789abcdef";
//! # let key = rcgen::KeyPair::generate()?;
//! # let certificate = rcgen::CertificateParams::new([])?.self_signed(&key)?;
//! # let broker = ModelBroker::aws_iot()
//! #     .host("aws.example")
//! #     .register_certificate(
//! #         certificate.der().to_vec(),
//! #         Thing::new(SID, Policy::least_privilege("eu-west-1", "123456789012")),
//! #     )
//! #     .build();
//! # broker.publish_at(Duration::from_secs(150), format!("command/device/{SID}"), "stop", 1);
//! # let hex = |der: &[u8]| der.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
//! # let device = microvisor_sim::Device::builder()
//! #     .device_id(SID)
//! #     .config("root-CA", &hex(certificate.der()))
//! #     .config("cert", &hex(certificate.der()))
//! #     .config("broker-host", "aws.example")
//! #     .config("broker-port", "8883")
//! #     .secret("private_key", &hex(&key.serialize_der()))
//! #     .broker(broker.clone())
//! #     .boot();
//! # device.bind_interrupt(51, || CENTER.on_interrupt());
//! # let mut delay = device.delay();
//! # device.block_on(async {
//! let id = DeviceId::read()?;
//! let topics = Topics::new(&id);
//! let subscriptions = [Subscription::new(topics.command(), QoS::AtLeastOnce)];
//! let memory = MEMORY.take().expect("nobody else has it");
//! let builder = SessionBuilder::new(CENTER.open()?, memory, &id).subscriptions(&subscriptions);
//! let session = builder.build().map_err(HandedBack::into_error)?;
//!
//! let timer = delay.clone();
//! let telemetry = async {
//!     loop {
//!         let reading = Publish::new(topics.telemetry(), b"21.5").with_qos(QoS::AtLeastOnce);
//!         // `Ok` only when the broker said so.
//!         let _ = session.publish(&reading, WhenOffline::Wait(Duration::from_mins(1))).await;
//!         delay.delay_ms(60_000).await;
//!     }
//! };
//! let commands = async {
//!     let (mut topic, mut payload) = ([0; 64], [0; 64]);
//!     loop {
//!         if let Ok(command) = session.receive(&mut Inbox::new(&mut topic, &mut payload)).await {
//!             let is_last = command.payload() == b"stop";
//!             command.acknowledge();
//!             if is_last {
//!                 session.stop();
//!             }
//!         }
//!     }
//! };
//! // Ends when the session was told to.
//! select(session.run(timer), join(telemetry, commands)).await;
//! # assert!(broker.all_acknowledged());
//! # assert_eq!(broker.received().len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # States
//!
//! ```text
//!  Stopped ─run─▶ Offline ─▶ FetchingSettings ─▶ Connecting ─▶ Subscribing ─▶ Online
//!     ▲              ▲              │                 │             │           │
//!     │              │              ▼                 ▼             ▼           ▼
//!     └─disconnect   └───────── BackingOff { until_micros, cause } ◀────────────┘
//! ```
//!
//! [`Session::state`] says which it is, [`changed_from`](Session::changed_from) and
//! [`online`](Session::online) wait for another, and an [`Observer`] is told of each, and of more.
//!
//! Settings are fetched once, and kept for the next connection. They are fetched again when they were not
//! usable, when a message was thrown away (their memory is used for that), when the broker would not have
//! the device, when three connects in a row failed, and after the session was
//! [disconnected](Session::disconnect): so whoever puts a value right in the device's store need not reset
//! the device.
//!
//! What failed is a [`Cause`]. It names the [key](Cause::key) of a stored value that is wrong, and tells
//! whether [somebody has to put something right](Cause::is_permanent). The session tries on all the same,
//! since nobody can push a button on a device in the field.
//!
//! # Back-offs
//!
//! How long it waits is random, so that a fleet does not come back all at once. By the default
//! [`Policy`]: 1 to 2 s after the first failure, 1 to 4 s after the next, then up to 8 s, and so on up
//! to 120 s; 60 to 120 s at once when trying again alone cannot help, or when another client took the
//! session over. A minute online, and it begins with 1 to 2 s again. The far end has 30 s for each
//! answer.
//!
//! # Publishing
//!
//! [`Session::publish`] resolves to a verdict on this very message. `Ok`: the broker took it, and gave
//! this success code (QoS 0: the kernel took it; a broker says nothing of those). The
//! [errors](PublishError) tell whether anything was sent. The one that takes some thought is
//! [`Indeterminate`](PublishError::Indeterminate): it was sent, and the session ended before the answer.
//! The session does not send it again by itself; whether a message may come twice or not at all is for
//! the application to say. [`WhenOffline`] says what happens to a message while the session is not
//! online. There is no queue: a message that waits is in the future that publishes it, and as many futures
//! wait at a time as the session was [built for](SessionBuilder::build_for).
//!
//! # Receiving and acknowledging
//!
//! [`Session::receive`] waits for the next message, across any number of connections, and copies it to
//! the caller's inbox. One that does not fit is told of once, so that it can be received with a larger
//! inbox, and thrown away when received again with one that is too small.
//!
//! A message of QoS 1 or 2 comes with the duty to [acknowledge](Received::acknowledge) it, at once or
//! [later](Received::into_obligation); up to [`MAX_UNACKNOWLEDGED`] at a time. An acknowledgement for
//! which the kernel has no room is sent when it has; one that comes
//! [too late](Acknowledged::TooLate) is not, and the broker delivers the message again. So a
//! command may come twice, as MQTT has it, and is acknowledged each time.
//!
//! Somebody has to receive while a device subscribes to anything or publishes with QoS 1 or 2: the kernel
//! hands out messages and answers in one row, and what is behind a message waits for it. In a main loop,
//! [`next`](Session::next) receives.
//!
//! # Driving it
//!
//! There are two ways. Tasks share a session, which is driven by the one that runs it; or a main loop
//! [has it for itself](#in-a-main-loop), which takes less code, stack and time.
//!
//! With tasks, everything happens while [`Session::run`] is polled, on whatever executor. What tasks call
//! takes `&self`, so the rest of the application runs beside it: joined with it in one future, as above, or
//! in tasks of its own on the same thread. Without an executor, [`block_on`](crate::block_on) runs the
//! joined future. A session is not `Sync`, and observers and wakers may not call back into it. With
//! embassy, for example, where each of these functions is a task:
//!
//! ```
//! use embedded_hal_async::delay::DelayNs;
//! use microvisor::aws::{StoredProfile, Topics};
//! use microvisor::mqtt::Inbox;
//! use microvisor::session::Session;
//!
//! // In a `StaticCell`, together with the topics that it subscribes to.
//! type Aws = Session<'static, StoredProfile>;
//!
//! async fn stay_connected(session: &'static Aws, delay: impl DelayNs) {
//!     session.run(delay).await;
//! }
//!
//! async fn obey(session: &'static Aws) {
//!     let (mut topic, mut payload) = ([0; 64], [0; 64]);
//!     loop {
//!         if let Ok(command) = session.receive(&mut Inbox::new(&mut topic, &mut payload)).await {
//!             command.acknowledge();
//!         }
//!     }
//! }
//!
//! async fn blink(session: &'static Aws, led: impl Fn(bool)) {
//!     let mut state = session.state();
//!     loop {
//!         led(state == microvisor::session::State::Online);
//!         state = session.changed_from(state).await;
//!     }
//! }
//! # let _ = |session: &'static Aws, delay: microvisor_sim::Delay| {
//! #     drop((stay_connected(session, delay), obey(session), blink(session, |_| ())));
//! # };
//! ```
//!
//! ## In a main loop
//!
//! A program with a main loop of its own has no futures at all. It calls [`Session::next`] for whatever came
//! in, publishes with [`Session::publish_now`], and sleeps until [`Session::deadline_micros`] or until an
//! interrupt:
//!
//! ```
//! use microvisor::aws::StoredProfile;
//! use microvisor::mqtt::{Inbox, Publish};
//! use microvisor::session::{Incoming, Session};
//!
//! fn main_loop(
//!     mut session: Session<'static, StoredProfile>,
//!     mut reading: impl FnMut() -> Option<Publish<'static>>,
//!     mut sleep_until: impl FnMut(u64),
//! ) {
//!     let (mut topic, mut payload) = ([0; 64], [0; 64]);
//!     session.start();
//!     loop {
//!         let mut inbox = Inbox::new(&mut topic, &mut payload);
//!         while let Some(incoming) = session.next(&mut inbox) {
//!             match incoming {
//!                 Incoming::Message(command) => _ = command.acknowledge(),
//!                 // What the broker said of a reading.
//!                 Incoming::Published(_ticket, _verdict) => {}
//!                 // `NotReceived`: what was too large comes once more, and is then thrown away.
//!                 _ => {}
//!             }
//!         }
//!         if let Some(reading) = reading() {
//!             let _ = session.publish_now(&reading);
//!         }
//!         sleep_until(session.deadline_micros());
//!     }
//! }
//! # let _ = |session, reading: fn() -> Option<Publish<'static>>, sleep: fn(u64)| {
//! #     main_loop(session, reading, sleep)
//! # };
//! ```
//!
//! A program that polls several things by hand calls [`Session::poll`] and [`Session::try_receive`] instead,
//! which take `&self` as well: so an obligation can be kept while the next message is received.
//!
//! # Memory
//!
//! All memory is the caller's, and there is no heap. The kernel writes to one static area, which the
//! session divides as its [`MemoryPlan`] says: [`MemoryPlan::AWS_LEN`], 11,776 bytes, for AWS IoT with an
//! RSA-2048 key. The credentials are decoded in place there. All that holds them, the buffers that the kernel
//! used included, is overwritten when they are fetched anew, and when the session is stopped or dropped. The
//! session itself takes less than 1 KiB on
//! the board, and lies wherever it is put: in a static, or in the future that runs it.
//! `cargo bench --bench session_memory` has the numbers.
//!
//! # What it promises, and what not
//!
//! - It comes online again whenever that is possible: no failure of the network, the config store, the
//!   broker or a system call ends [`run`](Session::run). Only [`disconnect`](Session::disconnect) and
//!   [`stop`](Session::stop) do.
//! - It subscribes again with each connection, whatever the broker remembers.
//! - There is one verdict for each publish, and none is `Ok` without the broker's word.
//! - A message is not acknowledged before the application does it, in the order in which it does, and
//!   once per delivery. The exceptions are messages that no inbox fits and those that nobody subscribed to
//!   and nobody receives, which are thrown away. The receiver is told of the ones, and the observer of the
//!   others.
//! - It does not keep messages over a reset, and does not publish again what is in doubt.
//! - It does not find a wrong value in a store that is right by its form: it can only try it, and say what
//!   the broker said.
//! - What the kernel never answers and never tells costs time: up to the
//!   [answer time](Policy::with_answer_timeout) each. A timer that is handed to [`run`](Session::run) and
//!   does not end costs for ever.

mod back_off;
mod broker_profile;
mod builder;
mod duties;
mod event;
mod fixed_profile;
mod incoming;
mod machine;
mod memory_plan;
mod policy;
mod publishing;
mod receiving;
#[allow(clippy::module_inception)] // Named after its main type.
mod session;
mod settings_error;
mod state;
mod stored_user_profile;
mod values;
mod wakers;

pub use broker_profile::BrokerProfile;
pub use builder::{BuildError, SessionBuilder};
pub use duties::{Acknowledged, MAX_UNACKNOWLEDGED, Obligation};
pub use event::{Event, Observer};
pub use fixed_profile::FixedProfile;
pub use incoming::{Incoming, Ticket};
pub use memory_plan::MemoryPlan;
pub use policy::Policy;
pub use publishing::{Doubt, PublishError, Publishing, WhenOffline};
pub use receiving::{ReceiveError, Received};
pub use session::Session;
pub use settings_error::SettingsError;
pub use state::{Awaited, Cause, State};
pub use stored_user_profile::{StoredUserProfile, UserSettings};
pub use values::{Span, StoredValues, ValueReader};
