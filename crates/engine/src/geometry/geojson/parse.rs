//! `GeoJSON` text to geometry, with Tile38's checks in Tile38's order. Validates the text once and
//! reads each value once; recursion is bounded by the depth the JSON scanner allows.

use std::borrow::Cow;
use std::fmt;

use super::document::{Document, Member};
use super::positions;
use crate::geometry::{
    Circle, Collection, CollectionKind, Feature, Geometry, Line, Point, Position,
};
use crate::json::{minify, Kind, Value};
use crate::number::parse_float;

/// How strict to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParseOptions {
    /// Longitude and latitude must lie within ±180 and ±90.
    pub require_valid: bool,
}

/// Why a text isn't a geometry; the client sees [`GeometryError::message`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum GeometryError {
    InvalidData,
    MissingType,
    InvalidType,
    UnknownType(Vec<u8>),
    MissingCoordinates,
    InvalidCoordinates,
    MissingGeometry,
    MissingGeometries,
    InvalidGeometries,
    MissingFeatures,
    InvalidFeatures,
    InvalidRadiusUnits,
}

impl GeometryError {
    /// The text for the client, as bytes: an unknown type's name may be invalid UTF-8.
    pub fn message(&self) -> Vec<u8> {
        let text = match self {
            GeometryError::InvalidData => "invalid data",
            GeometryError::MissingType => "missing type",
            GeometryError::InvalidType => "invalid type",
            GeometryError::UnknownType(name) => {
                return [b"type '", &name[..], b"' is unknown"].concat()
            }
            GeometryError::MissingCoordinates => "missing coordinates",
            GeometryError::InvalidCoordinates => "invalid coordinates",
            GeometryError::MissingGeometry => "missing geometry",
            GeometryError::MissingGeometries => "missing geometries",
            GeometryError::InvalidGeometries => "invalid geometries",
            GeometryError::MissingFeatures => "missing features",
            GeometryError::InvalidFeatures => "invalid features",
            GeometryError::InvalidRadiusUnits => "invalid circle radius units",
        };
        text.as_bytes().to_vec()
    }
}

impl fmt::Display for GeometryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.message()))
    }
}

impl std::error::Error for GeometryError {}

impl From<positions::Invalid> for GeometryError {
    fn from(_: positions::Invalid) -> Self {
        GeometryError::InvalidCoordinates
    }
}

type Result<T> = std::result::Result<T, GeometryError>;

impl Geometry {
    /// Reads a `GeoJSON` text.
    pub fn parse(text: &[u8], options: ParseOptions) -> Result<Geometry> {
        let document = Document::parse(text).ok_or(GeometryError::InvalidData)?;
        let object = Object::read(&document, document.root())?;
        Parser { document: &document, options }.geometry(object)
    }
}

/// An object's members, sorted into structure and others. Of duplicates the last one counts.
#[derive(Default)]
struct Object {
    kind: Option<usize>,
    coordinates: Option<usize>,
    geometry: Option<usize>,
    geometries: Option<usize>,
    features: Option<usize>,
    /// The first one, as JSON paths see it; it is among the others too.
    properties: Option<usize>,
    others: Vec<u8>,
    end: usize,
}

impl Object {
    fn read(document: &Document<'_>, start: usize) -> Result<Self> {
        if document.kind(start) != Kind::Object {
            return Err(GeometryError::InvalidData);
        }
        let mut object = Object::default();
        let mut end = start + 1;
        while let Some(name_start) = document.next(end) {
            let member = document.member(name_start);
            object.take(document, &member);
            end = member.end;
        }
        object.end = document.close(end);
        Ok(object)
    }

    fn take(&mut self, document: &Document<'_>, member: &Member<'_>) {
        let name = member.name.string();
        match &name[..] {
            b"type" => self.kind = Some(member.start),
            b"coordinates" => self.coordinates = Some(member.start),
            b"geometry" => self.geometry = Some(member.start),
            b"geometries" => self.geometries = Some(member.start),
            b"features" => self.features = Some(member.start),
            _ => {
                if name == &b"properties"[..] {
                    self.properties.get_or_insert(member.start);
                }
                if !self.others.is_empty() {
                    self.others.push(b',');
                }
                self.others.extend_from_slice(member.name.raw);
                self.others.push(b':');
                minify(&mut self.others, document.slice(member.start, member.end).raw);
            }
        }
    }

    fn members(&mut self) -> Option<Box<[u8]>> {
        let others = std::mem::take(&mut self.others);
        (!others.is_empty()).then(|| others.into())
    }
}

struct Parser<'a> {
    document: &'a Document<'a>,
    options: ParseOptions,
}

impl Parser<'_> {
    fn geometry(&self, object: Object) -> Result<Geometry> {
        let type_name = self.type_name(&object)?;
        match &type_name[..] {
            b"Point" => self.point(object),
            b"LineString" => self.line(object),
            b"Polygon" => self.polygon(object),
            b"MultiPoint" => self.multi(object, CollectionKind::MultiPoint, Self::position),
            b"MultiLineString" => {
                self.multi(object, CollectionKind::MultiLineString, Self::line_of_many)
            }
            b"MultiPolygon" => {
                self.multi(object, CollectionKind::MultiPolygon, Self::polygon_coordinates)
            }
            b"GeometryCollection" => {
                let start = object.geometries.ok_or(GeometryError::MissingGeometries)?;
                let error = GeometryError::InvalidGeometries;
                self.collection(object, CollectionKind::GeometryCollection, start, error)
            }
            b"FeatureCollection" => {
                let start = object.features.ok_or(GeometryError::MissingFeatures)?;
                let error = GeometryError::InvalidFeatures;
                self.collection(object, CollectionKind::FeatureCollection, start, error)
            }
            b"Feature" => self.feature(object),
            _ => Err(GeometryError::UnknownType(type_name.into_owned())),
        }
    }

    fn type_name(&self, object: &Object) -> Result<Cow<'_, [u8]>> {
        let start = object.kind.ok_or(GeometryError::MissingType)?;
        if self.document.kind(start) != Kind::String {
            return Err(GeometryError::InvalidType);
        }
        Ok(self.document.value(start).string())
    }

    /// Where the coordinates start, if they are an array.
    fn coordinates(&self, object: &Object) -> Result<usize> {
        let start = object.coordinates.ok_or(GeometryError::MissingCoordinates)?;
        if self.document.kind(start) != Kind::Array {
            return Err(GeometryError::InvalidCoordinates);
        }
        Ok(start)
    }

    fn point(&self, mut object: Object) -> Result<Geometry> {
        let start = self.coordinates(&object)?;
        let (ordinates, _) = positions::position(self.document, start, positions::POINT)?;
        self.check(&[ordinates.point()], GeometryError::InvalidCoordinates)?;
        let (point, extra) = (ordinates.point(), ordinates.extra());
        Ok(Geometry::Point(Position { point, extra, members: object.members() }))
    }

    fn line(&self, mut object: Object) -> Result<Geometry> {
        let start = self.coordinates(&object)?;
        let (line, _) = positions::line(self.document, start)?;
        // Tile38 has another word for a bad LineString than for all the rest.
        self.check(line.series.points(), GeometryError::InvalidData)?;
        Ok(Geometry::Line(Line { members: object.members(), ..line }))
    }

    fn polygon(&self, mut object: Object) -> Result<Geometry> {
        let start = self.coordinates(&object)?;
        let (mut geometry, _) = self.polygon_coordinates(start)?;
        if let Geometry::Polygon(polygon) = &mut geometry {
            polygon.members = object.members();
        }
        Ok(geometry)
    }

    fn polygon_coordinates(&self, start: usize) -> Result<(Geometry, usize)> {
        let (polygon, end) = positions::polygon(self.document, start)?;
        for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
            self.check(ring.points(), GeometryError::InvalidCoordinates)?;
        }
        Ok((Geometry::Polygon(polygon), end))
    }

    fn line_of_many(&self, start: usize) -> Result<(Geometry, usize)> {
        let (line, end) = positions::line(self.document, start)?;
        self.check(line.series.points(), GeometryError::InvalidCoordinates)?;
        Ok((Geometry::Line(line), end))
    }

    /// A point of a `MultiPoint`, which Tile38 never checks for its range.
    fn position(&self, start: usize) -> Result<(Geometry, usize)> {
        let (ordinates, end) = positions::position(self.document, start, positions::MULTI_POINT)?;
        let (point, extra) = (ordinates.point(), ordinates.extra());
        Ok((Geometry::Point(Position { point, extra, members: None }), end))
    }

    fn multi(
        &self,
        mut object: Object,
        kind: CollectionKind,
        read_child: impl Fn(&Self, usize) -> Result<(Geometry, usize)>,
    ) -> Result<Geometry> {
        let start = self.coordinates(&object)?;
        let children = self.children(start, |child| read_child(self, child))?;
        Ok(Geometry::Collection(Collection::new(kind, children, object.members())))
    }

    fn collection(
        &self,
        mut object: Object,
        kind: CollectionKind,
        start: usize,
        error: GeometryError,
    ) -> Result<Geometry> {
        if self.document.kind(start) != Kind::Array {
            return Err(error);
        }
        let children = self.children(start, |child| {
            let object = Object::read(self.document, child)?;
            let end = object.end;
            Ok((self.geometry(object)?, end))
        })?;
        Ok(Geometry::Collection(Collection::new(kind, children, object.members())))
    }

    /// Reads each element of an array; the reader returns where its element ended.
    fn children(
        &self,
        array: usize,
        read_child: impl Fn(usize) -> Result<(Geometry, usize)>,
    ) -> Result<Vec<Geometry>> {
        let mut children = Vec::new();
        let mut next = self.document.first(array);
        while let Some(start) = next {
            let (child, end) = read_child(start)?;
            children.push(child);
            next = self.document.next(end);
        }
        Ok(children)
    }

    fn feature(&self, mut object: Object) -> Result<Geometry> {
        let start = object.geometry.ok_or(GeometryError::MissingGeometry)?;
        let child = Object::read(self.document, start)?;
        if let Some(properties) = self.circle_properties(&object) {
            if *self.type_name(&child)? == b"Point"[..] {
                return self.circle(child, properties);
            }
        }
        let geometry = self.geometry(child)?;
        Ok(Geometry::Feature(Box::new(Feature { geometry, members: object.members() })))
    }

    /// The properties if they make a Circle of a Feature that holds a Point.
    fn circle_properties(&self, object: &Object) -> Option<usize> {
        let properties = object.properties?;
        let kind = self.document.first_member(properties, b"type")?;
        (kind.kind() == Kind::String && *kind.string() == b"Circle"[..]).then_some(properties)
    }

    /// Circles aren't checked for their range; all but centre and radius is dropped.
    fn circle(&self, child: Object, properties: usize) -> Result<Geometry> {
        let unchecked = Parser { document: self.document, options: ParseOptions::default() };
        let center = unchecked.point(child)?.center();
        let member = |name: &[u8]| self.document.first_member(properties, name);
        let radius = member(b"radius").map_or(0.0, |value| radius(&value));
        let units = member(b"radius_units").filter(|value| value.kind() != Kind::Null);
        let scale = match units.as_ref().map(Value::string).as_deref() {
            None | Some(b"" | b"m") => 1.0,
            Some(b"km") => 1000.0,
            Some(_) => return Err(GeometryError::InvalidRadiusUnits),
        };
        // What isn't finite is printed as null, which reads as 0.
        let meters = (radius * scale).clamp(f64::MIN, f64::MAX);
        Ok(Geometry::Circle(Circle::new(center, meters)))
    }

    fn check(&self, points: &[Point], error: GeometryError) -> Result<()> {
        let is_valid = |p: &Point| p.x.abs() <= 180.0 && p.y.abs() <= 90.0; // false for NaN
        if self.options.require_valid && !points.iter().all(is_valid) {
            return Err(error);
        }
        Ok(())
    }
}

/// A number, or a string that reads as one; 0 for anything else.
fn radius(value: &Value<'_>) -> f64 {
    match value.kind() {
        Kind::Number => value.number().unwrap_or(0.0),
        Kind::String => parse_float(&value.string()).unwrap_or(0.0),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, require_valid: bool) -> String {
        match Geometry::parse(text.as_bytes(), ParseOptions { require_valid }) {
            Ok(_) => "ok".to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_object_or_no_json_is_invalid_data() {
        for text in [
            "",
            "nope",
            "[]",
            "null",
            "\"Point\"",
            "POINT (1 2)",
            "\u{feff}{}",
            "{",
            "{\"a\":01}",
            "{\"type\":\"Point\",\"coordinates\":[1,2]}}",
            "{\"type\":\"Point\",\"coordinates\":[1,2]} x",
            "{\"type\":\"Point\",\"coordinates\":[1,2]",
        ] {
            assert_eq!(error(text, false), "invalid data", "{text}");
        }
    }

    #[test]
    fn the_first_failing_check_names_the_error() {
        for (members, expected) in [
            ("", "missing type"),
            (r#""coordinates":[1,2]"#, "missing type"),
            (r#""type":5"#, "invalid type"),
            (r#""type":null"#, "invalid type"),
            (r#""type":"point","coordinates":5"#, "type 'point' is unknown"),
            (r#""type":"a\"b""#, "type 'a\"b' is unknown"),
            (r#""type":"Point""#, "missing coordinates"),
            (r#""type":"Point","coordinates":null"#, "invalid coordinates"),
            (r#""type":"Point","coordinates":{"x":1,"y":2}"#, "invalid coordinates"),
            (r#""type":"Point","coordinates":[1]"#, "invalid coordinates"),
            (r#""type":"Point","coordinates":["1","2"]"#, "invalid coordinates"),
            (r#""type":"Point","coordinates":[1,2,"x"]"#, "invalid coordinates"),
            (r#""type":"LineString","coordinates":[[1,2]]"#, "invalid coordinates"),
            (r#""type":"LineString","coordinates":[[1,2],[3]]"#, "invalid coordinates"),
            (r#""type":"LineString","coordinates":[[1,2],{"a":3,"b":4}]"#, "invalid coordinates"),
            (r#""type":"LineString","coordinates":[[1,2],[3,null]]"#, "invalid coordinates"),
            (r#""type":"LineString","coordinates":[[0,0],[1,1,5]]"#, "invalid coordinates"),
            (r#""type":"Polygon","coordinates":[]"#, "invalid coordinates"),
            (r#""type":"Polygon","coordinates":[[]]"#, "invalid coordinates"),
            (r#""type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]"#, "invalid coordinates"),
            (
                r#""type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]"#,
                "invalid coordinates",
            ),
            (r#""type":"MultiPoint","coordinates":[1,2]"#, "invalid coordinates"),
            (r#""type":"MultiLineString","coordinates":[[[1,2]]]"#, "invalid coordinates"),
            (r#""type":"GeometryCollection""#, "missing geometries"),
            (r#""type":"GeometryCollection","geometries":5"#, "invalid geometries"),
            (r#""type":"GeometryCollection","geometries":[5]"#, "invalid data"),
            (
                r#""type":"GeometryCollection","geometries":[{"type":"Point"}]"#,
                "missing coordinates",
            ),
            (r#""type":"FeatureCollection""#, "missing features"),
            (r#""type":"FeatureCollection","features":{}"#, "invalid features"),
            (r#""type":"FeatureCollection","features":[{"type":"Feature"}]"#, "missing geometry"),
            (r#""type":"Feature","geometry":null"#, "invalid data"),
        ] {
            assert_eq!(error(&format!("{{{members}}}"), false), expected, "{members}");
        }
    }

    #[test]
    fn an_unknown_type_keeps_its_bytes() {
        let error = Geometry::parse(b"{\"type\":\"\xff\"}", ParseOptions::default()).unwrap_err();
        assert_eq!(error.message(), b"type '\xff' is unknown");
    }

    fn feature_of_point(coordinates: &str, properties: &str) -> String {
        let point = format!(r#"{{"type":"Point","coordinates":[{coordinates}]}}"#);
        format!(r#"{{"type":"Feature","geometry":{point},"properties":{{{properties}}}}}"#)
    }

    #[test]
    fn circles_are_recognised_by_their_properties() {
        let circle = |more: &str| {
            let text = feature_of_point("-112,33,7", &format!(r#""type":"Circle"{more}"#));
            Geometry::parse(text.as_bytes(), ParseOptions::default())
        };
        for (properties, meters) in [
            ("", 0.0),
            (r#","radius":1.5,"radius_units":"km""#, 1500.0),
            (r#","radius":"250","radius_units":"""#, 250.0),
            (r#","radius":-1,"name":"lost""#, -1.0),
            (r#","radius":[1]"#, 0.0),
            (r#","radius":1e400"#, f64::MAX),
            (r#","radius":1e306,"radius_units":"km""#, f64::MAX),
        ] {
            let Ok(Geometry::Circle(circle)) = circle(properties) else { panic!("{properties}") };
            assert_eq!((circle.center, circle.meters), (Point::new(-112.0, 33.0), meters));
        }
        assert_eq!(circle(r#","radius_units":"mi""#), Err(GeometryError::InvalidRadiusUnits));
    }

    #[test]
    fn require_valid_checks_all_but_multipoints_and_circles() {
        let feature = |kind: &str| feature_of_point("181,1", &format!(r#""type":"{kind}""#));
        for (text, expected) in [
            (r#"{"type":"Point","coordinates":[180,-90]}"#, "ok"),
            (r#"{"type":"Point","coordinates":[1,91]}"#, "invalid coordinates"),
            (r#"{"type":"Point","coordinates":[1,null]}"#, "invalid coordinates"),
            (r#"{"type":"LineString","coordinates":[[1,91],[1,1]]}"#, "invalid data"),
            (r#"{"type":"MultiLineString","coordinates":[[[1,91],[1,1]]]}"#, "invalid coordinates"),
            (r#"{"type":"MultiPoint","coordinates":[[1,91],[1,1]]}"#, "ok"),
            (&feature("circle"), "invalid coordinates"),
            (&feature("Circle"), "ok"),
        ] {
            assert_eq!(error(text, true), expected, "{text}");
            assert_eq!(error(text, false), "ok", "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_or_read_but_never_overflows() {
        let nested = |depth: usize| {
            let open = r#"{"type":"Feature","geometry":"#.repeat(depth);
            format!("{open}{{\"type\":\"Point\",\"coordinates\":[1,2]}}{}", "}".repeat(depth))
        };
        assert_eq!(error(&nested(crate::json::DEPTH_MAX - 2), false), "ok");
        assert_eq!(error(&nested(100_000), false), "invalid data");
    }
}
