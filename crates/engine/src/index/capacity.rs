//! How nodes' lists grow and shrink: a few entries at a time, since at a million items doubling
//! would waste more than the trees themselves take.

/// Entries by which a list grows.
const CAPACITY_STEP: usize = 4;

/// The capacity for that many entries.
fn round(entries: usize) -> usize {
    entries.next_multiple_of(CAPACITY_STEP)
}

/// Inserts, growing by a step if there is no room.
pub(super) fn insert<S>(list: &mut Vec<S>, at: usize, value: S) {
    if list.len() == list.capacity() {
        list.reserve_exact(CAPACITY_STEP);
    }
    list.insert(at, value);
}

/// Removes, shrinking when two steps are free, so that growing and shrinking don't alternate.
pub(super) fn remove<S>(list: &mut Vec<S>, at: usize) -> S {
    let value = list.remove(at);
    if list.capacity() - list.len() >= 2 * CAPACITY_STEP {
        list.shrink_to(list.len() + CAPACITY_STEP);
    }
    value
}

/// Frees what a large removal left over.
pub(super) fn trim<S>(list: &mut Vec<S>) {
    list.shrink_to(round(list.len()));
}

/// A list of what comes from `at` on.
pub(super) fn split_off<S>(list: &mut Vec<S>, at: usize) -> Vec<S> {
    let mut tail = Vec::with_capacity(round(list.len() - at));
    tail.extend(list.drain(at..));
    trim(list);
    tail
}

/// Moves all of `tail` to the end of the list.
pub(super) fn append<S>(list: &mut Vec<S>, tail: &mut Vec<S>) {
    list.reserve_exact(round(list.len() + tail.len()) - list.len());
    list.append(tail);
}
