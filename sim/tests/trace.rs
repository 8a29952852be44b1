//! The call log.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use microvisor::sys;
use raw::{
    Bench, Received, buffer, call, config_key, connect_request, fetch_params, message, subscribe_request,
    subscription, text,
};

/// The last line of the log, without its time.
fn last(bench: &Bench) -> String {
    let line = bench.device.trace().pop().expect("a line");
    line.split_once("] ").expect("a time").1.to_owned()
}

/// The line of the last such call, without its time.
fn line_of(bench: &Bench, call: &str) -> String {
    let lines = bench.device.trace();
    let line = lines.iter().rev().find(|line| line.contains(&format!("] {call}("))).expect("a line");
    line.split_once("] ").expect("a time").1.to_owned()
}

/// A handle as the log has it: without the digits that tell the kernels of a process apart.
fn shown(handle: u32) -> String {
    format!("{:#010x}", handle & !0xFFF)
}

#[test]
fn lines_begin_with_the_time_and_show_decoded_arguments() {
    let bench = Bench::new();
    let channel = bench.config();
    assert_eq!(
        line_of(&bench, "mvOpenChannel"),
        format!(
            "mvOpenChannel({{type=CONFIGFETCH, receive=1024, send=512, tag=1}}, &handle) = OKAY, handle={}",
            shown(channel)
        )
    );
    assert!(bench.device.trace()[0].starts_with("[  0.000000] mvSetupNotifications({irq=41, size=1024}"));
    bench.fetch(channel, &["broker-host", "broker-port"]);
    assert_eq!(
        last(&bench),
        format!(
            "mvSendConfigFetchRequest({}, [CONFIG/DEVICE/\"broker-host\", CONFIG/DEVICE/\"broker-port\"]) = OKAY",
            shown(channel)
        )
    );
    bench.settle();
    assert_eq!(last(&bench), "-- notification CHANNELDATAREADABLE tag=1 irq=41");
}

#[test]
fn requests_and_messages_are_readable() {
    let bench = Bench::new();
    let channel = bench.connected();
    bench.publish(channel, 1, 1);
    assert_eq!(
        last(&bench),
        format!(
            "mvMqttRequestPublish({}, {{correlation_id=1, topic=\"sensor\", payload=\"20.5\", qos=1, retain=0}}) = OKAY",
            shown(channel)
        )
    );
    let topics = [sys::MvMqttSubscription { nl: 1, ..subscription(b"command/all") }];
    call!(mvMqttRequestSubscribe(channel, &subscribe_request(2, &topics)));
    assert!(last(&bench).contains("{correlation_id=2, [{\"command/all\", qos=1, nl=1}]}"));
    bench.hear(message(1, b"\x00\x01", 1));
    call!(mvMqttReceiveMessage(channel, &Received::with_room(64, 64).message()));
    let line = last(&bench);
    assert!(
        line.contains("= OKAY, correlation_id=") && line.contains("payload=<2 bytes: 0001>, qos=1"),
        "{line}"
    );
}

#[test]
fn refusals_misuse_and_unreadable_arguments_show() {
    let bench = Bench::new();
    call!(mvMqttRequestConnect(7, std::ptr::null()));
    let lines = bench.device.trace();
    let [.., call, misuse] = &lines[..] else { panic!("two lines") };
    assert!(call.ends_with("mvMqttRequestConnect(0x00000007, NULL) = INVALIDHANDLE"), "{call}");
    assert!(misuse.contains("-- misuse: the handle of a MQTT channel is needed"), "{misuse}");
    bench.device.inject(microvisor_sim::Fault::call("mvNoOp").status(77));
    call!(mvNoOp());
    assert_eq!(last(&bench), "mvNoOp() = 0x4d, injected");
    bench.misuse();
}

#[test]
fn secrets_are_left_out() {
    let bench =
        Bench::with(|builder| builder.secret("private_key", "308204be02").config("cert", "3082deadbeef"));
    let channel = bench.config();
    let secret =
        sys::MvConfigKeyToFetch { store: sys::MV_CONFIGKEYFETCHSTORE_SECRET, ..config_key(b"private_key") };
    call!(mvSendConfigFetchRequest(channel, &fetch_params(&[secret, config_key(b"cert")])));
    bench.settle();
    for item_index in 0..2 {
        let (mut result, mut value, mut length) = (0, [0; 64], 0);
        let params = sys::MvConfigResponseReadItemParams {
            item_index,
            result: &mut result,
            buf: buffer(&mut value, &mut length),
        };
        assert_eq!(call!(mvReadConfigResponseItem(channel, &params)), sys::MV_STATUS_OKAY);
    }

    let nothing = sys::MvTlsCertificateChain { num_certs: 0, certs: std::ptr::null() };
    let cert = [text(b"cert")];
    let chain = sys::MvTlsCertificateChain { num_certs: 1, certs: cert.as_ptr() };
    let credentials = sys::MvTlsCredentials {
        cacert: nothing,
        clientcert: sys::MvOwnTlsCertificateChain { chain, key: text(b"308204be02") },
    };
    let request = sys::MvMqttConnectRequest { tls_credentials: &raw const credentials, ..connect_request() };
    call!(mvMqttRequestConnect(bench.mqtt(), &request));

    let authentication = sys::MvMqttAuthentication {
        method: sys::MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD,
        username_password: sys::MvUsernamePassword { username: text(b"lamp"), password: text(b"hunter2") },
    };
    let request = sys::MvMqttConnectRequest { authentication, ..connect_request() };
    call!(mvMqttRequestConnect(bench.mqtt(), &request));

    let log = bench.device.trace().join("\n");
    for secret in ["308204be02", "hunter2"] {
        assert!(!log.contains(secret), "{log}");
    }
    assert!(log.contains("value=<10 bytes, redacted>") && log.contains("value=\"3082deadbeef\""), "{log}");
    assert!(log.contains("key=<10 bytes, redacted>"), "{log}");
    assert!(log.contains("username=\"lamp\", password=<7 bytes, redacted>"), "{log}");
}

/// A session with something of everything, and its log.
fn session(seed: u64) -> Vec<String> {
    let bench = Bench::with(|builder| builder.seed(seed).config("key", "value"));
    let channel = bench.fetched(&["key", "missing"]);
    bench.close(channel);
    let channel = bench.connected();
    bench.subscribe(channel, 1);
    bench.hear(message(1, b"stop", 1));
    let mut received = Received::with_room(64, 64);
    call!(mvMqttReceiveMessage(channel, &received.message()));
    call!(mvMqttAcknowledgeMessage(channel, received.correlation_id));
    bench.device.set_network(microvisor_sim::NetworkStatus::Connecting);
    bench.close(channel);
    let mut id = [0; 34];
    call!(mvGetDeviceId(id.as_mut_ptr(), 34));
    bench.device.trace()
}

#[test]
fn a_seed_has_one_log() {
    assert_eq!(session(7), session(7));
    assert_ne!(session(7), session(8));
}

#[test]
fn the_log_can_be_streamed() {
    #[derive(Clone, Default)]
    struct Stream(Rc<RefCell<Vec<u8>>>);

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let stream = Stream::default();
    let bench = Bench::with(|builder| builder.trace_to(Box::new(stream.clone())));
    bench.settle();
    bench.mqtt();
    let streamed = String::from_utf8(stream.0.borrow().clone()).expect("text");
    assert_eq!(streamed.lines().collect::<Vec<_>>(), bench.device.trace());
}
