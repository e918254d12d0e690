//! The horizon of a search by distance: nothing beyond it can be a result. It comes nearer while
//! the search meets items.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::bounds::Bounds;
use super::node::NODE_ENTRIES_MAX;
use super::Measure;
use crate::geometry::distance::{Between, Scale, Window};
use crate::geometry::Rect;

/// Up to how many wanted items it pays to keep the least distances.
pub(super) const WANTED_MAX: usize = 1000;

/// A distance beyond which nothing can be a result, from upper bounds of the distances of the items
/// met so far.
pub(super) struct Horizon {
    pub distance: f64,
    wanted: usize,
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
        let rect = bounds.to_rect();
        let Some((scale, window)) =
            self.drawn.window.as_ref().and_then(|(_, window)| Some((window.scale()?, window)))
        else {
            let Between { least, most } = self.between(measure, &rect);
            self.note(most, bounds);
            return least;
        };
        let least = scale.least(&rect);
        if least <= self.distance && self.is_selective() && window.bounds().contains(&rect) {
            let most = scale.most(&rect);
            self.note(most, bounds);
        }
        least
    }

    /// Brings the horizon nearer if as many items as are wanted have lesser upper bounds.
    fn note(&mut self, most: f64, bounds: &Bounds) {
        if !self.is_selective() || most >= self.distance || bounds.may_hide_nan() {
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

    /// Takes the items into account that seem to be the nearest ones, as many as are wanted, if
    /// there are so many. Any choice gives a true horizon, and this one is cheap and good.
    pub fn meet_nearest<T>(&mut self, measure: &impl Measure<T>, all: &[Bounds]) {
        let (origin, width) = (measure.origin(), measure.width() as f32);
        let (x, y) = (origin.x as f32, origin.y as f32);
        let known = all.iter().filter(|bounds| !bounds.may_hide_nan());
        let mut nearest: Vec<(f32, &Bounds)> =
            known.map(|bounds| (bounds.reach_squared(x, y, width), bounds)).collect();
        if nearest.len() < self.wanted {
            return;
        }
        nearest.select_nth_unstable_by(self.wanted - 1, |a, b| a.0.total_cmp(&b.0));
        let most = nearest[..self.wanted]
            .iter()
            .map(|(_, bounds)| self.between(measure, &bounds.to_rect()).most)
            .fold(f64::NEG_INFINITY, f64::max);
        self.distance = self.distance.min(most);
    }
}
