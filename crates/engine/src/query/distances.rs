//! The distances by which a search for the nearest objects orders them.

use std::cell::Cell;

use crate::geometry::distance::{Between, Origin, Window};
use crate::geometry::{Point, Rect};
use crate::index::Measure;
use crate::object::Object;

/// Distances from the centre, counted: they are what a search by distance costs.
pub struct Distances {
    origin: Origin,
    count: Cell<u64>,
}

impl Distances {
    /// Returns the distances from a place.
    pub fn new(center: Point) -> Self {
        Distances { origin: Origin::new(center), count: Cell::new(0) }
    }

    /// Returns the place, which measures each distance exactly.
    pub fn exact(&self) -> &Origin {
        &self.origin
    }

    /// Returns the number of distances since the last call.
    pub fn take_count(&self) -> u64 {
        self.count.take()
    }

    fn count(&self, more: usize) {
        self.count.set(self.count.get() + more as u64);
    }
}

impl Measure<Object> for Distances {
    fn origin(&self) -> Point {
        self.origin.point()
    }

    fn width(&self) -> f64 {
        self.origin.width()
    }

    fn window(&self, all: &Rect, meters: f64) -> Option<Window> {
        self.origin.window(all, meters)
    }

    fn most_at(&self, square: f64) -> f64 {
        self.origin.most_at(square)
    }

    fn distance(&self, bounds: &Rect) -> f64 {
        self.count(1);
        if bounds.has_plain_distance() {
            self.origin.to_rect(bounds)
        } else {
            self.origin.between(bounds).least
        }
    }

    fn between(&self, bounds: &Rect) -> Between {
        self.origin.between(bounds)
    }

    fn between_closely(&self, bounds: &Rect, between: Between) -> Between {
        self.origin.between_closely(bounds, between)
    }

    fn filled_box(&self, object: &Object) -> Option<Rect> {
        object.filled_box()
    }

    fn shape_between(&self, object: &Object, meters_max: f64) -> Option<Between> {
        let estimate = self.origin.estimate(object.geometry()?, meters_max)?;
        self.count(estimate.looked_at);
        Some(estimate.between)
    }

    fn shape_distance(&self, object: &Object, meters_max: f64) -> f64 {
        let Some(geometry) = object.geometry() else {
            return object.distance_from(&self.origin, meters_max);
        };
        let measured = self.origin.measure(geometry, meters_max);
        self.count(measured.looked_at);
        measured.meters
    }
}
