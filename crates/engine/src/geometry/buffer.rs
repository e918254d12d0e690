//! Widening geometries by a distance: discs at the vertices, quadrilaterals along the segments.

use super::geodesy::{bearing, destination};
use super::kernels::{cos, sin};
use super::{Circle, Collection, CollectionKind, Feature, Geometry, Point};
use std::f64::consts::PI;
use std::fmt;

/// Corners of a disc.
const STEPS: usize = 15;

/// The geometry can't be widened; holds the name of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferError(pub &'static str);

impl fmt::Display for BufferError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot buffer {} type", self.0)
    }
}

impl std::error::Error for BufferError {}

/// The geometry widened by that many metres, which are finite and not negative; 0 changes nothing.
pub fn buffer(geometry: &Geometry, meters: f64) -> Result<Geometry, BufferError> {
    if meters == 0.0 {
        return Ok(geometry.clone());
    }
    match geometry {
        Geometry::Point(position) => Ok(disc(position.point, meters)),
        Geometry::Line(line) => {
            let mut parts = Vec::new();
            widen(&mut parts, line.series.points(), meters);
            Ok(collection(CollectionKind::GeometryCollection, parts))
        }
        Geometry::Polygon(polygon) => {
            let mut parts = Vec::new();
            for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
                widen(&mut parts, ring.points(), meters);
            }
            parts.push(geometry.clone());
            Ok(collection(CollectionKind::GeometryCollection, parts))
        }
        Geometry::Circle(circle) => {
            let wider = circle.meters.max(0.0) + meters;
            Ok(Geometry::Circle(Circle::new(circle.center, wider)))
        }
        Geometry::Feature(feature) => {
            let geometry = buffer(&feature.geometry, meters)?;
            let members = feature.members.clone();
            Ok(Geometry::Feature(Box::new(Feature { geometry, members })))
        }
        Geometry::Collection(whole) => buffer_collection(whole, meters),
        Geometry::Rect(_) => Err(BufferError(geometry.type_name())),
    }
}

fn buffer_collection(whole: &Collection, meters: f64) -> Result<Geometry, BufferError> {
    let kind = match whole.kind {
        CollectionKind::GeometryCollection => return Err(BufferError(whole.kind.name())),
        CollectionKind::FeatureCollection => CollectionKind::FeatureCollection,
        _ => CollectionKind::GeometryCollection,
    };
    let children = whole.children.iter().map(|child| buffer(child, meters));
    Ok(collection(kind, children.collect::<Result<_, _>>()?))
}

fn collection(kind: CollectionKind, children: Vec<Geometry>) -> Geometry {
    Geometry::Collection(Collection::new(kind, children, None))
}

/// Appends a disc at each vertex and a quadrilateral along each segment.
fn widen(parts: &mut Vec<Geometry>, points: &[Point], meters: f64) {
    parts.extend(points.first().map(|first| disc(*first, meters)));
    for pair in points.windows(2) {
        parts.push(quadrilateral(pair[0], pair[1], meters));
        parts.push(disc(pair[1], meters));
    }
}

/// An ellipse in degrees: the corners, then the first one again, twice.
fn disc(center: Point, meters: f64) -> Geometry {
    let north = destination(center, meters, 0.0).y;
    let south = destination(center, meters, 180.0).y;
    let east = destination(center, meters, 90.0).x;
    let west = destination(center, meters, 270.0).x;
    let (half_height, half_width) = ((north - south) / 2.0, (east - west) / 2.0);
    let corner = |step: usize| {
        let angle = PI / 180.0 * (step as f64 * (360.0 / STEPS as f64));
        Point::new(center.x + half_width * cos(angle), center.y + half_height * sin(angle))
    };
    let mut ring: Vec<Point> = (0..=STEPS).map(corner).collect();
    ring.extend(ring.first().copied());
    Geometry::simple_polygon(ring)
}

fn quadrilateral(a: Point, b: Point, meters: f64) -> Geometry {
    let (there, back) = (bearing(a, b), bearing(b, a));
    let first = destination(a, meters, there - 90.0);
    Geometry::simple_polygon(vec![
        first,
        destination(a, meters, there + 90.0),
        destination(b, meters, back - 90.0),
        destination(b, meters, back + 90.0),
        first,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{ParseOptions, Rect};

    fn buffered(text: &str, meters: f64) -> Result<Geometry, BufferError> {
        buffer(&Geometry::parse(text.as_bytes(), ParseOptions::default()).unwrap(), meters)
    }

    #[test]
    fn a_point_becomes_a_disc() {
        let disc = buffered(r#"{"type":"Point","coordinates":[0,0]}"#, 1000.0).unwrap();
        let Geometry::Polygon(polygon) = &disc else { panic!() };
        assert_eq!(polygon.exterior.points().len(), STEPS + 2);
        assert!(disc.bounds().contains_point(Point::new(0.005, 0.0)));
        assert!(!disc.bounds().contains_point(Point::new(0.02, 0.0)));
    }

    #[test]
    fn a_line_becomes_discs_and_quadrilaterals() {
        let text = r#"{"type":"LineString","coordinates":[[0,0],[0,1],[1,1]]}"#;
        let Geometry::Collection(parts) = buffered(text, 1500.0).unwrap() else { panic!() };
        assert_eq!(parts.kind, CollectionKind::GeometryCollection);
        assert_eq!(parts.children.len(), 5);
        assert!(parts.bounds.contains(&Rect::new(Point::new(0.0, 0.0), Point::new(1.0, 1.0))));
    }

    #[test]
    fn collections_keep_or_change_their_kind() {
        let points = r#"{"type":"MultiPoint","coordinates":[[0,0],[0,0.5]]}"#;
        assert_eq!(buffered(points, 1.0).unwrap().type_name(), "GeometryCollection");
        assert_eq!(buffered(points, 0.0).unwrap().type_name(), "MultiPoint");
        let feature = format!(r#"{{"type":"Feature","geometry":{points},"properties":{{}}}}"#);
        assert_eq!(buffered(&feature, 1.0).unwrap().type_name(), "Feature");
        let features = format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#);
        assert_eq!(buffered(&features, 1.0).unwrap().type_name(), "FeatureCollection");
    }

    #[test]
    fn boxes_and_geometry_collections_are_refused() {
        let error = buffer(&Geometry::Rect(Rect::default()), 1.0).unwrap_err();
        assert_eq!(error.to_string(), "cannot buffer Polygon type");
        let error = buffered(r#"{"type":"GeometryCollection","geometries":[]}"#, 1.0).unwrap_err();
        assert_eq!(error.to_string(), "cannot buffer GeometryCollection type");
    }
}
