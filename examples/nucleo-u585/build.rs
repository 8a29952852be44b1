//! What an image is linked with.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

/// An object of the vendor's that holds the entry addresses, in the place of `microvisor.x`.
const STUBS: &str = "MICROVISOR_STUBS";

/// The library's linker script with the entry addresses.
const ENTRIES: &str = "../../src/sys/microvisor.x";

/// The line of the one interrupt that there is, `TIM1_BRK`.
const LINE: usize = 41;

/// As many as have room before it.
const IN_VECTORS: [&str; LINE / 2] = [
    "mvCloseChannel",
    "mvGetDeviceId",
    "mvGetMicroseconds",
    "mvGetNetworkStatus",
    "mvMqttAcknowledgeMessage",
    "mvMqttGetNextReadableDataType",
    "mvMqttReadConnectResponse",
    "mvMqttReadPublishResponse",
    "mvMqttReadSubscribeResponse",
    "mvMqttReceiveMessage",
    "mvMqttRequestConnect",
    "mvMqttRequestPublish",
    "mvMqttRequestSubscribe",
    "mvOpenChannel",
    "mvReadConfigResponseItem",
    "mvRequestNetwork",
    "mvRestart",
    "mvSendConfigFetchRequest",
    "mvServerLog",
    "mvSetupNotifications",
];

fn main() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed=device.x");
    println!("cargo::rerun-if-changed={ENTRIES}");
    println!("cargo::rerun-if-env-changed={STUBS}");
    println!("cargo::rustc-link-search={}", folder.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    let mut script = String::new();
    if let Some(stubs) = env::var_os(STUBS).map(PathBuf::from) {
        println!("cargo::rerun-if-changed={}", stubs.display());
        println!("cargo::rustc-link-arg-bins={}", stubs.display());
    } else {
        script = fs::read_to_string(ENTRIES).expect("the library has it");
    }
    let entries: Vec<_> = script.lines().filter_map(entry).collect();
    let file = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("vectors.s");
    fs::write(file, vectors(&entries) + &veneers(&entries)).expect("cargo's folder can be written to");
    // Nothing is loaded by pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
}

/// The name and the address of an entry.
fn entry(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("PROVIDE(")?.strip_suffix(");")?.split_once(" = ")
}

/// The interrupts' vectors, up to the one that there is.
///
/// Those before it belong to lines that are never enabled, so that their places are free: jumps to the entries
/// that each application needs lie there.
fn vectors(entries: &[(&str, &str)]) -> String {
    let mut code = String::from(
        ".section .vector_table.interrupts, \"ax\"\n.global __INTERRUPTS\n.balign 4\n__INTERRUPTS:\n",
    );
    let mut free = LINE;
    for (name, address) in entries.iter().filter(|(name, _)| IN_VECTORS.contains(name)) {
        code += &jump(name, address);
        free -= 2;
    }
    write!(code, ".rept {free}\n.word DefaultHandler\n.endr\n.word TIM1_BRK\n")
        .expect("a string takes everything");
    code
}

/// A jump for each other entry, which no branch reaches. Those that linkers make are longer, or take more
/// instructions.
fn veneers(entries: &[(&str, &str)]) -> String {
    let mut code = String::new();
    for (name, address) in entries.iter().filter(|(name, _)| !IN_VECTORS.contains(name)) {
        // Each in its own section, so that only those are kept that are called.
        writeln!(code, ".section .text.{name}, \"ax\"\n{}", jump(name, address))
            .expect("a string takes everything");
    }
    code + ".text\n"
}

/// Two words.
fn jump(name: &str, address: &str) -> String {
    format!(
        ".global {name}\n.type {name}, %function\n.thumb_func\n.balign 4\n\
         {name}: ldr.w pc, [pc]\n.word {address}\n.size {name}, 8\n"
    )
}
