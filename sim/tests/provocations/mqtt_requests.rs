use std::ptr::null;

use microvisor::sys;

use super::{NOTHING, rows};
use crate::raw::{
    Bench, Received, call, connect_request, message, publish_request, subscribe_request, subscription, text,
    unsubscribe_request,
};

/// An MQTT channel that the server has closed.
fn closed(bench: &Bench) -> u32 {
    let channel = bench.mqtt();
    bench.device.close_channels(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
    channel
}

fn connect(bench: &Bench, change: impl FnOnce(&mut sys::MvMqttConnectRequest)) -> sys::MvStatus {
    let mut request = connect_request();
    change(&mut request);
    call!(mvMqttRequestConnect(bench.mqtt(), &request))
}

fn credentials(ca: &[sys::MvSizedString]) -> sys::MvTlsCredentials {
    let nothing = sys::MvTlsCertificateChain { num_certs: 0, certs: null() };
    let cacert = sys::MvTlsCertificateChain {
        num_certs: ca.len().try_into().expect("a short list"),
        certs: ca.as_ptr(),
    };
    let clientcert = sys::MvOwnTlsCertificateChain { chain: nothing, key: text(b"") };
    sys::MvTlsCredentials { cacert, clientcert }
}

/// Reads messages 1 to 17, and acknowledges the first 16.
fn sixteen_acknowledgements(bench: &Bench) -> (u32, u32) {
    let channel = bench.connected();
    let mut last = 0;
    for delivery in 1..=17 {
        bench.broker.say(message(delivery, b"stop", 1));
    }
    bench.settle();
    for number in 1..=17 {
        let mut received = Received::with_room(64, 64);
        assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), sys::MV_STATUS_OKAY);
        last = received.correlation_id;
        if number < 17 {
            assert_eq!(call!(mvMqttAcknowledgeMessage(channel, last)), sys::MV_STATUS_OKAY);
        }
    }
    (channel, last)
}

rows! {
    mvMqttRequestConnect PARAMETERFAULT "the request is NULL" => |bench| {
        call!(mvMqttRequestConnect(bench.mqtt(), null()))
    };
    mvMqttRequestConnect LATEFAULT "the host is NULL, with a length" => |bench| {
        connect(bench, |request| request.host = sys::MvSizedString { data: null(), length: 5 })
    };
    mvMqttRequestConnect INVALIDHANDLE "the channel is a config channel" => |bench| {
        call!(mvMqttRequestConnect(bench.config(), &connect_request()))
    };
    mvMqttRequestConnect CHANNELCLOSED "the server has closed the channel" => |bench| {
        call!(mvMqttRequestConnect(closed(bench), &connect_request()))
    };
    mvMqttRequestConnect REQUESTALREADYSENT "a second connect" => |bench| {
        call!(mvMqttRequestConnect(bench.connected(), &connect_request()))
    };
    mvMqttRequestConnect INVALIDAUTHENTICATION "there is no authentication method 7" => |bench| {
        connect(bench, |request| request.authentication.method = 7)
    };
    mvMqttRequestConnect TOOMANYELEMENTS "nine CA certificates" => |bench| {
        let chain = [text(b"cert"); 9];
        let credentials = credentials(&chain);
        connect(bench, |request| request.tls_credentials = &raw const credentials)
    };
    mvMqttRequestConnect REQUIREDELEMENTMISSING "the client id is empty" => |bench| {
        connect(bench, |request| request.clientid = text(b""))
    };
    mvMqttRequestSubscribe PARAMETERFAULT "the request is NULL" => |bench| {
        call!(mvMqttRequestSubscribe(bench.connected(), null()))
    };
    mvMqttRequestSubscribe LATEFAULT "the list of topics is NULL" => |bench| {
        let request =
            sys::MvMqttSubscribeRequest { correlation_id: 1, subscriptions: null(), num_subscriptions: 1 };
        call!(mvMqttRequestSubscribe(bench.connected(), &request))
    };
    mvMqttRequestSubscribe INVALIDHANDLE "the handle names nothing" => |bench| bench.subscribe(NOTHING, 1);
    mvMqttRequestSubscribe CHANNELCLOSED "the server has closed the channel" => |bench| {
        bench.subscribe(closed(bench), 1)
    };
    mvMqttRequestSubscribe RATELIMITED "another subscribe has no response yet" => |bench| {
        let channel = bench.connected();
        assert_eq!(bench.subscribe(channel, 1), sys::MV_STATUS_OKAY);
        bench.subscribe(channel, 2)
    };
    mvMqttRequestSubscribe TOOMANYELEMENTS "nine topics" => |bench| {
        let topics = [subscription(b"command"); 9];
        call!(mvMqttRequestSubscribe(bench.connected(), &subscribe_request(1, &topics)))
    };
    mvMqttRequestUnsubscribe PARAMETERFAULT "it names no topic" => |bench| {
        call!(mvMqttRequestUnsubscribe(bench.connected(), &unsubscribe_request(1, &[])))
    };
    mvMqttRequestUnsubscribe LATEFAULT "a topic is NULL, with a length" => |bench| {
        let topics = [sys::MvSizedString { data: null(), length: 5 }];
        call!(mvMqttRequestUnsubscribe(bench.connected(), &unsubscribe_request(1, &topics)))
    };
    mvMqttRequestUnsubscribe INVALIDHANDLE "the handle names nothing" => |bench| bench.unsubscribe(NOTHING, 1);
    mvMqttRequestUnsubscribe CHANNELCLOSED "the server has closed the channel" => |bench| {
        bench.unsubscribe(closed(bench), 1)
    };
    mvMqttRequestUnsubscribe RATELIMITED "another unsubscribe has no response yet" => |bench| {
        let channel = bench.connected();
        assert_eq!(bench.unsubscribe(channel, 1), sys::MV_STATUS_OKAY);
        bench.unsubscribe(channel, 2)
    };
    mvMqttRequestUnsubscribe TOOMANYELEMENTS "nine topics" => |bench| {
        call!(mvMqttRequestUnsubscribe(bench.connected(), &unsubscribe_request(1, &[text(b"command"); 9])))
    };
    mvMqttRequestPublish PARAMETERFAULT "the request is misaligned" => |bench| {
        let request = publish_request(1, 0);
        call!(mvMqttRequestPublish(bench.connected(), (&raw const request).wrapping_byte_add(1)))
    };
    mvMqttRequestPublish LATEFAULT "the payload is NULL, with a length" => |bench| {
        let mut request = publish_request(1, 0);
        request.payload.data = null();
        call!(mvMqttRequestPublish(bench.connected(), &request))
    };
    mvMqttRequestPublish INVALIDHANDLE "the handle names nothing" => |bench| bench.publish(NOTHING, 1, 0);
    mvMqttRequestPublish CHANNELCLOSED "the server has closed the channel" => |bench| {
        bench.publish(closed(bench), 1, 0)
    };
    mvMqttRequestPublish RATELIMITED "ten publishes have no response yet" => |bench| {
        let channel = bench.connected();
        for id in 0..10 {
            assert_eq!(bench.publish(channel, id, 1), sys::MV_STATUS_OKAY);
        }
        bench.publish(channel, 10, 1)
    };
    mvMqttAcknowledgeMessage INVALIDHANDLE "the handle names nothing" => |_bench| {
        call!(mvMqttAcknowledgeMessage(NOTHING, 1))
    };
    mvMqttAcknowledgeMessage CHANNELCLOSED "the server has closed the channel" => |bench| {
        call!(mvMqttAcknowledgeMessage(closed(bench), 1))
    };
    mvMqttAcknowledgeMessage RATELIMITED "sixteen acknowledgements are under way" => |bench| {
        let (channel, last) = sixteen_acknowledgements(bench);
        call!(mvMqttAcknowledgeMessage(channel, last))
    };
    mvMqttRequestDisconnect INVALIDHANDLE "the channel is a config channel" => |bench| {
        call!(mvMqttRequestDisconnect(bench.config()))
    };
    mvMqttRequestDisconnect CHANNELCLOSED "the server has closed the channel" => |bench| {
        call!(mvMqttRequestDisconnect(closed(bench)))
    };
    mvMqttRequestDisconnect RATELIMITED "a disconnect is under way" => |bench| {
        let channel = bench.connected();
        assert_eq!(call!(mvMqttRequestDisconnect(channel)), sys::MV_STATUS_OKAY);
        call!(mvMqttRequestDisconnect(channel))
    };
}
