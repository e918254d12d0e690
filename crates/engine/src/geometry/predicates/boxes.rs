//! Whole boxes against polygons, for indexes: one comparison decides about all points in a box.

use arrayvec::ArrayVec;

use super::super::{Point, Polygon, Rect};
use super::ring::{Place, Ring};
use super::segment::Segment;

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

/// Edges that are compared with each box, at most.
const LOCAL_EDGES_MAX: usize = 16;
/// By what share sums and products may be off, far more than they are.
const ROUNDING_SHARE: f64 = 1e-12;
/// The same for the size of a box, whose middle is rounded.
const BOX_SHARE: f64 = 1.0 + 1e-6;
/// Products so small may have lost digits.
const SURE_MIN: f64 = 1e-200;

/// The edges of a polygon that decide about the points of an area: they are few if the area is
/// small. Any box in the area is compared with these only, without exact arithmetic, so that many
/// small boxes are decided quickly.
pub struct LocalEdges(ArrayVec<UpwardEdge, LOCAL_EDGES_MAX>);

/// An edge from its lower end to its upper one.
struct UpwardEdge {
    low: Point,
    high_y: f64,
    right: f64,
    east: f64,
    north: f64,
}

impl UpwardEdge {
    fn new(edge: Segment) -> Self {
        let (low, high) = if edge.a.y <= edge.b.y { (edge.a, edge.b) } else { (edge.b, edge.a) };
        let right = if low.x > high.x { low.x } else { high.x };
        let (east, north) = (high.x - low.x, high.y - low.y);
        UpwardEdge { low, high_y: high.y, right, east, north }
    }
}

impl LocalEdges {
    /// Returns the edges for an area. `None` if they are many, a hole is near, or a grid locates
    /// points faster.
    pub fn new(polygon: &Polygon, area: &Rect) -> Option<Self> {
        let exterior = Ring::from(&polygon.exterior);
        if exterior.has_grid() || polygon.holes.any_near(area, |_| true) {
            return None;
        }
        let mut edges = ArrayVec::new();
        let is_full = exterior
            .any_edge_right_of_box(area, |edge| edges.try_push(UpwardEdge::new(edge)).is_err());
        (!is_full).then_some(LocalEdges(edges))
    }

    /// Returns whether all points of a box in the area lie in the polygon (`true`) or none does
    /// (`false`). `None` if an edge, or an end of one to the east, may be near the box.
    #[inline]
    pub fn hold(&self, area: &Rect) -> Option<bool> {
        let Rect { min, max } = *area;
        let middle = Point::new(0.5 * (min.x + max.x), 0.5 * (min.y + max.y));
        let (half_width, half_height) = (0.5 * (max.x - min.x), 0.5 * (max.y - min.y));
        let (mut crossings, mut doubts) = (0, 0);
        // Without branches, which could not be predicted.
        for edge in &self.0 {
            let is_aside = u32::from(edge.high_y < min.y)
                | u32::from(edge.low.y > max.y)
                | u32::from(edge.right < min.x);
            let is_beside = u32::from(edge.low.y < min.y) & u32::from(edge.high_y > max.y);
            let left = edge.east * (middle.y - edge.low.y);
            let right = edge.north * (middle.x - edge.low.x);
            let position = left - right;
            let reach = edge.east.abs() * half_height + edge.north * half_width;
            let rounding = (left.abs() + right.abs()) * ROUNDING_SHARE + SURE_MIN;
            let is_decided = u32::from(position.abs() > reach * BOX_SHARE + rounding);
            doubts |= (is_aside | is_beside & is_decided) ^ 1;
            // A ray in the direction of increasing x crosses an upward edge if its origin is on the
            // left side of the edge.
            crossings ^= is_beside & (is_aside ^ 1) & u32::from(position > 0.0);
        }
        (doubts == 0).then_some(crossings == 1)
    }
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn few_edges_decide_as_all_do(
            exterior in prop_oneof![ring(6), ring(12), ring(90)],
            holes in proptest::collection::vec(ring(5), 0..2),
            (corner, size) in (point(), 0.0..9.0_f64),
            places in proptest::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 20),
            exponent in -9.0..0.0_f64,
        ) {
            let holes = holes.into();
            let polygon = Polygon { exterior, holes, extra: None, members: None };
            let area = Rect::new(corner, Point::new(corner.x + size, corner.y + size));
            let Some(edges) = LocalEdges::new(&polygon, &area) else { return Ok(()) };
            let geometry = Geometry::Polygon(polygon);
            for (x, y) in places {
                let low = Point::new(corner.x + x * size, corner.y + y * size);
                let half = size * 10.0_f64.powf(exponent) * 0.5;
                let high = Point::new(
                    (low.x + half).min(area.max.x),
                    (low.y + half).min(area.max.y),
                );
                let Some(held) = edges.hold(&Rect::new(low, high)) else { continue };
                let corners = [low, high, Point::new(low.x, high.y), Point::new(high.x, low.y)];
                for p in corners {
                    prop_assert_eq!(contains_point(&geometry, p), held, "{:?}", p);
                }
            }
        }
    }

    #[test]
    fn few_edges_decide_about_nearly_all_small_boxes() {
        let corners = [(0.0, 0.0), (9.0, 1.0), (3.0, 2.0), (8.0, 9.0), (0.0, 0.0)];
        let ring = corners.map(|(x, y)| Point::new(x, y)).to_vec();
        let (exterior, holes) = (Series::new(ring), Vec::new().into());
        let polygon = Polygon { exterior, holes, extra: None, members: None };
        let area = Rect::new(Point::new(-1.0, -1.0), Point::new(10.0, 10.0));
        let edges = LocalEdges::new(&polygon, &area).unwrap();
        let boxes = (0..10_000).map(|n| {
            let low = Point::new(f64::from(n % 100) * 0.11 - 1.0, f64::from(n / 100) * 0.11 - 1.0);
            Rect::new(low, Point::new(low.x + 1e-5, low.y + 1e-5))
        });
        let decided = boxes.filter(|area| edges.hold(area).is_some()).count();
        assert!(decided > 9900, "{decided}");
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
