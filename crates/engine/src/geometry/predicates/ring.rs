//! Rings against points, segments, lines and rings, by exhaustive rules that a segment tree may
//! only speed up: going through fewer segments must give the same answer.
//!
//! `Edge::Inside` and `Edge::Outside` say whether the ring's own edge belongs to it.

use super::super::box_tree::BoxTree;
use super::super::series::is_clockwise;
use super::super::{Point, Rect, Series};
use super::segment::{Cast, Segment};

/// From this many positions on, a ring's box is tried before the ring.
const BOX_FIRST_POINTS_MIN: usize = 16;

/// Where points on a ring's edge count as being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Inside,
    Outside,
}

/// A view of a series, or of a box as a ring.
#[derive(Clone, Copy)]
pub(super) struct Ring<'a> {
    pub(super) points: &'a [Point],
    pub(super) bounds: Rect,
    is_convex: bool,
    is_clockwise: bool,
    tree: Option<&'a BoxTree>,
}

/// Where a point is, seen from a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Inside,
    Outside,
    /// On the segment with this index, the first such.
    OnSegment(usize),
}

impl Place {
    fn is_in(self, edge: Edge) -> bool {
        match self {
            Place::Inside => true,
            Place::Outside => false,
            Place::OnSegment(_) => edge == Edge::Inside,
        }
    }
}

impl<'a> From<&'a Series> for Ring<'a> {
    fn from(series: &'a Series) -> Self {
        Ring {
            points: series.points(),
            bounds: series.bounds(),
            is_convex: series.is_convex(),
            is_clockwise: series.is_clockwise(),
            tree: series.tree(),
        }
    }
}

impl<'a> Ring<'a> {
    /// The ring of a box, whose corners the caller keeps.
    pub(super) fn of_rect(bounds: Rect, corners: &'a [Point; 5]) -> Self {
        Ring { points: corners, bounds, is_convex: true, is_clockwise: false, tree: None }
    }

    pub(super) fn segment(&self, index: usize) -> Segment {
        Segment { a: self.points[index], b: self.points[index + 1] }
    }

    /// The segments by ascending index, without some of those in boxes that `keep` refuses.
    fn segments_where<'k, K>(&self, keep: K) -> impl Iterator<Item = (usize, Segment)> + 'k
    where
        K: Fn(&Rect) -> bool + 'k,
        'a: 'k,
    {
        let points = self.points;
        let everything = 0..points.len().saturating_sub(1);
        let whole = if self.tree.is_none() { Some(everything) } else { None };
        let runs = self.tree.map(|tree| tree.runs(keep)).into_iter().flatten();
        whole.into_iter().chain(runs).flat_map(move |run| {
            let start = run.start;
            points[start..=run.end]
                .windows(2)
                .enumerate()
                .map(move |(step, ends)| (start + step, Segment { a: ends[0], b: ends[1] }))
        })
    }

    /// The segments that may touch a box.
    pub(super) fn segments_near<'k>(
        &self,
        area: Rect,
    ) -> impl Iterator<Item = (usize, Segment)> + 'k
    where
        'a: 'k,
    {
        self.segments_where(move |bounds| bounds.overlaps(&area))
    }

    /// The segments that a ray from the point towards greater x may meet.
    pub(super) fn segments_right_of<'k>(
        &self,
        p: Point,
    ) -> impl Iterator<Item = (usize, Segment)> + 'k
    where
        'a: 'k,
    {
        self.segments_where(move |bounds| {
            // Rounding can put a point on a segment that ends slightly before it.
            let slack = (bounds.max.x - bounds.min.x) * 4e-15 + f64::MIN_POSITIVE;
            p.y >= bounds.min.y && p.y <= bounds.max.y && p.x <= bounds.max.x + slack
        })
    }

    /// Where the point is: on the first segment that has it, else by the parity of crossings.
    pub(super) fn locate(&self, p: Point) -> Place {
        if !self.bounds.contains_point(p) {
            return Place::Outside;
        }
        let mut is_inside = false;
        for (index, segment) in self.segments_right_of(p) {
            match segment.cast(p) {
                Cast::On => return Place::OnSegment(index),
                Cast::Cross => is_inside = !is_inside,
                Cast::Miss => {}
            }
        }
        if is_inside {
            Place::Inside
        } else {
            Place::Outside
        }
    }

    /// Whether the point is in the ring.
    pub(super) fn has_point(&self, p: Point, edge: Edge) -> bool {
        self.locate(p).is_in(edge)
    }

    /// Whether no segment that crosses `segment` fails the condition.
    fn all_crossing(&self, segment: &Segment, allows: impl Fn(&Segment) -> bool) -> bool {
        self.segments_near(segment.bounds())
            .all(|(_, other)| !segment.crosses(&other) || allows(&other))
    }

    /// Whether the segment lies in the ring.
    fn has_segment(&self, segment: &Segment, edge: Edge) -> bool {
        let place_a = self.locate(segment.a);
        if !place_a.is_in(edge) {
            return false;
        }
        if segment.a == segment.b {
            return true;
        }
        let place_b = self.locate(segment.b);
        if !place_b.is_in(edge) {
            return false;
        }
        if self.is_convex {
            return true;
        }
        match (edge, place_a, place_b) {
            (Edge::Outside, ..) => self.all_crossing(segment, |_| false),
            (_, Place::OnSegment(at_a), Place::OnSegment(at_b)) => {
                self.has_chord(segment, at_a, at_b)
            }
            (_, Place::OnSegment(_), _) => self.all_crossing(segment, |h| h.has(segment.a)),
            (_, _, Place::OnSegment(_)) => self.all_crossing(segment, |h| h.has(segment.b)),
            _ => self.all_crossing(segment, |h| segment.has(h.a) || segment.has(h.b)),
        }
    }

    /// `has_segment` for a segment with both ends on edges.
    fn has_chord(&self, chord: &Segment, at_a: usize, at_b: usize) -> bool {
        if at_a == at_b {
            return true;
        }
        let (first, second) = (self.segment(at_a.min(at_b)), self.segment(at_a.max(at_b)));
        // Tile38 doesn't look further at chords from a corner, even where they leave the ring.
        if [chord.a, chord.b].iter().any(|end| first.ends_at(*end) || second.ends_at(*end)) {
            return true;
        }
        let path = [first.a, first.b, second.a, second.b, first.a];
        is_clockwise(&path) == self.is_clockwise
            && self.all_crossing(chord, |h| h.has(chord.a) || h.has(chord.b))
    }

    /// Whether the ring and the segment share a point.
    fn meets_segment(&self, segment: &Segment, edge: Edge) -> bool {
        let area = segment.bounds();
        self.bounds.overlaps(&area)
            && (self.has_point(segment.a, edge)
                || self.has_point(segment.b, edge)
                || self.is_passed_by(segment, area, edge))
    }

    /// Whether a segment with both ends outside crosses at least two of the ring's.
    fn is_passed_by(&self, segment: &Segment, area: Rect, edge: Edge) -> bool {
        let (mut is_a_skipped, mut is_b_skipped) = (false, false);
        let mut count = 0;
        for (_, other) in self.segments_near(area) {
            if !segment.crosses(&other) {
                continue;
            }
            if edge == Edge::Outside {
                if segment.is_collinear(other.a) && segment.is_collinear(other.b) {
                    continue;
                }
                if !is_a_skipped && other.ends_at(segment.a) {
                    is_a_skipped = true;
                    continue;
                }
                if !is_b_skipped && other.ends_at(segment.b) {
                    is_b_skipped = true;
                    continue;
                }
            }
            count += 1;
            if count == 2 {
                return true;
            }
        }
        false
    }

    /// Whether another ring, or a line, lies in this one.
    pub(super) fn has_ring(&self, other: &Ring, edge: Edge) -> bool {
        if other.points.len() >= BOX_FIRST_POINTS_MIN {
            let corners = other.bounds.ring();
            if self.has_ring(&Ring::of_rect(other.bounds, &corners), edge) {
                return true;
            }
        }
        if !self.bounds.contains(&other.bounds) {
            return false;
        }
        if self.is_convex {
            return other.points.iter().all(|p| self.has_point(*p, edge));
        }
        other.segments_where(|_| true).all(|(_, segment)| self.has_segment(&segment, edge))
    }

    /// Whether this ring and `right`, the right operand, share a point.
    pub(super) fn meets_ring(&self, right: &Ring, edge: Edge) -> bool {
        let area = |bounds: &Rect| (bounds.max.x - bounds.min.x) * (bounds.max.y - bounds.min.y);
        if area(&right.bounds) > area(&self.bounds) {
            right.meets_line(self, edge)
        } else {
            self.meets_line(right, edge)
        }
    }

    /// Whether some segment of a line, or of a ring, shares a point with this ring.
    pub(super) fn meets_line(&self, line: &Ring, edge: Edge) -> bool {
        self.bounds.overlaps(&line.bounds)
            && line
                .segments_near(self.bounds)
                .any(|(_, segment)| self.meets_segment(&segment, edge))
    }
}

#[cfg(test)]
mod tests {
    use super::super::line;
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
        (-1..25i32, -1..25i32, -1..25i32, -1..25i32).prop_map(move |(x, y, z, w)| Segment {
            a: Point::new(half(x), half(y)),
            b: Point::new(half(z), half(w)),
        })
    }

    fn without_tree(series: &Series) -> Ring<'_> {
        Ring { tree: None, ..Ring::from(series) }
    }

    proptest! {
        #[test]
        fn a_tree_changes_no_answer_about_points_and_segments(
            series in ring(64..300),
            // Tenths make quotients round, so that some points are on slanted edges by chance.
            scale in prop_oneof![Just(1.0), Just(0.1)],
            probes in proptest::collection::vec(segment(), 40),
        ) {
            let scaled = |p: Point| Point::new(p.x * scale, p.y * scale);
            let series = Series::new(series.points().iter().map(|p| scaled(*p)).collect());
            let (fast, slow) = (Ring::from(&series), without_tree(&series));
            prop_assert!(fast.tree.is_some());
            for probe in probes {
                let probe = Segment { a: scaled(probe.a), b: scaled(probe.b) };
                prop_assert_eq!(fast.locate(probe.a), slow.locate(probe.a));
                prop_assert_eq!(line::has_point(&fast, probe.b), line::has_point(&slow, probe.b));
                for edge in [Edge::Inside, Edge::Outside] {
                    prop_assert_eq!(fast.has_segment(&probe, edge), slow.has_segment(&probe, edge));
                    prop_assert_eq!(
                        fast.meets_segment(&probe, edge),
                        slow.meets_segment(&probe, edge)
                    );
                }
            }
        }

        #[test]
        fn a_tree_changes_no_answer_about_rings_and_lines(
            left in ring(64..200),
            right in ring(3..100),
        ) {
            let (fast, slow) = (Ring::from(&left), without_tree(&left));
            let (other, plain) = (Ring::from(&right), without_tree(&right));
            for edge in [Edge::Inside, Edge::Outside] {
                prop_assert_eq!(fast.has_ring(&other, edge), slow.has_ring(&plain, edge));
                prop_assert_eq!(other.has_ring(&fast, edge), plain.has_ring(&slow, edge));
                prop_assert_eq!(fast.meets_ring(&other, edge), slow.meets_ring(&plain, edge));
                prop_assert_eq!(other.meets_ring(&fast, edge), plain.meets_ring(&slow, edge));
            }
            prop_assert_eq!(line::meets_line(&fast, &other), line::meets_line(&slow, &plain));
        }
    }

    #[test]
    fn a_point_test_in_a_large_ring_visits_few_segments() {
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
        assert_eq!(
            ring.locate(Point::new(10.9, 0.2)),
            without_tree(&series).locate(Point::new(10.9, 0.2))
        );
        assert!(ring.segments_right_of(Point::new(0.1, 0.2)).count() < 1000);
    }
}
