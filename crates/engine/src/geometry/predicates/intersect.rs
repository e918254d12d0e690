//! Whether two shapes without children share a point.

use arrayvec::ArrayVec;

use super::super::Rect;
use super::segment::Segment;
use super::simple::Simple;

/// Edges of one shape near the other that are kept at hand; of more, a tree is asked each time.
const KEPT_EDGES_MAX: usize = 64;

/// Whether two shapes share a point, borders included.
pub(super) fn intersects(x: &Simple, y: &Simple) -> bool {
    match (x, y) {
        (Simple::Point(p), other) | (other, Simple::Point(p)) => other.contains_point(*p),
        _ => {
            let (a, b) = (x.bounds(), y.bounds());
            a.overlaps(&b)
                && ((is_box(x) && (is_box(y) || a.contains(&b)))
                    || (is_box(y) && b.contains(&a))
                    || has_start_in(x, y)
                    || has_start_in(y, x)
                    || borders_touch(x, y))
        }
    }
}

fn is_box(shape: &Simple) -> bool {
    matches!(shape, Simple::Region(region) if region.is_box())
}

/// Whether the first point of a line or ring lies in a region.
fn has_start_in(shape: &Simple, other: &Simple) -> bool {
    let start = match shape {
        Simple::Point(p) => Some(*p),
        Simple::Line(line) => line.first(),
        Simple::Region(region) => region.exterior.first(),
    };
    match (start, other) {
        (Some(start), Simple::Region(region)) => region.contains_point(start),
        _ => false,
    }
}

/// Whether an edge of one shape touches an edge of the other.
fn borders_touch(x: &Simple, y: &Simple) -> bool {
    let (short, long) = if x.points_count() < y.points_count() { (x, y) } else { (y, x) };
    let mut near: ArrayVec<Segment, KEPT_EDGES_MAX> = ArrayVec::new();
    let bounds = short.bounds();
    let has_too_many = long.any_edge_near(&bounds, |edge| near.try_push(edge).is_err());
    if near.is_empty() {
        return false;
    }
    short.any_edge_near(&long.bounds(), |edge| {
        let bounds: Rect = edge.bounds();
        if has_too_many {
            long.is_touched_by(&edge)
        } else {
            near.iter().any(|other| other.is_near(&bounds) && other.touches(&edge))
        }
    })
}
