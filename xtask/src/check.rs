//! What must not be in an image: calls to what is no entry of the kernel, and panics.

use std::collections::{BTreeMap, BTreeSet};

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol, SectionKind};

use crate::Result;
use crate::entries::entries;

/// The flash of 2 MiB as the secure half sees it, where the kernel is.
const SECURE: std::ops::Range<u32> = 0x0c00_0000..0x0c20_0000;

/// What can panic, or is there for nothing but panics, by its path in `core`.
const PANICS: [&str; 7] = [
    "core::panicking",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::slice::index",
    "core::str::slice_error",
    "core::cell::panic",
];

/// What every `async` block has for the case that it is polled after its end, which no executor does, and
/// the way from there to the handler.
const OF_FUTURES: [&str; 2] = ["panic_const_async_fn_resumed", "core::panicking::panic_fmt"];

/// Which panics an image may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panics {
    None,
    /// What every `async` block has.
    OfFutures,
    Any,
}

impl Panics {
    /// What is found of an image that passes.
    pub(crate) const fn verdict(self) -> &'static str {
        match self {
            Self::None => "; no panics, no floats as text",
            Self::OfFutures => "; no panics but of futures that are over, no floats as text",
            Self::Any => "",
        }
    }
}

const FLOATS: [&str; 4] = ["core::fmt::float", "flt2dec", "float_to_decimal", "float_to_exponential"];

/// How many system calls the image makes.
///
/// # Errors
///
/// What is wrong with it, by name.
pub(crate) fn check(elf: &[u8], panics: Panics) -> Result<usize> {
    let elf = ElfFile32::<object::Endianness>::parse(elf)?;
    let calls = check_calls(&elf)?;
    if panics != Panics::Any {
        let found: Vec<String> = elf
            .symbols()
            .filter_map(|symbol| Some(format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?))))
            .filter(|name| is_unwanted(name, panics))
            .collect();
        if !found.is_empty() {
            return Err(format!("it can panic, or write floats:\n  {}", found.join("\n  ")).into());
        }
    }
    Ok(calls)
}

fn is_unwanted(name: &str, panics: Panics) -> bool {
    let is_in = |list: &[&str]| list.iter().any(|part| name.contains(part));
    let may_panic = panics == Panics::OfFutures && is_in(&OF_FUTURES);
    (is_in(&PANICS) && !may_panic) || is_in(&FLOATS)
}

/// Each call of the kernel goes through a veneer, since no branch reaches so far: the linker's, or one of the
/// image's own under the call's name.
fn check_calls(elf: &ElfFile32<'_>) -> Result<usize> {
    let entries = entries();
    let mut called = BTreeSet::new();
    let mut wrong = Vec::new();
    for symbol in elf.symbols() {
        let is_code = matches!(symbol.section(), object::SymbolSection::Section(_));
        let own = |name: &'_ str| is_code && entries.contains_key(name);
        let Some(name) = symbol.name().ok() else { continue };
        let Some(name) = veneer_of(name).or(Some(name).filter(|name| own(name))) else { continue };
        let code = code_at(elf, symbol.address() & !1).unwrap_or_default();
        match veneer_target(code) {
            Some(target) if entries.get(name) == Some(&target) => {
                called.insert(name);
            }
            target => wrong.push(format!("{name}: to {target:x?}")),
        }
    }
    for target in elf
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .flat_map(|section| far_targets(&section, &mapping_symbols(elf)))
    {
        if SECURE.contains(&target) && !entries.values().any(|entry| *entry == target) {
            wrong.push(format!("somebody uses {target:#x}"));
        }
    }
    wrong.extend(without_veneer(elf, &entries, &called));
    if called.is_empty() {
        wrong.push("no system call at all".to_owned());
    }
    if wrong.is_empty() { Ok(called.len()) } else { Err(wrong.join("; ").into()) }
}

/// Entries that are named but not called; the vendor's object names all of them.
fn without_veneer(
    elf: &ElfFile32<'_>,
    entries: &BTreeMap<&str, u32>,
    called: &BTreeSet<&str>,
) -> Vec<String> {
    let named: BTreeSet<&str> = elf
        .symbols()
        .filter(|symbol| symbol.section() == object::SymbolSection::Absolute)
        .filter_map(|symbol| symbol.name().ok())
        .filter(|name| entries.contains_key(name))
        .collect();
    if named.len() == entries.len() {
        return Vec::new();
    }
    named.difference(called).map(|name| format!("{name}: no veneer")).collect()
}

/// The system call to which the veneer of this name belongs, as `ld.lld` and as `arm-none-eabi-ld` name them.
fn veneer_of(symbol: &str) -> Option<&str> {
    let lld = symbol.split_once("Thunk_").map(|(_, name)| name);
    let gnu = symbol.strip_prefix("__").and_then(|rest| rest.strip_suffix("_veneer"));
    lld.or(gnu).filter(|name| name.starts_with("mv"))
}

fn code_at<'d>(elf: &ElfFile32<'d>, address: u64) -> Option<&'d [u8]> {
    elf.sections().find_map(|section| {
        let offset = usize::try_from(address.checked_sub(section.address())?).ok()?;
        section.data().ok()?.get(offset..)
    })
}

/// `movw ip, #…; movt ip, #…; bx ip`, or `ldr.w pc, [pc]` with the address behind it, which has two
/// encodings.
fn veneer_target(code: &[u8]) -> Option<u32> {
    const LDR_PC: [[u8; 4]; 2] = [[0x5f, 0xf8, 0x00, 0xf0], [0xdf, 0xf8, 0x00, 0xf0]];
    if LDR_PC.iter().any(|load| code.starts_with(load)) {
        return Some(u32::from_le_bytes(code.get(4..8)?.try_into().ok()?));
    }
    moved(code.get(..8)?.try_into().ok()?)
}

/// What a `movw` and a `movt` of the same register put into it (Armv8-M, C2.4.102 and C2.4.107).
fn moved(code: [u8; 8]) -> Option<u32> {
    let [first, second, third, fourth] = [0, 2, 4, 6].map(|at| u16::from_le_bytes([code[at], code[at + 1]]));
    let is_pair = first & 0xfbf0 == 0xf240 && third & 0xfbf0 == 0xf2c0;
    let is_same = second & 0x8f00 == fourth & 0x8f00;
    (is_pair && is_same).then(|| immediate(first, second) | immediate(third, fourth) << 16)
}

fn immediate(first: u16, second: u16) -> u32 {
    let [first, second] = [first, second].map(u32::from);
    (first & 0xf) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xff
}

/// Where instructions begin, and where data between them, by address (ELF for the Arm Architecture, "Mapping
/// symbols").
fn mapping_symbols(elf: &ElfFile32<'_>) -> BTreeMap<u64, bool> {
    let is_code = |name: &str| match name.split('.').next() {
        Some("$t") => Some(true),
        Some("$d") => Some(false),
        _ => None,
    };
    elf.symbols().filter_map(|symbol| Some((symbol.address(), is_code(symbol.name().ok()?)?))).collect()
}

/// The addresses that code makes of two halves, and those that it loads.
fn far_targets(section: &object::read::elf::ElfSection32<'_, '_>, mapping: &BTreeMap<u64, bool>) -> Vec<u32> {
    let code = section.data().unwrap_or_default();
    let mut targets = Vec::new();
    let (mut at, mut is_code) = (0, false);
    while let Some(half) = code.get(at..at + 2) {
        is_code = mapping.get(&(section.address() + at as u64)).copied().unwrap_or(is_code);
        if !is_code {
            at += 2;
            continue;
        }
        let made = code.get(at..at + 8).and_then(|code| moved(code.try_into().ok()?));
        targets.extend(made.or_else(|| loaded(code, at)));
        // The first half of an instruction of 32 bits begins so (Armv8-M, C2.1).
        at += if half[1] >= 0xe8 { 4 } else { 2 };
    }
    targets
}

/// What the instruction at `at` loads from beside the code, if it is such a one: `ldr`, counted from the word
/// that is 4 bytes on (Armv8-M, C2.4.74).
fn loaded(code: &[u8], at: usize) -> Option<u32> {
    let half = |at: usize| Some(u16::from_le_bytes(code.get(at..at + 2)?.try_into().ok()?));
    let base = (at + 4) & !3;
    let first = half(at)?;
    let place = match first {
        0x4800..=0x4fff => base + usize::from(first & 0xff) * 4,
        0xf8df => base + usize::from(half(at + 2)? & 0xfff),
        0xf85f => base.checked_sub(usize::from(half(at + 2)? & 0xfff))?,
        _ => return None,
    };
    Some(u32::from_le_bytes(code.get(place..place + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `movw ip, #0xe001; movt ip, #0x0c1f; bx ip`
    const LLD: [u8; 10] = [0x4e, 0xf2, 0x01, 0x0c, 0xc0, 0xf6, 0x1f, 0x4c, 0x60, 0x47];
    /// `ldr.w pc, [pc]` and 0x0c1fe001
    const GNU: [u8; 8] = [0x5f, 0xf8, 0x00, 0xf0, 0x01, 0xe0, 0x1f, 0x0c];

    #[test]
    fn both_linkers_veneers_are_read() {
        assert_eq!(veneer_target(&LLD), Some(0x0c1f_e001));
        assert_eq!(veneer_target(&GNU), Some(0x0c1f_e001));
        assert_eq!(veneer_target(&[0; 10]), None);
        assert_eq!(veneer_target(&GNU[..6]), None);
    }

    #[test]
    fn both_linkers_veneers_are_known_by_name() {
        assert_eq!(veneer_of("__Thumbv7ABSLongThunk_mvPoll"), Some("mvPoll"));
        assert_eq!(veneer_of("__mvPoll_veneer"), Some("mvPoll"));
        assert_eq!(veneer_of("mvPoll"), None);
        assert_eq!(veneer_of("__memcpy_veneer"), None);
    }

    /// The same as an assembler writes it.
    const OWN: [u8; 8] = [0xdf, 0xf8, 0x00, 0xf0, 0x01, 0xe0, 0x1f, 0x0c];

    #[test]
    fn an_images_own_veneers_are_read() {
        assert_eq!(veneer_target(&OWN), Some(0x0c1f_e001));
    }

    #[test]
    fn addresses_that_are_loaded_are_found() {
        // `nop; ldr r0, [pc, #4]; blx r0; nop`, two words, of which the second is loaded.
        let code = [0x00, 0xbf, 0x01, 0x48, 0x80, 0x47, 0x00, 0xbf, 1, 2, 3, 4, 0x01, 0xe0, 0x1f, 0x0c];
        assert_eq!(loaded(&code, 2), Some(0x0403_0201));
        let code = [&[0x01, 0x48], &code[2..]].concat();
        assert_eq!(loaded(&code, 0), Some(0x0403_0201));
        assert_eq!(loaded(&OWN, 0), Some(0x0c1f_e001));
        assert_eq!(loaded(&GNU, 0), Some(0x0c1f_e001));
        assert_eq!(loaded(&OWN, 2), None);
        assert_eq!(loaded(&OWN[..6], 0), None);
    }

    #[test]
    fn panics_and_floats_are_found() {
        for panics in [Panics::None, Panics::OfFutures] {
            assert!(is_unwanted("core::panicking::panic_bounds_check", panics));
            assert!(is_unwanted("core::panicking::panic", panics));
            assert!(is_unwanted("core::option::unwrap_failed", panics));
            assert!(is_unwanted("core::num::imp::flt2dec::strategy::grisu::format_exact_opt", panics));
            assert!(!is_unwanted("aws_iot::application::run", panics));
            assert!(!is_unwanted("__rustc::rust_begin_unwind", panics));
        }
    }

    #[test]
    fn what_every_future_has_passes_only_where_that_is_said() {
        for name in
            ["core::panicking::panic_const::panic_const_async_fn_resumed", "core::panicking::panic_fmt"]
        {
            assert!(is_unwanted(name, Panics::None));
            assert!(!is_unwanted(name, Panics::OfFutures));
        }
    }
}
