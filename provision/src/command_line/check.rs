//! The command `check`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use comfy_table::{Table, presets};
use microvisor::config::MAX_VALUE_LEN;
use microvisor_provision::bundle::Encoding;
use microvisor_provision::check::{Level, Part, Report};
use microvisor_provision::{CheckOptions, EncodingChoice, Endpoint, Provisioning};

use super::{Outcome, Result};

/// Says what is right and wrong with a device's files, before the device finds out
///
/// The files are told apart by their content, whatever they are called: the root CA, the device's
/// certificate (PEM or DER, alone or in a chain), and its private key (PKCS#1, SEC1 or PKCS#8, PEM or
/// DER, RSA or EC). Checked are: that the key belongs to the certificate, who issued which certificate,
/// dates, what the certificates may be used for, and that each value fits a store's 4,096 characters.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  microvisor-provision check thing/
  microvisor-provision check AmazonRootCA1.pem 0a1b-certificate.pem.crt 0a1b-private.pem.key
  microvisor-provision check thing/ --json | jq .problems

Exit codes: 0 if a device can be provisioned with the files, though there may be warnings; 1 if not;
2 for a wrong command line.")]
pub(crate) struct CheckArguments {
    /// The folder with the files that AWS IoT handed out, or the files themselves.
    #[arg(required = true, value_name = "DIR|FILES")]
    paths: Vec<PathBuf>,

    /// Also check that the root CA is one for this endpoint, if it is AWS IoT's.
    #[arg(long, value_name = "HOST")]
    endpoint: Option<Endpoint>,

    /// How the values are to be written: hex, base64, or auto, which is hex where it fits.
    #[arg(long, default_value = "auto", value_name = "ENCODING")]
    encoding: EncodingChoice,

    /// Print JSON for programs instead of a table for people.
    #[arg(long)]
    json: bool,
}

impl CheckArguments {
    pub(crate) fn run(self) -> Result {
        let mut options = CheckOptions::new().encoding(self.encoding);
        if let Some(endpoint) = self.endpoint {
            options = options.endpoint(endpoint);
        }
        let report = Provisioning::from_paths(&self.paths)?.check(&options);
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            print(&report, &mut out)?;
        }
        Ok(if report.is_good() { Outcome::Done } else { Outcome::Failed })
    }
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if !report.parts.is_empty() {
        writeln!(out, "{}\n", table(&report.parts))?;
    }
    for sentence in &report.passed {
        writeln!(out, "ok       {sentence}")?;
    }
    for unused in &report.left_aside {
        writeln!(out, "unused   {} {}", unused.file, unused.why)?;
    }
    for problem in &report.problems {
        match problem.level() {
            Level::Warning => writeln!(out, "warning  {problem}")?,
            Level::Error => writeln!(out, "error    {problem}")?,
        }
    }
    writeln!(out, "\n{}", verdict(report))
}

fn table(parts: &[Part]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what", "file", "is", "valid until", "bytes", "fits the store"]);
    for part in parts {
        let valid_until = part.not_after.as_deref().and_then(|time| time.split('T').next()).unwrap_or("-");
        table.add_row([
            part.role.to_string(),
            part.file.clone(),
            part.description.clone(),
            valid_until.to_owned(),
            part.sizes.bytes.to_string(),
            fits(part),
        ]);
    }
    table
}

fn fits(part: &Part) -> String {
    match part.sizes.fits {
        Some(Encoding::Hex) => format!("as hex, {} of {MAX_VALUE_LEN}", part.sizes.hex_characters),
        Some(_) => format!("as base64, {} of {MAX_VALUE_LEN}", part.sizes.base64_characters),
        None => format!("no, {} of {MAX_VALUE_LEN} as base64", part.sizes.base64_characters),
    }
}

fn verdict(report: &Report) -> String {
    let (errors, warnings) = (report.errors().count(), report.warnings().count());
    match (errors, warnings) {
        (0, 0) => "good".to_owned(),
        (0, _) => format!("good, with warnings: {warnings}"),
        _ => format!("not good: errors {errors}, warnings {warnings}"),
    }
}
