//! A device that talks to AWS IoT Core, on this machine; see `--help`.

mod credentials;
mod options;
mod test_pki;

use std::process::ExitCode;

use options::{Command, HELP, Options};

/// As is usual for a wrong command line.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(USAGE);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(folder) = &options.credentials {
        let c = credentials::Credentials::read(folder)?;
        for n in &c.notes {
            println!("{n}");
        }
        for n in &c.warnings {
            eprintln!("warning: {n}");
        }
        println!("{:02x?}", &c.private_key[..20]);
    } else {
        let p = test_pki::TestPki::create("host.example", &options.sid)?;
        println!(
            "{} {} {} {}",
            p.root_ca.len(),
            p.server_certificate.len(),
            p.device_certificate.len(),
            p.device_key.len()
        );
    }
    Ok(())
}
