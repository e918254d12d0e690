//! Pairs of points, boxes, lines and polygons: what is left once collections, Features and
//! Circles are resolved.

use super::super::{Circle, Geometry, Point, Rect, Series};
use super::line;
use super::ring::{Edge, Ring};

/// A shape without members or children.
#[derive(Clone, Copy)]
pub(super) enum Simple<'a> {
    Point(Point),
    Rect(Rect),
    Line(&'a Series),
    Polygon { exterior: &'a Series, holes: &'a [Series] },
}

/// A polygon, or a box as one.
struct Area<'a> {
    exterior: Ring<'a>,
    holes: &'a [Series],
}

impl<'a> Simple<'a> {
    /// The shape of a geometry that isn't a Feature or a collection; a Circle as its polygon.
    pub(super) fn of(geometry: &'a Geometry) -> Option<Self> {
        match geometry {
            Geometry::Point(position) => Some(Simple::Point(position.point)),
            Geometry::Rect(rect) => Some(Simple::Rect(*rect)),
            Geometry::Line(line) => Some(Simple::Line(&line.series)),
            Geometry::Polygon(polygon) => {
                Some(Simple::Polygon { exterior: &polygon.exterior, holes: &polygon.holes })
            }
            Geometry::Circle(circle) => Some(Simple::of_circle(circle)),
            Geometry::Collection(_) | Geometry::Feature(_) => None,
        }
    }

    /// The polygon that stands for a circle; a box for one without radius.
    pub(super) fn of_circle(circle: &'a Circle) -> Self {
        if circle.meters <= 0.0 {
            Simple::Rect(circle.bounds())
        } else {
            Simple::Polygon { exterior: circle.polygon(), holes: &[] }
        }
    }

    fn bounds(&self) -> Rect {
        match self {
            Simple::Point(p) => Rect::new(*p, *p),
            Simple::Rect(rect) => *rect,
            Simple::Line(series) | Simple::Polygon { exterior: series, .. } => series.bounds(),
        }
    }
}

/// Whether a shape holds a point, its boundary included.
pub(super) fn contains_point(a: Simple, p: Point) -> bool {
    match a {
        Simple::Point(q) => p == q,
        Simple::Rect(rect) => rect.contains_point(p),
        Simple::Line(series) => line::has_point(&series.into(), p),
        Simple::Polygon { exterior, holes } => {
            Ring::from(exterior).has_point(p, Edge::Inside)
                && !holes.iter().any(|hole| Ring::from(hole).has_point(p, Edge::Outside))
        }
    }
}

/// Whether b lies in a.
pub(super) fn contains(a: Simple, b: Simple) -> bool {
    if let Simple::Point(p) = b {
        return contains_point(a, p);
    }
    match a {
        Simple::Point(p) => {
            let bounds = b.bounds();
            bounds.min == p && bounds.max == p
        }
        Simple::Rect(rect) => rect.contains(&b.bounds()),
        Simple::Line(series) => line_contains(&series.into(), b),
        Simple::Polygon { exterior, holes } => {
            polygon_contains(&Area { exterior: exterior.into(), holes }, b)
        }
    }
}

fn line_contains(outer: &Ring, b: Simple) -> bool {
    if let Simple::Line(series) = b {
        return line::has_line(outer, &series.into());
    }
    let bounds = b.bounds();
    if bounds.min.x != bounds.max.x && bounds.min.y != bounds.max.y {
        return false;
    }
    line::has_line(outer, &Ring::from(&Series::new(vec![bounds.min, bounds.max])))
}

fn polygon_contains(outer: &Area, b: Simple) -> bool {
    match b {
        Simple::Point(p) => outer.exterior.has_point(p, Edge::Inside),
        Simple::Line(series) => {
            let inner = Ring::from(series);
            outer.exterior.has_ring(&inner, Edge::Inside)
                && !outer
                    .holes
                    .iter()
                    .any(|hole| Ring::from(hole).meets_line(&inner, Edge::Outside))
        }
        Simple::Rect(rect) => {
            let corners = rect.ring();
            area_contains(outer, &Area { exterior: Ring::of_rect(rect, &corners), holes: &[] })
        }
        Simple::Polygon { exterior, holes } => {
            area_contains(outer, &Area { exterior: exterior.into(), holes })
        }
    }
}

/// Whether a polygon lies in another: a hole of the outer one doesn't matter where the inner one
/// has a hole around it.
fn area_contains(outer: &Area, inner: &Area) -> bool {
    outer.exterior.has_ring(&inner.exterior, Edge::Inside)
        && outer.holes.iter().map(Ring::from).all(|hole| {
            !hole.meets_ring(&inner.exterior, Edge::Outside)
                || inner.holes.iter().any(|other| Ring::from(other).has_ring(&hole, Edge::Inside))
        })
}

/// Whether the shapes share a point; `y` is the right operand.
pub(super) fn intersects(x: Simple, y: Simple) -> bool {
    match (x, y) {
        (Simple::Point(p), other) | (other, Simple::Point(p)) => contains_point(other, p),
        (Simple::Rect(left), Simple::Rect(right)) => left.overlaps(&right),
        (Simple::Line(left), Simple::Line(right)) => line::meets_line(&left.into(), &right.into()),
        (Simple::Line(line), other) | (other, Simple::Line(line)) => {
            with_area(other, |area| area_meets_line(area, &line.into()))
        }
        (left, right) => with_area(left, |left| with_area(right, |right| areas_meet(left, right))),
    }
}

/// Hands on a box or a polygon as an area; false for what has none.
fn with_area(shape: Simple, answer: impl FnOnce(&Area) -> bool) -> bool {
    match shape {
        Simple::Rect(rect) => {
            let corners = rect.ring();
            answer(&Area { exterior: Ring::of_rect(rect, &corners), holes: &[] })
        }
        Simple::Polygon { exterior, holes } => answer(&Area { exterior: exterior.into(), holes }),
        Simple::Point(_) | Simple::Line(_) => false,
    }
}

fn area_meets_line(area: &Area, line: &Ring) -> bool {
    area.exterior.meets_line(line, Edge::Inside) && !has_in_hole(area, line)
}

fn areas_meet(left: &Area, right: &Area) -> bool {
    left.exterior.meets_ring(&right.exterior, Edge::Inside)
        && !has_in_hole(left, &right.exterior)
        && !has_in_hole(right, &left.exterior)
}

/// Whether a hole of the area holds all of a ring or line.
fn has_in_hole(area: &Area, other: &Ring) -> bool {
    area.holes.iter().any(|hole| Ring::from(hole).has_ring(other, Edge::Outside))
}
