//! Growing and shrinking of the lists in nodes, by a few entries at a time: at a million items,
//! doubling the capacity would waste more memory than the trees need.

/// Entries by which a list grows.
const CAPACITY_STEP: usize = 4;

/// Returns the capacity for this many entries.
fn round_up(entries: usize) -> usize {
    entries.next_multiple_of(CAPACITY_STEP)
}

/// Inserts a value; a full list grows by one step.
pub(super) fn insert<S>(list: &mut Vec<S>, at: usize, value: S) {
    if list.len() == list.capacity() {
        list.reserve_exact(CAPACITY_STEP);
    }
    list.insert(at, value);
}

/// Removes a value. The list shrinks when two steps are free; with one step, alternating insertions
/// and removals would reallocate each time.
pub(super) fn remove<S>(list: &mut Vec<S>, at: usize) -> S {
    let value = list.remove(at);
    if list.capacity() - list.len() >= 2 * CAPACITY_STEP {
        list.shrink_to(list.len() + CAPACITY_STEP);
    }
    value
}

/// Frees the unused capacity, but for the rest of a step.
pub(super) fn trim<S>(list: &mut Vec<S>) {
    list.shrink_to(round_up(list.len()));
}

/// Moves the values from `at` on into a new list.
pub(super) fn split_off<S>(list: &mut Vec<S>, at: usize) -> Vec<S> {
    let mut tail = Vec::with_capacity(round_up(list.len() - at));
    tail.extend(list.drain(at..));
    trim(list);
    tail
}

/// Moves all values of `tail` to the end of the list.
pub(super) fn append<S>(list: &mut Vec<S>, tail: &mut Vec<S>) {
    list.reserve_exact(round_up(list.len() + tail.len()) - list.len());
    list.append(tail);
}
