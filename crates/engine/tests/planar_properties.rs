//! WITHIN and INTERSECTS against an oracle in whole numbers, for shapes on a small grid: rings that
//! cross or touch themselves, spikes, repeated points, shared edges, collections that tile.
//!
//! `PROPTEST_CASES=100000 cargo test --release --test planar_properties` tries that many pairs.

// A shape of our own that can't be parsed may end the test.
#![allow(clippy::unwrap_used)]

use engine::geometry::{predicates, Geometry, ParseOptions};
use proptest::prelude::*;

mod support;
use support::planar::{PlaneSet, Vertex};

/// A shape without children.
#[derive(Clone, Debug)]
enum Leaf {
    Point(Vertex),
    Line(Vec<Vertex>),
    /// The exterior, then the holes; all closed.
    Polygon(Vec<Vec<Vertex>>),
}

impl Leaf {
    fn json(&self) -> String {
        let position = |(x, y): &Vertex| format!("[{x},{y}]");
        let chain = |points: &Vec<Vertex>| {
            let points: Vec<String> = points.iter().map(position).collect();
            format!("[{}]", points.join(","))
        };
        let (kind, coordinates) = match self {
            Leaf::Point(point) => ("Point", position(point)),
            Leaf::Line(points) => ("LineString", chain(points)),
            Leaf::Polygon(rings) => {
                let rings: Vec<String> = rings.iter().map(chain).collect();
                ("Polygon", format!("[{}]", rings.join(",")))
            }
        };
        format!(r#"{{"type":"{kind}","coordinates":{coordinates}}}"#)
    }

    fn vertices(&self) -> Vec<Vertex> {
        match self {
            Leaf::Point(point) => vec![*point],
            Leaf::Line(points) => points.clone(),
            Leaf::Polygon(rings) => rings.concat(),
        }
    }
}

/// A shape, or a GeometryCollection of several.
fn geometry(leaves: &[Leaf]) -> Geometry {
    let texts: Vec<String> = leaves.iter().map(Leaf::json).collect();
    let text = match &texts[..] {
        [text] => text.clone(),
        _ => format!(r#"{{"type":"GeometryCollection","geometries":[{}]}}"#, texts.join(",")),
    };
    Geometry::parse(text.as_bytes(), ParseOptions::default()).unwrap()
}

fn plane_set(leaves: &[Leaf]) -> PlaneSet {
    let mut set = PlaneSet::default();
    for leaf in leaves {
        match leaf {
            Leaf::Point(point) => set.points.push(*point),
            Leaf::Line(points) => set.lines.push(points.clone()),
            Leaf::Polygon(rings) => set.polygons.push(rings.clone()),
        }
    }
    set
}

fn closed(mut ring: Vec<Vertex>) -> Vec<Vertex> {
    ring.push(ring[0]);
    ring
}

fn vertex() -> impl Strategy<Value = Vertex> {
    (0..7i64, 0..7i64)
}

fn ring() -> impl Strategy<Value = Vec<Vertex>> {
    prop_oneof![
        3 => prop::collection::vec(vertex(), 3..8).prop_map(closed),
        1 => (vertex(), vertex()).prop_map(|((x, y), (z, w))| {
            closed(vec![(x, y), (z, y), (z, w), (x, w)])
        }),
    ]
}

fn polygon() -> impl Strategy<Value = Leaf> {
    (ring(), prop::collection::vec(ring(), 0..2)).prop_map(|(exterior, holes)| {
        let mut rings = vec![exterior];
        rings.extend(holes);
        Leaf::Polygon(rings)
    })
}

fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        1 => vertex().prop_map(Leaf::Point),
        2 => prop::collection::vec(vertex(), 2..6).prop_map(Leaf::Line),
        5 => polygon(),
    ]
}

fn leaves() -> impl Strategy<Value = Vec<Leaf>> {
    prop_oneof![
        4 => leaf().prop_map(|leaf| vec![leaf]),
        1 => prop::collection::vec(leaf(), 2..4),
        2 => tiles(),
    ]
}

/// Tiles of a grid whose lines don't all meet: triangles, halves of quadrangles with an edge that
/// isn't straight, some of them missing.
fn tiles() -> impl Strategy<Value = Vec<Leaf>> {
    let inner = prop::collection::vec((1..3i64, 1..3i64), 9);
    (inner, prop::collection::vec(0..4u8, 4)).prop_map(|(offsets, choices)| {
        let corner = |x: usize, y: usize| {
            let (dx, dy) = offsets[y * 3 + x];
            (x as i64 * 3 + dx - 1, y as i64 * 3 + dy - 1)
        };
        let mut tiles = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let (x, y) = (index % 2, index / 2);
            let [a, b, c, d] =
                [corner(x, y), corner(x + 1, y), corner(x + 1, y + 1), corner(x, y + 1)];
            let mut add = |ring: Vec<Vertex>| tiles.push(Leaf::Polygon(vec![closed(ring)]));
            match choice {
                0 => add(vec![a, b, c, d]),
                1 => {
                    add(vec![a, b, c]);
                    add(vec![c, d, a]);
                }
                2 => add(vec![b, d, c]),
                _ => {}
            }
        }
        if tiles.is_empty() {
            tiles.push(Leaf::Point(corner(1, 1)));
        }
        tiles
    })
}

/// An area, and an object that is often made of some of its corners: it fills notches and holes,
/// shares edges, lies along borders.
fn pair() -> impl Strategy<Value = (Vec<Leaf>, Vec<Leaf>)> {
    let derived = (leaves(), prop::collection::vec(any::<prop::sample::Index>(), 2..6), 0..4u8)
        .prop_map(|(area, picks, kind)| {
            let corners: Vec<Vertex> = area.iter().flat_map(Leaf::vertices).collect();
            let picked: Vec<Vertex> = picks.iter().map(|pick| *pick.get(&corners)).collect();
            let object = match kind {
                0 => Leaf::Line(picked),
                _ if picked.len() < 3 => Leaf::Point(picked[0]),
                _ => Leaf::Polygon(vec![closed(picked)]),
            };
            (area, vec![object])
        });
    prop_oneof![(leaves(), leaves()), derived]
}

/// Pieces that each edge of a dense shape is divided into; a power of two, so that all is exact.
const PIECES: i64 = 32;

/// The shapes, enlarged, with many vertices along each edge.
fn dense(leaves: &[Leaf]) -> Vec<Leaf> {
    let chain = |points: &Vec<Vertex>| {
        let mut dense = Vec::new();
        for ends in points.windows(2) {
            let ((ax, ay), (bx, by)) = (ends[0], ends[1]);
            let at = |n: i64| (ax * PIECES + (bx - ax) * n, ay * PIECES + (by - ay) * n);
            dense.extend((0..PIECES).map(at));
        }
        dense.extend(points.last().map(|(x, y)| (x * PIECES, y * PIECES)));
        dense
    };
    let one = |leaf: &Leaf| match leaf {
        Leaf::Point((x, y)) => Leaf::Point((x * PIECES, y * PIECES)),
        Leaf::Line(points) => Leaf::Line(chain(points)),
        Leaf::Polygon(rings) => Leaf::Polygon(rings.iter().map(chain).collect()),
    };
    leaves.iter().map(one).collect()
}

/// The shapes without the holes of those polygons to which not all of their edges belong: such a
/// polygon is invalid, and whether a shape that touches it there intersects it is left open.
fn without_wild_holes(mut leaves: Vec<Leaf>) -> Vec<Leaf> {
    for leaf in &mut leaves {
        let has_holes_inside = plane_set(std::slice::from_ref(leaf)).has_holes_inside();
        if let Leaf::Polygon(rings) = leaf {
            if !has_holes_inside {
                rings.truncate(1);
            }
        }
    }
    leaves
}

proptest! {
    #[test]
    fn within_is_what_the_oracle_says((area, object) in pair()) {
        let expected = plane_set(&area).covers(&plane_set(&object));
        let found = predicates::contains(&geometry(&area), &geometry(&object));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn intersects_is_what_the_oracle_says((area, object) in pair()) {
        let (area, object) = (without_wild_holes(area), without_wild_holes(object));
        let expected = plane_set(&area).intersects(&plane_set(&object));
        let (area, object) = (geometry(&area), geometry(&object));
        prop_assert_eq!(predicates::intersects(&object, &area), expected);
        prop_assert_eq!(predicates::intersects(&area, &object), expected);
    }

    // So many edges have trees and aren't kept at hand, unlike those of the shapes above.
    #[test]
    fn more_vertices_along_the_edges_change_no_answer((area, object) in pair()) {
        let (area, object) = (without_wild_holes(area), without_wild_holes(object));
        let (dense_area, dense_object) = (geometry(&dense(&area)), geometry(&dense(&object)));
        let (area, object) = (geometry(&area), geometry(&object));
        prop_assert_eq!(
            predicates::contains(&dense_area, &dense_object),
            predicates::contains(&area, &object)
        );
        prop_assert_eq!(
            predicates::intersects(&dense_object, &dense_area),
            predicates::intersects(&object, &area)
        );
    }
}

#[test]
fn a_line_may_begin_at_a_hole_of_no_extent() {
    let hole = vec![(2, 2); 5];
    let area = [Leaf::Polygon(vec![vec![(0, 0), (2, 0), (3, 4), (0, 0)], hole])];
    for object in [vec![(2, 2), (0, 0), (0, 0)], vec![(2, 2), (1, 1)], vec![(1, 1), (2, 2)]] {
        let object = [Leaf::Line(object)];
        assert!(predicates::contains(&geometry(&area), &geometry(&object)));
        assert!(predicates::contains(&geometry(&dense(&area)), &geometry(&dense(&object))));
    }
}
