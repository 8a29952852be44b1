//! The command `policy`.

use std::io::{self, Write};

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use microvisor::DeviceId;
use microvisor_provision::{Policy, PolicyError, PolicyOptions};

use super::{CommandLine, Outcome, Result};

/// Prints the AWS IoT policy that allows what the library's topics need, and nothing else
///
/// A device may connect under the name of its Thing, publish to sensor/device/SID, and subscribe to and
/// receive from command/device/SID and command/device/all. One policy does for all devices, since the
/// SID in it is the name of the Thing to which a certificate is attached.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  microvisor-provision policy --region eu-west-1 --account 123456789012 >policy.json
  aws iot create-policy --policy-name microvisor --policy-document file://policy.json
  microvisor-provision policy --region eu-west-1 --account 123456789012 \\
      --publish 'status/{sid}' --subscribe 'fleet/+/orders'

Exit codes: 0 if the policy is printed, 1 if AWS IoT would not take it, 2 for a wrong command line.")]
pub(crate) struct PolicyArguments {
    /// The region of your endpoint, such as eu-west-1.
    #[arg(long)]
    region: String,

    /// The number of your AWS account: 12 digits.
    #[arg(long)]
    account: String,

    /// One more topic to publish to; {sid} stands for the device's SID. Can be repeated.
    #[arg(long, value_name = "TOPIC")]
    publish: Vec<String>,

    /// One more topic filter to subscribe to; {sid} stands for the device's SID. Can be repeated.
    #[arg(long, value_name = "FILTER")]
    subscribe: Vec<String>,

    /// For this device alone, instead of the name of whichever Thing connects.
    #[arg(long, value_name = "SID", value_parser = DeviceId::parse)]
    fixed_thing: Option<DeviceId>,
}

impl PolicyArguments {
    pub(crate) fn run(self) -> Result {
        let policy = Policy::new(&self.options().unwrap_or_else(|error| wrong_usage(&error)))?;
        writeln!(io::stdout(), "{policy}")?;
        Ok(Outcome::Done)
    }

    /// What is wrong is a value on the command line.
    fn options(self) -> Result<PolicyOptions, PolicyError> {
        let mut options = PolicyOptions::new(self.region, self.account)?;
        for topic in self.publish {
            options = options.publish(topic)?;
        }
        for filter in self.subscribe {
            options = options.subscribe(filter)?;
        }
        Ok(match self.fixed_thing {
            Some(sid) => options.fixed_thing(sid),
            None => options,
        })
    }
}

fn wrong_usage(error: &PolicyError) -> ! {
    CommandLine::command().error(ErrorKind::ValueValidation, error).exit()
}
