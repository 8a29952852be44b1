//! Puts the entry addresses of the system calls on the link search path and,
//! with feature `bindgen`, generates the raw bindings.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        provide_entry_addresses(&out_dir);
    }
    #[cfg(feature = "bindgen")]
    generate_bindings(&out_dir);
}

/// A firmware links with `-Tmicrovisor.x`; see `src/sys/mod.rs` for why a
/// linker script and not absolute symbols in assembly.
fn provide_entry_addresses(out_dir: &Path) {
    let script = "src/sys/microvisor.x";
    println!("cargo::rerun-if-changed={script}");
    fs::copy(script, out_dir.join("microvisor.x")).expect("cannot copy microvisor.x to OUT_DIR");
    println!("cargo::rustc-link-search={}", out_dir.display());
}

/// The header to generate from: the vendor's where `MICROVISOR_SDK` names a
/// folder that holds it, otherwise the project's own.
#[cfg(feature = "bindgen")]
fn header() -> PathBuf {
    println!("cargo::rerun-if-env-changed=MICROVISOR_SDK");
    let Some(sdk) = env::var_os("MICROVISOR_SDK").map(PathBuf::from) else {
        return PathBuf::from("include/microvisor.h");
    };
    ["mv_syscalls.h", "stm32u5/mv_syscalls.h"]
        .iter()
        .map(|name| sdk.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "MICROVISOR_SDK is {}, but neither mv_syscalls.h nor stm32u5/mv_syscalls.h is there; \
                 name the SDK's include folder or unset the variable",
                sdk.display()
            )
        })
}

#[cfg(feature = "bindgen")]
fn generate_bindings(out_dir: &Path) {
    let header = header();
    println!("cargo::rerun-if-changed={}", header.display());
    // Both 32-bit Arm and the ABI's short enums must be said: clang would
    // otherwise make one-byte enums four bytes wide.
    let bindings = bindgen::Builder::default()
        .header(header.to_string_lossy())
        .clang_args(["--target=thumbv8m.main-none-eabihf", "-ffreestanding", "-fshort-enums"])
        .use_core()
        .ctypes_prefix("cty")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(false)
        .generate_comments(false)
        .allowlist_item("[Mm]v[A-Z].*|MV_.*")
        .blocklist_item("mvTemporaryStructTest")
        .formatter(bindgen::Formatter::Prettyplease)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .disable_header_comment()
        .generate()
        .unwrap_or_else(|error| panic!("bindgen cannot read {}: {error}", header.display()));
    bindings.write_to_file(out_dir.join("bindings.rs")).expect("cannot write bindings.rs to OUT_DIR");
}
