//! What the numbers mean that the platform and brokers answer with.

use microvisor::mqtt::{QoS, ReasonCode, RequestState};
use serde_json::Value;

/// Some of every range, and the ends.
fn numbers() -> impl Iterator<Item = u32> {
    (0..=0x200).chain([0xFFFF, 0x1_0000, u32::MAX - 1, u32::MAX])
}

#[test]
fn every_number_is_a_reason_code_and_comes_back() {
    for raw in numbers() {
        let code = ReasonCode::from_raw(raw);
        assert_eq!(code.raw(), raw);
        assert_eq!(code.is_success(), raw < 0x80);
        assert!(code.to_string().ends_with(&format!("(0x{raw:02X})")), "{code}");
    }
    assert_eq!(ReasonCode::from_raw(0x03), ReasonCode::from_raw(0x03));
}

#[test]
fn the_reason_codes_of_mqtt_5_are_all_known() {
    let known = numbers().filter(|raw| ReasonCode::from_raw(*raw).is_listed());
    let listed = [0x00, 0x01, 0x02, 0x04, 0x10, 0x11, 0x18, 0x19].into_iter().chain(0x80..=0xA2);
    assert!(known.eq(listed));
    assert_eq!(ReasonCode::from_raw(0x87), ReasonCode::NOT_AUTHORIZED);
    assert_eq!(ReasonCode::from_raw(0x8E), ReasonCode::SESSION_TAKEN_OVER);
    assert_eq!(ReasonCode::from_raw(0xA2), ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED);
}

#[test]
fn connack_return_codes_of_mqtt_3_have_their_own_meanings() {
    let meanings = [
        (0, ReasonCode::SUCCESS),
        (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
        (2, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        (3, ReasonCode::SERVER_UNAVAILABLE),
        (4, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        (5, ReasonCode::NOT_AUTHORIZED),
        (6, ReasonCode::UNSPECIFIED_ERROR),
        (0x7F, ReasonCode::UNSPECIFIED_ERROR),
        (0x87, ReasonCode::NOT_AUTHORIZED),
        (u32::MAX, ReasonCode::from_raw(u32::MAX)),
    ];
    for (raw, meaning) in meanings {
        assert_eq!(ReasonCode::from_connack_v3(raw), meaning);
        assert_eq!(meaning.is_success(), raw == 0);
    }
}

#[test]
fn a_granted_qos_is_one_of_three() {
    let granted = [ReasonCode::SUCCESS, ReasonCode::GRANTED_QOS_1, ReasonCode::GRANTED_QOS_2]
        .map(|code| code.granted_qos().map(QoS::raw));
    assert_eq!(granted, [Some(0), Some(1), Some(2)]);
    for raw in numbers().skip(3) {
        assert_eq!(ReasonCode::from_raw(raw).granted_qos(), None);
        assert_eq!(QoS::from_raw(raw), None);
    }
}

#[test]
fn the_request_states_of_the_abi_are_all_known_and_every_number_comes_back() {
    let abi: Value = serde_json::from_str(include_str!("fixtures/microvisor-0.7.0.json")).expect("JSON");
    let listed = abi["enums"]["MvMqttRequestState"]["values"].as_object().expect("an object");
    let listed: Vec<_> = listed.values().filter_map(Value::as_u64).collect();
    for raw in numbers().filter(|raw| *raw != u32::MAX) {
        let state = RequestState::from_raw(raw);
        assert_eq!(state.raw(), raw);
        assert_eq!(listed.contains(&raw.into()), state.is_listed(), "{state}");
        assert_eq!(state.is_completed(), raw == 0);
    }
}
