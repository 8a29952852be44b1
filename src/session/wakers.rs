//! The wakers of those who wait for the same thing.

use core::task::Waker;

/// Up to `N` wakers. Where more than `N` wait, they take turns, which costs processor time and loses
/// nobody.
pub(super) struct Wakers<const N: usize> {
    wakers: [Option<Waker>; N],
    next: usize,
}

impl<const N: usize> Wakers<N> {
    pub(super) const fn new() -> Self {
        Self { wakers: [const { None }; N], next: 0 }
    }

    pub(super) fn register(&mut self, waker: &Waker) {
        if self.wakers.iter().flatten().any(|known| known.will_wake(waker)) {
            return;
        }
        if let Some(free) = self.wakers.iter_mut().find(|place| place.is_none()) {
            *free = Some(waker.clone());
            return;
        }
        self.next = if self.next + 1 < N { self.next + 1 } else { 0 };
        if let Some(displaced) = self.wakers.get_mut(self.next).and_then(|place| place.replace(waker.clone()))
        {
            displaced.wake();
        }
    }

    pub(super) fn wake_all(&mut self) {
        for waker in self.wakers.iter_mut().filter_map(Option::take) {
            waker.wake();
        }
    }
}
