//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use microvisor_provision::Endpoint;

pub(crate) const HELP: &str = "\
A Microvisor device that talks to AWS IoT Core, simulated on this machine.

Usage: cargo run --example aws_iot -- [OPTIONS]

The device fetches its credentials from its stores, connects with MQTT 5 over mutual TLS, subscribes to
command/device/<sid> and command/device/all, publishes its temperature to sensor/device/<sid>, takes the
commands `stop` and `restart`, and disconnects. Whatever goes wrong, it tries again.

Options:
      --credentials DIR    The files as AWS IoT hands them out: root CA, certificate and private key. They
                           may have any name: their content tells them apart. PEM or DER; the key PKCS#1,
                           SEC1 or PKCS#8, RSA or EC. Default: made for this run
      --bundle FILE        What `microvisor-provision bundle` made of such files: all that the device's
                           stores hold, in the encodings that it says, and the broker. In the place of
                           --credentials
      --broker HOST:PORT   A real broker, over real TLS and in real time; needs --credentials or --bundle,
                           whose broker it takes the place of.
                           Default: a model of AWS IoT Core, in virtual time, which takes the place of the
                           bundle's broker: nothing leaves this machine
      --broker stored      The broker that the bundle names, really
      --sid SID            The device's SID, which is its client id and Thing name: UV and 32 hexadecimal
                           digits. Default: the bundle's, or UV0123456789abcdef0123456789abcdef
      --publishes N        End after N messages. Default: 5
      --interval SECONDS   Time between messages, such as 0.5. Default: 1
      --patience SECONDS   Give up after this long in trouble, in all, since the broker last took a message.
                           Default: 20
      --trace              Write every system call to standard error, like strace
      --help               Print this help

Examples:
  cargo run --example aws_iot
  cargo run --example aws_iot -- --publishes 20 --interval 60 --trace
  cargo run --example aws_iot -- --credentials ~/thing --sid UV… \\
      --broker a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com:8883
  cargo run --example aws_iot -- --bundle device.json --broker stored

Exit status: 0 when every message was acknowledged, 1 when patience ran out or the credentials cannot be
read, 2 for a wrong option.
";

const EXAMPLE_SID: &str = "UV0123456789abcdef0123456789abcdef";
const DEFAULT_PUBLISHES: u32 = 5;
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// Some attempts long, by the laptop's policy.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(20);
/// People watch a run; a longer time than this is a slip of the keyboard.
const LONGEST: Duration = Duration::from_hours(24);

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Run(Options),
    Help,
}

/// How to run.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) source: Source,
    pub(crate) broker: Broker,
    pub(crate) sid: Option<String>,
    pub(crate) publishes: u32,
    pub(crate) interval: Duration,
    pub(crate) patience: Duration,
    pub(crate) trace: bool,
}

/// Where what is in the device's stores comes from.
#[derive(Debug)]
pub(crate) enum Source {
    MadeForThisRun,
    Folder(PathBuf),
    Bundle(PathBuf),
}

/// The broker to connect to.
#[derive(Debug)]
pub(crate) enum Broker {
    /// A model, in the place of the one that the stores name.
    Model,
    /// The one that the stores name.
    Stored,
    /// This one, whatever the stores name.
    At(Endpoint),
}

/// What is wrong with the command line, and what to do.
#[derive(Debug)]
pub(crate) struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nTry --help.", self.0)
    }
}

impl std::error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

impl Command {
    /// Reads the arguments, the program's name not among them.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut options = Options {
            source: Source::MadeForThisRun,
            broker: Broker::Model,
            sid: None,
            publishes: DEFAULT_PUBLISHES,
            interval: DEFAULT_INTERVAL,
            patience: DEFAULT_PATIENCE,
            trace: false,
        };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("credentials") => options.set_source(Source::Folder(parser.value()?.into()))?,
                Long("bundle") => options.set_source(Source::Bundle(parser.value()?.into()))?,
                Long("broker") => options.broker = broker(&parser.value()?.string()?)?,
                Long("sid") => options.sid = Some(sid(parser.value()?.string()?)?),
                Long("publishes") => options.publishes = publishes(&parser.value()?.string()?)?,
                Long("interval") => options.interval = seconds("--interval", &parser.value()?.string()?)?,
                Long("patience") => options.patience = seconds("--patience", &parser.value()?.string()?)?,
                Long("trace") => options.trace = true,
                Long("help") | Short('h') => return Ok(Self::Help),
                Value(value) => {
                    let value = value.to_string_lossy().into_owned();
                    return Err(UsageError(format!(
                        "unexpected argument '{value}': every option starts with --"
                    )));
                }
                unknown => return Err(unknown.unexpected().into()),
            }
        }
        options.check()?;
        Ok(Self::Run(options))
    }
}

impl Options {
    fn set_source(&mut self, source: Source) -> Result<(), UsageError> {
        if !matches!(self.source, Source::MadeForThisRun) {
            return Err(UsageError("give --credentials or --bundle, and that once".to_owned()));
        }
        self.source = source;
        Ok(())
    }

    fn check(&self) -> Result<(), UsageError> {
        let wrong = match (&self.broker, &self.source) {
            (Broker::At(_) | Broker::Stored, Source::MadeForThisRun) => {
                "--broker needs --credentials DIR or --bundle FILE: a real broker knows no made-up certificate"
            }
            (Broker::Stored, Source::Folder(_)) => {
                "--broker stored needs --bundle FILE: nothing in a folder of certificates names a broker"
            }
            _ => return Ok(()),
        };
        Err(UsageError(wrong.to_owned()))
    }
}

fn broker(value: &str) -> Result<Broker, UsageError> {
    if value == "stored" { Ok(Broker::Stored) } else { endpoint(value).map(Broker::At) }
}

fn endpoint(value: &str) -> Result<Endpoint, UsageError> {
    let wrong = |what: &str| {
        UsageError(format!("--broker {value}: {what}; write it as HOST:PORT, such as localhost:8883"))
    };
    if value.contains("://") {
        return Err(wrong("a host name is wanted, not a URL"));
    }
    let (host, port) = value.rsplit_once(':').ok_or_else(|| wrong("the port is missing"))?;
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.strip_suffix(']').ok_or_else(|| wrong("the bracket is not closed"))?,
        None if host.contains(':') => return Err(wrong("an IPv6 address goes in brackets")),
        None => host,
    };
    if host.is_empty() {
        return Err(wrong("the host is missing"));
    }
    let endpoint = Endpoint::new(host).map_err(|_| wrong("that is no host name"))?;
    let port = port.parse().map_err(|_| wrong("the port is a number from 1 to 65535"))?;
    Ok(endpoint.with_port(port))
}

fn sid(value: String) -> Result<String, UsageError> {
    let digits = value.strip_prefix("UV").unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(value)
    } else {
        Err(UsageError(format!(
            "--sid {value}: a device SID is UV followed by 32 hexadecimal digits, such as {EXAMPLE_SID}"
        )))
    }
}

fn publishes(value: &str) -> Result<u32, UsageError> {
    match value.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(UsageError(format!("--publishes {value}: give a whole number from 1 to {}", u32::MAX))),
    }
}

fn seconds(option: &str, value: &str) -> Result<Duration, UsageError> {
    let duration = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|&duration| duration <= LONGEST).ok_or_else(|| {
        UsageError(format!("{option} {value}: give seconds from 0 to {}, such as 0.5", LONGEST.as_secs()))
    })
}
