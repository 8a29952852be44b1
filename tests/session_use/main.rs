//! What an application can do with a session, and what comes of it.

#[path = "../../sim/tests/pki/mod.rs"]
mod pki;
#[path = "../stored/mod.rs"]
mod stored;
#[path = "../world/mod.rs"]
mod world;

mod acknowledging;
mod backing_off;
mod building;
mod disconnecting;
mod polling;
mod profiles;
mod publishing;
mod receiving;
