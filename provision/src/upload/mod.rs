//! From a bundle to the stores of the platform.
//!
//! | file | what |
//! |---|---|
//! | [`Upload`] | a bundle's entries, one after the other, and when to leave the rest alone |
//! | `entry_upload` | one entry: create, compare, replace, read back, and what to do when an answer was lost |
//! | [`Outcome`] | what became of an entry, what to do about it |
//! | [`History`] | what an earlier run of the same work has done; [`NoHistory`] where nobody wrote it down |
//! | [`curl_commands`] | the same as commands for a shell, secrets masked |
//!
//! ```text
//! POST ─ 201 ──────────────────────────► read back (configs) ─► created
//!   │
//!   ├─ 409, a config ─ GET ─ same value ─► stored already
//!   │                   └─ another ──────► differs, or with `replace`: DELETE, POST
//!   ├─ 409, a secret ────────────────────► exists, or with `replace`: DELETE, POST
//!   └─ no answer, 429, 5xx ─ wait, again
//! ```
//!
//! A `POST` whose answer was lost may have been carried out; the 409 to the next one then does not say whose
//! value is there. A config is read back. A secret cannot be: so before a secret is sent, `GET` tells whether
//! the key is there. If it was not, what is there afterwards is what was sent. Where the API does not tell,
//! the secret is deleted and created once more.

mod curl;
mod entry_upload;
mod history;
mod outcome;
mod run;

pub use curl::curl_commands;
pub use history::{Before, History, NoHistory};
pub use outcome::{Outcome, Rest, Stored};
pub use run::{EntryReport, Upload, UploadReport};
