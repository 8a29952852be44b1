use core::fmt::Write;

use ring::digest::{SHA256, digest};

use crate::bundle::{Bundle, Store};

/// SHA-256, in hex.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(digest(&SHA256, bytes).as_ref())
}

/// Changes when a bundle does, as far as that shows without secrets: of these, neither value nor length goes
/// in, since a short one, such as a password, could be found by trying. A new private key shows all the same,
/// by its certificate.
pub(super) fn of_bundle(bundle: &Bundle) -> String {
    let mut lines = String::new();
    for entry in bundle.entries() {
        let value = match entry.store() {
            Store::Config => of_bytes(entry.value().as_bytes()),
            Store::Secret => "-".to_owned(),
        };
        // A key may have spaces in it, but no line break.
        let (store, scope, encoding, key) = (entry.store(), entry.scope(), entry.encoding(), entry.key());
        let _ = writeln!(lines, "{store} {scope} {encoding} {value} {key}");
    }
    of_bytes(lines.as_bytes())
}
