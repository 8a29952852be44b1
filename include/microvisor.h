/*
 * Microvisor system calls, ABI 0.7.0, as the `microvisor` crate declares them.
 *
 * The names, values, field orders and prototypes state the platform's ABI. The
 * ABI is defined with short enums: compile this file with -fshort-enums, or the
 * five one-byte enums come out four bytes wide.
 */
#ifndef MICROVISOR_H
#define MICROVISOR_H

#include <stdint.h>

/* Handles. A valid handle is never 0. */
typedef uint32_t MvNotificationHandle;
typedef uint32_t MvNetworkHandle;
typedef uint32_t MvChannelHandle;
typedef uint32_t MvSystemEventHandle;
typedef uint32_t MvExternalFlashHandle;

/* 4 bytes. */
enum MvStatus {
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
    MV_STATUS__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvStatus) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvEventType {
    MV_EVENTTYPE_NOEVENT = 0,
    MV_EVENTTYPE_NETWORKSTATUSCHANGED = 1,
    MV_EVENTTYPE_CHANNELDATAREADABLE = 2,
    MV_EVENTTYPE_CHANNELDATAWRITESPACE = 3,
    MV_EVENTTYPE_CHANNELNOTCONNECTED = 4,
    MV_EVENTTYPE_UPDATEDOWNLOADED = 5,
    MV_EVENTTYPE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvEventType) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvNetworkStatus {
    MV_NETWORKSTATUS_DELIBERATELYOFFLINE = 0,
    MV_NETWORKSTATUS_CONNECTED = 1,
    MV_NETWORKSTATUS_CONNECTING = 2,
    MV_NETWORKSTATUS_DISCONNECTEDWITHLINKUP = 3,
    MV_NETWORKSTATUS__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvNetworkStatus) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvNetworkReason {
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
    MV_NETWORKREASON__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvNetworkReason) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvChannelType {
    MV_CHANNELTYPE_OPAQUEBYTES = 0,
    MV_CHANNELTYPE_MQTT = 1,
    MV_CHANNELTYPE_HTTP = 2,
    MV_CHANNELTYPE_CONFIGFETCH = 3,
    MV_CHANNELTYPE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvChannelType) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvClosureReason {
    MV_CLOSUREREASON_NONE = 0,
    MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER = 1,
    MV_CLOSUREREASON_CHANNELRESETBYSERVER = 2,
    MV_CLOSUREREASON_NETWORKDISCONNECTED = 3,
    MV_CLOSUREREASON_CONNECTIONTERMINATED = 4,
    MV_CLOSUREREASON_NOTYETOPEN = 5,
    MV_CLOSUREREASON_CLOSEDBYAPPLICATION = 6,
    MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED = 7,
    MV_CLOSUREREASON__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvClosureReason) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvHttpResult {
    MV_HTTPRESULT_OK = 0,
    MV_HTTPRESULT_UNSUPPORTEDURISCHEME = 1,
    MV_HTTPRESULT_UNSUPPORTEDMETHOD = 2,
    MV_HTTPRESULT_INVALIDHEADERS = 3,
    MV_HTTPRESULT_INVALIDTIMEOUT = 4,
    MV_HTTPRESULT_REQUESTFAILED = 5,
    MV_HTTPRESULT_RESPONSETOOLARGE = 6,
    MV_HTTPRESULT__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvHttpResult) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvConfigKeyFetchScope {
    MV_CONFIGKEYFETCHSCOPE_ACCOUNT = 0,
    MV_CONFIGKEYFETCHSCOPE_DEVICE = 1,
    MV_CONFIGKEYFETCHSCOPE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvConfigKeyFetchScope) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvConfigKeyFetchStore {
    MV_CONFIGKEYFETCHSTORE_SECRET = 0,
    MV_CONFIGKEYFETCHSTORE_CONFIG = 1,
    MV_CONFIGKEYFETCHSTORE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvConfigKeyFetchStore) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvConfigFetchResult {
    MV_CONFIGFETCHRESULT_OK = 0,
    MV_CONFIGFETCHRESULT_RESPONSETOOLARGE = 1,
    MV_CONFIGFETCHRESULT__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvConfigFetchResult) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvConfigKeyFetchResult {
    MV_CONFIGKEYFETCHRESULT_OK = 0,
    MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND = 1,
    MV_CONFIGKEYFETCHRESULT_SERVERERROR = 2,
    MV_CONFIGKEYFETCHRESULT__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvConfigKeyFetchResult) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvMqttReadableDataType {
    MV_MQTTREADABLEDATATYPE_NONE = 0,
    MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED = 1,
    MV_MQTTREADABLEDATATYPE_MESSAGELOST = 2,
    MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE = 3,
    MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE = 4,
    MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE = 5,
    MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE = 6,
    MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE = 7,
    MV_MQTTREADABLEDATATYPE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvMqttReadableDataType) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvMqttProtocolVersion {
    MV_MQTTPROTOCOLVERSION_V3_1_1 = 0,
    MV_MQTTPROTOCOLVERSION_V5 = 1,
    MV_MQTTPROTOCOLVERSION__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvMqttProtocolVersion) == 4, "compile with -fshort-enums");

/* 1 byte. */
enum MvMqttAuthenticationMethod {
    MV_MQTTAUTHENTICATIONMETHOD_NONE = 0,
    MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD = 1,
    MV_MQTTAUTHENTICATIONMETHOD__MAX = 255,
};
_Static_assert(sizeof(enum MvMqttAuthenticationMethod) == 1, "compile with -fshort-enums");

/* 4 bytes. */
enum MvMqttRequestState {
    MV_MQTTREQUESTSTATE_REQUESTCOMPLETED = 0,
    MV_MQTTREQUESTSTATE_INVALIDPARAMETERS = 1,
    MV_MQTTREQUESTSTATE_ALREADYCONNECTED = 2,
    MV_MQTTREQUESTSTATE_NOTCONNECTED = 3,
    MV_MQTTREQUESTSTATE_NXDOMAIN = 4,
    MV_MQTTREQUESTSTATE_UNKNOWNCA = 5,
    MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED = 6,
    MV_MQTTREQUESTSTATE_SOCKETERROR = 7,
    MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER = 8,
    MV_MQTTREQUESTSTATE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvMqttRequestState) == 4, "compile with -fshort-enums");

/* 4 bytes. */
enum MvMqttLostMessageReason {
    MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL = 0,
    MV_MQTTLOSTMESSAGEREASON__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvMqttLostMessageReason) == 4, "compile with -fshort-enums");

/* 1 byte. */
enum MvPowerSavingMode {
    MV_POWERSAVINGMODE_SLEEP = 0,
    MV_POWERSAVINGMODE_STOP0 = 1,
    MV_POWERSAVINGMODE_STOP1 = 2,
    MV_POWERSAVINGMODE_STOP2 = 3,
    MV_POWERSAVINGMODE_STOP3 = 4,
    MV_POWERSAVINGMODE__MAX = 255,
};
_Static_assert(sizeof(enum MvPowerSavingMode) == 1, "compile with -fshort-enums");

/* 4 bytes. */
enum MvSystemNotificationSource {
    MV_SYSTEMNOTIFICATIONSOURCE_NETWORK = 0,
    MV_SYSTEMNOTIFICATIONSOURCE_UPDATE = 1,
    MV_SYSTEMNOTIFICATIONSOURCE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvSystemNotificationSource) == 4, "compile with -fshort-enums");

/* 1 byte. */
enum MvDeepSleepMode {
    MV_DEEPSLEEPMODE_STANDBY = 0,
    MV_DEEPSLEEPMODE_SHUTDOWN = 1,
    MV_DEEPSLEEPMODE__MAX = 255,
};
_Static_assert(sizeof(enum MvDeepSleepMode) == 1, "compile with -fshort-enums");

/* 1 byte. */
enum MvWakeReason {
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
};
_Static_assert(sizeof(enum MvWakeReason) == 1, "compile with -fshort-enums");

/* 4 bytes. */
enum MvRestartMode {
    MV_RESTARTMODE_AUTOAPPLYUPDATE = 0,
    MV_RESTARTMODE__MAX = 0xffffffffu,
};
_Static_assert(sizeof(enum MvRestartMode) == 4, "compile with -fshort-enums");

/* 1 byte. */
enum MvWifiConfigMode {
    MV_WIFICONFIGMODE_APPLYNOW = 0,
    MV_WIFICONFIGMODE_CLEARNOW = 1,
    MV_WIFICONFIGMODE__MAX = 255,
};
_Static_assert(sizeof(enum MvWifiConfigMode) == 1, "compile with -fshort-enums");

struct MvNotification {
    uint64_t microseconds;
    enum MvEventType event_type;
    uint32_t tag;
};

struct MvNotificationSetup {
    uint32_t irq;
    struct MvNotification *buffer;
    uint32_t buffer_size;
};

struct MvRequestNetworkParams {
    uint32_t version;
    union {
        struct {
            MvNotificationHandle notification_handle;
            uint32_t notification_tag;
        } v1;
    };
};

struct MvSizedString {
    const uint8_t *data;
    uint32_t length;
};

struct MvOpenChannelParams {
    uint32_t version;
    union {
        struct {
            MvNotificationHandle notification_handle;
            uint32_t notification_tag;
            MvNetworkHandle network_handle;
            uint8_t *receive_buffer;
            uint32_t receive_buffer_len;
            uint8_t *send_buffer;
            uint32_t send_buffer_len;
            enum MvChannelType channel_type;
            struct MvSizedString endpoint;
        } v1;
    };
};

struct MvHttpHeader {
    uint32_t length;
    const uint8_t *data;
};

struct MvHttpRequest {
    struct MvSizedString method;
    struct MvSizedString url;
    uint32_t num_headers;
    const struct MvHttpHeader *headers;
    struct MvSizedString body;
    uint32_t timeout_ms;
};

struct MvHttpResponseData {
    enum MvHttpResult result;
    uint32_t status_code;
    uint32_t num_headers;
    uint32_t body_length;
};

struct MvConfigKeyToFetch {
    enum MvConfigKeyFetchScope scope;
    enum MvConfigKeyFetchStore store;
    struct MvSizedString key;
};

struct MvConfigKeyFetchParams {
    uint32_t num_items;
    const struct MvConfigKeyToFetch *keys_to_fetch;
};

struct MvConfigResponseData {
    enum MvConfigFetchResult result;
    uint32_t num_items;
};

struct MvSizedStringBuffer {
    uint8_t *data;
    uint32_t size;
    uint32_t *length;
};

struct MvConfigResponseReadItemParams {
    uint32_t item_index;
    enum MvConfigKeyFetchResult *result;
    struct MvSizedStringBuffer buf;
};

struct MvUsernamePassword {
    struct MvSizedString username;
    struct MvSizedString password;
};

struct MvMqttAuthentication {
    enum MvMqttAuthenticationMethod method;
    struct MvUsernamePassword username_password;
};

struct MvTlsCertificateChain {
    uint32_t num_certs;
    const struct MvSizedString *certs;
};

struct MvOwnTlsCertificateChain {
    struct MvTlsCertificateChain chain;
    struct MvSizedString key;
};

struct MvTlsCredentials {
    struct MvTlsCertificateChain cacert;
    struct MvOwnTlsCertificateChain clientcert;
};

struct MvMqttWill {
    struct MvSizedString topic;
    struct MvSizedString payload;
    uint32_t qos;
    uint8_t retain;
};

struct MvMqttConnectRequest {
    enum MvMqttProtocolVersion protocol_version;
    struct MvSizedString host;
    uint16_t port;
    struct MvSizedString clientid;
    struct MvMqttAuthentication authentication;
    const struct MvTlsCredentials *tls_credentials;
    uint32_t keepalive;
    uint8_t clean_start;
    const struct MvMqttWill *will;
};

struct MvMqttConnectResponse {
    enum MvMqttRequestState request_state;
    uint32_t reason_code;
};

struct MvMqttSubscription {
    struct MvSizedString topic;
    uint32_t desired_qos;
    uint32_t nl;
    uint32_t rap;
    uint32_t rh;
};

struct MvMqttSubscribeRequest {
    uint32_t correlation_id;
    const struct MvMqttSubscription *subscriptions;
    uint32_t num_subscriptions;
};

struct MvMqttSubscribeResponse {
    enum MvMqttRequestState *request_state;
    uint32_t *correlation_id;
    uint32_t *reason_codes;
    uint32_t reason_codes_size;
    uint32_t *reason_codes_len;
};

struct MvMqttUnsubscribeRequest {
    uint32_t correlation_id;
    const struct MvSizedString *topics;
    uint32_t num_topics;
};

struct MvMqttUnsubscribeResponse {
    enum MvMqttRequestState *request_state;
    uint32_t *correlation_id;
    uint32_t *reason_codes;
    uint32_t reason_codes_size;
    uint32_t *reason_codes_len;
};

struct MvMqttPublishRequest {
    uint32_t correlation_id;
    struct MvSizedString topic;
    struct MvSizedString payload;
    uint32_t desired_qos;
    uint32_t retain;
};

struct MvMqttPublishResponse {
    enum MvMqttRequestState request_state;
    uint32_t correlation_id;
    uint32_t reason_code;
};

struct MvMqttMessage {
    uint32_t *correlation_id;
    struct MvSizedStringBuffer topic;
    struct MvSizedStringBuffer payload;
    uint32_t *qos;
    uint8_t *retain;
};

struct MvMqttLostMessageInfo {
    enum MvMqttLostMessageReason *reason;
    struct MvSizedStringBuffer topic;
    uint32_t *message_len;
};

struct MvMqttDisconnectResponse {
    enum MvMqttRequestState request_state;
    uint32_t disconnect_code;
};

struct MvOpenSystemNotificationParams {
    MvNotificationHandle notification_handle;
    uint32_t notification_tag;
    enum MvSystemNotificationSource notification_source;
};

struct MvExternalFlashInfo {
    uint32_t version;
    union {
        struct {
            uint32_t chip_id;
            uint32_t size;
            uint32_t num_handles;
        } v1;
    };
};

struct MvWifiConfig {
    uint32_t version;
    union {
        struct {
            enum MvWifiConfigMode config_mode;
            struct MvSizedString wifi_ssid;
            struct MvSizedString wifi_password;
        } v1;
    };
};

struct MvWifiConfigOut {
    uint32_t version;
    union {
        struct {
            struct MvSizedStringBuffer ssid;
            uint8_t *has_encryption;
        } v1;
    };
};

extern enum MvStatus mvEnableFastInterrupt(uint32_t irqn);
extern enum MvStatus mvWriteChannelStream(MvChannelHandle handle, const uint8_t *data, uint32_t len, uint32_t *written);
extern enum MvStatus mvGetMicroseconds(uint64_t *ms);
extern enum MvStatus mvGetSysClk(uint32_t *hz);
extern enum MvStatus mvDisableAllFastInterrupts(void);
extern enum MvStatus mvGetDeviceId(uint8_t *buf, uint32_t len);
extern enum MvStatus mvWriteChannel(MvChannelHandle handle, const uint8_t *data, uint32_t len, uint32_t *available);
extern enum MvStatus mvGetWallTime(uint64_t *usec);
extern enum MvStatus mvRequestNetwork(const struct MvRequestNetworkParams *params, MvNetworkHandle *handle);
extern enum MvStatus mvGetChannelClosureReason(MvChannelHandle handle, enum MvClosureReason *reason_out);
extern enum MvStatus mvCloseNotifications(MvNotificationHandle *handle_in_out);
extern enum MvStatus mvSetFastInterrupt(uint32_t irqn);
extern enum MvStatus mvDisableFastInterrupt(uint32_t irqn);
extern enum MvStatus mvReadChannelComplete(MvChannelHandle handle, uint32_t consumed);
extern enum MvStatus mvClearFastInterrupt(uint32_t irqn);
extern enum MvStatus mvSetupNotifications(const struct MvNotificationSetup *notifications, MvNotificationHandle *handle_out);
extern enum MvStatus mvGetPClk1(uint32_t *hz);
extern enum MvStatus mvGetPClk2(uint32_t *hz);
extern enum MvStatus mvEnableAllFastInterrupts(void);
extern enum MvStatus mvPeriphPoke32(uint32_t reg, uint32_t mask, uint32_t xorvalue);
extern enum MvStatus mvReadChannel(MvChannelHandle handle, uint8_t **read_pointer_out, uint32_t *length_out);
extern enum MvStatus mvGetHClk(uint32_t *hz);
extern enum MvStatus mvOpenChannel(const struct MvOpenChannelParams *params, MvChannelHandle *handle);
extern enum MvStatus mvGetNetworkReasons(enum MvNetworkReason *reasons, uint32_t *request_ref_count);
extern enum MvStatus mvReleaseNetwork(MvNetworkHandle *handle);
extern enum MvStatus mvNoOp(void);
extern enum MvStatus mvTempTriggerNotification(MvNotificationHandle handle, enum MvEventType type, uint32_t tag);
extern enum MvStatus mvGetNetworkStatus(MvNetworkHandle handle, enum MvNetworkStatus *status);
extern enum MvStatus mvPeriphPeek32(uint32_t reg, uint32_t *output);
extern enum MvStatus mvCloseChannel(MvChannelHandle *handle);
extern enum MvStatus mvSendHttpRequest(MvChannelHandle handle, const struct MvHttpRequest *request);
extern enum MvStatus mvReadHttpResponseBody(MvChannelHandle handle, uint32_t offset, uint8_t *buf, uint32_t size);
extern enum MvStatus mvReadHttpResponseHeader(MvChannelHandle handle, uint32_t header_index, uint8_t *buf, uint32_t size);
extern enum MvStatus mvReadHttpResponseData(MvChannelHandle handle, struct MvHttpResponseData *response_data);
extern enum MvStatus mvServerLoggingInit(uint8_t *buffer, uint32_t length_bytes);
extern enum MvStatus mvServerLog(const uint8_t *message, uint16_t length_bytes);
extern enum MvStatus mvSendConfigFetchRequest(MvChannelHandle handle, const struct MvConfigKeyFetchParams *request);
extern enum MvStatus mvReadConfigFetchResponseData(MvChannelHandle handle, struct MvConfigResponseData *response_data);
extern enum MvStatus mvReadConfigResponseItem(MvChannelHandle handle, const struct MvConfigResponseReadItemParams *params);
extern enum MvStatus mvMqttReadUnsubscribeResponse(MvChannelHandle handle, const struct MvMqttUnsubscribeResponse *response_data);
extern enum MvStatus mvMqttAcknowledgeMessage(MvChannelHandle handle, uint32_t correlation_id);
extern enum MvStatus mvMqttReadDisconnectResponse(MvChannelHandle handle, struct MvMqttDisconnectResponse *response_data);
extern enum MvStatus mvMqttRequestDisconnect(MvChannelHandle handle);
extern enum MvStatus mvMqttReadConnectResponse(MvChannelHandle handle, struct MvMqttConnectResponse *response_data);
extern enum MvStatus mvMqttRequestPublish(MvChannelHandle handle, const struct MvMqttPublishRequest *request);
extern enum MvStatus mvMqttRequestSubscribe(MvChannelHandle handle, const struct MvMqttSubscribeRequest *request);
extern enum MvStatus mvMqttReadPublishResponse(MvChannelHandle handle, struct MvMqttPublishResponse *response_data);
extern enum MvStatus mvMqttReceiveLostMessageInfo(MvChannelHandle handle, const struct MvMqttLostMessageInfo *lost_message_info);
extern enum MvStatus mvMqttReceiveMessage(MvChannelHandle handle, const struct MvMqttMessage *message_data);
extern enum MvStatus mvMqttGetNextReadableDataType(MvChannelHandle handle, enum MvMqttReadableDataType *data_type);
extern enum MvStatus mvMqttRequestUnsubscribe(MvChannelHandle handle, const struct MvMqttUnsubscribeRequest *request);
extern enum MvStatus mvMqttRequestConnect(MvChannelHandle handle, const struct MvMqttConnectRequest *request);
extern enum MvStatus mvMqttReadSubscribeResponse(MvChannelHandle handle, const struct MvMqttSubscribeResponse *response_data);
extern enum MvStatus mvTestingComplete(uint32_t status);
extern enum MvStatus mvTestLog(const uint8_t *message, uint16_t length_bytes);
extern enum MvStatus mvTestLoggingInit(uint8_t *buffer, uint32_t length_bytes);
extern enum MvStatus mvPowerSave(enum MvPowerSavingMode mode);
extern enum MvStatus mvSystemLedEnable(uint32_t enable);
extern enum MvStatus mvOpenSystemNotification(const struct MvOpenSystemNotificationParams *params, MvSystemEventHandle *handle);
extern enum MvStatus mvCloseSystemNotification(MvSystemEventHandle *handle);
extern enum MvStatus mvDeepSleep(enum MvDeepSleepMode mode);
extern enum MvStatus mvGetWakeReason(enum MvWakeReason *mode);
extern enum MvStatus mvRestart(enum MvRestartMode mode);
extern enum MvStatus mvExternalFlashClose(MvExternalFlashHandle *handle);
extern enum MvStatus mvExternalFlashGetInfo(MvExternalFlashHandle handle, struct MvExternalFlashInfo *info);
extern enum MvStatus mvExternalFlashWriteBlocking(MvExternalFlashHandle handle, uint32_t address, uint32_t length, const uint8_t *buffer);
extern enum MvStatus mvExternalFlashOpen(MvExternalFlashHandle *handle);
extern enum MvStatus mvExternalFlashEraseBlocking(MvExternalFlashHandle handle, uint32_t address, uint32_t length);
extern enum MvStatus mvExternalFlashReadBlocking(MvExternalFlashHandle handle, uint32_t address, uint32_t length, uint8_t *buffer);
extern enum MvStatus mvSetWifiConfig(const struct MvWifiConfig *params);
extern enum MvStatus mvGetWifiConfig(const struct MvWifiConfigOut *params);

#endif /* MICROVISOR_H */
