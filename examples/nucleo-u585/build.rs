//! What an image is linked with.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

/// An object of the vendor's that holds the entry addresses, in the place of `microvisor.x`.
const STUBS: &str = "MICROVISOR_STUBS";

/// The library's linker script with the entry addresses.
const ENTRIES: &str = "../../src/sys/microvisor.x";

fn main() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed=device.x");
    println!("cargo::rerun-if-changed={ENTRIES}");
    println!("cargo::rerun-if-env-changed={STUBS}");
    println!("cargo::rustc-link-search={}", folder.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    let mut veneers = String::new();
    match env::var_os(STUBS).map(PathBuf::from) {
        Some(stubs) => {
            println!("cargo::rerun-if-changed={}", stubs.display());
            println!("cargo::rustc-link-arg-bins={}", stubs.display());
        }
        None => veneers = self::veneers(&fs::read_to_string(ENTRIES).expect("the library has it")),
    }
    let file = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("veneers.s");
    fs::write(file, veneers).expect("cargo's folder can be written to");
    // Nothing is loaded by pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
}

/// A jump for each entry, which no branch reaches. Those that linkers make are longer, or take more
/// instructions.
fn veneers(script: &str) -> String {
    let mut code = String::new();
    for line in script.lines() {
        let entry = line.strip_prefix("PROVIDE(").and_then(|line| line.strip_suffix(");"));
        let Some((name, address)) = entry.and_then(|entry| entry.split_once(" = ")) else { continue };
        // Each in its own section, so that only those are kept that are called.
        writeln!(
            code,
            ".section .text.{name}, \"ax\"\n.global {name}\n.type {name}, %function\n.thumb_func\n.balign 4\n\
             {name}: ldr.w pc, [pc]\n.word {address}\n.size {name}, 8"
        )
        .expect("a string takes everything");
    }
    code + ".text\n"
}
