//! Positions that wait until fences decide about them in the order of their event times.
//!
//! A position with an event time waits for the event window, in which earlier ones may still
//! arrive. Then the fences compare it with the last position that they decided about, which need
//! not be the one that arrived before.

use std::collections::{BTreeMap, VecDeque};

use super::{Arrival, Change, ChangeKind};
use crate::keyspace::Key;
use crate::object::Object;

/// The most waiting positions; more end the wait of the oldest.
const WAITING_MAX: usize = 1_000_000;

/// The sort key of an object's positions: the event time, then the order of arrival.
type Place = (i64, u64);

/// The waiting positions of one object.
struct Track {
    /// The last position that fences decided about; `None` if the object is new.
    decided: Option<Object>,
    waiting: BTreeMap<Place, Object>,
}

/// A waiting position.
struct Wait {
    due_ns: i64,
    key: Key,
    id: Box<[u8]>,
    place: Place,
}

/// Positions whose wait is over: those of one object up to an event time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The object's key.
    pub key: Key,
    /// The object's id.
    pub id: Box<[u8]>,
    /// The event time in nanoseconds since 1970.
    pub event_ns: i64,
}

/// All waiting positions.
#[derive(Default)]
pub struct Reorder {
    tracks: BTreeMap<Key, BTreeMap<Box<[u8]>, Track>>,
    /// In the order of arrival.
    waits: VecDeque<Wait>,
    /// Those whose wait ended before its time.
    ready: VecDeque<Due>,
    sequence: u64,
    waiting_count: usize,
    /// The number of positions that arrived after a later one was decided about.
    pub too_late_count: u64,
}

impl Clone for Reorder {
    /// Returns none: a snapshot decides about nothing.
    fn clone(&self) -> Self {
        Reorder::default()
    }
}

impl Reorder {
    /// Whether no position waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// The number of waiting positions.
    pub fn waiting_count(&self) -> usize {
        self.waiting_count
    }

    /// Lets the new position of an object wait. A late one, older than the stored position, is
    /// dropped if fences have decided about a later one.
    pub fn hold(&mut self, change: &Change, now_ns: i64, window_ns: i64) {
        let Some(object) = &change.object else { return };
        let Some(event_ns) = object.event_time() else { return };
        let (key, id) = (&change.key, object.id());
        if !self.is_decidable(change, id, event_ns) {
            self.too_late_count += 1;
            return;
        }
        self.sequence += 1;
        let place = (event_ns, self.sequence);
        let track = self.tracks.entry(key.clone()).or_default().entry(id.into());
        let track = track.or_insert_with(|| Track {
            decided: change.previous.clone(),
            waiting: BTreeMap::new(),
        });
        track.waiting.insert(place, object.clone());
        self.waiting_count += 1;
        // A position that is a whole window newer ends the wait.
        let newest_ns = track.waiting.last_key_value().map_or(event_ns, |((newest, _), _)| *newest);
        let end_ns = newest_ns.saturating_sub(window_ns);
        if let Some(((ended_ns, _), _)) = track.waiting.range(..=(end_ns, u64::MAX)).next_back() {
            let due = Due { key: key.clone(), id: id.into(), event_ns: *ended_ns };
            if self.ready.back() != Some(&due) {
                self.ready.push_back(due);
            }
        }
        let due_ns = now_ns.saturating_add(window_ns);
        self.waits.push_back(Wait { due_ns, key: key.clone(), id: id.into(), place });
        if self.waiting_count > WAITING_MAX {
            let oldest = self.waits.pop_front();
            self.ready.extend(oldest.map(Wait::end));
        }
    }

    /// Whether fences have decided about no later position of the object.
    fn is_decidable(&self, change: &Change, id: &[u8], event_ns: i64) -> bool {
        let Some(track) = self.tracks.get(&change.key).and_then(|ids| ids.get(id)) else {
            return change.arrival != Arrival::Late;
        };
        let decided_ns = track.decided.as_ref().and_then(Object::event_time);
        decided_ns.is_none_or(|decided_ns| decided_ns <= event_ns)
    }

    /// Returns the last position of an object that fences decided about, if others wait.
    pub fn decided(&self, key: &[u8], id: &[u8]) -> Option<&Object> {
        self.tracks.get(key)?.get(id)?.decided.as_ref()
    }

    /// Takes the next positions whose wait is over.
    pub fn next_due(&mut self, now_ns: i64) -> Option<Due> {
        while let Some(due) = self.ready.pop_front() {
            if self.has_waiting(&due.key, &due.id, (due.event_ns, u64::MAX)) {
                return Some(due);
            }
        }
        while self.waits.front().is_some_and(|wait| wait.due_ns <= now_ns) {
            let wait = self.waits.pop_front()?;
            if self.has_waiting(&wait.key, &wait.id, wait.place) {
                return Some(wait.end());
            }
        }
        None
    }

    /// Ends the wait of an object's positions up to an event time: returns them as changes, each
    /// from the position before.
    pub fn release(&mut self, key: &[u8], id: &[u8], event_ns: i64) -> Vec<Change> {
        let Some((key, _)) = self.tracks.get_key_value(key) else { return Vec::new() };
        let key = key.clone();
        let Some(ids) = self.tracks.get_mut(&key) else { return Vec::new() };
        let Some(track) = ids.get_mut(id) else { return Vec::new() };
        let mut changes = Vec::new();
        while let Some(first) = track.waiting.first_entry() {
            if first.key().0 > event_ns {
                break;
            }
            let object = first.remove();
            let previous = track.decided.replace(object.clone());
            changes.push(Change {
                key: key.clone(),
                kind: ChangeKind::Set,
                object: Some(object),
                previous,
                replaced: None,
                arrival: Arrival::Released,
                is_expiry: false,
            });
        }
        self.waiting_count -= changes.len();
        if track.waiting.is_empty() {
            ids.remove(id);
            if ids.is_empty() {
                self.tracks.remove(&key);
            }
        }
        if self.tracks.is_empty() {
            self.waits.clear();
            self.ready.clear();
        }
        changes
    }

    /// Ends the wait of all positions that a change would overtake: those of its object, or of its
    /// key.
    pub fn release_before(&mut self, change: &Change) -> Vec<Change> {
        match (change.kind, &change.object) {
            (ChangeKind::Set | ChangeKind::Del, Some(object)) => {
                self.release(&change.key, object.id(), i64::MAX)
            }
            (ChangeKind::Drop, _) => self.release_key(&change.key),
            _ => Vec::new(),
        }
    }

    /// Drops all waiting positions.
    pub fn clear(&mut self) {
        *self = Reorder { too_late_count: self.too_late_count, ..Reorder::default() };
    }

    fn release_key(&mut self, key: &[u8]) -> Vec<Change> {
        let Some(ids) = self.tracks.get(key) else { return Vec::new() };
        let ids: Vec<Box<[u8]>> = ids.keys().cloned().collect();
        ids.iter().flat_map(|id| self.release(key, id, i64::MAX)).collect()
    }

    fn has_waiting(&self, key: &Key, id: &[u8], place: Place) -> bool {
        let track = self.tracks.get(key).and_then(|ids| ids.get(id));
        let first = track.and_then(|track| track.waiting.first_key_value());
        first.is_some_and(|(first, _)| *first <= place)
    }
}

impl Wait {
    fn end(self) -> Due {
        Due { key: self.key, id: self.id, event_ns: self.place.0 }
    }
}
