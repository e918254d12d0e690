//! Whole boxes against polygons, for indexes: one comparison decides about all points in a box.

use super::super::{Point, Polygon, Rect};
use super::ring::{Place, Ring};

/// Returns whether all points in a box lie in a polygon (`true`) or none does (`false`). `None` if
/// an edge touches the box.
pub fn holds_box(polygon: &Polygon, area: &Rect) -> Option<bool> {
    let exterior = Ring::from(&polygon.exterior);
    if exterior.any_edge_near(area, |edge| edge.meets(area)) {
        return None;
    }
    // Without an edge in the box all of its points are on the same side.
    if !is_inside(&exterior, area.min) {
        return Some(false);
    }
    let mut holds = Some(true);
    polygon.holes.any_near(area, |hole| {
        let hole = Ring::from(hole);
        if hole.any_edge_near(area, |edge| edge.meets(area)) {
            holds = None;
        } else if is_inside(&hole, area.min) {
            holds = Some(false);
        } else {
            return false;
        }
        true
    });
    holds
}

fn is_inside(ring: &Ring, p: Point) -> bool {
    ring.locate(p) == Place::Inside
}

#[cfg(test)]
mod tests {
    use super::super::super::{Geometry, Series};
    use super::super::contains_point;
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        (0..40i32, 0..40i32).prop_map(|(x, y)| Point::new(f64::from(x), f64::from(y)))
    }

    fn ring(count: usize) -> impl Strategy<Value = Series> {
        proptest::collection::vec(point(), 3..count).prop_map(|mut points| {
            points.push(points[0]);
            Series::new(points)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn a_box_on_one_side_has_all_of_its_points_there(
            exterior in prop_oneof![ring(6), ring(90)],
            holes in proptest::collection::vec(ring(5), 0..3),
            corner in point(),
            (width, height) in (0.0..4.0_f64, 0.0..4.0_f64),
        ) {
            let holes = holes.into();
            let polygon = Polygon { exterior, holes, extra: None, members: None };
            let area = Rect::new(corner, Point::new(corner.x + width, corner.y + height));
            let held = holds_box(&polygon, &area);
            let geometry = Geometry::Polygon(polygon);
            for step in 0..25 {
                let share = |step: i32| f64::from(step) / 4.0;
                let x = corner.x + width * share(step % 5);
                let p = Point::new(x, corner.y + height * share(step / 5));
                let is_in = contains_point(&geometry, p);
                prop_assert!(held.is_none_or(|all_in| all_in == is_in), "{:?} {}", p, is_in);
            }
        }
    }

    #[test]
    fn boxes_away_from_the_border_are_decided() {
        let square = |low: f64, high: f64| {
            let rect = Rect::new(Point::new(low, low), Point::new(high, high));
            Series::new(rect.ring().to_vec())
        };
        let (exterior, holes) = (square(0.0, 10.0), vec![square(4.0, 6.0)].into());
        let polygon = Polygon { exterior, holes, extra: None, members: None };
        let at = |low: f64, high: f64| {
            let (min, max) = (Point::new(low, low), Point::new(high, high));
            holds_box(&polygon, &Rect::new(min, max))
        };
        assert_eq!(at(1.0, 3.0), Some(true));
        assert_eq!(at(4.5, 5.5), Some(false));
        assert_eq!(at(11.0, 12.0), Some(false));
        assert_eq!(at(3.0, 5.0), None);
        assert_eq!(at(9.0, 10.0), None);
    }
}
