//! Notification centres: their life, and that nobody waits in vain.

mod bed;
mod wakes;

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bed::IRQ;
use microvisor::config::ConfigKey;
use microvisor::{
    CloseNotificationsError, HandedBack, MAX_SOURCES, Network, NetworkStatus, NotificationCenter,
    NotificationError, Notifications, Recovery, Status, config_key,
};
use microvisor_sim::{Device, Fault, NetworkPlan, NetworkStatus as SimStatus};
use wakes::Wakes;

const UNLISTED: u32 = 999;

static KEYS: [ConfigKey; 1] = [config_key!(Device, Config, "name")];

fn center<const RECORDS: usize>(irq: u32) -> &'static NotificationCenter<RECORDS> {
    Box::leak(Box::new(NotificationCenter::new(irq)))
}

/// A centre on a device that never gets a network by itself.
fn offline<const RECORDS: usize>() -> (Device, &'static NotificationCenter<RECORDS>, Notifications) {
    let device = Device::builder().network(NetworkPlan::never()).boot();
    let center = center(IRQ);
    device.bind_interrupt(IRQ, || center.on_interrupt());
    let notifications = center.open().unwrap();
    (device, center, notifications)
}

/// As many networks as a centre serves, each of which somebody waits for.
struct Crowd(Vec<(Network, Wakes)>);

impl Crowd {
    fn gather(notifications: &Notifications) -> Self {
        Self::gather_beside(0, notifications)
    }

    /// The same, beside so many others.
    fn gather_beside(others: usize, notifications: &Notifications) -> Self {
        let network = || (Network::request(notifications).unwrap(), Wakes::default());
        let mut crowd = Self((others..MAX_SOURCES).map(|_| network()).collect());
        crowd.wait();
        crowd
    }

    /// Everybody finds that there is no network, and goes on waiting.
    fn wait(&mut self) {
        for (network, wakes) in &mut self.0 {
            let polled = network.poll_connected(&mut Context::from_waker(&wakes.waker()));
            assert_eq!(polled, Poll::Pending);
        }
    }

    fn counts(&self) -> Vec<u32> {
        self.0.iter().map(|(_, wakes)| wakes.count()).collect()
    }
}

/// The network changes, without getting connected.
fn stir(device: &Device) {
    let next = match device.network() {
        SimStatus::Connecting => SimStatus::DisconnectedWithLinkUp,
        _ => SimStatus::Connecting,
    };
    device.set_network(next);
}

#[test]
fn a_centre_opens_closes_and_opens_again() {
    let device = Device::builder().boot();
    let center = center::<8>(IRQ);
    device.bind_interrupt(IRQ, || center.on_interrupt());
    for round in 1..4 {
        let notifications = center.open().unwrap();
        let mut network = Network::request(&notifications).unwrap();
        device.block_on(network.connected()).unwrap();
        network.release().unwrap();
        notifications.close().unwrap();
        assert_eq!(device.call_count("mvCloseNotifications"), round);
        // The kernel goes offline, so that the next round waits for a notification again.
        device.run_until_idle();
    }
}

#[test]
fn a_centre_can_be_told_its_interrupt_when_it_is_opened() {
    static CENTER: NotificationCenter<8> = NotificationCenter::without_interrupt();
    let device = Device::builder().boot();
    device.bind_interrupt(IRQ, || CENTER.on_interrupt());
    let notifications = CENTER.open_for(IRQ).unwrap();
    let mut network = Network::request(&notifications).unwrap();
    device.block_on(network.connected()).unwrap();
    // Another interrupt is not taken for that one; without one, the centre is shared.
    assert_eq!(CENTER.open_for(IRQ + 1).unwrap_err(), NotificationError::InUse);
    drop(CENTER.open().unwrap());
}

#[test]
fn a_ring_that_is_opened_again_starts_at_its_beginning() {
    let (device, center, notifications) = offline::<4>();
    let network = Network::request(&notifications).unwrap();
    // The reader's place is not the first one, and the ring is left full of unread records.
    stir(&device);
    device.unbind_interrupt(IRQ);
    for _ in 0..4 {
        stir(&device);
    }
    drop((network, notifications));
    let notifications = center.open().unwrap();
    device.bind_interrupt(IRQ, || center.on_interrupt());
    let mut network = Network::request(&notifications).unwrap();
    for round in 1..10 {
        let wakes = Wakes::default();
        assert!(network.poll_connected(&mut Context::from_waker(&wakes.waker())).is_pending());
        stir(&device);
        assert_eq!(wakes.count(), 1, "in round {round}");
    }
    assert_eq!(center.overruns(), 1, "it was left full");
}

#[test]
fn a_centre_that_is_open_is_shared() {
    let (device, center, first) = offline::<8>();
    let second = center.open().unwrap();
    assert_eq!(device.call_count("mvSetupNotifications"), 1);
    let HandedBack { error, value } = first.close().unwrap_err();
    assert_eq!(error, CloseNotificationsError::InUse);
    drop(value);
    // The other one serves on.
    let mut network = Network::request(&second).unwrap();
    device.at(Duration::from_secs(1), |device| device.set_network(SimStatus::Connected));
    device.block_on(network.connected()).unwrap();
    assert_eq!(device.call_count("mvCloseNotifications"), 0);
    drop(network);
    second.close().unwrap();
    assert_eq!(device.call_count("mvCloseNotifications"), 1);
}

#[test]
fn a_centre_in_use_hands_the_notifications_back_and_goes_on() {
    let (device, _center, notifications) = offline::<8>();
    let mut network = Network::request(&notifications).unwrap();
    let HandedBack { error, value } = notifications.close().unwrap_err();
    assert_eq!(error, CloseNotificationsError::InUse);
    assert_eq!(device.call_count("mvCloseNotifications"), 0);
    device.at(Duration::from_secs(1), |device| device.set_network(SimStatus::Connected));
    device.block_on(network.connected()).unwrap();
    drop(network);
    value.expect("the notifications are handed back").close().unwrap();
}

#[test]
fn a_dropped_centre_stays_open_for_the_networks_that_use_it() {
    let (device, center, notifications) = offline::<8>();
    let mut first = Network::request(&notifications).unwrap();
    let second = Network::request(&notifications).unwrap();
    drop(notifications);
    device.at(Duration::from_secs(1), |device| device.set_network(SimStatus::Connected));
    device.block_on(first.connected()).unwrap();
    drop(first);
    assert_eq!(device.call_count("mvCloseNotifications"), 0);
    drop(second);
    assert_eq!(device.call_count("mvCloseNotifications"), 1);
    center.open().unwrap().close().unwrap();
}

#[test]
fn a_channel_keeps_the_centre_open_as_well() {
    let bed = bed!(Device::builder().config("name", "value")).online();
    let requested = bed.open_fetch().request(&KEYS).unwrap();
    let bed::Bed { network, notifications, center, device, .. } = bed;
    drop((network, notifications));
    let received = device.block_on(requested.received()).unwrap();
    assert_eq!(device.call_count("mvCloseNotifications"), 0);
    drop(received);
    assert_eq!(device.call_count("mvCloseNotifications"), 1);
    drop(center.open().unwrap());
}

#[test]
fn a_centre_that_the_kernel_does_not_let_go_of_is_never_opened_again() {
    let device = Device::builder().boot();
    for close in [
        |open: Notifications| open.close(),
        |open| {
            drop(open);
            Ok(())
        },
    ] {
        let irq = if device.calls() == 0 { 41 } else { 51 };
        let center = center::<8>(irq);
        let open = center.open().unwrap();
        device.inject(Fault::call("mvCloseNotifications").status(UNLISTED));
        if let Err(HandedBack { error, value }) = close(open) {
            assert_eq!(error, CloseNotificationsError::Kernel(Status::check(UNLISTED).unwrap_err()));
            assert!(value.is_none(), "what may still be written to is not handed back");
        }
        for _ in 0..2 {
            let error = center.open().unwrap_err();
            assert_eq!((error, error.recovery()), (NotificationError::Lost, Recovery::GiveUp));
        }
    }
    assert_eq!(device.call_count("mvSetupNotifications"), 2);
}

#[test]
fn an_interrupt_that_does_not_exist_is_refused() {
    let _device = Device::builder().boot();
    let center = center::<8>(10_000);
    for _ in 0..2 {
        let error = center.open().unwrap_err();
        assert_eq!(error, NotificationError::Kernel(Status::INVALID_INTERRUPT));
        assert_eq!(error.recovery(), Recovery::GiveUp);
    }
}

#[test]
fn an_interrupt_serves_one_centre_at_a_time() {
    let _device = Device::builder().boot();
    let (first, second) = (center::<8>(IRQ), center::<2>(IRQ));
    let open = first.open().unwrap();
    assert_eq!(second.open().unwrap_err(), NotificationError::Kernel(Status::INVALID_INTERRUPT));
    open.close().unwrap();
    second.open().unwrap().close().unwrap();
}

#[test]
fn the_kernel_has_room_for_32_centres_and_says_so_to_the_33rd() {
    let _device = Device::builder().boot();
    let mut open: Vec<_> = (0..32).map(|irq| center::<2>(irq).open().unwrap()).collect();
    let last = center::<2>(IRQ);
    let error = last.open().unwrap_err();
    assert_eq!(error, NotificationError::Kernel(Status::TOO_MANY_NOTIFICATION_BUFFERS));
    assert_eq!(error.recovery(), Recovery::Retry);
    open.pop().unwrap().close().unwrap();
    last.open().unwrap().close().unwrap();
}

#[test]
fn a_notification_wakes_everybody_who_waits_and_nobody_twice() {
    let (device, _center, notifications) = offline::<8>();
    let mut crowd = Crowd::gather(&notifications);
    stir(&device);
    assert_eq!(crowd.counts(), [1; MAX_SOURCES]);
    // Whoever has been woken and has not polled since does not wait.
    let (network, wakes) = &mut crowd.0[3];
    assert!(network.poll_connected(&mut Context::from_waker(&wakes.waker())).is_pending());
    stir(&device);
    assert_eq!(crowd.counts(), [1, 1, 1, 2, 1, 1]);
}

/// A waiter that is woken within the interrupt handler, and waits again at once.
struct WaitsAgain {
    network: Mutex<Network>,
    wakes: AtomicU32,
}

impl Wake for WaitsAgain {
    fn wake(self: Arc<Self>) {
        assert!(self.wakes.fetch_add(1, Ordering::Relaxed) < 1_000, "the interrupt handler never ends");
        self.wait();
    }
}

impl WaitsAgain {
    fn wait(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let polled = self.network.lock().unwrap().poll_connected(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
}

#[test]
fn a_waiter_that_waits_again_at_once_is_woken_by_the_next_notification_and_not_by_this_one() {
    let (device, _center, notifications) = offline::<8>();
    let network = Mutex::new(Network::request(&notifications).unwrap());
    let waiter = Arc::new(WaitsAgain { network, wakes: AtomicU32::new(0) });
    waiter.wait();
    // Those after it have their turn.
    let mut others = Crowd::gather_beside(1, &notifications);
    for round in 1..4 {
        stir(&device);
        assert_eq!(waiter.wakes.load(Ordering::Relaxed), round);
        assert_eq!(others.counts(), [round; MAX_SOURCES - 1]);
        others.wait();
    }
}

#[test]
fn an_overrun_is_counted_and_wakes_everybody() {
    let (device, center, notifications) = offline::<2>();
    let crowd = Crowd::gather(&notifications);
    assert_eq!(center.overruns(), 0);
    // Six records go into a ring of two, so that four waiters have none.
    stir(&device);
    assert_eq!(center.overruns(), 1);
    assert_eq!(crowd.counts(), [1; MAX_SOURCES]);
}

#[test]
fn after_an_overrun_nothing_is_lost() {
    for masked in 2..7 {
        let (device, center, notifications) = offline::<8>();
        let mut crowd = Crowd::gather(&notifications);
        device.unbind_interrupt(IRQ);
        for _ in 0..masked {
            stir(&device);
        }
        assert_eq!(crowd.counts(), [0; MAX_SOURCES], "the interrupt is masked");
        device.bind_interrupt(IRQ, || center.on_interrupt());
        let mut expected = 1;
        assert_eq!((crowd.counts(), center.overruns()), (vec![expected; MAX_SOURCES], 1));
        for _ in 0..20 {
            crowd.wait();
            stir(&device);
            expected += 1;
            assert_eq!(crowd.counts(), [expected; MAX_SOURCES], "after {masked} changes unseen");
        }
        assert_eq!(center.overruns(), 1);
        drop(crowd);
    }
}

#[test]
fn a_lost_notification_costs_time_until_the_next_one() {
    let (device, center, notifications) = offline::<4>();
    let mut network = Network::request(&notifications).unwrap();
    device.inject(Fault::notifications().drop(3));
    for second in 1..=3 {
        device.at(Duration::from_secs(second), stir);
    }
    device.at(Duration::from_secs(4), |device| device.set_network(SimStatus::Connected));
    device.block_on(network.connected()).unwrap();
    assert!(device.now() >= Duration::from_secs(4));
    assert_eq!(center.overruns(), 0);
}

#[test]
fn what_a_lost_notification_told_is_found_by_polling() {
    let (device, _center, notifications) = offline::<4>();
    let mut network = Network::request(&notifications).unwrap();
    let counter = Wakes::default();
    let waker = counter.waker();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(network.poll_connected(&mut cx), Poll::Pending);
    device.inject(Fault::notifications().drop(1));
    device.set_network(SimStatus::Connected);
    assert_eq!(counter.count(), 0);
    assert_eq!(network.poll_connected(&mut cx), Poll::Ready(Ok(())));
}

#[test]
fn notifications_that_come_twice_or_late_are_only_hints() {
    let (device, center, notifications) = offline::<8>();
    device.inject(Fault::notifications().duplicate(2));
    device.inject(Fault::notifications().skip(1).delay(1, Duration::from_secs(30)));
    let mut network = Network::request(&notifications).unwrap();
    stir(&device);
    device.at(Duration::from_secs(10), |device| device.set_network(SimStatus::Connected));
    device.block_on(network.connected()).unwrap();
    assert!(device.now() >= Duration::from_secs(30), "nobody said so earlier");
    device.run_until_idle();
    assert_eq!(network.status(), Ok(NetworkStatus::Connected));
    assert_eq!(center.overruns(), 0);
}

#[test]
fn interrupts_for_nothing_are_harmless() {
    let device = Device::builder().network(NetworkPlan::never()).boot();
    let center = center::<4>(IRQ);
    device.bind_interrupt(IRQ, || center.on_interrupt());
    // Also before there is anything to announce.
    device.trigger_interrupt(IRQ);
    let notifications = center.open().unwrap();
    let mut crowd = Crowd::gather(&notifications);
    for _ in 0..10 {
        device.trigger_interrupt(IRQ);
        center.on_interrupt();
    }
    // It costs each a look at the network, and all of them wait again.
    assert_eq!((crowd.counts(), center.overruns()), (vec![1; MAX_SOURCES], 0));
    crowd.0.truncate(1);
    for round in 2..10 {
        crowd.wait();
        stir(&device);
        device.trigger_interrupt(IRQ);
        assert_eq!(crowd.counts(), [round]);
    }
    assert_eq!(center.overruns(), 0);
    drop(crowd);
    drop(notifications);
    device.trigger_interrupt(IRQ);
}

#[test]
fn a_waiter_that_is_gone_is_not_woken() {
    let (device, _center, notifications) = offline::<8>();
    let mut crowd = Crowd::gather(&notifications);
    let (network, gone) = crowd.0.remove(2);
    drop(network);
    stir(&device);
    assert_eq!(gone.count(), 0);
    crowd.wait();
    // Its slot goes to somebody else.
    let mut successor = Network::request(&notifications).unwrap();
    let wakes = Wakes::default();
    assert!(successor.poll_connected(&mut Context::from_waker(&wakes.waker())).is_pending());
    stir(&device);
    assert_eq!((gone.count(), wakes.count()), (0, 1));
    assert_eq!(crowd.counts(), [2; MAX_SOURCES - 1]);
}

#[test]
fn forgetting_everything_does_no_harm() {
    let bed = bed!(Device::builder().config("name", "value")).online();
    let requested = bed.open_fetch().request(&KEYS).unwrap();
    let bed::Bed { network, notifications, center, memory, device } = bed;
    mem::forget(requested);
    mem::forget(network);
    mem::forget(notifications);
    // The kernel goes on writing into the ring and into the buffers.
    device.run_until_idle();
    device.set_network(SimStatus::Connecting);
    device.set_network(SimStatus::Connected);
    device.run_until_idle();
    assert_eq!(device.misuse(), []);
    assert!(memory.take().is_none());
    // The centre is open for ever, and serves whoever comes.
    let notifications = center.open().unwrap();
    let mut network = Network::request(&notifications).unwrap();
    device.block_on(network.connected()).unwrap();
    drop((network, notifications));
    assert_eq!(device.call_count("mvSetupNotifications"), 1);
    assert_eq!(device.call_count("mvCloseNotifications"), 0);
}
