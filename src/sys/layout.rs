//! The layout that ABI 0.7.0 gives every structure on the 32-bit target, as
//! compile-time assertions.
//!
//! A build for a 32-bit target fails here rather than misread memory on a board.

use core::mem::{align_of, offset_of, size_of};

use super::*;

macro_rules! layout {
    ($name:ident, size $size:literal, align $align:literal, { $($($field:ident).+ @ $offset:literal),* $(,)? }) => {
        const _: () = assert!(size_of::<$name>() == $size);
        const _: () = assert!(align_of::<$name>() == $align);
        $(const _: () = assert!(offset_of!($name, $($field).+) == $offset);)*
    };
}

layout!(MvNotification, size 16, align 8, {
    microseconds @ 0,
    event_type @ 8,
    tag @ 12,
});
layout!(MvNotificationSetup, size 12, align 4, {
    irq @ 0,
    buffer @ 4,
    buffer_size @ 8,
});
layout!(MvRequestNetworkParams, size 12, align 4, {
    version @ 0,
    __bindgen_anon_1.v1 @ 4,
    __bindgen_anon_1.v1.notification_handle @ 4,
    __bindgen_anon_1.v1.notification_tag @ 8,
});
layout!(MvSizedString, size 8, align 4, {
    data @ 0,
    length @ 4,
});
layout!(MvOpenChannelParams, size 44, align 4, {
    version @ 0,
    __bindgen_anon_1.v1 @ 4,
    __bindgen_anon_1.v1.notification_handle @ 4,
    __bindgen_anon_1.v1.notification_tag @ 8,
    __bindgen_anon_1.v1.network_handle @ 12,
    __bindgen_anon_1.v1.receive_buffer @ 16,
    __bindgen_anon_1.v1.receive_buffer_len @ 20,
    __bindgen_anon_1.v1.send_buffer @ 24,
    __bindgen_anon_1.v1.send_buffer_len @ 28,
    __bindgen_anon_1.v1.channel_type @ 32,
    __bindgen_anon_1.v1.endpoint @ 36,
});
layout!(MvHttpHeader, size 8, align 4, {
    length @ 0,
    data @ 4,
});
layout!(MvHttpRequest, size 36, align 4, {
    method @ 0,
    url @ 8,
    num_headers @ 16,
    headers @ 20,
    body @ 24,
    timeout_ms @ 32,
});
layout!(MvHttpResponseData, size 16, align 4, {
    result @ 0,
    status_code @ 4,
    num_headers @ 8,
    body_length @ 12,
});
layout!(MvConfigKeyToFetch, size 16, align 4, {
    scope @ 0,
    store @ 4,
    key @ 8,
});
layout!(MvConfigKeyFetchParams, size 8, align 4, {
    num_items @ 0,
    keys_to_fetch @ 4,
});
layout!(MvConfigResponseData, size 8, align 4, {
    result @ 0,
    num_items @ 4,
});
layout!(MvSizedStringBuffer, size 12, align 4, {
    data @ 0,
    size @ 4,
    length @ 8,
});
layout!(MvConfigResponseReadItemParams, size 20, align 4, {
    item_index @ 0,
    result @ 4,
    buf @ 8,
});
layout!(MvUsernamePassword, size 16, align 4, {
    username @ 0,
    password @ 8,
});
layout!(MvMqttAuthentication, size 20, align 4, {
    method @ 0,
    username_password @ 4,
});
layout!(MvTlsCertificateChain, size 8, align 4, {
    num_certs @ 0,
    certs @ 4,
});
layout!(MvOwnTlsCertificateChain, size 16, align 4, {
    chain @ 0,
    key @ 8,
});
layout!(MvTlsCredentials, size 24, align 4, {
    cacert @ 0,
    clientcert @ 8,
});
layout!(MvMqttWill, size 24, align 4, {
    topic @ 0,
    payload @ 8,
    qos @ 16,
    retain @ 20,
});
layout!(MvMqttConnectRequest, size 60, align 4, {
    protocol_version @ 0,
    host @ 4,
    port @ 12,
    clientid @ 16,
    authentication @ 24,
    tls_credentials @ 44,
    keepalive @ 48,
    clean_start @ 52,
    will @ 56,
});
layout!(MvMqttConnectResponse, size 8, align 4, {
    request_state @ 0,
    reason_code @ 4,
});
layout!(MvMqttSubscription, size 24, align 4, {
    topic @ 0,
    desired_qos @ 8,
    nl @ 12,
    rap @ 16,
    rh @ 20,
});
layout!(MvMqttSubscribeRequest, size 12, align 4, {
    correlation_id @ 0,
    subscriptions @ 4,
    num_subscriptions @ 8,
});
layout!(MvMqttSubscribeResponse, size 20, align 4, {
    request_state @ 0,
    correlation_id @ 4,
    reason_codes @ 8,
    reason_codes_size @ 12,
    reason_codes_len @ 16,
});
layout!(MvMqttUnsubscribeRequest, size 12, align 4, {
    correlation_id @ 0,
    topics @ 4,
    num_topics @ 8,
});
layout!(MvMqttUnsubscribeResponse, size 20, align 4, {
    request_state @ 0,
    correlation_id @ 4,
    reason_codes @ 8,
    reason_codes_size @ 12,
    reason_codes_len @ 16,
});
layout!(MvMqttPublishRequest, size 28, align 4, {
    correlation_id @ 0,
    topic @ 4,
    payload @ 12,
    desired_qos @ 20,
    retain @ 24,
});
layout!(MvMqttPublishResponse, size 12, align 4, {
    request_state @ 0,
    correlation_id @ 4,
    reason_code @ 8,
});
layout!(MvMqttMessage, size 36, align 4, {
    correlation_id @ 0,
    topic @ 4,
    payload @ 16,
    qos @ 28,
    retain @ 32,
});
layout!(MvMqttLostMessageInfo, size 20, align 4, {
    reason @ 0,
    topic @ 4,
    message_len @ 16,
});
layout!(MvMqttDisconnectResponse, size 8, align 4, {
    request_state @ 0,
    disconnect_code @ 4,
});
layout!(MvOpenSystemNotificationParams, size 12, align 4, {
    notification_handle @ 0,
    notification_tag @ 4,
    notification_source @ 8,
});
layout!(MvExternalFlashInfo, size 16, align 4, {
    version @ 0,
    __bindgen_anon_1.v1 @ 4,
    __bindgen_anon_1.v1.chip_id @ 4,
    __bindgen_anon_1.v1.size @ 8,
    __bindgen_anon_1.v1.num_handles @ 12,
});
layout!(MvWifiConfig, size 24, align 4, {
    version @ 0,
    __bindgen_anon_1.v1 @ 4,
    __bindgen_anon_1.v1.config_mode @ 4,
    __bindgen_anon_1.v1.wifi_ssid @ 8,
    __bindgen_anon_1.v1.wifi_password @ 16,
});
layout!(MvWifiConfigOut, size 20, align 4, {
    version @ 0,
    __bindgen_anon_1.v1 @ 4,
    __bindgen_anon_1.v1.ssid @ 4,
    __bindgen_anon_1.v1.has_encryption @ 16,
});

const _: () = assert!(size_of::<MvStatus>() == 4);
const _: () = assert!(size_of::<MvEventType>() == 4);
const _: () = assert!(size_of::<MvNetworkStatus>() == 4);
const _: () = assert!(size_of::<MvNetworkReason>() == 4);
const _: () = assert!(size_of::<MvChannelType>() == 4);
const _: () = assert!(size_of::<MvClosureReason>() == 4);
const _: () = assert!(size_of::<MvHttpResult>() == 4);
const _: () = assert!(size_of::<MvConfigKeyFetchScope>() == 4);
const _: () = assert!(size_of::<MvConfigKeyFetchStore>() == 4);
const _: () = assert!(size_of::<MvConfigFetchResult>() == 4);
const _: () = assert!(size_of::<MvConfigKeyFetchResult>() == 4);
const _: () = assert!(size_of::<MvMqttReadableDataType>() == 4);
const _: () = assert!(size_of::<MvMqttProtocolVersion>() == 4);
const _: () = assert!(size_of::<MvMqttAuthenticationMethod>() == 1);
const _: () = assert!(size_of::<MvMqttRequestState>() == 4);
const _: () = assert!(size_of::<MvMqttLostMessageReason>() == 4);
const _: () = assert!(size_of::<MvPowerSavingMode>() == 1);
const _: () = assert!(size_of::<MvSystemNotificationSource>() == 4);
const _: () = assert!(size_of::<MvDeepSleepMode>() == 1);
const _: () = assert!(size_of::<MvWakeReason>() == 1);
const _: () = assert!(size_of::<MvRestartMode>() == 4);
const _: () = assert!(size_of::<MvWifiConfigMode>() == 1);
