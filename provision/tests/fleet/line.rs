//! A production line: devices, each with the folder that AWS handed out for it, and their list.

use std::collections::HashSet;
use std::fmt::Write;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};

use crate::rest_api::RestApi;
use crate::tool::{Run, Tool, files_below};

pub const ENDPOINT: &str = "a1b2c3-ats.iot.eu-west-1.amazonaws.com";

pub struct Line {
    pub api: RestApi,
    pub tool: Tool,
    pub devices: Vec<Device>,
    /// Pieces of all secrets, in lower case.
    secrets: HashSet<Vec<u8>>,
}

/// The private number of a P-256 key in PKCS#8 begins at byte 36; half of it is enough to look for.
const HEX_LENGTH: usize = 32;
const BASE64_LENGTH: usize = 20;

pub struct Device {
    pub sid: String,
    /// The private key as the store has it.
    pub secret: String,
}

impl Device {
    fn pieces(&self) -> [Vec<u8>; 2] {
        let base64 = base64_of(&self.secret).to_ascii_lowercase();
        [self.secret[72..][..HEX_LENGTH].into(), base64[48..][..BASE64_LENGTH].into()]
    }
}

impl Line {
    /// So many devices, each with a folder and a row.
    pub fn of(devices: usize) -> Self {
        let api = RestApi::start();
        let tool = Tool::new(&api);
        let authority = Authority::new();
        let devices: Vec<Device> = (0..devices).map(|number| authority.hand_out(&tool, number)).collect();
        let secrets = devices.iter().flat_map(Device::pieces).collect();
        let line = Self { api, tool, devices, secrets };
        line.write_list(0..line.devices.len());
        line
    }

    pub fn write_list(&self, numbers: impl IntoIterator<Item = usize>) {
        let mut list = "sid,folder\n".to_owned();
        for number in numbers {
            writeln!(list, "{},{}", self.devices[number].sid, folder(number)).unwrap();
        }
        self.tool.write("devices.csv", list);
    }

    /// Gives a device another certificate and key.
    pub fn hand_out_again(&mut self, number: usize) {
        let device = Authority::new().hand_out(&self.tool, number);
        self.secrets.extend(device.pieces());
        self.devices[number] = device;
    }

    pub fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["fleet", "devices.csv", "--endpoint", ENDPOINT], more].concat()
    }

    /// Runs `fleet devices.csv`, and sees that nothing that is said or written holds a secret.
    pub fn run(&self, more: &[&str]) -> Run {
        let run = self.tool.run(&Self::arguments(more));
        self.assert_no_secret_in(&run.all());
        self.assert_no_secret_in_files();
        run
    }

    /// In all that is not a device's folder.
    pub fn assert_no_secret_in_files(&self) {
        for path in files_below(self.tool.folder.path()) {
            if !path.starts_with(self.tool.path("things")) {
                self.assert_no_secret_in(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
            }
        }
    }

    fn assert_no_secret_in(&self, text: &str) {
        let text = text.to_ascii_lowercase();
        assert!(!text.contains(crate::rest_api::AUTH_TOKEN), "the token is in {text}");
        for length in [HEX_LENGTH, BASE64_LENGTH] {
            for piece in text.as_bytes().windows(length) {
                assert!(!self.secrets.contains(piece), "a secret is in {text}");
            }
        }
    }

    /// Every entry of every device is stored, and was created once.
    pub fn assert_all_stored_once(&self) {
        let (entries, creations) = (self.api.entries(), self.api.creations());
        assert_eq!(entries.len(), 5 * self.devices.len());
        assert_eq!(creations.len(), entries.len());
        for (path, count) in &creations {
            assert_eq!(*count, 1, "{path}");
        }
        for device in &self.devices {
            assert_eq!(entries[&format!("/v1/Devices/{}/Secrets/private_key", device.sid)], device.secret);
            let config = |key: &str| &entries[&format!("/v1/Devices/{}/Configs/{key}", device.sid)];
            assert_eq!((config("broker-host").as_str(), config("broker-port").as_str()), (ENDPOINT, "8883"));
            assert!(config("cert").starts_with("3082") && config("root-CA").starts_with("3082"));
        }
    }

    pub fn journal(&self) -> String {
        std::fs::read_to_string(self.tool.path("devices.csv.journal")).unwrap()
    }
}

pub fn folder(number: usize) -> String {
    format!("things/{number:04}")
}

fn base64_of(hex: &str) -> String {
    use base64ct::Encoding;
    base64ct::Base64::encode_string(&base16ct::mixed::decode_vec(hex).unwrap())
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        ca.distinguished_name.push(DnType::CommonName, "Amazon Root CA 1");
        let pem = ca.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(ca, key), pem }
    }

    fn hand_out(&self, tool: &Tool, number: usize) -> Device {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut thing = CertificateParams::new(Vec::new()).unwrap();
        thing.distinguished_name.push(DnType::CommonName, "AWS IoT Certificate");
        let certificate = thing.signed_by(&key, &self.issuer).unwrap();
        let folder = folder(number);
        tool.write(&format!("{folder}/AmazonRootCA1.pem"), &self.pem);
        tool.write(&format!("{folder}/{number:04}-certificate.pem.crt"), certificate.pem());
        tool.write(&format!("{folder}/{number:04}-private.pem.key"), key.serialize_pem());
        Device {
            sid: format!("UV{number:032x}"),
            secret: base16ct::lower::encode_string(&key.serialize_der()),
        }
    }
}
