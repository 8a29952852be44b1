//! The commands `check`, `bundle`, `policy` and `completions`, as people run them.

#[path = "../../../tests/authority/mod.rs"]
mod authority;

mod bundling;
mod checking;
mod completing;
mod openssl;
mod policies;
mod tool;
mod wrong_files;
