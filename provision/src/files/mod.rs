//! What files hold, whatever they are called.
//!
//! [`Files`] reads a folder or single files and tells [`Certificate`]s and [`PrivateKey`]s apart by
//! their content: PEM (any number of blocks a file) or DER, keys in PKCS#1, SEC1 or PKCS#8. What a
//! device has no use for is [`LeftAside`]; what is damaged, or cannot be used, is a
//! [`Problem`](crate::check::Problem).

mod certificate;
#[expect(clippy::module_inception, reason = "the file is named after the type that it holds")]
mod files;
mod private_key;
mod text;

pub use certificate::Certificate;
pub(crate) use files::LARGEST_FILE;
pub use files::{Files, LeftAside};
pub use private_key::PrivateKey;
