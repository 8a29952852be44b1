//! Observers and wakers that call back, and tasks that get into each other's way.

use std::cell::{OnceCell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use microvisor::aws::StoredProfile;
use microvisor::mqtt::ReasonCode;
use microvisor::session::{Event, Observer, Session, State, WhenOffline};

use crate::publishing::reading;
use crate::tasks::Tasks;
use crate::world::{World, policy};

const SHORT: Duration = Duration::from_secs(5);

type Waiting = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// What a [`Dropper`] drops.
    static WAITING: RefCell<Vec<Option<Waiting>>> = const { RefCell::new(Vec::new()) };
}

/// Drops what waits when it is woken, as an executor may that is told to cancel it.
struct Dropper(usize);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        drop(WAITING.with_borrow_mut(|waiting| waiting[self.0].take()));
    }
}

#[test]
fn a_publish_that_its_waker_drops_leaves_its_place_to_others() {
    let world = World::new();
    let session = Rc::new(world.builder().build_for::<2>().expect("a session"));
    for number in 0..2 {
        let session = Rc::clone(&session);
        let mut publishing: Waiting = Box::pin(async move {
            let _ = session.publish(&reading(b"dropped"), WhenOffline::Wait(Duration::from_mins(1))).await;
        });
        let waker = Waker::from(Arc::new(Dropper(number)));
        assert!(publishing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        WAITING.with_borrow_mut(|waiting| waiting.push(Some(publishing)));
    }
    // To come online wakes those whose messages wait, while the session is in use.
    world.run_alone(&session, SHORT);
    assert_eq!(session.state(), State::Online);
    assert!(WAITING.with_borrow(|waiting| waiting.iter().all(Option::is_none)));
    let outcome = world.while_running(&session, session.publish(&reading(b"sent"), WhenOffline::Fail));
    assert_eq!(outcome, Ok(Some(ReasonCode::SUCCESS)));
}

/// A session whose observer stops it as soon as it is online.
fn stopped_by_its_observer(world: &World) -> Rc<Session<'static, StoredProfile, impl Observer>> {
    // Set when there is a session to stop.
    let hook: Rc<OnceCell<Box<dyn Fn()>>> = Rc::default();
    let stop = Rc::clone(&hook);
    let observer = move |event: &Event<'_>| {
        if let (Event::State(State::Online), Some(stop)) = (event, stop.get()) {
            stop();
        }
    };
    let session = Rc::new(world.builder().observer(observer).build().expect("a session"));
    let weak = Rc::downgrade(&session);
    let hooked = hook.set(Box::new(move || weak.upgrade().expect("it calls").stop()));
    assert!(hooked.is_ok());
    session
}

#[test]
fn an_observer_that_stops_the_session_is_heard() {
    let world = World::new();
    let session = stopped_by_its_observer(&world);
    world.run_alone(&session, SHORT);
    assert_eq!(session.state(), State::Stopped);
}

#[test]
fn an_observer_that_stops_the_session_is_heard_by_a_loop_that_polls_at_deadlines() {
    let world = World::new();
    let session = stopped_by_its_observer(&world);
    session.start();
    while session.poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        assert!(world.now() < SHORT, "{}", session.state());
        world.device.sleep_until(session.deadline().expect("it goes on"));
    }
    assert_eq!(session.state(), State::Stopped);
}

#[test]
fn two_tasks_that_run_one_session_both_end() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    let mut tasks = Tasks::new(&world.device, 1);
    let runs = [(); 2].map(|()| tasks.spawn(session.run(world.device.delay())));
    tasks.run_for(&world.device, SHORT);
    assert_eq!(session.state(), State::Online);
    session.stop();
    // The one that is not woken has its timer.
    tasks.run_for(&world.device, policy().answer_timeout());
    assert_eq!(session.state(), State::Stopped);
    assert_eq!(runs.map(|run| tasks.is_done(run)), [true; 2]);
}
