//! Reading and writing JSON text by path, in place: no tree is built, and what a path doesn't
//! touch stays as it was, byte by byte. The text may be anything, since stored strings are never
//! validated.

pub mod glob;

mod build;
mod encode;
mod modifier;
mod pretty;
mod query;
mod read;
mod set;
mod walk;

use std::borrow::Cow;
use std::ops::Range;

pub use encode::{encode_value, ValueMode};
pub use set::{delete, set, PathError, ARRAY_PADDING_COUNT_MAX, PATH_PARTS_MAX};

use super::{Kind, Value};
use crate::number::write_float;

/// What a path finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'t> {
    /// The JSON text of the value. Text of an array or object may be broken JSON.
    pub raw: Cow<'t, [u8]>,
    /// What the value is.
    pub kind: Kind,
    /// Where in the document it stands.
    pub places: Places,
}

/// Where in a document a found value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// Nowhere: it is computed.
    Computed,
    /// It is one slice of the document.
    One(Range<usize>),
    /// It is an array made of these slices.
    Many(Vec<Range<usize>>),
}

/// The value at a path; `None` if there is none, or if finding it would take too much.
pub fn get<'t>(text: &'t [u8], path: &[u8]) -> Option<Found<'t>> {
    read::Reader::default().get(text, path)
}

/// The value of the text as a whole. An array or object is all the text from where it begins,
/// unchecked; what begins otherwise has to be valid JSON.
pub fn document(text: &[u8]) -> Option<Found<'_>> {
    let start = walk::skip(text, 0, b' ');
    let raw = match text.get(start)? {
        b'{' | b'[' => &text[start..],
        _ => Value::parse(text)?.raw,
    };
    let kind = walk::kind_of(raw)?;
    Some(Found { raw: Cow::Borrowed(raw), kind, places: Places::One(start..start + raw.len()) })
}

impl<'t> Found<'t> {
    /// The value as JGET shows it: the content of a string, nothing for null, numbers without
    /// exponent and needless zeros, anything else as it is written.
    pub fn plain(self) -> Cow<'t, [u8]> {
        match self.kind {
            Kind::Null => Cow::Borrowed(b""),
            Kind::Number => plain_number(self.raw),
            Kind::String => match self.raw {
                Cow::Borrowed(raw) => walk::content_of(raw),
                Cow::Owned(raw) => Cow::Owned(walk::content_of(&raw).into_owned()),
            },
            Kind::False | Kind::True | Kind::Array | Kind::Object => self.raw,
        }
    }
}

fn plain_number(raw: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let digits = raw.strip_prefix(b"-").unwrap_or(&raw);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return raw;
    }
    let mut out = Vec::new();
    write_float(&mut out, number_of(&raw));
    Cow::Owned(out)
}

/// The value of a number; what isn't well-formed counts as 0.
fn number_of(raw: &[u8]) -> f64 {
    fast_float2::parse(raw).unwrap_or(0.0)
}
