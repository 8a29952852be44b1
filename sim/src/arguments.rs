//! How the call log shows the arguments of a system call.
//!
//! Structures are decoded; what cannot be read is shown as its address. Passwords and private keys are
//! left out.

use std::fmt::Write as _;

use microvisor::sys;

use crate::address_space::{self, Access};
use crate::names;
use crate::trace::{redacted, shown};

/// Lists are cut off here.
const LISTED: u32 = 16;

/// An argument of a system call.
pub(crate) trait Argument {
    /// The argument as the log shows it, given its name in the prototype.
    fn shown(&self, name: &str) -> String;

    /// The channel, if this argument is the handle of one.
    fn channel(&self, _name: &str) -> Option<u32> {
        None
    }
}

impl Argument for u32 {
    fn shown(&self, name: &str) -> String {
        match name {
            "handle" => names::handle(*self),
            "reg" | "mask" | "xorvalue" | "address" => format!("{self:#010x}"),
            "type_" => names::event(*self),
            _ => self.to_string(),
        }
    }

    fn channel(&self, name: &str) -> Option<u32> {
        (name == "handle").then_some(*self)
    }
}

impl Argument for u16 {
    fn shown(&self, _: &str) -> String {
        self.to_string()
    }
}

impl Argument for u8 {
    fn shown(&self, _: &str) -> String {
        self.to_string()
    }
}

/// Outputs are shown behind the status.
impl<T> Argument for *mut T {
    fn shown(&self, name: &str) -> String {
        if self.is_null() { "NULL".to_owned() } else { format!("&{name}") }
    }
}

impl Argument for *const u8 {
    fn shown(&self, name: &str) -> String {
        if self.is_null() { "NULL".to_owned() } else { name.to_owned() }
    }
}

/// A structure that the log decodes.
trait Decode: Copy {
    fn decode(&self) -> String;
}

impl<T: Decode> Argument for *const T {
    fn shown(&self, _: &str) -> String {
        at(*self)
    }
}

fn peek<T: Copy>(ptr: *const T, count: u32) -> Option<Vec<T>> {
    let count = count as usize;
    if !ptr.is_aligned()
        || !address_space::allows(ptr.addr(), size_of::<T>().checked_mul(count)?, Access::Read)
    {
        return None;
    }
    // SAFETY: the address was checked, and the caller of the system call vouches for what is there.
    Some((0..count).map(|index| unsafe { ptr.add(index).read() }).collect())
}

fn at<T: Decode>(ptr: *const T) -> String {
    match peek(ptr, 1).as_deref() {
        Some([value]) => value.decode(),
        _ if ptr.is_null() => "NULL".to_owned(),
        _ => format!("{ptr:p}"),
    }
}

fn list<T: Decode>(ptr: *const T, count: u32) -> String {
    let Some(values) = peek(ptr, count.min(LISTED)) else {
        return if count == 0 { "[]".to_owned() } else { format!("{ptr:p} ({count})") };
    };
    let mut text = String::from("[");
    for (index, value) in values.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{}", value.decode());
    }
    text.push_str(if count > LISTED { ", …]" } else { "]" });
    text
}

impl Decode for sys::MvSizedString {
    fn decode(&self) -> String {
        match peek(self.data, self.length) {
            _ if self.length == 0 => "\"\"".to_owned(),
            Some(bytes) => shown(&bytes),
            None => format!("{:p} ({} bytes)", self.data, self.length),
        }
    }
}

impl Decode for sys::MvNotificationSetup {
    fn decode(&self) -> String {
        format!("{{irq={}, size={}}}", self.irq, self.buffer_size)
    }
}

impl Decode for sys::MvRequestNetworkParams {
    fn decode(&self) -> String {
        // SAFETY: the union has one member, and every bit pattern is a value of its integers.
        let v1 = unsafe { self.__bindgen_anon_1.v1 };
        format!("{{notification={}, tag={}}}", names::handle(v1.notification_handle), v1.notification_tag)
    }
}

impl Decode for sys::MvOpenChannelParams {
    fn decode(&self) -> String {
        // SAFETY: the union has one member, and every bit pattern is a value of its fields.
        let v1 = unsafe { self.__bindgen_anon_1.v1 };
        let endpoint = match v1.endpoint.length {
            0 => String::new(),
            _ => format!(", endpoint={}", v1.endpoint.decode()),
        };
        format!(
            "{{type={}, receive={}, send={}, tag={}{endpoint}}}",
            names::channel_type(v1.channel_type),
            v1.receive_buffer_len,
            v1.send_buffer_len,
            v1.notification_tag
        )
    }
}

impl Decode for sys::MvConfigKeyToFetch {
    fn decode(&self) -> String {
        format!("{}/{}/{}", names::store(self.store), names::scope(self.scope), self.key.decode())
    }
}

impl Decode for sys::MvConfigKeyFetchParams {
    fn decode(&self) -> String {
        list(self.keys_to_fetch, self.num_items)
    }
}

impl Decode for sys::MvConfigResponseReadItemParams {
    fn decode(&self) -> String {
        format!("{{index={}, size={}}}", self.item_index, self.buf.size)
    }
}

impl Decode for sys::MvMqttConnectRequest {
    fn decode(&self) -> String {
        let mut text = format!(
            "{{{}, host={}, port={}, clientid={}",
            names::protocol(self.protocol_version),
            self.host.decode(),
            self.port,
            self.clientid.decode()
        );
        match self.authentication.method {
            sys::MV_MQTTAUTHENTICATIONMETHOD_NONE => text.push_str(", authentication=NONE"),
            sys::MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD => {
                let pair = self.authentication.username_password;
                let password = redacted(pair.password.length as usize);
                let _ = write!(text, ", username={}, password={password}", pair.username.decode());
            }
            other => {
                let _ = write!(text, ", authentication={other}");
            }
        }
        let _ = write!(text, ", tls={}", at(self.tls_credentials));
        let _ = write!(text, ", keepalive={}, clean_start={}", self.keepalive, self.clean_start);
        if !self.will.is_null() {
            let _ = write!(text, ", will={}", at(self.will));
        }
        text.push('}');
        text
    }
}

impl Decode for sys::MvTlsCredentials {
    fn decode(&self) -> String {
        let (ca, own) = (self.cacert, self.clientcert);
        let key = redacted(own.key.length as usize);
        format!("{{ca={}, chain={}, key={key}}}", certificates(ca), certificates(own.chain))
    }
}

fn certificates(chain: sys::MvTlsCertificateChain) -> String {
    list(chain.certs, chain.num_certs)
}

impl Decode for sys::MvMqttWill {
    fn decode(&self) -> String {
        let (topic, payload) = (self.topic.decode(), self.payload.decode());
        format!("{{topic={topic}, payload={payload}, qos={}, retain={}}}", self.qos, self.retain)
    }
}

impl Decode for sys::MvMqttSubscription {
    fn decode(&self) -> String {
        let mut text = format!("{{{}, qos={}", self.topic.decode(), self.desired_qos);
        for (name, value) in [("nl", self.nl), ("rap", self.rap), ("rh", self.rh)] {
            if value != 0 {
                let _ = write!(text, ", {name}={value}");
            }
        }
        text.push('}');
        text
    }
}

impl Decode for sys::MvMqttSubscribeRequest {
    fn decode(&self) -> String {
        let list = list(self.subscriptions, self.num_subscriptions);
        format!("{{correlation_id={}, {list}}}", self.correlation_id)
    }
}

impl Decode for sys::MvMqttUnsubscribeRequest {
    fn decode(&self) -> String {
        format!("{{correlation_id={}, {}}}", self.correlation_id, list(self.topics, self.num_topics))
    }
}

impl Decode for sys::MvMqttPublishRequest {
    fn decode(&self) -> String {
        format!(
            "{{correlation_id={}, topic={}, payload={}, qos={}, retain={}}}",
            self.correlation_id,
            self.topic.decode(),
            self.payload.decode(),
            self.desired_qos,
            self.retain
        )
    }
}

impl Decode for sys::MvMqttSubscribeResponse {
    fn decode(&self) -> String {
        format!("{{reason_codes_size={}}}", self.reason_codes_size)
    }
}

impl Decode for sys::MvMqttUnsubscribeResponse {
    fn decode(&self) -> String {
        format!("{{reason_codes_size={}}}", self.reason_codes_size)
    }
}

impl Decode for sys::MvMqttMessage {
    fn decode(&self) -> String {
        format!("{{topic.size={}, payload.size={}}}", self.topic.size, self.payload.size)
    }
}

impl Decode for sys::MvMqttLostMessageInfo {
    fn decode(&self) -> String {
        format!("{{topic.size={}}}", self.topic.size)
    }
}

impl Decode for sys::MvOpenSystemNotificationParams {
    fn decode(&self) -> String {
        let (handle, tag) = (names::handle(self.notification_handle), self.notification_tag);
        format!("{{notification={handle}, tag={tag}, source={}}}", self.notification_source)
    }
}

impl Decode for sys::MvHttpRequest {
    fn decode(&self) -> String {
        format!("{{method={}, url={}}}", self.method.decode(), self.url.decode())
    }
}

/// Shown without the password, and without the name of the network too.
impl Decode for sys::MvWifiConfig {
    fn decode(&self) -> String {
        "{…}".to_owned()
    }
}

impl Decode for sys::MvWifiConfigOut {
    fn decode(&self) -> String {
        "{…}".to_owned()
    }
}
