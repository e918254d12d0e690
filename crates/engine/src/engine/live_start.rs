//! The first messages of live fences: the objects that are there already, or the first answer of a
//! standing query.

use super::Engine;
use crate::fence::{Event, LiveSnapshot, Moment, SharedWatch, Target};

impl Engine {
    /// Returns the first messages of a live fence; `None` if it has none. The driver sends them
    /// before the events of later writes.
    pub fn live_start(&mut self, serial: u64) -> Option<LiveSnapshot> {
        let now_ns = self.moment.now_ns();
        let watch = self.keyspace.fences().live(serial)?.clone();
        if watch.fence.standing.is_some() {
            self.tell_standing(now_ns, true);
            return Some(LiveSnapshot::of_messages(self.take_messages(&watch.target)));
        }
        LiveSnapshot::new(&self.keyspace, &watch, Moment::new(now_ns, self.utc_offset))
    }

    /// Takes the messages of one receiver out of the outbox.
    fn take_messages(&mut self, target: &Target) -> Vec<Vec<u8>> {
        let events = std::mem::take(&mut self.outbox.events);
        let is_meant = |event: &Event| event.target == *target;
        let (taken, left): (Vec<Event>, _) = events.into_iter().partition(is_meant);
        self.outbox.events = left;
        taken.into_iter().map(|event| event.message).collect()
    }

    /// Tells the driver to send snapshots of live fences again.
    pub(super) fn restart_snapshots(&mut self, watches: Vec<SharedWatch>) {
        self.outbox.events.extend(watches.into_iter().map(|watch| Event {
            target: watch.target.clone(),
            key: watch.fence.key.clone(),
            id: None,
            detect: None,
            number: None,
            message: Vec::new(),
        }));
    }
}
