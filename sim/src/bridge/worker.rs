//! The thread on which the connections live.

use std::collections::HashMap;

use microvisor::sys;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::BridgeLog;
use super::link;
use super::options::BridgeOptions;
use crate::broker::{BrokerEvent, ConnectRequest, LinkId, Publish, Subscription};

/// What the kernel asks of a link.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) link: LinkId,
    pub(super) request: Request,
}

#[derive(Debug)]
pub(super) enum Request {
    Connect(Box<ConnectRequest>),
    Subscribe { correlation_id: u32, subscriptions: Vec<Subscription> },
    Unsubscribe { correlation_id: u32, filters: Vec<Vec<u8>> },
    Publish { correlation_id: u32, publish: Publish },
    Acknowledge { delivery: u32 },
    Disconnect,
    Abandon,
}

/// The events of one link, on their way to the kernel.
#[derive(Clone, Debug)]
pub(super) struct Events {
    link: LinkId,
    to_bridge: flume::Sender<(LinkId, BrokerEvent)>,
}

impl Events {
    /// Waits for room, so that a device that does not read slows the broker down.
    pub(super) async fn send(&self, event: BrokerEvent) {
        // There is nobody to tell once the bridge is gone.
        let _ = self.to_bridge.send_async((self.link, event)).await;
    }
}

/// Runs until the bridge is dropped.
pub(super) fn run(
    options: BridgeOptions,
    commands: UnboundedReceiver<Command>,
    to_bridge: flume::Sender<(LinkId, BrokerEvent)>,
    log: BridgeLog,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("sockets and timers for the bridge");
    runtime.block_on(distribute(options, commands, to_bridge, log));
    // Looking a name up cannot be cancelled, and is not worth waiting for.
    runtime.shutdown_background();
}

async fn distribute(
    options: BridgeOptions,
    mut commands: UnboundedReceiver<Command>,
    to_bridge: flume::Sender<(LinkId, BrokerEvent)>,
    log: BridgeLog,
) {
    let mut links: HashMap<LinkId, UnboundedSender<Request>> = HashMap::new();
    while let Some(Command { link, request }) = commands.recv().await {
        match request {
            Request::Connect(connect) => {
                let (requests, to_link) = mpsc::unbounded_channel();
                links.insert(link, requests);
                let events = Events { link, to_bridge: to_bridge.clone() };
                tokio::spawn(watch(*connect, options.clone(), to_link, events, log.clone()));
            }
            // Its task sees the end of the channel, and cuts the connection.
            Request::Abandon => {
                links.remove(&link);
            }
            request => {
                if let Some(requests) = links.get(&link) {
                    // A link that is over has told the kernel so.
                    let _ = requests.send(request);
                }
            }
        }
    }
}

/// Runs a link, and tells the kernel of its end also if a bug is the reason.
async fn watch(
    request: ConnectRequest,
    options: BridgeOptions,
    requests: UnboundedReceiver<Request>,
    events: Events,
    log: BridgeLog,
) {
    let link = tokio::spawn(link::run(request, options, requests, events.clone(), log.clone()));
    if let Err(error) = link.await {
        log.add(format!("the bridge failed: {error}"));
        let closure_reason = sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED;
        events.send(BrokerEvent::Closed { closure_reason }).await;
    }
}
