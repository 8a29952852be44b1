//! MQTT 3.1.1, by the client library.

use std::io;
use std::sync::{Arc, Mutex};

use rumqttc_v4::mqttbytes::QoS;
use rumqttc_v4::mqttbytes::v4::{
    LastWill, Packet, Publish as Received, SubscribeFilter, SubscribeReasonCode,
};
use rumqttc_v4::{
    AckMode, AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, PublishOptions,
    StateError, mqttbytes,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::link::{Answer, End, Incoming, NotAllowed, Outgoing, Step, take_stream};
use super::options::BridgeOptions;
use crate::broker::{ConnectRequest, Publish, Subscription};

/// The largest packet that MQTT has.
const LARGEST_PACKET: usize = 268_435_455;

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
        .set_ack_mode(AckMode::Manual)
        // One packet at a time: an end of the connection drops what came with it.
        .set_read_batch_size(1)
        .set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET)
        .try_set_clean_session(request.clean_start)
        .ok()?;
    if let Some((name, password)) = &request.authentication {
        mqtt.set_credentials(String::from_utf8(name.clone()).ok()?, password.clone());
    }
    if let Some(will) = &request.will {
        let topic = String::from_utf8(will.topic.clone()).ok()?;
        mqtt.set_last_will(LastWill::new(topic, will.payload.clone(), qos(will.qos)?, will.retain));
    }
    let stream = Arc::new(Mutex::new(Some(stream)));
    mqtt.set_socket_connector(move |_, _| {
        let stream = take_stream(&stream);
        async move { stream }
    });
    let (client, mut event_loop) = AsyncClient::builder(mqtt).unbounded().try_build().ok()?;
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(options.connect_timeout.as_secs().max(1));
    event_loop.set_network_options(network);
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
        ConnectionError::ConnectionRefused(code) => End::Refused(code as u32),
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

pub(super) struct Sender(AsyncClient);

impl Outgoing for Sender {
    type Acknowledgement = Received;

    fn subscribe(&self, subscriptions: Vec<Subscription>) -> Answer<Vec<u32>> {
        let filters: Option<Vec<_>> = subscriptions
            .into_iter()
            .map(|wanted| {
                Some(SubscribeFilter::new(String::from_utf8(wanted.filter).ok()?, qos(wanted.qos)?))
            })
            .collect();
        let notice = self.0.try_subscribe_many_tracked(filters.ok_or(NotAllowed)?).map_err(|_| NotAllowed)?;
        Ok(Box::pin(async move {
            let answer = notice.wait_async().await.ok()?;
            let code = |code| match code {
                SubscribeReasonCode::Success(granted) => u32::from(granted as u8),
                SubscribeReasonCode::Failure => 0x80,
            };
            Some(answer.return_codes.into_iter().map(code).collect())
        }))
    }

    fn unsubscribe(&self, filters: Vec<Vec<u8>>) -> Answer<Vec<u32>> {
        let filters: Result<Vec<_>, _> = filters.into_iter().map(String::from_utf8).collect();
        let filters = filters.map_err(|_| NotAllowed)?;
        let count = filters.len();
        let notice = self.0.try_unsubscribe_many_tracked(filters).map_err(|_| NotAllowed)?;
        // MQTT 3.1.1 has no codes here: an answer is success.
        Ok(Box::pin(async move { notice.wait_async().await.ok().map(|_| vec![0; count]) }))
    }

    fn publish(&self, publish: Publish) -> Answer<u32> {
        let topic = String::from_utf8(publish.topic).map_err(|_| NotAllowed)?;
        let options = PublishOptions::new(qos(publish.qos).ok_or(NotAllowed)?).retain(publish.retain);
        let notice = self.0.try_publish_tracked(topic, publish.payload, options).map_err(|_| NotAllowed)?;
        Ok(Box::pin(async move { notice.wait_async().await.ok().map(|_| 0) }))
    }

    fn acknowledge(&self, message: Received) {
        // It fails only once the connection is over, which the kernel hears of.
        let _ = self.0.try_ack(&message);
    }

    fn disconnect(&self) {
        let _ = self.0.try_disconnect_with_timeout(std::time::Duration::from_secs(1));
    }
}
