//! A stored object: id, fields, deadline and shape in a single allocation behind a thin pointer.
//! Objects are immutable; a change makes a new one.

use triomphe::{Arc, ThinArc};

use crate::field::Fields;
use crate::geometry::distance::Origin;
use crate::geometry::{Geometry, Point, Rect};
use crate::index::{prefetch, Item, Keyed};

/// The deadline of an object that never expires.
pub const NEVER: i64 = i64::MAX;

/// Bytes of an object to prefetch; covers most objects.
const PREFETCHED_BYTES: usize = 96;
/// Bytes of a shape's positions to prefetch, at most; covers most roads.
const PREFETCHED_POSITIONS_BYTES: usize = 256;

/// The shape of an object. Geometries other than simple points are shared, so that changing fields
/// doesn't copy a polygon.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A simple point.
    Point(Point),
    /// Any other geometry.
    Geometry(Arc<Geometry>),
    /// A string, which is the object's text.
    String,
}

/// The flag in `fields_length` of an object that ends in an event time.
const HAS_EVENT_TIME: u32 = 1 << 31;
/// Bytes of an event time.
const EVENT_TIME_BYTES: usize = size_of::<i64>();

struct Header {
    shape: Shape,
    deadline: i64,
    id_length: u32,
    /// With [`HAS_EVENT_TIME`].
    fields_length: u32,
}

impl Header {
    fn fields_length(&self) -> usize {
        (self.fields_length & !HAS_EVENT_TIME) as usize
    }

    fn has_event_time(&self) -> bool {
        self.fields_length & HAS_EVENT_TIME != 0
    }
}

/// A stored object. Cloning increments a reference count.
#[derive(Clone)]
pub struct Object(ThinArc<Header, u8>);

impl Shape {
    /// Returns the shape of a geometry. A simple point needs no allocation.
    pub fn of_geometry(geometry: Geometry) -> Self {
        match geometry.as_simple_point() {
            Some(point) => Shape::Point(point),
            None => Shape::Geometry(Arc::new(geometry)),
        }
    }

    /// Returns whether it is a geometry. Unlike in Tile38 a Circle is one.
    pub fn is_spatial(&self) -> bool {
        !matches!(self, Shape::String)
    }
}

impl Object {
    /// Returns an object. `text` is the content of a string.
    pub fn new(id: &[u8], shape: Shape, text: &[u8], fields: &[u8], deadline: i64) -> Self {
        let header = Header {
            shape,
            deadline,
            id_length: id.len() as u32,
            fields_length: fields.len() as u32,
        };
        let mut small = [0_u8; 128];
        let length = id.len() + fields.len() + text.len();
        if let Some(room) = small.get_mut(..length) {
            room[..id.len()].copy_from_slice(id);
            room[id.len()..id.len() + fields.len()].copy_from_slice(fields);
            room[id.len() + fields.len()..].copy_from_slice(text);
            return Object(ThinArc::from_header_and_slice(header, room));
        }
        Object(ThinArc::from_header_and_slice(header, &[id, fields, text].concat()))
    }

    /// Returns the same object with other fields.
    #[must_use]
    pub fn with_fields(&self, fields: &[u8]) -> Self {
        Object::new(self.id(), self.shape().clone(), self.text(), fields, self.deadline())
            .with_event_time(self.event_time())
    }

    /// Returns the same object with another deadline.
    #[must_use]
    pub fn with_deadline(&self, deadline: i64) -> Self {
        let fields = self.fields().block();
        Object::new(self.id(), self.shape().clone(), self.text(), fields, deadline)
            .with_event_time(self.event_time())
    }

    /// Returns the same object with an event time, in nanoseconds since 1970; itself without one.
    #[must_use]
    pub fn with_event_time(self, event_ns: Option<i64>) -> Self {
        let Some(event_ns) = event_ns else { return self };
        let Header { deadline, id_length, fields_length, .. } = self.0.header.header;
        let shape = self.shape().clone();
        let fields_length = fields_length | HAS_EVENT_TIME;
        let length = self.0.slice.len() - self.event_time().map_or(0, |_| EVENT_TIME_BYTES);
        let bytes = [&self.0.slice[..length], &event_ns.to_le_bytes()].concat();
        let header = Header { shape, deadline, id_length, fields_length };
        Object(ThinArc::from_header_and_slice(header, &bytes))
    }

    /// Returns the time at which the object was where it is, as SET was told with AT, in
    /// nanoseconds since 1970.
    pub fn event_time(&self) -> Option<i64> {
        if !self.0.header.header.has_event_time() {
            return None;
        }
        self.0.slice.last_chunk().map(|bytes| i64::from_le_bytes(*bytes))
    }

    /// Begins to fetch the object into the cache.
    pub fn prefetch(&self) {
        prefetch(self.0.as_ptr(), PREFETCHED_BYTES);
    }

    /// Returns the id.
    pub fn id(&self) -> &[u8] {
        &self.0.slice[..self.0.header.header.id_length as usize]
    }

    /// Returns the fields.
    pub fn fields(&self) -> Fields<'_> {
        let header = &self.0.header.header;
        let start = header.id_length as usize;
        Fields::new(&self.0.slice[start..start + header.fields_length()])
    }

    /// Returns a string's content; empty for the others.
    pub fn text(&self) -> &[u8] {
        let header = &self.0.header.header;
        let start = header.id_length as usize + header.fields_length();
        let end = if header.has_event_time() { EVENT_TIME_BYTES } else { 0 };
        &self.0.slice[start..self.0.slice.len() - end]
    }

    /// Returns the time at which the object expires, in nanoseconds since 1970, or [`NEVER`].
    pub fn deadline(&self) -> i64 {
        self.0.header.header.deadline
    }

    /// Returns the shape.
    pub fn shape(&self) -> &Shape {
        &self.0.header.header.shape
    }

    /// Returns the geometry; `None` for simple points and strings.
    pub fn geometry(&self) -> Option<&Geometry> {
        match self.shape() {
            Shape::Geometry(geometry) => Some(geometry),
            _ => None,
        }
    }

    /// Returns whether searches by area can find the object, unless its geometry is empty.
    pub fn is_spatial(&self) -> bool {
        self.shape().is_spatial()
    }

    /// Returns whether the spatial index contains the object.
    pub fn is_indexed(&self) -> bool {
        match self.shape() {
            Shape::Point(point) => !(point.x.is_nan() && point.y.is_nan()),
            Shape::Geometry(geometry) => !geometry.is_empty(),
            Shape::String => false,
        }
    }

    /// Returns the bounding box; all zeros for strings.
    pub fn bounds(&self) -> Rect {
        match self.shape() {
            Shape::Point(point) => Rect::new(*point, *point),
            Shape::Geometry(geometry) => geometry.bounds(),
            Shape::String => Rect::default(),
        }
    }

    /// Returns the box of an object that fills it: see [`Geometry::filled_box`].
    pub fn filled_box(&self) -> Option<Rect> {
        match self.shape() {
            Shape::Point(point) => {
                let bounds = Rect::new(*point, *point);
                bounds.has_plain_distance().then_some(bounds)
            }
            Shape::Geometry(geometry) => geometry.filled_box(),
            Shape::String => None,
        }
    }

    /// Returns the centre of the object; zeros for strings.
    pub fn center(&self) -> Point {
        match self.shape() {
            Shape::Point(point) => *point,
            Shape::Geometry(geometry) => geometry.center(),
            Shape::String => Point::default(),
        }
    }

    /// Returns the distance in metres, see [`Origin::to_geometry`]; infinite for strings.
    pub fn distance_from(&self, origin: &Origin, meters_max: f64) -> f64 {
        match self.shape() {
            Shape::Point(point) => origin.to_point(*point),
            Shape::Geometry(geometry) => origin.to_geometry(geometry, meters_max),
            Shape::String => f64::INFINITY,
        }
    }

    /// Returns the third ordinate, 0 if there is none.
    pub fn z(&self) -> f64 {
        self.geometry().map_or(0.0, Geometry::z)
    }

    /// Returns whether a geometry of so many points or more is freed together with the object.
    pub fn has_own_shape(&self, points_min: usize) -> bool {
        match self.shape() {
            Shape::Geometry(geometry) => {
                Arc::is_unique(geometry) && geometry.num_points() >= points_min
            }
            _ => false,
        }
    }

    /// Returns the number of positions that STATS counts.
    pub fn num_points(&self) -> usize {
        match self.shape() {
            Shape::Point(_) => 1,
            Shape::Geometry(geometry) => geometry.num_points(),
            Shape::String => 0,
        }
    }

    /// Returns the number of bytes that STATS counts.
    pub fn weight(&self) -> usize {
        let shape = if self.is_spatial() { 16 * self.num_points() } else { self.text().len() };
        self.id().len() + shape + self.fields().weight()
    }

    /// Appends the GeoJSON of a geometry, or the content of a string.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        match self.shape() {
            Shape::Point(point) => write_point(out, *point),
            Shape::Geometry(geometry) => geometry.write_json(out),
            Shape::String => out.extend_from_slice(self.text()),
        }
    }

    /// Returns the members of the GeoJSON besides type and geometry, without braces.
    pub fn members(&self) -> Option<&[u8]> {
        self.geometry().and_then(Geometry::members)
    }
}

fn write_point(out: &mut Vec<u8>, point: Point) {
    out.extend_from_slice(b"{\"type\":\"Point\",\"coordinates\":[");
    crate::number::write_ordinate(out, point.x);
    out.push(b',');
    crate::number::write_ordinate(out, point.y);
    out.extend_from_slice(b"]}");
}

impl Item for Object {
    fn identity(&self) -> usize {
        self.0.as_ptr() as usize
    }

    fn is_point(&self) -> bool {
        matches!(self.shape(), Shape::Point(point) if !(point.x.is_nan() || point.y.is_nan()))
    }

    fn prefetch(&self) {
        Object::prefetch(self);
    }

    fn prefetch_shape(&self) {
        if let Shape::Geometry(geometry) = self.shape() {
            prefetch(Arc::as_ptr(geometry).cast(), size_of::<Geometry>());
        }
    }

    fn prefetch_positions(&self) {
        if let Some(positions) = self.geometry().and_then(Geometry::outline) {
            let bytes = size_of_val(positions).min(PREFETCHED_POSITIONS_BYTES);
            prefetch(positions.as_ptr().cast(), bytes);
        }
    }
}

impl Keyed for Object {
    fn key(&self) -> &[u8] {
        self.id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_time_stays_with_its_object() {
        let object = Object::new(b"id", Shape::String, b"text", b"fields", 7);
        assert_eq!(object.event_time(), None);
        let timed = object.with_event_time(Some(-5)).with_event_time(Some(42));
        for object in [timed.with_deadline(9), timed.with_fields(b"fields"), timed.clone()] {
            assert_eq!((object.id(), object.text()), (&b"id"[..], &b"text"[..]));
            assert_eq!((object.fields().block(), object.event_time()), (&b"fields"[..], Some(42)));
        }
        assert_eq!(timed.with_event_time(None).event_time(), Some(42));
    }
}
