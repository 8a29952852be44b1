//! The command `upload`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use microvisor::DeviceId;
use microvisor_provision::bundle::{Bundle, Scope};
use microvisor_provision::upload::{EntryReport, NoHistory, Stored, Upload, UploadReport, curl_commands};

use super::api_options::{ApiOptions, CREDENTIALS_HELP, stop_at_ctrl_c};
use super::{Outcome, Result};

/// Uploads a bundle to a device's config and secret stores
///
/// Creates each entry, and reads configs back. What is there already is left alone: a config is compared, a
/// secret cannot be. It can be run again at any time: what is stored is not sent twice.
#[derive(Debug, Args)]
#[command(after_long_help = long_help())]
pub(crate) struct UploadArguments {
    /// The bundle, as `bundle` makes it
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,

    /// The device, where the bundle does not say which
    #[arg(long, value_name = "SID", value_parser = device_id)]
    sid: Option<DeviceId>,

    /// Delete and create anew the secrets that are there, and the configs that are there with another value
    #[arg(long)]
    replace: bool,

    /// Print curl commands that do the same, with secrets masked, and send nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    api: ApiOptions,
}

fn long_help() -> String {
    format!(
        "\
{CREDENTIALS_HELP}

Examples:
  export MICROVISOR_API_URL=https://api.example.com
  microvisor-provision upload device.json --dry-run
  microvisor-provision upload device.json
  microvisor-provision upload device.json --sid UV0123456789abcdef0123456789abcdef --replace

Exit codes:
  0    all entries are stored
  1    some entry is not, or not for sure; the output says of each what is stored, what to do
  2    the command line is wrong
  130  ended at once by a second Ctrl-C"
    )
}

pub(crate) fn device_id(text: &str) -> std::result::Result<DeviceId, String> {
    DeviceId::parse(text).map_err(|error| error.to_string())
}

impl UploadArguments {
    pub(crate) fn run(self) -> Result {
        let bundle = Bundle::read(&self.bundle)?;
        let device = self.device(&bundle)?;
        if self.dry_run {
            let commands = curl_commands(&bundle, &device, &self.api.base()?, self.replace);
            io::stdout().write_all(commands.as_bytes())?;
            return Ok(Outcome::Done);
        }
        let client = self.api.client(1)?;
        let stop = stop_at_ctrl_c()?;
        let upload = Upload { client: &client, caller: self.api.caller(&stop), replace: self.replace };
        // Whoever reads this may have gone; that must not end an upload half-way.
        let report = upload.bundle(&bundle, &device, &NoHistory, |entry| {
            let _ = print_entry(entry);
        });
        let _ = print_summary(&report);
        Ok(if report.is_good() { Outcome::Done } else { Outcome::Failed })
    }

    fn device(&self, bundle: &Bundle) -> Result<DeviceId> {
        match (bundle.sid(), self.sid) {
            (Some(said), Some(asked)) if !said.as_str().eq_ignore_ascii_case(asked.as_str()) => {
                Err(format!("the bundle is for {said}, not for {asked}: make one for that device").into())
            }
            (Some(said), _) => Ok(*said),
            (None, Some(asked)) => Ok(asked),
            (None, None) if bundle.entries().iter().any(|entry| entry.scope() == Scope::Device) => {
                Err("the bundle does not say for which device it is: give --sid".into())
            }
            // Entries of the account are the same for all devices: no request names this one.
            (None, None) => Ok(DeviceId::parse("UV00000000000000000000000000000000")?),
        }
    }
}

fn print_entry(report: &EntryReport) -> io::Result<()> {
    let (address, outcome) = (&report.address, &report.outcome);
    let mut out = io::stdout().lock();
    writeln!(out, "{:<10}  {address}: {outcome}", outcome.stored().label())?;
    if let Some(advice) = outcome.advice() {
        writeln!(out, "{:<10}  -> {advice}", "")?;
    }
    out.flush()
}

fn print_summary(report: &UploadReport) -> io::Result<()> {
    let count = |stored| report.entries.iter().filter(|entry| entry.outcome.stored() == stored).count();
    let (all, yes, unknown) = (report.entries.len(), count(Stored::Yes), count(Stored::Unknown));
    let mut out = io::stdout().lock();
    write!(out, "{yes} of {all} entries stored")?;
    if unknown > 0 {
        write!(out, ", of {unknown} it is not known")?;
    }
    writeln!(out)
}
