//! Geometry to its canonical GeoJSON text: structure first, then all other members as they were.

use super::document::Document;
use crate::geometry::{
    Circle, Collection, CollectionKind, Extra, Feature, Geometry, Point, Polygon,
};
use crate::number::write_ordinate;

impl CollectionKind {
    /// The GeoJSON type.
    pub fn name(self) -> &'static str {
        match self {
            CollectionKind::MultiPoint => "MultiPoint",
            CollectionKind::MultiLineString => "MultiLineString",
            CollectionKind::MultiPolygon => "MultiPolygon",
            CollectionKind::GeometryCollection => "GeometryCollection",
            CollectionKind::FeatureCollection => "FeatureCollection",
        }
    }
}

impl Geometry {
    /// The GeoJSON type; `Polygon` for a box and, odd but Tile38's answer, for a Circle.
    pub fn type_name(&self) -> &'static str {
        match self {
            Geometry::Point(_) => "Point",
            Geometry::Line(_) => "LineString",
            Geometry::Rect(_) | Geometry::Polygon(_) | Geometry::Circle(_) => "Polygon",
            Geometry::Collection(collection) => collection.kind.name(),
            Geometry::Feature(_) => "Feature",
        }
    }

    /// Appends the canonical text.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Geometry::Circle(circle) => return write_circle(out, circle),
            Geometry::Feature(feature) => return write_feature(out, feature),
            _ => {}
        }
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(self.type_name().as_bytes());
        out.extend_from_slice(b"\",");
        match self {
            Geometry::Collection(collection) => write_children(out, collection),
            _ => {
                out.extend_from_slice(b"\"coordinates\":");
                write_coordinates(out, self);
            }
        }
        write_members(out, self.members());
        out.push(b'}');
    }
}

fn write_children(out: &mut Vec<u8>, collection: &Collection) {
    let (name, write_child): (&[u8], fn(&mut Vec<u8>, &Geometry)) = match collection.kind {
        CollectionKind::FeatureCollection => (b"features", |out, child| child.write_json(out)),
        CollectionKind::GeometryCollection => (b"geometries", |out, child| child.write_json(out)),
        _ => (b"coordinates", write_coordinates),
    };
    out.push(b'"');
    out.extend_from_slice(name);
    out.extend_from_slice(b"\":");
    write_list(out, &collection.children, write_child);
}

fn write_feature(out: &mut Vec<u8>, feature: &Feature) {
    out.extend_from_slice(b"{\"type\":\"Feature\",\"geometry\":");
    feature.geometry.write_json(out);
    write_members(out, feature.members.as_deref());
    if !feature.members.as_deref().is_some_and(has_properties) {
        out.extend_from_slice(b",\"properties\":{}");
    }
    out.push(b'}');
}

fn write_circle(out: &mut Vec<u8>, circle: &Circle) {
    out.extend_from_slice(b"{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":");
    write_position(out, circle.center, &[]);
    out.extend_from_slice(b"},\"properties\":{\"type\":\"Circle\",\"radius\":");
    write_ordinate(out, circle.meters);
    out.extend_from_slice(b",\"radius_units\":\"m\"}}");
}

fn write_members(out: &mut Vec<u8>, members: Option<&[u8]>) {
    if let Some(members) = members {
        out.push(b',');
        out.extend_from_slice(members);
    }
}

/// Whether a member of that name is among them.
fn has_properties(members: &[u8]) -> bool {
    if members.starts_with(b"\"properties\":") {
        return true;
    }
    let text = [b"{", members, b"}"].concat();
    Document::parse(&text).is_some_and(|document| {
        document.first_member(document.root(), b"properties").is_some()
    })
}

fn write_coordinates(out: &mut Vec<u8>, geometry: &Geometry) {
    match geometry {
        Geometry::Point(position) => {
            let values = position.extra.as_ref().map_or(&[][..], |extra| &extra.values);
            write_position(out, position.point, values);
        }
        Geometry::Line(line) => {
            write_series(out, line.series.points(), &mut ExtraValues::new(line.extra.as_ref()));
        }
        Geometry::Polygon(polygon) => write_polygon(out, polygon),
        Geometry::Rect(rect) => {
            write_list(out, &[rect.ring()], |out, ring| {
                write_series(out, ring, &mut ExtraValues::new(None));
            });
        }
        // Nothing else has coordinates of its own.
        Geometry::Collection(_) | Geometry::Feature(_) | Geometry::Circle(_) => {
            out.extend_from_slice(b"[]");
        }
    }
}

fn write_polygon(out: &mut Vec<u8>, polygon: &Polygon) {
    let mut extra = ExtraValues::new(polygon.extra.as_ref());
    out.push(b'[');
    write_series(out, polygon.exterior.points(), &mut extra);
    for hole in &polygon.holes {
        out.push(b',');
        write_series(out, hole.points(), &mut extra);
    }
    out.push(b']');
}

/// The ordinates beyond x and y, position by position.
struct ExtraValues<'a> {
    per_position: usize,
    values: &'a [f64],
}

impl<'a> ExtraValues<'a> {
    fn new(extra: Option<&'a Extra>) -> Self {
        match extra {
            Some(extra) => {
                ExtraValues { per_position: usize::from(extra.per_position), values: &extra.values }
            }
            None => ExtraValues { per_position: 0, values: &[] },
        }
    }

    fn next(&mut self) -> &'a [f64] {
        let (next, rest) = self.values.split_at(self.per_position.min(self.values.len()));
        self.values = rest;
        next
    }
}

fn write_series(out: &mut Vec<u8>, points: &[Point], extra: &mut ExtraValues<'_>) {
    write_list(out, points, |out, point| write_position(out, *point, extra.next()));
}

fn write_position(out: &mut Vec<u8>, point: Point, extra: &[f64]) {
    out.push(b'[');
    write_ordinate(out, point.x);
    out.push(b',');
    write_ordinate(out, point.y);
    for value in extra {
        out.push(b',');
        write_ordinate(out, *value);
    }
    out.push(b']');
}

fn write_list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
