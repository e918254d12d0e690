//! Rings and lines against points and segments. A tree of edges only speeds the answers up.

use super::super::{Point, Rect, Series};
use super::exact::{orientation, Cut};
use super::ray::{any_edge_at, ray_from, Ray};
use super::segment::{Contact, Segment};

/// Positions of a box as a ring.
const BOX_POSITIONS: usize = 5;
/// Looking through a ring for whether it is simple costs as much for so many of its edges as one
/// edge costs that an object shares with a ring of which it isn't known.
const EDGES_PER_SHARED_EDGE: usize = 4;

/// A view of a series, or a box as a ring. Whether it is a ring or a line is up to the caller.
#[derive(Clone, Copy)]
pub(in crate::geometry) struct Ring<'a> {
    /// `None` for a box.
    series: Option<&'a Series>,
    pub(super) bounds: Rect,
}

/// Where a point is, seen from a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::geometry) enum Place {
    Inside,
    Outside,
    /// On an edge.
    Border,
}

impl<'a> From<&'a Series> for Ring<'a> {
    fn from(series: &'a Series) -> Self {
        Ring { series: Some(series), bounds: series.bounds() }
    }
}

impl From<Rect> for Ring<'_> {
    fn from(rect: Rect) -> Self {
        Ring { series: None, bounds: rect }
    }
}

impl<'a> Ring<'a> {
    /// Whether it was made of a box.
    pub(super) fn is_box(&self) -> bool {
        self.series.is_none()
    }

    /// The number of positions, of a ring the closing one too.
    pub(super) fn len(&self) -> usize {
        self.series.map_or(BOX_POSITIONS, |series| series.points().len())
    }

    /// The first position.
    pub(super) fn first(&self) -> Option<Point> {
        match self.series {
            Some(series) => series.points().first().copied(),
            None => Some(self.bounds.min),
        }
    }

    /// Whether the condition holds for an edge, asked in order; edges in boxes that `keep` refuses
    /// may be left out.
    #[inline]
    fn any_edge_where(
        &self,
        keep: impl Fn(&Rect) -> bool,
        mut condition: impl FnMut(Segment) -> bool,
    ) -> bool {
        let mut any = |points: &[Point]| {
            points.windows(2).any(|ends| condition(Segment { a: ends[0], b: ends[1] }))
        };
        let Some(series) = self.series else { return any(&self.bounds.ring()) };
        let points = series.points();
        match series.tree() {
            Some(tree) => tree.runs(keep).any(|run| any(&points[run.start..=run.end])),
            None => any(points),
        }
    }

    /// Whether the condition holds for an edge, asked in order.
    #[inline]
    pub(super) fn any_edge(&self, condition: impl FnMut(Segment) -> bool) -> bool {
        self.any_edge_where(|_| true, condition)
    }

    /// Whether the condition holds for an edge whose box touches the area.
    #[inline]
    pub(super) fn any_edge_near(
        &self,
        area: &Rect,
        mut condition: impl FnMut(Segment) -> bool,
    ) -> bool {
        self.bounds.overlaps(area)
            && !self.is_free(area)
            && self.any_edge_where(
                |bounds| bounds.overlaps(area),
                |edge| edge.is_near(area) && condition(edge),
            )
    }

    /// Whether the condition holds for an edge that a ray from some point of a box towards greater
    /// x may meet.
    #[inline]
    pub(super) fn any_edge_right_of_box(
        &self,
        area: &Rect,
        mut condition: impl FnMut(Segment) -> bool,
    ) -> bool {
        let is_right = |bounds: &Rect| {
            bounds.min.y <= area.max.y && bounds.max.y >= area.min.y && bounds.max.x >= area.min.x
        };
        self.any_edge_where(is_right, |edge| {
            let is_aside = (edge.a.y < area.min.y && edge.b.y < area.min.y)
                || (edge.a.y > area.max.y && edge.b.y > area.max.y)
                || (edge.a.x < area.min.x && edge.b.x < area.min.x);
            !is_aside && condition(edge)
        })
    }

    /// Whether a grid locates points.
    pub(super) fn has_grid(&self) -> bool {
        self.series.is_some_and(|series| series.grid().is_some_and(|grid| grid.built().is_some()))
    }

    /// Whether a grid knows that no edge passes through a box.
    #[inline]
    fn is_free(&self, area: &Rect) -> bool {
        let grid = self.series.and_then(|series| series.grid()?.built());
        grid.is_some_and(|grid| grid.is_free(area))
    }

    /// Whether an edge touches a segment. A long segment passes through few of the boxes in the
    /// box around it.
    pub(super) fn is_touched_by(&self, segment: &Segment) -> bool {
        !self.is_free(&segment.bounds())
            && self.any_edge_where(|bounds| segment.meets(bounds), |edge| edge.touches(segment))
    }

    /// Whether the point lies on an edge.
    pub(super) fn has_on_edge(&self, p: Point) -> bool {
        self.any_edge_near(&Rect::new(p, p), |edge| edge.has(p))
    }

    /// Whether the condition holds for an edge that a ray from the point towards greater x, or one
    /// just beside it, may meet.
    #[inline]
    fn any_edge_right_of(&self, p: Point, mut condition: impl FnMut(Segment) -> bool) -> bool {
        let Some(series) = self.series else {
            return any_edge_at(&self.bounds.ring(), p.y, condition);
        };
        let points = series.points();
        let Some(tree) = series.tree() else { return any_edge_at(points, p.y, condition) };
        let keep =
            |bounds: &Rect| p.y >= bounds.min.y && p.y <= bounds.max.y && p.x <= bounds.max.x;
        tree.runs(keep).any(|run| any_edge_at(&points[run.start..=run.end], p.y, &mut condition))
    }

    /// Whether the ring is known not to touch or cross itself.
    pub(super) fn is_known_simple(&self) -> bool {
        self.series.is_none_or(|series| series.simplicity().is_known_simple())
    }

    /// Notes that so many shared edges had to be looked at since that isn't known.
    pub(super) fn note_shared_edges(&self, count: u32) {
        if let Some(series) = self.series {
            let price = series.points().len() / EDGES_PER_SHARED_EDGE;
            series.simplicity().note_work(count, price, || !self.touches_itself());
        }
    }

    /// Whether edges share more than the corners between each edge and the next.
    fn touches_itself(&self) -> bool {
        self.any_edge(|edge| {
            // Only the edge itself lies along it, and one more edge has each of its ends.
            let (mut along, mut at_start, mut at_end) = (0, 0, 0);
            !edge.is_point()
                && self.any_edge_near(&edge.bounds(), |other| {
                    let count = match edge.contact(&other) {
                        None => return false,
                        Some(Contact::Along { .. }) => &mut along,
                        Some(Contact::Place { cut: Cut::At(p), .. }) if p == edge.a => {
                            &mut at_start
                        }
                        Some(Contact::Place { cut: Cut::At(p), .. }) if p == edge.b => &mut at_end,
                        Some(Contact::Place { .. }) => return true,
                    };
                    *count += 1;
                    *count > 1
                })
        })
    }

    /// Where the point is, by the parity of the edges that a ray crosses.
    pub(in crate::geometry) fn locate(&self, p: Point) -> Place {
        if !self.bounds.contains_point(p) {
            return Place::Outside;
        }
        let grid = |series: &'a Series| series.grid()?.get(series.points());
        let place = |series: &'a Series| grid(series)?.locate(series.points(), p);
        self.series.and_then(place).unwrap_or_else(|| self.locate_by_edges(p))
    }

    /// The same, without a grid.
    pub(super) fn locate_by_edges(&self, p: Point) -> Place {
        let mut is_inside = false;
        let is_on_border = self.any_edge_right_of(p, |edge| match ray_from(p, &edge) {
            Ray::Misses => false,
            Ray::Crosses => {
                is_inside = !is_inside;
                false
            }
            Ray::BeginsOn => true,
        });
        match (is_on_border, is_inside) {
            (true, _) => Place::Border,
            (false, true) => Place::Inside,
            (false, false) => Place::Outside,
        }
    }

    /// Whether the places just left and just right of a segment's beginning lie inside: those
    /// that one reaches by the smallest step along the segment and a much smaller one aside.
    pub(super) fn sides_at_start(&self, segment: &Segment) -> (bool, bool) {
        let (mut is_left_inside, mut is_right_inside) = (false, false);
        if self.bounds.contains_point(segment.a) {
            self.any_edge_right_of(segment.a, |edge| {
                let (left, right) = rays_beside_cross(segment, &edge);
                is_left_inside ^= left;
                is_right_inside ^= right;
                false
            });
        }
        (is_left_inside, is_right_inside)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Whether the rays just left and just right of a segment's start cross an edge.
#[inline]
fn rays_beside_cross(segment: &Segment, edge: &Segment) -> (bool, bool) {
    let (start, a, b) = (segment.a, edge.a, edge.b);
    let is_aside = (a.y > start.y && b.y > start.y)
        || (a.y < start.y && b.y < start.y)
        || (a.x < start.x && b.x < start.x);
    if is_aside {
        return (false, false);
    }
    if a.y != start.y && b.y != start.y {
        let position = orientation(a, b, start);
        if position != 0.0 {
            let crosses = (position > 0.0) == (b.y > start.y);
            return (crosses, crosses);
        }
    }
    let crosses = |side| ray_beside_crosses(segment, side, edge);
    (crosses(Side::Left), crosses(Side::Right))
}

/// Whether a ray towards greater x crosses an edge, if it begins one infinitely small step along
/// the segment from its start and one that is infinitely smaller still to the side.
fn ray_beside_crosses(segment: &Segment, side: Side, edge: &Segment) -> bool {
    let (start, end) = (segment.a, segment.b);
    // For ends at the start's own height the steps decide: the first one unless it is level.
    let is_level_below =
        if end.y == start.y { (side == Side::Left) == (end.x > start.x) } else { end.y > start.y };
    let is_above = |p: Point| p.y > start.y || (p.y == start.y && !is_level_below);
    let is_upward = is_above(edge.b);
    if is_above(edge.a) == is_upward {
        return false;
    }
    let mut position = orientation(edge.a, edge.b, start);
    if position == 0.0 {
        position = orientation(edge.a, edge.b, end);
    }
    if position == 0.0 {
        // The edge lies along the segment: the second step decides.
        let is_same_direction = is_upward == (end.y > start.y);
        return ((side == Side::Left) == is_same_direction) == is_upward;
    }
    (position > 0.0) == is_upward
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A closed ring on a small grid, so that rays hit corners and edges lie on each other.
    fn ring(count: std::ops::Range<usize>) -> impl Strategy<Value = Series> {
        proptest::collection::vec((0..12i32, 0..12i32), count).prop_map(|corners| {
            let mut points: Vec<Point> =
                corners.iter().map(|(x, y)| Point::new(f64::from(*x), f64::from(*y))).collect();
            points.push(points[0]);
            Series::new(points)
        })
    }

    fn segment() -> impl Strategy<Value = Segment> {
        let half = |n: i32| f64::from(n) / 2.0;
        (-1..25i32, -1..25i32, -1..25i32, -1..25i32)
            .prop_map(move |(x, y, z, w)| Segment {
                a: Point::new(half(x), half(y)),
                b: Point::new(half(z), half(w)),
            })
            .prop_filter("a segment has a direction", |segment| !segment.is_point())
    }

    proptest! {
        #[test]
        fn a_tree_changes_no_answer(
            series in ring(64..300),
            probes in proptest::collection::vec(segment(), 40),
        ) {
            let plain = series.without_index();
            let (fast, slow) = (Ring::from(&series), Ring::from(&plain));
            prop_assert!(series.tree().is_some() && plain.tree().is_none());
            prop_assert_eq!(fast.touches_itself(), slow.touches_itself());
            for probe in probes {
                prop_assert_eq!(fast.locate(probe.a), slow.locate(probe.a));
                prop_assert_eq!(fast.has_on_edge(probe.b), slow.has_on_edge(probe.b));
                prop_assert_eq!(fast.sides_at_start(&probe), slow.sides_at_start(&probe));
                let touches = |edge: Segment| edge.touches(&probe);
                prop_assert_eq!(fast.is_touched_by(&probe), slow.any_edge(touches));
                prop_assert_eq!(
                    fast.any_edge_near(&probe.bounds(), touches),
                    slow.any_edge(touches)
                );
            }
        }

        // On a grid of halves, a step of 2^-10 along and one of 2^-20 aside cross nothing that the
        // infinitely small ones don't.
        #[test]
        fn sides_are_where_small_steps_lead(series in ring(3..20), probe in segment()) {
            let ring = Ring::from(&series);
            let (x, y) = (probe.b.x - probe.a.x, probe.b.y - probe.a.y);
            let step = |aside: f64| {
                let (along, aside) = (1.0 / 1024.0, aside / 1_048_576.0);
                let (x, y) = (x * along - y * aside, y * along + x * aside);
                ring.locate(Point::new(probe.a.x + x, probe.a.y + y)) == Place::Inside
            };
            prop_assert_eq!(ring.sides_at_start(&probe), (step(1.0), step(-1.0)));
        }

        #[test]
        fn neither_winding_nor_the_first_corner_changes_a_place(
            series in ring(3..20),
            shift in 0..20usize,
            probe in segment(),
        ) {
            let mut points = series.points().to_vec();
            points.pop();
            let count = points.len();
            points.rotate_left(shift % count);
            points.push(points[0]);
            points.reverse();
            let turned = Series::new(points);
            let (ring, turned) = (Ring::from(&series), Ring::from(&turned));
            prop_assert_eq!(ring.locate(probe.a), turned.locate(probe.a));
            prop_assert_eq!(ring.sides_at_start(&probe), turned.sides_at_start(&probe));
        }
    }

    #[test]
    fn a_ring_is_simple_if_it_neither_touches_nor_crosses_itself() {
        let is_simple = |corners: &[(f64, f64)]| {
            let points = corners.iter().map(|(x, y)| Point::new(*x, *y));
            !Ring::from(&Series::new(points.collect())).touches_itself()
        };
        let square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0), (0.0, 0.0)];
        let with = |more: &[(f64, f64)]| [&square[..3], more, &square[3..]].concat();
        assert!(is_simple(&square));
        assert!(is_simple(&with(&[(4.0, 4.0), (2.0, 4.0), (2.0, 1.0), (1.0, 4.0)])));
        let touch = [(2.0, 0.0)];
        let corner = [(0.0, 0.0)];
        let crossing = [(1.0, -1.0)];
        let spike = [(4.0, 9.0), (4.0, 4.0)];
        let way_back = [(4.0, 2.0)];
        for more in [&touch[..], &corner, &crossing, &spike, &way_back] {
            assert!(!is_simple(&with(more)), "{more:?}");
        }
        assert!(!is_simple(&[
            (0.0, 0.0),
            (4.0, 0.0),
            (4.0, 4.0),
            (0.0, 0.0),
            (4.0, 0.0),
            (4.0, 4.0),
            (0.0, 0.0)
        ]));
    }

    #[test]
    fn a_point_test_in_a_large_ring_visits_few_edges() {
        let count = 100_000;
        let mut points: Vec<Point> = (0..count)
            .map(|step| {
                let angle = f64::from(step) / f64::from(count) * std::f64::consts::TAU;
                let radius = 10.0 + (angle * 300.0).sin() + (angle * 7000.0).sin() * 0.1;
                Point::new(radius * angle.cos(), radius * angle.sin())
            })
            .collect();
        points.push(points[0]);
        let series = Series::new(points);
        let ring = Ring::from(&series);
        assert_eq!(ring.locate(Point::new(0.1, 0.2)), Place::Inside);
        let far = Point::new(10.9, 0.2);
        assert_eq!(ring.locate(far), Ring::from(&series.without_index()).locate(far));
        let mut visited = 0;
        ring.any_edge_right_of(Point::new(0.1, 0.2), |_| {
            visited += 1;
            false
        });
        assert!(visited < 1000, "{visited}");
    }
}
