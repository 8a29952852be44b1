//! The command `bundle`.

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;
use microvisor::DeviceId;
use microvisor_provision::bundle::{Bundle, Encoding, Store};
use microvisor_provision::{
    BundleOptions, CheckOptions, EncodingChoice, Endpoint, Provisioning, ProvisioningError,
};

use super::{Outcome, Result};

/// Makes a device's config and secret entries of its files, once they pass all checks
///
/// The output is what `upload` takes, what the simulator loads, and what the example `aws_iot` runs with
/// (`--bundle`). It holds the private key: only its owner may read it (mode 0600). Nothing is written
/// unless the files are good.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  microvisor-provision bundle thing/ --endpoint a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com \\
      --sid UV0123456789abcdef0123456789abcdef -o device.json
  microvisor-provision bundle thing/ --endpoint localhost --port 8884 --encoding base64 -o device.json

`aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints your account's endpoint.

Exit codes: 0 if the bundle is written; 1 if the files are not good, or cannot be read or written; 2 for a
wrong command line.")]
pub(crate) struct BundleArguments {
    /// The folder with the files that AWS IoT handed out, or the files themselves.
    #[arg(required = true, value_name = "DIR|FILES")]
    paths: Vec<PathBuf>,

    /// The broker's host name: for AWS IoT, your account's device data endpoint.
    #[arg(long, value_name = "HOST")]
    endpoint: Endpoint,

    /// The broker's port.
    #[arg(long, default_value_t = Endpoint::DEFAULT_PORT)]
    port: NonZeroU16,

    /// The device: UV and 32 hex digits. Without it, the bundle is for whichever device.
    #[arg(long, value_parser = DeviceId::parse)]
    sid: Option<DeviceId>,

    /// How the certificates and the key are written: hex, base64, or auto, which is hex where it fits the
    /// store and base64 elsewhere. The device's program has to be told where it is base64.
    #[arg(long, default_value = "auto", value_name = "ENCODING")]
    encoding: EncodingChoice,

    /// The file to write, in the place of what has its name.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl BundleArguments {
    pub(crate) fn run(self) -> Result {
        let endpoint = self.endpoint.with_port(self.port);
        let provisioning = Provisioning::from_paths(&self.paths)?;
        let check = CheckOptions::new().endpoint(endpoint.clone()).encoding(self.encoding);
        for warning in provisioning.check(&check).warnings() {
            eprintln!("warning: {warning}");
        }
        let mut options = BundleOptions::new(endpoint).encoding(self.encoding);
        if let Some(sid) = self.sid {
            options = options.sid(sid);
        }
        let bundle = match provisioning.bundle(&options) {
            Ok(bundle) => bundle,
            Err(ProvisioningError::Unfit(report)) => {
                for error in report.errors() {
                    eprintln!("error: {error}");
                }
                return Ok(Outcome::Failed);
            }
            Err(error) => return Err(error.into()),
        };
        bundle.write(&self.output)?;
        print(&bundle, &self.output, &mut io::stdout().lock())?;
        Ok(Outcome::Done)
    }
}

fn print(bundle: &Bundle, output: &std::path::Path, out: &mut impl Write) -> io::Result<()> {
    let sid = bundle.sid().map_or("whichever device", DeviceId::as_str);
    writeln!(out, "{}: {} entries for {sid}", output.display(), bundle.entries().len())?;
    for entry in bundle.entries() {
        let (store, key, encoding) = (entry.store(), entry.key(), entry.encoding());
        match (store, encoding) {
            (Store::Config, Encoding::Text) => writeln!(out, "  {store:6}  {key:11}  {}", entry.value())?,
            _ => writeln!(out, "  {store:6}  {key:11}  {encoding}, {} characters", entry.value().len())?,
        }
    }
    let base64 = bundle.entries().iter().filter(|entry| entry.encoding() == Encoding::Base64);
    let base64: Vec<_> = base64.map(microvisor_provision::bundle::Entry::key).collect();
    if !base64.is_empty() {
        writeln!(
            out,
            "tell the device's program that these are base64 (microvisor::aws::Encodings): {}",
            base64.join(", ")
        )?;
    }
    writeln!(out, "it holds the private key: keep it to yourself")
}
