//! The command `fleet`.

use std::io::{self, Write};
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use microvisor_provision::fleet::{
    Defaults, DeviceList, DeviceReport, DeviceState, Fleet, FleetReport, Identity, Journal, Plan,
    ReportFormat, check_all, shared_certificates,
};
use microvisor_provision::upload::{Upload, curl_commands};
use microvisor_provision::{EncodingChoice, Endpoint};

use super::api_options::{ApiOptions, CREDENTIALS_HELP, stop_at_ctrl_c};
use super::{Outcome, Result};

/// Checks, bundles and uploads for many devices, and carries on where it was interrupted
///
/// The list is a CSV file with a header: the columns sid and folder (relative to the list), and where a
/// device is to differ from the options, endpoint, port and encoding. All rows and files are checked before
/// anything is sent. What is done is written to a journal, which has no secrets in it: run the same command
/// again to carry on after whatever ended it.
#[derive(Debug, Args)]
#[command(after_long_help = long_help())]
pub(crate) struct FleetArguments {
    /// The list of devices
    #[arg(value_name = "LIST")]
    list: PathBuf,

    /// The broker's host name, where the list has none
    #[arg(long, value_name = "HOST")]
    endpoint: Option<Endpoint>,

    /// The broker's port, where the list has none; 8883 if not given
    #[arg(long)]
    port: Option<NonZeroU16>,

    /// How certificates and keys are written, where the list does not say: hex, base64, or auto
    #[arg(long, default_value = "auto", value_name = "ENCODING")]
    encoding: EncodingChoice,

    /// How many devices are uploaded at a time
    #[arg(long, value_name = "NUMBER", default_value = "4", value_parser = jobs)]
    jobs: NonZeroUsize,

    /// The journal; LIST with .journal behind it if not given
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Carry on though the list was changed, and begin devices anew whose files were
    #[arg(long)]
    accept_changes: bool,

    /// Write what became of each device to this file, .csv or .json
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Delete and create anew the secrets that are there, and the configs that are there with another value
    #[arg(long)]
    replace: bool,

    /// Check all rows and files, print curl commands that would do it, with secrets masked, and send nothing
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
  $ cat devices.csv
  sid,folder,encoding
  UV0123456789abcdef0123456789abcdef,things/0001,
  UV0123456789abcdef0123456789abcdf0,things/0002,base64

  export MICROVISOR_API_URL=https://api.example.com
  microvisor-provision fleet devices.csv --endpoint a1b2c3-ats.iot.eu-west-1.amazonaws.com \\
      --dry-run
  microvisor-provision fleet devices.csv --endpoint a1b2c3-ats.iot.eu-west-1.amazonaws.com \\
      --jobs 8 --report report.csv

Exit codes:
  0    all devices are provisioned
  1    the list or a file is not good, and nothing was sent; or some device is not provisioned,
       or not for sure: the report says which, why, and what to do
  2    the command line is wrong
  130  ended at once by a second Ctrl-C; the journal is good"
    )
}

/// More connections than that are no kindness to an API.
fn jobs(text: &str) -> std::result::Result<NonZeroUsize, String> {
    let jobs = text.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= 64);
    jobs.ok_or_else(|| "not from 1 to 64".to_owned())
}

impl FleetArguments {
    pub(crate) fn run(self) -> Result {
        let format = self.report.as_deref().map(ReportFormat::of).transpose()?;
        let defaults = Defaults { endpoint: self.endpoint.clone(), port: self.port, encoding: self.encoding };
        let list = DeviceList::read(&self.list, &defaults)?;
        let plans = self.check(&list)?;
        if self.dry_run {
            return self.print_commands(&plans);
        }
        let client = self.api.client(self.jobs.get())?;
        let identity = Identity::new(&list.fingerprint, &client);
        let journal = Journal::open(&self.journal_path(), &identity, &plans, self.accept_changes)?;
        let stop = stop_at_ctrl_c()?;
        let upload = Upload { client: &client, caller: self.api.caller(&stop), replace: self.replace };
        let bar = progress_bar(plans.len(), "uploading");
        let report = Fleet { upload, jobs: self.jobs }.run(&plans, &journal, |device| show(device, &bar));
        bar.finish_and_clear();
        if let (Some(path), Some(format)) = (&self.report, format) {
            report.write(path, format)?;
        }
        self.print_summary(&report);
        Ok(if report.is_good() { Outcome::Done } else { Outcome::Failed })
    }

    fn check(&self, list: &DeviceList) -> Result<Vec<Plan>> {
        let bar = progress_bar(list.rows.len(), "checking");
        let plans = check_all(&list.rows, self.jobs, || bar.inc(1));
        bar.finish_and_clear();
        let plans = plans?;
        for lines in shared_certificates(&plans) {
            let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
            eprintln!("warning: lines {} have the same certificate: is that meant?", lines.join(", "));
        }
        Ok(plans)
    }

    fn print_commands(&self, plans: &[Plan]) -> Result {
        let base = self.api.base()?;
        let mut out = io::stdout().lock();
        for plan in plans {
            let commands = curl_commands(&plan.row.bundle()?, &plan.row.sid, &base, self.replace);
            writeln!(out, "# line {}: {}", plan.row.line, plan.row.sid)?;
            out.write_all(commands.as_bytes())?;
        }
        Ok(Outcome::Done)
    }

    fn journal_path(&self) -> PathBuf {
        self.journal.clone().unwrap_or_else(|| {
            let mut name = self.list.clone().into_os_string();
            name.push(".journal");
            PathBuf::from(name)
        })
    }

    fn print_summary(&self, report: &FleetReport) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{report}");
        if let Some(reason) = &report.stopped {
            let _ = writeln!(out, "ended before its time: {reason}");
        }
        if !report.is_good() {
            let _ =
                writeln!(out, "what is stored is in {}; run again to carry on", shown(&self.journal_path()));
        }
    }
}

fn shown(path: &Path) -> impl std::fmt::Display + '_ {
    path.display()
}

/// Hidden where the standard error is no terminal.
fn progress_bar(devices: usize, doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(devices as u64).with_message(doing);
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos} of {len}, {eta} to go");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(device: &DeviceReport, bar: &ProgressBar) {
    if device.state == DeviceState::Failed {
        bar.suspend(|| {
            eprintln!(
                "line {}, {}: {} of {} entries stored",
                device.line, device.sid, device.stored, device.entries
            );
            for sentence in &device.problems {
                eprintln!("  {sentence}");
            }
            for sentence in &device.advice {
                eprintln!("  -> {sentence}");
            }
        });
    }
    bar.inc(1);
}
