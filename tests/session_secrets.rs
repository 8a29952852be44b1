//! What a session leaves of the private key in memory.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod stored;
mod world;

use std::time::Duration;

use embassy_futures::join::join;
use microvisor::session::{MemoryPlan, Session, SessionBuilder, State};
use microvisor::{AlignedBytes, DeviceId, KernelBuffer, KernelMemory, sys};
use microvisor_sim::{Fault, NetworkStatus};
use world::{ID, World, subscriptions};

/// Leaked memory that a test looks at from behind.
struct Leaked(*mut AlignedBytes<{ MemoryPlan::AWS_LEN }>);

impl Leaked {
    fn new() -> Self {
        Self(Box::into_raw(Box::default()))
    }

    fn buffer(&self) -> KernelBuffer<{ MemoryPlan::AWS_LEN }> {
        // SAFETY: it is leaked, and this is asked for once.
        let bytes = unsafe { &mut *self.0 };
        KernelMemory::from_static(bytes, Box::leak(Box::default())).take().expect("nobody else has it")
    }

    /// Whether what the kernel wrote there is overwritten as well.
    fn is_blank(&self) -> bool {
        self.bytes().iter().all(|byte| *byte == 0)
    }

    fn bytes(&self) -> [u8; MemoryPlan::AWS_LEN] {
        // SAFETY: the memory lives for ever, and nothing writes to it while this runs.
        unsafe { self.0.cast::<[u8; MemoryPlan::AWS_LEN]>().read_volatile() }
    }

    /// Whether any eight bytes of the key are there, in DER or as the text that the store has.
    fn shows(&self, world: &World) -> bool {
        let bytes = self.bytes();
        let key = world.provisioned.device.pkcs8();
        let contains = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        // The first bytes of all keys of a kind are the same.
        key.chunks_exact(8).skip(4).any(|part| contains(part) || contains(stored::hex(part).as_bytes()))
    }
}

fn online(world: &World, memory: &Leaked) -> Session<'static, microvisor::aws::StoredProfile> {
    let id = Box::leak(Box::new(DeviceId::parse(ID).expect("an id")));
    let session = SessionBuilder::new(world.center.open().expect("a centre"), memory.buffer(), id)
        .subscriptions(subscriptions())
        .build()
        .expect("a session");
    world.run(&session, Duration::from_secs(5));
    assert_eq!(session.state(), State::Online);
    assert!(memory.shows(world), "the session keeps it for the next connection");
    session
}

#[test]
fn a_session_that_is_dropped_leaves_nothing_of_the_private_key() {
    let (world, memory) = (World::new(), Leaked::new());
    drop(online(&world, &memory));
    assert!(!memory.shows(&world));
}

#[test]
fn a_session_that_is_stopped_keeps_nothing_of_the_private_key() {
    let (world, memory) = (World::new(), Leaked::new());
    let session = online(&world, &memory);
    world.device.block_on(join(session.run(world.device.delay()), session.disconnect()));
    assert_eq!(session.state(), State::Stopped);
    assert!(!memory.shows(&world));
}

#[test]
fn a_session_that_is_dropped_or_stopped_between_two_connections_leaves_nothing_in_its_memory() {
    for is_dropped in [true, false] {
        let (world, memory) = (World::new(), Leaked::new());
        let session = online(&world, &memory);
        world.device.set_network(NetworkStatus::Connecting);
        world.run(&session, Duration::from_secs(5));
        assert_ne!(session.state(), State::Online);
        assert!(memory.shows(&world), "it keeps the settings");
        if !is_dropped {
            world.while_running(&session, session.disconnect());
            assert!(memory.is_blank());
        }
        drop(session);
        assert!(memory.is_blank());
    }
}

#[test]
fn buffers_of_a_channel_that_the_kernel_denied_are_overwritten_after_the_next_one() {
    let (world, memory) = (World::new(), Leaked::new());
    // The channel of the settings, which brought the key. The kernel closes it all the same.
    let close = Fault::call("mvCloseChannel").status(sys::MV_STATUS_INVALIDHANDLE);
    world.device.inject(close.after_effect());
    let session = online(&world, &memory);
    world.while_running(&session, session.disconnect());
    assert_eq!(session.state(), State::Stopped);
    drop(session);
    assert!(memory.is_blank());
}
