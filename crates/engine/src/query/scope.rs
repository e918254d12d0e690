//! The scope of an expression: the object whose members, fields and id its names refer to.

use std::borrow::Cow;

use super::expression::{FieldValue, Scope};
use crate::field::{Fields, Kind, Names};
use crate::geometry::Geometry;
use crate::json;
use crate::number::is_large_integer;
use crate::object::{Object, Shape};

/// An object with the names of its fields.
pub struct ObjectScope<'a> {
    /// The names of all fields.
    pub names: &'a Names,
    /// The object.
    pub object: &'a Object,
}

impl Scope for ObjectScope<'_> {
    fn member(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        member(self.object, name).map(Cow::Borrowed)
    }

    fn id(&self) -> &[u8] {
        self.object.id()
    }

    fn type_name(&self) -> Option<&'static str> {
        match self.object.shape() {
            Shape::Point(_) => Some("Point"),
            Shape::Geometry(geometry) => Some(geometry.type_name()),
            Shape::String => None,
        }
    }

    fn field(&self, name: &[u8]) -> Option<FieldValue<'_>> {
        let serial = self.names.serial(name)?;
        find(self.object.fields(), serial)
    }
}

fn find(fields: Fields<'_>, serial: u32) -> Option<FieldValue<'_>> {
    let (kind, text, number) = fields.get_raw(serial)?;
    Some(match kind {
        Kind::Null => FieldValue::Null,
        Kind::False => FieldValue::Bool(false),
        Kind::True => FieldValue::Bool(true),
        Kind::Number if is_large_integer(number, text) => FieldValue::Integer(text),
        Kind::Number => FieldValue::Number(number),
        Kind::String => FieldValue::Text(text),
        Kind::Json => FieldValue::Json(text),
    })
}

/// Returns the text of a member of the object's GeoJSON besides type and geometry.
pub fn member<'a>(object: &'a Object, name: &[u8]) -> Option<&'a [u8]> {
    let found = object.members().and_then(|members| json::last_member(members, name));
    // A Feature without properties prints empty ones, so expressions can read these.
    let is_feature = matches!(object.geometry(), Some(Geometry::Feature(_)));
    found.map(|value| value.raw).or((is_feature && name == b"properties").then_some(&b"{}"[..]))
}
