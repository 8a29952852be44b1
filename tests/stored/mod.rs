//! The five values of the guide, as they are put into a device's stores.

#![allow(dead_code)] // Each test file uses its part.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use microvisor_sim::Device;

use crate::pki::{Authority, Certificate};

pub const HOST: &str = "abc123-ats.iot.eu-west-1.amazonaws.com";

/// The name and the value of each.
#[derive(Clone)]
pub struct Stored(Vec<(&'static str, String)>);

impl Stored {
    /// `encode` is how the TLS material is written.
    pub fn new(authority: &Authority, device: &Certificate, encode: fn(&[u8]) -> String) -> Self {
        Self(vec![
            ("private_key", encode(&device.pkcs8())),
            ("root-CA", encode(&authority.der())),
            ("cert", encode(&device.der)),
            ("broker-host", HOST.to_owned()),
            ("broker-port", "8883".to_owned()),
        ])
    }

    pub fn with(mut self, key: &str, value: &str) -> Self {
        value.clone_into(self.get_mut(key));
        self
    }

    pub fn get(&self, key: &str) -> &str {
        &self.0.iter().find(|(name, _)| *name == key).expect("one of the five").1
    }

    fn get_mut(&mut self, key: &str) -> &mut String {
        &mut self.0.iter_mut().find(|(name, _)| *name == key).expect("one of the five").1
    }

    /// Stores them as the guide does: the private key as a secret.
    pub fn store_on(&self, device: &Device) {
        for (key, value) in &self.0 {
            if *key == "private_key" {
                device.set_secret(key, value);
            } else {
                device.set_config(key, value);
            }
        }
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}

/// The base64 that PEM wraps, in one line.
pub fn base64(bytes: &[u8]) -> String {
    let wrapped = pem::encode(&pem::Pem::new("DATA", bytes));
    wrapped.lines().filter(|line| !line.starts_with("-----")).map(str::trim_end).collect()
}

/// The DER of a key in `tests/fixtures/keys`. OpenSSL puts the parameters of a curve before its keys.
pub fn key_der(name: &str) -> Vec<u8> {
    pem::parse_many(key_pem(name)).expect("a PEM file").pop().expect("a key").into_contents()
}

pub fn key_pem(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
