//! Which stretches of a segment lie in shapes, and beside which stretches shapes lie.
//!
//! The segment is cut wherever an edge of a shape meets it. Between two cuts nothing changes: the
//! parity of the edges passed so far tells on which sides the inside of each ring lies.

use super::super::Point;
use super::exact::Cut;
use super::ring::Ring;
use super::segment::{Contact, Segment};
use super::simple::Simple;

/// A stretch of a segment between two places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    from: Cut,
    to: Cut,
}

/// Where shapes lie, seen from one segment. Can be used for one segment after another.
#[derive(Default)]
pub(super) struct Trace {
    /// Where the segment lies in a shape or on its border.
    on: Vec<Stretch>,
    /// Where the inside of a shape lies just left of the segment.
    left: Vec<Stretch>,
    /// Where the inside of a shape lies just right of the segment.
    right: Vec<Stretch>,
    /// The rings of the shape at hand.
    rings: Vec<RingState>,
    /// The changes of their states, but for those at the segment's ends.
    events: Vec<Event>,
}

/// The state of a ring on a stretch.
#[derive(Clone, Copy)]
struct RingState {
    is_hole: bool,
    is_left_inside: bool,
    is_right_inside: bool,
    /// How many edges run along the segment here.
    edges_along: i32,
}

/// A change of a ring's state.
struct Event {
    cut: Cut,
    ring: usize,
    left: bool,
    right: bool,
    edges_along: i32,
}

/// Whether stretches of a segment lie in others, end to end. Sorts the others.
fn are_within(stretches: &[Stretch], others: &mut [Stretch], segment: &Segment) -> bool {
    others.sort_by(|a, b| a.from.compare(&b.from, segment));
    stretches.iter().all(|stretch| {
        let mut reached = stretch.from;
        for other in &*others {
            if other.from.compare(&reached, segment).is_gt() {
                break;
            }
            if other.to.compare(&reached, segment).is_gt() {
                reached = other.to;
            }
        }
        reached.compare(&stretch.to, segment).is_ge()
    })
}

impl Trace {
    /// Forgets all shapes.
    pub(super) fn clear(&mut self) {
        self.on.clear();
        self.left.clear();
        self.right.clear();
    }

    /// Whether all of the segment lies in the shapes.
    pub(super) fn covers(&mut self, segment: &Segment) -> bool {
        let whole = Stretch { from: Cut::At(segment.a), to: Cut::At(segment.b) };
        are_within(&[whole], &mut self.on, segment)
    }

    /// Whether no inside of a shape lies beside the segment.
    pub(super) fn has_free_sides(&self) -> bool {
        self.left.is_empty() && self.right.is_empty()
    }

    /// Whether insides of these shapes lie beside the segment wherever those of the others do.
    pub(super) fn covers_sides(&mut self, others: &Trace, segment: &Segment) -> bool {
        are_within(&others.left, &mut self.left, segment)
            && are_within(&others.right, &mut self.right, segment)
    }

    /// Adds one more shape. The segment isn't a point.
    pub(super) fn add(&mut self, shape: &Simple, segment: &Segment) {
        self.rings.clear();
        self.events.clear();
        match shape {
            Simple::Point(_) => return,
            Simple::Line(line) => self.add_line(line, segment),
            Simple::Region(region) => {
                self.add_ring(&region.exterior, false, segment);
                region.any_hole_near(&segment.bounds(), |hole| {
                    self.add_ring(&hole, true, segment);
                    false
                });
            }
        }
        self.events.sort_by(|a, b| a.cut.compare(&b.cut, segment));
        self.walk(segment);
    }

    fn add_line(&mut self, line: &Ring, segment: &Segment) {
        self.rings.push(RingState::new(false, (false, false)));
        line.any_edge_near(&segment.bounds(), |edge| {
            if let Some(Contact::Along { from, to }) = segment.contact(&edge) {
                self.add_along(0, (from, to), segment);
            }
            false
        });
    }

    fn add_ring(&mut self, ring: &Ring, is_hole: bool, segment: &Segment) {
        let index = self.rings.len();
        self.rings.push(RingState::new(is_hole, ring.sides_at_start(segment)));
        ring.any_edge_near(&segment.bounds(), |edge| {
            match segment.contact(&edge) {
                Some(Contact::Along { from, to }) => self.add_along(index, (from, to), segment),
                Some(Contact::Place { cut, left, right }) if !cut.is_end_of(segment) => {
                    self.events.push(Event { cut, ring: index, left, right, edges_along: 0 });
                }
                _ => {}
            }
            false
        });
    }

    fn add_along(&mut self, ring: usize, (from, to): (Point, Point), segment: &Segment) {
        let event = |cut, edges_along| Event { cut, ring, left: false, right: false, edges_along };
        if from == segment.a {
            self.rings[ring].edges_along += 1;
        } else {
            self.events.push(event(Cut::At(from), 1));
        }
        if to != segment.b {
            self.events.push(event(Cut::At(to), -1));
        }
    }

    /// Follows the segment from cut to cut.
    fn walk(&mut self, segment: &Segment) {
        let mut from = Cut::At(segment.a);
        for index in 0..self.events.len() {
            let to = self.events[index].cut;
            if index == 0 || from.compare(&to, segment).is_lt() {
                self.note(from, to);
                from = to;
            }
            let event = &self.events[index];
            self.rings[event.ring].pass(event);
        }
        self.note(from, Cut::At(segment.b));
    }

    fn note(&mut self, from: Cut, to: Cut) {
        let stretch = Stretch { from, to };
        let rings = &self.rings;
        // A border belongs to its shape, that of a hole as well.
        if rings.iter().all(|ring| ring.edges_along > 0 || ring.is_left_inside != ring.is_hole) {
            self.on.push(stretch);
        }
        if rings.iter().all(|ring| ring.is_left_inside != ring.is_hole) {
            self.left.push(stretch);
        }
        if rings.iter().all(|ring| ring.is_right_inside != ring.is_hole) {
            self.right.push(stretch);
        }
    }
}

impl RingState {
    fn new(is_hole: bool, (is_left_inside, is_right_inside): (bool, bool)) -> Self {
        RingState { is_hole, is_left_inside, is_right_inside, edges_along: 0 }
    }

    fn pass(&mut self, event: &Event) {
        self.is_left_inside ^= event.left;
        self.is_right_inside ^= event.right;
        self.edges_along += event.edges_along;
    }
}
