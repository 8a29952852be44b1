//! The example `aws_iot` as a process.
#![allow(dead_code, reason = "each test uses a part")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Runs take seconds; one that takes this long hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A run of the example.
pub(crate) struct Run {
    child: Child,
    lines: Receiver<String>,
    stdout: String,
    stderr: Option<JoinHandle<String>>,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit status.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Starts the example with these arguments.
    pub(crate) fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut child = Command::new(executable())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut pipe = child.stderr.take().expect("it is piped");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("standard error is text");
            text
        });
        Self { child, lines, stdout: String::new(), stderr: Some(stderr) }
    }

    /// The next line of its output, if one comes in time.
    pub(crate) fn next_line(&mut self, timeout: Duration) -> Result<String, RecvTimeoutError> {
        let line = self.lines.recv_timeout(timeout)?;
        self.stdout.push_str(&line);
        self.stdout.push('\n');
        Ok(line)
    }

    /// Reads until a line that contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while let Ok(line) = self.next_line(PATIENCE) {
            if line.contains(text) {
                return;
            }
        }
        panic!("no line with '{text}' came: {:#?}", self.end());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn finish(mut self) -> Outcome {
        while self.next_line(PATIENCE).is_ok() {}
        self.end()
    }

    /// The outcome, once there are no more lines. A process that could still write some hangs.
    fn end(&mut self) -> Outcome {
        if self.lines.try_recv() == Err(TryRecvError::Empty) {
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("a child can be waited for");
        let stderr = self.stderr.take().map_or_else(String::new, |thread| thread.join().expect("no panic"));
        Outcome { status: status.code().unwrap_or(-1), stdout: self.stdout.clone(), stderr }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the example to its end.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Outcome {
    Run::start(arguments).finish()
}

/// Cargo builds the examples along with the tests, but has no variable that says where; and not
/// when a single test is asked for.
fn executable() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push(format!("examples/aws_iot{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--example", "aws_iot"]).status();
        assert!(built.is_ok_and(|status| status.success()) && path.exists(), "{} is missing", path.display());
    }
    path
}
