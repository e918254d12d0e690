//! The part of a polygon within a box.
//!
//! Each ring is cut where it touches the border of the box. What lies inside are chains from border
//! to border, with the polygon on their left: so the polygon lies along the border
//! counter-clockwise from where a chain leaves to where the next one enters, and chains
//! are linked there. Rings that then touch in corners are traced anew, and a ring that meets itself
//! in a point is taken apart. All of this holds for valid polygons; rings of others give closed
//! rings, which may be as invalid.

use std::collections::HashMap;

use super::super::predicates::{orientation, Place, Ring, Segment};
use super::super::{Point, Polygon, Rect, Series};
use super::crossing::{ClipBox, Crossing};
use super::touches::{key, trace};

/// Fewer positions make no ring.
const RING_POSITIONS_MIN: usize = 4;
/// Rounding can't change the sign of an area that is a larger share of the box around it.
const AREA_SHARE_MIN: f64 = 1e-9;

/// The polygons that a polygon leaves in a box; none if it touches the box only.
pub(super) fn clip_polygon(polygon: &Polygon, by: &Rect) -> Vec<Polygon> {
    let Some(frame) = ClipBox::new(by) else { return Vec::new() };
    let rings = || std::iter::once(&polygon.exterior).chain(&polygon.holes);
    let is_finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
    if rings().any(|ring| !ring.points().iter().all(is_finite)) {
        return Vec::new();
    }
    let mut pieces = Pieces { frame, chains: Vec::new(), ends: Vec::new(), whole: Vec::new() };
    let (mut is_around, mut is_exterior) = (false, true);
    for ring in rings() {
        if !pieces.add(ring, is_exterior) && Ring::from(ring).locate(by.center()) == Place::Inside {
            is_around = is_exterior;
        }
        is_exterior = false;
    }
    let mut rings = std::mem::take(&mut pieces.whole);
    if !pieces.chains.is_empty() {
        rings.extend(pieces.link());
    } else if is_around {
        rings.push(by.ring().to_vec());
    }
    let mut loops = Vec::new();
    for ring in trace(rings) {
        split(&ring, &mut loops);
    }
    assemble(loops)
}

/// What lies of a polygon's rings inside the box.
struct Pieces {
    frame: ClipBox,
    /// From border to border.
    chains: Vec<Vec<Point>>,
    /// Both ends of each chain.
    ends: Vec<End>,
    /// Rings that don't touch the border, closed.
    whole: Vec<Vec<Point>>,
}

/// The way along the border from the exit of a chain.
struct Way {
    /// The chain that enters next.
    chain: usize,
    /// The sides whose first corners are passed, counted on from side 4 after a full turn.
    corners: std::ops::Range<usize>,
}

/// An end of a chain.
struct End {
    chain: usize,
    is_entry: bool,
    crossing: Crossing,
}

impl Pieces {
    /// Adds a ring; returns whether any of it lies inside the box.
    fn add(&mut self, ring: &Series, is_exterior: bool) -> bool {
        if !ring.bounds().overlaps(&Rect::new(self.frame.corner(0), self.frame.corner(2))) {
            return false;
        }
        let mut points = ring.points().to_vec();
        if runs_counter_clockwise(&points, &ring.bounds()) != is_exterior {
            points.reverse();
        }
        let Some(start) = points.iter().position(|p| !self.frame.has_inside(*p)) else {
            self.whole.push(points);
            return true;
        };
        let count = self.chains.len();
        if points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        points.rotate_left(start);
        points.push(points[0]);
        let mut chain = Vec::new();
        for ends in points.windows(2) {
            let edge = Segment { a: ends[0], b: ends[1] };
            if !chain.is_empty() || self.frame.is_entered_by(&edge) {
                self.follow(edge, &mut chain);
            }
        }
        self.chains.len() > count
    }

    /// Adds an edge that passes through the inside to the chain at hand, which is empty if the edge
    /// doesn't begin inside, and is finished if the edge doesn't end there.
    fn follow(&mut self, edge: Segment, chain: &mut Vec<Point>) {
        if chain.is_empty() {
            let crossing = self.frame.entry(edge);
            chain.push(crossing.point);
            self.ends.push(End { chain: self.chains.len(), is_entry: true, crossing });
        }
        if self.frame.has_inside(edge.b) {
            chain.push(edge.b);
            return;
        }
        let crossing = self.frame.entry(Segment { a: edge.b, b: edge.a });
        chain.push(crossing.point);
        self.ends.push(End { chain: self.chains.len(), is_entry: false, crossing });
        self.chains.push(std::mem::take(chain));
    }

    /// Links the chains along the border to closed rings.
    fn link(mut self) -> Vec<Vec<Point>> {
        self.sort_ends();
        let ways = self.ways();
        let mut rings = Vec::new();
        for first in 0..self.chains.len() {
            let mut ring = Vec::new();
            let mut current = first;
            while !self.chains[current].is_empty() {
                ring.append(&mut self.chains[current]);
                let way = &ways[current];
                ring.extend(way.corners.clone().map(|side| self.frame.corner(side)));
                current = way.chain;
            }
            rings.push(ring);
        }
        rings
    }

    /// Sorts the ends counter-clockwise along the border. Rounding must not change their order.
    fn sort_ends(&mut self) {
        let frame = &self.frame;
        self.ends.sort_by(|a, b| {
            let order = a.crossing.compare(&b.crossing, frame);
            order.then(a.is_entry.cmp(&b.is_entry)).then(a.chain.cmp(&b.chain))
        });
        for place in 1..self.ends.len() {
            let Crossing { side, point: before, .. } = self.ends[place - 1].crossing;
            let crossing = &mut self.ends[place].crossing;
            if crossing.side == side && ClipBox::is_before(side, crossing.point, before) {
                crossing.point = before;
            }
        }
        for end in &self.ends {
            let chain = &mut self.chains[end.chain];
            let at = if end.is_entry { 0 } else { chain.len() - 1 };
            chain[at] = end.crossing.point;
        }
    }

    /// The way from each chain's exit along the border to the next entry, once ends are sorted.
    fn ways(&self) -> Vec<Way> {
        let count = self.ends.len();
        let mut ways: Vec<Way> =
            self.chains.iter().map(|_| Way { chain: 0, corners: 1..1 }).collect();
        // From the end backwards, twice: the entry behind an exit may lie beyond the beginning.
        let mut next = None;
        for place in (0..2 * count).rev() {
            let end = &self.ends[place % count];
            let side = end.crossing.side + place / count * 4;
            if end.is_entry {
                next = Some((end.chain, side));
            } else if let (Some((chain, last)), true) = (next, place < count) {
                ways[end.chain] = Way { chain, corners: side + 1..last + 1 };
            }
        }
        ways
    }
}

/// Takes a ring apart wherever it comes back to one of its points, and adds the parts, closed.
fn split(ring: &[Point], loops: &mut Vec<Vec<Point>>) {
    let mut places: HashMap<[u64; 2], usize> = HashMap::new();
    let mut path: Vec<Point> = Vec::new();
    for p in ring.iter().chain(ring.first()) {
        if let Some(place) = places.get(&key(*p)).copied() {
            let mut part = path.split_off(place);
            for passed in &part {
                places.remove(&key(*passed));
            }
            part.push(*p);
            loops.push(part);
        }
        places.insert(key(*p), path.len());
        path.push(*p);
    }
}

/// Makes polygons of closed rings: those that run counter-clockwise are exteriors, the others
/// holes.
fn assemble(loops: Vec<Vec<Point>>) -> Vec<Polygon> {
    let mut exteriors: Vec<(Series, Vec<Series>)> = Vec::new();
    let mut holes = Vec::new();
    for points in loops.into_iter().filter(|points| points.len() >= RING_POSITIONS_MIN) {
        let area = doubled_area(&points);
        let ring = Series::new(points);
        if area > 0.0 {
            exteriors.push((ring, Vec::new()));
        } else if area < 0.0 {
            holes.push(ring);
        }
    }
    for hole in holes {
        let around = exteriors.iter_mut().find(|(exterior, _)| surrounds(exterior, &hole));
        if let Some((_, holes)) = around {
            holes.push(hole);
        }
    }
    let polygon = |(exterior, holes): (Series, Vec<Series>)| Polygon {
        exterior,
        holes: holes.into(),
        extra: None,
        members: None,
    };
    exteriors.into_iter().map(polygon).collect()
}

/// Whether a ring lies in another: the first of its points that isn't on the border tells.
fn surrounds(exterior: &Series, ring: &Series) -> bool {
    if !exterior.bounds().contains(&ring.bounds()) {
        return false;
    }
    let exterior = Ring::from(exterior);
    let places = ring.points().iter().map(|p| exterior.locate(*p));
    places.into_iter().find(|place| *place != Place::Border) != Some(Place::Outside)
}

/// Whether a closed ring runs counter-clockwise. Of a ring with hardly any area the corner that
/// is leftmost, and lowest of those, tells exactly.
fn runs_counter_clockwise(points: &[Point], bounds: &Rect) -> bool {
    let area = doubled_area(points);
    let extent = (bounds.max.x - bounds.min.x) * (bounds.max.y - bounds.min.y);
    if area.abs() > AREA_SHARE_MIN * extent {
        return area > 0.0;
    }
    let mut corners = points.to_vec();
    corners.dedup();
    corners.pop();
    let order = |a: &Point, b: &Point| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y));
    let least = (0..corners.len()).min_by(|a, b| order(&corners[*a], &corners[*b]));
    least.is_some_and(|at| {
        let count = corners.len();
        let (before, after) = (corners[(at + count - 1) % count], corners[(at + 1) % count]);
        orientation(before, corners[at], after) > 0.0
    })
}

/// Twice the area of a closed ring; negative if it runs clockwise.
fn doubled_area(points: &[Point]) -> f64 {
    let Some(origin) = points.first() else { return 0.0 };
    let cross = |ends: &[Point]| {
        let (a, b) = (ends[0], ends[1]);
        (a.x - origin.x) * (b.y - origin.y) - (a.y - origin.y) * (b.x - origin.x)
    };
    points.windows(2).map(cross).sum()
}
