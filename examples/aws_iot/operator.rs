//! Who sits at the other end of the model broker: watches the telemetry, and stops and restarts the
//! device on the way.

use std::time::Duration;

use microvisor_sim::broker::model::ModelBroker;

use crate::report;

/// How often the operator looks, at most.
const GLANCE: Duration = Duration::from_millis(10);
/// The least time that the operator leaves the device stopped.
const SHORTEST_STOP: Duration = Duration::from_millis(500);
const AT_LEAST_ONCE: u8 = 1;

/// An operator with a plan: stop the device when half of its messages are there, restart it some
/// intervals later.
pub(crate) struct Operator {
    sid: String,
    glance: Duration,
    stop_after: usize,
    stop_for: Duration,
    seen: usize,
    orders: Orders,
}

#[derive(Clone, Copy)]
enum Orders {
    Stop,
    RestartAt(Duration),
    Done,
}

impl Operator {
    /// An operator for a device that will publish `publishes` messages, one an interval.
    pub(crate) fn new(sid: &str, publishes: u32, interval: Duration) -> Self {
        Self {
            sid: sid.to_owned(),
            glance: GLANCE.max(interval / 100),
            stop_after: usize::try_from(publishes / 2).unwrap_or(usize::MAX),
            stop_for: SHORTEST_STOP.max(2 * interval),
            seen: 0,
            orders: Orders::Stop,
        }
    }

    /// Watches `broker` for as long as the device runs.
    pub(crate) fn watch(self, broker: &ModelBroker) {
        self.look_again_after(broker, Duration::ZERO);
    }

    fn look_again_after(mut self, broker: &ModelBroker, at: Duration) {
        let next = at + self.glance;
        broker.at(next, move |broker| {
            self.look(broker, next);
            self.look_again_after(broker, next);
        });
    }

    fn look(&mut self, broker: &ModelBroker, now: Duration) {
        for message in broker.received_since(self.seen) {
            let payload = String::from_utf8_lossy(&message.payload);
            report::line(message.at, format_args!("broker: {payload} on {}", message.topic));
            self.seen += 1;
        }
        match self.orders {
            Orders::Stop if self.seen >= self.stop_after && !broker.subscriptions(&self.sid).is_empty() => {
                self.command(broker, now, "stop");
                self.orders = Orders::RestartAt(now + self.stop_for);
            }
            Orders::RestartAt(at) if now >= at => {
                self.command(broker, now, "restart");
                self.orders = Orders::Done;
            }
            Orders::Stop | Orders::RestartAt(_) | Orders::Done => {}
        }
    }

    fn command(&self, broker: &ModelBroker, now: Duration, command: &str) {
        let topic = format!("command/device/{}", self.sid);
        report::line(now, format_args!("operator: {command} to {topic}"));
        broker.publish(topic, command, AT_LEAST_ONCE);
    }
}
