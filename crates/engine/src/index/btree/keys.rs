//! The sorted list of keys in a node. It holds four bytes of each key beside the pointers, those
//! after the prefix that all keys share: they decide most comparisons without following a pointer.

use std::cmp::Ordering;
use std::mem::offset_of;
use std::ops::Range;

use arrayvec::ArrayVec;

use super::Keyed;

/// The most keys in a list. With these a leaf takes 768 bytes, a size class of the allocator.
pub(super) const KEYS_MAX: usize = 60;

/// A list of items with unique, ascending keys. It lies within its node in one piece, so that a
/// lookup waits for memory as rarely as possible.
#[derive(Clone)]
#[repr(C)] // the prefix length and the heads, which a lookup reads first, share cache lines
pub(super) struct Keys<K> {
    /// The length of a prefix that all keys share, not necessarily the longest.
    prefix_len: usize,
    /// The four bytes after the prefix of each key, big-endian, padded with zeros. Unused places
    /// hold [`NO_HEAD`].
    heads: [u32; KEYS_MAX],
    items: ArrayVec<K, KEYS_MAX>,
}

/// The offset in a node at which the heads of its keys end; the node's discriminant precedes the
/// keys.
pub(super) const HEADS_END: usize = size_of::<usize>() + offset_of!(Keys<usize>, items);

/// The head in unused places.
const NO_HEAD: u32 = u32::MAX;

/// Returns the four bytes of a key after `from`, padded with zeros.
fn head(key: &[u8], from: usize) -> u32 {
    let rest = &key[from..];
    if let Some(bytes) = rest.first_chunk() {
        return u32::from_be_bytes(*bytes);
    }
    // The usual case, as most keys differ at their ends.
    if let Some(bytes) = key.last_chunk() {
        return u32::from_be_bytes(*bytes).checked_shl(32 - 8 * rest.len() as u32).unwrap_or(0);
    }
    let mut bytes = [0; 4];
    bytes[..rest.len()].copy_from_slice(rest);
    u32::from_be_bytes(bytes)
}

/// Returns the length of the longest common prefix.
pub(super) fn shared_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl<K> Default for Keys<K> {
    fn default() -> Self {
        Keys { prefix_len: 0, heads: [NO_HEAD; KEYS_MAX], items: ArrayVec::new() }
    }
}

impl<K: Keyed> Keys<K> {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn items(&self) -> &[K] {
        &self.items
    }

    /// Returns the range of items whose heads equal that of a key with the prefix. Counts the
    /// lesser heads of all places, without branches: a binary search waits for memory at each step.
    fn equal_heads(&self, key: &[u8]) -> Range<usize> {
        let head = head(key, self.prefix_len);
        let count = |precedes: fn(u32, u32) -> bool| {
            self.heads.iter().map(|&other| u32::from(precedes(other, head))).sum::<u32>() as usize
        };
        count(|other, head| other < head)..count(|other, head| other <= head).min(self.len())
    }

    /// Returns the position of a key, if the list has it. Faster than `find`, as it usually reads
    /// one item.
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        // A key with another prefix gets a wrong range here, but it equals no item in any case.
        if key.len() < self.prefix_len {
            return None;
        }
        let ties = self.equal_heads(key);
        let at = match ties.len() {
            0 => return None,
            1 => ties.start,
            _ => ties.start + self.search_ties(ties, key).ok()?,
        };
        (self.items[at].key() == key).then_some(at)
    }

    /// Returns the only item that may have this key, or an arbitrary one. Reads no item.
    pub fn candidate(&self, key: &[u8]) -> Option<&K> {
        let is_longer = key.len() >= self.prefix_len;
        is_longer.then(|| self.equal_heads(key).start).and_then(|at| self.items.get(at))
    }

    fn search_ties(&self, ties: Range<usize>, key: &[u8]) -> Result<usize, usize> {
        self.items[ties].binary_search_by(|item| item.key().cmp(key))
    }

    /// Returns the position of the key, or `Err` with the position at which to insert it.
    pub fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let Some(first) = self.items.first() else { return Err(0) };
        let beginning = &key[..key.len().min(self.prefix_len)];
        match beginning.cmp(&first.key()[..self.prefix_len]) {
            Ordering::Less => return Err(0),
            Ordering::Greater => return Err(self.len()),
            Ordering::Equal => {}
        }
        let ties = self.equal_heads(key);
        let start = ties.start;
        match self.search_ties(ties, key) {
            Ok(at) => Ok(start + at),
            Err(at) => Err(start + at),
        }
    }

    /// Replaces the item at a position by one with an equal key; returns the former.
    pub fn replace(&mut self, at: usize, item: K) -> K {
        std::mem::replace(&mut self.items[at], item)
    }

    /// Inserts an item at the position that `find` returned.
    pub fn insert(&mut self, at: usize, item: K) {
        let shared = self.items.first().map_or(0, |first| shared_len(first.key(), item.key()));
        if shared < self.prefix_len || self.items.is_empty() {
            self.items.insert(at, item);
            self.build_heads();
        } else {
            self.heads.copy_within(at..self.items.len(), at + 1);
            self.heads[at] = head(item.key(), self.prefix_len);
            self.items.insert(at, item);
        }
    }

    pub fn remove(&mut self, at: usize) -> K {
        self.heads.copy_within(at + 1..self.items.len(), at);
        self.heads[self.items.len() - 1] = NO_HEAD;
        self.items.remove(at)
    }

    /// Moves the items from `at` on into a new list.
    pub fn split_off(&mut self, at: usize) -> Self {
        let items = self.items.drain(at..).collect();
        let mut right = Keys { items, ..Keys::default() };
        self.build_heads();
        right.build_heads();
        right
    }

    /// Appends a list whose keys are all greater.
    pub fn append(&mut self, right: Self) {
        self.items.extend(right.items);
        self.build_heads();
    }

    /// Determines the longest common prefix and the heads after it.
    fn build_heads(&mut self) {
        let (Some(first), Some(last)) = (self.items.first(), self.items.last()) else {
            *self = Keys::default();
            return;
        };
        let prefix_len = shared_len(first.key(), last.key());
        self.prefix_len = prefix_len;
        self.heads = [NO_HEAD; KEYS_MAX];
        for (place, item) in self.heads.iter_mut().zip(&self.items) {
            *place = head(item.key(), prefix_len);
        }
    }

    /// Asserts that the keys are sorted and that prefix and heads fit them.
    #[cfg(test)]
    pub fn check(&self) {
        assert!(self.items.is_sorted_by(|a, b| a.key() < b.key()));
        assert!(self.heads[self.items.len()..].iter().all(|head| *head == NO_HEAD));
        for (item, &stored) in self.items.iter().zip(&self.heads) {
            assert_eq!(item.key()[..self.prefix_len], self.items[0].key()[..self.prefix_len]);
            assert_eq!(stored, head(item.key(), self.prefix_len));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(keys: &[&str]) -> Keys<Box<[u8]>> {
        let mut list = Keys::default();
        for key in keys {
            let at = list.find(key.as_bytes()).unwrap_err();
            list.insert(at, Box::from(key.as_bytes()));
        }
        list.check();
        list
    }

    #[test]
    fn keys_with_a_shared_prefix_are_found() {
        let list = list(&["truck:12", "truck:10", "truck:11", "truck:115"]);
        for (at, key) in ["truck:10", "truck:11", "truck:115", "truck:12"].iter().enumerate() {
            assert_eq!(list.find(key.as_bytes()), Ok(at));
            assert_eq!(list.position(key.as_bytes()), Some(at));
        }
        assert_eq!(list.find(b"truck:114"), Err(2));
        assert_eq!(list.position(b"truck:114"), None);
    }

    #[test]
    fn a_key_without_the_prefix_sorts_before_or_after_all() {
        let list = list(&["truck:10", "truck:11"]);
        assert_eq!(list.find(b"tank:115"), Err(0));
        assert_eq!(list.find(b"tr"), Err(0));
        assert_eq!(list.find(b""), Err(0));
        assert_eq!(list.find(b"truck;"), Err(2));
        assert_eq!(list.position(b"tank::10"), None, "same head, other prefix");
    }

    #[test]
    fn a_key_with_another_beginning_shortens_the_prefix() {
        let mut list = list(&["truck:10", "truck:11"]);
        list.insert(0, Box::from(&b"bus"[..]));
        list.check();
        assert_eq!(list.find(b"truck:11"), Ok(2));
    }

    #[test]
    fn keys_that_differ_by_zero_bytes_at_the_end_differ() {
        let list = list(&["a", "a\0", "a\0\0", "a\0\0\0\0\0", ""]);
        assert_eq!(list.find(b""), Ok(0));
        assert_eq!(list.find(b"a"), Ok(1));
        assert_eq!(list.find(b"a\0\0"), Ok(3));
        assert_eq!(list.find(b"a\0\0\0"), Err(4));
    }

    #[test]
    fn keys_with_equal_heads_are_compared_as_a_whole() {
        let list = list(&["x12345", "x12346", "x12347", "y"]);
        assert_eq!(list.position(b"x12346"), Some(1));
        assert_eq!(list.find(b"x123455"), Err(1));
    }
}
