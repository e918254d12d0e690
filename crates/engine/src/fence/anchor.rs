//! The anchor of a fence that moves: the one stored object that its area follows.

use triomphe::Arc;

use super::movement::Movement;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::geometry::{buffer, predicates, Circle, Geometry, Point};
use crate::object::{Object, Shape};
use crate::query::area::{self, take_radius};
use crate::query::options::Verb;

/// The most vertices of an object that BUFFER widens at each of its writes. A larger one has no
/// area.
const BUFFERED_VERTICES_MAX: usize = 1_000;

/// The words `GET key id FOLLOWING`, or NEARBY's `OBJECT key id [meters]`.
pub struct Anchor {
    /// The id of the object.
    pub id: Box<[u8]>,
    extent: Extent,
}

/// How the area derives from the object.
enum Extent {
    /// The object's shape, wider by so many metres.
    Shape { buffer: f64 },
    /// The circle around the object's centre.
    Circle { meters: f64 },
}

impl Anchor {
    /// Reads `GET key id FOLLOWING`, if these are the next words. Returns the key and the anchor.
    pub fn take_following<'a>(
        words: &mut Words<'a>,
        buffer: Option<f64>,
    ) -> Result<Option<(&'a [u8], Self)>> {
        let is_word = |at: usize, name: &[u8]| {
            words.peek_at(at).is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        if !is_word(0, b"GET") || !is_word(3, b"FOLLOWING") {
            return Ok(None);
        }
        words.advance(1);
        let (key, id) = (words.next_filled()?, words.next_filled()?);
        words.advance(1);
        if words.left() > 0 {
            return Err(Error::text("CLIPBY is not allowed for FOLLOWING"));
        }
        let extent = Extent::Shape { buffer: buffer.unwrap_or(0.0) };
        Ok(Some((key, Anchor { id: id.into(), extent })))
    }

    /// Reads `key id [meters]` behind OBJECT.
    pub fn parse_circle<'a>(words: &mut Words<'a>) -> Result<(&'a [u8], Self)> {
        let (key, id) = (words.next_filled()?, words.next_filled()?);
        let meters = if words.left() > 0 { take_radius(words)? } else { 0.0 };
        if words.left() > 0 {
            return Err(Error::WrongArity);
        }
        Ok((key, Anchor { id: id.into(), extent: Extent::Circle { meters } }))
    }

    /// Returns the area around the object; `None` for a string, and for a place that no box holds.
    pub fn area_around(&self, object: &Object) -> Option<Arc<Geometry>> {
        if !object.is_indexed() {
            return None;
        }
        let area = match &self.extent {
            Extent::Circle { meters } => {
                Arc::new(Geometry::Circle(Circle::new(object.center(), *meters)))
            }
            Extent::Shape { buffer } => {
                let shape = match object.shape() {
                    Shape::Point(point) => Arc::new(Geometry::simple_point(*point)),
                    Shape::Geometry(geometry) => Arc::clone(geometry),
                    Shape::String => return None,
                };
                match *buffer {
                    0.0 => shape,
                    _ if shape.num_points() > BUFFERED_VERTICES_MAX => return None,
                    meters => Arc::new(buffer::buffer(&shape, meters).ok()?),
                }
            }
        };
        let bounds = area.bounds();
        let corners = [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y];
        (corners.iter().all(|side| side.is_finite()) && bounds.is_ordered()).then_some(area)
    }
}

/// Returns whether a search with this area would find the object.
pub fn is_in(verb: Verb, area: Option<&Geometry>, object: &Object) -> bool {
    area.is_some_and(|area| object.is_indexed() && area::hits(verb, area, object))
}

/// Returns whether a movement intersects the area.
pub fn is_crossed(area: Option<&Geometry>, from: Point, to: Point) -> bool {
    let lines = Movement::new(from, to).as_geometries();
    area.is_some_and(|area| lines.iter().any(|line| predicates::intersects(line, area)))
}
