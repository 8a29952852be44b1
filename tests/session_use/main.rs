//! What an application can do with a session, and what comes of it.

// Times of one history are on one scale; and a subtraction that panics is a failed test.
#![allow(clippy::duration_suboptimal_units, clippy::unchecked_time_subtraction)]

#[path = "../main_loop/mod.rs"]
mod main_loop;
#[path = "../../sim/tests/pki/mod.rs"]
mod pki;
#[path = "../statuses/mod.rs"]
mod statuses;
#[path = "../stored/mod.rs"]
mod stored;
#[path = "../tasks/mod.rs"]
mod tasks;
#[path = "../wakes/mod.rs"]
mod wakes;
#[path = "../world/mod.rs"]
mod world;

mod acknowledging;
mod backing_off;
mod building;
mod callbacks;
mod disconnecting;
mod in_a_main_loop;
mod polling;
mod profiles;
mod publishing;
mod reading;
mod receiving;
mod watching;
