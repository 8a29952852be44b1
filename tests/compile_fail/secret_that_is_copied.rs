//! There is one owner of a secret, who wipes it.

use microvisor::Secret;
use microvisor::tls::PrivateKey;

pub fn copy(secret: &Secret<'_>) {
    let _ = secret.clone().expose_mut(); //~ E0596
}

pub fn keep_the_memory(bytes: &mut [u8]) {
    let secret = Secret::new(bytes);
    bytes.fill(1); //~ E0499
    drop(secret);
}

pub fn outlive_the_credentials(key: PrivateKey<'static>) -> PrivateKey<'static> {
    key.borrowed() //~ E0515
}
