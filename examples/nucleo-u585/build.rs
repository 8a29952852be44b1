//! What an image is linked with.

use std::env;
use std::path::PathBuf;

/// An object of the vendor's that holds the entry addresses, in the place of `microvisor.x`.
const STUBS: &str = "MICROVISOR_STUBS";

fn main() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed=device.x");
    println!("cargo::rerun-if-env-changed={STUBS}");
    println!("cargo::rustc-link-search={}", folder.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    match env::var_os(STUBS).map(PathBuf::from) {
        Some(stubs) => {
            println!("cargo::rerun-if-changed={}", stubs.display());
            println!("cargo::rustc-link-arg-bins={}", stubs.display());
        }
        None => println!("cargo::rustc-link-arg-bins=-Tmicrovisor.x"),
    }
    // Nothing is loaded by pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
}
