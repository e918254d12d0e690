//! Group ids, which all messages about one visit of an object to a fence share.

use std::collections::BTreeMap;

use super::FenceRegistry;
use crate::keyspace::Key;

/// The bytes of a group id, shown as hexadecimal digits.
pub type Group = [u8; 12];

/// Appends a group id as hexadecimal digits.
pub fn write_group(out: &mut Vec<u8>, group: &Group) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in group {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Returns the group id of a text of hexadecimal digits.
pub fn group_of_text(text: &[u8]) -> Option<Group> {
    let mut group = Group::default();
    let text = std::str::from_utf8(text).ok()?;
    for (at, byte) in group.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    (text.len() == 2 * group.len()).then_some(group)
}

/// The group ids of an object's visits, by the fence's number.
type Visits = BTreeMap<u64, Group>;

/// Removed fences after which their ids are purged; at least as many as there are fences.
const REMOVED_MAX: usize = 1024;

/// All group ids by key, object and fence, and the generator of new ones. With the same seed, the
/// same writes give the same ids.
#[derive(Default)]
pub struct Groups {
    by_key: BTreeMap<Key, BTreeMap<Box<[u8]>, Visits>>,
    counter: u32,
    removed: usize,
    /// The part of the ids that differs between servers.
    pub seed: [u8; 5],
}

impl Groups {
    /// The id of a visit: a new one if the visit begins or has none.
    pub fn get(&mut self, key: &Key, id: &[u8], fence: u64, is_new: bool, now_ns: i64) -> Group {
        if !is_new {
            let known = self.by_key.get(key).and_then(|ids| ids.get(id)?.get(&fence));
            if let Some(group) = known {
                return *group;
            }
        }
        let group = self.make(now_ns);
        let ids = self.by_key.entry(key.clone()).or_default();
        if let Some(groups) = ids.get_mut(id) {
            groups.insert(fence, group);
        } else {
            ids.insert(id.into(), BTreeMap::from([(fence, group)]));
        }
        group
    }

    /// The number of visits.
    pub fn count(&self) -> usize {
        self.by_key.values().flat_map(BTreeMap::values).map(BTreeMap::len).sum()
    }

    /// Makes an id of seconds, seed and a counter. Tile38 makes them of time, host and process.
    pub(super) fn make(&mut self, now_ns: i64) -> Group {
        let mut group = Group::default();
        group[..4].copy_from_slice(&((now_ns / 1_000_000_000) as u32).to_be_bytes());
        group[4..9].copy_from_slice(&self.seed);
        group[9..].copy_from_slice(&self.counter.to_be_bytes()[1..]);
        self.counter = self.counter.wrapping_add(1);
        group
    }

    /// Forgets the visit of an object to one fence.
    pub fn forget_visit(&mut self, key: &Key, id: &[u8], fence: u64) {
        let Some(ids) = self.by_key.get_mut(key) else { return };
        let Some(groups) = ids.get_mut(id) else { return };
        groups.remove(&fence);
        if groups.is_empty() {
            ids.remove(id);
        }
    }

    /// Forgets all visits of an object.
    pub fn forget_object(&mut self, key: &Key, id: &[u8]) {
        if let Some(ids) = self.by_key.get_mut(key) {
            ids.remove(id);
        }
    }

    /// Forgets all visits to fences of a key.
    pub fn forget_key(&mut self, key: &Key) {
        self.by_key.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.by_key.clear();
        self.removed = 0;
    }

    /// Takes all ids out. New ids still differ from all former ones.
    #[must_use]
    pub fn take(&mut self) -> Groups {
        let fresh = Groups { counter: self.counter, seed: self.seed, ..Groups::default() };
        std::mem::replace(self, fresh)
    }

    /// Counts removed fences. Their numbers are never reused, so their ids only take memory; they
    /// are purged when enough have gathered to be worth a scan of all ids.
    pub fn note_removed(&mut self, count: usize, fences: &FenceRegistry) {
        self.removed += count;
        if self.removed < REMOVED_MAX.max(fences.len()) {
            return;
        }
        self.removed = 0;
        let serials = fences.serials();
        for ids in self.by_key.values_mut() {
            ids.retain(|_, groups| {
                groups.retain(|fence, _| serials.contains(fence));
                !groups.is_empty()
            });
        }
        self.by_key.retain(|_, ids| !ids.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000_000_000;

    fn key(name: &str) -> Key {
        name.as_bytes().into()
    }

    /// The number of objects with a visit.
    fn known(groups: &Groups) -> usize {
        groups.by_key.values().map(BTreeMap::len).sum()
    }

    #[test]
    fn a_visit_keeps_its_id_until_the_next_begins() {
        let mut groups = Groups::default();
        let first = groups.get(&key("fleet"), b"truck", 1, true, NOW);
        assert_eq!(groups.get(&key("fleet"), b"truck", 1, false, NOW), first);
        assert_ne!(groups.get(&key("fleet"), b"truck", 2, false, NOW), first);
        assert_ne!(groups.get(&key("fleet"), b"van", 1, false, NOW), first);
        assert_ne!(groups.get(&key("other"), b"truck", 1, false, NOW), first);
        assert_ne!(groups.get(&key("fleet"), b"truck", 1, true, NOW), first);
    }

    #[test]
    fn an_id_tells_when_where_and_the_how_manieth() {
        let mut groups = Groups { seed: [1, 2, 3, 4, 5], ..Groups::default() };
        groups.counter = 0x00ff_ffff;
        let id = groups.get(&key("fleet"), b"truck", 1, true, NOW);
        assert_eq!(id, [0x65, 0x53, 0xf1, 0x00, 1, 2, 3, 4, 5, 0xff, 0xff, 0xff]);
        let next = groups.get(&key("fleet"), b"truck", 1, true, NOW);
        assert_eq!(next[9..], [0, 0, 0]);
    }

    #[test]
    fn a_group_is_read_from_its_text() {
        let group = [0, 1, 15, 16, 0xab, 255, 7, 8, 9, 10, 11, 12];
        let mut text = Vec::new();
        write_group(&mut text, &group);
        assert_eq!(text, b"00010f10abff0708090a0b0c");
        assert_eq!(group_of_text(&text), Some(group));
        for bad in [&text[1..], b"", b"00010f10abff0708090a0b0x", b"00010f10abff0708090a0b0c00"] {
            assert_eq!(group_of_text(bad), None);
        }
    }

    #[test]
    fn what_ends_is_forgotten_and_takes_no_room() {
        let mut groups = Groups::default();
        for id in [b"a", b"b"] {
            for fence in 1..=2 {
                groups.get(&key("fleet"), id, fence, true, NOW);
            }
        }
        groups.forget_visit(&key("fleet"), b"a", 1);
        assert_eq!(known(&groups), 2);
        groups.forget_visit(&key("fleet"), b"a", 2);
        assert_eq!(known(&groups), 1);
        groups.forget_object(&key("fleet"), b"b");
        assert_eq!(known(&groups), 0);
        groups.get(&key("fleet"), b"a", 1, true, NOW);
        groups.get(&key("other"), b"a", 1, true, NOW);
        groups.forget_key(&key("fleet"));
        assert_eq!(known(&groups), 1);
        groups.clear();
        assert_eq!(known(&groups), 0);
    }

    #[test]
    fn ids_of_fences_that_are_gone_are_cleared_away_in_the_end() {
        let mut groups = Groups::default();
        let fences = FenceRegistry::default();
        for fence in 0..REMOVED_MAX as u64 {
            groups.get(&key("fleet"), b"truck", fence, true, NOW);
            groups.note_removed(1, &fences);
        }
        assert_eq!(groups.by_key.len(), 0);
    }
}
