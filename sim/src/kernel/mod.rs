//! The kernel model: its state, and one method for each system call.
//!
//! Nothing here runs code of the user: what a call asks of the broker goes to the `outbox`, interrupts
//! are only pended, and due actions are handed to the [`Machine`](crate::machine::Machine), which does
//! all of that while the kernel is not borrowed. That is what makes it safe for an interrupt handler or
//! an action to use system calls itself.
//!
//! Read on in this order: `event_queue` (what will happen), `handles` (what is open), `memory` and
//! `pointers` (what the application may touch), then the calls by subject.

mod channels;
mod config_fetch;
mod event_queue;
mod far_end;
mod handles;
mod memory;
mod mqtt_connect;
mod mqtt_requests;
mod mqtt_responses;
mod network;
mod notifications;
mod peripherals;
mod pointers;
mod power;
mod server_log;
mod time;
mod unavailable;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Display;
use std::time::Duration;

use microvisor::sys;
use oorandom::Rand64;

use crate::fault::{Action, CallVerdict, Faults};
use crate::misuse::Misuse;
use crate::names;
use crate::quirks::Quirks;
use crate::trace::Trace;
use crate::wall_clock::{Known, WallClock};

pub(crate) use config_fetch::{ConfigStores, Key, is_key, is_value};
pub(crate) use event_queue::{Event, EventQueue};
pub(crate) use far_end::BrokerRequest;
use handles::Handles;
use memory::OwnedMemory;
pub(crate) use network::Network;
use peripherals::Peripherals;
pub use power::End;
use server_log::ServerLog;
pub(crate) use unavailable::{no_op, not_on_this_board};

/// How a system call ends: `Err` holds the status.
pub(crate) type Outcome<T = ()> = Result<T, sys::MvStatus>;

/// What one system call costs, in microseconds.
const CALL_COST: u64 = 3;

/// The calls that open or close what notification centres hear of.
const OPENING_AND_CLOSING: &[&str] = &[
    "mvOpenChannel",
    "mvCloseChannel",
    "mvRequestNetwork",
    "mvReleaseNetwork",
    "mvOpenSystemNotification",
    "mvCloseSystemNotification",
];

/// The system call in progress.
#[derive(Debug, Default)]
struct Call {
    name: &'static str,
    /// The channel that the call is about; a late fault makes it unusable.
    channel: u32,
    /// What the log shows behind the status.
    notes: String,
    /// Outputs that the call may write, for junk if it fails.
    outputs: Vec<(*mut u8, usize)>,
}

/// Work that the kernel may not do itself, because it runs user code.
#[derive(Debug)]
pub(crate) enum Errand {
    Scheduled(u64),
    Timer(u64),
    Fault(Action),
}

/// What a new kernel is made from.
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) device_id: String,
    pub(crate) stores: ConfigStores,
    pub(crate) network: Network,
    pub(crate) wall_clock: WallClock,
    pub(crate) quirks: Quirks,
    pub(crate) trace: Trace,
}

pub(crate) struct Kernel {
    /// Microseconds since the kernel started.
    pub(crate) now: u64,
    /// Whether the clock is the host's, so that the model must not move it.
    pub(crate) real_time: bool,
    pub(crate) queue: EventQueue,
    pub(crate) outbox: VecDeque<BrokerRequest>,
    pub(crate) errands: VecDeque<Errand>,
    /// Interrupts that are pending.
    pub(crate) pending: BTreeSet<u32>,
    /// Whether an interrupt handler runs at present, which some calls refuse.
    pub(crate) in_handler: bool,
    /// Interrupts that have a handler.
    pub(crate) bound: BTreeSet<u32>,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) stores: ConfigStores,
    pub(crate) end: Option<End>,
    /// The application asked to doze until something happens.
    pub(crate) dozes: bool,
    pub(crate) calls: u64,
    pub(crate) call_counts: BTreeMap<&'static str, u64>,
    pub(crate) misuse: Vec<Misuse>,
    pub(crate) overruns: u64,
    quirks: Quirks,
    rng: Rand64,
    call: Call,
    device_id: String,
    handles: Handles,
    memory: OwnedMemory,
    network: Network,
    wall_clock: WallClock,
    log: ServerLog,
    peripherals: Peripherals,
    opens: VecDeque<u64>,
    /// The channel of each link.
    links: BTreeMap<u32, u32>,
    next_message: u32,
}

impl Kernel {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut rng = Rand64::new(u128::from(setup.seed) ^ 0x6d69_6372_6f76_6973_6f72);
        let next_message = u32::try_from(rng.rand_range(1000..1 << 30)).unwrap_or(1000);
        let mut kernel = Self {
            now: 0,
            real_time: false,
            queue: EventQueue::default(),
            outbox: VecDeque::new(),
            errands: VecDeque::new(),
            pending: BTreeSet::new(),
            in_handler: false,
            bound: BTreeSet::new(),
            faults: Faults::default(),
            trace: setup.trace,
            stores: setup.stores,
            end: None,
            dozes: false,
            calls: 0,
            call_counts: BTreeMap::new(),
            misuse: Vec::new(),
            overruns: 0,
            quirks: setup.quirks,
            memory: OwnedMemory::new(&mut rng),
            rng,
            call: Call::default(),
            device_id: setup.device_id,
            handles: Handles::default(),
            network: setup.network,
            wall_clock: setup.wall_clock,
            log: ServerLog::default(),
            peripherals: Peripherals::default(),
            opens: VecDeque::new(),
            links: BTreeMap::new(),
            next_message,
        };
        kernel.schedule_network_steps();
        kernel
    }

    // The system call, from entry to return.

    /// Opens a system call: checks the memory that the kernel owns and asks the faults.
    pub(crate) fn begin_call(&mut self, name: &'static str, channel: u32) -> CallVerdict {
        self.call = Call { name, channel, ..Call::default() };
        self.scan_memory();
        let index = self.calls;
        self.calls += 1;
        *self.call_counts.entry(name).or_default() += 1;
        let now = self.uptime();
        self.faults.at_call(name, index, now)
    }

    /// Carries a system call out and closes it.
    pub(crate) fn carry_out(
        &mut self,
        name: &'static str,
        channel: u32,
        arguments: &str,
        verdict: &CallVerdict,
        body: impl FnOnce(&mut Self) -> Outcome,
    ) -> sys::MvStatus {
        let injected = verdict.status;
        // A fault's action may have used system calls since `begin_call`.
        self.call = Call { name, channel, ..Call::default() };
        self.trace.begin_call();
        let mut status = sys::MV_STATUS_OKAY;
        if self.end.is_some() {
            status = sys::MV_STATUS_UNAVAILABLE;
        } else if injected.is_none_or(|(_, after_effect)| after_effect) {
            status = body(self).err().unwrap_or(sys::MV_STATUS_OKAY);
        }
        if let Some((instead, _)) = injected {
            status = instead;
            self.faults.left_something_open |= OPENING_AND_CLOSING.contains(&name);
            self.note("", "injected");
        }
        if status == sys::MV_STATUS_OKAY {
            for &(index, value) in &verdict.outputs {
                self.replace_output(index, value);
            }
        }
        if status == sys::MV_STATUS_LATEFAULT {
            self.spoil_channel(self.call.channel);
        }
        if status != sys::MV_STATUS_OKAY && self.quirks.junk_in_outputs {
            self.junk_outputs();
        }
        let line = format!("{name}({arguments}) = {}{}", names::status(status), self.call.notes);
        self.trace.end_call(self.now, &line);
        self.call = Call::default();
        if !self.real_time {
            self.now += CALL_COST;
        }
        status
    }

    /// Adds an output or a remark to the call's line.
    fn note(&mut self, name: &str, value: impl Display) {
        use std::fmt::Write as _;
        let equals = if name.is_empty() { "" } else { "=" };
        // Writing to a `String` cannot fail.
        let _ = write!(self.call.notes, ", {name}{equals}{value}");
    }

    // What is wrong with the application.

    /// Reports a misuse and gives the status back.
    fn misused<T>(&mut self, status: sys::MvStatus, what: impl Into<String>) -> Outcome<T> {
        self.report(what.into());
        Err(status)
    }

    fn report(&mut self, what: String) {
        let misuse = Misuse { call: self.call.name.to_owned(), what, at: self.uptime() };
        self.trace.event(self.now, &format!("misuse: {}", misuse.what));
        self.misuse.push(misuse);
    }

    /// Looks for writes of the application into memory that the kernel owns.
    pub(crate) fn scan_memory(&mut self) {
        for what in self.memory.scan() {
            self.report(what);
        }
    }

    // The clock and what comes with it.

    pub(crate) fn uptime(&self) -> Duration {
        Duration::from_micros(self.now)
    }

    fn schedule(&mut self, delay: u64, event: Event) {
        self.queue.push(self.now + delay, event);
    }

    /// Does what is due; `false` if nothing is.
    pub(crate) fn take_due_event(&mut self) -> bool {
        let Some(event) = self.queue.pop_due(self.now) else { return false };
        match event {
            Event::Network(status) => self.set_network(status),
            Event::NetworkConnects => self.network_connects(),
            Event::NetworkReleased => self.network_released(),
            Event::Notification { center, kind, tag } => self.deliver(center, kind, tag),
            Event::ConfigResponse(channel) => self.config_response(channel),
            Event::Item { channel, item } => self.local_response(channel, item),
            Event::Acknowledged(channel) => self.acknowledgement_done(channel),
            Event::MessagesReleased(channel) => self.release_messages(channel),
            Event::LogDrained => self.drain_log(),
            Event::Scheduled(action) => self.errands.push_back(Errand::Scheduled(action)),
            Event::Timer(timer) => self.errands.push_back(Errand::Timer(timer)),
        }
        true
    }

    pub(crate) fn unix_micros(&self) -> u64 {
        self.wall_clock.unix_at_boot * 1_000_000 + self.now
    }

    fn date_is_known(&self) -> bool {
        match self.wall_clock.known {
            Known::From(delay) => self.uptime() >= delay,
            Known::WhenConnected => self.network.was_connected(),
            Known::Never => false,
        }
    }

    /// The state in a few lines, for whoever wonders why nothing happens.
    pub(crate) fn describe(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "  time since boot: {:?}, network: {}, {} request(s) for it",
            self.uptime(),
            names::network_status(self.network.status().raw()),
            self.handles.networks().count()
        );
        for (handle, channel) in self.handles.channels() {
            let _ = write!(text, "\n  channel {}: {}", names::handle(handle), channel.describe());
        }
        for irq in self.pending.difference(&self.bound) {
            let _ = write!(
                text,
                "\n  interrupt {irq} is pending, but has no handler; see Device::bind_interrupt"
            );
        }
        if let Some(end) = self.end {
            let _ = write!(text, "\n  the application has ended itself: {end:?}");
        }
        text
    }
}

/// A length of the host as the ABI's 32 bits.
fn length(of: &[impl Sized]) -> u32 {
    u32::try_from(of.len()).unwrap_or(u32::MAX)
}
