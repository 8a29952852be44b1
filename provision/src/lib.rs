//! From the files that AWS IoT hands out to a provisioned Microvisor device.
//!
//! ```text
//!  folder ──▶ Provisioning ──▶ Credentials ──▶ Bundle ──▶ device.json ──▶ the device's stores
//!  (files)         │ (check)
//!                  ▼
//!               Report
//! ```
//!
//! - [`files`]: what files hold, whatever they are called;
//! - [`check`]: what is right and wrong with them;
//! - [`Provisioning`]: both, and the choice of what goes where;
//! - [`bundle`]: the document with all that one device's stores are to hold;
//! - [`Policy`]: what AWS IoT has to allow the device;
//! - [`api`] and [`upload`]: a bundle's way to the platform's stores;
//! - [`fleet`]: all of that for many devices, with a journal.
//!
//! The program `microvisor-provision` is a thin layer over this: its `--help` has the commands.
//! Private keys are wiped from memory when they are dropped, and are in no message.

pub mod api;
pub mod bundle;
pub mod check;
mod credentials;
mod endpoint;
pub mod files;
pub mod fleet;
mod policy;
mod private_file;
mod provisioning;
pub mod upload;

pub use credentials::{Credentials, EncodingChoice};
pub use endpoint::Endpoint;
pub use policy::{Policy, PolicyError, PolicyOptions};
pub use private_file::write_private;
pub use provisioning::{BundleOptions, CheckOptions, Provisioning, ProvisioningError};
