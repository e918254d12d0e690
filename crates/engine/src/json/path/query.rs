//! Queries: `#(path operator value)`.

use std::borrow::Cow;

use super::read::{Part, Reader};
use super::walk::{content_of, group_end, is_blank, kind_of, string_end};
use super::{number_of, Found};
use crate::json::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Like,
    NotLike,
}

/// What the value of `~true` and its kin asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Null,
    Existing,
}

/// A condition on an element of an array.
#[derive(Debug)]
pub struct Query<'p> {
    path: &'p [u8],
    operator: Operator,
    value: Cow<'p, [u8]>,
    truth: Option<Truth>,
}

impl<'p> Query<'p> {
    /// Parses what stands between the parentheses; nothing is an error.
    pub fn parse(text: &'p [u8]) -> Self {
        let start = operator_start(text);
        let (operator, length) = operator_at(&text[start..]);
        let value = trim(&text[start + length..]);
        let truth = match value {
            b"~true" => Some(Truth::True),
            b"~false" => Some(Truth::False),
            b"~null" => Some(Truth::Null),
            b"~*" => Some(Truth::Existing),
            _ => None,
        };
        let value = match value.first() {
            Some(b'"') => content_of(&value[..string_end(value, 0).unwrap_or(value.len())]),
            _ => Cow::Borrowed(value),
        };
        Self { path: trim(&text[..start]), operator, value, truth }
    }

    /// Whether the query holds for an element.
    pub fn holds(&self, reader: &mut Reader, element: Part) -> bool {
        let found = if self.path.is_empty() {
            kind_of(element.raw).map(|kind| (Cow::Borrowed(element.raw), kind))
        } else if matches!(element.raw.first(), Some(b'{' | b'[')) {
            reader.find(element, self.path).map(|Found { raw, kind, .. }| (raw, kind))
        } else {
            return false;
        };
        match (self.truth, found) {
            (Some(truth), found) => {
                let kind = found.as_ref().map(|(_, kind)| *kind);
                let raw = found.as_ref().map_or(&b""[..], |(raw, _)| raw);
                self.compare_truth(is_true(truth, kind, raw))
            }
            (None, None) => false,
            (None, Some(_)) if self.operator == Operator::Exists => true,
            (None, Some((raw, kind))) => self.compare(reader, &raw, kind),
        }
    }

    fn compare_truth(&self, is_true: bool) -> bool {
        match self.operator {
            Operator::NotEqual | Operator::Less => !is_true,
            Operator::LessEqual | Operator::Exists => true,
            Operator::Equal | Operator::GreaterEqual => is_true,
            Operator::Greater | Operator::Like | Operator::NotLike => false,
        }
    }

    fn compare(&self, reader: &mut Reader, raw: &[u8], kind: Kind) -> bool {
        match kind {
            Kind::String => {
                let content = content_of(raw);
                match self.operator {
                    Operator::Like => reader.matches_glob(&content, &self.value),
                    Operator::NotLike => !reader.matches_glob(&content, &self.value),
                    _ => self.is_ordered(Some(content.as_ref().cmp(&self.value))),
                }
            }
            Kind::Number => self.is_ordered(number_of(raw).partial_cmp(&number_of(&self.value))),
            // A boolean is compared with the words; other values are neither.
            Kind::True | Kind::False => {
                let value = match &*self.value {
                    b"true" => Some(true),
                    b"false" => Some(false),
                    _ => None,
                };
                let ordering = value.map(|value| (kind == Kind::True).cmp(&value));
                match self.operator {
                    Operator::GreaterEqual if kind == Kind::True => true,
                    Operator::LessEqual if kind == Kind::False => true,
                    _ => self.is_ordered(ordering),
                }
            }
            Kind::Null | Kind::Array | Kind::Object => false,
        }
    }

    /// `None` stands for values that can't be ordered: they are only unequal.
    fn is_ordered(&self, ordering: Option<std::cmp::Ordering>) -> bool {
        let Some(ordering) = ordering else { return self.operator == Operator::NotEqual };
        match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::LessEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterEqual => ordering.is_ge(),
            Operator::Exists | Operator::Like | Operator::NotLike => false,
        }
    }
}

/// Whether a found value, or its absence, is what is asked for.
fn is_true(truth: Truth, kind: Option<Kind>, raw: &[u8]) -> bool {
    let word = |words: [&[u8]; 3]| {
        let content = content_of(raw).to_ascii_lowercase();
        words.contains(&content.as_slice())
    };
    match (truth, kind) {
        (Truth::Existing, kind) => kind.is_some(),
        (Truth::Null, kind) => matches!(kind, None | Some(Kind::Null)),
        (Truth::True, Some(Kind::String)) => word([b"true", b"t", b"1"]),
        (Truth::True, Some(Kind::Number)) => number_of(raw).trunc() != 0.0,
        (Truth::True, kind) => kind == Some(Kind::True),
        (Truth::False, Some(Kind::String)) => word([b"false", b"f", b"0"]),
        (Truth::False, Some(Kind::Number)) => number_of(raw).trunc() == 0.0,
        (Truth::False, kind) => matches!(kind, None | Some(Kind::Null | Kind::False)),
    }
}

/// Where the operator stands; nested queries and strings are skipped.
fn operator_start(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'=' | b'<' | b'>' | b'%' => return at,
            b'!' if matches!(text.get(at + 1), Some(b'=' | b'%')) => return at,
            b'\\' => at += 2,
            b'(' | b'[' | b'{' | b'"' => at = group_end(text, at).unwrap_or(text.len()),
            _ => at += 1,
        }
    }
    text.len()
}

fn operator_at(text: &[u8]) -> (Operator, usize) {
    match text {
        [b'=', b'=', ..] => (Operator::Equal, 2),
        [b'!', b'=', ..] => (Operator::NotEqual, 2),
        [b'!', b'%', ..] => (Operator::NotLike, 2),
        [b'<', b'=', ..] => (Operator::LessEqual, 2),
        [b'>', b'=', ..] => (Operator::GreaterEqual, 2),
        [b'=', ..] => (Operator::Equal, 1),
        [b'<', ..] => (Operator::Less, 1),
        [b'>', ..] => (Operator::Greater, 1),
        [b'%', ..] => (Operator::Like, 1),
        _ => (Operator::Exists, 0),
    }
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
