//! A mosquitto process of the test's own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use microvisor_sim::broker::TlsCredentials;

use crate::pki::{Authority, Certificate};

/// The CA of the broker and of the clients, and a broker with a certificate for `localhost`.
pub(crate) struct Mosquitto {
    pub(crate) authority: Authority,
    pub(crate) port: u16,
    process: Child,
    folder: PathBuf,
}

impl Mosquitto {
    /// Starts mosquitto; `None`, with a word to the reader, where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let authority = Authority::new("test CA");
        let server = authority.server("localhost");
        Self::start_with(authority, &server)
    }

    /// Starts mosquitto with another certificate.
    pub(crate) fn start_with(authority: Authority, server: &Certificate) -> Option<Self> {
        let program = find_program()?;
        let folder = make_folder();
        fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        fs::write(folder.join("server.pem"), &server.pem).unwrap();
        fs::write(folder.join("server.key"), server.key.serialize_pem()).unwrap();
        // Somebody else may take the port before mosquitto does.
        let (port, process) = std::iter::repeat_with(|| spawn(&program, &folder))
            .take(5)
            .find_map(std::convert::identity)
            .unwrap_or_else(|| panic!("mosquitto does not listen: {}", read_log(&folder)));
        Some(Self { authority, port, process, folder })
    }

    pub(crate) fn log(&self) -> String {
        read_log(&self.folder)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("mosquitto runs");
        self.process.wait().expect("mosquitto ends");
    }

    /// A device's credentials with this client certificate, trusting the broker's CA.
    pub(crate) fn credentials(&self, client: &Certificate) -> TlsCredentials {
        TlsCredentials {
            ca: vec![self.authority.der()],
            chain: vec![client.der.clone()],
            key: client.pkcs8(),
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn find_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let program = folders.map(|folder| folder.join("mosquitto")).find(|program| program.is_file());
    if program.is_none() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "mosquitto is not installed");
        eprintln!("skipped: install mosquitto (Debian: apt install mosquitto) to run this test");
    }
    program
}

/// Starts mosquitto on a free port; `None` if it ends before it listens.
fn spawn(program: &Path, folder: &Path) -> Option<(u16, Child)> {
    let port = free_port();
    fs::write(folder.join("mosquitto.conf"), configuration(folder, port)).unwrap();
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut process = Command::new(program)
        .arg("-v")
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("mosquitto starts");
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline || process.try_wait().is_ok_and(|ended| ended.is_some()) {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
            return None;
        }
        std::thread::yield_now();
    }
    Some((port, process))
}

fn read_log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn make_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("microvisor-sim-{}-{count}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "listener {port} 127.0.0.1\n\
         user root\n\
         allow_anonymous true\n\
         persistence false\n\
         cafile {folder}/ca.pem\n\
         certfile {folder}/server.pem\n\
         keyfile {folder}/server.key\n\
         require_certificate true\n"
    )
}
