pub type MvNotificationHandle = u32;
pub type MvNetworkHandle = u32;
pub type MvChannelHandle = u32;
pub type MvSystemEventHandle = u32;
pub type MvExternalFlashHandle = u32;
pub const MV_STATUS_OKAY: MvStatus = 0;
pub const MV_STATUS_TIMENOTSET: MvStatus = 1;
pub const MV_STATUS_PARAMETERFAULT: MvStatus = 2;
pub const MV_STATUS_INVALIDBUFFERSIZE: MvStatus = 3;
pub const MV_STATUS_PERIPHERALACCESSFAULT: MvStatus = 4;
pub const MV_STATUS_BUFFERALREADYINUSE: MvStatus = 5;
pub const MV_STATUS_INVALIDINTERRUPT: MvStatus = 6;
pub const MV_STATUS_INVALIDHANDLE: MvStatus = 7;
pub const MV_STATUS_TOOMANYNOTIFICATIONBUFFERS: MvStatus = 8;
pub const MV_STATUS_INVALIDVECTOR: MvStatus = 9;
pub const MV_STATUS_UNAVAILABLE: MvStatus = 10;
pub const MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION: MvStatus = 11;
pub const MV_STATUS_TOOMANYCHANNELS: MvStatus = 12;
pub const MV_STATUS_UNKNOWNCHANNELENDPOINT: MvStatus = 13;
pub const MV_STATUS_UNKNOWNCHANNELTYPE: MvStatus = 14;
pub const MV_STATUS_CHANNELCLOSED: MvStatus = 15;
pub const MV_STATUS_NETWORKNOTCONNECTED: MvStatus = 16;
pub const MV_STATUS_RATELIMITED: MvStatus = 17;
pub const MV_STATUS_INVALIDBUFFERALIGNMENT: MvStatus = 18;
pub const MV_STATUS_LATEFAULT: MvStatus = 19;
pub const MV_STATUS_RESPONSENOTPRESENT: MvStatus = 20;
pub const MV_STATUS_INDEXINVALID: MvStatus = 21;
pub const MV_STATUS_OFFSETINVALID: MvStatus = 22;
pub const MV_STATUS_REQUESTALREADYSENT: MvStatus = 23;
pub const MV_STATUS_REQUESTUNSUCCESSFUL: MvStatus = 24;
pub const MV_STATUS_LOGMESSAGETOOLONG: MvStatus = 25;
pub const MV_STATUS_LOGGINGDISABLEDBYSERVER: MvStatus = 26;
pub const MV_STATUS_TOOMANYCONFIGKEYS: MvStatus = 27;
pub const MV_STATUS_UNKNOWNCONFIGSTORE: MvStatus = 28;
pub const MV_STATUS_UNKNOWNCONFIGSCOPE: MvStatus = 29;
pub const MV_STATUS_INVALIDCONFIGKEY: MvStatus = 30;
pub const MV_STATUS_INVALIDAUTHENTICATION: MvStatus = 31;
pub const MV_STATUS_WRONGDATAREQUESTED: MvStatus = 32;
pub const MV_STATUS_INTERNALERROR: MvStatus = 33;
pub const MV_STATUS_TOOMANYELEMENTS: MvStatus = 34;
pub const MV_STATUS_REQUIREDELEMENTMISSING: MvStatus = 35;
pub const MV_STATUS_MICROVISORBUSY: MvStatus = 36;
pub const MV_STATUS_ADDRESSOUTOFRANGE: MvStatus = 37;
pub const MV_STATUS_INPUTTOOLONG: MvStatus = 38;
pub const MV_STATUS__MAX: MvStatus = 4294967295;
pub type MvStatus = cty::c_uint;
pub const MV_EVENTTYPE_NOEVENT: MvEventType = 0;
pub const MV_EVENTTYPE_NETWORKSTATUSCHANGED: MvEventType = 1;
pub const MV_EVENTTYPE_CHANNELDATAREADABLE: MvEventType = 2;
pub const MV_EVENTTYPE_CHANNELDATAWRITESPACE: MvEventType = 3;
pub const MV_EVENTTYPE_CHANNELNOTCONNECTED: MvEventType = 4;
pub const MV_EVENTTYPE_UPDATEDOWNLOADED: MvEventType = 5;
pub const MV_EVENTTYPE__MAX: MvEventType = 4294967295;
pub type MvEventType = cty::c_uint;
pub const MV_NETWORKSTATUS_DELIBERATELYOFFLINE: MvNetworkStatus = 0;
pub const MV_NETWORKSTATUS_CONNECTED: MvNetworkStatus = 1;
pub const MV_NETWORKSTATUS_CONNECTING: MvNetworkStatus = 2;
pub const MV_NETWORKSTATUS_DISCONNECTEDWITHLINKUP: MvNetworkStatus = 3;
pub const MV_NETWORKSTATUS__MAX: MvNetworkStatus = 4294967295;
pub type MvNetworkStatus = cty::c_uint;
pub const MV_NETWORKREASON_NOTCONNECTING: MvNetworkReason = 0;
pub const MV_NETWORKREASON_USINGNETWORK: MvNetworkReason = 1;
pub const MV_NETWORKREASON_NEVERUSEDNETWORKAPI: MvNetworkReason = 2;
pub const MV_NETWORKREASON_MINIMUMCHECKINEXPIRED: MvNetworkReason = 4;
pub const MV_NETWORKREASON_RTCNOTSET: MvNetworkReason = 8;
pub const MV_NETWORKREASON_KERNELERROR: MvNetworkReason = 16;
pub const MV_NETWORKREASON_APPLICATIONERROR: MvNetworkReason = 32;
pub const MV_NETWORKREASON_COLDBOOTCONNECTION: MvNetworkReason = 64;
pub const MV_NETWORKREASON_FETCHINGUPDATE: MvNetworkReason = 128;
pub const MV_NETWORKREASON_DEBUGGERATTACHED: MvNetworkReason = 256;
pub const MV_NETWORKREASON_NOAPPLICATIONCODE: MvNetworkReason = 512;
pub const MV_NETWORKREASON_ENHANCECALM: MvNetworkReason = 2048;
pub const MV_NETWORKREASON__MAX: MvNetworkReason = 4294967295;
pub type MvNetworkReason = cty::c_uint;
pub const MV_CHANNELTYPE_OPAQUEBYTES: MvChannelType = 0;
pub const MV_CHANNELTYPE_MQTT: MvChannelType = 1;
pub const MV_CHANNELTYPE_HTTP: MvChannelType = 2;
pub const MV_CHANNELTYPE_CONFIGFETCH: MvChannelType = 3;
pub const MV_CHANNELTYPE__MAX: MvChannelType = 4294967295;
pub type MvChannelType = cty::c_uint;
pub const MV_CLOSUREREASON_NONE: MvClosureReason = 0;
pub const MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER: MvClosureReason = 1;
pub const MV_CLOSUREREASON_CHANNELRESETBYSERVER: MvClosureReason = 2;
pub const MV_CLOSUREREASON_NETWORKDISCONNECTED: MvClosureReason = 3;
pub const MV_CLOSUREREASON_CONNECTIONTERMINATED: MvClosureReason = 4;
pub const MV_CLOSUREREASON_NOTYETOPEN: MvClosureReason = 5;
pub const MV_CLOSUREREASON_CLOSEDBYAPPLICATION: MvClosureReason = 6;
pub const MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED: MvClosureReason = 7;
pub const MV_CLOSUREREASON__MAX: MvClosureReason = 4294967295;
pub type MvClosureReason = cty::c_uint;
pub const MV_HTTPRESULT_OK: MvHttpResult = 0;
pub const MV_HTTPRESULT_UNSUPPORTEDURISCHEME: MvHttpResult = 1;
pub const MV_HTTPRESULT_UNSUPPORTEDMETHOD: MvHttpResult = 2;
pub const MV_HTTPRESULT_INVALIDHEADERS: MvHttpResult = 3;
pub const MV_HTTPRESULT_INVALIDTIMEOUT: MvHttpResult = 4;
pub const MV_HTTPRESULT_REQUESTFAILED: MvHttpResult = 5;
pub const MV_HTTPRESULT_RESPONSETOOLARGE: MvHttpResult = 6;
pub const MV_HTTPRESULT__MAX: MvHttpResult = 4294967295;
pub type MvHttpResult = cty::c_uint;
pub const MV_CONFIGKEYFETCHSCOPE_ACCOUNT: MvConfigKeyFetchScope = 0;
pub const MV_CONFIGKEYFETCHSCOPE_DEVICE: MvConfigKeyFetchScope = 1;
pub const MV_CONFIGKEYFETCHSCOPE__MAX: MvConfigKeyFetchScope = 4294967295;
pub type MvConfigKeyFetchScope = cty::c_uint;
pub const MV_CONFIGKEYFETCHSTORE_SECRET: MvConfigKeyFetchStore = 0;
pub const MV_CONFIGKEYFETCHSTORE_CONFIG: MvConfigKeyFetchStore = 1;
pub const MV_CONFIGKEYFETCHSTORE__MAX: MvConfigKeyFetchStore = 4294967295;
pub type MvConfigKeyFetchStore = cty::c_uint;
pub const MV_CONFIGFETCHRESULT_OK: MvConfigFetchResult = 0;
pub const MV_CONFIGFETCHRESULT_RESPONSETOOLARGE: MvConfigFetchResult = 1;
pub const MV_CONFIGFETCHRESULT__MAX: MvConfigFetchResult = 4294967295;
pub type MvConfigFetchResult = cty::c_uint;
pub const MV_CONFIGKEYFETCHRESULT_OK: MvConfigKeyFetchResult = 0;
pub const MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND: MvConfigKeyFetchResult = 1;
pub const MV_CONFIGKEYFETCHRESULT_SERVERERROR: MvConfigKeyFetchResult = 2;
pub const MV_CONFIGKEYFETCHRESULT__MAX: MvConfigKeyFetchResult = 4294967295;
pub type MvConfigKeyFetchResult = cty::c_uint;
pub const MV_MQTTREADABLEDATATYPE_NONE: MvMqttReadableDataType = 0;
pub const MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED: MvMqttReadableDataType = 1;
pub const MV_MQTTREADABLEDATATYPE_MESSAGELOST: MvMqttReadableDataType = 2;
pub const MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE: MvMqttReadableDataType = 3;
pub const MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE: MvMqttReadableDataType = 4;
pub const MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE: MvMqttReadableDataType = 5;
pub const MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE: MvMqttReadableDataType = 6;
pub const MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE: MvMqttReadableDataType = 7;
pub const MV_MQTTREADABLEDATATYPE__MAX: MvMqttReadableDataType = 4294967295;
pub type MvMqttReadableDataType = cty::c_uint;
pub const MV_MQTTPROTOCOLVERSION_V3_1_1: MvMqttProtocolVersion = 0;
pub const MV_MQTTPROTOCOLVERSION_V5: MvMqttProtocolVersion = 1;
pub const MV_MQTTPROTOCOLVERSION__MAX: MvMqttProtocolVersion = 4294967295;
pub type MvMqttProtocolVersion = cty::c_uint;
pub const MV_MQTTAUTHENTICATIONMETHOD_NONE: MvMqttAuthenticationMethod = 0;
pub const MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD: MvMqttAuthenticationMethod = 1;
pub const MV_MQTTAUTHENTICATIONMETHOD__MAX: MvMqttAuthenticationMethod = 255;
pub type MvMqttAuthenticationMethod = cty::c_uchar;
pub const MV_MQTTREQUESTSTATE_REQUESTCOMPLETED: MvMqttRequestState = 0;
pub const MV_MQTTREQUESTSTATE_INVALIDPARAMETERS: MvMqttRequestState = 1;
pub const MV_MQTTREQUESTSTATE_ALREADYCONNECTED: MvMqttRequestState = 2;
pub const MV_MQTTREQUESTSTATE_NOTCONNECTED: MvMqttRequestState = 3;
pub const MV_MQTTREQUESTSTATE_NXDOMAIN: MvMqttRequestState = 4;
pub const MV_MQTTREQUESTSTATE_UNKNOWNCA: MvMqttRequestState = 5;
pub const MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED: MvMqttRequestState = 6;
pub const MV_MQTTREQUESTSTATE_SOCKETERROR: MvMqttRequestState = 7;
pub const MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER: MvMqttRequestState = 8;
pub const MV_MQTTREQUESTSTATE__MAX: MvMqttRequestState = 4294967295;
pub type MvMqttRequestState = cty::c_uint;
pub const MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL: MvMqttLostMessageReason = 0;
pub const MV_MQTTLOSTMESSAGEREASON__MAX: MvMqttLostMessageReason = 4294967295;
pub type MvMqttLostMessageReason = cty::c_uint;
pub const MV_POWERSAVINGMODE_SLEEP: MvPowerSavingMode = 0;
pub const MV_POWERSAVINGMODE_STOP0: MvPowerSavingMode = 1;
pub const MV_POWERSAVINGMODE_STOP1: MvPowerSavingMode = 2;
pub const MV_POWERSAVINGMODE_STOP2: MvPowerSavingMode = 3;
pub const MV_POWERSAVINGMODE_STOP3: MvPowerSavingMode = 4;
pub const MV_POWERSAVINGMODE__MAX: MvPowerSavingMode = 255;
pub type MvPowerSavingMode = cty::c_uchar;
pub const MV_SYSTEMNOTIFICATIONSOURCE_NETWORK: MvSystemNotificationSource = 0;
pub const MV_SYSTEMNOTIFICATIONSOURCE_UPDATE: MvSystemNotificationSource = 1;
pub const MV_SYSTEMNOTIFICATIONSOURCE__MAX: MvSystemNotificationSource = 4294967295;
pub type MvSystemNotificationSource = cty::c_uint;
pub const MV_DEEPSLEEPMODE_STANDBY: MvDeepSleepMode = 0;
pub const MV_DEEPSLEEPMODE_SHUTDOWN: MvDeepSleepMode = 1;
pub const MV_DEEPSLEEPMODE__MAX: MvDeepSleepMode = 255;
pub type MvDeepSleepMode = cty::c_uchar;
pub const MV_WAKEREASON_COLDBOOT: MvWakeReason = 0;
pub const MV_WAKEREASON_REMOTEMICROVISORRESTART: MvWakeReason = 1;
pub const MV_WAKEREASON_REMOTEAPPLICATIONRESTART: MvWakeReason = 2;
pub const MV_WAKEREASON_DEBUGGERRESTART: MvWakeReason = 3;
pub const MV_WAKEREASON_MICROVISORCRASH: MvWakeReason = 4;
pub const MV_WAKEREASON_MICROVISORWATCHDOG: MvWakeReason = 5;
pub const MV_WAKEREASON_MICROVISOROUTOFMEMORY: MvWakeReason = 6;
pub const MV_WAKEREASON_MICROVISORERROR: MvWakeReason = 7;
pub const MV_WAKEREASON_APPLICATIONCRASH: MvWakeReason = 8;
pub const MV_WAKEREASON_APPLICATIONUPDATE: MvWakeReason = 9;
pub const MV_WAKEREASON_MICROVISORUPDATE: MvWakeReason = 10;
pub const MV_WAKEREASON_OPTIONBYTES: MvWakeReason = 11;
pub const MV_WAKEREASON_DEEPSLEEPCHECKIN: MvWakeReason = 12;
pub const MV_WAKEREASON_DEEPSLEEPAPPLICATION: MvWakeReason = 13;
pub const MV_WAKEREASON_DEEPSLEEPMODEM: MvWakeReason = 14;
pub const MV_WAKEREASON_DEEPSLEEPAPPLICATIONRTC: MvWakeReason = 15;
pub const MV_WAKEREASON_DEEPSLEEPOTHER: MvWakeReason = 16;
pub const MV_WAKEREASON__MAX: MvWakeReason = 255;
pub type MvWakeReason = cty::c_uchar;
pub const MV_RESTARTMODE_AUTOAPPLYUPDATE: MvRestartMode = 0;
pub const MV_RESTARTMODE__MAX: MvRestartMode = 4294967295;
pub type MvRestartMode = cty::c_uint;
pub const MV_WIFICONFIGMODE_APPLYNOW: MvWifiConfigMode = 0;
pub const MV_WIFICONFIGMODE_CLEARNOW: MvWifiConfigMode = 1;
pub const MV_WIFICONFIGMODE__MAX: MvWifiConfigMode = 255;
pub type MvWifiConfigMode = cty::c_uchar;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvNotification {
    pub microseconds: u64,
    pub event_type: MvEventType,
    pub tag: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvNotificationSetup {
    pub irq: u32,
    pub buffer: *mut MvNotification,
    pub buffer_size: u32,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct MvRequestNetworkParams {
    pub version: u32,
    pub __bindgen_anon_1: MvRequestNetworkParams__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union MvRequestNetworkParams__bindgen_ty_1 {
    pub v1: MvRequestNetworkParams__bindgen_ty_1__bindgen_ty_1,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvRequestNetworkParams__bindgen_ty_1__bindgen_ty_1 {
    pub notification_handle: MvNotificationHandle,
    pub notification_tag: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvSizedString {
    pub data: *const u8,
    pub length: u32,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct MvOpenChannelParams {
    pub version: u32,
    pub __bindgen_anon_1: MvOpenChannelParams__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union MvOpenChannelParams__bindgen_ty_1 {
    pub v1: MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1 {
    pub notification_handle: MvNotificationHandle,
    pub notification_tag: u32,
    pub network_handle: MvNetworkHandle,
    pub receive_buffer: *mut u8,
    pub receive_buffer_len: u32,
    pub send_buffer: *mut u8,
    pub send_buffer_len: u32,
    pub channel_type: MvChannelType,
    pub endpoint: MvSizedString,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvHttpHeader {
    pub length: u32,
    pub data: *const u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvHttpRequest {
    pub method: MvSizedString,
    pub url: MvSizedString,
    pub num_headers: u32,
    pub headers: *const MvHttpHeader,
    pub body: MvSizedString,
    pub timeout_ms: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvHttpResponseData {
    pub result: MvHttpResult,
    pub status_code: u32,
    pub num_headers: u32,
    pub body_length: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvConfigKeyToFetch {
    pub scope: MvConfigKeyFetchScope,
    pub store: MvConfigKeyFetchStore,
    pub key: MvSizedString,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvConfigKeyFetchParams {
    pub num_items: u32,
    pub keys_to_fetch: *const MvConfigKeyToFetch,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvConfigResponseData {
    pub result: MvConfigFetchResult,
    pub num_items: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvSizedStringBuffer {
    pub data: *mut u8,
    pub size: u32,
    pub length: *mut u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvConfigResponseReadItemParams {
    pub item_index: u32,
    pub result: *mut MvConfigKeyFetchResult,
    pub buf: MvSizedStringBuffer,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvUsernamePassword {
    pub username: MvSizedString,
    pub password: MvSizedString,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttAuthentication {
    pub method: MvMqttAuthenticationMethod,
    pub username_password: MvUsernamePassword,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvTlsCertificateChain {
    pub num_certs: u32,
    pub certs: *const MvSizedString,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvOwnTlsCertificateChain {
    pub chain: MvTlsCertificateChain,
    pub key: MvSizedString,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvTlsCredentials {
    pub cacert: MvTlsCertificateChain,
    pub clientcert: MvOwnTlsCertificateChain,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttWill {
    pub topic: MvSizedString,
    pub payload: MvSizedString,
    pub qos: u32,
    pub retain: u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttConnectRequest {
    pub protocol_version: MvMqttProtocolVersion,
    pub host: MvSizedString,
    pub port: u16,
    pub clientid: MvSizedString,
    pub authentication: MvMqttAuthentication,
    pub tls_credentials: *const MvTlsCredentials,
    pub keepalive: u32,
    pub clean_start: u8,
    pub will: *const MvMqttWill,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttConnectResponse {
    pub request_state: MvMqttRequestState,
    pub reason_code: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttSubscription {
    pub topic: MvSizedString,
    pub desired_qos: u32,
    pub nl: u32,
    pub rap: u32,
    pub rh: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttSubscribeRequest {
    pub correlation_id: u32,
    pub subscriptions: *const MvMqttSubscription,
    pub num_subscriptions: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttSubscribeResponse {
    pub request_state: *mut MvMqttRequestState,
    pub correlation_id: *mut u32,
    pub reason_codes: *mut u32,
    pub reason_codes_size: u32,
    pub reason_codes_len: *mut u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttUnsubscribeRequest {
    pub correlation_id: u32,
    pub topics: *const MvSizedString,
    pub num_topics: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttUnsubscribeResponse {
    pub request_state: *mut MvMqttRequestState,
    pub correlation_id: *mut u32,
    pub reason_codes: *mut u32,
    pub reason_codes_size: u32,
    pub reason_codes_len: *mut u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttPublishRequest {
    pub correlation_id: u32,
    pub topic: MvSizedString,
    pub payload: MvSizedString,
    pub desired_qos: u32,
    pub retain: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttPublishResponse {
    pub request_state: MvMqttRequestState,
    pub correlation_id: u32,
    pub reason_code: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttMessage {
    pub correlation_id: *mut u32,
    pub topic: MvSizedStringBuffer,
    pub payload: MvSizedStringBuffer,
    pub qos: *mut u32,
    pub retain: *mut u8,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttLostMessageInfo {
    pub reason: *mut MvMqttLostMessageReason,
    pub topic: MvSizedStringBuffer,
    pub message_len: *mut u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvMqttDisconnectResponse {
    pub request_state: MvMqttRequestState,
    pub disconnect_code: u32,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvOpenSystemNotificationParams {
    pub notification_handle: MvNotificationHandle,
    pub notification_tag: u32,
    pub notification_source: MvSystemNotificationSource,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct MvExternalFlashInfo {
    pub version: u32,
    pub __bindgen_anon_1: MvExternalFlashInfo__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union MvExternalFlashInfo__bindgen_ty_1 {
    pub v1: MvExternalFlashInfo__bindgen_ty_1__bindgen_ty_1,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvExternalFlashInfo__bindgen_ty_1__bindgen_ty_1 {
    pub chip_id: u32,
    pub size: u32,
    pub num_handles: u32,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct MvWifiConfig {
    pub version: u32,
    pub __bindgen_anon_1: MvWifiConfig__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union MvWifiConfig__bindgen_ty_1 {
    pub v1: MvWifiConfig__bindgen_ty_1__bindgen_ty_1,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvWifiConfig__bindgen_ty_1__bindgen_ty_1 {
    pub config_mode: MvWifiConfigMode,
    pub wifi_ssid: MvSizedString,
    pub wifi_password: MvSizedString,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct MvWifiConfigOut {
    pub version: u32,
    pub __bindgen_anon_1: MvWifiConfigOut__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union MvWifiConfigOut__bindgen_ty_1 {
    pub v1: MvWifiConfigOut__bindgen_ty_1__bindgen_ty_1,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct MvWifiConfigOut__bindgen_ty_1__bindgen_ty_1 {
    pub ssid: MvSizedStringBuffer,
    pub has_encryption: *mut u8,
}
unsafe extern "C" {
    pub fn mvEnableFastInterrupt(irqn: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvWriteChannelStream(
        handle: MvChannelHandle,
        data: *const u8,
        len: u32,
        written: *mut u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetMicroseconds(ms: *mut u64) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetSysClk(hz: *mut u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvDisableAllFastInterrupts() -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetDeviceId(buf: *mut u8, len: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvWriteChannel(
        handle: MvChannelHandle,
        data: *const u8,
        len: u32,
        available: *mut u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetWallTime(usec: *mut u64) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvRequestNetwork(
        params: *const MvRequestNetworkParams,
        handle: *mut MvNetworkHandle,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetChannelClosureReason(
        handle: MvChannelHandle,
        reason_out: *mut MvClosureReason,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvCloseNotifications(handle_in_out: *mut MvNotificationHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvSetFastInterrupt(irqn: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvDisableFastInterrupt(irqn: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadChannelComplete(handle: MvChannelHandle, consumed: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvClearFastInterrupt(irqn: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvSetupNotifications(
        notifications: *const MvNotificationSetup,
        handle_out: *mut MvNotificationHandle,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetPClk1(hz: *mut u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetPClk2(hz: *mut u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvEnableAllFastInterrupts() -> MvStatus;
}
unsafe extern "C" {
    pub fn mvPeriphPoke32(reg: u32, mask: u32, xorvalue: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadChannel(
        handle: MvChannelHandle,
        read_pointer_out: *mut *mut u8,
        length_out: *mut u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetHClk(hz: *mut u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvOpenChannel(
        params: *const MvOpenChannelParams,
        handle: *mut MvChannelHandle,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetNetworkReasons(
        reasons: *mut MvNetworkReason,
        request_ref_count: *mut u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReleaseNetwork(handle: *mut MvNetworkHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvNoOp() -> MvStatus;
}
unsafe extern "C" {
    pub fn mvTempTriggerNotification(
        handle: MvNotificationHandle,
        type_: MvEventType,
        tag: u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetNetworkStatus(
        handle: MvNetworkHandle,
        status: *mut MvNetworkStatus,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvPeriphPeek32(reg: u32, output: *mut u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvCloseChannel(handle: *mut MvChannelHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvSendHttpRequest(
        handle: MvChannelHandle,
        request: *const MvHttpRequest,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadHttpResponseBody(
        handle: MvChannelHandle,
        offset: u32,
        buf: *mut u8,
        size: u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadHttpResponseHeader(
        handle: MvChannelHandle,
        header_index: u32,
        buf: *mut u8,
        size: u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadHttpResponseData(
        handle: MvChannelHandle,
        response_data: *mut MvHttpResponseData,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvServerLoggingInit(buffer: *mut u8, length_bytes: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvServerLog(message: *const u8, length_bytes: u16) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvSendConfigFetchRequest(
        handle: MvChannelHandle,
        request: *const MvConfigKeyFetchParams,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadConfigFetchResponseData(
        handle: MvChannelHandle,
        response_data: *mut MvConfigResponseData,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvReadConfigResponseItem(
        handle: MvChannelHandle,
        params: *const MvConfigResponseReadItemParams,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReadUnsubscribeResponse(
        handle: MvChannelHandle,
        response_data: *const MvMqttUnsubscribeResponse,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttAcknowledgeMessage(
        handle: MvChannelHandle,
        correlation_id: u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReadDisconnectResponse(
        handle: MvChannelHandle,
        response_data: *mut MvMqttDisconnectResponse,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttRequestDisconnect(handle: MvChannelHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReadConnectResponse(
        handle: MvChannelHandle,
        response_data: *mut MvMqttConnectResponse,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttRequestPublish(
        handle: MvChannelHandle,
        request: *const MvMqttPublishRequest,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttRequestSubscribe(
        handle: MvChannelHandle,
        request: *const MvMqttSubscribeRequest,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReadPublishResponse(
        handle: MvChannelHandle,
        response_data: *mut MvMqttPublishResponse,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReceiveLostMessageInfo(
        handle: MvChannelHandle,
        lost_message_info: *const MvMqttLostMessageInfo,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReceiveMessage(
        handle: MvChannelHandle,
        message_data: *const MvMqttMessage,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttGetNextReadableDataType(
        handle: MvChannelHandle,
        data_type: *mut MvMqttReadableDataType,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttRequestUnsubscribe(
        handle: MvChannelHandle,
        request: *const MvMqttUnsubscribeRequest,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttRequestConnect(
        handle: MvChannelHandle,
        request: *const MvMqttConnectRequest,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvMqttReadSubscribeResponse(
        handle: MvChannelHandle,
        response_data: *const MvMqttSubscribeResponse,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvTestingComplete(status: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvTestLog(message: *const u8, length_bytes: u16) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvTestLoggingInit(buffer: *mut u8, length_bytes: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvPowerSave(mode: MvPowerSavingMode) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvSystemLedEnable(enable: u32) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvOpenSystemNotification(
        params: *const MvOpenSystemNotificationParams,
        handle: *mut MvSystemEventHandle,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvCloseSystemNotification(handle: *mut MvSystemEventHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvDeepSleep(mode: MvDeepSleepMode) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetWakeReason(mode: *mut MvWakeReason) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvRestart(mode: MvRestartMode) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvExternalFlashClose(handle: *mut MvExternalFlashHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvExternalFlashGetInfo(
        handle: MvExternalFlashHandle,
        info: *mut MvExternalFlashInfo,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvExternalFlashWriteBlocking(
        handle: MvExternalFlashHandle,
        address: u32,
        length: u32,
        buffer: *const u8,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvExternalFlashOpen(handle: *mut MvExternalFlashHandle) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvExternalFlashEraseBlocking(
        handle: MvExternalFlashHandle,
        address: u32,
        length: u32,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvExternalFlashReadBlocking(
        handle: MvExternalFlashHandle,
        address: u32,
        length: u32,
        buffer: *mut u8,
    ) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvSetWifiConfig(params: *const MvWifiConfig) -> MvStatus;
}
unsafe extern "C" {
    pub fn mvGetWifiConfig(params: *const MvWifiConfigOut) -> MvStatus;
}
