//! What a session survives that tasks share: each fault in each state, with the time that it takes to publish
//! again. `main_loop_survives` is the same for a main loop, in a process of its own.
//!
//! `cargo test --test session_survives -- --nocapture the_table` prints the table.

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

#[allow(dead_code, reason = "a main loop's part")]
#[macro_use]
mod survival;

mod channels;
mod clock;
mod connecting;
mod in_session;
mod messages;
mod network;
mod settings;
mod system_calls;

use survival::Case;
// What the cases are run by.
use survival::survive_all_in_futures as survive_all;

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
