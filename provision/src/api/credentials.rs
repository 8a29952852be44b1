use core::fmt;
use std::io::IsTerminal;

use base64ct::{Base64, Encoding};
use secrecy::{ExposeSecret, SecretString};
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

/// Account SID and authentication token, for HTTP basic authentication. The token is not in `Debug`, and is
/// zeroised on drop.
#[derive(Clone)]
pub struct Credentials {
    account_sid: String,
    auth_token: SecretString,
}

impl Credentials {
    /// The environment variable with the account SID.
    pub const ACCOUNT_SID: &str = "MICROVISOR_ACCOUNT_SID";
    /// The environment variable with the authentication token.
    pub const AUTH_TOKEN: &str = "MICROVISOR_AUTH_TOKEN";

    /// Credentials from somewhere else than the environment.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Malformed`]: one is empty, has control characters in it, or the SID has a colon.
    pub fn new(account_sid: impl Into<String>, auth_token: SecretString) -> Result<Self, CredentialsError> {
        let account_sid = account_sid.into();
        // The colon ends the user name in basic authentication (RFC 7617 §2).
        if !is_plain(&account_sid) || account_sid.contains(':') {
            return Err(CredentialsError::Malformed("account SID"));
        }
        if !is_plain(auth_token.expose_secret()) {
            return Err(CredentialsError::Malformed("authentication token"));
        }
        Ok(Self { account_sid, auth_token })
    }

    /// From the environment, and what is missing there from a prompt, which hides the token.
    ///
    /// # Errors
    ///
    /// - [`CredentialsError::Missing`]: not in the environment, and there is no terminal to ask at.
    /// - [`CredentialsError::Malformed`]: what was given cannot be sent.
    /// - [`CredentialsError::Prompt`]: the terminal could not be read.
    pub fn from_environment_or_prompt() -> Result<Self, CredentialsError> {
        let account_sid = match from_environment(Self::ACCOUNT_SID, "account SID")? {
            Some(account_sid) => account_sid,
            None => Zeroizing::new(ask(Self::ACCOUNT_SID, "Account SID: ", read_shown)?),
        };
        let auth_token = match from_environment(Self::AUTH_TOKEN, "authentication token")? {
            Some(auth_token) => auth_token,
            None => Zeroizing::new(ask(Self::AUTH_TOKEN, "Authentication token (not shown): ", read_hidden)?),
        };
        Self::new(account_sid.as_str(), SecretString::from(auth_token.as_str()))
    }

    /// The account's SID, which is no secret.
    pub fn account_sid(&self) -> &str {
        &self.account_sid
    }

    /// The token, to see that a text does not hold it.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.contains(self.auth_token.expose_secret())
    }

    /// The header field for requests. It is marked as sensitive, so that it does not show in `Debug`.
    pub(super) fn authorization(&self) -> Result<HeaderValue, CredentialsError> {
        let pair = Zeroizing::new(format!("{}:{}", self.account_sid, self.auth_token.expose_secret()));
        let field =
            Zeroizing::new(format!("Basic {}", *Zeroizing::new(Base64::encode_string(pair.as_bytes()))));
        let mut value =
            HeaderValue::from_str(&field).map_err(|_| CredentialsError::Malformed("authentication token"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// An empty variable counts as none.
fn from_environment(
    variable: &'static str,
    what: &'static str,
) -> Result<Option<Zeroizing<String>>, CredentialsError> {
    match std::env::var_os(variable) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => {
            let text = value.into_string().map_err(|_| CredentialsError::Malformed(what))?;
            Ok(Some(Zeroizing::new(text)))
        }
    }
}

fn ask(
    variable: &'static str,
    prompt: &str,
    read: fn(&str) -> std::io::Result<String>,
) -> Result<String, CredentialsError> {
    if !std::io::stdin().is_terminal() {
        return Err(CredentialsError::Missing(variable));
    }
    read(prompt).map_err(CredentialsError::Prompt)
}

fn read_shown(prompt: &str) -> std::io::Result<String> {
    eprint!("{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn read_hidden(prompt: &str) -> std::io::Result<String> {
    rpassword::prompt_password(prompt)
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// An environment variable is not set, and there is nobody to ask.
    #[error("{0} is not set, and there is no terminal to ask at: set it in the environment")]
    Missing(&'static str),
    /// The account SID or the token is empty or has characters that cannot be sent.
    #[error(
        "the {0} is empty, or has characters in it that cannot be sent: copy it once more from the console"
    )]
    Malformed(&'static str),
    /// The terminal could not be read.
    #[error("cannot ask for the credentials at the terminal: {0}")]
    Prompt(#[source] std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::{Credentials, CredentialsError};

    #[test]
    fn neither_debug_form_shows_the_token() {
        let credentials = Credentials::new("AC1", "t0ken-of-the-account".into()).unwrap();
        let shown = format!("{credentials:?} {:?}", credentials.authorization().unwrap());
        assert!(!shown.contains("t0ken") && !shown.contains("QUMx"), "{shown}");
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for (sid, token) in [("", "t"), ("AC1", ""), ("AC:1", "t"), ("AC1", "t\r\nX-Other: field")] {
            let refused = Credentials::new(sid, token.into());
            assert!(matches!(refused, Err(CredentialsError::Malformed(_))), "{sid:?} {token:?}");
        }
    }
}
