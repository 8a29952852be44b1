//! A mosquitto that asks for certificates, and its clients.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::authority::{Authority, write};

/// Answers take milliseconds; one that takes this long does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mosquitto on a port of its own, with TLS and `require_certificate true`.
pub(crate) struct Mosquitto {
    process: Child,
    pub(crate) port: u16,
    /// The CA of its own certificate, and of those it lets in.
    pub(crate) authority: Authority,
    folder: TempDir,
    log: Receiver<String>,
    observers: Cell<u32>,
}

impl Mosquitto {
    /// Starts one, if mosquitto is installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(|_| ())
    }

    /// Starts one the server certificate of which is changed.
    pub(crate) fn start_with(change: impl FnOnce(&mut CertificateParams)) -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let authority = Authority::named("Test Root CA");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ca = write(folder.path(), "ca.pem", authority.pem());
        let [certificate, key] = ["server.pem", "server.key"].map(|name| folder.path().join(name));
        let port = free_port();
        let mut configuration = String::new();
        // Without `user root` it would give up the right to read these files, where it has it.
        write!(
            configuration,
            "user root\nlistener {port} localhost\ncafile {}\ncertfile {}\nkeyfile {}\n\
             require_certificate true\nuse_identity_as_username true\nlog_dest stderr\nlog_type all\n",
            ca.display(),
            certificate.display(),
            key.display()
        )
        .expect("a string can be written to");
        write(folder.path(), "mosquitto.conf", configuration);
        issue_for_server(&authority, folder.path(), change);
        let (process, log) = spawn(folder.path());
        let mosquitto = Self { process, port, authority, folder, log, observers: Cell::new(0) };
        mosquitto.wait_for_log(" running");
        mosquitto.write_operator();
        Some(mosquitto)
    }

    /// Ends it without a word to its clients.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again, on the same port.
    pub(crate) fn restart(&mut self) {
        self.kill();
        (self.process, self.log) = spawn(self.folder.path());
        self.wait_for_log(" running");
    }

    /// Starts it again, with another server certificate.
    pub(crate) fn restart_with(&mut self, change: impl FnOnce(&mut CertificateParams)) {
        issue_for_server(&self.authority, self.folder.path(), change);
        self.restart();
    }

    /// Subscribes, and returns once the broker has confirmed.
    pub(crate) fn observe(&self, topic: &str) -> Observer {
        let count = self.observers.get() + 1;
        self.observers.set(count);
        let id = format!("observer-{count}");
        let mut process = self
            .client("mosquitto_sub")
            .args(["-i", &id, "-q", "1", "-t", topic])
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto_sub starts");
        let messages = follow(process.stdout.take().expect("it is piped"));
        let observer = Observer { process, messages };
        // What mosquitto_sub itself has to say of it stays in its buffer.
        self.wait_for_log(&format!("Sending SUBACK to {id}"));
        observer
    }

    /// Publishes with QoS 1.
    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        let status = self.client("mosquitto_pub").args(["-q", "1", "-t", topic, "-m", payload]).status();
        assert!(status.is_ok_and(|status| status.success()), "mosquitto_pub failed");
    }

    fn wait_for_log(&self, text: &str) {
        let mut seen = String::new();
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return;
            }
            seen += &line;
            seen.push('\n');
        }
        panic!("mosquitto did not log '{text}':\n{seen}");
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "localhost", "-p", &self.port.to_string()]);
        for (option, file) in [("--cafile", "ca.pem"), ("--cert", "operator.pem"), ("--key", "operator.key")]
        {
            command.arg(option).arg(self.folder.path().join(file));
        }
        command
    }

    fn write_operator(&self) {
        let key = KeyPair::generate().expect("a key").serialize_pem();
        write(self.folder.path(), "operator.pem", self.authority.issue(&key));
        write(self.folder.path(), "operator.key", key);
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes a certificate for the broker, and its key.
fn issue_for_server(authority: &Authority, folder: &Path, change: impl FnOnce(&mut CertificateParams)) {
    let (certificate, key) = authority.issue_for_server("localhost", change);
    write(folder, "server.pem", certificate);
    write(folder, "server.key", key);
}

/// Starts mosquitto with the configuration in `folder`, and follows its log.
fn spawn(folder: &Path) -> (Child, Receiver<String>) {
    let mut process = Command::new(executable())
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("mosquitto starts");
    let log = follow(process.stderr.take().expect("it is piped"));
    (process, log)
}

/// A `mosquitto_sub`.
pub(crate) struct Observer {
    process: Child,
    messages: Receiver<String>,
}

impl Observer {
    /// The payload of the next message; waits for it.
    pub(crate) fn next_message(&mut self) -> String {
        self.messages.recv_timeout(PATIENCE).expect("a message comes in time")
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port at which nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("localhost:0").expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

fn is_installed() -> bool {
    let found = [executable().as_path(), Path::new("mosquitto_sub"), Path::new("mosquitto_pub")]
        .iter()
        .all(|program| Command::new(program).arg("--help").stdout(Stdio::null()).status().is_ok());
    if !found {
        let advice = "mosquitto, mosquitto_sub and mosquitto_pub are needed for this test: \
                      apt-get install mosquitto mosquitto-clients";
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{advice}");
        eprintln!("skipped: {advice}");
    }
    found
}

/// Debian installs it where only root's PATH leads.
fn executable() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/mosquitto");
    if debian.exists() { debian } else { PathBuf::from("mosquitto") }
}

/// The lines of `output`, as they come.
fn follow(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        // Read on when nobody listens any more: a process blocks on output that nobody takes.
        lines.for_each(|line| drop(sender.send(line)));
    });
    lines
}
