//! Lines against points and lines.

use super::super::Point;
use super::ring::Ring;

/// Whether the point lies on the line.
pub(super) fn has_point(line: &Ring, p: Point) -> bool {
    line.bounds.contains_point(p) && line.segments_right_of(p).any(|(_, segment)| segment.has(p))
}

/// Whether `inner` runs along `outer`, by walking both. Tile38's walk goes on when `inner` leaves
/// `outer` away from its corners, so the answer can be yes for a line that isn't covered.
pub(super) fn has_line(outer: &Ring, inner: &Ring) -> bool {
    let outer_count = outer.points.len().saturating_sub(1);
    let inner_count = inner.points.len().saturating_sub(1);
    if outer_count == 0 || inner_count == 0 {
        return false;
    }
    let first = inner.segment(0);
    let Some(mut at) = (0..outer_count).find(|at| outer.segment(*at).has_segment(&first)) else {
        return false;
    };
    for index in 1..inner_count {
        let segment = inner.segment(index);
        let (mut moved_back, mut moved_on) = (false, false);
        loop {
            let under = outer.segment(at);
            if under.has_segment(&segment) {
                break;
            }
            if segment.a == under.a {
                moved_back = true;
                if at == 0 {
                    return false;
                }
                at -= 1;
            } else if segment.a == under.b {
                moved_on = true;
                if at + 1 == outer_count {
                    return false;
                }
                at += 1;
            } else {
                break;
            }
            // Tile38 steps to and fro for ever here.
            if moved_back && moved_on {
                return false;
            }
        }
    }
    true
}

/// Whether two lines share a point, as far as their segments' test finds it; `right` is the
/// right operand, whose segments are asked if both have the same number of positions.
pub(super) fn meets_line(left: &Ring, right: &Ring) -> bool {
    if !left.bounds.overlaps(&right.bounds) {
        return false;
    }
    let (short, long) =
        if left.points.len() < right.points.len() { (left, right) } else { (right, left) };
    short.segments_near(long.bounds).any(|(_, segment)| {
        long.segments_near(segment.bounds()).any(|(_, other)| segment.crosses(&other))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::Series;
    use super::*;

    fn line(points: &[(f64, f64)]) -> Series {
        Series::new(points.iter().map(|(x, y)| Point::new(*x, *y)).collect())
    }

    fn covers(outer: &[(f64, f64)], inner: &[(f64, f64)]) -> bool {
        has_line(&Ring::from(&line(outer)), &Ring::from(&line(inner)))
    }

    #[test]
    fn a_line_within_a_line_may_follow_its_bends_both_ways() {
        let bent = [(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)];
        assert!(covers(&bent, &[(1.0, 0.0), (5.0, 0.0), (5.0, 2.0)]));
        assert!(covers(&bent, &[(5.0, 2.0), (5.0, 0.0), (1.0, 0.0)]));
        assert!(!covers(&bent, &[(1.0, 1.0), (2.0, 1.0)]));
    }

    #[test]
    fn a_line_that_leaves_between_corners_counts_as_within() {
        assert!(covers(&[(0.0, 0.0), (10.0, 0.0)], &[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)]));
    }

    #[test]
    fn a_walk_to_and_fro_ends_with_no() {
        let straight = [(0.0, 0.0), (5.0, 0.0), (10.0, 0.0)];
        assert!(!covers(&straight, &[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)]));
    }
}
