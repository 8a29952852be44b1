//! What a session survives that a main loop has for itself: each fault in each state, with the time that it
//! takes to publish again.
//!
//! In a process where no session is shared, as in a program that is a main loop: there the session keeps
//! account of less.
//!
//! `cargo test --test main_loop_survives -- --nocapture the_table` prints the table.

// Times of one history are on one scale; and a subtraction that panics is a failed test.
#![allow(clippy::duration_suboptimal_units, clippy::unchecked_time_subtraction)]

#[path = "../main_loop/mod.rs"]
mod main_loop;
#[path = "../../sim/tests/pki/mod.rs"]
mod pki;
#[path = "../stored/mod.rs"]
mod stored;
#[path = "../world/mod.rs"]
mod world;

#[allow(dead_code, reason = "the part of futures")]
#[path = "../session_survives/survival.rs"]
#[macro_use]
mod survival;

#[path = "../session_survives/channels.rs"]
mod channels;
#[path = "../session_survives/clock.rs"]
mod clock;
#[path = "../session_survives/connecting.rs"]
mod connecting;
#[path = "../session_survives/in_session.rs"]
mod in_session;
#[path = "../session_survives/messages.rs"]
mod messages;
#[path = "../session_survives/network.rs"]
mod network;
#[path = "../session_survives/settings.rs"]
mod settings;
#[path = "../session_survives/system_calls.rs"]
mod system_calls;

use survival::Case;
// What the cases are run by.
use survival::survive_all_in_a_main_loop as survive_all;

/// Every case once more, in order, as one table.
#[test]
fn the_table_of_all_faults_has_a_recovery_in_every_line() {
    let families: [fn() -> Vec<Case>; 8] = [
        network::all,
        settings::all,
        connecting::all,
        in_session::all,
        channels::all,
        messages::all,
        clock::all,
        system_calls::all,
    ];
    let lines = survive_all(families.iter().flat_map(|all| all()));
    survival::print_table(&lines);
}
