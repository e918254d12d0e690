//! Objects that a follower has removed because their deadline had passed by its own clock.
//!
//! The leader may still have such an object and name it in its stream: its clock may be behind, it
//! may have extended the lifetime while nothing reached the follower, or it may have restarted and
//! begun to count the lifetime anew. So the follower keeps an expired object until the leader
//! removes it. If a command of the leader names the object before that, the follower restores it.

use std::collections::{BTreeMap, VecDeque};

use super::Engine;
use crate::commands;
use crate::commands::key_references::KeyReference;
use crate::commands::record::{Facts, Removal};
use crate::index::Item;
use crate::keyspace::Key;
use crate::object::Object;
use crate::request::Args;

/// The most objects to keep; small ones take a few dozen megabytes together.
const OBJECTS_MAX: usize = 100_000;

/// The expired objects by key and id, and in the order of their removal.
#[derive(Default)]
pub struct ExpiredObjects {
    by_key: BTreeMap<Key, BTreeMap<Box<[u8]>, Object>>,
    order: VecDeque<(Key, Object)>,
}

impl ExpiredObjects {
    /// Keeps an object that was removed.
    pub fn add(&mut self, key: &Key, object: Object) {
        self.order.push_back((Key::clone(key), object.clone()));
        self.by_key.entry(Key::clone(key)).or_default().insert(object.id().into(), object);
    }

    /// Drops the oldest objects above [`OBJECTS_MAX`], and the order's entries for objects that
    /// were restored or deleted since.
    pub fn trim(&mut self) {
        while let Some((key, object)) = self.order.front() {
            let kept = self.by_key.get(key).and_then(|objects| objects.get(object.id()));
            let is_kept = kept.is_some_and(|kept| kept.identity() == object.identity());
            if is_kept && self.order.len() <= OBJECTS_MAX {
                return;
            }
            let (key, object) = (Key::clone(key), object.clone());
            if is_kept {
                self.take(&key, object.id());
            }
            self.order.pop_front();
        }
    }

    /// Drops all objects.
    pub fn clear(&mut self) {
        *self = ExpiredObjects::default();
    }

    fn take(&mut self, key: &[u8], id: &[u8]) -> Option<Object> {
        let objects = self.by_key.get_mut(key)?;
        let object = objects.remove(id);
        if objects.is_empty() {
            self.by_key.remove(key);
        }
        object
    }

    fn take_key(&mut self, key: &[u8]) -> impl Iterator<Item = Object> {
        self.by_key.remove(key).into_iter().flat_map(BTreeMap::into_values)
    }
}

impl Engine {
    /// Makes the data ready for a command of the leader: restores the expired objects that the
    /// command names, and forgets those that it removes.
    pub(super) fn reconcile_expired(&mut self, facts: Facts, args: Args) {
        if self.expired_objects.order.is_empty() {
            return;
        }
        let (key, word) = (args.at(1), args.at(2));
        match facts.removal {
            Removal::All => self.expired_objects.clear(),
            Removal::Object => drop(self.expired_objects.take(key, word)),
            Removal::Key => drop(self.expired_objects.take_key(key)),
            Removal::Matching => {
                if let Some(objects) = self.expired_objects.by_key.get_mut(key) {
                    objects.retain(|id, _| !commands::pdel_deletes(word, id));
                }
            }
            Removal::Rename => {
                for object in self.expired_objects.take_key(key) {
                    self.keyspace.insert(key, object);
                }
                drop(self.expired_objects.take_key(word));
            }
            Removal::None => {
                for KeyReference { key, id } in facts.keys.references(args) {
                    if let Some(id) = id {
                        self.restore_expired(key, id);
                    }
                }
            }
        }
    }

    /// Restores all expired objects. A server that stops following deletes them itself, so that the
    /// deletions are logged.
    pub(super) fn restore_all_expired(&mut self) {
        for (key, objects) in std::mem::take(&mut self.expired_objects).by_key {
            for object in objects.into_values() {
                self.keyspace.insert(&key, object);
            }
        }
    }

    fn restore_expired(&mut self, key: &[u8], id: &[u8]) {
        if let Some(object) = self.expired_objects.take(key, id) {
            self.keyspace.insert(key, object);
        }
    }
}
