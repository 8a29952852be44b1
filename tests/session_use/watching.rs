//! Waiting for a state, in several tasks.

use std::pin::pin;
use std::task::Context;
use std::time::Duration;

use microvisor::session::State;

use crate::wakes::Wakes;
use crate::world::World;

/// As many as a session keeps the wakers of.
const WATCHERS: usize = 8;

#[test]
fn watchers_sleep_until_the_state_changes_and_then_all_are_woken() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    let wakes: [_; WATCHERS] = std::array::from_fn(|_| Wakes::default());
    let counts = || wakes.each_ref().map(Wakes::count);
    let mut watchers: Vec<_> = wakes.iter().map(|_| Box::pin(session.online())).collect();
    for (watcher, wakes) in watchers.iter_mut().zip(&wakes) {
        assert!(watcher.as_mut().poll(&mut Context::from_waker(&wakes.waker())).is_pending());
    }
    assert_eq!(counts(), [0; WATCHERS], "they wake one another");
    world.run_alone(&session, Duration::from_secs(5));
    assert_eq!(counts(), [1; WATCHERS]);
    assert_eq!(session.state(), State::Online);
    for (mut watcher, wakes) in watchers.into_iter().zip(&wakes) {
        assert!(pin!(watcher.as_mut()).poll(&mut Context::from_waker(&wakes.waker())).is_ready());
    }
}
