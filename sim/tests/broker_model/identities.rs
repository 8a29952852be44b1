//! Names, ports, certificates, keys and passwords.

use std::sync::OnceLock;

use microvisor::sys;
use microvisor_sim::broker::model::{ModelBroker, ModelBrokerBuilder, Policy, Thing};
use microvisor_sim::broker::{ConnectRequest, Protocol, TlsCredentials};
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};
use rsa::pkcs8::EncodePrivateKey;

use crate::device::{Device, connect_request};
use crate::pki::{Authority, Certificate};

const HOST: &str = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";
const ACCEPTED: Option<(u32, u32)> = Some((0, 0));
const SOCKET_ERROR: Option<(u32, u32)> = Some((sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0));
const UNKNOWN_CA: Option<(u32, u32)> = Some((sys::MV_MQTTREQUESTSTATE_UNKNOWNCA, 0));
const EXPIRED: Option<(u32, u32)> = Some((sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, 0));
const NO_SUCH_NAME: Option<(u32, u32)> = Some((sys::MV_MQTTREQUESTSTATE_NXDOMAIN, 0));

/// The server's CA, the clients' CA, and a broker that knows the lamp.
struct World {
    server_ca: Authority,
    client_ca: Authority,
    lamp: Certificate,
}

impl World {
    fn new() -> Self {
        let client_ca = Authority::new("client CA");
        let lamp = client_ca.client("lamp");
        Self { server_ca: Authority::new("server CA"), client_ca, lamp }
    }

    fn builder(&self) -> ModelBrokerBuilder {
        ModelBroker::aws_iot()
            .host(HOST)
            .port(8883)
            .server_chain([self.server_ca.server(HOST).der])
            .register_certificate(self.lamp.der.clone(), thing())
    }

    fn credentials(&self) -> TlsCredentials {
        credentials(&self.server_ca, &self.lamp)
    }

    /// How a connection with these credentials goes.
    fn attempt(&self, credentials: TlsCredentials) -> Option<(u32, u32)> {
        attempt(&self.builder().build(), request(credentials))
    }
}

fn thing() -> Thing {
    Thing::new("lamp", Policy::least_privilege("eu-west-1", "123456789012"))
}

fn credentials(ca: &Authority, client: &Certificate) -> TlsCredentials {
    TlsCredentials { ca: vec![ca.der()], chain: vec![client.der.clone()], key: client.pkcs8() }
}

fn request(credentials: TlsCredentials) -> ConnectRequest {
    ConnectRequest { host: HOST.into(), credentials: Some(credentials), ..connect_request("lamp") }
}

fn attempt(broker: &ModelBroker, request: ConnectRequest) -> Option<(u32, u32)> {
    let answer = Device::new(broker.clone()).connect(request).1;
    let complained = !broker.complaints().is_empty();
    assert_eq!(complained, answer != ACCEPTED, "{:?}", broker.complaints());
    answer
}

/// Making an RSA key takes a while, so there is one.
fn rsa_key() -> KeyPair {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    let der = KEY.get_or_init(|| {
        let key = rsa::PrivateKey::new(&mut rand::rng(), 2048).unwrap();
        key.to_pkcs8_der().unwrap().as_bytes().to_vec()
    });
    KeyPair::from_pkcs8_der_and_sign_algo(&der.as_slice().into(), &PKCS_RSA_SHA256).unwrap()
}

#[test]
fn a_registered_certificate_with_its_key_is_let_in() {
    let world = World::new();
    assert_eq!(world.attempt(world.credentials()), ACCEPTED);
}

#[test]
fn keys_of_rsa_and_of_either_curve_are_understood() {
    let world = World::new();
    let rsa = world.client_ca.client_with_key("lamp", rsa_key());
    let p384 = world.client_ca.client_with("lamp", &PKCS_ECDSA_P384_SHA384);
    for client in [rsa, p384] {
        let broker = world.builder().register_certificate(client.der.clone(), thing()).build();
        assert_eq!(attempt(&broker, request(credentials(&world.server_ca, &client))), ACCEPTED);
        let wrong = TlsCredentials { key: world.lamp.pkcs8(), ..credentials(&world.server_ca, &client) };
        assert_eq!(attempt(&world.builder().build(), request(wrong)), SOCKET_ERROR);
    }
}

#[test]
fn an_authority_with_an_rsa_key_is_understood() {
    let authority = Authority::with_key("rsa CA", rsa_key());
    let client = authority.client("lamp");
    let broker = ModelBroker::aws_iot()
        .server_chain([authority.server(HOST).der])
        .trust_client_ca(authority.der(), Policy::allow_all())
        .build();
    assert_eq!(attempt(&broker, request(credentials(&authority, &client))), ACCEPTED);
}

#[test]
fn a_host_that_is_not_the_brokers_has_no_address() {
    let world = World::new();
    let elsewhere = ConnectRequest { host: b"elsewhere".into(), ..request(world.credentials()) };
    assert_eq!(attempt(&world.builder().build(), elsewhere), NO_SUCH_NAME);
}

#[test]
fn a_port_that_is_not_the_brokers_is_closed() {
    let world = World::new();
    let elsewhere = ConnectRequest { port: 1883, ..request(world.credentials()) };
    assert_eq!(attempt(&world.builder().build(), elsewhere), SOCKET_ERROR);
}

#[test]
fn a_ca_that_did_not_issue_the_servers_certificate_is_unknown() {
    let world = World::new();
    for ca in [vec![world.client_ca.der()], vec![Authority::new("server CA").der()]] {
        assert_eq!(world.attempt(TlsCredentials { ca, ..world.credentials() }), UNKNOWN_CA);
    }
}

#[test]
fn one_right_ca_among_several_is_enough() {
    let world = World::new();
    let ca = vec![world.client_ca.der(), world.server_ca.der()];
    assert_eq!(world.attempt(TlsCredentials { ca, ..world.credentials() }), ACCEPTED);
}

#[test]
fn a_device_without_a_ca_trusts_a_server_of_a_public_one_only() {
    let world = World::new();
    let without = TlsCredentials { ca: vec![], ..world.credentials() };
    assert_eq!(world.attempt(without.clone()), ACCEPTED);
    let private = world.builder().public_ca(false).build();
    assert_eq!(attempt(&private, request(without)), UNKNOWN_CA);
}

#[test]
fn a_server_shows_the_intermediate_authority_that_issued_its_certificate() {
    let world = World::new();
    let intermediate = world.server_ca.authority("intermediate CA");
    let leaf = intermediate.server(HOST).der;
    let broker = world.builder().server_chain([leaf.clone(), intermediate.der()]).build();
    assert_eq!(attempt(&broker, request(world.credentials())), ACCEPTED);
    let incomplete = world.builder().server_chain([leaf]).build();
    assert_eq!(attempt(&incomplete, request(world.credentials())), UNKNOWN_CA);
}

#[test]
fn certificates_out_of_their_time_are_told_apart() {
    let world = World::new();
    for years in [2020..=2021, 2080..=2090] {
        let server = world.server_ca.server_valid(HOST, years.clone()).der;
        let broker = world.builder().server_chain([server]).build();
        assert_eq!(attempt(&broker, request(world.credentials())), EXPIRED, "server {years:?}");

        let client = world.client_ca.client_valid("lamp", years.clone());
        let broker = world.builder().register_certificate(client.der.clone(), thing()).build();
        let shown = credentials(&world.server_ca, &client);
        assert_eq!(attempt(&broker, request(shown)), EXPIRED, "client {years:?}");

        let authority = Authority::valid("old CA", years.clone());
        let broker = world.builder().server_chain([authority.server(HOST).der]).build();
        let shown = credentials(&authority, &world.lamp);
        assert_eq!(attempt(&broker, request(shown)), EXPIRED, "CA {years:?}");
    }
}

#[test]
fn a_servers_certificate_for_another_host_fails_the_handshake() {
    let world = World::new();
    let broker = world.builder().server_chain([world.server_ca.server("elsewhere").der]).build();
    assert_eq!(attempt(&broker, request(world.credentials())), SOCKET_ERROR);
}

#[test]
fn a_servers_certificate_may_name_its_host_in_the_subject_alone() {
    let world = World::new();
    let plain = |host| world.server_ca.server_without_alternative_name(host).der;
    let right = world.builder().server_chain([plain("broker.example")]).host("broker.example").build();
    let request = ConnectRequest { host: b"broker.example".into(), ..request(world.credentials()) };
    assert_eq!(attempt(&right, request.clone()), ACCEPTED);
    let wrong = world.builder().server_chain([plain("elsewhere")]).host("broker.example").build();
    assert_eq!(attempt(&wrong, request.clone()), SOCKET_ERROR);
    let stranger = Authority::new("server CA").server_without_alternative_name("broker.example").der;
    let unknown = world.builder().server_chain([stranger]).host("broker.example").build();
    assert_eq!(attempt(&unknown, request), UNKNOWN_CA);
}

#[test]
fn a_key_that_belongs_to_another_certificate_fails_the_handshake() {
    let world = World::new();
    let key = world.client_ca.client("lamp").pkcs8();
    assert_eq!(world.attempt(TlsCredentials { key, ..world.credentials() }), SOCKET_ERROR);
}

#[test]
fn a_client_without_a_certificate_fails_the_handshake() {
    let world = World::new();
    let nothing = TlsCredentials { chain: vec![], key: vec![], ..world.credentials() };
    assert_eq!(world.attempt(nothing), SOCKET_ERROR);
    let none = ConnectRequest { credentials: None, ..request(world.credentials()) };
    assert_eq!(attempt(&world.builder().build(), none), SOCKET_ERROR);
}

#[test]
fn a_certificate_that_is_not_registered_fails_the_handshake_until_it_is() {
    let world = World::new();
    let other = world.client_ca.client("lamp");
    let broker = world.builder().build();
    let shown = request(credentials(&world.server_ca, &other));
    assert_eq!(attempt(&broker, shown.clone()), SOCKET_ERROR);
    broker.register_certificate(other.der.clone(), thing());
    assert_eq!(Device::new(broker.clone()).connect(shown.clone()).1, ACCEPTED);
    broker.revoke_certificate(&other.der);
    assert_eq!(Device::new(broker).connect(shown).1, SOCKET_ERROR);
}

#[test]
fn a_certificate_of_a_registered_authority_is_let_in_also_through_an_intermediate() {
    let world = World::new();
    let intermediate = world.client_ca.authority("intermediate CA");
    let client = intermediate.client("lamp");
    let broker = world.builder().trust_client_ca(world.client_ca.der(), Policy::allow_all()).build();
    let alone = credentials(&world.server_ca, &client);
    let chain = TlsCredentials { chain: vec![client.der.clone(), intermediate.der()], ..alone.clone() };
    assert_eq!(attempt(&broker, request(chain)), ACCEPTED);
    assert_eq!(attempt(&broker, request(alone)), SOCKET_ERROR);
}

#[test]
fn what_is_no_certificate_and_no_key_fails_the_handshake() {
    let world = World::new();
    let garbage = vec![0x30, 3, 1, 2, 3];
    assert_eq!(world.attempt(TlsCredentials { key: garbage.clone(), ..world.credentials() }), SOCKET_ERROR);
    assert_eq!(world.attempt(TlsCredentials { chain: vec![garbage], ..world.credentials() }), SOCKET_ERROR);
}

#[test]
fn a_user_name_needs_its_password() {
    let broker = || ModelBroker::open().user("lamp", "secret").build();
    let bad_user_name_or_password = Some((0, 0x86));
    let request = |authentication: Option<(&str, &str)>| ConnectRequest {
        authentication: authentication.map(|(name, password)| (name.into(), password.into())),
        ..connect_request("lamp")
    };
    assert_eq!(attempt(&broker(), request(Some(("lamp", "secret")))), ACCEPTED);
    assert_eq!(attempt(&broker(), request(Some(("lamp", "guess")))), bad_user_name_or_password);
    assert_eq!(attempt(&broker(), request(None)), bad_user_name_or_password);
    let old = ConnectRequest { protocol: Protocol::V3_1_1, ..request(None) };
    assert_eq!(attempt(&broker(), old), Some((0, 4)));
}

#[test]
fn the_debug_output_of_a_connect_request_holds_no_secret() {
    let mut request = connect_request("lamp");
    request.authentication = Some((b"user".to_vec(), b"hunter2".to_vec()));
    request.credentials = Some(TlsCredentials { ca: vec![], chain: vec![], key: b"hunter3".to_vec() });
    let shown = format!("{request:?}");
    assert!(shown.contains("user") && shown.contains("redacted"), "{shown}");
    for secret in [b"hunter2", b"hunter3"] {
        assert!(!shown.contains(std::str::from_utf8(secret).unwrap()), "{shown}");
        assert!(!shown.contains(&format!("{secret:?}")), "{shown}");
    }
}
