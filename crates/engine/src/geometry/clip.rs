//! Cutting geometries to a box. The results are Tile38's, doubled vertices included.

use super::{
    Collection, CollectionKind, Feature, Geometry, Line, Point, Polygon, Position, Rect, Series,
};

/// A segment is moved to a border at most once for each of its ends and each border; what rounding
/// or an inverted box moves more often is dropped.
const MOVES_MAX: usize = 16;

/// A side of the box. The order is that in which an outer point is moved.
#[derive(Clone, Copy)]
enum Side {
    Top,
    Bottom,
    Right,
    Left,
}

const SIDES: [Side; 4] = [Side::Top, Side::Bottom, Side::Right, Side::Left];
/// The order in which a ring is cut.
const PASSES: [Side; 4] = [Side::Left, Side::Right, Side::Bottom, Side::Top];

/// The part of the geometry within the box. Members survive only on Features, extra ordinates
/// nowhere but on points; a Circle stays whole.
#[must_use]
pub fn clip(geometry: &Geometry, by: &Rect) -> Geometry {
    match geometry {
        Geometry::Point(position) => clip_point(position, by),
        Geometry::Rect(rect) => clip_rings(&[&rect.ring()], by),
        Geometry::Line(line) => clip_line(line.series.points(), by),
        Geometry::Polygon(polygon) => {
            let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
            clip_rings(&rings.map(Series::points).collect::<Vec<_>>(), by)
        }
        Geometry::Collection(collection) => clip_collection(collection, by),
        Geometry::Feature(feature) => {
            let geometry = clip(&feature.geometry, by);
            let members = feature.members.clone();
            Geometry::Feature(Box::new(Feature { geometry, members }))
        }
        Geometry::Circle(_) => geometry.clone(),
    }
}

fn clip_point(position: &Position, by: &Rect) -> Geometry {
    if by.contains_point(position.point) {
        Geometry::Point(position.clone())
    } else {
        collection(CollectionKind::MultiPoint, Vec::new())
    }
}

fn clip_collection(whole: &Collection, by: &Rect) -> Geometry {
    let clipped = whole.children.iter().map(|child| clip(child, by));
    let children = clipped.filter(|child| !child.is_empty()).map(|child| match child {
        Geometry::Feature(_) => child,
        geometry => Geometry::Feature(Box::new(Feature { geometry, members: None })),
    });
    collection(CollectionKind::FeatureCollection, children.collect())
}

fn collection(kind: CollectionKind, children: Vec<Geometry>) -> Geometry {
    Geometry::Collection(Collection::new(kind, children, None))
}

fn clip_line(points: &[Point], by: &Rect) -> Geometry {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some((start, end)) = clip_segment(pair[0], pair[1], by) else { continue };
        match lines.last_mut() {
            Some(line) if line.last() == Some(&start) => line.push(end),
            _ => lines.push(vec![start, end]),
        }
    }
    let line =
        |points| Geometry::Line(Line { series: Series::new(points), extra: None, members: None });
    let mut lines: Vec<Geometry> = lines.into_iter().map(line).collect();
    match lines.len() {
        1 => lines.remove(0),
        _ => collection(CollectionKind::MultiLineString, lines),
    }
}

/// The part of a segment within the box, after Cohen and Sutherland.
fn clip_segment(mut start: Point, mut end: Point, by: &Rect) -> Option<(Point, Point)> {
    for _ in 0..MOVES_MAX {
        let beyond_both = |side: Side| side.excludes(start, by) && side.excludes(end, by);
        if SIDES.into_iter().any(beyond_both) {
            return None;
        }
        // Both ends' crossings are computed from start to end, or the last digits would differ.
        let beyond = |point: Point| SIDES.into_iter().find(|side| side.excludes(point, by));
        if let Some(side) = beyond(start) {
            start = side.crossing(start, end, by);
        } else if let Some(side) = beyond(end) {
            end = side.crossing(start, end, by);
        } else {
            return Some((start, end));
        }
    }
    None
}

fn clip_rings(rings: &[&[Point]], by: &Rect) -> Geometry {
    let clipped = rings.iter().map(|ring| clip_ring(ring, by)).filter(|ring| !ring.is_empty());
    let mut clipped = clipped.map(Series::new);
    match clipped.next() {
        Some(exterior) => {
            let holes = clipped.collect();
            Geometry::Polygon(Polygon { exterior, holes, extra: None, members: None })
        }
        None => collection(CollectionKind::MultiPolygon, Vec::new()),
    }
}

/// The part of a ring within the box, after Sutherland and Hodgman. Begins with the second-last
/// vertex and takes the closing one too, hence the doubled vertices.
fn clip_ring(ring: &[Point], by: &Rect) -> Vec<Point> {
    let mut ring = ring.to_vec();
    for side in PASSES {
        let mut clipped = Vec::with_capacity(ring.len() + 2);
        let before_last = ring.len().saturating_sub(2);
        let Some(mut previous) = ring.get(before_last).copied() else { return ring };
        for vertex in ring {
            let (was_beyond, is_beyond) = (side.excludes(previous, by), side.excludes(vertex, by));
            if was_beyond != is_beyond {
                clipped.push(side.crossing(previous, vertex, by));
            }
            if !is_beyond {
                clipped.push(vertex);
            }
            previous = vertex;
        }
        if clipped.first() != clipped.last() {
            clipped.extend(clipped.first().copied());
        }
        ring = clipped;
    }
    ring
}

impl Side {
    /// Whether the point lies beyond this side; on it is not beyond.
    fn excludes(self, p: Point, by: &Rect) -> bool {
        match self {
            Side::Top => p.y > by.max.y,
            Side::Bottom => p.y < by.min.y,
            Side::Right => p.x > by.max.x,
            Side::Left => p.x < by.min.x,
        }
    }

    /// Where the segment crosses the line of this side.
    fn crossing(self, s: Point, e: Point, by: &Rect) -> Point {
        let at_y = |y: f64| Point::new(s.x + (e.x - s.x) * (y - s.y) / (e.y - s.y), y);
        let at_x = |x: f64| Point::new(x, s.y + (e.y - s.y) * (x - s.x) / (e.x - s.x));
        match self {
            Side::Top => at_y(by.max.y),
            Side::Bottom => at_y(by.min.y),
            Side::Right => at_x(by.max.x),
            Side::Left => at_x(by.min.x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::ParseOptions;
    use proptest::prelude::*;

    fn clipped(text: &str, by: &Rect) -> String {
        let geometry = Geometry::parse(text.as_bytes(), ParseOptions::default()).unwrap();
        let mut out = Vec::new();
        clip(&geometry, by).write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn geometries_are_cut_as_recorded() {
        for case in include_str!("testdata/clip.txt").split("\n\n").skip(1) {
            let lines: Vec<&str> = case.lines().collect();
            let numbers: Vec<f64> = lines[1].split(' ').map(|n| n.parse().unwrap()).collect();
            let corner = |at: usize| Point::new(numbers[at + 1], numbers[at]);
            assert_eq!(clipped(lines[0], &Rect::new(corner(0), corner(2))), lines[2]);
        }
    }

    proptest! {
        #[test]
        fn any_numbers_in_any_box_are_answered(
            numbers in prop::collection::vec(any::<f64>(), 4..40),
            corners in prop::array::uniform4(-9.0..9.0_f64),
        ) {
            let points: Vec<Point> =
                numbers.chunks_exact(2).map(|pair| Point::new(pair[0], pair[1])).collect();
            let by = Rect::new(
                Point::new(corners[0], corners[1]),
                Point::new(corners[2], corners[3]),
            );
            let _ = clip(&Geometry::simple_polygon(points.clone()), &by);
            clip_line(&points, &by);
        }
    }
}
