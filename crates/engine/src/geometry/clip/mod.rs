//! Cutting geometries to a box.
//!
//! Of a polygon the part that has an area is left, of a line the part that has a length: of what
//! only touches the box nothing is left. Results are valid if the input is, and their type is kept:
//! a Polygon or LineString becomes a Multi* only if it is cut into several parts, or none.

mod crossing;
mod rings;
mod touches;

use super::predicates::Segment;
use super::{
    Collection, CollectionKind, Feature, Geometry, Line, Point, Polygon, Position, Rect, Series,
};
use crossing::ClipBox;
use rings::clip_polygon;

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

/// The part of the geometry within the box. Members survive only on Features, extra ordinates
/// nowhere but on points; a Circle stays whole.
#[must_use]
pub fn clip(geometry: &Geometry, by: &Rect) -> Geometry {
    let one_or = |kind, mut parts: Vec<Geometry>| match parts.len() {
        1 => parts.remove(0),
        _ => Geometry::Collection(Collection::new(kind, parts, None)),
    };
    match geometry {
        Geometry::Point(_) => one_or(CollectionKind::MultiPoint, parts(geometry, by)),
        Geometry::Line(_) => one_or(CollectionKind::MultiLineString, parts(geometry, by)),
        Geometry::Rect(_) | Geometry::Polygon(_) => {
            one_or(CollectionKind::MultiPolygon, parts(geometry, by))
        }
        Geometry::Collection(collection) => {
            Geometry::Collection(Collection::new(collection.kind, parts(geometry, by), None))
        }
        Geometry::Feature(feature) => {
            let geometry = clip(&feature.geometry, by);
            let members = feature.members.clone();
            Geometry::Feature(Box::new(Feature { geometry, members }))
        }
        Geometry::Circle(_) => geometry.clone(),
    }
}

/// The parts of a geometry within the box: those of a Multi* are of the kind of its children.
fn parts(geometry: &Geometry, by: &Rect) -> Vec<Geometry> {
    match geometry {
        Geometry::Point(position) => clip_point(position, by).into_iter().collect(),
        Geometry::Rect(rect) => clip_rect(rect, by).into_iter().collect(),
        Geometry::Line(line) => clip_line(&line.series, by).into_iter().map(simple_line).collect(),
        Geometry::Polygon(polygon) if by.contains(&polygon.exterior.bounds()) => {
            let (exterior, holes) = (polygon.exterior.clone(), polygon.holes.clone());
            vec![Geometry::Polygon(Polygon { exterior, holes, extra: None, members: None })]
        }
        Geometry::Polygon(polygon) => {
            clip_polygon(polygon, by).into_iter().map(Geometry::Polygon).collect()
        }
        Geometry::Collection(whole) => match whole.kind {
            CollectionKind::GeometryCollection | CollectionKind::FeatureCollection => {
                let clipped = whole.children.iter().map(|child| clip(child, by));
                clipped.filter(|child| !child.is_empty()).collect()
            }
            _ => whole.children.iter().flat_map(|child| parts(child, by)).collect(),
        },
        Geometry::Feature(_) | Geometry::Circle(_) => vec![clip(geometry, by)],
    }
}

fn clip_point(position: &Position, by: &Rect) -> Option<Geometry> {
    by.contains_point(position.point).then(|| Geometry::Point(position.clone()))
}

/// A box as a polygon, the part within another; a box without area only if it is within.
fn clip_rect(rect: &Rect, by: &Rect) -> Option<Geometry> {
    let min = Point::new(rect.min.x.max(by.min.x), rect.min.y.max(by.min.y));
    let max = Point::new(rect.max.x.min(by.max.x), rect.max.y.min(by.max.y));
    let has_area = min.x < max.x && min.y < max.y;
    let is_whole = rect.is_ordered() && by.contains(rect);
    (has_area || is_whole).then(|| Geometry::simple_polygon(Rect::new(min, max).ring().to_vec()))
}

fn simple_line(points: Vec<Point>) -> Geometry {
    Geometry::Line(Line { series: Series::new(points), extra: None, members: None })
}

/// The parts of a line that have a length; the whole line if the box holds it.
fn clip_line(line: &Series, by: &Rect) -> Vec<Vec<Point>> {
    if by.contains(&line.bounds()) {
        return vec![line.points().to_vec()];
    }
    let frame = ClipBox::new(by);
    let mut lines: Vec<Vec<Point>> = Vec::new();
    for pair in line.points().windows(2) {
        let edge = Segment { a: pair[0], b: pair[1] };
        // Of an edge that touches a corner, rounding may leave two points.
        if frame.as_ref().is_some_and(|frame| !frame.has_part_of(&edge)) {
            continue;
        }
        let cut = clip_segment(edge.a, edge.b, by).filter(|(start, end)| start != end);
        // Of an edge that passes near a corner, rounding may leave nothing.
        let through = || frame.as_ref()?.part_of(edge).filter(|(start, end)| start != end);
        let Some((start, end)) = cut.or_else(through) else { continue };
        match lines.last_mut() {
            Some(line) if line.last() == Some(&start) => line.push(end),
            _ => lines.push(vec![start, end]),
        }
    }
    lines
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
        for case in include_str!("../testdata/clip.txt").split("\n\n").skip(1) {
            let lines: Vec<&str> = case.lines().collect();
            let numbers: Vec<f64> = lines[1].split(' ').map(|n| n.parse().unwrap()).collect();
            let corner = |at: usize| Point::new(numbers[at + 1], numbers[at]);
            assert_eq!(clipped(lines[0], &Rect::new(corner(0), corner(2))), lines[2]);
        }
    }

    proptest! {
        #[test]
        fn any_chain_of_points_is_cut_whether_it_is_a_ring_or_not(
            corners in prop::collection::vec((0..7i32, 0..7i32), 1..12),
            by in prop::array::uniform4(0..7i32),
        ) {
            let point = |x: i32, y: i32| Point::new(f64::from(x), f64::from(y));
            let points: Vec<Point> = corners.iter().map(|(x, y)| point(*x, *y)).collect();
            let by = Rect::around(&[point(by[0], by[1]), point(by[2], by[3])]);
            let left = clip(&Geometry::simple_polygon(points), &by);
            prop_assert!(left.is_empty() || by.contains(&left.bounds()));
        }

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
            let _ = clip(&simple_line(points), &by);
        }
    }
}
