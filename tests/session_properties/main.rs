//! Whatever happens to a device, its session comes online again, and says nothing that is not true.
//!
//! Random steps make up a life: the application publishes, receives and changes its mind, the network
//! comes and goes, the broker misbehaves, system calls fail. In the end all of that stops. Each task has
//! its own waker, and is polled only when that was used.
//!
//! A life that fails is made as short as it still fails, and shown. The seeds of the normal run are
//! fixed, but for one that is new each time and printed: `MICROVISOR_SEED` repeats it. `MICROVISOR_CASES`
//! makes the run longer, and `MICROVISOR_TRACE` names a file for the call log of the last failure.

#[path = "../../sim/tests/pki/mod.rs"]
mod pki;

#[path = "../stored/mod.rs"]
mod stored;

#[path = "../tasks/mod.rs"]
mod tasks;

#[path = "../statuses/mod.rs"]
mod statuses;

#[path = "../world/mod.rs"]
mod world;

mod life;
mod step;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use life::{Kernel, live};
use microvisor_sim::SessionEnd;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use statuses::Statuses;
use step::{App, Broker, Step};

/// How many steps a life has at most.
const MOST_STEPS: usize = 60;
/// How many lives one seed makes.
const LIVES: u32 = 70;

fn kernel() -> impl Strategy<Value = Kernel> {
    let ends = prop_oneof![Just(SessionEnd::DisconnectResponse), Just(SessionEnd::ChannelNotConnected)];
    (any::<u64>(), ends, 1..10_usize, 1..17_usize).prop_map(
        |(seed, session_end, max_publishes, max_acknowledgements)| Kernel {
            seed,
            session_end,
            max_publishes,
            max_acknowledgements,
        },
    )
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// Lives through random lives.
fn try_lives(seed: u64) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let cases = number("MICROVISOR_CASES").map_or(LIVES, |cases| u32::try_from(cases).expect("fewer"));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 3_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let statuses = Statuses::read();
    let calls = Cell::new(0);
    let lived = runner.run(&(kernel(), step::life(MOST_STEPS)), |(kernel, steps)| {
        let lived = catch_unwind(AssertUnwindSafe(|| live(&kernel, &steps, &statuses)));
        let lived = lived.unwrap_or_else(|_| Err("it panicked; see above".to_owned()));
        let trace = lived.map_err(TestCaseError::fail)?;
        calls.set(calls.get() + trace.len());
        Ok(())
    });
    println!("seed {seed}: {cases} lives, {} lines of call log", calls.get());
    match lived {
        Ok(()) => {}
        Err(TestError::Fail(why, (kernel, steps))) => {
            panic!("{why}\nMICROVISOR_SEED={seed} repeats it:\n{kernel:?}\n{steps:?}")
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_session_survives_whatever_happens() {
    try_lives(1);
}

#[test]
fn a_session_survives_whatever_else_happens() {
    try_lives(2);
}

#[test]
fn a_session_survives_what_has_never_happened_before() {
    let fresh = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros();
    let seed = number("MICROVISOR_SEED").unwrap_or_else(|| u64::try_from(fresh()).expect("before 586912"));
    println!("MICROVISOR_SEED={seed} repeats this");
    try_lives(seed);
}

/// A kernel that is pressed for room as a random life can be.
const NARROW: Kernel = Kernel {
    seed: 0,
    session_end: SessionEnd::DisconnectResponse,
    max_publishes: 1,
    max_acknowledgements: 1,
};

fn survives(steps: &[Step]) {
    if let Err(why) = live(&NARROW, steps, &Statuses::read()) {
        panic!("{why}");
    }
}

const fn pass(millis: u64) -> Step {
    Step::Pass(Duration::from_millis(millis))
}

// Lives that failed once.

#[test]
fn a_session_that_is_run_again_while_it_disconnects_ends_first() {
    survives(&[
        pass(560),
        Step::Broker(Broker::FallSilent),
        Step::App(App::Disconnect),
        pass(0),
        Step::App(App::RunAnew),
        pass(67),
        Step::Broker(Broker::DropConnection(4)),
    ]);
}

#[test]
fn lost_answers_to_messages_of_qos_0_do_not_stop_later_ones() {
    survives(&[
        pass(593),
        Step::Broker(Broker::LoseResponses(1)),
        Step::App(App::Publish { qos: 0, wait: None, count: 1 }),
        pass(32),
    ]);
}
