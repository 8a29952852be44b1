//! Requests that the kernel takes, to be changed where a test wants them wrong.

use std::ptr::null;

use microvisor::sys;

use super::NETWORK_TAG;

pub(crate) fn text(data: &[u8]) -> sys::MvSizedString {
    sys::MvSizedString { data: data.as_ptr(), length: data.len().try_into().expect("a short text") }
}

pub(crate) fn setup(irq: u32, buffer: *mut sys::MvNotification, records: u32) -> sys::MvNotificationSetup {
    sys::MvNotificationSetup { irq, buffer, buffer_size: records * 16 }
}

pub(crate) fn network_params(version: u32, center: u32) -> sys::MvRequestNetworkParams {
    let v1 = sys::MvRequestNetworkParams__bindgen_ty_1__bindgen_ty_1 {
        notification_handle: center,
        notification_tag: NETWORK_TAG,
    };
    sys::MvRequestNetworkParams {
        version,
        __bindgen_anon_1: sys::MvRequestNetworkParams__bindgen_ty_1 { v1 },
    }
}

pub(crate) fn config_key(key: &[u8]) -> sys::MvConfigKeyToFetch {
    sys::MvConfigKeyToFetch {
        scope: sys::MV_CONFIGKEYFETCHSCOPE_DEVICE,
        store: sys::MV_CONFIGKEYFETCHSTORE_CONFIG,
        key: text(key),
    }
}

pub(crate) fn fetch_params(keys: &[sys::MvConfigKeyToFetch]) -> sys::MvConfigKeyFetchParams {
    sys::MvConfigKeyFetchParams {
        num_items: keys.len().try_into().expect("a short list"),
        keys_to_fetch: keys.as_ptr(),
    }
}

pub(crate) fn connect_request() -> sys::MvMqttConnectRequest {
    sys::MvMqttConnectRequest {
        protocol_version: sys::MV_MQTTPROTOCOLVERSION_V5,
        host: text(b"broker.example"),
        port: 8883,
        clientid: text(b"client"),
        authentication: sys::MvMqttAuthentication {
            method: sys::MV_MQTTAUTHENTICATIONMETHOD_NONE,
            username_password: sys::MvUsernamePassword { username: text(b""), password: text(b"") },
        },
        tls_credentials: null(),
        keepalive: 60,
        clean_start: 0,
        will: null(),
    }
}

pub(crate) fn publish_request(correlation_id: u32, desired_qos: u32) -> sys::MvMqttPublishRequest {
    sys::MvMqttPublishRequest {
        correlation_id,
        topic: text(b"sensor"),
        payload: text(b"20.5"),
        desired_qos,
        retain: 0,
    }
}

pub(crate) fn subscription(topic: &'static [u8]) -> sys::MvMqttSubscription {
    sys::MvMqttSubscription { topic: text(topic), desired_qos: 1, nl: 0, rap: 0, rh: 0 }
}

pub(crate) fn subscribe_request(
    correlation_id: u32,
    subscriptions: &[sys::MvMqttSubscription],
) -> sys::MvMqttSubscribeRequest {
    sys::MvMqttSubscribeRequest {
        correlation_id,
        subscriptions: subscriptions.as_ptr(),
        num_subscriptions: subscriptions.len().try_into().expect("a short list"),
    }
}

pub(crate) fn unsubscribe_request(
    correlation_id: u32,
    topics: &[sys::MvSizedString],
) -> sys::MvMqttUnsubscribeRequest {
    sys::MvMqttUnsubscribeRequest {
        correlation_id,
        topics: topics.as_ptr(),
        num_topics: topics.len().try_into().expect("a short list"),
    }
}
