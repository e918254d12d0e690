//! Reading by area, and the items at the edges; by distance, see [`super::nearest`].

use std::ops::ControlFlow;

use super::bounds::Bounds;
use super::entries::Entries;
use super::node::{places, Node};
use super::region::{Entry, Region, Side, Sides};
use super::Item;

/// Items that a search counts at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of items that touch the boxes around the area.
    pub touching: usize,
    /// The number of these items that are points in the area.
    pub inside: usize,
}

/// The receiver of the items that a search finds.
pub trait Visitor<'a, T> {
    /// Takes an item that touches the boxes around the area.
    fn visit(&mut self, item: &'a T, side: Side) -> ControlFlow<()>;

    /// Returns whether the next items, up to so many, may be counted without visits.
    fn accepts_tally(&self, touching: usize) -> bool;

    /// Takes items that are counted without visits.
    fn tally(&mut self, tally: Tally) -> ControlFlow<()>;
}

/// A visitor that wants to see each item.
pub(super) struct Each<F>(pub F);

impl<'a, T: 'a, F: FnMut(&'a T) -> ControlFlow<()>> Visitor<'a, T> for Each<F> {
    #[inline]
    fn visit(&mut self, item: &'a T, _side: Side) -> ControlFlow<()> {
        (self.0)(item)
    }

    fn accepts_tally(&self, _touching: usize) -> bool {
        false
    }

    fn tally(&mut self, _tally: Tally) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Visits the items whose boxes touch the region, depth first in entry order. Points whose boxes
/// tell whether they are in the area are counted, where the visitor accepts that. `side` is where
/// all points below the node are.
pub(super) fn search<'a, T: Item>(
    node: &'a Node<T>,
    side: Side,
    region: &Region,
    visitor: &mut impl Visitor<'a, T>,
) -> ControlFlow<()> {
    let counts = node.counts();
    let entry = match node {
        Node::Branch(_) => Entry::Node,
        Node::Leaf(_) if counts.shapes < counts.items => Entry::Point,
        Node::Leaf(_) => Entry::Shape,
    };
    let sides = region.sides(node.entry_bounds(), entry, side);
    let entries = match node {
        Node::Leaf(entries) => return search_leaf(entries, sides, visitor),
        Node::Branch(entries) => entries,
    };
    for at in places(sides.touching) {
        let (bounds, child) = (&entries.bounds[at], &entries.slots[at]);
        let side = match sides.of(at) {
            Side::Unknown => region.node_side(bounds),
            known => known,
        };
        if side != Side::Unknown && region.holds(bounds) {
            visit_all(child, side, visitor)?;
        } else {
            search(child, side, region, visitor)?;
        }
    }
    ControlFlow::Continue(())
}

/// A subtree of a search. `side` is where all points of the node are.
struct Part<'a, T> {
    node: &'a Node<T>,
    side: Side,
    /// Whether all items touch the region.
    is_whole: bool,
}

/// The parts of a search by area, in its order. They may be searched in any order, and at once.
pub struct AreaParts<'a, 'r, T> {
    region: Region<'r>,
    parts: Vec<Part<'a, T>>,
}

impl<'a, 'r, T: Item> AreaParts<'a, 'r, T> {
    /// Divides a search below a node level by level.
    pub(super) fn new(root: Option<&'a Node<T>>, region: Region<'r>, parts_min: usize) -> Self {
        let root = root.map(|node| Part { node, side: Side::Unknown, is_whole: false });
        let mut parts: Vec<Part<T>> = root.into_iter().collect();
        while parts.len() < parts_min
            && parts.iter().any(|part| matches!(part.node, Node::Branch(_)))
        {
            parts = parts.iter().flat_map(|part| divide(part, &region)).collect();
        }
        AreaParts { region, parts }
    }

    /// Returns the number of parts.
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// Searches one part; see [`search`].
    pub fn search(&self, at: usize, visitor: &mut impl Visitor<'a, T>) -> ControlFlow<()> {
        let Part { node, side, is_whole } = self.parts[at];
        if is_whole {
            visit_all(node, side, visitor)
        } else {
            search(node, side, &self.region, visitor)
        }
    }
}

/// Divides a branch into its children that touch the region.
fn divide<'a, T: Item>(part: &Part<'a, T>, region: &Region) -> Vec<Part<'a, T>> {
    let Part { node, side, is_whole } = *part;
    let Node::Branch(entries) = node else { return vec![Part { node, side, is_whole }] };
    if is_whole {
        return entries.slots.iter().map(|node| Part { node, side, is_whole }).collect();
    }
    let sides = region.sides(node.entry_bounds(), Entry::Node, side);
    let children = places(sides.touching).map(|at| {
        let (bounds, node) = (&entries.bounds[at], &*entries.slots[at]);
        let side = match sides.of(at) {
            Side::Unknown => region.node_side(bounds),
            known => known,
        };
        let is_whole = side != Side::Unknown && region.holds(bounds);
        Part { node, side, is_whole }
    });
    children.collect()
}

fn search_leaf<'a, T: Item>(
    entries: &'a Entries<T>,
    sides: Sides,
    visitor: &mut impl Visitor<'a, T>,
) -> ControlFlow<()> {
    let Sides { touching, inside, outside } = sides;
    let count = touching.count_ones() as usize;
    let mut waiting = touching;
    let decided = inside | outside;
    if decided != 0 && entries.counts.shapes == 0 && visitor.accepts_tally(count) {
        let [touching, inside] = [decided, inside].map(|set| set.count_ones() as usize);
        visitor.tally(Tally { touching, inside })?;
        waiting &= !decided;
    }
    let has_shapes = entries.counts.shapes > 0;
    let looked_at = if has_shapes { waiting } else { waiting & !outside };
    for at in places(looked_at) {
        entries.slots[at].prefetch();
    }
    for at in places(waiting) {
        let item = &entries.slots[at];
        let is_shape = has_shapes && !item.is_point();
        visitor.visit(item, if is_shape { Side::Unknown } else { sides.of(at) })?;
    }
    ControlFlow::Continue(())
}

/// Visits all items below, in entry order; or counts them, if they are points and the visitor
/// accepts that.
fn visit_all<'a, T: Item>(
    node: &'a Node<T>,
    side: Side,
    visitor: &mut impl Visitor<'a, T>,
) -> ControlFlow<()> {
    let counts = node.counts();
    let touching = counts.items as usize;
    if counts.shapes == 0 && visitor.accepts_tally(touching) {
        let inside = if side == Side::Inside { touching } else { 0 };
        return visitor.tally(Tally { touching, inside });
    }
    match node {
        Node::Leaf(entries) => {
            let all = u64::MAX >> (u64::BITS - entries.len() as u32);
            let (inside, outside) = if side == Side::Inside { (all, 0) } else { (0, all) };
            search_leaf(entries, Sides { touching: all, inside, outside }, visitor)
        }
        Node::Branch(entries) => {
            entries.slots.iter().try_for_each(|child| visit_all(child, side, visitor))
        }
    }
}

/// Visits all items below, in entry order.
pub(super) fn for_each<'a, T: Item>(
    node: &'a Node<T>,
    visit: &mut impl FnMut(&'a T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match node {
        Node::Leaf(entries) => entries.slots.iter().try_for_each(visit),
        Node::Branch(entries) => entries.slots.iter().try_for_each(|child| for_each(child, visit)),
    }
}

/// The first item, in entry order, whose box has this edge where the root has it. Every branch
/// rests on a child at each edge, so there is no going back.
pub(super) fn first_at<T: Item>(root: &Node<T>, edge: fn(&Bounds) -> f32) -> Option<&T> {
    let bounds = Bounds::around(root.entry_bounds())?;
    let mut node = root;
    loop {
        let at = node.entry_bounds().iter().position(|entry| edge(entry) == edge(&bounds))?;
        match node {
            Node::Leaf(entries) => return entries.slots.get(at),
            Node::Branch(entries) => node = entries.slots.get(at)?,
        }
    }
}
