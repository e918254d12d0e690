//! Estimates of the work that predicates do, to budget it with. Looks at no position.

use super::super::{Geometry, Rect};

/// Positions that finding the first place in an indexed geometry costs as much as.
const POSITIONS_PER_SEARCH: usize = 32;
/// Positions that comparing a further edge with an indexed geometry costs as much as.
const POSITIONS_PER_LOOKUP: usize = 8;

/// Returns about how many positions `contains(a, b)` looks at.
pub fn cost_of_contains(a: &Geometry, b: &Geometry) -> usize {
    let is_decided_by_boxes = !a.has_circle() && !a.bounds().contains(&b.bounds());
    if is_decided_by_boxes {
        1
    } else {
        cost_of_intersects(b, a)
    }
}

/// Returns about how many positions `intersects(x, y)` looks at.
pub fn cost_of_intersects(x: &Geometry, y: &Geometry) -> usize {
    let (x_bounds, y_bounds) = (x.bounds(), y.bounds());
    let x_count = positions_near(x, &x_bounds, &y_bounds);
    let y_count = positions_near(y, &y_bounds, &x_bounds);
    x_count + y_count + POSITIONS_PER_LOOKUP * x_count.min(y_count)
}

/// Returns about how many positions of a geometry, whose box is given, are looked at for another
/// one in the other box. Positions are taken to be spread evenly.
fn positions_near(geometry: &Geometry, bounds: &Rect, other: &Rect) -> usize {
    let positions = geometry.num_points();
    if positions <= POSITIONS_PER_SEARCH {
        return positions;
    }
    let x = share((bounds.min.x, bounds.max.x), (other.min.x, other.max.x));
    let y = share((bounds.min.y, bounds.max.y), (other.min.y, other.max.y));
    POSITIONS_PER_SEARCH + (positions as f64 * (x * y).sqrt()) as usize
}

/// Returns the part of an interval that lies in another one.
fn share((from, to): (f64, f64), other: (f64, f64)) -> f64 {
    let shared = to.min(other.1) - from.max(other.0);
    let share = shared / (to - from);
    if share.is_nan() {
        1.0
    } else {
        share.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Collection, CollectionKind, Point};
    use super::*;

    fn zigzag(count: usize) -> Geometry {
        let corner = |n: usize| Point::new(n as f64, (n % 2) as f64);
        let mut ring: Vec<Point> = (0..count).map(corner).collect();
        ring.push(ring[0]);
        Geometry::simple_polygon(ring)
    }

    #[test]
    fn a_point_costs_the_same_beside_any_large_geometry() {
        let point = Geometry::simple_point(Point::new(500.0, 0.5));
        let kind = CollectionKind::GeometryCollection;
        let parts =
            (0..1000).map(|n| Geometry::simple_point(Point::new(n as f64, n as f64))).collect();
        let parts = Geometry::Collection(Collection::new(kind, parts, None));
        for large in [zigzag(1000), zigzag(100_000), parts] {
            let cost = cost_of_intersects(&large, &point);
            assert!(cost <= 2 * POSITIONS_PER_SEARCH, "{cost}");
        }
        assert!(cost_of_intersects(&point, &point) <= 10);
    }

    #[test]
    fn two_large_geometries_cost_as_much_as_they_overlap() {
        let ring = zigzag(100_000);
        assert!(cost_of_contains(&ring, &ring) >= 200_000);
        let box_at =
            |x: f64| Geometry::Rect(Rect::new(Point::new(x, 0.0), Point::new(x + 1000.0, 1.0)));
        let cost = cost_of_intersects(&ring, &box_at(500.0));
        assert!((1000..11_000).contains(&cost), "{cost}");
        assert!(cost_of_contains(&box_at(500.0), &ring) == 1);
    }
}
