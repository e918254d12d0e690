//! Rays from a point towards greater x, whose crossings with a ring's edges tell whether the point
//! lies inside. Most edges lie above or below the ray, which the heights of their ends tell.

use super::super::Point;
use super::exact::orientation;
use super::segment::Segment;

/// Edges whose ends' heights are compared at once: the bits of a word, less one.
const RUN_EDGES_MAX: usize = 63;

/// Returns whether the condition holds for an edge of a chain that is at a height: with an end on
/// either side of the height, or with an end exactly at it.
#[inline]
pub(super) fn any_edge_at(
    points: &[Point],
    height: f64,
    mut condition: impl FnMut(Segment) -> bool,
) -> bool {
    let last = points.len().saturating_sub(1);
    (0..last).step_by(RUN_EDGES_MAX).any(|start| {
        let run = &points[start..=last.min(start + RUN_EDGES_MAX)];
        let (mut above, mut not_below) = (0_u64, 0_u64);
        // Without a branch, which could not be predicted.
        for p in run.iter().rev() {
            above = above << 1 | u64::from(p.y > height);
            not_below = not_below << 1 | u64::from(p.y >= height);
        }
        let level = above ^ not_below;
        let edges = u64::MAX >> (u64::BITS as usize + 1 - run.len());
        let mut met = (above ^ above >> 1 | level | level >> 1) & edges;
        while met != 0 {
            let at = met.trailing_zeros() as usize;
            if condition(Segment { a: run[at], b: run[at + 1] }) {
                return true;
            }
            met &= met - 1;
        }
        false
    })
}

/// The relation of an edge to a ray from a point in the direction of increasing x. Only one end of
/// an edge belongs to it, so that a ray through a vertex crosses one of the two edges there.
pub(super) enum Ray {
    Misses,
    Crosses,
    BeginsOn,
}

#[inline]
pub(super) fn ray_from(p: Point, edge: &Segment) -> Ray {
    let (a, b) = (edge.a, edge.b);
    let is_upward = b.y > p.y;
    if (a.y > p.y) == is_upward {
        // Only an edge that ends at the ray's height, or lies along it, can hold the point.
        let is_on = !is_upward && b.y == p.y && (p == b || (a.y == p.y && is_between(p, a, b)));
        return if is_on { Ray::BeginsOn } else { Ray::Misses };
    }
    if p.x > a.x && p.x > b.x {
        return Ray::Misses;
    }
    if p.x < a.x && p.x < b.x {
        return Ray::Crosses;
    }
    let side = orientation(a, b, p);
    if side == 0.0 {
        Ray::BeginsOn
    } else if (side > 0.0) == is_upward {
        Ray::Crosses
    } else {
        Ray::Misses
    }
}

fn is_between(p: Point, a: Point, b: Point) -> bool {
    (p.x >= a.x && p.x <= b.x) || (p.x >= b.x && p.x <= a.x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ordinate() -> impl Strategy<Value = f64> {
        prop_oneof![
            20 => (0..6_i32).prop_map(f64::from),
            1 => Just(f64::NAN),
            1 => Just(-0.0),
            1 => Just(f64::INFINITY),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_edges_left_out_are_those_that_a_ray_misses(
            chain in proptest::collection::vec((ordinate(), ordinate()), 0..200),
            (x, y) in (ordinate(), ordinate()),
        ) {
            let points: Vec<Point> = chain.into_iter().map(|(x, y)| Point::new(x, y)).collect();
            let p = Point::new(x, y);
            let mut found = Vec::new();
            any_edge_at(&points, y, |edge| {
                found.push(edge);
                false
            });
            let mut found = found.into_iter().peekable();
            for ends in points.windows(2) {
                let edge = Segment { a: ends[0], b: ends[1] };
                let same = |other: &Segment| format!("{other:?}") == format!("{edge:?}");
                let is_found = found.next_if(same).is_some();
                let ends_level = edge.a.y == y || edge.b.y == y;
                let is_met = !matches!(ray_from(p, &edge), Ray::Misses);
                prop_assert!(is_found || !(is_met || ends_level), "{:?} {:?}", edge, p);
            }
            prop_assert!(found.next().is_none(), "an edge is found twice, or out of order");
        }
    }

    #[test]
    fn the_first_edge_that_fulfils_a_condition_ends_the_search() {
        let points: Vec<Point> = (0..200).map(|n| Point::new(0.0, f64::from(n % 2))).collect();
        let mut asked = 0;
        let is_any = any_edge_at(&points, 0.5, |_| {
            asked += 1;
            asked == 130
        });
        assert!(is_any && asked == 130);
        assert!(!any_edge_at(&points, 3.0, |_| true));
    }
}
