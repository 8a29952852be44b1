//! The raw system calls of ABI 0.7.0: 71 functions, 35 structures, 22 enums,
//! under the names the platform gives them.
//!
//! Enum types are integers with constants: a kernel newer than this crate may
//! write a value that is not listed here, and no such value may be undefined
//! behaviour. Structures that carry a `version` take 1.
//!
//! # Linking
//!
//! On a board (`target_os = "none"`) the build script puts `microvisor.x`, a
//! linker script with the entry address of every call, on the link search path;
//! link the firmware with `-Tmicrovisor.x`. The entries lie more than 16 MiB
//! from flash, so each call needs a long-branch veneer, which `ld.lld`,
//! `rust-lld` and `arm-none-eabi-ld` make for these symbols. (The same addresses
//! as `.set` symbols in `global_asm!` fail to link under link-time optimisation.)
//! An object from the vendor that defines the symbols takes precedence.
//!
//! On a desktop the symbols come from the `microvisor-sim` crate.

#[cfg(not(feature = "bindgen"))]
#[rustfmt::skip]
#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals, missing_docs, missing_debug_implementations, unreachable_pub)]
#[allow(clippy::pedantic)]
mod bindings;

#[cfg(feature = "bindgen")]
#[allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub
)]
#[allow(clippy::pedantic)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

#[cfg(target_pointer_width = "32")]
mod layout;

pub use bindings::*;
