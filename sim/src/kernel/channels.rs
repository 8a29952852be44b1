use std::collections::{BTreeMap, BTreeSet, VecDeque};

use microvisor::sys;

use super::config_fetch::{Fetch, Response};
use super::handles::Object;
use super::memory::Use;
use super::mqtt_responses::{Item, Message};
use super::pointers::write_output;
use super::{BrokerRequest, Kernel, Outcome};
use crate::broker::LinkId;
use crate::names;

/// At most this many channels at a time (ABI 0.7.0).
const MAX_CHANNELS: usize = 4;
/// At most this many opens within a second (ABI 0.7.0).
const OPENS_PER_SECOND: usize = 8;
/// Buffers start at, and are multiples of, this (ABI 0.7.0).
const BUFFER_UNIT: u32 = 512;

type Params = sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelKind {
    Mqtt,
    ConfigFetch,
}

/// Requests on an MQTT channel that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    pub(super) subscribe: bool,
    pub(super) unsubscribe: bool,
    pub(super) disconnect: bool,
    /// Correlation id and QoS of each.
    pub(super) publishes: Vec<(u32, u8)>,
    pub(super) acknowledgements: usize,
}

/// An open channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(super) kind: ChannelKind,
    pub(super) center: u32,
    pub(super) tag: u32,
    pub(super) receive_len: usize,
    pub(super) send_len: usize,
    /// Why the channel was closed other than by the application.
    pub(super) closure: Option<sys::MvClosureReason>,
    /// The channel's one request (connect or config fetch) was sent.
    pub(super) request_sent: bool,

    // Config fetch.
    pub(super) fetch: Option<Fetch>,
    pub(super) response: Option<Response>,

    // MQTT.
    pub(super) link: Option<LinkId>,
    pub(super) connected: bool,
    pub(super) in_flight: InFlight,
    /// What can be read, in order.
    pub(super) items: VecDeque<Item>,
    /// Messages that wait until there is room for them.
    pub(super) held: VecDeque<Message>,
    /// Messages that await their acknowledgement: correlation id and the broker's number.
    pub(super) unacknowledged: BTreeMap<u32, u32>,
    pub(super) acknowledged: BTreeSet<u32>,
    /// The application was told to try again later.
    pub(super) wants_space: bool,
}

impl Channel {
    fn new(kind: ChannelKind, params: &Params) -> Self {
        Self {
            kind,
            center: params.notification_handle,
            tag: params.notification_tag,
            receive_len: params.receive_buffer_len as usize,
            send_len: params.send_buffer_len as usize,
            closure: None,
            request_sent: false,
            fetch: None,
            response: None,
            link: None,
            connected: false,
            in_flight: InFlight::default(),
            items: VecDeque::new(),
            held: VecDeque::new(),
            unacknowledged: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            wants_space: false,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.closure.is_none()
    }

    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind {
            ChannelKind::Mqtt => "MQTT channel",
            ChannelKind::ConfigFetch => "config fetch channel",
        }
    }

    /// Whether a message fits the receive buffer beside those that are unread.
    pub(super) fn has_room_for(&self, message: &Message) -> bool {
        let unread = self.items.iter().map(|item| match item {
            Item::Message(message) => message.size(),
            _ => 0,
        });
        unread.sum::<usize>() + message.size() <= self.receive_len
    }

    pub(crate) fn describe(&self) -> String {
        let kind = self.kind_name();
        if let Some(reason) = self.closure {
            return format!("{kind}, closed ({}) but not given back", names::closure_reason(reason));
        }
        let state = match (self.kind, self.request_sent) {
            (_, false) => "nothing requested",
            (ChannelKind::ConfigFetch, true) if self.response.is_some() => "has its response",
            (ChannelKind::Mqtt, true) if self.connected => "connected",
            _ => "waits for the response",
        };
        match self.items.front() {
            Some(item) => {
                let head = names::readable(item.kind());
                format!("{kind}, {state}, {} unread item(s), first {head}", self.items.len())
            }
            None => format!("{kind}, {state}"),
        }
    }
}

impl Kernel {
    pub(crate) fn open_channel(
        &mut self,
        params: *const sys::MvOpenChannelParams,
        handle_out: *mut u32,
    ) -> Outcome {
        let params = self.input(params, "params")?;
        self.output(handle_out, "handle")?;
        self.require_version(params.version)?;
        // SAFETY: the union has one member, and every bit pattern is a value of its fields.
        let v1 = unsafe { params.__bindgen_anon_1.v1 };
        self.require_center(v1.notification_handle)?;
        self.require_network(v1.network_handle)?;
        self.check_buffer(v1.receive_buffer, v1.receive_buffer_len, "receive_buffer")?;
        self.check_buffer(v1.send_buffer, v1.send_buffer_len, "send_buffer")?;
        let (receive, send) = (v1.receive_buffer.addr(), v1.send_buffer.addr());
        if receive < send + v1.send_buffer_len as usize && send < receive + v1.receive_buffer_len as usize {
            return self.misused(sys::MV_STATUS_BUFFERALREADYINUSE, "receive_buffer and send_buffer overlap");
        }
        let kind = self.channel_kind(v1.channel_type, v1.endpoint)?;
        if !self.network().is_up() {
            return Err(sys::MV_STATUS_NETWORKNOTCONNECTED);
        }
        self.limit_opens()?;
        let channel = Channel::new(kind, &v1);
        let name = channel.kind_name();
        let handle = self.new_handle(Object::Channel(Box::new(channel)));
        for (start, len, which) in [
            (v1.receive_buffer, v1.receive_buffer_len, "receive"),
            (v1.send_buffer, v1.send_buffer_len, "send"),
        ] {
            let what = format!("{which} buffer of {name} {}", names::handle(handle));
            self.memory.claim(start, len as usize, Use::Private, what, handle);
        }
        self.put(handle_out, handle, "handle", names::handle(handle));
        Ok(())
    }

    /// Checks memory that the kernel shall own: the buffers of channels and of the log.
    pub(super) fn check_buffer(&mut self, start: *mut u8, len: u32, what: &str) -> Outcome {
        if len == 0 || !len.is_multiple_of(BUFFER_UNIT) {
            return self.misused(
                sys::MV_STATUS_INVALIDBUFFERSIZE,
                format!("{what} has {len} bytes; it needs a multiple of {BUFFER_UNIT}, not 0"),
            );
        }
        if let Some(owner) = self.memory.overlap(start.addr(), len as usize) {
            let what = format!("{what} overlaps the {owner}");
            return self.misused(sys::MV_STATUS_BUFFERALREADYINUSE, what);
        }
        self.output_bytes(start, len, what, sys::MV_STATUS_PARAMETERFAULT)?;
        // The application's bytes stay what they are if the call fails.
        self.call.outputs.pop();
        if !start.addr().is_multiple_of(BUFFER_UNIT as usize) {
            return self.misused(
                sys::MV_STATUS_INVALIDBUFFERALIGNMENT,
                format!("{what} ({start:p}) is not {BUFFER_UNIT}-byte aligned"),
            );
        }
        Ok(())
    }

    fn channel_kind(
        &mut self,
        kind: sys::MvChannelType,
        endpoint: sys::MvSizedString,
    ) -> Outcome<ChannelKind> {
        let endpoint = self.string(endpoint, "endpoint")?;
        if !endpoint.is_empty() {
            return self.misused(
                sys::MV_STATUS_UNKNOWNCHANNELENDPOINT,
                format!("endpoint is {}, but it must be empty", crate::trace::shown(&endpoint)),
            );
        }
        match kind {
            sys::MV_CHANNELTYPE_MQTT => Ok(ChannelKind::Mqtt),
            sys::MV_CHANNELTYPE_CONFIGFETCH => Ok(ChannelKind::ConfigFetch),
            // The platform has these; the model does not.
            sys::MV_CHANNELTYPE_HTTP | sys::MV_CHANNELTYPE_OPAQUEBYTES => Err(sys::MV_STATUS_UNAVAILABLE),
            other => {
                self.misused(sys::MV_STATUS_UNKNOWNCHANNELTYPE, format!("there is no channel type {other}"))
            }
        }
    }

    fn limit_opens(&mut self) -> Outcome {
        let now = self.now;
        self.opens.retain(|&at| now - at < 1_000_000);
        if self.opens.len() >= OPENS_PER_SECOND {
            return Err(sys::MV_STATUS_RATELIMITED);
        }
        self.opens.push_back(now);
        if self.handles.channels().count() >= MAX_CHANNELS {
            return Err(sys::MV_STATUS_TOOMANYCHANNELS);
        }
        Ok(())
    }

    pub(crate) fn close_channel(&mut self, handle_in_out: *mut u32) -> Outcome {
        let handle = self.handle_to_close(handle_in_out, sys::MV_STATUS_PARAMETERFAULT)?;
        self.require(handle, "channel", |object| matches!(object, Object::Channel(_)))?;
        self.abandon_link(handle);
        self.retire_handle(handle);
        self.memory.release(handle);
        write_output(handle_in_out, 0);
        Ok(())
    }

    pub(crate) fn get_channel_closure_reason(
        &mut self,
        handle: u32,
        out: *mut sys::MvClosureReason,
    ) -> Outcome {
        self.require(handle, "channel", |object| matches!(object, Object::Channel(_)))?;
        self.output(out, "reason_out")?;
        let closure = self.handles.channel(handle).and_then(|channel| channel.closure);
        let reason = closure.unwrap_or(sys::MV_CLOSUREREASON_NONE);
        self.put(out, reason, "reason", names::closure_reason(reason));
        Ok(())
    }

    /// The open channel of that kind that a handle names.
    pub(super) fn channel(&mut self, handle: u32, kind: ChannelKind) -> Outcome<&mut Channel> {
        let name = match kind {
            ChannelKind::Mqtt => "MQTT channel",
            ChannelKind::ConfigFetch => "config fetch channel",
        };
        self.require(
            handle,
            name,
            |object| matches!(object, Object::Channel(channel) if channel.kind == kind),
        )?;
        match self.handles.channel(handle) {
            Some(channel) if channel.is_open() => Ok(channel),
            _ => Err(sys::MV_STATUS_CHANNELCLOSED),
        }
    }

    /// Closes all channels, other than by the application.
    pub(crate) fn close_channels(&mut self, reason: sys::MvClosureReason) {
        for handle in self.handles.channels().map(|(handle, _)| handle).collect::<Vec<_>>() {
            self.terminate_channel(handle, reason);
        }
    }

    /// Closes a channel, other than by the application, and tells the application. Its buffers stay the
    /// kernel's until `mvCloseChannel`.
    pub(super) fn terminate_channel(&mut self, handle: u32, reason: sys::MvClosureReason) {
        self.abandon_link(handle);
        let Some(channel) = self.handles.channel(handle).filter(|channel| channel.is_open()) else { return };
        channel.closure = Some(reason);
        channel.items.clear();
        let (center, tag) = (channel.center, channel.tag);
        let text = format!("channel {} closed, {}", names::handle(handle), names::closure_reason(reason));
        self.trace.event(self.now, &text);
        self.notify(center, sys::MV_EVENTTYPE_CHANNELNOTCONNECTED, tag);
    }

    /// Makes a channel unusable after a late fault. The status says so; there is no notification.
    pub(super) fn spoil_channel(&mut self, handle: u32) {
        self.abandon_link(handle);
        if let Some(channel) = self.handles.channel(handle).filter(|channel| channel.is_open()) {
            channel.closure = Some(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
            channel.items.clear();
        }
    }

    /// The device is switched off: all connections end without a DISCONNECT.
    pub(crate) fn abandon_links(&mut self) {
        for handle in self.handles.channels().map(|(handle, _)| handle).collect::<Vec<_>>() {
            self.abandon_link(handle);
        }
    }

    /// Ends the connection to the broker, if there is one, without a DISCONNECT.
    fn abandon_link(&mut self, handle: u32) {
        let Some(channel) = self.handles.channel(handle) else { return };
        channel.connected = false;
        channel.held.clear();
        let Some(link) = channel.link.take() else { return };
        self.links.remove(&link.0);
        self.outbox.push_back(BrokerRequest::Abandon(link));
    }
}
