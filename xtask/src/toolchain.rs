//! What compiles and links for the board on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, str};

use crate::Result;

pub(crate) const TARGET: &str = "thumbv8m.main-none-eabihf";

/// Debian's compiler, which brings the sources of `core`.
const DEBIAN_BIN: &str = "/usr/bin";
const DEBIAN_CORE: &str = "/usr/lib/rustlib/src/rust/library/core";

const LINKERS: [&str; 3] = ["rust-lld", "ld.lld", "arm-none-eabi-ld"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// It has the target's library.
    Rustup,
    /// It builds `core` first.
    Debian,
}

impl Toolchain {
    /// # Errors
    ///
    /// There is none, and what to install.
    pub(crate) fn find() -> Result<Self> {
        let libraries = output("rustc", &["--print", "target-libdir", "--target", TARGET]);
        if libraries.is_some_and(|folder| Path::new(&folder).is_dir()) {
            return Ok(Self::Rustup);
        }
        let debian = Path::new(DEBIAN_BIN);
        if debian.join("cargo").is_file() && debian.join("rustc").is_file() && Path::new(DEBIAN_CORE).is_dir()
        {
            return Ok(Self::Debian);
        }
        Err(format!(
            "no compiler for {TARGET}: run `rustup target add {TARGET}`, or on Debian \
             `apt-get install rustc-web cargo-web rust-web-src` (Rust 1.95 or later)"
        )
        .into())
    }

    /// Cargo with what it needs to build `arguments` for the board.
    pub(crate) fn cargo(self, arguments: &[&str]) -> Command {
        match self {
            Self::Rustup => {
                let mut cargo = Command::new("cargo");
                cargo.args(arguments).args(["--target", TARGET]);
                cargo
            }
            Self::Debian => {
                let mut path = vec![PathBuf::from(DEBIAN_BIN)];
                path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
                let mut cargo = Command::new(Path::new(DEBIAN_BIN).join("cargo"));
                cargo
                    .args(arguments)
                    .args(["--target", TARGET, "-Zbuild-std=core"])
                    .env("RUSTC", Path::new(DEBIAN_BIN).join("rustc"))
                    // For `-Zbuild-std`.
                    .env("RUSTC_BOOTSTRAP", "1");
                if let Ok(path) = env::join_paths(path) {
                    cargo.env("PATH", path);
                }
                cargo
            }
        }
    }
}

/// The linker that was asked for, or else one that is there, as a path where it is not in `PATH`.
///
/// # Errors
///
/// It is not there, and what to install.
pub(crate) fn linker(asked: Option<&str>) -> Result<PathBuf> {
    let Some(name) = asked else {
        return LINKERS.into_iter().find_map(find).ok_or_else(|| missing(&LINKERS.join(", ")).into());
    };
    if !LINKERS.contains(&name) {
        return Err(format!("--linker is one of {}, not {name}", LINKERS.join(", ")).into());
    }
    find(name).ok_or_else(|| missing(name).into())
}

fn missing(name: &str) -> String {
    format!(
        "no linker ({name}): rustup's toolchains bring rust-lld; on Debian, `apt-get install lld` or \
         `apt-get install binutils-arm-none-eabi`"
    )
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let in_path = env::split_paths(&path).map(|folder| folder.join(name));
    in_path.chain(bundled(name)).find(|file| file.is_file())
}

/// Where a compiler keeps the linker that it brings.
fn bundled(name: &str) -> Option<PathBuf> {
    let sysroot = PathBuf::from(output("rustc", &["--print", "sysroot"])?);
    let host = output("rustc", &["--print", "host-tuple"])?;
    Some(sysroot.join("lib/rustlib").join(host).join("bin").join(name))
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(str::from_utf8(&output.stdout).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_linker_is_refused() {
        let error = linker(Some("gold")).unwrap_err().to_string();
        assert_eq!(error, "--linker is one of rust-lld, ld.lld, arm-none-eabi-ld, not gold");
    }
}
