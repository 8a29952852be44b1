#![allow(clippy::unused_self)] // What a device does is asked of its bench.

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::{Builder, Device, Misuse, NetworkPlan};

use super::*;

/// A device with a notification centre, the network up, and a broker that does as it is told.
pub(crate) struct Bench {
    pub(crate) device: Device,
    pub(crate) broker: Scripted,
    pub(crate) ring: *mut sys::MvNotification,
    pub(crate) center: u32,
    pub(crate) network: u32,
}

fn online() -> Builder {
    Device::builder().network(NetworkPlan::connected_at_boot())
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let broker = Scripted::default();
        Self::boot(settings(online().broker(broker.clone())), broker)
    }

    pub(crate) fn without_broker() -> Self {
        Self::boot(online(), Scripted::default())
    }

    fn boot(builder: Builder, broker: Scripted) -> Self {
        let device = builder.boot();
        let ring = ring(CENTER_RECORDS);
        let mut center = 0;
        let status = call!(mvSetupNotifications(&setup(IRQ, ring, CENTER_RECORDS), &mut center));
        assert_eq!(status, sys::MV_STATUS_OKAY);
        let mut network = 0;
        let status = call!(mvRequestNetwork(&network_params(1, center), &mut network));
        assert_eq!(status, sys::MV_STATUS_OKAY);
        Self { device, broker, ring, center, network }
    }

    /// Parameters for a channel that can be opened.
    pub(crate) fn channel_params(&self, channel_type: sys::MvChannelType) -> sys::MvOpenChannelParams {
        let v1 = sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1 {
            notification_handle: self.center,
            notification_tag: CHANNEL_TAG,
            network_handle: self.network,
            receive_buffer: memory(1024),
            receive_buffer_len: 1024,
            send_buffer: memory(512),
            send_buffer_len: 512,
            channel_type,
            endpoint: text(b""),
        };
        sys::MvOpenChannelParams {
            version: 1,
            __bindgen_anon_1: sys::MvOpenChannelParams__bindgen_ty_1 { v1 },
        }
    }

    /// Opens a channel with parameters that are changed before.
    pub(crate) fn try_open(
        &self,
        change: impl FnOnce(&mut sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1),
    ) -> Result<u32, sys::MvStatus> {
        let mut params = self.channel_params(sys::MV_CHANNELTYPE_MQTT);
        // SAFETY: the union has one member, which was written before.
        change(unsafe { &mut params.__bindgen_anon_1.v1 });
        let mut handle = 0;
        match call!(mvOpenChannel(&params, &mut handle)) {
            sys::MV_STATUS_OKAY => Ok(handle),
            status => Err(status),
        }
    }

    pub(crate) fn open(&self, channel_type: sys::MvChannelType) -> u32 {
        self.try_open(|params| params.channel_type = channel_type).expect("the channel opens")
    }

    pub(crate) fn mqtt(&self) -> u32 {
        self.open(sys::MV_CHANNELTYPE_MQTT)
    }

    pub(crate) fn config(&self) -> u32 {
        self.open(sys::MV_CHANNELTYPE_CONFIGFETCH)
    }

    /// An MQTT channel on which the connect response was read.
    pub(crate) fn connected(&self) -> u32 {
        let channel = self.connected_unread();
        let mut response = sys::MvMqttConnectResponse { request_state: 9, reason_code: 9 };
        assert_eq!(call!(mvMqttReadConnectResponse(channel, &mut response)), sys::MV_STATUS_OKAY);
        assert_eq!((response.request_state, response.reason_code), (0, 0));
        channel
    }

    /// An MQTT channel with the connect response to read.
    pub(crate) fn connected_unread(&self) -> u32 {
        let channel = self.mqtt();
        assert_eq!(call!(mvMqttRequestConnect(channel, &connect_request())), sys::MV_STATUS_OKAY);
        self.settle();
        channel
    }

    /// A config channel with the response to a request for `keys` in the device's config store.
    pub(crate) fn fetched(&self, keys: &[&str]) -> u32 {
        let channel = self.config();
        assert_eq!(self.fetch(channel, keys), sys::MV_STATUS_OKAY);
        self.settle();
        channel
    }

    pub(crate) fn fetch(&self, channel: u32, keys: &[&str]) -> sys::MvStatus {
        let keys: Vec<_> = keys.iter().map(|key| config_key(key.as_bytes())).collect();
        call!(mvSendConfigFetchRequest(channel, &fetch_params(&keys)))
    }

    pub(crate) fn publish(&self, channel: u32, correlation_id: u32, qos: u32) -> sys::MvStatus {
        call!(mvMqttRequestPublish(channel, &publish_request(correlation_id, qos)))
    }

    pub(crate) fn subscribe(&self, channel: u32, correlation_id: u32) -> sys::MvStatus {
        let topics = [subscription(b"command")];
        call!(mvMqttRequestSubscribe(channel, &subscribe_request(correlation_id, &topics)))
    }

    pub(crate) fn unsubscribe(&self, channel: u32, correlation_id: u32) -> sys::MvStatus {
        let topics = [text(b"command")];
        call!(mvMqttRequestUnsubscribe(channel, &unsubscribe_request(correlation_id, &topics)))
    }

    /// The broker speaks, and the kernel takes it up.
    pub(crate) fn hear(&self, event: BrokerEvent) {
        self.broker.say(event);
        self.settle();
    }

    /// Lets everything happen that is under way.
    pub(crate) fn settle(&self) {
        self.device.advance(Duration::from_secs(1));
    }

    /// What can be read next on a channel.
    pub(crate) fn readable(&self, channel: u32) -> u32 {
        let mut kind = 99;
        assert_eq!(call!(mvMqttGetNextReadableDataType(channel, &mut kind)), sys::MV_STATUS_OKAY);
        kind
    }

    pub(crate) fn close(&self, mut channel: u32) {
        assert_eq!(call!(mvCloseChannel(&mut channel)), sys::MV_STATUS_OKAY);
        assert_eq!(channel, 0);
    }

    pub(crate) fn closure_reason(&self, channel: u32) -> u32 {
        let mut reason = 99;
        assert_eq!(call!(mvGetChannelClosureReason(channel, &mut reason)), sys::MV_STATUS_OKAY);
        reason
    }

    pub(crate) fn overruns(&self) -> u64 {
        self.device.overruns()
    }

    pub(crate) fn misuse(&self) -> Vec<Misuse> {
        self.device.take_misuse()
    }

    /// The records of the ring that hold an event, and clears them.
    pub(crate) fn events(&self) -> Vec<(u32, u32)> {
        let mut events = Vec::new();
        for index in 0..CENTER_RECORDS as usize {
            let record = record(self.ring, index);
            if record.event_type != sys::MV_EVENTTYPE_NOEVENT {
                events.push((record.event_type, record.tag));
                clear(self.ring, index);
            }
        }
        events
    }
}
