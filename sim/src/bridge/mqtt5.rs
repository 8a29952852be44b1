//! MQTT 5, by the client library.

use std::io;
use std::sync::{Arc, Mutex};

use rumqttc_v5::mqttbytes::QoS;
use rumqttc_v5::mqttbytes::v5::{
    ConnectReturnCode, LastWill, Packet, Publish as Received, RetainForwardRule, SubscribeFilter,
    SubscribeReasonCode,
};
use rumqttc_v5::{
    AckMode, AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, PublishNoticeError, PublishOptions,
    PublishResult, StateError, mqttbytes,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::blank_session::BlankSession;
use super::link::{Answer, End, Incoming, NotAllowed, Outgoing, Step, take_stream};
use super::options::BridgeOptions;
use crate::broker::{ConnectRequest, Publish, Subscription};

/// MQTT 5 §2.4.
const RETAIN_NOT_SUPPORTED: u32 = 0x9A;

/// A client on the connection, unless the request is not one that MQTT allows.
pub(super) fn client(
    request: &ConnectRequest,
    options: &BridgeOptions,
    stream: TlsStream<TcpStream>,
) -> Option<(Receiver, Sender)> {
    let client_id = String::from_utf8(request.client_id.clone()).ok()?;
    // The address is never used: the connection is there.
    let mut mqtt = MqttOptions::new(client_id, ("bridge", request.port));
    mqtt.set_keep_alive(u16::try_from(request.keep_alive).unwrap_or(u16::MAX))
        .set_clean_start(request.clean_start)
        .set_connect_timeout(options.connect_timeout)
        .set_ack_mode(AckMode::Manual)
        // One packet at a time: an end of the connection drops what came with it.
        .set_read_batch_size(1)
        .set_unlimited_incoming_packet_size();
    if !request.clean_start {
        let seconds = u32::try_from(options.session_expiry.as_secs()).unwrap_or(u32::MAX);
        mqtt.set_session_expiry_interval(Some(seconds));
        mqtt.set_session_store(BlankSession { expiry_seconds: seconds });
    }
    if let Some((name, password)) = &request.authentication {
        mqtt.set_credentials(String::from_utf8(name.clone()).ok()?, password.clone());
    }
    if let Some(will) = &request.will {
        let topic = String::from_utf8(will.topic.clone()).ok()?;
        mqtt.set_last_will(LastWill::new(topic, will.payload.clone(), qos(will.qos)?, will.retain, None));
    }
    let stream = Arc::new(Mutex::new(Some(stream)));
    mqtt.set_socket_connector(move |_, _| {
        let stream = take_stream(&stream);
        async move { stream }
    });
    let (client, event_loop) = AsyncClient::builder(mqtt).unbounded().try_build().ok()?;
    Some((Receiver(event_loop), Sender(client)))
}

fn qos(qos: u8) -> Option<QoS> {
    match qos {
        0 => Some(QoS::AtMostOnce),
        1 => Some(QoS::AtLeastOnce),
        2 => Some(QoS::ExactlyOnce),
        _ => None,
    }
}

pub(super) struct Receiver(EventLoop);

impl Incoming for Receiver {
    type Acknowledgement = Received;

    async fn next(&mut self) -> Step<Received> {
        match self.0.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Step::Connected,
            Ok(Event::Incoming(Packet::Publish(message))) => Step::Message {
                topic: message.topic.to_vec(),
                payload: message.payload.to_vec(),
                qos: message.qos as u8,
                retain: message.retain,
                acknowledgement: message,
            },
            Ok(_) => Step::Internal,
            Err(error) => Step::Ended(of_error(error)),
        }
    }
}

fn of_error(error: ConnectionError) -> End {
    match error {
        ConnectionError::ConnectionRefused(code)
        | ConnectionError::MqttState(StateError::ConnFail { reason: code }) => End::Refused(of_connack(code)),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            End::Disconnected(reason_code as u32)
        }
        // The end of the graceful disconnect, in time or not.
        ConnectionError::RequestsDone | ConnectionError::DisconnectTimeout => End::ByRequest,
        ConnectionError::Io(error)
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(mqttbytes::Error::Io(error)),
        ) => End::Broken(error),
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            End::Broken(io::ErrorKind::ConnectionAborted.into())
        }
        error => End::Broken(io::Error::other(error)),
    }
}

fn of_connack(code: ConnectReturnCode) -> u32 {
    use ConnectReturnCode as Code;
    match code {
        Code::Success => 0x00,
        Code::MalformedPacket => 0x81,
        Code::ProtocolError => 0x82,
        Code::ImplementationSpecificError => 0x83,
        Code::UnsupportedProtocolVersion | Code::RefusedProtocolVersion => 0x84,
        Code::ClientIdentifierNotValid | Code::BadClientId => 0x85,
        Code::BadUserNamePassword => 0x86,
        Code::NotAuthorized => 0x87,
        Code::ServerUnavailable | Code::ServiceUnavailable => 0x88,
        Code::ServerBusy => 0x89,
        Code::Banned => 0x8A,
        Code::BadAuthenticationMethod => 0x8C,
        Code::TopicNameInvalid => 0x90,
        Code::PacketTooLarge => 0x95,
        Code::QuotaExceeded => 0x97,
        Code::PayloadFormatInvalid => 0x99,
        Code::RetainNotSupported => RETAIN_NOT_SUPPORTED,
        Code::QoSNotSupported => 0x9B,
        Code::UseAnotherServer => 0x9C,
        Code::ServerMoved => 0x9D,
        Code::ConnectionRateExceeded => 0x9F,
        Code::UnspecifiedError => 0x80,
    }
}

fn of_suback(code: SubscribeReasonCode) -> u32 {
    use SubscribeReasonCode as Code;
    match code {
        Code::Success(granted) => u32::from(granted as u8),
        Code::Failure | Code::Unspecified => 0x80,
        Code::ImplementationSpecific => 0x83,
        Code::NotAuthorized => 0x87,
        Code::TopicFilterInvalid => 0x8F,
        Code::PkidInUse => 0x91,
        Code::QuotaExceeded => 0x97,
        Code::SharedSubscriptionsNotSupported => 0x9E,
        Code::SubscriptionIdNotSupported => 0xA1,
        Code::WildcardSubscriptionsNotSupported => 0xA2,
    }
}

pub(super) struct Sender(AsyncClient);

impl Outgoing for Sender {
    type Acknowledgement = Received;

    fn subscribe(&self, subscriptions: Vec<Subscription>) -> Answer<Vec<u32>> {
        let filters = subscriptions.into_iter().map(filter).collect::<Option<Vec<_>>>().ok_or(NotAllowed)?;
        let notice = self.0.try_subscribe_many_tracked(filters).map_err(|_| NotAllowed)?;
        Ok(Box::pin(async move {
            let answer = notice.wait_async().await.ok()?;
            Some(answer.return_codes.into_iter().map(of_suback).collect())
        }))
    }

    fn unsubscribe(&self, filters: Vec<Vec<u8>>) -> Answer<Vec<u32>> {
        let filters: Result<Vec<_>, _> = filters.into_iter().map(String::from_utf8).collect();
        let filters = filters.map_err(|_| NotAllowed)?;
        let notice = self.0.try_unsubscribe_many_tracked(filters).map_err(|_| NotAllowed)?;
        Ok(Box::pin(async move {
            let answer = notice.wait_async().await.ok()?;
            Some(answer.reasons.into_iter().map(|reason| reason as u32).collect())
        }))
    }

    fn publish(&self, publish: Publish) -> Answer<u32> {
        let topic = String::from_utf8(publish.topic).map_err(|_| NotAllowed)?;
        let options = PublishOptions::new(qos(publish.qos).ok_or(NotAllowed)?).retain(publish.retain);
        let notice = self.0.try_publish_tracked(topic, publish.payload, options).map_err(|_| NotAllowed)?;
        Ok(Box::pin(async move {
            match notice.wait_async().await {
                Ok(PublishResult::Qos0Flushed) => Some(0),
                Ok(PublishResult::Qos1(answer)) => Some(answer.reason as u32),
                Ok(PublishResult::Qos2Completed(answer)) => Some(answer.reason as u32),
                Ok(PublishResult::Qos2PubRecRejected(answer)) => Some(answer.reason as u32),
                Err(PublishNoticeError::RetainNotSupported) => Some(RETAIN_NOT_SUPPORTED),
                Err(_) => None,
            }
        }))
    }

    fn acknowledge(&self, message: Received) {
        // It fails only once the connection is over, which the kernel hears of.
        let _ = self.0.try_ack(&message);
    }

    fn disconnect(&self) {
        let _ = self.0.try_disconnect_with_timeout(std::time::Duration::from_secs(1));
    }
}

fn filter(subscription: Subscription) -> Option<SubscribeFilter> {
    let path = String::from_utf8(subscription.filter).ok()?;
    let mut filter = SubscribeFilter::new(path, qos(subscription.qos)?);
    filter.nolocal = subscription.no_local;
    filter.preserve_retain = subscription.retain_as_published;
    filter.retain_forward_rule = match subscription.retain_handling {
        0 => RetainForwardRule::OnEverySubscribe,
        1 => RetainForwardRule::OnNewSubscribe,
        _ => RetainForwardRule::Never,
    };
    Some(filter)
}
