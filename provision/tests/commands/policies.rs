//! What `policy` prints. What it allows is shown on the model of AWS IoT, in `policy_on_model`.

use serde_json::{Value, json};

use crate::tool::{SID, run};

const WHERE: [&str; 5] = ["policy", "--region", "eu-west-1", "--account", "123456789012"];

fn policy(more: &[&str]) -> Value {
    let outcome = run([&WHERE, more].concat());
    assert_eq!(outcome.status, 0, "{outcome:#?}");
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

fn statement(action: &str, resources: &[&str]) -> Value {
    let resources: Vec<_> =
        resources.iter().map(|resource| format!("arn:aws:iot:eu-west-1:123456789012:{resource}")).collect();
    json!({"Effect": "Allow", "Action": action, "Resource": resources})
}

#[test]
fn the_policy_is_for_the_things_own_name() {
    const THING: &str = "${iot:Connection.Thing.ThingName}";
    let command = |kind: &str| format!("{kind}/command/device/{THING}");
    assert_eq!(
        policy(&[]),
        json!({
            "Version": "2012-10-17",
            "Statement": [
                statement("iot:Connect", &[&format!("client/{THING}")]),
                statement("iot:Publish", &[&format!("topic/sensor/device/{THING}")]),
                statement("iot:Subscribe", &[&command("topicfilter"), "topicfilter/command/device/all"]),
                statement("iot:Receive", &[&command("topic"), "topic/command/device/all"]),
            ]
        })
    );
}

#[test]
fn one_device_can_be_named() {
    let policy = policy(&["--fixed-thing", SID]);
    assert_eq!(policy["Statement"][0], statement("iot:Connect", &[&format!("client/{SID}")]));
    assert!(!policy.to_string().contains("${"), "{policy}");
}

#[test]
fn more_topics_can_be_allowed() {
    let policy = policy(&[
        "--publish",
        "status/{sid}",
        "--publish",
        "$aws/things/{sid}/shadow/update",
        "--subscribe",
        "fleet/+/orders/#",
        "--fixed-thing",
        SID,
    ]);
    let sensor = format!("topic/sensor/device/{SID}");
    let (status, shadow) = (format!("topic/status/{SID}"), format!("topic/$aws/things/{SID}/shadow/update"));
    assert_eq!(policy["Statement"][1], statement("iot:Publish", &[&sensor, &status, &shadow]));
    let subscribe = policy["Statement"][2]["Resource"].as_array().expect("an array");
    assert_eq!(subscribe[2], "arn:aws:iot:eu-west-1:123456789012:topicfilter/fleet/+/orders/#");
    let receive = policy["Statement"][3]["Resource"].as_array().expect("an array");
    assert_eq!(receive[2], "arn:aws:iot:eu-west-1:123456789012:topic/fleet/*/orders");
    assert_eq!(receive[3], "arn:aws:iot:eu-west-1:123456789012:topic/fleet/*/orders/*");
}

#[test]
fn other_parts_of_aws_have_their_own_names() {
    for (region, partition) in
        [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("ap-southeast-2", "aws")]
    {
        let outcome = run(["policy", "--region", region, "--account", "123456789012"]);
        assert!(outcome.stdout.contains(&format!("\"arn:{partition}:iot:{region}:")), "{}", outcome.stdout);
    }
}

#[test]
fn what_cannot_be_is_told() {
    for (arguments, advice) in [
        (&["--region", "Ireland"][..], "no region of AWS"),
        (&["--account", "1234-5678-9012"], "without hyphens"),
        (&["--publish", "sensor/+"], "\"sensor/+\" cannot be"),
        (&["--publish", "sensor/*"], "has \"*\""),
        (&["--subscribe", "${iot:ClientId}/x"], "has \"${\""),
        (&["--subscribe", "a/#/b"], "\"a/#/b\" cannot be"),
        (&["--subscribe", "$SYS/broker"], "\"$SYS/broker\" cannot be"),
        (&["--publish", "$aws/thing/x"], "\"$aws/thing/x\" cannot be"),
        (&["--subscribe", "$share/group/x"], "a shared subscription"),
        (&["--publish", "1/2/3/4/5/6/7/8/9"], "cannot be"),
    ] {
        let mut all = WHERE.to_vec();
        // The last one counts.
        if let Some(at) = all.iter().position(|argument| argument == &arguments[0]) {
            all[at + 1] = arguments[1];
        } else {
            all.extend(arguments);
        }
        let outcome = run(&all);
        assert_eq!(outcome.status, 2, "{arguments:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(advice), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn a_policy_longer_than_aws_takes_is_refused() {
    let topics: Vec<String> =
        (0..20).map(|number| format!("a-topic-that-goes-on-and-on-for-long/{number}")).collect();
    let more: Vec<&str> = topics.iter().flat_map(|topic| ["--publish", topic]).collect();
    run([&WHERE[..], &more].concat()).assert_failed("AWS IoT takes 2048 at most; allow fewer topics");
}
