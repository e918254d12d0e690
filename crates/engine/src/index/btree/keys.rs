//! A short sorted list with a compact head of each key, so that a lookup follows few pointers:
//! most comparisons are decided by the four bytes after the prefix that all keys share.

use std::cmp::Ordering;
use std::mem::offset_of;
use std::ops::Range;

use arrayvec::ArrayVec;

use super::Keyed;

/// Most keys in a list: a leaf takes 768 bytes, which the allocator has without a gap.
pub(super) const KEYS_MAX: usize = 60;

/// The list. Keys are unique and ascending. All of it lies in one piece, within its node: a
/// lookup waits for memory as rarely as can be.
#[derive(Clone)]
#[repr(C)] // what a lookup needs first lies together
pub(super) struct Keys<K> {
    /// All keys begin with the same bytes, this many; there may be more.
    prefix_len: usize,
    /// The next four bytes of each key, big-endian, filled up with zeros; then [`NO_HEAD`].
    heads: [u32; KEYS_MAX],
    items: ArrayVec<K, KEYS_MAX>,
}

/// Where in a node its keys' heads end; before the keys stands the kind of node.
pub(super) const HEADS_END: usize = size_of::<usize>() + offset_of!(Keys<usize>, items);

/// In places of the heads that no key has.
const NO_HEAD: u32 = u32::MAX;

/// The four bytes of a key from one on.
fn head(key: &[u8], from: usize) -> u32 {
    let rest = &key[from..];
    if let Some(bytes) = rest.first_chunk() {
        return u32::from_be_bytes(*bytes);
    }
    // Keys mostly differ at their ends: this is the usual case.
    if let Some(bytes) = key.last_chunk() {
        return u32::from_be_bytes(*bytes).checked_shl(32 - 8 * rest.len() as u32).unwrap_or(0);
    }
    let mut bytes = [0; 4];
    bytes[..rest.len()].copy_from_slice(rest);
    u32::from_be_bytes(bytes)
}

/// How many bytes both begin with.
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

    /// Where the heads equal that of a key with the prefix. Counted, not bisected: a bisection
    /// waits for memory at each of its steps. All places are, since that takes no branches.
    fn equal_heads(&self, key: &[u8]) -> Range<usize> {
        let head = head(key, self.prefix_len);
        let count = |is_counted: fn(u32, u32) -> bool| {
            self.heads.iter().map(|&other| u32::from(is_counted(other, head))).sum::<u32>() as usize
        };
        count(|other, head| other < head)..count(|other, head| other <= head).min(self.len())
    }

    /// The position of a key that is there. Quicker than `find`: it looks at one item as a rule.
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        // A key with another prefix is led astray here, but no item equals it anyway.
        if key.len() < self.prefix_len {
            return None;
        }
        let ties = self.equal_heads(key);
        let at = match ties.len() {
            0 => return None,
            1 => ties.start,
            _ => ties.start + self.find_among(ties, key).ok()?,
        };
        (self.items[at].key() == key).then_some(at)
    }

    /// Where the key is if it is there; else where another is. Looks at none.
    pub fn likely(&self, key: &[u8]) -> Option<&K> {
        let is_longer = key.len() >= self.prefix_len;
        is_longer.then(|| self.equal_heads(key).start).and_then(|at| self.items.get(at))
    }

    fn find_among(&self, ties: Range<usize>, key: &[u8]) -> Result<usize, usize> {
        self.items[ties].binary_search_by(|item| item.key().cmp(key))
    }

    /// The position of the key, or where it would have to be inserted.
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
        match self.find_among(ties, key) {
            Ok(at) => Ok(start + at),
            Err(at) => Err(start + at),
        }
    }

    /// Puts an item with an equal key in the place of the one there.
    pub fn replace(&mut self, at: usize, item: K) -> K {
        std::mem::replace(&mut self.items[at], item)
    }

    /// Inserts where `find` said.
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

    /// Cuts the list in two and gives back what comes from `at` on.
    pub fn split_off(&mut self, at: usize) -> Self {
        let items = self.items.drain(at..).collect();
        let mut right = Keys { items, ..Keys::default() };
        self.build_heads();
        right.build_heads();
        right
    }

    /// Adds a list whose keys all come after these.
    pub fn append(&mut self, right: Self) {
        self.items.extend(right.items);
        self.build_heads();
    }

    /// Finds the longest prefix and takes the heads behind it.
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

    /// Asserts that order, prefix and heads are what they should be.
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
    fn keys_are_found_behind_a_shared_prefix() {
        let list = list(&["truck:12", "truck:10", "truck:11", "truck:115"]);
        for (at, key) in ["truck:10", "truck:11", "truck:115", "truck:12"].iter().enumerate() {
            assert_eq!(list.find(key.as_bytes()), Ok(at));
            assert_eq!(list.position(key.as_bytes()), Some(at));
        }
        assert_eq!(list.find(b"truck:114"), Err(2));
        assert_eq!(list.position(b"truck:114"), None);
    }

    #[test]
    fn a_key_without_the_prefix_lies_before_or_behind_all() {
        let list = list(&["truck:10", "truck:11"]);
        assert_eq!(list.find(b"tank:115"), Err(0));
        assert_eq!(list.find(b"tr"), Err(0));
        assert_eq!(list.find(b""), Err(0));
        assert_eq!(list.find(b"truck;"), Err(2));
        assert_eq!(list.position(b"tank::10"), None, "same rest, other beginning");
    }

    #[test]
    fn a_new_beginning_shortens_the_prefix() {
        let mut list = list(&["truck:10", "truck:11"]);
        list.insert(0, Box::from(&b"bus"[..]));
        list.check();
        assert_eq!(list.find(b"truck:11"), Ok(2));
    }

    #[test]
    fn zero_bytes_and_the_end_of_a_key_differ() {
        let list = list(&["a", "a\0", "a\0\0", "a\0\0\0\0\0", ""]);
        assert_eq!(list.find(b""), Ok(0));
        assert_eq!(list.find(b"a"), Ok(1));
        assert_eq!(list.find(b"a\0\0"), Ok(3));
        assert_eq!(list.find(b"a\0\0\0"), Err(4));
    }

    #[test]
    fn equal_heads_are_told_apart_by_the_whole_key() {
        let list = list(&["x12345", "x12346", "x12347", "y"]);
        assert_eq!(list.position(b"x12346"), Some(1));
        assert_eq!(list.find(b"x123455"), Err(1));
    }
}
