//! There is one owner of a secret, who wipes it.

use microvisor::Secret;
use microvisor::tls::{CertificateChain, Credentials, PrivateKey};

pub fn copy(secret: &Secret<'_>) {
    let _ = secret.clone().expose_mut(); //~ E0596
}

pub fn keep_the_memory(bytes: &mut [u8]) {
    let secret = Secret::new(bytes);
    bytes.fill(1); //~ E0499
    drop(secret);
}

pub fn outlive_the_key(
    chain: CertificateChain<'static>,
    key: PrivateKey<'static>,
) -> Credentials<'static> {
    Credentials::new().identity(chain, &key) //~ E0515
}
