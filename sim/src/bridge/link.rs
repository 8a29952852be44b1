//! The life of one connection.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use microvisor::sys;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use super::options::BridgeOptions;
use super::worker::{Events, Request};
use super::{BridgeLog, mqtt3, mqtt5, tls};
use crate::broker::{BrokerEvent, ConnectRequest, Protocol, Publish, Subscription, TlsCredentials};
use crate::x509::TlsFailure;

const COMPLETED: u32 = sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED;

/// How long a disconnect waits for the answers to earlier requests.
const DRAIN: Duration = Duration::from_secs(5);

/// The receiving half of an MQTT client.
pub(super) trait Incoming: Send {
    /// What acknowledges a message.
    type Acknowledgement: Clone + Send + 'static;

    /// What comes next. Not polled any more after [`Step::Ended`].
    fn next(&mut self) -> impl Future<Output = Step<Self::Acknowledgement>> + Send;
}

pub(super) enum Step<A> {
    Connected,
    Message {
        topic: Vec<u8>,
        payload: Vec<u8>,
        qos: u8,
        retain: bool,
        acknowledgement: A,
    },
    Ended(End),
    /// Something that the kernel need not know.
    Internal,
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// A CONNACK that refuses.
    Refused(u32),
    /// The broker's DISCONNECT.
    Disconnected(u32),
    /// The DISCONNECT that the device asked for is out.
    ByRequest,
    Broken(io::Error),
}

/// The sending half. Requests are queued in order at once; the future is the broker's answer.
pub(super) trait Outgoing: Send {
    type Acknowledgement: Send + 'static;

    fn subscribe(&self, subscriptions: Vec<Subscription>) -> Answer<Vec<u32>>;
    fn unsubscribe(&self, filters: Vec<Vec<u8>>) -> Answer<Vec<u32>>;
    fn publish(&self, publish: Publish) -> Answer<u32>;
    fn acknowledge(&self, acknowledgement: Self::Acknowledgement);
    fn disconnect(&self);
}

/// A request under way, unless it is not one that MQTT allows.
pub(super) type Answer<T> = Result<std::pin::Pin<Box<dyn Future<Output = Option<T>> + Send>>, NotAllowed>;

/// The client library does not send that.
#[derive(Debug)]
pub(super) struct NotAllowed;

/// Runs a connection from its beginning to its end.
pub(super) async fn run(
    request: ConnectRequest,
    options: BridgeOptions,
    requests: UnboundedReceiver<Request>,
    events: Events,
    log: BridgeLog,
) {
    let stream = match timeout(options.connect_timeout, tls::connect(&request, &options)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(failure)) => return fail(failure, &events, &log).await,
        Err(_) => return fail(TlsFailure::socket_error("no answer in time"), &events, &log).await,
    };
    let credentials = request.credentials.clone();
    let link = Link { options, credentials, events, log };
    match request.protocol {
        Protocol::V5 => match mqtt5::client(&request, &link.options, stream) {
            Some((incoming, outgoing)) => link.drive(incoming, outgoing, requests).await,
            None => fail(invalid_parameters(), &link.events, &link.log).await,
        },
        Protocol::V3_1_1 => match mqtt3::client(&request, &link.options, stream) {
            Some((incoming, outgoing)) => link.drive(incoming, outgoing, requests).await,
            None => fail(invalid_parameters(), &link.events, &link.log).await,
        },
    }
}

fn invalid_parameters() -> TlsFailure {
    TlsFailure {
        state: sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS,
        what: "the connect request is not one that MQTT allows".into(),
    }
}

async fn fail(failure: TlsFailure, events: &Events, log: &BridgeLog) {
    log.add(failure.what);
    events.send(BrokerEvent::Connected { state: failure.state, reason: 0 }).await;
}

/// Hands the TLS connection to a client library, once: it must not connect again by itself.
pub(super) type OnceStream = Arc<Mutex<Option<TlsStream<TcpStream>>>>;

pub(super) fn take_stream(stream: &OnceStream) -> io::Result<TlsStream<TcpStream>> {
    let taken = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
    taken.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))
}

struct Link {
    options: BridgeOptions,
    credentials: Option<TlsCredentials>,
    events: Events,
    log: BridgeLog,
}

/// Messages that the device has not acknowledged.
type Unacknowledged<A> = Arc<Mutex<HashMap<u32, A>>>;

impl Link {
    async fn drive<I, O>(self, mut incoming: I, outgoing: O, requests: UnboundedReceiver<Request>)
    where
        I: Incoming,
        O: Outgoing<Acknowledgement = I::Acknowledgement>,
    {
        if !self.open(&mut incoming).await {
            return;
        }
        let unacknowledged = Unacknowledged::default();
        let mut tasks = JoinSet::new();
        let mut redeliveries = JoinSet::new();
        let end = tokio::select! {
            end = self.receive(&mut incoming, &unacknowledged, &mut redeliveries) => Some(end),
            () = self.send(&outgoing, requests, &unacknowledged, &mut tasks) => None,
        };
        let Some(end) = end else { return };
        // The answers that came before the end go to the kernel before it.
        drop((incoming, outgoing));
        while tasks.join_next().await.is_some() {}
        self.report(end).await;
    }

    /// Waits for the CONNACK; says whether there is a session.
    async fn open<I: Incoming>(&self, incoming: &mut I) -> bool {
        let connack = async {
            loop {
                match incoming.next().await {
                    Step::Connected => return Ok(()),
                    Step::Ended(end) => return Err(end),
                    Step::Message { .. } | Step::Internal => {}
                }
            }
        };
        let failure = match timeout(self.options.connect_timeout, connack).await {
            Ok(Ok(())) => {
                self.events.send(BrokerEvent::Connected { state: COMPLETED, reason: 0 }).await;
                return true;
            }
            Ok(Err(End::Refused(reason))) => {
                self.log.add(format!("the broker refused the connection with reason code {reason:#04x}"));
                self.events.send(BrokerEvent::Connected { state: COMPLETED, reason }).await;
                return false;
            }
            Ok(Err(End::Broken(error))) => tls::of_io_error(&error, self.credentials.as_ref()),
            Ok(Err(end)) => TlsFailure::socket_error(format!("no CONNACK, but {end:?}")),
            Err(_) => TlsFailure::socket_error("no CONNACK in time"),
        };
        fail(failure, &self.events, &self.log).await;
        false
    }

    async fn receive<I: Incoming>(
        &self,
        incoming: &mut I,
        unacknowledged: &Unacknowledged<I::Acknowledgement>,
        redeliveries: &mut JoinSet<()>,
    ) -> End {
        let mut delivery = 0;
        loop {
            match incoming.next().await {
                Step::Message { topic, payload, qos, retain, acknowledgement } => {
                    delivery += 1;
                    let event = BrokerEvent::Message { delivery, topic, payload, qos, retain };
                    if qos > 0 {
                        lock(unacknowledged).insert(delivery, acknowledgement);
                        self.plan_redelivery(redeliveries, unacknowledged.clone(), delivery, event.clone());
                    }
                    self.events.send(event).await;
                }
                Step::Ended(end) => return end,
                Step::Connected | Step::Internal => {}
            }
        }
    }

    /// Gives the device a message again and again until it is acknowledged, as the platform does.
    fn plan_redelivery<A: Send + 'static>(
        &self,
        redeliveries: &mut JoinSet<()>,
        unacknowledged: Unacknowledged<A>,
        delivery: u32,
        event: BrokerEvent,
    ) {
        let Some(after) = self.options.redelivery else { return };
        let events = self.events.clone();
        // Finished tasks are let go of here, so that they do not pile up.
        while redeliveries.try_join_next().is_some() {}
        redeliveries.spawn(async move {
            loop {
                sleep(after).await;
                if !lock(&unacknowledged).contains_key(&delivery) {
                    return;
                }
                events.send(event.clone()).await;
            }
        });
    }

    /// Sends what the device asks for, until its end of the link is gone.
    async fn send<O: Outgoing>(
        &self,
        outgoing: &O,
        mut requests: UnboundedReceiver<Request>,
        unacknowledged: &Unacknowledged<O::Acknowledgement>,
        tasks: &mut JoinSet<()>,
    ) {
        while let Some(request) = requests.recv().await {
            while tasks.try_join_next().is_some() {}
            match request {
                Request::Subscribe { correlation_id, subscriptions } => {
                    self.answer(tasks, outgoing.subscribe(subscriptions), move |state, reasons| {
                        BrokerEvent::Subscribed { correlation_id, state, reasons }
                    });
                }
                Request::Unsubscribe { correlation_id, filters } => {
                    self.answer(tasks, outgoing.unsubscribe(filters), move |state, reasons| {
                        BrokerEvent::Unsubscribed { correlation_id, state, reasons }
                    });
                }
                Request::Publish { correlation_id, publish } => {
                    self.answer(tasks, outgoing.publish(publish), move |state, reason| {
                        BrokerEvent::Published { correlation_id, state, reason }
                    });
                }
                Request::Acknowledge { delivery } => {
                    let acknowledgement = lock(unacknowledged).remove(&delivery);
                    if let Some(acknowledgement) = acknowledgement {
                        outgoing.acknowledge(acknowledgement);
                    }
                }
                Request::Disconnect => {
                    // A DISCONNECT must not overtake what was asked for before it.
                    let _ = timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await;
                    outgoing.disconnect();
                }
                Request::Connect(_) | Request::Abandon => {}
            }
        }
    }

    /// Sends the kernel the answer once it is there. If the connection ends first there is none.
    fn answer<T: Default + Send + 'static>(
        &self,
        tasks: &mut JoinSet<()>,
        answer: Answer<T>,
        event: impl FnOnce(u32, T) -> BrokerEvent + Send + 'static,
    ) {
        let events = self.events.clone();
        tasks.spawn(async move {
            match answer {
                Ok(answer) => {
                    if let Some(answer) = answer.await {
                        events.send(event(COMPLETED, answer)).await;
                    }
                }
                Err(NotAllowed) => {
                    events.send(event(sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, T::default())).await;
                }
            }
        });
    }

    async fn report(&self, end: End) {
        let event = match end {
            End::ByRequest => BrokerEvent::Disconnected { state: COMPLETED, reason: 0 },
            End::Disconnected(reason) | End::Refused(reason) => {
                self.log.add(format!("the broker disconnected with reason code {reason:#04x}"));
                BrokerEvent::Disconnected { state: COMPLETED, reason }
            }
            End::Broken(error) => {
                self.log.add(format!("the connection was lost: {error}"));
                BrokerEvent::Closed { closure_reason: closure_reason(&error) }
            }
        };
        self.events.send(event).await;
    }
}

fn closure_reason(error: &io::Error) -> u32 {
    match error.kind() {
        io::ErrorKind::ConnectionReset => sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted => {
            sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER
        }
        _ => sys::MV_CLOSUREREASON_CONNECTIONTERMINATED,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
