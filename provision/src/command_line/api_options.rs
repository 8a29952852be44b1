//! What the commands have in common that talk to the platform's API.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use microvisor_provision::api::{
    BaseUrl, Caller, Client, ClientOptions, Credentials, Patience, Stop, SystemClock,
};

use super::Result;

/// Where the API is, and how long to try.
#[derive(Debug, Args)]
#[command(next_help_heading = "API")]
pub(crate) struct ApiOptions {
    // No doc comment, in which the address would have to be a link.
    #[arg(
        long,
        help = "The API's address, such as https://api.example.com; http is for this machine alone",
        value_name = "URL",
        env = "MICROVISOR_API_URL",
        hide_env_values = true
    )]
    api_url: Option<String>,

    /// PEM file with the CAs that the API's certificate may come from, in the place of the public ones
    #[arg(long, value_name = "FILE", env = "MICROVISOR_API_CA", hide_env_values = true)]
    ca: Option<PathBuf>,

    /// How long one request may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,

    /// How often a request is sent that is not answered, or with 429 or 5xx
    #[arg(long, value_name = "NUMBER", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,

    /// The longest wait before the second try; it doubles from try to try, up to 30 s
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    retry_delay: Duration,
}

/// What `--help` says of the credentials.
pub(crate) const CREDENTIALS_HELP: &str = "\
Credentials:
  MICROVISOR_ACCOUNT_SID and MICROVISOR_AUTH_TOKEN in the environment; what is not there is asked
  for at the terminal. They are never taken from the command line, which all users can see.";

impl ApiOptions {
    /// The address.
    pub(crate) fn base(&self) -> Result<BaseUrl> {
        let text = self.api_url.as_deref().filter(|text| !text.is_empty()).ok_or(
            "the API's address is not known: give it with --api-url, or in the environment as MICROVISOR_API_URL",
        )?;
        Ok(BaseUrl::parse(text)?)
    }

    /// A client for as many requests at a time; asks for credentials.
    pub(crate) fn client(&self, connections: usize) -> Result<Client> {
        let base = self.base()?;
        let options = ClientOptions { ca: self.ca.clone(), timeout: Some(self.timeout), connections };
        Ok(Client::new(base, Credentials::from_environment_or_prompt()?, &options)?)
    }

    /// Sends requests as often as was asked for.
    pub(crate) fn caller<'a>(&self, stop: &'a Stop) -> Caller<'a> {
        let patience = Patience { tries: self.tries, first_delay: self.retry_delay, ..Patience::default() };
        Caller { patience, clock: &SystemClock, stop }
    }
}

/// Up to a day, with a fraction.
fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("not from 0 to 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A flag that Ctrl-C raises: then what was begun is ended, and nothing new is. A second Ctrl-C ends the
/// program at once, with exit code 130.
pub(crate) fn stop_at_ctrl_c() -> Result<Stop> {
    let stop = Stop::new();
    let raised = stop.clone();
    ctrlc::set_handler(move || {
        if raised.is_requested() {
            std::process::exit(130);
        }
        eprintln!("stopping; what is being sent is ended first (Ctrl-C once more: at once)");
        raised.request();
    })?;
    Ok(stop)
}
