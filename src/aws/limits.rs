//! The limits of AWS IoT Core ("AWS IoT Core message broker and protocol limits and quotas").

use crate::mqtt::{Limits, QoS};

/// The longest client id, which is the Thing name here, in bytes.
pub const MAX_CLIENT_ID_LEN: usize = 128;

/// How the topics begin that AWS IoT documents for devices; it ends the connection of a device that uses
/// another that begins with `$`.
pub const DOCUMENTED_TOPICS: [&str; 9] = [
    "$aws/certificates/",
    "$aws/commands/",
    "$aws/device_location/",
    "$aws/events/",
    "$aws/job/",
    "$aws/provisioning-templates/",
    "$aws/rules/",
    "$aws/sitewise/",
    "$aws/things/",
];

/// QoS 0 and 1; topics of 256 bytes and 7 slashes, where the prefix of Basic Ingest does not count;
/// payloads of 128 KiB; of the topics that begin with `$`, only those that begin with `$aws/`.
///
/// Not checked is which of those [AWS documents](DOCUMENTED_TOPICS), and what only AWS can count: 50
/// subscriptions a connection, 100 publishes a second and 100 unacknowledged messages a connection.
pub const LIMITS: Limits = Limits::MQTT
    .max_qos(QoS::AtLeastOnce)
    .max_topic(256, 7)
    .max_payload(128 * 1024)
    .open_topics("$aws/")
    .uncounted("$aws/rules/");

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;
    use crate::mqtt::{LimitError, Publish, Subscription, TopicFilter, TopicName};

    fn publish(topic: &str) -> Result<(), LimitError> {
        LIMITS.check_publish(&Publish::new(TopicName::new(topic).unwrap(), b""))
    }

    fn of_len(len: usize) -> String {
        "t".repeat(len)
    }

    #[test]
    fn a_topic_of_256_bytes_is_taken_and_one_of_257_is_not() {
        assert_eq!(publish(&of_len(256)), Ok(()));
        assert_eq!(publish(&of_len(257)), Err(LimitError::TopicTooLong { len: 257, max: 256 }));
    }

    #[test]
    fn seven_slashes_are_taken_and_eight_are_not() {
        assert_eq!(publish("1/2/3/4/5/6/7/8"), Ok(()));
        assert_eq!(publish("1/2/3/4/5/6/7/8/9"), Err(LimitError::TooManySlashes { count: 8, max: 7 }));
    }

    #[test]
    fn the_prefix_of_basic_ingest_does_not_count() {
        assert_eq!(publish("$aws/rules/my_rule/1/2/3/4/5/6/7/8"), Ok(()));
        let long = "$aws/rules/my_rule/".chars().chain(of_len(256).chars()).collect::<String>();
        assert_eq!(publish(&long), Ok(()));
        assert_eq!(
            publish("$aws/rules/my_rule/1/2/3/4/5/6/7/8/9"),
            Err(LimitError::TooManySlashes { count: 8, max: 7 })
        );
    }

    #[test]
    fn topics_that_begin_with_a_dollar_are_refused_but_for_those_of_aws() {
        assert_eq!(publish("$SYS/uptime"), Err(LimitError::ReservedTopic));
        assert_eq!(publish("$share/group/topic"), Err(LimitError::ReservedTopic));
        assert_eq!(publish("$aws"), Err(LimitError::ReservedTopic));
        assert_eq!(publish("$"), Err(LimitError::ReservedTopic));
        for documented in DOCUMENTED_TOPICS {
            assert_eq!(publish(documented), Ok(()));
        }
    }

    #[test]
    fn qos_2_is_refused_for_publishing_and_subscribing() {
        let too_high = Err(LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce });
        let message = Publish::new(TopicName::new("t").unwrap(), b"").with_qos(QoS::ExactlyOnce);
        assert_eq!(LIMITS.check_publish(&message), too_high);
        let filter = Subscription::new(TopicFilter::new("t").unwrap(), QoS::ExactlyOnce);
        assert_eq!(LIMITS.check_subscriptions(&[filter]), too_high);
    }

    #[test]
    fn a_shared_subscription_is_judged_by_what_it_shares() {
        let check = |filter| LIMITS.check_filters(&[TopicFilter::new(filter).unwrap()]);
        assert_eq!(check("$share/group/1/2/3/4/5/6/7/8"), Ok(()));
        assert_eq!(check("$share/group/$SYS/#"), Err(LimitError::ReservedTopic));
    }

    #[test]
    fn a_payload_of_128_kib_is_taken_and_a_longer_one_is_not() {
        let payload = std::vec![0; 128 * 1024 + 1];
        let topic = TopicName::new("t").unwrap();
        assert_eq!(LIMITS.check_publish(&Publish::new(topic, &payload[1..])), Ok(()));
        let (len, max) = (payload.len(), payload.len() - 1);
        assert_eq!(
            LIMITS.check_publish(&Publish::new(topic, &payload)),
            Err(LimitError::PayloadTooLong { len, max })
        );
    }

    #[test]
    fn a_request_carries_one_to_eight_filters() {
        let filter = Subscription::new(TopicFilter::new("t/#").unwrap(), QoS::AtLeastOnce);
        assert_eq!(LIMITS.check_subscriptions(&[]), Err(LimitError::NoTopics));
        assert_eq!(LIMITS.check_subscriptions(&[filter; 8]), Ok(()));
        assert_eq!(LIMITS.check_subscriptions(&[filter; 9]), Err(LimitError::TooManyTopics { count: 9 }));
    }
}
