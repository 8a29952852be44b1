use core::fmt;
use core::net::IpAddr;

use ureq::http::Uri;
use ureq::http::uri::Scheme;

/// Where the REST API is, such as `https://api.example.com`; the API's own paths begin behind it with `/v1`.
///
/// Always https, so that neither token nor secrets cross a network in the clear; http is for this machine
/// alone (`localhost`, `127.0.0.1`, `[::1]`), for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// Without a slash at its end.
    text: String,
    loopback: bool,
}

impl BaseUrl {
    /// Takes an address apart.
    ///
    /// # Errors
    ///
    /// - [`BaseUrlError::Unreadable`]: give scheme and host, such as `https://api.example.com`.
    /// - [`BaseUrlError::NotSecure`]: use https.
    /// - [`BaseUrlError::HasCredentials`], [`BaseUrlError::HasQuery`]: leave these out.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        // What follows `#` is not part of a request, and the parser drops it in silence.
        if text.contains(['?', '#']) {
            return Err(BaseUrlError::HasQuery);
        }
        if text.contains('@') {
            return Err(BaseUrlError::HasCredentials);
        }
        let uri: Uri = text.parse().map_err(|_| BaseUrlError::Unreadable)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(BaseUrlError::Unreadable)?;
        let loopback = is_loopback(host);
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS || (*scheme == Scheme::HTTP && loopback) => {}
            Some(scheme) if *scheme == Scheme::HTTP => return Err(BaseUrlError::NotSecure),
            _ => return Err(BaseUrlError::Unreadable),
        }
        Ok(Self { text: text.trim_end_matches('/').to_owned(), loopback })
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether requests stay on this machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Why an address cannot be the API's. No variant holds the address, which may have a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// It is no address of http or https with a host.
    #[error("the API's address cannot be read: give scheme and host, such as https://api.example.com")]
    Unreadable,
    /// It is http, and not of this machine.
    #[error(
        "the API's address is http, which would show the token and the secrets to the network: use https \
         (http is for 127.0.0.1 and localhost alone)"
    )]
    NotSecure,
    /// It holds a user name or a password.
    #[error(
        "the API's address holds a user name or password: leave it out, and put the credentials into \
         MICROVISOR_ACCOUNT_SID and MICROVISOR_AUTH_TOKEN"
    )]
    HasCredentials,
    /// It has a query or a fragment.
    #[error("the API's address has a `?` or `#` in it: give it without what follows that")]
    HasQuery,
}

#[cfg(test)]
mod tests {
    use super::{BaseUrl, BaseUrlError};

    #[test]
    fn https_is_taken_anywhere_and_http_on_this_machine_alone() {
        for good in
            ["https://api.example.com", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80/api/"]
        {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        for bad in ["http://api.example.com", "http://127.0.0.1.example.com", "http://localhost.example.com"]
        {
            assert_eq!(BaseUrl::parse(bad), Err(BaseUrlError::NotSecure), "{bad}");
        }
    }

    #[test]
    fn what_is_no_bare_address_is_refused() {
        for bad in ["", "api.example.com", "/v1", "ftp://127.0.0.1", "https://", "https:///v1"] {
            assert_eq!(BaseUrl::parse(bad), Err(BaseUrlError::Unreadable), "{bad}");
        }
        assert_eq!(BaseUrl::parse("https://AC1:token@api.example.com"), Err(BaseUrlError::HasCredentials));
        assert_eq!(BaseUrl::parse("https://api.example.com?x=y"), Err(BaseUrlError::HasQuery));
        assert_eq!(BaseUrl::parse("https://api.example.com#x"), Err(BaseUrlError::HasQuery));
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        assert_eq!(BaseUrl::parse("https://a.example/x/"), BaseUrl::parse("https://a.example/x"));
    }
}
