//! Geometry to its canonical `GeoJSON` text: structure first, then all other members as they were.

use super::document::Document;
use crate::geometry::{
    Circle, Collection, CollectionKind, Extra, Feature, Geometry, Point, Polygon,
};
use crate::number::write_ordinate;

impl CollectionKind {
    /// The `GeoJSON` type.
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
    /// The `GeoJSON` type; `Polygon` for a box and, odd but Tile38's answer, for a Circle.
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
        if let Geometry::Collection(collection) = self {
            write_children(out, collection);
        } else {
            out.extend_from_slice(b"\"coordinates\":");
            write_coordinates(out, self);
        }
        write_members(out, self.members());
        out.push(b'}');
    }
}

fn write_children(out: &mut Vec<u8>, collection: &Collection) {
    let name = match collection.kind {
        CollectionKind::FeatureCollection => "features",
        CollectionKind::GeometryCollection => "geometries",
        _ => {
            out.extend_from_slice(b"\"coordinates\":");
            return write_list(out, &collection.children, write_coordinates);
        }
    };
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_list(out, &collection.children, |out, child| child.write_json(out));
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
    out.extend_from_slice(
        b"{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":",
    );
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

fn has_properties(members: &[u8]) -> bool {
    Document::of_members(members).has_member(0, b"properties")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{ParseOptions, Rect};
    use proptest::prelude::*;

    fn printed(geometry: &Geometry) -> String {
        let mut out = Vec::new();
        geometry.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn parse(text: &str) -> Geometry {
        Geometry::parse(text.as_bytes(), ParseOptions::default()).unwrap()
    }

    #[test]
    fn structure_comes_first_and_the_rest_is_kept_minified() {
        for case in include_str!("../testdata/canonical.txt").split("\n\n").skip(1) {
            let (text, expected) = case.trim_end().split_once('\n').unwrap();
            assert_eq!(printed(&parse(text)), expected);
            assert_eq!(printed(&parse(expected)), expected);
        }
    }

    #[test]
    fn a_box_prints_as_a_closed_ring() {
        let rect = Rect::new(Point::new(-116.0, 35.0), Point::new(-115.0, 36.5));
        let ring = "[[-116,35],[-115,35],[-115,36.5],[-116,36.5],[-116,35]]";
        let text = format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#);
        assert_eq!(printed(&Geometry::Rect(rect)), text);
    }

    #[test]
    fn no_truncation_or_mutation_of_a_text_panics() {
        let text = include_str!("../testdata/mixed.json");
        let attempt = |bytes: &[u8]| {
            if let Ok(geometry) = Geometry::parse(bytes, ParseOptions::default()) {
                geometry.write_json(&mut Vec::new());
            }
        };
        for end in 0..=text.len() {
            attempt(&text.as_bytes()[..end]);
        }
        for at in 0..text.len() {
            for byte in b"\"\\{}[],:01-.eunt \x00\xff" {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = *byte;
                attempt(&bytes);
                bytes.remove(at);
                attempt(&bytes);
            }
        }
    }

    fn ordinate() -> impl Strategy<Value = String> {
        prop_oneof![
            (-180_i32..180).prop_map(|n| n.to_string()),
            any::<f64>().prop_map(|n| { format!("{:e}", if n.is_finite() { n } else { 0.5 }) })
        ]
    }

    fn positions(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
        (
            2_usize..=4,
            prop::collection::vec([ordinate(), ordinate(), ordinate(), ordinate()], count),
        )
            .prop_map(|(width, rows)| {
                rows.iter().map(|row| format!("[{}]", row[..width].join(","))).collect()
            })
    }

    fn members() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["", r#","id":1"#, r#","bbox":[1,2],"a\"":"é","a\"":{}"#])
    }

    fn geometry_text() -> impl Strategy<Value = String> {
        let line = positions(2..6).prop_map(|list| format!("[{}]", list.join(",")));
        let ring = positions(3..6).prop_map(|mut list| {
            list.push(list[0].clone());
            format!("[[{}]]", list.join(","))
        });
        let leaf = prop_oneof![
            positions(1..2).prop_map(|list| ("Point", list[0].clone())),
            positions(0..5).prop_map(|list| ("MultiPoint", format!("[{}]", list.join(",")))),
            line.prop_map(|text| ("LineString", text)),
            ring.prop_map(|text| ("Polygon", text)),
        ];
        let leaf = (leaf, members()).prop_map(|((kind, text), members)| {
            format!(r#"{{"type":"{kind}","coordinates":{text}{members}}}"#)
        });
        leaf.prop_recursive(4, 24, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                (inner, members()).prop_map(|(child, members)| format!(
                    r#"{{"type":"Feature","geometry":{child}{members},"properties":{{"a":1}}}}"#
                )),
                (list, members()).prop_map(|(children, members)| format!(
                    r#"{{"type":"GeometryCollection","geometries":[{}]{members}}}"#,
                    children.join(",")
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_the_same(text in geometry_text()) {
            let geometry = parse(&text);
            prop_assert_eq!(&parse(&printed(&geometry)), &geometry);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = [b"{\"type\":\"Point\",\"coordinates\":".as_slice(), &bytes, b"}"].concat();
            let _ = Geometry::parse(&text, ParseOptions::default());
        }
    }
}
