//! Shapes without children: points, lines, and regions, which are polygons or boxes.

use std::ops::ControlFlow;

use super::super::{Collection, Geometry, Holes, Point, Rect};
use super::ring::{Place, Ring};
use super::segment::Segment;

/// A shape without members or children.
#[derive(Clone, Copy)]
pub(super) enum Simple<'a> {
    Point(Point),
    Line(Ring<'a>),
    Region(Region<'a>),
}

/// The inside and the border of a ring, without what lies strictly inside of holes.
#[derive(Clone, Copy)]
pub(super) struct Region<'a> {
    pub(super) exterior: Ring<'a>,
    /// `None` for a box.
    holes: Option<&'a Holes>,
}

impl<'a> Simple<'a> {
    /// The shape of a geometry that isn't a Feature, a collection or a Circle. A box that isn't
    /// ordered has none.
    pub(super) fn of(geometry: &'a Geometry) -> Option<Self> {
        match geometry {
            Geometry::Point(position) => Some(Simple::Point(position.point)),
            Geometry::Rect(rect) => {
                rect.is_ordered().then(|| Simple::Region(Region::of_rect(*rect)))
            }
            Geometry::Line(line) => Some(Simple::Line((&line.series).into())),
            Geometry::Polygon(polygon) => {
                let exterior = (&polygon.exterior).into();
                Some(Simple::Region(Region { exterior, holes: Some(&polygon.holes) }))
            }
            Geometry::Collection(_) | Geometry::Feature(_) | Geometry::Circle(_) => None,
        }
    }

    pub(super) fn bounds(&self) -> Rect {
        match self {
            Simple::Point(p) => Rect::new(*p, *p),
            Simple::Line(ring) => ring.bounds,
            Simple::Region(region) => region.exterior.bounds,
        }
    }

    /// The number of points of a line, or of a region's exterior.
    pub(super) fn points_count(&self) -> usize {
        match self {
            Simple::Point(_) => 1,
            Simple::Line(ring) | Simple::Region(Region { exterior: ring, .. }) => ring.len(),
        }
    }

    /// Whether the shape holds a point, its border included.
    pub(super) fn contains_point(&self, p: Point) -> bool {
        match self {
            Simple::Point(q) => p == *q,
            Simple::Line(line) => line.has_on_edge(p),
            Simple::Region(region) => region.contains_point(p),
        }
    }

    /// Whether the condition holds for an edge whose box touches the area; of a region the edges
    /// of the holes, too.
    #[inline]
    pub(super) fn any_edge_near(
        &self,
        area: &Rect,
        mut condition: impl FnMut(Segment) -> bool,
    ) -> bool {
        match self {
            Simple::Point(_) => false,
            Simple::Line(line) => line.any_edge_near(area, condition),
            Simple::Region(region) => {
                region.exterior.any_edge_near(area, &mut condition)
                    || region.any_hole_near(area, |hole| hole.any_edge_near(area, &mut condition))
            }
        }
    }

    /// Whether an edge touches a segment; of a region an edge of a hole, too.
    pub(super) fn is_touched_by(&self, segment: &Segment) -> bool {
        match self {
            Simple::Point(_) => false,
            Simple::Line(line) => line.is_touched_by(segment),
            Simple::Region(region) => {
                let bounds = segment.bounds();
                region.exterior.is_touched_by(segment)
                    || region.any_hole_near(&bounds, |hole| hole.is_touched_by(segment))
            }
        }
    }
}

impl<'a> Region<'a> {
    fn of_rect(rect: Rect) -> Self {
        Region { exterior: rect.into(), holes: None }
    }

    /// Whether it is a box, which holds whatever has its own box in it.
    pub(super) fn is_box(&self) -> bool {
        self.exterior.is_box()
    }

    /// Whether the condition holds for a hole whose box touches the area.
    pub(super) fn any_hole_near(
        &self,
        area: &Rect,
        mut condition: impl FnMut(Ring<'a>) -> bool,
    ) -> bool {
        self.holes.is_some_and(|holes| holes.any_near(area, |hole| condition(hole.into())))
    }

    /// Whether the point lies in the region or on its border.
    pub(super) fn contains_point(&self, p: Point) -> bool {
        self.exterior.locate(p) != Place::Outside
            && !self.any_hole_near(&Rect::new(p, p), |hole| hole.locate(p) == Place::Inside)
    }

    /// Whether a point that lies on no edge lies in the region. It may be a hole without extent,
    /// which leaves nothing out.
    pub(super) fn has_inside(&self, p: Point) -> bool {
        self.exterior.locate(p) == Place::Inside
            && !self.any_hole_near(&Rect::new(p, p), |hole| hole.locate(p) == Place::Inside)
    }

    /// The exterior ring and the holes.
    pub(super) fn rings(&self) -> impl Iterator<Item = Ring<'a>> {
        let holes = self.holes.into_iter().flatten();
        std::iter::once(self.exterior).chain(holes.map(Ring::from))
    }
}

/// Calls `visit` with the shapes of a collection whose boxes touch the area. Circles are
/// left out: edges don't decide what a circle holds.
pub(super) fn visit_near<'a>(
    collection: &'a Collection,
    area: &Rect,
    visit: &mut dyn FnMut(Simple<'a>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for mut child in collection.near(area) {
        while let Geometry::Feature(feature) = child {
            child = &feature.geometry;
        }
        match child {
            Geometry::Collection(inner) => visit_near(inner, area, visit)?,
            Geometry::Circle(_) => {}
            _ => match Simple::of(child) {
                Some(simple) if simple.bounds().overlaps(area) => visit(simple)?,
                _ => {}
            },
        }
    }
    ControlFlow::Continue(())
}
