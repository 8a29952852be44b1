//! `microvisor-provision fleet` against a loopback API.

#[path = "../rest_api/mod.rs"]
mod rest_api;
#[path = "../tool/mod.rs"]
mod tool;

mod interrupted;
mod journal;
mod line;
mod list;
mod readme;
mod running;
