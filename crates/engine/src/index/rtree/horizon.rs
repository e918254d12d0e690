//! The horizon of a search by distance: nothing beyond it can be a result. It comes nearer while
//! the search meets items.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::bounds::Bounds;
use super::Measure;
use crate::geometry::distance::{Between, Window};
use crate::geometry::Rect;

/// Up to how many wanted items it pays to keep the least distances.
pub(super) const WANTED_MAX: usize = 1000;

/// A distance beyond which nothing can be a result, from upper bounds of the distances of the items
/// met so far.
pub(super) struct Horizon {
    pub distance: f64,
    wanted: usize,
    /// The least of those distances so far, the largest of them on top.
    least: BinaryHeap<Finite>,
    drawn: Drawn,
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
        Horizon { distance, wanted, least: BinaryHeap::new(), drawn }
    }

    /// Whether a box is known to be beyond, at hardly any cost.
    #[inline]
    pub fn excludes(&self, bounds: &Bounds) -> bool {
        self.drawn.window.is_some_and(|(window, _)| !window.overlaps(bounds))
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

    /// Between which distances anything in a box lies, as far as it isn't beyond.
    #[inline]
    pub fn between<T>(&self, measure: &impl Measure<T>, bounds: &Bounds) -> Between {
        let rect = bounds.to_rect();
        if let Some(between) = self.drawn.window.and_then(|(_, window)| window.between(&rect)) {
            return between;
        }
        let between = measure.between(&rect);
        if between.least > self.distance {
            return between;
        }
        measure.between_closely(&rect, between)
    }

    /// Takes the box of an item into account; how far the item is away at least.
    pub fn meet<T>(&mut self, measure: &impl Measure<T>, bounds: &Bounds) -> f64 {
        if self.wanted > WANTED_MAX && self.distance == f64::INFINITY {
            return f64::NEG_INFINITY; // nothing is beyond
        }
        let between = self.between(measure, bounds);
        if self.wanted <= WANTED_MAX && between.most < self.distance && !bounds.may_hide_nan() {
            self.least.push(Finite(between.most));
            if self.least.len() > self.wanted {
                self.least.pop();
            }
            if self.least.len() == self.wanted {
                if let Some(Finite(farthest)) = self.least.peek() {
                    self.distance = self.distance.min(*farthest);
                }
            }
        }
        between.least
    }

    /// Takes the boxes of items into account, if there are as many as are wanted.
    pub fn meet_all<T>(&mut self, measure: &impl Measure<T>, all: &[Bounds]) {
        if all.len() < self.wanted {
            return;
        }
        let known = all.iter().filter(|bounds| !bounds.may_hide_nan());
        let mut most: Vec<f64> = known.map(|bounds| self.between(measure, bounds).most).collect();
        if most.len() >= self.wanted {
            let (_, farthest, _) = most.select_nth_unstable_by(self.wanted - 1, f64::total_cmp);
            self.distance = self.distance.min(*farthest);
        }
    }
}
