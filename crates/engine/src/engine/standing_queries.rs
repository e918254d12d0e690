//! Standing queries: their answers follow the data, their messages the clock.

use super::Engine;
use crate::fence::{answer, standing_event, updated_answer, Arrival, Change};

impl Engine {
    /// Brings the answers of standing queries up to date with changes of the stored data.
    pub(super) fn update_standing(&mut self, changes: &[Change], now_ns: i64) {
        if self.keyspace.fences().standing().is_empty() {
            return;
        }
        let is_stored = |change: &&Change| change.arrival == Arrival::InOrder;
        for change in changes.iter().filter(is_stored) {
            self.update_answers(change, now_ns);
        }
    }

    fn update_answers(&mut self, change: &Change, now_ns: i64) {
        for watch in self.keyspace.fences().standing_candidates(&change.key, change) {
            let fences = self.keyspace.fences();
            let Some(present) = fences.standing().answer(watch.serial) else { continue };
            let updated = updated_answer(&self.keyspace, &watch.fence, present, change);
            if let Some((answer, place)) = updated {
                self.keyspace.fences_mut().set_answer(&watch, answer, place, now_ns);
            }
        }
    }

    /// Computes the answers anew that have to be, and appends the messages that are due.
    pub(super) fn tell_standing(&mut self, now_ns: i64, is_live_only: bool) {
        for watch in self.keyspace.fences_mut().standing_mut().take_stale() {
            if let Some((answer, place)) = answer(&self.keyspace, &watch.fence) {
                self.keyspace.fences_mut().set_answer(&watch, answer, place, now_ns);
            }
        }
        if !self.keyspace.fences().standing().has_due(now_ns, is_live_only) {
            return;
        }
        self.set_moment(now_ns);
        let first_event = self.outbox.events.len();
        let due = self.keyspace.fences_mut().standing_mut().take_due(now_ns, is_live_only);
        for due in due {
            if let Some(event) = standing_event(&self.keyspace, &due, &self.moment) {
                self.outbox.events.push(event);
                self.keyspace.fences_mut().standing_mut().note_told(due.watch.serial, now_ns);
            }
        }
        self.number_events(first_event, now_ns);
    }
}
