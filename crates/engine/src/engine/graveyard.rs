//! Objects that a follower has removed because their time had come by its own clock. The leader may
//! still know them and name them in what it sends: its clock may be behind, or it gave them more
//! time while nothing reached the follower, or began to count anew when it was started again.

use std::collections::{BTreeMap, VecDeque};

use super::Engine;
use crate::commands;
use crate::commands::record::{Facts, Removal};
use crate::commands::subjects::Subject;
use crate::index::Item;
use crate::keyspace::Key;
use crate::object::Object;
use crate::request::Args;

/// The most objects that are kept until the leader deletes them, too; with small ones that is a
/// few dozen megabytes.
const GRAVES_COUNT_MAX: usize = 100_000;

/// The removed objects, by key and id, and in the order of their removal.
#[derive(Default)]
pub struct Graveyard {
    by_key: BTreeMap<Key, BTreeMap<Box<[u8]>, Object>>,
    order: VecDeque<(Key, Object)>,
}

impl Graveyard {
    /// Keeps an object that was removed.
    pub fn bury(&mut self, key: &Key, object: Object) {
        self.order.push_back((Key::clone(key), object.clone()));
        self.by_key.entry(Key::clone(key)).or_default().insert(object.id().into(), object);
    }

    /// Forgets what came back or was deleted since, and the oldest of too many.
    pub fn tidy(&mut self) {
        while let Some((key, object)) = self.order.front() {
            let present = self.by_key.get(key).and_then(|graves| graves.get(object.id()));
            let is_present = present.is_some_and(|found| found.identity() == object.identity());
            if is_present && self.order.len() <= GRAVES_COUNT_MAX {
                return;
            }
            let (key, object) = (Key::clone(key), object.clone());
            if is_present {
                self.take(&key, object.id());
            }
            self.order.pop_front();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Graveyard::default();
    }

    fn take(&mut self, key: &[u8], id: &[u8]) -> Option<Object> {
        let graves = self.by_key.get_mut(key)?;
        let object = graves.remove(id);
        if graves.is_empty() {
            self.by_key.remove(key);
        }
        object
    }

    fn take_key(&mut self, key: &[u8]) -> impl Iterator<Item = Object> {
        self.by_key.remove(key).into_iter().flat_map(BTreeMap::into_values)
    }
}

impl Engine {
    /// Brings back what a leader's command is about, or forgets what it removes.
    pub(super) fn visit_graves(&mut self, facts: Facts, args: Args) {
        if self.graveyard.order.is_empty() {
            return;
        }
        let (key, word) = (args.at(1), args.at(2));
        match facts.removal {
            Removal::All => self.graveyard.clear(),
            Removal::Object => drop(self.graveyard.take(key, word)),
            Removal::Key => drop(self.graveyard.take_key(key)),
            Removal::Matching => {
                if let Some(graves) = self.graveyard.by_key.get_mut(key) {
                    graves.retain(|id, _| !commands::deletes(word, id));
                }
            }
            Removal::Rename => {
                for object in self.graveyard.take_key(key) {
                    self.keyspace.insert(key, object);
                }
                drop(self.graveyard.take_key(word));
            }
            Removal::None => {
                for Subject { key, id } in facts.keys.subjects(args) {
                    if let Some(id) = id {
                        self.revive(key, id);
                    }
                }
            }
        }
    }

    /// Brings all back: whoever leads deletes them itself, and logs that.
    pub(super) fn open_graves(&mut self) {
        for (key, graves) in std::mem::take(&mut self.graveyard).by_key {
            for object in graves.into_values() {
                self.keyspace.insert(&key, object);
            }
        }
    }

    fn revive(&mut self, key: &[u8], id: &[u8]) {
        if let Some(object) = self.graveyard.take(key, id) {
            self.keyspace.insert(key, object);
        }
    }
}
