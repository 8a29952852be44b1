use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use microvisor::sys;

use crate::device::Device;

/// Something that goes wrong on purpose; see [`Device::inject`].
///
/// Faults strike at a system call, at a notification or at the response to a config fetch. For one at a
/// given time use [`Device::at`].
///
/// ```
/// use microvisor_sim::{Device, Fault, FetchFault};
/// use microvisor::sys;
///
/// let device = Device::builder().boot();
/// // The second and third attempt to open a channel from now on are refused.
/// device.inject(Fault::call("mvOpenChannel").nth(2).times(2).status(sys::MV_STATUS_RATELIMITED));
/// // Channels are closed just as the device publishes for the first time.
/// device.inject(Fault::call("mvMqttRequestPublish").run(|device| {
///     device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
/// }));
/// // A kind of item that ABI 0.7.0 does not list.
/// device.inject(Fault::call("mvMqttGetNextReadableDataType").output(4711));
/// device.inject(Fault::notifications().skip(2).drop(3));
/// device.inject(Fault::config_response(FetchFault::ResponseTooLarge));
/// ```
#[derive(Debug)]
pub struct Fault(pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    Call(CallFault),
    Notification(NotificationFault),
    ConfigResponse(ConfigResponseFault),
}

impl Fault {
    /// At calls of the system call with that name, counted from the injection.
    pub fn call(name: &str) -> CallFault {
        CallFault::new(Calls::Named(name.to_owned()))
    }

    /// At the system call with that index among all since boot, from 0; see [`Device::calls`].
    pub fn call_index(index: u64) -> CallFault {
        CallFault::new(Calls::Index(index))
    }

    /// At notifications, counted from the injection.
    pub fn notifications() -> NotificationFault {
        NotificationFault {
            event_type: None,
            tag: None,
            skip: 0,
            count: 1,
            effect: NotificationEffect::Drop,
            seen: 0,
        }
    }

    /// At the response to the next config fetch.
    pub fn config_response(fault: FetchFault) -> ConfigResponseFault {
        ConfigResponseFault { fault, window: Window::default() }
    }
}

impl From<CallFault> for Fault {
    fn from(fault: CallFault) -> Self {
        Self(Kind::Call(fault))
    }
}

impl From<NotificationFault> for Fault {
    fn from(fault: NotificationFault) -> Self {
        Self(Kind::Notification(fault))
    }
}

impl From<ConfigResponseFault> for Fault {
    fn from(fault: ConfigResponseFault) -> Self {
        Self(Kind::ConfigResponse(fault))
    }
}

/// User code that a fault runs. Shared, so that it can be called while the kernel is not borrowed.
#[derive(Clone)]
pub(crate) struct Action(pub(crate) Rc<RefCell<Routine>>);

type Routine = dyn FnMut(&Device);

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Action")
    }
}

/// Which occurrences are struck: `times` of them from the `nth`, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    nth: u64,
    times: u64,
    seen: u64,
    /// Nothing is struck from this time since boot on.
    until: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self { nth: 1, times: 1, seen: 0, until: Duration::MAX }
    }
}

impl Window {
    /// Strikes until then, however often.
    fn end_at(&mut self, until: Duration) {
        (self.times, self.until) = (u64::MAX, until);
    }

    /// Counts one occurrence at `now` and tells whether it is struck.
    fn strikes(&mut self, now: Duration) -> bool {
        self.seen += 1;
        self.seen >= self.nth && self.seen - self.nth < self.times && now < self.until
    }
}

#[derive(Debug)]
enum Calls {
    Named(String),
    Index(u64),
}

#[derive(Clone, Debug)]
pub(crate) enum CallEffect {
    Status(sys::MvStatus),
    Output(usize, u32),
    Run(Action),
}

/// A fault at system calls. Without more it makes the next such call answer `INTERNALERROR`.
#[derive(Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct CallFault {
    calls: Calls,
    window: Window,
    effect: CallEffect,
    after_effect: bool,
}

impl CallFault {
    fn new(calls: Calls) -> Self {
        Self {
            calls,
            window: Window::default(),
            effect: CallEffect::Status(sys::MV_STATUS_INTERNALERROR),
            after_effect: false,
        }
    }

    /// The first call to strike, counted from 1. Default: 1.
    pub fn nth(mut self, nth: u64) -> Self {
        self.window.nth = nth.max(1);
        self
    }

    /// How many calls in a row to strike. Default: 1.
    pub fn times(mut self, times: u64) -> Self {
        self.window.times = times;
        self
    }

    /// All calls are struck until that time since boot.
    pub fn until(mut self, since_boot: Duration) -> Self {
        self.window.end_at(since_boot);
        self
    }

    /// The call answers `status`, and does nothing else.
    pub fn status(mut self, status: sys::MvStatus) -> Self {
        self.effect = CallEffect::Status(status);
        self
    }

    /// The call is carried out, but the first word that it tells is `value`: of
    /// `mvMqttGetNextReadableDataType` the kind, of `mvMqttReceiveLostMessageInfo` the reason. For what
    /// only a newer kernel answers.
    pub fn output(self, value: u32) -> Self {
        self.output_at(0, value)
    }

    /// The call is carried out, but its output at `index`, counted from 0 in the order of the ABI, is
    /// `value`. A structure that the kernel fills in is one output, of which the first word is replaced; a
    /// buffer is two, its length first.
    ///
    /// ```
    /// use microvisor_sim::{Device, Fault};
    ///
    /// let device = Device::builder().boot();
    /// // The outputs are the correlation id, the topic's length and data, the payload's, QoS and retain.
    /// device.inject(Fault::call("mvMqttReceiveMessage").output_at(3, 1_000_000));
    /// ```
    pub fn output_at(mut self, index: usize, value: u32) -> Self {
        self.effect = CallEffect::Output(index, value);
        self
    }

    /// `action` runs just before the call is carried out.
    pub fn run(mut self, action: impl FnMut(&Device) + 'static) -> Self {
        self.effect = CallEffect::Run(Action(Rc::new(RefCell::new(action))));
        self
    }

    /// The call is carried out first, and answers the status (or runs the action) then.
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// The name of the calls, where it is known.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.calls {
            Calls::Named(name) => Some(name),
            Calls::Index(_) => None,
        }
    }

    fn strikes(&mut self, name: &str, index: u64, now: Duration) -> bool {
        match &self.calls {
            Calls::Named(wanted) => wanted == name && self.window.strikes(now),
            Calls::Index(wanted) => {
                (*wanted..wanted.saturating_add(self.window.times)).contains(&index)
                    && now < self.window.until
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum NotificationEffect {
    Drop,
    Duplicate,
    Delay(Duration),
    Run(Action),
}

/// A fault at notifications. Without more it loses the next one.
#[derive(Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct NotificationFault {
    event_type: Option<sys::MvEventType>,
    tag: Option<u32>,
    skip: u64,
    count: u64,
    effect: NotificationEffect,
    seen: u64,
}

impl NotificationFault {
    /// Counts only notifications of this `MvEventType`.
    pub fn of_type(mut self, event_type: sys::MvEventType) -> Self {
        self.event_type = Some(event_type);
        self
    }

    /// Counts only notifications with this tag.
    pub fn tagged(mut self, tag: u32) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Leaves the next `count` notifications alone.
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Loses `count` notifications: neither record nor interrupt.
    pub fn drop(self, count: u64) -> Self {
        self.strike(count, NotificationEffect::Drop)
    }

    /// Sends `count` notifications twice.
    pub fn duplicate(self, count: u64) -> Self {
        self.strike(count, NotificationEffect::Duplicate)
    }

    /// Sends `count` notifications later, so that later ones may overtake them.
    pub fn delay(self, count: u64, delay: Duration) -> Self {
        self.strike(count, NotificationEffect::Delay(delay))
    }

    /// Runs `action` right after one notification.
    pub fn run(self, action: impl FnMut(&Device) + 'static) -> Self {
        self.strike(1, NotificationEffect::Run(Action(Rc::new(RefCell::new(action)))))
    }

    fn strike(mut self, count: u64, effect: NotificationEffect) -> Self {
        (self.count, self.effect) = (count, effect);
        self
    }

    fn strikes(&mut self, event_type: sys::MvEventType, tag: u32) -> bool {
        if self.event_type.is_some_and(|wanted| wanted != event_type)
            || self.tag.is_some_and(|wanted| wanted != tag)
        {
            return false;
        }
        self.seen += 1;
        self.seen > self.skip && self.seen - self.skip <= self.count
    }
}

/// What is wrong with the response to a config fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchFault {
    /// The overall result is `RESPONSETOOLARGE`.
    ResponseTooLarge,
    /// The overall result is this number.
    Result(u32),
    /// The item of this key is a `SERVERERROR`.
    ServerError(String),
    /// The item of this key has this number for a result.
    ItemResult(String, u32),
    /// The value of this key is these bytes, which need not be text.
    ItemValue(String, Vec<u8>),
    /// The last so many items are missing.
    FewerItems(usize),
    /// It never comes.
    Silent,
    /// It comes this much later.
    Delay(Duration),
    /// The channel is closed for this `MvClosureReason` instead.
    Closed(u32),
}

/// A fault at the responses to config fetches, counted from the injection.
#[derive(Debug)]
#[must_use = "a fault does nothing until it is injected"]
pub struct ConfigResponseFault {
    fault: FetchFault,
    window: Window,
}

impl ConfigResponseFault {
    /// The first response to strike, counted from 1. Default: 1.
    pub fn nth(mut self, nth: u64) -> Self {
        self.window.nth = nth.max(1);
        self
    }

    /// How many responses in a row to strike. Default: 1.
    pub fn times(mut self, times: u64) -> Self {
        self.window.times = times;
        self
    }

    /// All responses are struck until that time since boot.
    pub fn until(mut self, since_boot: Duration) -> Self {
        self.window.end_at(since_boot);
        self
    }
}

/// What faults do to one system call.
#[derive(Debug, Default)]
pub(crate) struct CallVerdict {
    /// The status to answer, and whether the call is carried out before.
    pub(crate) status: Option<(sys::MvStatus, bool)>,
    /// What to put into which outputs.
    pub(crate) outputs: Vec<(usize, u32)>,
    pub(crate) before: Vec<Action>,
    pub(crate) after: Vec<Action>,
}

/// All injected faults. They stay here when they are spent, so that user code in them is dropped with the
/// device and not in the middle of a call.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    calls: Vec<CallFault>,
    notifications: Vec<NotificationFault>,
    config_responses: Vec<ConfigResponseFault>,
    /// One had opening or closing fail, so that something may stay open that cannot be closed.
    pub(crate) left_something_open: bool,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        match fault.0 {
            Kind::Call(fault) => self.calls.push(fault),
            Kind::Notification(fault) => self.notifications.push(fault),
            Kind::ConfigResponse(fault) => self.config_responses.push(fault),
        }
    }

    pub(crate) fn at_call(&mut self, name: &str, index: u64, now: Duration) -> CallVerdict {
        let mut verdict = CallVerdict::default();
        for fault in &mut self.calls {
            if !fault.strikes(name, index, now) {
                continue;
            }
            match fault.effect.clone() {
                CallEffect::Status(status) => verdict.status = Some((status, fault.after_effect)),
                CallEffect::Output(index, value) => verdict.outputs.push((index, value)),
                CallEffect::Run(action) if fault.after_effect => verdict.after.push(action),
                CallEffect::Run(action) => verdict.before.push(action),
            }
        }
        verdict
    }

    pub(crate) fn at_notification(
        &mut self,
        event_type: sys::MvEventType,
        tag: u32,
    ) -> Vec<NotificationEffect> {
        let faults = self.notifications.iter_mut();
        faults.filter_map(|fault| fault.strikes(event_type, tag).then(|| fault.effect.clone())).collect()
    }

    pub(crate) fn at_config_response(&mut self, now: Duration) -> Vec<FetchFault> {
        let struck = self
            .config_responses
            .iter_mut()
            .filter_map(|fault| fault.window.strikes(now).then(|| fault.fault.clone()));
        struck.collect()
    }
}
