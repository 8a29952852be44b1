//! The layout that ABI 0.7.0 gives every structure on the 32-bit target, the width of every enum and
//! the value of every constant, as compile-time assertions.
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

macro_rules! values {
    ($name:ident, size $size:literal, { $($constant:ident = $value:literal),* $(,)? }) => {
        const _: () = assert!(size_of::<$name>() == $size);
        $(const _: $name = { assert!($constant == $value); $constant };)*
    };
}

values!(MvStatus, size 4, {
    MV_STATUS_OKAY = 0,
    MV_STATUS_TIMENOTSET = 1,
    MV_STATUS_PARAMETERFAULT = 2,
    MV_STATUS_INVALIDBUFFERSIZE = 3,
    MV_STATUS_PERIPHERALACCESSFAULT = 4,
    MV_STATUS_BUFFERALREADYINUSE = 5,
    MV_STATUS_INVALIDINTERRUPT = 6,
    MV_STATUS_INVALIDHANDLE = 7,
    MV_STATUS_TOOMANYNOTIFICATIONBUFFERS = 8,
    MV_STATUS_INVALIDVECTOR = 9,
    MV_STATUS_UNAVAILABLE = 10,
    MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION = 11,
    MV_STATUS_TOOMANYCHANNELS = 12,
    MV_STATUS_UNKNOWNCHANNELENDPOINT = 13,
    MV_STATUS_UNKNOWNCHANNELTYPE = 14,
    MV_STATUS_CHANNELCLOSED = 15,
    MV_STATUS_NETWORKNOTCONNECTED = 16,
    MV_STATUS_RATELIMITED = 17,
    MV_STATUS_INVALIDBUFFERALIGNMENT = 18,
    MV_STATUS_LATEFAULT = 19,
    MV_STATUS_RESPONSENOTPRESENT = 20,
    MV_STATUS_INDEXINVALID = 21,
    MV_STATUS_OFFSETINVALID = 22,
    MV_STATUS_REQUESTALREADYSENT = 23,
    MV_STATUS_REQUESTUNSUCCESSFUL = 24,
    MV_STATUS_LOGMESSAGETOOLONG = 25,
    MV_STATUS_LOGGINGDISABLEDBYSERVER = 26,
    MV_STATUS_TOOMANYCONFIGKEYS = 27,
    MV_STATUS_UNKNOWNCONFIGSTORE = 28,
    MV_STATUS_UNKNOWNCONFIGSCOPE = 29,
    MV_STATUS_INVALIDCONFIGKEY = 30,
    MV_STATUS_INVALIDAUTHENTICATION = 31,
    MV_STATUS_WRONGDATAREQUESTED = 32,
    MV_STATUS_INTERNALERROR = 33,
    MV_STATUS_TOOMANYELEMENTS = 34,
    MV_STATUS_REQUIREDELEMENTMISSING = 35,
    MV_STATUS_MICROVISORBUSY = 36,
    MV_STATUS_ADDRESSOUTOFRANGE = 37,
    MV_STATUS_INPUTTOOLONG = 38,
    MV_STATUS__MAX = 4294967295,
});
values!(MvEventType, size 4, {
    MV_EVENTTYPE_NOEVENT = 0,
    MV_EVENTTYPE_NETWORKSTATUSCHANGED = 1,
    MV_EVENTTYPE_CHANNELDATAREADABLE = 2,
    MV_EVENTTYPE_CHANNELDATAWRITESPACE = 3,
    MV_EVENTTYPE_CHANNELNOTCONNECTED = 4,
    MV_EVENTTYPE_UPDATEDOWNLOADED = 5,
    MV_EVENTTYPE__MAX = 4294967295,
});
values!(MvNetworkStatus, size 4, {
    MV_NETWORKSTATUS_DELIBERATELYOFFLINE = 0,
    MV_NETWORKSTATUS_CONNECTED = 1,
    MV_NETWORKSTATUS_CONNECTING = 2,
    MV_NETWORKSTATUS_DISCONNECTEDWITHLINKUP = 3,
    MV_NETWORKSTATUS__MAX = 4294967295,
});
values!(MvNetworkReason, size 4, {
    MV_NETWORKREASON_NOTCONNECTING = 0,
    MV_NETWORKREASON_USINGNETWORK = 1,
    MV_NETWORKREASON_NEVERUSEDNETWORKAPI = 2,
    MV_NETWORKREASON_MINIMUMCHECKINEXPIRED = 4,
    MV_NETWORKREASON_RTCNOTSET = 8,
    MV_NETWORKREASON_KERNELERROR = 16,
    MV_NETWORKREASON_APPLICATIONERROR = 32,
    MV_NETWORKREASON_COLDBOOTCONNECTION = 64,
    MV_NETWORKREASON_FETCHINGUPDATE = 128,
    MV_NETWORKREASON_DEBUGGERATTACHED = 256,
    MV_NETWORKREASON_NOAPPLICATIONCODE = 512,
    MV_NETWORKREASON_ENHANCECALM = 2048,
    MV_NETWORKREASON__MAX = 4294967295,
});
values!(MvChannelType, size 4, {
    MV_CHANNELTYPE_OPAQUEBYTES = 0,
    MV_CHANNELTYPE_MQTT = 1,
    MV_CHANNELTYPE_HTTP = 2,
    MV_CHANNELTYPE_CONFIGFETCH = 3,
    MV_CHANNELTYPE__MAX = 4294967295,
});
values!(MvClosureReason, size 4, {
    MV_CLOSUREREASON_NONE = 0,
    MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER = 1,
    MV_CLOSUREREASON_CHANNELRESETBYSERVER = 2,
    MV_CLOSUREREASON_NETWORKDISCONNECTED = 3,
    MV_CLOSUREREASON_CONNECTIONTERMINATED = 4,
    MV_CLOSUREREASON_NOTYETOPEN = 5,
    MV_CLOSUREREASON_CLOSEDBYAPPLICATION = 6,
    MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED = 7,
    MV_CLOSUREREASON__MAX = 4294967295,
});
values!(MvHttpResult, size 4, {
    MV_HTTPRESULT_OK = 0,
    MV_HTTPRESULT_UNSUPPORTEDURISCHEME = 1,
    MV_HTTPRESULT_UNSUPPORTEDMETHOD = 2,
    MV_HTTPRESULT_INVALIDHEADERS = 3,
    MV_HTTPRESULT_INVALIDTIMEOUT = 4,
    MV_HTTPRESULT_REQUESTFAILED = 5,
    MV_HTTPRESULT_RESPONSETOOLARGE = 6,
    MV_HTTPRESULT__MAX = 4294967295,
});
values!(MvConfigKeyFetchScope, size 4, {
    MV_CONFIGKEYFETCHSCOPE_ACCOUNT = 0,
    MV_CONFIGKEYFETCHSCOPE_DEVICE = 1,
    MV_CONFIGKEYFETCHSCOPE__MAX = 4294967295,
});
values!(MvConfigKeyFetchStore, size 4, {
    MV_CONFIGKEYFETCHSTORE_SECRET = 0,
    MV_CONFIGKEYFETCHSTORE_CONFIG = 1,
    MV_CONFIGKEYFETCHSTORE__MAX = 4294967295,
});
values!(MvConfigFetchResult, size 4, {
    MV_CONFIGFETCHRESULT_OK = 0,
    MV_CONFIGFETCHRESULT_RESPONSETOOLARGE = 1,
    MV_CONFIGFETCHRESULT__MAX = 4294967295,
});
values!(MvConfigKeyFetchResult, size 4, {
    MV_CONFIGKEYFETCHRESULT_OK = 0,
    MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND = 1,
    MV_CONFIGKEYFETCHRESULT_SERVERERROR = 2,
    MV_CONFIGKEYFETCHRESULT__MAX = 4294967295,
});
values!(MvMqttReadableDataType, size 4, {
    MV_MQTTREADABLEDATATYPE_NONE = 0,
    MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED = 1,
    MV_MQTTREADABLEDATATYPE_MESSAGELOST = 2,
    MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE = 3,
    MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE = 4,
    MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE = 5,
    MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE = 6,
    MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE = 7,
    MV_MQTTREADABLEDATATYPE__MAX = 4294967295,
});
values!(MvMqttProtocolVersion, size 4, {
    MV_MQTTPROTOCOLVERSION_V3_1_1 = 0,
    MV_MQTTPROTOCOLVERSION_V5 = 1,
    MV_MQTTPROTOCOLVERSION__MAX = 4294967295,
});
values!(MvMqttAuthenticationMethod, size 1, {
    MV_MQTTAUTHENTICATIONMETHOD_NONE = 0,
    MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD = 1,
    MV_MQTTAUTHENTICATIONMETHOD__MAX = 255,
});
values!(MvMqttRequestState, size 4, {
    MV_MQTTREQUESTSTATE_REQUESTCOMPLETED = 0,
    MV_MQTTREQUESTSTATE_INVALIDPARAMETERS = 1,
    MV_MQTTREQUESTSTATE_ALREADYCONNECTED = 2,
    MV_MQTTREQUESTSTATE_NOTCONNECTED = 3,
    MV_MQTTREQUESTSTATE_NXDOMAIN = 4,
    MV_MQTTREQUESTSTATE_UNKNOWNCA = 5,
    MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED = 6,
    MV_MQTTREQUESTSTATE_SOCKETERROR = 7,
    MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER = 8,
    MV_MQTTREQUESTSTATE__MAX = 4294967295,
});
values!(MvMqttLostMessageReason, size 4, {
    MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL = 0,
    MV_MQTTLOSTMESSAGEREASON__MAX = 4294967295,
});
values!(MvPowerSavingMode, size 1, {
    MV_POWERSAVINGMODE_SLEEP = 0,
    MV_POWERSAVINGMODE_STOP0 = 1,
    MV_POWERSAVINGMODE_STOP1 = 2,
    MV_POWERSAVINGMODE_STOP2 = 3,
    MV_POWERSAVINGMODE_STOP3 = 4,
    MV_POWERSAVINGMODE__MAX = 255,
});
values!(MvSystemNotificationSource, size 4, {
    MV_SYSTEMNOTIFICATIONSOURCE_NETWORK = 0,
    MV_SYSTEMNOTIFICATIONSOURCE_UPDATE = 1,
    MV_SYSTEMNOTIFICATIONSOURCE__MAX = 4294967295,
});
values!(MvDeepSleepMode, size 1, {
    MV_DEEPSLEEPMODE_STANDBY = 0,
    MV_DEEPSLEEPMODE_SHUTDOWN = 1,
    MV_DEEPSLEEPMODE__MAX = 255,
});
values!(MvWakeReason, size 1, {
    MV_WAKEREASON_COLDBOOT = 0,
    MV_WAKEREASON_REMOTEMICROVISORRESTART = 1,
    MV_WAKEREASON_REMOTEAPPLICATIONRESTART = 2,
    MV_WAKEREASON_DEBUGGERRESTART = 3,
    MV_WAKEREASON_MICROVISORCRASH = 4,
    MV_WAKEREASON_MICROVISORWATCHDOG = 5,
    MV_WAKEREASON_MICROVISOROUTOFMEMORY = 6,
    MV_WAKEREASON_MICROVISORERROR = 7,
    MV_WAKEREASON_APPLICATIONCRASH = 8,
    MV_WAKEREASON_APPLICATIONUPDATE = 9,
    MV_WAKEREASON_MICROVISORUPDATE = 10,
    MV_WAKEREASON_OPTIONBYTES = 11,
    MV_WAKEREASON_DEEPSLEEPCHECKIN = 12,
    MV_WAKEREASON_DEEPSLEEPAPPLICATION = 13,
    MV_WAKEREASON_DEEPSLEEPMODEM = 14,
    MV_WAKEREASON_DEEPSLEEPAPPLICATIONRTC = 15,
    MV_WAKEREASON_DEEPSLEEPOTHER = 16,
    MV_WAKEREASON__MAX = 255,
});
values!(MvRestartMode, size 4, {
    MV_RESTARTMODE_AUTOAPPLYUPDATE = 0,
    MV_RESTARTMODE__MAX = 4294967295,
});
values!(MvWifiConfigMode, size 1, {
    MV_WIFICONFIGMODE_APPLYNOW = 0,
    MV_WIFICONFIGMODE_CLEARNOW = 1,
    MV_WIFICONFIGMODE__MAX = 255,
});
