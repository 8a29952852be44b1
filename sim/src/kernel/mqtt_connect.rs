use std::sync::atomic::{AtomicU32, Ordering};

use microvisor::sys;

use super::channels::ChannelKind;
use super::mqtt_requests::CONNECT;
use super::mqtt_responses::Item;
use super::{BrokerRequest, Kernel, Outcome};
use crate::broker::{ConnectRequest, LinkId, Protocol, TlsCredentials, Will};

/// A link that no kernel of this process had before: a broker may outlive the kernel.
fn new_link() -> LinkId {
    static LINKS: AtomicU32 = AtomicU32::new(1);
    LinkId(LINKS.fetch_add(1, Ordering::Relaxed))
}

/// How many bytes a connect request hands over.
fn size_of_connect(request: &ConnectRequest) -> usize {
    let tls = request.credentials.iter();
    let tls = tls.flat_map(|tls| tls.ca.iter().chain(&tls.chain).chain([&tls.key]));
    let user = request.authentication.iter().flat_map(|(name, password)| [name, password]);
    let will = request.will.iter().flat_map(|will| [&will.topic, &will.payload]);
    let parts = [&request.host, &request.client_id].into_iter().chain(tls).chain(user).chain(will);
    parts.map(Vec::len).sum()
}

impl Kernel {
    pub(crate) fn mqtt_request_connect(
        &mut self,
        handle: u32,
        request: *const sys::MvMqttConnectRequest,
    ) -> Outcome {
        let request_sent = self.channel(handle, ChannelKind::Mqtt)?.request_sent;
        let request = self.input(request, "request")?;
        if request_sent {
            return self.misused(
                sys::MV_STATUS_REQUESTALREADYSENT,
                "an MQTT channel connects once in its life; open another",
            );
        }
        let connect = self.decode_connect(handle, &request)?;
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        channel.request_sent = true;
        let Some(connect) = connect else {
            self.later(
                handle,
                Item::Connect { state: sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, reason: 0 },
            );
            return Ok(());
        };
        let link = new_link();
        channel.link = Some(link);
        self.links.insert(link.0, handle);
        self.outbox.push_back(BrokerRequest::Connect(link, Box::new(connect)));
        Ok(())
    }

    /// Copies a connect request; `None` if a field is out of range.
    fn decode_connect(
        &mut self,
        handle: u32,
        request: &sys::MvMqttConnectRequest,
    ) -> Outcome<Option<ConnectRequest>> {
        let host = self.required_string(request.host, "host")?;
        let client_id = self.required_string(request.clientid, "clientid")?;
        let authentication = self.decode_authentication(&request.authentication)?;
        let credentials = self.decode_credentials(request.tls_credentials)?;
        let both = authentication.is_some() && credentials.as_ref().is_some_and(|tls| !tls.key.is_empty());
        if both && !self.quirks.accepts_user_name_with_certificate {
            return self.misused(
                sys::MV_STATUS_INVALIDAUTHENTICATION,
                "both a user name with password and a client certificate are given",
            );
        }
        let will = self.decode_will(request.will)?;
        let mut fields = self.fields();
        let protocol = match request.protocol_version {
            sys::MV_MQTTPROTOCOLVERSION_V3_1_1 => Protocol::V3_1_1,
            sys::MV_MQTTPROTOCOLVERSION_V5 => Protocol::V5,
            other => {
                fields.bad(format!("protocol_version is {other}, which is no version"));
                Protocol::V5
            }
        };
        // MQTT has 16 bits for it.
        fields.at_most("keepalive", request.keepalive, u32::from(u16::MAX));
        let clean_start = fields.flag("clean_start", u32::from(request.clean_start));
        let will = will.map(|(topic, payload, raw)| Will {
            topic,
            payload,
            qos: fields.at_most("will.qos", raw.qos, 2),
            retain: fields.flag("will.retain", u32::from(raw.retain)),
        });
        let request = ConnectRequest {
            protocol,
            host,
            port: request.port,
            client_id,
            authentication,
            credentials,
            keep_alive: request.keepalive,
            clean_start,
            will,
        };
        fields.fit(handle, CONNECT, size_of_connect(&request));
        Ok(fields.good.then_some(request))
    }

    fn required_string(&mut self, string: sys::MvSizedString, what: &str) -> Outcome<Vec<u8>> {
        let bytes = self.string(string, what)?;
        if bytes.is_empty() {
            return self.misused(sys::MV_STATUS_REQUIREDELEMENTMISSING, format!("{what} is empty"));
        }
        Ok(bytes)
    }

    #[allow(clippy::type_complexity)] // User name and password.
    fn decode_authentication(
        &mut self,
        authentication: &sys::MvMqttAuthentication,
    ) -> Outcome<Option<(Vec<u8>, Vec<u8>)>> {
        match authentication.method {
            sys::MV_MQTTAUTHENTICATIONMETHOD_NONE => Ok(None),
            sys::MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD => {
                let pair = authentication.username_password;
                Ok(Some((self.string(pair.username, "username")?, self.string(pair.password, "password")?)))
            }
            other => self.misused(
                sys::MV_STATUS_INVALIDAUTHENTICATION,
                format!("authentication.method is {other}, which is no method"),
            ),
        }
    }

    fn decode_credentials(&mut self, tls: *const sys::MvTlsCredentials) -> Outcome<Option<TlsCredentials>> {
        if tls.is_null() {
            return Ok(None);
        }
        let tls = self.nested_input(tls, "tls_credentials")?;
        let ca = self.decode_chain(tls.cacert, "cacert")?;
        let chain = self.decode_chain(tls.clientcert.chain, "clientcert.chain")?;
        let key = self.string(tls.clientcert.key, "clientcert.key")?;
        if chain.is_empty() != key.is_empty() {
            return self.misused(
                sys::MV_STATUS_REQUIREDELEMENTMISSING,
                "of the client certificate and its key, only one is given",
            );
        }
        Ok(Some(TlsCredentials { ca, chain, key }))
    }

    fn decode_chain(&mut self, chain: sys::MvTlsCertificateChain, what: &str) -> Outcome<Vec<Vec<u8>>> {
        self.limit_elements(chain.num_certs, what)?;
        if chain.num_certs == 0 {
            return Ok(Vec::new());
        }
        let certs = self.nested_array(chain.certs, chain.num_certs, &format!("{what}.certs"))?;
        let numbered = certs.into_iter().enumerate();
        numbered.map(|(index, cert)| self.required_string(cert, &format!("{what}.certs[{index}]"))).collect()
    }

    #[allow(clippy::type_complexity)] // Topic, payload, and the rest as it came.
    fn decode_will(
        &mut self,
        will: *const sys::MvMqttWill,
    ) -> Outcome<Option<(Vec<u8>, Vec<u8>, sys::MvMqttWill)>> {
        if will.is_null() {
            return Ok(None);
        }
        let will = self.nested_input(will, "will")?;
        let topic = self.required_string(will.topic, "will.topic")?;
        let payload = self.string(will.payload, "will.payload")?;
        Ok(Some((topic, payload, will)))
    }
}
