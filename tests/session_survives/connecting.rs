//! A broker that is not there, does not answer, or does not let the device in.

use std::time::Duration;

use microvisor::mqtt::{ConnectError, ReasonCode, RequestState};
use microvisor::session::Cause;
use microvisor::sys;
use microvisor_sim::broker::model::{Policy, Thing};

use crate::stored::{HOST, hex};
use crate::survival::{Case, back_offs};
use crate::world::{ID, World};

/// What a CONNACK can say (MQTT 5 §3.2.2.2), and a code that MQTT does not list.
const TRANSIENT: [u32; 19] = [
    0x80, 0x81, 0x82, 0x83, 0x88, 0x89, 0x8D, 0x8E, 0x90, 0x95, 0x96, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9F,
    0xA2, 0xEE,
];
const PERMANENT: [u32; 7] = [0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x9D];

const TRANSIENT_STATES: [u32; 5] = [
    sys::MV_MQTTREQUESTSTATE_ALREADYCONNECTED,
    sys::MV_MQTTREQUESTSTATE_NOTCONNECTED,
    sys::MV_MQTTREQUESTSTATE_SOCKETERROR,
    sys::MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER,
    4711,
];
const PERMANENT_STATES: [u32; 4] = [
    sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS,
    sys::MV_MQTTREQUESTSTATE_NXDOMAIN,
    sys::MV_MQTTREQUESTSTATE_UNKNOWNCA,
    sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED,
];

/// When the broker lets the device in again, in seconds.
const OVER: u64 = 300;

crate::cases! {
    a_connection_refused_for_a_passing_reason => TRANSIENT.into_iter().map(|reason| refused(reason, false));
    a_connection_refused_for_good => PERMANENT.into_iter().map(|reason| refused(reason, true));
    a_connection_that_fails_for_a_passing_state => {
        TRANSIENT_STATES.into_iter().map(|state| failed(state, false))
    };
    a_connection_that_fails_for_good => PERMANENT_STATES.into_iter().map(|state| failed(state, true));
    a_connect_request_that_is_not_answered => [unanswered(1), unanswered(5)];
    a_broker_that_is_silent_from_the_start => [
        Case::new("silent for 5 minutes", "connecting")
            .strikes(0, |world| world.broker.fall_silent())
            .until(300, |world| world.broker.end_silence())
            .tells("the broker did not answer the connect request in time")
            .passes_for_transient(),
    ];
    a_certificate_that_is_revoked_and_replaced => [certificate_replaced()];
    a_certificate_that_has_expired_and_is_replaced => [certificate_expired()];
    a_broker_that_has_moved => [moved()];
    a_ca_that_is_not_the_brokers => [another_ca()];
    a_thing_that_the_policy_does_not_let_connect => [not_allowed()];
    a_session_that_another_client_took_over => [taken_over_once(), taken_over_again_and_again()];
}

fn refused(reason: u32, permanent: bool) -> Case {
    let cause = ConnectError::Refused(ReasonCode::from_raw(reason));
    refused_so(format!("CONNACK {reason:#04x}"), 0, reason, cause, permanent)
}

fn failed(state: u32, permanent: bool) -> Case {
    let cause = ConnectError::Failed(RequestState::from_raw(state));
    refused_so(format!("connect: request state {state}"), state, 0, cause, permanent)
}

fn refused_so(fault: String, state: u32, reason: u32, error: ConnectError, permanent: bool) -> Case {
    let case = Case::new(fault, "connecting")
        .strikes(0, move |world| (0..1_000).for_each(|_| world.broker.refuse_connect(state, reason)))
        .until(OVER, |world| world.broker.end_refusals())
        .check(move |world| {
            let waits = back_offs(world, Duration::ZERO, Duration::from_secs(OVER));
            assert!(waits.iter().all(|(.., was)| *was == Cause::Connect(error)), "{waits:?}");
            assert!(waits.len() < 20, "{} attempts in {OVER} s", waits.len());
        });
    if permanent { case.passes_for_permanent() } else { case.passes_for_transient() }
}

fn unanswered(times: usize) -> Case {
    Case::new(format!("{times} connects unanswered"), "connecting")
        .strikes(0, move |world| (0..times).for_each(|_| world.broker.silent_connect()))
        .until(120, |world| world.broker.end_refusals())
        .tells("the broker did not answer the connect request in time")
        .passes_for_transient()
}

/// A broker cannot tell a revoked certificate from one that it never knew: the handshake breaks off.
fn certificate_replaced() -> Case {
    Case::new("certificate revoked, replaced later", "online")
        .strikes(30, |world| {
            world.broker.revoke_certificate(&world.provisioned.device.der);
            world.broker.drop_connection();
        })
        .until(OVER, provision_again)
        .passes_for_transient()
        .check(|world| {
            let failed = Cause::Connect(ConnectError::Failed(RequestState::SOCKET_ERROR));
            let waits = back_offs(world, Duration::from_secs(31), Duration::from_secs(OVER));
            assert!(waits.iter().all(|(.., cause)| *cause == failed), "{waits:?}");
        })
}

/// Puts a new certificate and its key into the stores, and registers it.
fn provision_again(world: &World) {
    let device = world.provisioned.authority.client(ID);
    let policy = Policy::least_privilege("eu-west-1", "123456789012");
    world.broker.register_certificate(device.der.clone(), Thing::new(ID, policy));
    world.device.set_config("cert", &hex(&device.der));
    world.device.set_secret("private_key", &hex(&device.pkcs8()));
}

fn certificate_expired() -> Case {
    Case::new("certificate expired, replaced later", "connecting")
        .strikes(0, |world| {
            let expired = world.provisioned.authority.client_valid(ID, 2020..=2021);
            let policy = Policy::least_privilege("eu-west-1", "123456789012");
            world.broker.register_certificate(expired.der.clone(), Thing::new(ID, policy));
            world.device.set_config("cert", &hex(&expired.der));
            world.device.set_secret("private_key", &hex(&expired.pkcs8()));
        })
        .until(OVER, provision_again)
        .passes_for_permanent()
        .tells("the date")
}

fn moved() -> Case {
    Case::new("broker's name unknown, put right later", "connecting")
        .strikes(0, |world| world.device.set_config("broker-host", "old.example"))
        .until(OVER, |world| world.device.set_config("broker-host", HOST))
        .passes_for_permanent()
        .tells("connecting to old.example:8883")
        .check(|world| {
            // What is wrong may have been put right, so it is looked up before each attempt.
            let fetches = world.device.call_count("mvSendConfigFetchRequest");
            assert_eq!(fetches, world.broker.connect_attempts().len() as u64);
        })
}

fn another_ca() -> Case {
    Case::new("another CA, put right later", "connecting")
        .strikes(0, |world| {
            let other = crate::pki::Authority::new("Another CA");
            world.device.set_config("root-CA", &hex(&other.der()));
        })
        .until(OVER, |world| world.stored.store_on(&world.device))
        .passes_for_permanent()
        .tells("the CA certificate")
}

fn not_allowed() -> Case {
    Case::new("policy without iot:Connect, put right later", "connecting")
        .strikes(0, |world| {
            world.broker.revoke_certificate(&world.provisioned.device.der);
            let policy = Policy::least_privilege("us-east-1", "123456789012");
            let thing = Thing::new(ID, policy);
            world.broker.register_certificate(world.provisioned.device.der.clone(), thing);
        })
        .until(OVER, |world| {
            world.broker.revoke_certificate(&world.provisioned.device.der);
            let policy = Policy::least_privilege("eu-west-1", "123456789012");
            let thing = Thing::new(ID, policy);
            world.broker.register_certificate(world.provisioned.device.der.clone(), thing);
        })
        .passes_for_permanent()
        .tells("the policy attached to the certificate")
}

fn taken_over_once() -> Case {
    Case::new("session taken over once", "online")
        .strikes(30, |world| world.broker.take_over(ID))
        .tells("session taken over by another connection with the same client id")
        .passes_for_transient()
        .check(|world| waits_longest(world, Duration::from_secs(90)))
}

/// Another device with the same id comes back whenever this one has taken the session.
fn taken_over_again_and_again() -> Case {
    Case::new("session taken over again and again", "online")
        .strikes(30, |world| {
            for second in 30..630 {
                world.broker.at(Duration::from_secs(second), |broker| broker.take_over(ID));
            }
        })
        .until(630, |_| ())
        .passes_for_transient()
        .check(|world| {
            waits_longest(world, Duration::from_secs(630));
            let attempts = world.broker.connect_attempts();
            let fought = attempts.iter().filter(|attempt| attempt.at <= Duration::from_secs(630)).count();
            // One in half a longest back-off at most.
            assert!((2..=21).contains(&fought), "{fought} connects in ten minutes");
        })
}

fn waits_longest(world: &World, until: Duration) {
    let longest = crate::world::policy().longest_back_off();
    for (at, end, cause) in back_offs(world, Duration::from_secs(30), until) {
        assert!((longest / 2..=longest).contains(&(end - at)), "{:?} for {cause}", end - at);
    }
}
