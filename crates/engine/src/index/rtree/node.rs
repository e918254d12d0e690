//! Nodes: entries ordered by western edge, inserted and removed in Tile38's order. The tree above
//! owns the root; this knows the way down.

use std::ptr;

use arrayvec::ArrayVec;
use triomphe::Arc;

use super::bounds::Bounds;
use super::crowd::{Crowd, NodeId, LEVELS_MAX, NO_ID};
use super::entries::{Counts, Entries};
use super::split::{sort_by_west, split};
use super::Item;
use crate::geometry::Rect;
use crate::index::prefetch;

/// Most entries in a node; part of what decides the order of results.
pub(super) const NODE_ENTRIES_MAX: usize = 64;

/// A leaf of items or a branch of nodes. A branch's boxes are exactly the unions of its children's.
#[derive(Clone)]
pub(super) enum Node<T> {
    Leaf(Entries<T>),
    Branch(Entries<Arc<Node<T>>>),
}

/// Where an entry is: the child to take in each branch, then the position in the leaf.
pub(super) type Path = ArrayVec<u8, LEVELS_MAX>;

/// What nodes have to know of an item to insert or remove it.
#[derive(Clone, Copy)]
pub(super) struct Outline {
    pub bounds: Bounds,
    pub is_shape: bool,
}

impl Outline {
    pub fn new<T: Item>(bounds: &Rect, item: &T) -> Self {
        Outline { bounds: Bounds::of_item(bounds), is_shape: !item.is_point() }
    }
}

/// Where to insert.
#[derive(Clone, Copy)]
pub(super) struct Place<'w> {
    pub outline: Outline,
    /// The children to take, as far as they were chosen.
    pub way: &'w [u8],
}

/// How a search for an item goes.
#[derive(Default)]
pub(super) struct Trail {
    pub path: Path,
    /// Leaves looked into so far.
    pub leaves: usize,
}

/// Returns the places of the bits that are set, ascending.
pub(super) fn places(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = mask.trailing_zeros() as usize;
        mask &= mask.checked_sub(1)?;
        Some(place)
    })
}

/// The child to insert into: the smallest of those that contain the box, else the one that would
/// grow least, of equal ones the smaller.
fn choose(all: &[Bounds], new: &Bounds) -> usize {
    let mut best: Option<(usize, f32)> = None;
    for at in places(Bounds::containing(all, new)) {
        let area = all[at].area();
        if best.is_none_or(|(_, least)| area < least) {
            best = Some((at, area));
        }
    }
    best.map_or_else(|| choose_to_grow(all, new), |(at, _)| at)
}

fn choose_to_grow(all: &[Bounds], new: &Bounds) -> usize {
    let mut best = (0, f32::INFINITY, f32::INFINITY);
    for (at, child) in all.iter().enumerate() {
        let area = child.area();
        let growth = child.union(new).area() - area;
        if at == 0 || growth < best.1 || (growth == best.1 && area < best.2) {
            best = (at, growth, area);
        }
    }
    best.0
}

impl<T: Item> Node<T> {
    pub fn leaf(outline: &Outline, item: T) -> Self {
        let counts = Counts::one(outline.is_shape);
        Node::Leaf(Entries { bounds: vec![outline.bounds], slots: vec![item], counts, id: NO_ID })
    }

    /// A root above two halves of the old one.
    pub fn root_of(mut left: Node<T>, own: &Bounds, crowd: &mut Crowd) -> Self {
        let parent = if left.id() == NO_ID { NO_ID } else { crowd.name(NO_ID) };
        crowd.set_parent(left.id(), parent);
        let right = left.split(own, parent, crowd);
        let halves = [left, right].map(|half| (half.bounds(), Arc::new(half)));
        let mut entries = Entries::with_capacity(2);
        entries.id = parent;
        for (bounds, half) in halves {
            entries.counts.add(half.counts());
            entries.insert(entries.len(), bounds, half);
        }
        entries.settle_left(1);
        Node::Branch(entries)
    }

    /// Sorts the children of a branch by their western edges, also if they are in order. Without
    /// equal edges that would change nothing.
    pub fn sort_branch(&mut self) {
        if let Node::Branch(entries) = self {
            if !entries.bounds.is_sorted_by(|a, b| a.min(0) < b.min(0)) {
                sort_by_west(entries);
            }
        }
    }

    pub fn entry_bounds(&self) -> &[Bounds] {
        match self {
            Node::Leaf(entries) => &entries.bounds,
            Node::Branch(entries) => &entries.bounds,
        }
    }

    fn is_empty(&self) -> bool {
        self.entry_bounds().is_empty()
    }

    /// The box around all entries. An empty node, which no tree keeps, has the box 0, 0.
    pub fn bounds(&self) -> Bounds {
        Bounds::around(self.entry_bounds()).unwrap_or_default()
    }

    pub fn id(&self) -> NodeId {
        match self {
            Node::Leaf(entries) => entries.id,
            Node::Branch(entries) => entries.id,
        }
    }

    /// Returns the counts of the items below.
    pub fn counts(&self) -> Counts {
        match self {
            Node::Leaf(entries) => entries.counts,
            Node::Branch(entries) => entries.counts,
        }
    }

    /// Counts the items below, after entries were moved to or from another node.
    fn recount(&mut self) {
        match self {
            Node::Leaf(entries) => {
                let has_shapes = entries.counts.shapes > 0;
                let shapes = entries.slots.iter().filter(|item| has_shapes && !item.is_point());
                let (items, shapes) = (entries.slots.len() as u32, shapes.count() as u32);
                entries.counts = Counts { items, shapes };
            }
            Node::Branch(entries) => {
                entries.counts = Counts::default();
                for child in &entries.slots {
                    entries.counts.add(child.counts());
                }
            }
        }
    }

    /// Splits off the right half, to go below the same parent.
    fn split(&mut self, own: &Bounds, parent: NodeId, crowd: &mut Crowd) -> Node<T> {
        let mut right = match self {
            Node::Leaf(entries) => Node::Leaf(split(entries, own)),
            Node::Branch(entries) => Node::Branch(split(entries, own)),
        };
        self.recount();
        right.recount();
        if self.id() != NO_ID {
            right.join(crowd, parent);
        }
        right
    }

    /// Takes an id, and tells the crowd what is below.
    fn join(&mut self, crowd: &mut Crowd, parent: NodeId) {
        let id = crowd.name(parent);
        match self {
            Node::Leaf(entries) => {
                entries.id = id;
                entries.slots.iter().for_each(|item| crowd.enter(item.identity(), id));
            }
            Node::Branch(entries) => {
                entries.id = id;
                entries.slots.iter().for_each(|child| crowd.set_parent(child.id(), id));
            }
        }
    }

    /// Makes the leaf at the path and its siblings crowded ones.
    pub fn mark(&mut self, path: &[u8], crowd: &mut Crowd, parent: NodeId) {
        if self.id() == NO_ID {
            self.join(crowd, parent);
        }
        let Node::Branch(Entries { slots, id, .. }) = self else { return };
        let Some((&at, rest)) = path.split_first() else { return };
        if rest.len() > 1 {
            Arc::make_mut(&mut slots[usize::from(at)]).mark(rest, crowd, *id);
            return;
        }
        for leaf in slots.iter_mut().filter(|leaf| leaf.id() == NO_ID) {
            Arc::make_mut(leaf).join(crowd, *id);
        }
    }

    /// Has the node fetched, but for its lists.
    pub fn fetch(&self) {
        prefetch(ptr::from_ref(self).cast(), size_of::<Self>());
    }

    /// Has the lists of the leaf fetched that the way leads to.
    pub fn fetch_lists(&self, way: &[u8]) {
        match (self, way.split_first()) {
            (Node::Branch(entries), Some((&at, rest))) => {
                entries.slots[usize::from(at)].fetch_lists(rest);
            }
            (Node::Leaf(entries), _) => {
                prefetch(entries.bounds.as_ptr().cast(), size_of_val(&entries.bounds[..]));
                entries.fetch_slots();
            }
            _ => {}
        }
    }

    /// The child of a branch that a box is inserted into, and where it is.
    pub fn child_for(&self, bounds: &Bounds) -> Option<(usize, &Node<T>)> {
        let Node::Branch(entries) = self else { return None };
        let at = choose(&entries.bounds, bounds);
        entries.slots.get(at).map(|child| (at, &**child))
    }

    /// Inserts below; `own` is this node's box. Gives back whether that box has to grow, or the
    /// item if this node is full and has to be split first.
    pub fn insert(
        &mut self,
        own: &Bounds,
        place: Place,
        item: T,
        crowd: &mut Crowd,
    ) -> Result<bool, T> {
        let new = &place.outline.bounds;
        match self {
            Node::Leaf(entries) => {
                entries.fetch_slots();
                if entries.len() >= NODE_ENTRIES_MAX {
                    return Err(item);
                }
                crowd.enter(item.identity(), entries.id);
                // Before its equals: the most recently stored comes first.
                entries.insert(entries.count_west_of(new.min(0)), *new, item);
                entries.counts.add(Counts::one(place.outline.is_shape));
                Ok(!own.contains(new))
            }
            Node::Branch(entries) => insert_into_branch(entries, own, place, item, crowd),
        }
    }

    /// Searches the leaves that can hold the box for the item, and notes the way.
    pub fn locate(&self, bounds: &Bounds, item: &T, trail: &mut Trail) -> bool {
        match self {
            Node::Leaf(entries) => {
                entries.fetch_slots();
                trail.leaves += 1;
                let found = places(Bounds::containing(&entries.bounds, bounds))
                    .find(|&at| entries.bounds[at] == *bounds && entries.slots[at].is_same(item));
                let Some(at) = found else { return false };
                trail.path.push(at as u8);
                true
            }
            Node::Branch(entries) => {
                for at in places(Bounds::containing(&entries.bounds, bounds)) {
                    trail.path.push(at as u8);
                    if entries.slots[at].locate(bounds, item, trail) {
                        return true;
                    }
                    trail.path.pop();
                }
                false
            }
        }
    }

    /// Follows the crowd's advice to the item; `None` if it isn't there.
    pub fn follow(&self, lineage: &[NodeId], bounds: &Bounds, item: &T) -> Option<Path> {
        let mut path = Path::new();
        let mut node = self;
        for id in lineage.get(1..)? {
            let Node::Branch(entries) = node else { return None };
            let at = entries.slots.iter().position(|child| child.id() == *id)?;
            path.push(at as u8);
            node = &entries.slots[at];
        }
        let Node::Leaf(entries) = node else { return None };
        let at = entries.slots.iter().position(|slot| slot.is_same(item))?;
        path.push(at as u8);
        (entries.bounds[at] == *bounds).then_some(path)
    }

    /// Takes out the entry at the path, whose outline this is, and shrinks the boxes on the way.
    /// Returns whether they all stayed as they were.
    pub fn remove(&mut self, path: &[u8], old: &Outline, crowd: &mut Crowd) -> bool {
        let Some((&at, rest)) = path.split_first() else { return true };
        let at = usize::from(at);
        match self {
            Node::Leaf(entries) => {
                entries.remove(at);
                entries.counts.subtract(Counts::one(old.is_shape));
                true
            }
            Node::Branch(entries) => {
                entries.counts.subtract(Counts::one(old.is_shape));
                let child = Arc::make_mut(&mut entries.slots[at]);
                let has_stayed = child.remove(rest, old, crowd);
                if child.is_empty() {
                    crowd.forget(child.id());
                    entries.remove(at);
                    false
                } else if entries.bounds[at].rests_on(&old.bounds) {
                    entries.bounds[at] = child.bounds();
                    entries.settle_right(at);
                    false
                } else {
                    has_stayed
                }
            }
        }
    }
}

fn insert_into_branch<T: Item>(
    entries: &mut Entries<Arc<Node<T>>>,
    own: &Bounds,
    mut place: Place,
    mut item: T,
    crowd: &mut Crowd,
) -> Result<bool, T> {
    let Outline { bounds: new, is_shape } = place.outline;
    loop {
        let (at, way) = match place.way.split_first() {
            Some((&chosen, rest)) => (usize::from(chosen), rest),
            None => (choose(&entries.bounds, &new), &[][..]),
        };
        place.way = way;
        let child_bounds = entries.bounds[at];
        match Arc::make_mut(&mut entries.slots[at]).insert(&child_bounds, place, item, crowd) {
            Ok(false) => {
                entries.counts.add(Counts::one(is_shape));
                return Ok(false);
            }
            Ok(true) => {
                entries.counts.add(Counts::one(is_shape));
                entries.bounds[at] = child_bounds.union(&new);
                entries.settle_left(at);
                return Ok(!own.contains(&new));
            }
            Err(returned) if entries.len() >= NODE_ENTRIES_MAX => return Err(returned),
            Err(returned) => {
                split_child(entries, at, crowd);
                place.way = &[];
                item = returned;
            }
        }
    }
}

/// Splits a child; the new half goes right of it, or as far right as the order asks.
fn split_child<T: Item>(entries: &mut Entries<Arc<Node<T>>>, at: usize, crowd: &mut Crowd) {
    let own = entries.bounds[at];
    let left = Arc::make_mut(&mut entries.slots[at]);
    let right = left.split(&own, entries.id, crowd);
    entries.bounds[at] = left.bounds();
    entries.insert(at + 1, right.bounds(), Arc::new(right));
    if entries.bounds[at + 1].min(0) < entries.bounds[at].min(0) {
        entries.swap(at, at + 1);
    }
    entries.settle_right(at + 1);
}
