//! The kernel's entry addresses, as the library's linker script gives them.

use std::collections::BTreeMap;

const SCRIPT: &str = include_str!("../../src/sys/microvisor.x");

/// Addresses by the names of system calls, with the bit that says Thumb.
pub(crate) fn entries() -> BTreeMap<&'static str, u32> {
    SCRIPT.lines().filter_map(entry).collect()
}

fn entry(line: &str) -> Option<(&str, u32)> {
    let (name, address) = line.strip_prefix("PROVIDE(")?.strip_suffix(");")?.split_once(" = 0x")?;
    Some((name, u32::from_str_radix(address, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_all_system_calls() {
        let entries = entries();
        assert_eq!(entries.len(), 71);
        assert!(entries.values().all(|address| address & 1 == 1 && address >> 12 == 0xc1fe));
    }
}
