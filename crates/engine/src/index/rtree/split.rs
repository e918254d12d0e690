//! Splitting a full node in two, in exactly Tile38's order: which entry comes first decides the
//! order of search results. Works on the entries alone.

use super::bounds::Bounds;
use super::entries::Entries;
use crate::index::capacity;

/// Fewest entries in either half.
const HALF_MIN: usize = 2;

/// Which edge entries are sorted by: of an axis, the lower or the upper one.
#[derive(Clone, Copy)]
enum Edge {
    Min(usize),
    Max(usize),
}

impl Edge {
    fn of(self, bounds: &Bounds) -> f32 {
        match self {
            Edge::Min(axis) => bounds.min(axis),
            Edge::Max(axis) => bounds.max(axis),
        }
    }
}

/// Moves the entries nearer to the upper end of the node's longer side out, into the result.
pub(super) fn split<S>(left: &mut Entries<S>, own: &Bounds) -> Entries<S> {
    let (width, height) = (own.max(0) - own.min(0), own.max(1) - own.min(1));
    let axis = usize::from(height > width);
    let mut right = Entries::with_capacity(left.len());
    right.counts = left.counts; // until both halves are counted
    let mut at = 0;
    while at < left.len() {
        let entry = left.bounds[at];
        if entry.min(axis) - own.min(axis) < own.max(axis) - entry.max(axis) {
            at += 1;
        } else {
            move_entry(left, at, &mut right);
        }
    }
    if left.len() < HALF_MIN {
        top_up(left, &mut right, Edge::Min(axis));
    } else if right.len() < HALF_MIN {
        top_up(&mut right, left, Edge::Max(axis));
    }
    for half in [&mut *left, &mut right] {
        if !half.bounds.is_sorted_by(|a, b| a.min(0) <= b.min(0)) {
            sort_by_west(half);
        }
        capacity::trim(&mut half.bounds);
        capacity::trim(&mut half.slots);
    }
    right
}

/// The last entry fills the gap.
fn move_entry<S>(from: &mut Entries<S>, at: usize, to: &mut Entries<S>) {
    to.bounds.push(from.bounds.swap_remove(at));
    to.slots.push(from.slots.swap_remove(at));
}

/// Takes the entries nearest to the other side: those with the least lower edge, or with the
/// greatest upper one.
fn top_up<S>(poor: &mut Entries<S>, rich: &mut Entries<S>, edge: Edge) {
    match edge {
        Edge::Min(_) => sort(&mut rich.bounds, &mut rich.slots, |a, b| edge.of(a) > edge.of(b)),
        Edge::Max(_) => sort(&mut rich.bounds, &mut rich.slots, |a, b| edge.of(a) > edge.of(b)),
    }
    while poor.len() < HALF_MIN && rich.len() > HALF_MIN {
        move_entry(rich, rich.len() - 1, poor);
    }
}

/// Sorts by the western edge.
pub(super) fn sort_by_west<S>(entries: &mut Entries<S>) {
    let Entries { bounds, slots, .. } = entries;
    if bounds.iter().all(|entry| entry.min(0) == bounds[0].min(0)) {
        shuffle_equals(bounds, slots);
    } else {
        sort(bounds, slots, |a, b| a.min(0) < b.min(0));
    }
}

/// Moves entries with equal keys as [`sort`] moves them, without comparisons: a root that grows
/// along a meridian is sorted with every insertion.
fn shuffle_equals<S>(bounds: &mut [Bounds], slots: &mut [S]) {
    for start in 0..bounds.len().saturating_sub(1) {
        let (middle, last) = (start + (bounds.len() - start) / 2, bounds.len() - 1);
        for (a, b) in [(middle, last), (start, last)] {
            bounds.swap(a, b);
            slots.swap(a, b);
        }
    }
}

/// Tile38's quicksort. It isn't stable, and how it shuffles equal entries shows in results.
fn sort<S>(bounds: &mut [Bounds], slots: &mut [S], less: impl Fn(&Bounds, &Bounds) -> bool + Copy) {
    if bounds.len() < 2 {
        return;
    }
    let last = bounds.len() - 1;
    bounds.swap(bounds.len() / 2, last);
    slots.swap(bounds.len() / 2, last);
    let mut middle = 0;
    for at in 0..last {
        if less(&bounds[at], &bounds[last]) {
            bounds.swap(at, middle);
            slots.swap(at, middle);
            middle += 1;
        }
    }
    bounds.swap(middle, last);
    slots.swap(middle, last);
    sort(&mut bounds[..middle], &mut slots[..middle], less);
    sort(&mut bounds[middle + 1..], &mut slots[middle + 1..], less);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_are_shuffled_as_sorting_shuffles_them() {
        for count in 0..=64 {
            let mut bounds = vec![Bounds::default(); count];
            let (mut sorted, mut shuffled): (Vec<_>, Vec<_>) = (0..count).map(|n| (n, n)).unzip();
            sort(&mut bounds, &mut sorted, |a, b| a.min(0) < b.min(0));
            shuffle_equals(&mut bounds, &mut shuffled);
            assert_eq!(sorted, shuffled);
        }
    }
}
