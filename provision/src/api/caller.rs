use std::time::Duration;

use super::patience::retry_after;
use super::{Answer, Clock, NoAnswer, Patience, Stop};

/// Sends requests until they are answered, with waits between, or it is no use.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// How long to try.
    pub patience: Patience,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Ends waits and keeps from sending more.
    pub stop: &'a Stop,
}

/// An answer that trying again would not change.
#[derive(Debug)]
pub struct Reply {
    /// The last answer.
    pub answer: Answer,
    /// Whether an earlier try of the same request may have been carried out, though nobody said so.
    pub in_doubt: bool,
}

/// Why a request has no answer that says what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halt {
    /// 401 or 403: no other request will be let through either.
    NotAllowed {
        /// The HTTP status.
        status: u16,
        /// Whether an earlier try may have been carried out.
        in_doubt: bool,
    },
    /// Tried as often as patience allows.
    GaveUp {
        /// What the last try came to.
        reason: String,
        /// Whether one of the tries may have been carried out.
        in_doubt: bool,
        /// Whether the API could not be reached at all.
        unreachable: bool,
    },
    /// Somebody asked to stop.
    Stopped {
        /// Whether one of the tries may have been carried out.
        in_doubt: bool,
    },
}

impl Halt {
    /// Whether the request may have been carried out.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::NotAllowed { in_doubt, .. }
            | Self::GaveUp { in_doubt, .. }
            | Self::Stopped { in_doubt } => *in_doubt,
        }
    }
}

impl Caller<'_> {
    /// Sends a request, and again where that may help: after no answer, a 429 or an error of the API's own.
    ///
    /// # Errors
    ///
    /// [`Halt`], with whether the request may have been carried out.
    pub fn call(&self, request: impl Fn() -> Result<Answer, NoAnswer>) -> Result<Reply, Halt> {
        let mut in_doubt = false;
        let mut tried = 0;
        loop {
            if self.stop.is_requested() {
                return Err(Halt::Stopped { in_doubt });
            }
            tried += 1;
            let setback = match request() {
                Ok(answer) if matches!(answer.status(), 401 | 403) => {
                    return Err(Halt::NotAllowed { status: answer.status(), in_doubt });
                }
                Ok(answer) if !answer.is_temporary() => return Ok(Reply { answer, in_doubt }),
                Ok(answer) => self.busy(&answer),
                Err(silence) => Setback::from(silence),
            };
            in_doubt |= setback.in_doubt;
            match self.wait_after(tried, &setback) {
                Some(wait) => self.clock.sleep(wait, self.stop),
                None => return Err(setback.gave_up(tried, in_doubt)),
            }
        }
    }

    fn busy(&self, answer: &Answer) -> Setback {
        let asked = answer.retry_after().and_then(|field| retry_after(field, self.clock.now()));
        let status = answer.status();
        let reason = match asked.filter(|asked| *asked > self.patience.longest_asked) {
            Some(asked) => {
                format!("the API answers with status {status} and asks to wait for {} s", asked.as_secs())
            }
            None => format!("the API answers with status {status}"),
        };
        // An error behind the API may have come after the effect; a request over the limit has none.
        Setback { reason, asked, in_doubt: status != 429, unreachable: false, hopeless: false }
    }

    fn wait_after(&self, tried: u32, setback: &Setback) -> Option<Duration> {
        let wait = self.patience.wait_after(tried, setback.asked, self.clock.jitter());
        wait.filter(|_| !setback.hopeless)
    }
}

/// One try that came to nothing.
struct Setback {
    reason: String,
    /// How long to wait at least.
    asked: Option<Duration>,
    in_doubt: bool,
    unreachable: bool,
    /// Trying again is no use.
    hopeless: bool,
}

impl Setback {
    fn gave_up(self, tried: u32, in_doubt: bool) -> Halt {
        let reason = match tried {
            1 => self.reason,
            _ => format!("{} (tried {tried} times)", self.reason),
        };
        Halt::GaveUp { reason, in_doubt, unreachable: self.unreachable }
    }
}

impl From<NoAnswer> for Setback {
    fn from(silence: NoAnswer) -> Self {
        let hopeless = matches!(silence, NoAnswer::Untrusted(_));
        let in_doubt = silence.is_in_doubt();
        Self { reason: silence.to_string(), asked: None, in_doubt, unreachable: !in_doubt, hopeless }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Mutex;
    use std::time::{Duration, SystemTime};

    use super::{Caller, Halt};
    use crate::api::{Answer, Clock, NoAnswer, Patience, Stop};

    /// Records waits in the place of waiting.
    #[derive(Debug, Default)]
    struct Recorder(Mutex<Vec<Duration>>);

    impl Clock for Recorder {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn sleep(&self, length: Duration, _stop: &Stop) {
            self.0.lock().unwrap().push(length);
        }

        fn jitter(&self) -> f64 {
            0.0
        }
    }

    type Received = Result<Answer, NoAnswer>;

    #[expect(clippy::unnecessary_wraps, reason = "it is one of several things that may be received")]
    fn status(status: u16, retry_after: Option<&str>) -> Received {
        Ok(Answer::new(status, retry_after.map(str::to_owned), Vec::new()))
    }

    fn lost() -> Received {
        Err(NoAnswer::Lost("gone".to_owned()))
    }

    fn refused() -> Received {
        Err(NoAnswer::NotSent("refused".to_owned()))
    }

    /// Calls with these answers to come; returns the status and doubt, and the waits in milliseconds.
    fn call(mut answers: Vec<Received>) -> (Result<(u16, bool), Halt>, Vec<u128>) {
        answers.reverse();
        let (answers, recorder, stop) = (RefCell::new(answers), Recorder::default(), Stop::new());
        let caller = Caller { patience: Patience::default(), clock: &recorder, stop: &stop };
        let result = caller.call(|| answers.borrow_mut().pop().unwrap());
        assert!(answers.borrow().is_empty(), "not all were asked for");
        let waits = recorder.0.lock().unwrap().iter().map(Duration::as_millis).collect();
        (result.map(|reply| (reply.answer.status(), reply.in_doubt)), waits)
    }

    #[test]
    fn an_answer_ends_it() {
        assert_eq!(call(vec![status(409, None)]), (Ok((409, false)), vec![]));
    }

    #[test]
    fn a_lost_answer_and_an_error_of_the_api_leave_doubt_but_a_refused_connection_and_a_429_do_not() {
        assert_eq!(call(vec![lost(), status(201, None)]), (Ok((201, true)), vec![500]));
        assert_eq!(call(vec![status(503, None), status(201, None)]), (Ok((201, true)), vec![500]));
        assert_eq!(
            call(vec![refused(), status(429, None), status(201, None)]),
            (Ok((201, false)), vec![500, 1000])
        );
    }

    #[test]
    fn retry_after_is_waited_for() {
        let dated = status(503, Some("Thu, 01 Jan 1970 00:00:09 GMT"));
        let (result, waits) = call(vec![status(429, Some("17")), dated, status(201, None)]);
        assert_eq!((result, waits), (Ok((201, true)), vec![17_000, 9_000]));
    }

    #[test]
    fn a_wait_of_an_hour_is_not_waited_for() {
        let (result, waits) = call(vec![status(429, Some("3600"))]);
        let Err(Halt::GaveUp { reason, in_doubt: false, unreachable: false }) = result else {
            panic!("{result:?}")
        };
        assert_eq!(
            (reason.as_str(), waits),
            ("the API answers with status 429 and asks to wait for 3600 s", vec![])
        );
    }

    #[test]
    fn it_gives_up_after_as_many_tries_as_patience_allows() {
        let (result, waits) = call((0..6).map(|_| refused()).collect());
        let Err(Halt::GaveUp { reason, in_doubt: false, unreachable: true }) = result else {
            panic!("{result:?}")
        };
        assert!(reason.ends_with("refused (tried 6 times)"), "{reason}");
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000]);
    }

    #[test]
    fn what_is_not_allowed_is_not_tried_again() {
        assert_eq!(call(vec![status(401, None)]).0, Err(Halt::NotAllowed { status: 401, in_doubt: false }));
        assert_eq!(
            call(vec![lost(), status(403, None)]).0,
            Err(Halt::NotAllowed { status: 403, in_doubt: true })
        );
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_not_tried_again() {
        let (result, waits) = call(vec![Err(NoAnswer::Untrusted("unknown issuer".to_owned()))]);
        assert!(matches!(result, Err(Halt::GaveUp { in_doubt: false, .. })) && waits.is_empty());
    }

    #[test]
    fn nothing_is_sent_once_a_stop_was_asked_for() {
        let stop = Stop::new();
        stop.request();
        let caller = Caller { patience: Patience::default(), clock: &Recorder::default(), stop: &stop };
        assert_eq!(caller.call(|| panic!("sent")).unwrap_err(), Halt::Stopped { in_doubt: false });
    }
}
