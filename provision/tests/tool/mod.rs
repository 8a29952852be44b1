//! The program, run against a [`RestApi`] in a folder of its own.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::rest_api::{ACCOUNT_SID, AUTH_TOKEN, RestApi};

pub struct Tool {
    pub folder: TempDir,
    url: String,
    auth_token: Option<String>,
    variables: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Tool {
    pub fn new(api: &RestApi) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            url: api.url(),
            auth_token: Some(AUTH_TOKEN.to_owned()),
            variables: Vec::new(),
        }
    }

    pub fn with_url(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    pub fn with_token(self, auth_token: Option<&str>) -> Self {
        Self { auth_token: auth_token.map(str::to_owned), ..self }
    }

    pub fn with_variable(mut self, name: &'static str, value: String) -> Self {
        self.variables.push((name, value));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    /// Retries come at once, unless the arguments say otherwise.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_microvisor-provision"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        if matches!(arguments.first(), Some(&("upload" | "fleet"))) && !arguments.contains(&"--retry-delay") {
            command.args(["--retry-delay", "0"]);
        }
        command.env("MICROVISOR_API_URL", &self.url).env("MICROVISOR_ACCOUNT_SID", ACCOUNT_SID);
        command.env_remove("MICROVISOR_AUTH_TOKEN").env_remove("MICROVISOR_API_CA");
        if let Some(auth_token) = &self.auth_token {
            command.env("MICROVISOR_AUTH_TOKEN", auth_token);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap())
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub fn assert_done(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn assert_failed(&self) -> &Self {
        assert_eq!(self.code, Some(1), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn assert_says(&self, part: &str) -> &Self {
        assert!(self.all().contains(part), "no {part:?} in {self:#?}");
        self
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
