use std::io;

use super::{Before, History, Outcome, Rest};
use crate::api::{Address, Answer, Caller, Client, Halt, NoAnswer, Reply, Stop};
use crate::bundle::Store;

/// One entry on its way to its store.
pub(super) struct EntryUpload<'a> {
    pub(super) client: &'a Client,
    pub(super) caller: Caller<'a>,
    pub(super) address: &'a Address,
    pub(super) value: &'a str,
    /// Whether what is there may be deleted.
    pub(super) replace: bool,
    pub(super) history: &'a dyn History,
}

/// An outcome, and what it means for the entries behind it.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) rest: Rest,
}

/// What comes next, or how it ended before that.
type Step<T = Outcome> = Result<T, Ended>;

/// What a `POST` came to.
enum Creation {
    Created,
    /// 409. In doubt if an earlier try of the same request may have been what created it.
    Exists {
        in_doubt: bool,
    },
}

/// Whether a secret's key is there.
#[derive(PartialEq, Eq)]
enum Presence {
    Present,
    Absent,
    /// The API does not tell.
    Unclear,
}

/// How often to create and read, if the API says in turns that a key is there and that it is not.
const ROUNDS: usize = 3;

impl EntryUpload<'_> {
    /// Does all there is to do, and has it written down.
    pub(super) fn run(&self) -> Ended {
        let ended = match self.address.store() {
            Store::Config => self.config(),
            Store::Secret => self.secret(),
        };
        let ended = ended.unwrap_or_else(|ended| ended);
        match self.note(&ended.outcome) {
            Ok(()) => ended,
            Err(error) => Ended { outcome: ended.outcome, rest: Rest::LeaveAll(journal_failure(&error)) },
        }
    }

    fn note(&self, outcome: &Outcome) -> io::Result<()> {
        match outcome {
            outcome if outcome.is_good() => self.history.stored(self.address),
            Outcome::Exists | Outcome::NotStored(_) | Outcome::Missing(_)
                if self.address.store() == Store::Secret =>
            {
                self.history.not_stored(self.address)
            }
            _ => Ok(()),
        }
    }

    fn config(&self) -> Step<Ended> {
        for _ in 0..ROUNDS {
            match self.create(self.caller)? {
                Creation::Created => return self.read_back(Outcome::Created),
                Creation::Exists { in_doubt } => match self.is_same().map_err(Trouble::not_compared)? {
                    Some(true) if in_doubt => return good(Outcome::Created),
                    Some(true) => return good(Outcome::AlreadyStored),
                    Some(false) if self.replace => return self.replace(Outcome::Replaced),
                    Some(false) => return good(Outcome::Differs),
                    // Gone in between.
                    None => {}
                },
            }
        }
        let reason = "the API says in turns that the key is there and that it is not".to_owned();
        good(Outcome::NotStored(reason))
    }

    fn secret(&self) -> Step<Ended> {
        let absent = match self.history.before(self.address) {
            Before::Sent { absent } => return self.secret_sent_before(absent),
            Before::Nothing | Before::Stored => match self.presence()? {
                Presence::Present if self.replace => return self.replace(Outcome::Replaced),
                Presence::Present => return good(Outcome::Exists),
                Presence::Absent => true,
                Presence::Unclear => false,
            },
        };
        self.announce(absent)?;
        match self.create(self.caller)? {
            Creation::Created => good(Outcome::Created),
            Creation::Exists { in_doubt: true } => self.settle(absent),
            Creation::Exists { in_doubt: false } if self.replace => self.replace(Outcome::Replaced),
            Creation::Exists { in_doubt: false } => good(Outcome::Exists),
        }
    }

    /// Of which an earlier run did not learn what came of it.
    fn secret_sent_before(&self, absent: bool) -> Step<Ended> {
        match self.create(self.caller).map_err(Ended::still_in_doubt)? {
            Creation::Created => good(Outcome::Created),
            Creation::Exists { .. } => self.settle(absent),
        }
    }

    /// The key is there, and may be so because it was sent from here.
    fn settle(&self, absent_before: bool) -> Step<Ended> {
        // Asked for once more, since an API that says 404 of every secret would have said so before as well.
        if absent_before && self.presence().map_err(Ended::still_in_doubt)? == Presence::Present {
            return good(Outcome::Created);
        }
        self.replace(Outcome::Created)
    }

    /// Deletes what is there and creates the new value.
    fn replace(&self, outcome: Outcome) -> Step<Ended> {
        self.delete()?;
        if self.address.store() == Store::Secret {
            self.announce(true).map_err(Ended::after_deletion)?;
        }
        // Whoever asks to stop now does not want the key to be missing.
        let never = Stop::new();
        let creation = self.create(Caller { stop: &never, ..self.caller });
        match creation.map_err(Ended::after_deletion)? {
            Creation::Created => self.read_back(outcome),
            // Somebody else was quicker, or an earlier try was carried out; a config's value tells.
            Creation::Exists { .. } if self.address.store() == Store::Config => {
                match self.is_same().map_err(Trouble::not_compared)? {
                    Some(true) => good(outcome),
                    Some(false) => good(Outcome::Differs),
                    None => good(Outcome::Missing("somebody else deleted it at the same time".to_owned())),
                }
            }
            Creation::Exists { in_doubt: true } => good(outcome),
            Creation::Exists { in_doubt: false } => good(Outcome::Exists),
        }
    }

    fn read_back(&self, outcome: Outcome) -> Step<Ended> {
        if self.address.store() == Store::Secret {
            return good(outcome);
        }
        match self.is_same().map_err(Trouble::not_verified)? {
            Some(true) => good(outcome),
            Some(false) => good(Outcome::ReadBackDiffers),
            None => good(Outcome::NotVerified("the API does not find it".to_owned())),
        }
    }

    fn announce(&self, absent: bool) -> Step<()> {
        self.history.sending(self.address, absent).map_err(|error| {
            let reason = journal_failure(&error);
            Ended { outcome: Outcome::NotStored(reason.clone()), rest: Rest::LeaveAll(reason) }
        })
    }

    fn create(&self, caller: Caller<'_>) -> Step<Creation> {
        match caller.call(|| self.client.create(self.address, self.value)) {
            Ok(reply) if reply.answer.is_success() => Ok(Creation::Created),
            Ok(reply) if reply.answer.status() == 409 => Ok(Creation::Exists { in_doubt: reply.in_doubt }),
            Ok(reply) => Err(Trouble::from_reply(self, &reply).not_created()),
            Err(halt) => Err(Trouble::from(halt).not_created()),
        }
    }

    fn delete(&self) -> Step<()> {
        match self.caller.call(|| self.client.delete(self.address)) {
            Ok(reply) if reply.answer.is_success() || reply.answer.status() == 404 => Ok(()),
            Ok(reply) => Err(Trouble::from_reply(self, &reply).not_deleted()),
            Err(halt) => Err(Trouble::from(halt).not_deleted()),
        }
    }

    /// Whether a config has the wanted value; `None` if it is not there.
    fn is_same(&self) -> Result<Option<bool>, Trouble> {
        let reply = self.read()?;
        match reply.answer.status() {
            404 => Ok(None),
            _ if !reply.answer.is_success() => Err(Trouble::from_reply(self, &reply)),
            _ => match reply.answer.value() {
                Some(value) => Ok(Some(value == self.value)),
                None => Err(Trouble::of_answer("the API's answer holds no value".to_owned())),
            },
        }
    }

    fn presence(&self) -> Step<Presence> {
        let reply = match self.read() {
            Ok(reply) => reply,
            // Reading secrets may be what is not allowed; creating one will tell.
            Err(trouble) if trouble.is_forbidden => return Ok(Presence::Unclear),
            Err(trouble) => return Err(trouble.not_created()),
        };
        match reply.answer.status() {
            404 => Ok(Presence::Absent),
            _ if reply.answer.is_success() => Ok(Presence::Present),
            _ => Ok(Presence::Unclear),
        }
    }

    /// Reading changes nothing, so that doubt of it is none.
    fn read(&self) -> Result<Reply, Trouble> {
        let reply: Result<Reply, Halt> =
            self.caller.call(|| -> Result<Answer, NoAnswer> { self.client.read(self.address) });
        reply.map_err(|halt| Trouble { in_doubt: false, ..Trouble::from(halt) })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is the last step")]
fn good(outcome: Outcome) -> Step<Ended> {
    Ok(Ended { outcome, rest: Rest::GoOn })
}

fn journal_failure(error: &io::Error) -> String {
    format!("the journal cannot be written: {error}; make room, and run again")
}

impl Ended {
    /// A failure to create what was just deleted.
    fn after_deletion(self) -> Self {
        let outcome = match self.outcome {
            Outcome::NotStored(reason) => Outcome::Missing(reason),
            Outcome::InDoubt(reason) => Outcome::CreationInDoubt(reason),
            outcome => outcome,
        };
        Self { outcome, ..self }
    }

    /// This time it was not created, but an earlier time it may have been.
    fn still_in_doubt(self) -> Self {
        let outcome = match self.outcome {
            Outcome::NotStored(reason) => Outcome::InDoubt(reason),
            outcome => outcome,
        };
        Self { outcome, ..self }
    }
}

/// Why a request did not do what it was to do.
struct Trouble {
    reason: String,
    in_doubt: bool,
    is_forbidden: bool,
    is_stop: bool,
    rest: Rest,
}

impl Trouble {
    /// The API answered, but not as it should; the next entry may fare better.
    fn of_answer(reason: String) -> Self {
        Self { reason, in_doubt: false, is_forbidden: false, is_stop: false, rest: Rest::GoOn }
    }

    fn from_reply(upload: &EntryUpload<'_>, reply: &Reply) -> Self {
        let status = reply.answer.status();
        let in_doubt = reply.in_doubt;
        let reason = match status {
            300..400 => format!("the API answers with a redirect (status {status}): check its address"),
            404 => not_found(upload.address),
            _ => upload.refusal(&reply.answer),
        };
        let rest = match status {
            300..400 | 404 => Rest::LeaveDevice { reason: reason.clone(), unreachable: false },
            _ => Rest::GoOn,
        };
        Self { reason, in_doubt, is_forbidden: false, is_stop: false, rest }
    }

    fn not_created(self) -> Ended {
        let outcome = match (self.in_doubt, self.is_stop) {
            (true, _) => Outcome::InDoubt(self.reason),
            (false, true) => Outcome::NotTried(self.reason),
            (false, false) => Outcome::NotStored(self.reason),
        };
        Ended { outcome, rest: self.rest }
    }

    fn not_deleted(self) -> Ended {
        let outcome = if self.in_doubt {
            Outcome::DeletionInDoubt(self.reason)
        } else {
            Outcome::NotReplaced(self.reason)
        };
        Ended { outcome, rest: self.rest }
    }

    fn not_compared(self) -> Ended {
        Ended { outcome: Outcome::NotCompared(self.reason), rest: self.rest }
    }

    fn not_verified(self) -> Ended {
        Ended { outcome: Outcome::NotVerified(self.reason), rest: self.rest }
    }
}

impl EntryUpload<'_> {
    /// The API's message may repeat what it was sent: of a secret, its number for the error has to do.
    fn refusal(&self, answer: &Answer) -> String {
        let status = answer.status();
        let message = match self.address.store() {
            Store::Config => self.client.message(answer, self.value),
            Store::Secret => answer.code().map(|code| format!("error {code}")),
        };
        match message {
            Some(message) => format!("the API refuses it with status {status}: {message}"),
            None => format!("the API refuses it with status {status}"),
        }
    }
}

fn not_found(address: &Address) -> String {
    match address.device() {
        Some(device) => format!(
            "the API knows no device {device} (status 404): check the SID, and that the device is in this account"
        ),
        None => "the API has no such path (status 404): check its address".to_owned(),
    }
}

impl From<Halt> for Trouble {
    fn from(halt: Halt) -> Self {
        let in_doubt = halt.is_in_doubt();
        match halt {
            Halt::NotAllowed { status, .. } => {
                let reason = not_allowed(status);
                let is_forbidden = status == 403;
                Self { rest: Rest::LeaveAll(reason.clone()), reason, in_doubt, is_forbidden, is_stop: false }
            }
            Halt::GaveUp { reason, unreachable, .. } => Self {
                rest: Rest::LeaveDevice { reason: reason.clone(), unreachable },
                reason,
                in_doubt,
                is_forbidden: false,
                is_stop: false,
            },
            Halt::Stopped { .. } => {
                let reason = "it was stopped".to_owned();
                Self {
                    rest: Rest::LeaveAll(reason.clone()),
                    reason,
                    in_doubt,
                    is_forbidden: false,
                    is_stop: true,
                }
            }
        }
    }
}

fn not_allowed(status: u16) -> String {
    if status == 401 {
        "the API does not take the credentials (status 401): check MICROVISOR_ACCOUNT_SID and \
         MICROVISOR_AUTH_TOKEN, and that the token was not replaced"
            .to_owned()
    } else {
        format!(
            "the API does not allow this account to do that (status {status}): check that the credentials are of the \
             account that owns the device"
        )
    }
}
