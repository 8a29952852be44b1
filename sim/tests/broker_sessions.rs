//! Sessions on the model broker: how they begin, go on over connections, and end.

mod far_end;

use std::time::Duration;

use far_end::{FarEnd, connect_request};
use microvisor_sim::broker::model::ModelBroker;

#[test]
fn a_client_connects_subscribes_publishes_and_disconnects() {
    let broker = ModelBroker::open().build();
    let mut device = FarEnd::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    assert_eq!(device.subscribe(link, &[("command/device/lamp", 1)]), [1]);
    assert_eq!(device.publish(link, "sensor/device/lamp", b"20.5", 1), (0, 0));
    broker.publish("command/device/lamp", "stop", 1);
    let message = device.message(link);
    assert_eq!(
        (message.topic.as_str(), message.payload.as_slice(), message.qos),
        ("command/device/lamp", &b"stop"[..], 1)
    );
    device.acknowledge(link, message.delivery);
    device.run_for(Duration::from_secs(1));
    assert_eq!(device.disconnect(link), (0, 0));
    assert_eq!(broker.received()[0].payload, b"20.5");
    assert!(broker.all_acknowledged());
    assert_eq!(broker.acknowledged()[0].payload, b"stop");
    assert_eq!(broker.complaints(), [""; 0]);
}
