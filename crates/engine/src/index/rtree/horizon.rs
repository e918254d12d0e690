//! The horizon of a search by distance: nothing beyond it can be a result. It comes nearer while
//! the search meets items.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use arrayvec::ArrayVec;

use super::bounds::Bounds;
use super::node::{Node, NODE_ENTRIES_MAX};
use super::{Item, Measure, Reach};
use crate::geometry::distance::{Between, Scale, Window};
use crate::geometry::{Point, Rect};

/// Up to how many wanted items it pays to keep the least distances.
pub(super) const WANTED_MAX: usize = 1000;

/// A distance beyond which nothing can be a result, from upper bounds of the distances of the items
/// met so far.
pub(super) struct Horizon {
    pub distance: f64,
    /// The number of items that are wanted.
    pub wanted: usize,
    /// Upper bounds of distances by the boxes of items.
    bounds: Least,
    /// Distances of items that were measured.
    distances: Least,
    drawn: Drawn,
}

/// The least distances so far, as many as items are wanted, the largest of them on top.
#[derive(Default)]
struct Least(BinaryHeap<Finite>);

impl Least {
    /// Adds a distance. Returns the distance within which all wanted items lie, once it is known.
    fn add(&mut self, distance: f64, wanted: usize) -> Option<f64> {
        if self.0.is_empty() {
            self.0.reserve(wanted.min(WANTED_MAX) + 1);
        }
        self.0.push(Finite(distance));
        if self.0.len() > wanted {
            self.0.pop();
        }
        self.0.peek().filter(|_| self.0.len() == wanted).map(|Finite(farthest)| *farthest)
    }
}

/// The window of the horizon, or of a farther one before it: four comparisons exclude most boxes
/// beyond it.
struct Drawn {
    window: Option<(Bounds, Window)>,
    distance: f64,
    /// Around everything in the tree.
    all: Rect,
}

/// A horizon that came nearer by less than this leaves the window as it is.
const REDRAWN_FROM: f64 = 0.9;

/// A distance that isn't NaN.
struct Finite(f64);

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Finite {}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Horizon {
    pub fn new(wanted: usize, distance: f64, all: Rect) -> Self {
        let drawn = Drawn { window: None, distance: f64::INFINITY, all };
        Horizon { distance, wanted, bounds: Least::default(), distances: Least::default(), drawn }
    }

    /// Returns the entries of a node that may be within, as bit n for the n-th, at hardly any cost.
    #[inline]
    pub fn touching(&self, all: &[Bounds]) -> u64 {
        match &self.drawn.window {
            Some((window, _)) => {
                Bounds::select(all, window.max(0), |bounds| window.overlaps(bounds))
            }
            None => u64::MAX >> (NODE_ENTRIES_MAX - all.len().min(NODE_ENTRIES_MAX)),
        }
    }

    /// Fits the window to the horizon.
    pub fn draw_window<T>(&mut self, measure: &impl Measure<T>) {
        let drawn = &mut self.drawn;
        if self.distance < drawn.distance * REDRAWN_FROM {
            let window = measure.window(&drawn.all, self.distance);
            drawn.window = window.map(|window| (Bounds::of_area(window.bounds()), window));
            drawn.distance = self.distance;
        }
    }

    /// Returns whether some items may be left out, so that measuring them can wait.
    pub fn is_selective(&self) -> bool {
        self.wanted <= WANTED_MAX
    }

    /// Returns a lower bound of the distance of anything in a box, as far as it isn't beyond.
    #[inline]
    pub fn least<T>(&self, measure: &impl Measure<T>, bounds: &Bounds) -> f64 {
        let rect = bounds.to_rect();
        match self.scale().map(|scale| scale.least(&rect)) {
            Some(least) => least,
            None => self.between(measure, &rect).least,
        }
    }

    /// Returns whether close bounds of distances take few operations.
    pub fn has_scale(&self) -> bool {
        self.scale().is_some()
    }

    fn scale(&self) -> Option<&Scale> {
        self.drawn.window.as_ref().and_then(|(_, window)| window.scale())
    }

    /// Returns bounds of the distance of anything in a box, by the sphere alone.
    fn between<T>(&self, measure: &impl Measure<T>, rect: &Rect) -> Between {
        let between = measure.between(rect);
        if between.least > self.distance {
            return between;
        }
        measure.between_closely(rect, between)
    }

    /// Takes the box of an item into account. Returns a lower bound of the item's distance.
    #[inline]
    pub fn meet<T>(&mut self, measure: &impl Measure<T>, bounds: &Bounds) -> f64 {
        if self.wanted > WANTED_MAX && self.distance == f64::INFINITY {
            return f64::NEG_INFINITY; // nothing is beyond
        }
        let (least, most) = self.limits(measure, bounds);
        self.note(most);
        least
    }

    /// Returns a lower and an upper bound of the distance of an item in a box; an infinite one for
    /// what isn't known.
    #[inline]
    pub fn limits<T>(&self, measure: &impl Measure<T>, bounds: &Bounds) -> (f64, f64) {
        let rect = bounds.to_rect();
        let has_most = self.is_selective() && !bounds.may_hide_nan();
        let Some((scale, window)) =
            self.drawn.window.as_ref().and_then(|(_, window)| Some((window.scale()?, window)))
        else {
            let Between { least, most } = self.between(measure, &rect);
            return (least, if has_most { most } else { f64::INFINITY });
        };
        let least = scale.least(&rect);
        if has_most && least <= self.distance && window.bounds().contains(&rect) {
            return (least, scale.most(&rect));
        }
        (least, f64::INFINITY)
    }

    /// Takes upper bounds of the distances of all items into account.
    pub fn meet_all(&mut self, bounds: impl ExactSizeIterator<Item = f64>) {
        let mut nearer = Vec::with_capacity(bounds.len());
        nearer.extend(bounds.filter(|most| *most < self.distance));
        if self.wanted > 0 && nearer.len() >= self.wanted {
            let (_, farthest, _) = nearer.select_nth_unstable_by(self.wanted - 1, f64::total_cmp);
            self.distance = *farthest;
        }
    }

    /// Brings the horizon nearer if as many items as are wanted have lesser upper bounds.
    fn note(&mut self, most: f64) {
        if !self.is_selective() || most >= self.distance {
            return;
        }
        if let Some(farthest) = self.bounds.add(most, self.wanted) {
            self.distance = self.distance.min(farthest);
        }
    }

    /// Takes the distance of a measured item into account; each item once. Items that are farther
    /// away by less than the margin stay within the horizon.
    pub fn meet_measured(&mut self, distance: f64, margin: f64) {
        if !self.is_selective() || distance + margin >= self.distance || distance.is_nan() {
            return;
        }
        if let Some(farthest) = self.distances.add(distance, self.wanted) {
            self.distance = self.distance.min(farthest + margin);
        }
    }

    /// Lowers the horizon by the upper bounds of the wanted number of items, chosen by the
    /// distances of their boxes. Any choice gives a valid horizon. Does nothing if there are fewer
    /// items.
    fn meet_nearest<T>(&mut self, measure: &impl Measure<T>, all: &[Bounds]) {
        let (origin, width) = (measure.origin(), measure.width());
        if self.wanted == 0 || all.len() < self.wanted {
            return;
        }
        let square = |bounds: &Bounds| {
            if bounds.may_hide_nan() {
                f64::INFINITY
            } else {
                bounds.reach_squared(origin, width)
            }
        };
        let mut squares: Vec<f64> = all.iter().map(square).collect();
        let (_, farthest, _) = squares.select_nth_unstable_by(self.wanted - 1, f64::total_cmp);
        if *farthest < f64::INFINITY {
            self.distance = self.distance.min(measure.most_at(*farthest));
        }
    }
}

/// Items that the first horizon is drawn from, as a multiple of those wanted.
const APPROACHED_SHARE: usize = 2;

/// Returns a distance within which all wanted items lie, by the items of a few leaves near the
/// origin. It lets the search skip most of the entries that it meets.
pub(super) fn approach<T: Item>(
    root: &Node<T>,
    all: Rect,
    measure: &impl Measure<T>,
    reach: &Reach,
) -> f64 {
    let origin = measure.origin();
    let (x, y) = (origin.x as f32, origin.y as f32);
    let mut horizon = Horizon::new(reach.count, reach.distance, all);
    let (mut node, mut siblings) = (root, None);
    while let Node::Branch(entries) = node {
        let at = nearest_entry(&entries.bounds, origin, measure.width());
        node = &entries.slots[at];
        siblings = Some((entries, at));
    }
    let leaf = node.entry_bounds();
    let enough = reach.count * APPROACHED_SHARE;
    let Some((entries, at)) = siblings.filter(|_| leaf.len() < enough) else {
        horizon.meet_nearest(measure, leaf);
        return horizon.distance;
    };
    let others = (0..entries.len()).filter(|other| *other != at);
    let mut nearest: ArrayVec<(f32, usize), NODE_ENTRIES_MAX> =
        others.map(|other| (entries.bounds[other].gap(x, y), other)).collect();
    nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut met = leaf.to_vec();
    for (_, other) in nearest {
        if met.len() >= enough {
            break;
        }
        met.extend_from_slice(entries.slots[other].entry_bounds());
    }
    horizon.meet_nearest(measure, &met);
    horizon.distance
}

/// Returns the box of a few that is nearest to a point. Boxes that hold the point are equally near:
/// of such the one that reaches least far away.
fn nearest_entry(all: &[Bounds], p: Point, width: f64) -> usize {
    let (x, y) = (p.x as f32, p.y as f32);
    let mut nearest = (f32::INFINITY, f64::INFINITY, 0);
    for (at, bounds) in all.iter().enumerate() {
        let gap = bounds.gap(x, y);
        if gap <= nearest.0 {
            let reach = bounds.reach_squared(p, width);
            if gap < nearest.0 || reach < nearest.1 {
                nearest = (gap, reach, at);
            }
        }
    }
    nearest.2
}
