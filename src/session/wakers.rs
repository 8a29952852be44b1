//! The wakers of those who wait for the same thing.

use core::mem;
use core::task::Waker;

use heapless::Vec;

use crate::uses::FUTURES;

/// Up to `N` wakers. Where more than `N` wait, they take turns, which costs processor time and loses
/// nobody.
pub(super) struct Wakers<const N: usize>(Vec<Waker, N>);

impl<const N: usize> Wakers<N> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn register(&mut self, waker: &Waker) {
        FUTURES.make();
        if self.0.iter().any(|known| known.will_wake(waker)) {
            return;
        }
        let Err(mut displaced) = self.0.push(waker.clone()) else { return };
        // All move up one place; it is the first that comes out.
        for place in self.0.iter_mut().rev() {
            mem::swap(place, &mut displaced);
        }
        displaced.wake();
    }

    pub(super) fn wake_all(&mut self) {
        if !FUTURES.is_made() {
            return;
        }
        while let Some(waker) = self.0.pop() {
            waker.wake();
        }
    }
}
