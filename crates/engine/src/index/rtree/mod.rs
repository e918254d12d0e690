//! An R-tree of boxes with copy-on-write nodes: a clone is an immutable snapshot at no cost, and a
//! change copies only nodes that a snapshot holds.
//!
//! Which entry comes where follows Tile38 exactly, since clients see it as the order of results.
//! The tree knows an item only by its identity: what it is and where, its owner remembers.

mod bounds;
mod crowd;
mod entries;
mod horizon;
mod nearest;
mod node;
mod queue;
mod region;
mod search;
mod split;

use std::ops::ControlFlow;

use triomphe::Arc;

use self::bounds::Bounds;
use self::crowd::{Crowd, NO_ID};
use self::node::{Node, Outline, Path, Place, Trail};
use self::region::Region;
use crate::geometry::distance::{is_in_world, Between, Window};
use crate::geometry::{PlanarArea, Point, Rect};

pub use self::region::Side;
pub use self::search::{AreaParts, Tally, Visitor};

/// What a tree holds; small and cheap to clone, a counted pointer say.
pub trait Item: Clone {
    /// Whether both are the very same item, as pointers are; equal content isn't enough.
    fn is_same(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// A number no other item in the tree has: a pointer's address.
    fn identity(&self) -> usize;

    /// Returns whether it is a point of numbers: then its box tells where it is.
    fn is_point(&self) -> bool;

    /// Begins to fetch the item into the cache.
    fn prefetch(&self) {}

    /// Begins to fetch the shape to which the item points. Reads the item.
    fn prefetch_shape(&self) {}

    /// Begins to fetch the positions to which the shape points. Reads the shape.
    fn prefetch_positions(&self) {}
}

/// How far items are from where a search begins.
pub trait Measure<T> {
    /// Where the search begins.
    fn origin(&self) -> Point;

    /// Roughly how long a step along x is near the origin, in steps along y.
    fn width(&self) -> f64;

    /// A box outside of which nothing is within the distance, given the box around everything;
    /// `None` where there is no such box.
    fn window(&self, all: &Rect, distance: f64) -> Option<Window>;

    /// Returns a distance within which everything lies whose squared distance in steps along y,
    /// given that width, isn't greater.
    fn most_at(&self, square: f64) -> f64;

    /// The distance of a box, or less if that isn't known.
    fn distance(&self, bounds: &Rect) -> f64;

    /// Between which distances anything within the box lies; cheap rather than close.
    fn between(&self, bounds: &Rect) -> Between;

    /// The same, closer where that takes more.
    fn between_closely(&self, bounds: &Rect, between: Between) -> Between;

    /// The exact box of an item, if it fills it as a point does: then its distance is its box's.
    fn filled_box(&self, item: &T) -> Option<Rect>;

    /// Returns bounds of the distance of such an item that take less than the distance itself;
    /// `None` if there are none. They may be infinite for an item farther away than `most`.
    fn shape_between(&self, item: &T, most: f64) -> Option<Between>;

    /// The distance of an item that doesn't fill its box. It may be infinite for one farther away
    /// than `most`.
    fn shape_distance(&self, item: &T, most: f64) -> f64;
}

/// How far a search by distance has to go.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// How many items it visits at most.
    pub count: usize,
    /// What lies farther away isn't visited.
    pub distance: f64,
    /// Whether it matters how items at equal distance follow each other.
    pub orders_equals: bool,
    /// Whether the visitor needs distances. If not, it is told upper bounds where these suffice
    /// for the order.
    pub tells_distances: bool,
}

/// A search for an item that looks into more leaves than this has met a crowd.
const LEAVES_SEARCHED_MAX: usize = 16;

/// The tree. `Clone` takes a snapshot.
pub struct RTree<T> {
    root: Option<Root<T>>,
    len: usize,
    crowd: Crowd,
}

impl<T> Clone for RTree<T> {
    fn clone(&self) -> Self {
        RTree { root: self.root.clone(), len: self.len, crowd: Crowd::default() }
    }
}

struct Root<T> {
    bounds: Bounds,
    /// Levels of branches above the leaves.
    height: usize,
    /// Levels that Tile38 has above this root, each with one child: it never lowers a tree, and
    /// only what it has for its root is sorted anew.
    hidden_levels: usize,
    node: Arc<Node<T>>,
}

impl<T> Clone for Root<T> {
    fn clone(&self) -> Self {
        Root { node: self.node.clone(), ..*self }
    }
}

impl<T> Default for RTree<T> {
    fn default() -> Self {
        RTree { root: None, len: 0, crowd: Crowd::default() }
    }
}

impl<T: Item> RTree<T> {
    /// An empty tree.
    pub fn new() -> Self {
        RTree::default()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The box around all items, each rounded outward to float32.
    pub fn bounds(&self) -> Option<Rect> {
        self.root.as_ref().map(|root| root.bounds.to_rect())
    }

    /// Adds an item. The tree doesn't look whether it is there already.
    pub fn insert(&mut self, bounds: &Rect, item: T) {
        self.insert_at(Place { outline: Outline::new(bounds, &item), way: &[] }, item);
    }

    fn insert_at(&mut self, mut place: Place, item: T) {
        let new = place.outline.bounds;
        self.len += 1;
        let Some(root) = &mut self.root else {
            let node = Arc::new(Node::leaf(&place.outline, item));
            self.root = Some(Root { bounds: new, height: 0, hidden_levels: 0, node });
            return;
        };
        let mut waiting = item;
        let mut has_new_root = false;
        loop {
            let node = Arc::make_mut(&mut root.node);
            match node.insert(&root.bounds, place, waiting, &mut self.crowd) {
                Ok(has_grown) => {
                    if has_grown {
                        root.bounds = root.bounds.union(&new);
                    }
                    // Tile38 sorts once for either reason, also what is in order: that moves
                    // children with equal western edges.
                    for reason in [has_grown && root.hidden_levels == 0, has_new_root] {
                        if reason {
                            node.sort_branch();
                        }
                    }
                    return;
                }
                Err(returned) => {
                    waiting = returned;
                    has_new_root = root.add_level(&mut self.crowd);
                    place.way = &[];
                }
            }
        }
    }

    /// Removes an item; `bounds` is the box it was inserted with. False if it isn't there.
    pub fn remove(&mut self, bounds: &Rect, item: &T) -> bool {
        self.take_out(&Outline::new(bounds, item), item, &[]).is_some()
    }

    /// Removes an item, if it is there; whether the boxes of all nodes but the root stayed. The
    /// leaf at the end of the way is used next and fetched meanwhile.
    fn take_out(&mut self, old: &Outline, item: &T, way: &[u8]) -> Option<bool> {
        let root = self.root.as_mut()?;
        let path = root.locate(&old.bounds, item, &mut self.crowd)?;
        root.node.fetch_lists(way);
        self.crowd.leave(item.identity());
        self.len -= 1;
        if self.len == 0 {
            *self = RTree::default();
            return Some(false);
        }
        Some(root.remove(&path, old, &mut self.crowd))
    }

    /// Removes an item and adds another, or the same at another place. The leaf where it will be
    /// is fetched while the old one is looked for.
    pub fn replace(&mut self, old: (&Rect, &T), new: (&Rect, T)) {
        let outline = Outline::new(new.0, &new.1);
        let way = self.root.as_ref().map_or_else(Path::new, |root| root.way_to(&outline.bounds));
        let has_stayed = self.take_out(&Outline::new(old.0, old.1), old.1, &way).unwrap_or(true);
        // Where boxes changed, another way may be the right one now.
        let way = if has_stayed { &way[..] } else { &[] };
        self.insert_at(Place { outline, way }, new.1);
    }

    /// Visits the items whose box touches the area, both rounded outward to float32, in the
    /// index's order, until the visitor breaks.
    pub fn search<'a>(
        &'a self,
        area: &Rect,
        visit: impl FnMut(&'a T) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.search_any(std::slice::from_ref(area), visit)
    }

    /// The same for those that touch at least one of a few areas, each once.
    pub fn search_any<'a>(
        &'a self,
        areas: &[Rect],
        visit: impl FnMut(&'a T) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.search_area(areas, None, &mut search::Each(visit))
    }

    /// The same for the items that touch the boxes around an area. Tells the visitor of points
    /// whether they are in the area, as far as their boxes decide that.
    pub fn search_area<'a>(
        &'a self,
        boxes: &[Rect],
        area: Option<PlanarArea>,
        visitor: &mut impl Visitor<'a, T>,
    ) -> ControlFlow<()> {
        let Some(root) = &self.root else { return ControlFlow::Continue(()) };
        let region = Region::new(boxes, area.filter(|_| is_in_world(&root.bounds.to_rect())));
        search::search(&root.node, Side::Unknown, &region, visitor)
    }

    /// Divides [`RTree::search_area`] into at least so many parts, if there are as many leaves.
    pub fn divide_area<'a, 'r>(
        &'a self,
        boxes: &[Rect],
        area: Option<PlanarArea<'r>>,
        parts_min: usize,
    ) -> AreaParts<'a, 'r, T> {
        let bounds = self.root.as_ref().map(|root| root.bounds.to_rect()).unwrap_or_default();
        let region = Region::new(boxes, area.filter(|_| is_in_world(&bounds)));
        AreaParts::new(self.root.as_ref().map(|root| &*root.node), region, parts_min)
    }

    /// Visits all items in the index's order until the visitor breaks.
    pub fn for_each<'a>(
        &'a self,
        mut visit: impl FnMut(&'a T) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &self.root {
            Some(root) => search::for_each(&root.node, &mut visit),
            None => ControlFlow::Continue(()),
        }
    }

    /// Visits the items by ascending distance until the visitor breaks. Of equally distant ones
    /// those that don't fill their boxes come first, in the index's order, then the others in
    /// Tile38's. What lies beyond the reach may be left out.
    pub fn nearest<'a>(
        &'a self,
        measure: &impl Measure<T>,
        reach: &Reach,
        visit: impl FnMut(&'a T, f64) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match &self.root {
            Some(root) => nearest::nearest(&root.node, &root.bounds, measure, reach, visit),
            None => ControlFlow::Continue(()),
        }
    }

    /// The items that reach farthest west, south, east and north by their float32 boxes; of
    /// equal ones the first in the index's order.
    pub fn extremes(&self) -> Option<[&T; 4]> {
        let root: &Node<T> = &self.root.as_ref()?.node;
        Some([
            search::first_at(root, |bounds| bounds.min(0))?,
            search::first_at(root, |bounds| bounds.min(1))?,
            search::first_at(root, |bounds| bounds.max(0))?,
            search::first_at(root, |bounds| bounds.max(1))?,
        ])
    }
}

impl<T: Item> Root<T> {
    /// Splits the full root node and puts a new one above the halves. Returns whether Tile38's
    /// tree gets a new root, too.
    fn add_level(&mut self, crowd: &mut Crowd) -> bool {
        let node = Node::root_of((*self.node).clone(), &self.bounds, crowd);
        self.node = Arc::new(node);
        self.height += 1;
        let is_new = self.hidden_levels == 0;
        self.hidden_levels = self.hidden_levels.saturating_sub(1);
        is_new
    }

    /// The way to the leaf that a box is inserted into; has that leaf fetched.
    fn way_to(&self, bounds: &Bounds) -> Path {
        let mut way = Path::new();
        let mut node: &Node<T> = &self.node;
        // To look whether a node is a leaf would be to wait for it.
        while let (true, Some((at, child))) = (way.len() < self.height, node.child_for(bounds)) {
            way.push(at as u8);
            node = child;
        }
        node.fetch();
        way
    }

    /// The way to the item.
    fn locate(&mut self, bounds: &Bounds, item: &T, crowd: &mut Crowd) -> Option<Path> {
        if let Some(lineage) = crowd.lineage(item.identity()) {
            let path = self.node.follow(&lineage, bounds, item);
            if path.is_some() {
                return path;
            }
        }
        let mut trail = Trail::default();
        if !self.node.locate(bounds, item, &mut trail) {
            return None;
        }
        if trail.leaves > LEAVES_SEARCHED_MAX {
            Arc::make_mut(&mut self.node).mark(&trail.path, crowd, NO_ID);
        }
        Some(trail.path)
    }

    /// Takes out the entry at the path; another one stays. Whether the boxes below did, too.
    fn remove(&mut self, path: &[u8], old: &Outline, crowd: &mut Crowd) -> bool {
        let has_stayed = Arc::make_mut(&mut self.node).remove(path, old, crowd);
        if self.bounds.rests_on(&old.bounds) {
            self.bounds = self.node.bounds();
        }
        // An only child takes the root's place, which keeps the height in proportion when nearly
        // everything is deleted.
        while let Node::Branch(entries) = &*self.node {
            let [only] = entries.slots.as_slice() else { break };
            let only = only.clone();
            crowd.set_parent(only.id(), NO_ID);
            crowd.forget(self.node.id());
            self.node = only;
            self.height -= 1;
            self.hidden_levels += 1;
        }
        has_stayed
    }
}

#[cfg(test)]
mod tests;
