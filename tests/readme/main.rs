//! What the README shows is what happens.

#[path = "../running_example/mod.rs"]
mod running_example;
#[path = "../../examples/aws_iot/test_pki.rs"]
mod test_pki;

use microvisor_sim::Device;
use microvisor_sim::broker::model::{ModelBroker, Policy, Thing};
use test_pki::TestPki;

include!("report.rs");

const README: &str = include_str!("../../README.md");

/// The content of the README's only block in this language.
fn block(language: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n```{language}\n")).expect("the README has such a block");
    let (block, rest) = rest.split_once("```\n").expect("the block has an end");
    assert!(!rest.contains(&format!("\n```{language}\n")), "there is another block");
    block
}

#[test]
fn the_example_prints_what_the_readme_says() {
    let outcome = running_example::run([""; 0]);

    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert_eq!(outcome.stdout, block("text"), "put this into README.md:\n{}", outcome.stdout);
}

#[test]
fn the_code_in_the_readme_is_the_code_that_is_run_here() {
    assert_eq!(include_str!("report.rs"), block("rust"));
}

#[test]
fn the_code_in_the_readme_publishes_readings_until_it_is_stopped() {
    const HOST: &str = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com";
    const SID: &str = "UV0123456789abcdef0123456789abcdef";
    let pki = TestPki::create(HOST, SID).expect("certificates");
    let thing = Thing::new(SID, Policy::least_privilege("eu-west-1", "123456789012"));
    let broker = ModelBroker::aws_iot()
        .server_chain([pki.server_certificate])
        .register_certificate(pki.device_certificate.clone(), thing)
        .build();
    let device = Device::builder()
        .device_id(SID)
        .config("root-CA", &hex(&pki.root_ca))
        .config("cert", &hex(&pki.device_certificate))
        .config("broker-host", HOST)
        .config("broker-port", "8883")
        .secret("private_key", &hex(&pki.device_key))
        .broker(broker.clone())
        .boot();
    device.bind_interrupt(51, || CENTER.on_interrupt());

    // In its third minute, the second of which the connection did not survive.
    broker.at(Duration::from_secs(90), ModelBroker::drop_connection);
    broker.publish_at(Duration::from_secs(150), format!("command/device/{SID}"), "stop", 1);

    device.block_on(report(device.delay())).expect("the code works");

    let received = broker.received();
    assert_eq!(received.len(), 3);
    for reading in received {
        assert_eq!(reading.topic, format!("sensor/device/{SID}"));
        assert_eq!(reading.payload, br#"{"temperature_celsius":21.5}"#);
    }
    assert!(broker.all_acknowledged());
    assert_eq!(broker.complaints(), [""; 0]);
}

#[test]
fn the_costs_in_the_readme_are_the_recorded_ones() {
    const IMAGES: [&str; 3] = ["aws_iot", "aws_iot_embassy", "aws_iot_rtic"];
    const ROWS: [(&str, &str); 10] = [
        ("flash", "flash, bytes"),
        ("ram", "static RAM, bytes"),
        ("max_stack", "stack, bytes"),
        ("publish_total", "instructions: a publish of QoS 1, from request to verdict"),
        ("message", "a command, received and acknowledged"),
        ("flood_per_message", "the same, of many that come at once"),
        ("isr_per_interrupt", "an interrupt of the notifications"),
        ("decode_per_byte", "a byte of the credentials, decoded from hex"),
        ("config_without_decoding", "from settings to connect request, without decoding"),
        ("idle_per_wake", "a wake-up with nothing to do"),
    ];
    let recorded: serde_json::Value =
        serde_json::from_str(include_str!("../../examples/nucleo-u585/sizes.json")).expect("it is JSON");
    let recorded = |image: &str, figure: &str| readable(&recorded[image][figure]);

    let mut wanted = Vec::from(ROWS.map(|(figure, what)| {
        let numbers = IMAGES.map(|image| recorded(image, figure)).join(" | ");
        format!("| {what} | {numbers} |")
    }));
    let [flash, ram] = ["flash", "ram"].map(|figure| recorded("blink_log", figure));
    wanted.push(format!("takes {flash} bytes of flash and {ram} of RAM"));
    wanted.retain(|wanted| !README.contains(wanted));

    assert!(wanted.is_empty(), "put this into README.md:\n{}", wanted.join("\n"));
}

/// A number without its fraction, and with a comma before the thousands, of which there are not a thousand.
fn readable(number: &serde_json::Value) -> String {
    let number = format!("{:.0}", number.as_f64().expect("it is recorded"));
    match number.len() {
        ..=3 => number,
        len => format!("{},{}", &number[..len - 3], &number[len - 3..]),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2];
    base16ct::lower::encode_str(bytes, &mut text).expect("it is twice as long").to_owned()
}
