//! Building a session, and what is handed back where that fails.

use microvisor::session::{BuildError, MemoryPlan};
use microvisor::{HandedBack, Network};

use crate::world::World;

#[test]
fn a_plan_that_the_memory_cannot_take_hands_the_builder_back() {
    let world = World::new();
    let plans = [
        MemoryPlan::new(0, 7_168, 3_584),
        MemoryPlan::new(4_096, 7_680, 3_584),
        MemoryPlan::new(4_096, 7_168, 0),
        MemoryPlan::new(4_000, 7_168, 3_584),
        MemoryPlan::new(12_288, 7_168, 3_584),
    ];
    let mut builder = world.builder();
    for plan in plans {
        assert!(!plan.fits(MemoryPlan::AWS_LEN));
        let HandedBack { error, value } = builder.memory_plan(plan).build().expect_err("no such plan");
        assert_eq!(error, BuildError::Memory { len: MemoryPlan::AWS_LEN, plan });
        builder = value;
    }
    let session = builder.memory_plan(MemoryPlan::AWS).build().expect("the builder still works");
    drop(session);
    assert!(world.memory.take().is_some(), "the memory is back");
}

#[test]
fn a_centre_that_serves_as_many_as_it_can_hands_the_builder_back() {
    let world = World::new();
    let notifications = world.center.open().expect("the centre opens");
    let mut networks: Vec<Network> = Vec::new();
    while let Ok(network) = Network::request(&notifications) {
        networks.push(network);
    }
    let HandedBack { error, value } = world.builder().build().expect_err("no place is left");
    assert_eq!(error, BuildError::TooManySources);
    networks.clear();
    drop(value.build().expect("there are places again"));
    assert!(world.memory.take().is_some(), "the memory is back");
}

#[test]
fn a_builder_that_is_dropped_gives_the_memory_back() {
    let world = World::new();
    drop(world.builder());
    assert!(world.memory.take().is_some());
}
