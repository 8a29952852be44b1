//! What the types forbid: each file in `tests/compile_fail` is wrong where a `//~` comment names the error.
//!
//! Compared are the lines, and rustc's error codes (or the names of lints), which keep their meaning from one
//! version of the compiler to the next; its wording does not. The files are compiled all the way to machine
//! code, since a `const` assertion in a generic function is not evaluated before. And they are compiled with
//! this crate alone, not with all that its tests need.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The errors of one file in order: line, and code.
type Errors = Vec<(u64, String)>;

/// A failed assertion in a `const` (or another panic there). It may lie deep in the library, and then rustc does
/// not always say which line led there; so only the number of these counts.
const CONST_PANIC: &str = "E0080";

#[test]
fn wrong_programs_do_not_compile_for_the_reason_that_they_state() {
    let cases = cases();
    let output = build(&cases);
    let mut wrong = Vec::new();
    for (name, file) in &cases {
        let (expected, found) = (expected_errors(file), found_errors(&output, name, file));
        if expected.is_empty() || expected != found {
            eprintln!("{name}: expected {expected:?}, found {found:?}");
            for message in messages(&output, name) {
                eprintln!("{}", message["rendered"].as_str().unwrap_or_default());
            }
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "these have other errors than they state: {wrong:?}");
}

/// The files by name.
fn cases() -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let files = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("a file").path());
    files.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path)).collect()
}

fn expected_errors(path: &Path) -> Errors {
    let text = fs::read_to_string(path).expect("the file can be read");
    let lines = (1..).zip(text.lines());
    let stated = lines.filter_map(|(line, text)| Some((line, text.split_once("//~ ")?.1)));
    sorted(stated.map(|(line, code)| error(line, code)).collect())
}

fn error(line: u64, code: &str) -> (u64, String) {
    (if code == CONST_PANIC { 0 } else { line }, code.to_owned())
}

fn sorted(mut errors: Errors) -> Errors {
    errors.sort();
    // One mistake may break the same rule several times, once for each field of a type, say.
    errors.dedup_by(|next, last| next == last && next.1 != CONST_PANIC);
    errors
}

/// Builds each file as a library, in a package of its own that depends on this one alone, and returns
/// cargo's messages. The lock file is this one's, so that nothing has to be fetched.
fn build(cases: &BTreeMap<String, PathBuf>) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    fs::create_dir_all(package.join("src")).expect("the target folder can be written");
    let mut manifest = format!(
        "[package]\nname = 'compile-fail'\nversion = '0.0.0'\nedition = '2024'\npublish = false\n\
         [workspace]\n\
         [dependencies]\nmicrovisor = {{ path = '{}' }}\n",
        root.display()
    );
    for (name, path) in cases {
        let path = path.display();
        write!(manifest, "[[example]]\nname = '{name}'\npath = '{path}'\ncrate-type = ['lib']\n")
            .expect("a string takes it");
    }
    fs::write(package.join("Cargo.toml"), manifest).expect("the manifest can be written");
    fs::write(package.join("src/lib.rs"), "").expect("the library can be written");
    if root.join("Cargo.lock").exists() {
        fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("the lock file can be copied");
    }
    let output = Command::new(env!("CARGO"))
        .args(["build", "--examples", "--offline", "--keep-going", "--quiet", "--message-format=json"])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(package.join("target"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let messages = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    assert!(
        messages.contains("compiler-message"),
        "nothing was compiled: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    messages
}

/// The errors with a code.
fn found_errors(output: &str, name: &str, file: &Path) -> Errors {
    let errors = messages(output, name).filter(|message| message["level"] == "error");
    let coded = errors.filter_map(|message| {
        let code = message["code"]["code"].as_str()?;
        Some(error(line_in(&message, file).unwrap_or_default(), code))
    });
    sorted(coded.collect())
}

/// The line of `file` that a message is about, if only by the use of a macro.
fn line_in(message: &Value, file: &Path) -> Option<u64> {
    let mut span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    while span["file_name"].as_str().is_none_or(|name| Path::new(name) != file) {
        span = span["expansion"].get("span")?;
    }
    span["line_start"].as_u64()
}

/// What rustc says about one file.
fn messages(output: &str, name: &str) -> impl Iterator<Item = Value> {
    let messages = output.lines().map(|line| serde_json::from_str::<Value>(line).expect("cargo prints JSON"));
    let of_file = messages.filter(move |message| message["target"]["name"] == name);
    of_file.map(|mut message| message["message"].take())
}
