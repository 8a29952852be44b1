use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::header::RETRY_AFTER;
use ureq::http::{HeaderValue, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout};
use zeroize::Zeroizing;

use super::{Address, Answer, BaseUrl, Credentials, CredentialsError, NoAnswer};

/// More than an answer about one entry takes.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// How to reach the API.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// PEM file with the certificates of the CAs that the API's certificate may come from, in the place of
    /// the public CAs.
    pub ca: Option<PathBuf>,
    /// How long one request may take, connecting included; 30 s if not given.
    pub timeout: Option<Duration>,
    /// How many connections to keep open between requests; at least one.
    pub connections: usize,
}

/// Sends single requests, with credentials, and follows no redirects. It may be shared between threads.
///
/// Values are zeroised in the requests that are built here; the HTTP and TLS libraries' own buffers are not.
pub struct Client {
    agent: Agent,
    base: BaseUrl,
    credentials: Credentials,
    authorization: HeaderValue,
}

impl Client {
    /// Sends nothing yet.
    ///
    /// # Errors
    ///
    /// - [`ClientError::Unreadable`], [`ClientError::NoCertificate`]: of the file with CAs.
    /// - [`ClientError::Credentials`]: they cannot be sent.
    pub fn new(
        base: BaseUrl,
        credentials: Credentials,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        let authorization = credentials.authorization()?;
        let roots = options.ca.as_deref().map_or(Ok(RootCerts::WebPki), read_roots)?;
        let timeout = options.timeout.unwrap_or(Duration::from_secs(30));
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(!base.is_loopback())
            .max_redirects(0)
            .user_agent(concat!("microvisor-provision/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_global(Some(timeout))
            .timeout_connect(Some(timeout.min(Duration::from_secs(10))))
            .max_idle_connections(options.connections.max(1))
            .max_idle_connections_per_host(options.connections.max(1));
        if base.is_loopback() {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), base, credentials, authorization })
    }

    /// Where the API is.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Whose entries these are.
    pub fn account_sid(&self) -> &str {
        self.credentials.account_sid()
    }

    /// Creates an entry: `POST`. 409 if the key is there already.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`], which says whether the entry may be there all the same.
    pub fn create(&self, address: &Address, value: &str) -> Result<Answer, NoAnswer> {
        let request = self
            .agent
            .post(self.url(&address.collection()))
            .header("Authorization", self.authorization.clone())
            .header("Content-Type", "application/x-www-form-urlencoded");
        self.answer(request.send(form(address.key(), value).as_bytes()))
    }

    /// Reads an entry: `GET`. 404 if it is not there. Of a secret, this is without its value.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`], also if the answer broke off.
    pub fn read(&self, address: &Address) -> Result<Answer, NoAnswer> {
        let request =
            self.agent.get(self.url(&address.item())).header("Authorization", self.authorization.clone());
        self.answer(request.call())
    }

    /// Deletes an entry: `DELETE`. 404 if it is not there.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`], which says whether the entry may be gone all the same.
    pub fn delete(&self, address: &Address) -> Result<Answer, NoAnswer> {
        let request =
            self.agent.delete(self.url(&address.item())).header("Authorization", self.authorization.clone());
        self.answer(request.call())
    }

    /// What the API says of an error, unless that repeats `value` or the token.
    pub fn message(&self, answer: &Answer, value: &str) -> Option<String> {
        answer.message().filter(|message| !message.contains(value) && !self.credentials.is_in(message))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    #[expect(clippy::unused_self, reason = "reads as what the client does with every answer")]
    fn answer(&self, received: Result<Response<Body>, ureq::Error>) -> Result<Answer, NoAnswer> {
        let mut response = received.map_err(no_answer)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|field| field.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec().map_err(no_answer)?;
        Ok(Answer::new(status, retry_after, body))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// The fields `Key` and `Value`. Its room is reserved beforehand: growing would leave parts of a secret in
/// freed memory.
fn form(key: &str, value: &str) -> Zeroizing<String> {
    let mut form = Zeroizing::new(String::with_capacity("Key=&Value=".len() + 3 * (key.len() + value.len())));
    form.push_str("Key=");
    form.extend(utf8_percent_encode(key, NON_ALPHANUMERIC));
    form.push_str("&Value=");
    form.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    form
}

fn read_roots(path: &Path) -> Result<RootCerts, ClientError> {
    let pem = std::fs::read(path).map_err(|source| ClientError::Unreadable(path.to_owned(), source))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(ClientError::NoCertificate(path.to_owned()));
    }
    Ok(RootCerts::from(certificates))
}

fn no_answer(error: ureq::Error) -> NoAnswer {
    match error {
        ureq::Error::HostNotFound => NoAnswer::NotSent("its host is not known".to_owned()),
        ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => {
            NoAnswer::NotSent(error.to_string())
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            NoAnswer::NotSent("connecting took too long".to_owned())
        }
        ureq::Error::Timeout(_) => NoAnswer::Lost("it took too long".to_owned()),
        ureq::Error::Rustls(error) => tls_failure(&error),
        ureq::Error::Io(error) => io_failure(&error),
        error => NoAnswer::Lost(error.to_string()),
    }
}

fn io_failure(error: &io::Error) -> NoAnswer {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_failure(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => NoAnswer::NotSent(error.to_string()),
        _ => NoAnswer::Lost(error.to_string()),
    }
}

/// Certificates are looked at before anything is sent; other failures of TLS may come at any time.
fn tls_failure(error: &rustls::Error) -> NoAnswer {
    match error {
        rustls::Error::InvalidCertificate(reason) => NoAnswer::Untrusted(reason.to_string()),
        error => NoAnswer::Lost(error.to_string()),
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The file with the CAs' certificates cannot be read.
    #[error("cannot read the CA certificates in {}: {source}", .0.display(), source = .1)]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file holds no certificate.
    #[error("{} holds no certificate: give a PEM file with `BEGIN CERTIFICATE`", .0.display())]
    NoCertificate(PathBuf),
    /// The credentials cannot be sent.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn form_fields_survive_every_character() {
        assert_eq!(*form("a key", "x=1&y+é\n"), "Key=a%20key&Value=x%3D1%26y%2B%C3%A9%0A");
    }
}
