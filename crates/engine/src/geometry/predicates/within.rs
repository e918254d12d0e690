//! Whether an area covers a line or a region, the border of the area included.
//!
//! The area is the union of its shapes. It covers an object if
//! 1. every edge of the object, cut where edges of the area meet it, lies in the area piece by
//!    piece, and
//! 2. wherever the object's inside lies beside an edge of the area, so does the area's: an open
//!    gap of the area that reached into the object would be bounded by an edge which fails this.

use std::ops::ControlFlow;

use arrayvec::ArrayVec;

use super::super::{Collection, Point, Rect};
use super::exact::Cut;
use super::ring::Ring;
use super::segment::{Contact, Segment};
use super::simple::{visit_near, Region, Simple};
use super::trace::Trace;

/// Edges of the area near the object that are kept at hand; of more, a tree is asked each time.
const KEPT_EDGES_MAX: usize = 64;
/// Shapes likewise.
const KEPT_SHAPES_MAX: usize = 16;

/// The outer operand.
#[derive(Clone, Copy)]
pub(super) enum Area<'a> {
    Simple(Simple<'a>),
    /// The union of its points, lines and regions.
    Collection(&'a Collection),
}

impl<'a> Area<'a> {
    /// Whether all of the shape lies in the area.
    pub(super) fn covers(&self, shape: &Simple) -> bool {
        let bounds = shape.bounds();
        match shape {
            Simple::Point(p) => self.any_shape_near(&bounds, |shape| shape.contains_point(*p)),
            Simple::Line(line) => self.covers_box(&bounds).unwrap_or_else(|| {
                Near::new(*self, bounds).gather().covers_line(line, &mut Trace::default())
            }),
            Simple::Region(region) => {
                // Holes that leave their exterior are invalid, but their edges count.
                let bounds = region.rings().fold(bounds, |all, ring| all.union(&ring.bounds));
                self.covers_box(&bounds)
                    .unwrap_or_else(|| Near::new(*self, bounds).gather().covers_region(region))
            }
        }
    }

    /// Whether all of a shape with that box lies in the area, if the box alone tells.
    fn covers_box(&self, bounds: &Rect) -> Option<bool> {
        let (own, tells_all) = match self {
            Area::Simple(Simple::Point(p)) => return Some(bounds.min == *p && bounds.max == *p),
            Area::Simple(Simple::Region(region)) => (region.exterior.bounds, region.is_box()),
            Area::Simple(Simple::Line(line)) => (line.bounds, false),
            Area::Collection(collection) => (collection.bounds, false),
        };
        if own.contains(bounds) {
            tells_all.then_some(true)
        } else {
            Some(false)
        }
    }

    /// Whether the condition holds for a shape whose box touches the other box.
    fn any_shape_near(
        &self,
        bounds: &Rect,
        mut condition: impl FnMut(&Simple<'a>) -> bool,
    ) -> bool {
        match self {
            Area::Simple(simple) => simple.bounds().overlaps(bounds) && condition(simple),
            Area::Collection(collection) => {
                let mut visit = |simple| {
                    if condition(&simple) {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                };
                visit_near(collection, bounds, &mut visit).is_break()
            }
        }
    }
}

/// An area as an object sees it, whose box it knows.
struct Near<'a> {
    area: Area<'a>,
    /// The object's box.
    bounds: Rect,
    /// The shapes of the area near the box.
    shapes: ArrayVec<Simple<'a>, KEPT_SHAPES_MAX>,
    /// Whether there are more of them.
    has_more_shapes: bool,
    /// The edges of the area that meet the box, those that are points left out.
    edges: ArrayVec<Segment, KEPT_EDGES_MAX>,
    /// Whether there are more of them.
    has_more_edges: bool,
    /// Whether a shape has a hole near the box.
    has_holes: bool,
}

impl<'a> Near<'a> {
    fn new(area: Area<'a>, bounds: Rect) -> Self {
        Near {
            area,
            bounds,
            shapes: ArrayVec::new(),
            has_more_shapes: false,
            edges: ArrayVec::new(),
            has_more_edges: false,
            has_holes: false,
        }
    }

    fn gather(&mut self) -> &Self {
        let (area, bounds) = (self.area, self.bounds);
        area.any_shape_near(&bounds, |shape| {
            self.has_more_shapes |= self.shapes.try_push(*shape).is_err();
            if let Simple::Region(region) = shape {
                self.has_holes |= region.any_hole_near(&bounds, |_| true);
            }
            self.has_more_edges = self.has_more_edges
                || shape.any_edge_near(&bounds, |edge| {
                    !edge.is_point() && edge.meets(&bounds) && self.edges.try_push(edge).is_err()
                });
            self.has_more_edges && self.has_more_shapes && self.has_holes
        });
        self
    }

    /// Whether the condition holds for a shape of the area near a box within the object's.
    fn any_shape_near(
        &self,
        bounds: &Rect,
        mut condition: impl FnMut(&Simple<'a>) -> bool,
    ) -> bool {
        if self.has_more_shapes {
            return self.area.any_shape_near(bounds, condition);
        }
        self.shapes.iter().any(|shape| shape.bounds().overlaps(bounds) && condition(shape))
    }

    /// Whether the condition holds for an edge of the area near a box within the object's.
    fn any_edge_near(&self, bounds: &Rect, mut condition: impl FnMut(Segment) -> bool) -> bool {
        if !self.has_more_edges {
            return self.edges.iter().any(|edge| edge.is_near(bounds) && condition(*edge));
        }
        self.any_shape_near(bounds, |shape| {
            shape.any_edge_near(bounds, |edge| !edge.is_point() && condition(edge))
        })
    }

    fn covers_region(&self, region: &Region) -> bool {
        let mut trace = Trace::default();
        region.rings().all(|ring| self.covers_line(&ring, &mut trace))
            && self.has_no_gap_in(region, &mut trace)
    }

    /// Whether the edges of a line or ring lie in the area.
    fn covers_line(&self, line: &Ring, trace: &mut Trace) -> bool {
        let Some(first) = line.first() else { return false };
        if line.bounds.min == line.bounds.max {
            return self.has_point(first);
        }
        if self.edges.is_empty() {
            return self.has_inside(first);
        }
        if self.has_more_edges && !self.has_point(first) {
            return false;
        }
        // Away from the area's edges nothing changes, so one point of such a way tells for all.
        let mut is_inside = false;
        !line.any_edge(|segment| {
            if !segment.is_point() {
                is_inside = match self.touch(&segment) {
                    Touch::Nothing => is_inside || self.has_inside(segment.a),
                    Touch::Edge => true,
                    Touch::Crossing if self.shapes.len() == 1 => false,
                    Touch::Crossing | Touch::More => {
                        self.trace(&segment, trace);
                        trace.covers(&segment)
                    }
                };
            }
            !segment.is_point() && !is_inside
        })
    }

    fn has_point(&self, p: Point) -> bool {
        self.any_shape_near(&Rect::new(p, p), |shape| shape.contains_point(p))
    }

    fn has_inside(&self, p: Point) -> bool {
        self.any_shape_near(&Rect::new(p, p), |shape| match shape {
            Simple::Region(region) => region.has_inside(p),
            Simple::Point(_) | Simple::Line(_) => false,
        })
    }

    /// What a segment touches of the area's edges.
    fn touch(&self, segment: &Segment) -> Touch {
        let mut touch = Touch::Nothing;
        self.any_edge_near(&segment.bounds(), |edge| {
            match segment.contact(&edge) {
                None => {}
                Some(Contact::Along { from, to })
                    if from == segment.a && to == segment.b && !self.has_holes =>
                {
                    touch = Touch::Edge;
                }
                Some(Contact::Place { cut: Cut::Across(_), .. }) if touch == Touch::Nothing => {
                    touch = Touch::Crossing;
                }
                Some(_) => touch = Touch::More,
            }
            touch == Touch::Edge
        });
        touch
    }

    fn trace(&self, segment: &Segment, trace: &mut Trace) {
        trace.clear();
        self.any_shape_near(&segment.bounds(), |shape| {
            trace.add(shape, segment);
            false
        });
    }

    /// Whether the area's inside lies wherever the region's does, on both sides of each edge of
    /// the area.
    fn has_no_gap_in(&self, region: &Region, trace: &mut Trace) -> bool {
        let region = Simple::Region(*region);
        let mut inside = Trace::default();
        let mut shared_count = 0;
        // The end of the last edge, if it is outside: edges follow each other along a ring.
        let mut last_outside = None;
        let has_gap = self.any_edge_beside_gap(|edge| {
            let is_touched = region.any_edge_near(&edge.bounds(), |other| other.touches(&edge));
            let is_outside = || {
                last_outside == Some(edge.a)
                    || !self.bounds.contains_point(edge.a)
                    || !region.contains_point(edge.a)
            };
            if !is_touched && is_outside() {
                last_outside = Some(edge.b);
                return false;
            }
            last_outside = None;
            shared_count += 1;
            inside.clear();
            inside.add(&region, &edge);
            if inside.has_free_sides() {
                return false;
            }
            self.trace(&edge, trace);
            !trace.covers_sides(&inside, &edge)
        });
        if let [Simple::Region(region)] = &self.shapes[..] {
            region.exterior.note_shared_edges(shared_count);
        }
        !has_gap
    }

    /// Whether the condition holds for an edge near the object that may lie beside a gap of the
    /// area. A ring that doesn't touch itself goes around no gap; its holes do.
    fn any_edge_beside_gap(&self, mut condition: impl FnMut(Segment) -> bool) -> bool {
        match &self.shapes[..] {
            [Simple::Region(region)] if region.exterior.is_known_simple() => region
                .any_hole_near(&self.bounds, |hole| {
                    hole.any_edge_near(&self.bounds, |edge| !edge.is_point() && condition(edge))
                }),
            _ => self.any_edge_near(&self.bounds, condition),
        }
    }
}

/// What a segment touches of an area's edges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch {
    Nothing,
    /// It lies along an edge whose shape has no hole there.
    Edge,
    /// One edge, which it crosses between the ends of both: on one side of it lies no inside of
    /// that edge's shape.
    Crossing,
    More,
}
