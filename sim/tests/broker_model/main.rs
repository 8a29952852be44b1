//! The model broker, driven through its trait as the kernel does.

#[path = "../pki/mod.rs"]
mod pki;

mod device;
mod identities;
mod limits;
mod messages;
mod policies;
mod scripts;
mod sessions;
