//! How the broker outlives the kernel, whose clock starts at 0 each time.

use super::far_end::FarEnd;
use super::schedule::Due;
use crate::broker::{LinkId, Now};

impl FarEnd {
    /// A kernel starts. If its date is later than when the one before ended, sessions have aged.
    pub(super) fn kernel_starts(&mut self, now: Now) {
        if self.running {
            // The one before ended without a word.
            self.kernel_ends(self.last());
        }
        let away = match self.ended_at.take() {
            Some(ended_at) => now.unix_micros.saturating_sub(ended_at),
            None => 0,
        };
        for session in self.sessions.values_mut() {
            session.expires_at = session.expires_at.map(|end| end.saturating_sub(away));
        }
        self.running = true;
        self.see(now);
    }

    /// The kernel ends, and with it its connections. What it sent still arrives; what was on its way to it
    /// is lost. From here on, times are those of the next kernel.
    pub(super) fn kernel_ends(&mut self, now: Now) {
        self.see(now);
        for (at, due) in self.schedule.take_traffic() {
            if let Due::Arrival(link, packet) = due {
                self.arrive(at, link, packet);
            }
        }
        for link in self.links.keys().copied().collect::<Vec<LinkId>>() {
            self.lose(now.micros, link);
        }
        // The last answers and messages have nobody left to go to.
        self.schedule.take_traffic();
        self.script.held.clear();
        self.forget_lying();
        self.links.clear();
        self.schedule.rebase(now.micros);
        for session in self.sessions.values_mut() {
            session.expires_at = session.expires_at.map(|end| end.saturating_sub(now.micros));
        }
        self.running = false;
        self.ended_at = Some(now.unix_micros);
        self.see(Now { micros: 0, unix_micros: now.unix_micros });
    }
}
