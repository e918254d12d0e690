//! The border of an area on the sphere. On the plane a ring has edges at a pole and along both
//! sides of the antimeridian too; where it lies on both sides of these they are no border.

use super::distance::Origin;
use super::{Geometry, Point, Series};

const POLE: f64 = 90.0;
const SEAM: f64 = 180.0;

/// A part of the antimeridian: two latitudes, the lower first.
type Stretch = (f64, f64);

/// Whether the border of a geometry is nearer to a position than so many metres, whether the
/// position is inside or outside. Points and lines are all border.
pub fn is_near_border(origin: &Origin, geometry: &Geometry, meters: f64) -> bool {
    match geometry {
        Geometry::Point(_) | Geometry::Line(_) => origin.to_geometry(geometry, meters) < meters,
        Geometry::Circle(circle) => (origin.to_point(circle.center) - circle.meters).abs() < meters,
        Geometry::Rect(rect) => {
            is_border_nearer(origin, &Series::new(rect.ring().to_vec()), meters)
        }
        Geometry::Polygon(polygon) => {
            is_border_nearer(origin, &polygon.exterior, meters)
                || polygon.holes.iter().any(|hole| is_border_nearer(origin, hole, meters))
        }
        Geometry::Feature(feature) => is_near_border(origin, &feature.geometry, meters),
        Geometry::Collection(collection) => {
            collection.children.iter().any(|child| is_near_border(origin, child, meters))
        }
    }
}

/// Whether the border that a ring has on the sphere is nearer than so many metres.
pub(super) fn is_border_nearer(origin: &Origin, ring: &Series, meters: f64) -> bool {
    let bounds = ring.bounds();
    let has_both_sides = bounds.min.x == -SEAM && bounds.max.x == SEAM;
    if !has_both_sides {
        return origin.is_chain_nearer(ring, meters);
    }
    let is_edge_nearer = |a, b| origin.is_edge_nearer(a, b, meters);
    let is_proper_edge_nearer =
        |ends: &[Point]| !is_seam(ends) && !is_at_pole(ends) && is_edge_nearer(ends[0], ends[1]);
    let points = ring.points();
    let is_run_nearer = |points: &[Point]| points.windows(2).any(is_proper_edge_nearer);
    let is_nearer = match ring.tree() {
        Some(tree) => tree
            .runs(|bounds| origin.between(bounds).least < meters)
            .any(|run| is_run_nearer(&points[run.start..=run.end])),
        None => is_run_nearer(points),
    };
    let side = |x: f64| stretches(points.windows(2).filter(|ends| is_seam(ends) && ends[0].x == x));
    let (west, east) = (side(-SEAM), side(SEAM));
    let is_lone_nearer = |one: &[Stretch], other: &[Stretch]| {
        let at = |y: f64| Point::new(SEAM, y);
        without(one, other).into_iter().any(|(low, high)| is_edge_nearer(at(low), at(high)))
    };
    is_nearer || is_lone_nearer(&west, &east) || is_lone_nearer(&east, &west)
}

/// Whether an edge lies along the antimeridian.
fn is_seam(ends: &[Point]) -> bool {
    ends[0].x == ends[1].x && ends[0].x.abs() == SEAM
}

/// Whether an edge is a single place, a pole. If the ring turns back there, the edges before and
/// behind come as near.
fn is_at_pole(ends: &[Point]) -> bool {
    ends[0].y == ends[1].y && ends[0].y.abs() == POLE
}

/// The stretches of edges along the antimeridian, united where they touch, ascending.
fn stretches<'p>(edges: impl Iterator<Item = &'p [Point]>) -> Vec<Stretch> {
    let mut all: Vec<Stretch> =
        edges.map(|ends| (ends[0].y.min(ends[1].y), ends[0].y.max(ends[1].y))).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut united: Vec<Stretch> = Vec::new();
    for (low, high) in all {
        match united.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => united.push((low, high)),
        }
    }
    united
}

/// Returns the parts of some stretches that lie in no other stretch; both lists ascend, and no
/// stretch touches another of its list.
fn without(stretches: &[Stretch], others: &[Stretch]) -> Vec<Stretch> {
    let mut left = Vec::new();
    let mut others = others.iter().peekable();
    for &(mut low, high) in stretches {
        while let Some(&&(other_low, other_high)) = others.peek() {
            if other_high > low {
                if other_low >= high {
                    break;
                }
                if other_low > low {
                    left.push((low, other_low));
                }
                low = other_high;
                if other_high >= high {
                    break; // it may reach into the next stretch
                }
            }
            others.next();
        }
        if low < high {
            left.push((low, high));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(f64, f64)]) -> Series {
        Series::new(points.iter().map(|(x, y)| Point::new(*x, *y)).collect())
    }

    #[test]
    fn stretches_lose_the_parts_that_others_cover() {
        let some = [(0.0, 10.0), (20.0, 30.0), (40.0, 50.0)];
        assert_eq!(without(&some, &[]), some);
        assert_eq!(without(&some, &some), []);
        assert_eq!(without(&some, &[(-5.0, 25.0)]), [(25.0, 30.0), (40.0, 50.0)]);
        assert_eq!(
            without(&some, &[(2.0, 3.0), (5.0, 6.0), (29.0, 41.0), (60.0, 70.0)]),
            [(0.0, 2.0), (3.0, 5.0), (6.0, 10.0), (20.0, 29.0), (41.0, 50.0)]
        );
    }

    #[test]
    fn the_antimeridian_is_border_where_only_one_side_is_in_the_area() {
        // From 0 to 60 degrees in the west, from 30 to 60 in the east.
        let area = ring(&[
            (-180.0, 0.0),
            (0.0, 0.0),
            (0.0, 30.0),
            (180.0, 30.0),
            (180.0, 60.0),
            (-180.0, 60.0),
            (-180.0, 0.0),
        ]);
        let near = |y: f64| is_border_nearer(&Origin::new(Point::new(179.9, y)), &area, 50_000.0);
        assert!(!near(45.0) && near(29.9) && near(30.1) && near(59.9));
        let west = |y: f64| is_border_nearer(&Origin::new(Point::new(-179.9, y)), &area, 50_000.0);
        assert!(west(15.0) && !west(45.0));
    }

    #[test]
    fn a_pole_is_border_where_the_area_turns_back_there() {
        let pole = Origin::new(Point::new(10.0, 89.9));
        let cap =
            ring(&[(-180.0, 80.0), (180.0, 80.0), (180.0, 90.0), (-180.0, 90.0), (-180.0, 80.0)]);
        assert!(!is_border_nearer(&pole, &cap, 50_000.0));
        let slice =
            ring(&[(-180.0, 80.0), (180.0, 80.0), (90.0, 90.0), (-90.0, 90.0), (-180.0, 80.0)]);
        assert!(is_border_nearer(&pole, &slice, 50_000.0));
    }
}
