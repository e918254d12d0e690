//! Taking over all data of another engine at once, and letting go of the old without a pause.

use super::expired_objects::ExpiredObjects;
use super::{Engine, Outbox};
use crate::fence::{Event, Groups, HookChange};
use crate::keyspace::Keyspace;

/// Data, hooks and channels on their way from one engine to another.
pub struct Handover {
    keyspace: Keyspace,
    recovered: Vec<Event>,
}

/// What an engine had before. Freeing it takes time, so the caller chooses where that happens.
pub struct Discarded {
    _keyspace: Keyspace,
    _groups: Groups,
    _expired_objects: ExpiredObjects,
}

impl Engine {
    /// Gives away all data, hooks and channels, and is empty then. Live fences end.
    pub fn hand_over(&mut self) -> Handover {
        let mut empty = Keyspace::new(self.keyspace.requires_valid);
        empty.endpoint_checker = self.keyspace.endpoint_checker.take();
        empty.time_zones = self.keyspace.time_zones.take();
        self.groups.clear();
        self.expired_objects.clear();
        self.outbox = Outbox::default();
        let recovered = self.take_recovered();
        Handover { keyspace: std::mem::replace(&mut self.keyspace, empty), recovered }
    }

    /// Puts data, hooks and channels in the place of what there is. Live fences stay, without a
    /// message for what has changed; visits to fences begin anew; the outbox tells which hooks
    /// differ, and the numbered events of the log are recovered. Takes time for hooks and live
    /// fences, none for objects.
    pub fn adopt(&mut self, handover: Handover) -> Discarded {
        let Handover { keyspace: mut incoming, recovered } = handover;
        incoming.requires_valid = self.keyspace.requires_valid;
        incoming.event_window_ns = self.keyspace.event_window_ns;
        incoming.endpoint_checker = self.keyspace.endpoint_checker.take();
        incoming.time_zones = self.keyspace.time_zones.take();
        incoming.continue_versions(&self.keyspace);
        let old = std::mem::replace(&mut self.keyspace, incoming);
        let changes = self.keyspace.fences_mut().succeed(old.fences());
        self.keyspace.prepare_zones();
        let restarts = self.keyspace.fences().with_snapshots(None).cloned().collect();
        self.restart_snapshots(restarts);
        let events_before = self.outbox.events.len();
        let changes = changes.into_iter().map(|name| HookChange { name, events_before });
        self.outbox.hooks_changed.extend(changes);
        self.recovered = recovered;
        Discarded {
            _keyspace: old,
            _groups: self.groups.take(),
            _expired_objects: std::mem::take(&mut self.expired_objects),
        }
    }
}
