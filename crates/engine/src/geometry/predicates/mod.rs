//! What WITHIN and INTERSECTS mean for two geometries: planar, boundaries included, with Tile38's
//! directions and oddities. Doesn't know stores or searches.
//!
//! An object is WITHIN an area if `contains(area, object)`; it INTERSECTS one if
//! `intersects(object, area)`.

mod line;
mod pairs;
mod ring;
mod segment;

use super::{geodesy, Circle, Collection, Geometry, Point};
use pairs::Simple;

/// Whether b lies in a.
pub fn contains(a: &Geometry, b: &Geometry) -> bool {
    match (a, b) {
        (Geometry::Feature(feature), _) => contains(&feature.geometry, b),
        (Geometry::Collection(outer), _) => collection_contains(outer, b),
        (Geometry::Circle(circle), _) => circle_contains(circle, b),
        _ => Simple::of(a).is_some_and(|a| simple_contains(a, b)),
    }
}

/// Whether x and y share a point; x is the object, y the area.
pub fn intersects(x: &Geometry, y: &Geometry) -> bool {
    match (x, y) {
        (Geometry::Feature(feature), _) => intersects(&feature.geometry, y),
        (Geometry::Collection(left), _) => left.children.iter().any(|child| intersects(child, y)),
        (_, Geometry::Feature(feature)) => intersects(x, &feature.geometry),
        (_, Geometry::Collection(right)) => right.children.iter().any(|child| intersects(x, child)),
        (Geometry::Circle(left), Geometry::Circle(right)) => {
            geodesy::distance(left.center, right.center) <= left.meters + right.meters
        }
        (Geometry::Circle(circle), Geometry::Point(position))
        | (Geometry::Point(position), Geometry::Circle(circle)) => {
            circle.contains_point(position.point)
        }
        _ => match (Simple::of(x), Simple::of(y)) {
            (Some(x), Some(y)) => pairs::intersects(x, y),
            _ => false,
        },
    }
}

/// `contains(area, p)` for a point that isn't a geometry yet.
pub fn contains_point(area: &Geometry, p: Point) -> bool {
    match area {
        Geometry::Rect(rect) => rect.contains_point(p),
        Geometry::Circle(circle) => circle.contains_point(p),
        Geometry::Feature(feature) => contains_point(&feature.geometry, p),
        Geometry::Collection(outer) => outer.children.iter().any(|child| contains_point(child, p)),
        _ => Simple::of(area).is_some_and(|area| pairs::contains_point(area, p)),
    }
}

/// `intersects(p, area)` for a point that isn't a geometry yet: a point meets what it lies in.
pub fn intersects_point(area: &Geometry, p: Point) -> bool {
    contains_point(area, p)
}

/// How many positions a predicate may have to look at; to budget work with.
pub fn cost(geometry: &Geometry) -> usize {
    match geometry {
        Geometry::Circle(circle) => circle.polygon.points().len(),
        Geometry::Feature(feature) => cost(&feature.geometry),
        Geometry::Collection(collection) => collection.children.iter().map(cost).sum(),
        _ => geometry.num_points(),
    }
}

/// A point, box, line or polygon as the outer geometry.
fn simple_contains(a: Simple, b: &Geometry) -> bool {
    match b {
        Geometry::Feature(feature) => simple_contains(a, &feature.geometry),
        Geometry::Collection(inner) => {
            !inner.is_empty
                && inner.children.iter().all(|child| !child.is_empty() && simple_contains(a, child))
        }
        _ => Simple::of(b).is_some_and(|b| pairs::contains(a, b)),
    }
}

/// The exact circle for points, also those of collections; its polygon for all else, also for a
/// Feature that holds a point. Two circles need only overlap.
fn circle_contains(circle: &Circle, b: &Geometry) -> bool {
    match b {
        Geometry::Point(position) => circle.contains_point(position.point),
        Geometry::Circle(other) => {
            geodesy::distance(circle.center, other.center) < circle.meters + other.meters
        }
        Geometry::Collection(inner) => {
            inner.children.iter().all(|child| circle_contains(circle, child))
        }
        _ => simple_contains(Simple::of_circle(circle), b),
    }
}

/// Every non-empty leaf must lie in one child; there must be such a leaf.
fn collection_contains(outer: &Collection, b: &Geometry) -> bool {
    !outer.is_empty && !b.is_empty() && all_leaves_in(outer, b)
}

/// Features and Circles are leaves, even a Feature that holds a collection.
fn all_leaves_in(outer: &Collection, b: &Geometry) -> bool {
    match b {
        Geometry::Collection(inner) => {
            inner.children.iter().all(|child| all_leaves_in(outer, child))
        }
        _ => b.is_empty() || outer.children.iter().any(|child| contains(child, b)),
    }
}
