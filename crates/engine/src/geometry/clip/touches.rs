//! Rings that touch each other in corners, traced anew around the connected parts of their inside.
//!
//! A hole may touch its exterior in one corner, and a cut may open such a hole or join it to the
//! border: holes then touch their exterior in several corners, which parts the inside in two.

use std::collections::HashMap;

use super::super::predicates::orientation;
use super::super::Point;

/// A directed edge of a ring, with the inside on its left.
#[derive(Clone, Copy)]
struct Edge {
    from: Point,
    to: Point,
}

/// Both zeros are one key.
pub(super) fn key(p: Point) -> [u64; 2] {
    [p.x + 0.0, p.y + 0.0].map(f64::to_bits)
}

/// Traces rings, closed or not, with the inside on their left, around the connected parts of that.
/// Rings of invalid polygons may stay as they are.
pub(super) fn trace(rings: Vec<Vec<Point>>) -> Vec<Vec<Point>> {
    let edges = edges_of(&rings);
    let mut leaving: HashMap<[u64; 2], Vec<usize>> = HashMap::with_capacity(edges.len());
    for (number, edge) in edges.iter().enumerate() {
        leaving.entry(key(edge.from)).or_default().push(number);
    }
    if leaving.len() == edges.len() {
        return rings; // nothing touches
    }
    let next: Option<Vec<usize>> = edges
        .iter()
        .map(|edge| {
            let candidates = leaving.get(&key(edge.to))?;
            candidates.iter().copied().reduce(|first, other| {
                if turns_before(edge, edges[other].to, edges[first].to) {
                    other
                } else {
                    first
                }
            })
        })
        .collect();
    next.and_then(|next| cycles(&edges, &next)).unwrap_or(rings)
}

fn edges_of(rings: &[Vec<Point>]) -> Vec<Edge> {
    let edges = rings.iter().flat_map(|ring| {
        let ends = ring.iter().zip(ring.iter().cycle().skip(1));
        ends.map(|(from, to)| Edge { from: *from, to: *to })
    });
    edges.filter(|edge| key(edge.from) != key(edge.to)).collect()
}

/// Whether an edge that goes on to p comes before one that goes on to q, clockwise from the way
/// that this edge came.
fn turns_before(edge: &Edge, p: Point, q: Point) -> bool {
    let corner = edge.to;
    // 0 clockwise of the way back, 1 straight ahead, 2 counter-clockwise of it, 3 the way back.
    let sector = |to: Point| {
        let side = orientation(corner, edge.from, to);
        let (back_x, back_y) = (edge.from.x - corner.x, edge.from.y - corner.y);
        let is_back = (to.x - corner.x) * back_x + (to.y - corner.y) * back_y > 0.0;
        match (side < 0.0, side > 0.0) {
            (true, _) => 0,
            (_, true) => 2,
            _ if is_back => 3,
            _ => 1,
        }
    };
    let (sector_p, sector_q) = (sector(p), sector(q));
    if sector_p == sector_q {
        orientation(corner, p, q) < 0.0
    } else {
        sector_p < sector_q
    }
}

/// The closed rings that follow from each edge's next one; `None` if two edges have the same.
fn cycles(edges: &[Edge], next: &[usize]) -> Option<Vec<Vec<Point>>> {
    let mut is_followed = vec![false; edges.len()];
    for number in next {
        if std::mem::replace(is_followed.get_mut(*number)?, true) {
            return None;
        }
    }
    let mut is_passed = vec![false; edges.len()];
    let mut rings = Vec::new();
    for first in 0..edges.len() {
        let mut ring = Vec::new();
        let mut current = first;
        while !std::mem::replace(&mut is_passed[current], true) {
            ring.push(edges[current].from);
            current = next[current];
        }
        if let Some(start) = ring.first().copied() {
            ring.push(start);
            rings.push(ring);
        }
    }
    Some(rings)
}
