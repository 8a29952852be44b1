//! Certificate authorities and certificates for tests.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::ops::RangeInclusive;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SignatureAlgorithm, date_time_ymd,
};

/// Years, from the start of the first to the start of the last.
pub(crate) type Years = RangeInclusive<i32>;

/// Valid when these tests are run, on the model's clock and on the host's.
pub(crate) const VALID: Years = 2020..=2090;

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) pem: String,
    pub(crate) key: KeyPair,
}

impl Certificate {
    /// The private key, PKCS#8 DER.
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        self.key.serialize_der()
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::valid(name, VALID)
    }

    pub(crate) fn valid(name: &str, years: Years) -> Self {
        let params = authority_params(name, years);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn with_key(name: &str, key: KeyPair) -> Self {
        Self(CertifiedIssuer::self_signed(authority_params(name, VALID), key).unwrap())
    }

    /// Another authority, whose certificate this one issues.
    pub(crate) fn authority(&self, name: &str) -> Self {
        let params = authority_params(name, VALID);
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn server(&self, host: &str) -> Certificate {
        self.server_valid(host, VALID)
    }

    pub(crate) fn server_valid(&self, host: &str, years: Years) -> Certificate {
        self.issue(vec![host.to_owned()], host, years, KeyPair::generate().unwrap())
    }

    /// A certificate that names its host in the subject alone.
    pub(crate) fn server_without_alternative_name(&self, host: &str) -> Certificate {
        self.issue(vec![], host, VALID, KeyPair::generate().unwrap())
    }

    pub(crate) fn client(&self, name: &str) -> Certificate {
        self.client_valid(name, VALID)
    }

    pub(crate) fn client_valid(&self, name: &str, years: Years) -> Certificate {
        self.issue(vec![], name, years, KeyPair::generate().unwrap())
    }

    pub(crate) fn client_with(&self, name: &str, algorithm: &'static SignatureAlgorithm) -> Certificate {
        self.issue(vec![], name, VALID, KeyPair::generate_for(algorithm).unwrap())
    }

    pub(crate) fn client_with_key(&self, name: &str, key: KeyPair) -> Certificate {
        self.issue(vec![], name, VALID, key)
    }

    fn issue(&self, hosts: Vec<String>, name: &str, years: Years, key: KeyPair) -> Certificate {
        let mut params = CertificateParams::new(hosts).unwrap();
        name_and_date(&mut params, name, years);
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certificate { der: certificate.der().to_vec(), pem: certificate.pem(), key }
    }
}

fn authority_params(name: &str, years: Years) -> CertificateParams {
    let mut params = CertificateParams::new(vec![]).unwrap();
    name_and_date(&mut params, name, years);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn name_and_date(params: &mut CertificateParams, name: &str, years: Years) {
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(*years.start(), 1, 1);
    params.not_after = date_time_ymd(*years.end(), 1, 1);
}
