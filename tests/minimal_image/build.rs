//! The link arguments that a firmware needs.

fn main() {
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rustc-link-search={}", std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tmicrovisor.x");
    // The entries are called through veneers; nothing may be relocated by 4 KiB pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
}
