use core::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// What the API answered to one request.
pub struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    pub(super) fn new(status: u16, retry_after: Option<String>, body: Vec<u8>) -> Self {
        Self { status, retry_after, body: Zeroizing::new(body) }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The field `Retry-After`, as it came.
    pub fn retry_after(&self) -> Option<&str> {
        self.retry_after.as_deref()
    }

    /// Whether it was done.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the API may answer otherwise in a while: 429, or an error of its own but those that say that
    /// it will never do this (501, 505).
    pub fn is_temporary(&self) -> bool {
        self.status == 429 || (self.status >= 500 && !matches!(self.status, 501 | 505))
    }

    /// The `value` of a config that was read; `None` if the answer holds none.
    pub fn value(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Config {
            value: String,
        }
        serde_json::from_slice(&self.body).ok().map(|config: Config| config.value)
    }

    /// What the API says of an error, made fit for a terminal: no control characters, and not too long.
    pub fn message(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Problem {
            message: String,
        }
        let problem: Problem = serde_json::from_slice(&self.body).ok()?;
        let shown: String =
            problem.message.chars().filter(|character| !character.is_control()).take(MESSAGE_LIMIT).collect();
        (!shown.is_empty()).then_some(shown)
    }

    /// The API's own number for an error.
    pub fn code(&self) -> Option<i64> {
        #[derive(Deserialize)]
        struct Problem {
            code: i64,
        }
        serde_json::from_slice(&self.body).ok().map(|problem: Problem| problem.code)
    }
}

/// Enough for a sentence or two.
const MESSAGE_LIMIT: usize = 200;

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why a request was not answered, and whether it may have had an effect all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// There was no connection: the request cannot have had an effect.
    #[error("no connection to the API: {0}")]
    NotSent(String),
    /// The connection broke, or the answer took too long: the request may have been carried out.
    #[error("the API's answer was lost: {0}")]
    Lost(String),
    /// The API's certificate is not trusted; trying again is no use. The request had no effect.
    #[error(
        "the API's certificate is not trusted: {0}; if the API's certificates are of your own making, give the CA's \
         with --ca"
    )]
    Untrusted(String),
}

impl NoAnswer {
    /// Whether the request may have been carried out.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    fn answer(body: &str) -> Answer {
        Answer::new(400, None, body.as_bytes().to_vec())
    }

    #[test]
    fn a_message_cannot_steer_the_terminal_nor_flood_it() {
        let long = format!(r#"{{"message":"\u001b[2Jwrong\n{}"}}"#, "x".repeat(1000));
        let message = answer(&long).message().unwrap();
        assert!(message.starts_with("[2Jwrongx") && message.len() == 200, "{message:?}");
    }

    #[test]
    fn an_answer_that_is_no_json_has_neither_value_nor_message() {
        for body in ["", "<html>", "[]", r#"{"value":7,"message":7}"#] {
            assert_eq!((answer(body).value(), answer(body).message()), (None, None), "{body}");
        }
    }
}
