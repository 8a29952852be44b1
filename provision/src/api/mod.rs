//! The platform's REST API, as far as the config and secret stores go.
//!
//! | file | what |
//! |---|---|
//! | [`BaseUrl`] | where the API is: https, or http on this machine alone |
//! | [`Credentials`] | who asks: account SID and authentication token |
//! | [`Address`] | which entry: scope, store and key, as paths of the API |
//! | [`Client`] | one request, one [`Answer`], or [`NoAnswer`] and whether it may have had an effect |
//! | [`Patience`] | how often and how long to try: exponential back-off with jitter, `Retry-After` |
//! | [`Caller`] | a request, tried until it is answered, given up or stopped |
//! | [`Clock`], [`Stop`] | time, so that tests need not wait, and the end of it |
//!
//! What the API is known to do: `POST` of the form fields `Key` and `Value` to `/v1/Devices/{sid}/Configs` or
//! `/Secrets` (of an account: `/v1/Configs`, `/v1/Secrets`) creates an entry, and answers 409 where the key is there
//! already; nothing changes an entry, but `DELETE …/{key}` removes it; `GET …/{key}` answers with a JSON
//! object, which holds the `value` of a config, and of a secret only that it is there.

mod address;
mod answer;
mod base_url;
mod caller;
mod client;
mod clock;
mod credentials;
mod patience;
mod stop;

pub use address::Address;
pub use answer::{Answer, NoAnswer};
pub use base_url::{BaseUrl, BaseUrlError};
pub use caller::{Caller, Halt, Reply};
pub use client::{Client, ClientError, ClientOptions};
pub use clock::{Clock, SystemClock};
pub use credentials::{Credentials, CredentialsError};
pub use patience::Patience;
pub use stop::Stop;
