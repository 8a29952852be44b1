//! TLS material that has the right shape, and no more.

/// One DER element around `parts`.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let mut element = vec![tag];
    match u8::try_from(contents.len()).expect("short") {
        length @ ..0x80 => element.push(length),
        length => element.extend([0x81, length]),
    }
    element.extend_from_slice(&contents);
    element
}

fn algorithm() -> Vec<u8> {
    der(0x30, &[&der(0x06, &[&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]])])
}

/// What passes for a certificate; `serial` tells one from another.
pub fn certificate(serial: u8) -> Vec<u8> {
    let version = der(0xA0, &[&der(0x02, &[&[2]])]);
    let signed =
        der(0x30, &[&version, &der(0x02, &[&[serial]]), &algorithm(), &der(0x30, &[]), &der(0x30, &[])]);
    der(0x30, &[&signed, &algorithm(), &der(0x03, &[&[0; 9]])])
}

/// What passes for a PKCS#8 key.
pub fn private_key() -> Vec<u8> {
    der(0x30, &[&der(0x02, &[&[0]]), &algorithm(), &der(0x04, &[&[0x11; 100]])])
}

pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xF])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}
