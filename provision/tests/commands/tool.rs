//! The program, and folders of files for it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use microvisor_provision::bundle::{Bundle, Scope, Store};
use tempfile::TempDir;

use crate::authority::{Authority, key_file, write};

pub(crate) const ENDPOINT: &str = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com";
pub(crate) const SID: &str = "UV00112233445566778899aabbccddeeff";

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Something that failed, with these words in what it says, and no panic.
    pub(crate) fn assert_failed(&self, words: &str) {
        assert_eq!(self.status, 1, "{self:#?}");
        let said = format!("{}{}", self.stdout, self.stderr);
        assert!(said.contains(words), "'{words}' is not in {self:#?}");
        assert!(!said.contains("panicked"), "{self:#?}");
    }
}

/// Runs the program with these arguments.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_microvisor-provision"))
        .args(arguments)
        .output()
        .expect("the program starts");
    Outcome {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("it prints text"),
        stderr: String::from_utf8(output.stderr).expect("it prints text"),
    }
}

/// A folder of files as AWS hands them out.
pub(crate) struct Thing {
    folder: TempDir,
}

impl Thing {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A root CA, a certificate, and these two keys from `tests/fixtures/keys`: the one that the
    /// certificate is for, and the one that is there.
    pub(crate) fn with_keys(certificate_key: &str, key: &str) -> Self {
        let thing = Self::empty();
        let amazon = Authority::named("Amazon Root CA 1");
        let certificate = Authority::named("Amazon Web Services").issue(&key_file(certificate_key));
        thing.write("AmazonRootCA1.pem", amazon.pem());
        thing.write("0a1b2c-certificate.pem.crt", certificate);
        thing.write("0a1b2c-private.pem.key", key_file(key));
        thing
    }

    /// All good.
    pub(crate) fn good() -> Self {
        let thing = Self::with_keys("rsa2048-pkcs8.pem", "rsa2048-pkcs1.pem");
        thing.write("0a1b2c-public.pem.key", key_file("rsa2048-public.pem"));
        thing
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        write(self.path(), name, content)
    }

    pub(crate) fn check(&self) -> Outcome {
        run([OsStr::new("check"), self.path().as_os_str()])
    }

    /// Bundles to a file in a folder of its own.
    pub(crate) fn bundle(&self, more: &[&str]) -> (Outcome, Output) {
        let output = Output(tempfile::tempdir().expect("a temporary folder"));
        let file = output.file();
        let arguments =
            ["bundle".as_ref(), self.path().as_os_str(), "--endpoint".as_ref(), ENDPOINT.as_ref()];
        let more = more.iter().map(OsStr::new);
        let outcome = run(arguments.into_iter().chain(more).chain(["--output".as_ref(), file.as_os_str()]));
        (outcome, output)
    }

    /// Bundles, which has to work.
    pub(crate) fn bundled(&self, more: &[&str]) -> Bundle {
        let (outcome, output) = self.bundle(more);
        assert_eq!(outcome.status, 0, "{outcome:#?}");
        Bundle::read(&output.file()).expect("a bundle")
    }

    /// Neither `check` nor `bundle` takes this, each says why, and nothing is written.
    pub(crate) fn assert_refused(&self, words: &str) {
        self.check().assert_failed(words);
        let (outcome, output) = self.bundle(&[]);
        outcome.assert_failed(words);
        assert_eq!(output.files(), [""; 0], "{words}");
    }
}

/// A folder for a bundle.
pub(crate) struct Output(TempDir);

impl Output {
    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("device.json")
    }

    /// The names of all files there.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the folder is there");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
    }
}

/// What a value of the bundle says, decoded.
pub(crate) fn value(bundle: &Bundle, key: &str) -> Vec<u8> {
    let store = if key == "private_key" { Store::Secret } else { Store::Config };
    bundle.entry(store, Scope::Device, key).unwrap_or_else(|| panic!("no {key}")).decoded().to_vec()
}
