//! What can be wrong with a device's files, and what to do about it.

use std::fmt;

use microvisor::config::MAX_VALUE_LEN;
use serde::Serialize;
use thiserror::Error;

use crate::files::LARGEST_FILE;

/// What a part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The CA that the device trusts for its broker's certificate.
    RootCa,
    /// The device's own certificate.
    Certificate,
    /// A certificate between the device's and its root.
    Intermediate,
    /// The device's private key.
    PrivateKey,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RootCa => "root CA",
            Self::Certificate => "device certificate",
            Self::Intermediate => "intermediate CA",
            Self::PrivateKey => "private key",
        })
    }
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It may be as it should be, and should be looked at.
    Warning,
    /// A device would not connect with this.
    Error,
}

/// What is wrong, in which file, and what to do. No message holds anything of a private key.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// A file cannot be read.
    #[error("cannot read {file}: {error}; check the path and its permissions")]
    Unreadable {
        /// The file.
        file: String,
        /// What the operating system says.
        error: String,
    },
    /// What was named is a folder, a pipe or a device.
    #[error("{file} is no file; name files, or one folder alone")]
    NoFile {
        /// What was named.
        file: String,
    },
    /// There is nothing in a file.
    #[error("{file} is empty; download or copy it again")]
    EmptyFile {
        /// The file.
        file: String,
    },
    /// A file is larger than any certificate or key.
    #[error(
        "{file} is larger than {} KiB, and so no certificate or key; leave it out",
        LARGEST_FILE / 1024
    )]
    TooLargeFile {
        /// The file.
        file: String,
    },
    /// A file should hold a certificate or a key, by its name or since it was named, and does not.
    #[error("{file} is neither PEM nor DER; download or copy it again, or leave it out")]
    NoCredentials {
        /// The file.
        file: String,
    },
    /// A PEM block does not end, or is not base64.
    #[error(
        "{file} has a PEM block that does not end or is not base64; copy the file again, from the line -----BEGIN \
         to the line -----END"
    )]
    DamagedPem {
        /// The file.
        file: String,
    },
    /// Binary that is neither a certificate nor a key.
    #[error(
        "{file} starts like DER, but neither a certificate nor a key decodes from it; copy it again, in binary, or \
         move it away"
    )]
    DamagedDer {
        /// The file.
        file: String,
    },
    /// A certificate does not decode.
    #[error(
        "{file} should hold an X.509 certificate, but what is there does not decode as one; download or copy it \
         again"
    )]
    DamagedCertificate {
        /// The file.
        file: String,
    },
    /// A private key does not decode, or its numbers do not belong together.
    #[error(
        "{file} should hold a private key, but what is there does not decode as PKCS#1, SEC1 or PKCS#8; copy it \
         again"
    )]
    DamagedPrivateKey {
        /// The file.
        file: String,
    },
    /// A private key needs a pass phrase.
    #[error(
        "the private key in {file} is encrypted, and a device has nobody to type the pass phrase; write it in the \
         clear with: openssl pkey -in {file} -out private.pem, and move {file} away"
    )]
    EncryptedPrivateKey {
        /// The file.
        file: String,
    },
    /// A key of OpenSSH.
    #[error(
        "{file} is an OpenSSH key; AWS IoT knows X.509 certificates and their keys only. Use the …-private.pem.key \
         that came with the certificate, and move {file} away"
    )]
    OpenSshKey {
        /// The file.
        file: String,
    },
    /// A PKCS#12 container.
    #[error(
        "{file} is a PKCS#12 bundle; unpack it with: openssl pkcs12 -in {file} -nodes -out credentials.pem, and \
         move {file} away"
    )]
    Pkcs12 {
        /// The file.
        file: String,
    },
    /// The key is of a kind that AWS IoT does not take.
    #[error(
        "the private key in {file} is {kind}; AWS IoT takes RSA keys of 2,048 bits or more and EC keys on P-256, \
         P-384 or P-521: create a certificate with such a key"
    )]
    UnsupportedKey {
        /// The file.
        file: String,
        /// The kind.
        kind: String,
    },
    /// A SEC1 key that leaves out its curve cannot be wrapped as PKCS#8.
    #[error(
        "the EC private key in {file} does not name its curve; export it again as PKCS#8, with its parameters"
    )]
    CurveNotNamed {
        /// The file.
        file: String,
    },
    /// There is neither a certificate nor a key.
    #[error(
        "{place} holds no certificate and no key; name the folder with the files that AWS IoT handed out when the \
         certificate was created: the root CA, the certificate and the private key"
    )]
    Nothing {
        /// The folder, or the files.
        place: String,
    },
    /// There is no CA certificate.
    #[error(
        "no root CA certificate in {place}; save Amazon Root CA 1 (PEM) from https://www.amazontrust.com/repository/ \
         there, or the CA of your own broker"
    )]
    NoRootCa {
        /// The folder, or the files.
        place: String,
    },
    /// There is no device certificate.
    #[error(
        "no device certificate in {place}{}; put the …-certificate.pem.crt there that AWS IoT handed out with the \
         private key",
        instead(request.as_ref(), *only_cas)
    )]
    NoCertificate {
        /// The folder, or the files.
        place: String,
        /// Whether there are certificates of CAs.
        only_cas: bool,
        /// A certificate request that is there.
        request: Option<String>,
    },
    /// There is no private key.
    #[error(
        "no private key in {place}{}; put the …-private.pem.key there. AWS IoT hands it out only once: if it is \
         lost, create a new certificate and key",
        public_key.as_ref().map(|file| format!(" ({file} is a public key, which cannot take its place)"))
            .unwrap_or_default()
    )]
    NoPrivateKey {
        /// The folder, or the files.
        place: String,
        /// A public key that is there.
        public_key: Option<String>,
    },
    /// More than one CA could be the root.
    #[error(
        "several root CA certificates: {}; leave the one that issued your broker's certificate (Amazon Root CA 1 \
         for AWS IoT)",
        files.join(", ")
    )]
    SeveralRootCas {
        /// Their files, and their names.
        files: Vec<String>,
    },
    /// More than one certificate could be the device's.
    #[error(
        "several device certificates: {}; leave the one that belongs to the private key{}, and move the others \
         away",
        files.join(", "),
        chosen(belongs.as_ref())
    )]
    SeveralCertificates {
        /// Their files.
        files: Vec<String>,
        /// The one that belongs to the key, if one does.
        belongs: Option<String>,
    },
    /// More than one key could be the device's.
    #[error(
        "several private keys: {}; leave the one that belongs to the device certificate{}, and move the others \
         away",
        files.join(", "),
        chosen(belongs.as_ref())
    )]
    SeveralPrivateKeys {
        /// Their files.
        files: Vec<String>,
        /// The one that belongs to the certificate, if one does.
        belongs: Option<String>,
    },
    /// Certificate and key are not a pair.
    #[error(
        "the private key in {key} does not belong to the certificate in {certificate}; the broker will refuse them. \
         Take both from the same download"
    )]
    KeyMismatch {
        /// The key's file.
        key: String,
        /// The certificate's file.
        certificate: String,
    },
    /// This machine's clock is wrong, so that no date can be judged.
    #[error("this machine's clock says {now}, which cannot be; set it, and check again")]
    ClockNotSet {
        /// What it says.
        now: String,
    },
    /// A certificate is not valid any more.
    #[error(
        "the {role} in {file} expired on {on}; create a new one (or set this machine's clock, if it is wrong)"
    )]
    Expired {
        /// What it is for.
        role: Role,
        /// Its file.
        file: String,
        /// Its last second.
        on: String,
    },
    /// A certificate is not valid yet.
    #[error(
        "the {role} in {file} is not valid before {on}; wait until then, or set this machine's clock, if it is \
         wrong"
    )]
    NotYetValid {
        /// What it is for.
        role: Role,
        /// Its file.
        file: String,
        /// Its first second.
        on: String,
    },
    /// A certificate will soon not be valid any more.
    #[error(
        "the {role} in {file} expires on {on}, in {days} days; create a new one for a device that is to last"
    )]
    ExpiresSoon {
        /// What it is for.
        role: Role,
        /// Its file.
        file: String,
        /// Its last second.
        on: String,
        /// How many whole days are left.
        days: i64,
    },
    /// A certificate's signature is not its issuer's.
    #[error(
        "the {role} in {file} says that {issuer_name} issued it, but it is not signed with the key of the CA in \
         {issuer}; take both from the same download"
    )]
    WrongSignature {
        /// What it is for.
        role: Role,
        /// Its file.
        file: String,
        /// The file of the CA with the issuer's name.
        issuer: String,
        /// The issuer's name.
        issuer_name: String,
    },
    /// A certificate's signature cannot be checked here.
    #[error("the signature of the {role} in {file} is of a kind that cannot be checked here")]
    UncheckedSignature {
        /// What it is for.
        role: Role,
        /// Its file.
        file: String,
    },
    /// The issuer is no CA.
    #[error(
        "{issuer} is not a CA's certificate, and yet it issued the {role} in {file}; use a CA to issue it"
    )]
    IssuerNotCa {
        /// What was issued.
        role: Role,
        /// Its file.
        file: String,
        /// The issuer's file.
        issuer: String,
    },
    /// The root is no CA's certificate.
    #[error(
        "the root CA in {file} does not say that it is a CA (basic constraints), and TLS takes no other; use the \
         certificate of the CA that issued the broker's"
    )]
    RootNotCa {
        /// The root's file.
        file: String,
    },
    /// A certificate may not be used for what it is needed for.
    #[error("the {role} in {file} may not be used for {purpose} ({extension}); create one that may")]
    KeyUsage {
        /// What it is for.
        role: Role,
        /// Its file.
        file: String,
        /// What it should be used for.
        purpose: &'static str,
        /// The X.509 extension that forbids it.
        extension: &'static str,
    },
    /// The device's certificate is a CA's.
    #[error(
        "the device certificate in {file} is that of a CA, which could issue certificates for others; create one \
         for the device alone"
    )]
    DeviceIsCa {
        /// Its file.
        file: String,
    },
    /// Amazon's servers do not use this CA.
    #[error(
        "{host} is AWS IoT's, whose certificate Amazon Root CA 1 stands for, and the root CA in {file} is {name}; \
         save Amazon Root CA 1 (PEM) from https://www.amazontrust.com/repository/ in its place"
    )]
    NotAmazonsRoot {
        /// The endpoint.
        host: String,
        /// The root's file.
        file: String,
        /// Its name.
        name: String,
    },
    /// An endpoint of AWS IoT's that is not the one of device data with Amazon's certificates.
    #[error(
        "{host} is AWS IoT's, but not an -ats endpoint, whose certificate an Amazon root CA stands for; take the \
         one that `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints"
    )]
    NotAtsEndpoint {
        /// The endpoint.
        host: String,
    },
    /// A value does not fit a store the way it should be written, but does another way.
    #[error(
        "the {role} in {file} takes {hex} characters as hex, and a value in the device's store has {MAX_VALUE_LEN} \
         at most; as base64 it takes {base64}: use --encoding auto or base64"
    )]
    TooLargeAsHex {
        /// What it is.
        role: Role,
        /// Its file.
        file: String,
        /// Characters as hex.
        hex: usize,
        /// Characters as base64.
        base64: usize,
    },
    /// A value does not fit a store.
    #[error(
        "the {role} in {file} takes {hex} characters as hex and {base64} as base64, and a value in the device's \
         store has {MAX_VALUE_LEN} at most: 2,048 bytes as hex, 3,072 as base64. What fits: keys on P-256 or P-384, \
         or RSA of 4,096 bits or less"
    )]
    TooLargeForStore {
        /// What it is.
        role: Role,
        /// Its file.
        file: String,
        /// Characters as hex.
        hex: usize,
        /// Characters as base64.
        base64: usize,
    },
}

impl Problem {
    /// How bad it is.
    pub fn level(&self) -> Level {
        match self {
            Self::ExpiresSoon { .. }
            | Self::UncheckedSignature { .. }
            | Self::DeviceIsCa { .. }
            | Self::NotAmazonsRoot { .. }
            | Self::NotAtsEndpoint { .. } => Level::Warning,
            _ => Level::Error,
        }
    }
}

fn instead(request: Option<&String>, only_cas: bool) -> String {
    match request {
        Some(file) => {
            format!(
                " ({file} is a certificate request, from which AWS IoT makes a certificate: download that)"
            )
        }
        None if only_cas => " (there are CA certificates only)".to_owned(),
        None => String::new(),
    }
}

fn chosen(belongs: Option<&String>) -> String {
    belongs.map(|file| format!(", which is {file}")).unwrap_or_default()
}
