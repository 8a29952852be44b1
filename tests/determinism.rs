//! The same run has the same call log, so that a failure can be had again from its seed.

mod bed;

use bed::session::publish;
use bed::{Bed, with_open_broker};
use microvisor::mqtt::QoS;

/// The call log of a session, but for addresses of this process.
fn log_of_a_session(seed: u64) -> Vec<String> {
    let (broker, builder) = with_open_broker();
    let bed = Bed::boot_fresh(builder.seed(seed)).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    assert_eq!(session.next_payload(), b"stop");
    session.acknowledge();
    session.publish(&publish("sensor", b"21.5", QoS::AtLeastOnce)).expect("the broker takes it");
    bed.device.run_until_idle();
    bed.device.trace()
}

#[test]
fn two_runs_with_one_seed_have_one_log() {
    let (first, second) = (log_of_a_session(7), log_of_a_session(7));
    assert!(first.len() > 20, "{first:#?}");
    assert_eq!(first, second);
}

#[test]
fn another_seed_has_other_handles() {
    assert_ne!(log_of_a_session(7), log_of_a_session(8));
}
