//! Queries in paths: `#(path operator value)`.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::read::{Part, Reader};
use super::walk::{content_of, group_end, is_blank, kind_of, string_end};
use super::{number_of, Found};
use crate::json::Kind;
use crate::number::compare_integers;

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

/// The conditions of `~true`, `~false`, `~null` and `~*`.
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
    /// Parses the text between the parentheses; never fails.
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

    /// Returns whether the query holds for an element.
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
            Kind::Number => self.is_ordered(compare_numbers(raw, &self.value)),
            // A boolean is compared with the words `true` and `false`; other values equal neither.
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

    /// Returns whether an order satisfies the operator; `None`, for values without an order,
    /// satisfies only `!=`.
    fn is_ordered(&self, ordering: Option<Ordering>) -> bool {
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

/// Orders integers by their digits, other numbers as doubles; a text that isn't a number counts as
/// 0.
fn compare_numbers(left: &[u8], right: &[u8]) -> Option<Ordering> {
    compare_integers(left, right).or_else(|| number_of(left).partial_cmp(&number_of(right)))
}

/// Returns whether a found value, or its absence, has the required truth.
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

/// Returns the position of the operator; nested queries and strings are skipped.
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

#[cfg(test)]
mod tests {
    use crate::json::path::get;

    #[test]
    fn integers_beyond_2_to_53_are_told_apart() {
        let text = br#"[{"id":8301034833169298414,"n":1},{"id":8301034833169298415,"n":2}]"#;
        let found = |query: &str| {
            let found = get(text, format!("#({query})#.n").as_bytes())?;
            Some(String::from_utf8_lossy(&found.raw).into_owned())
        };
        assert_eq!(found("id==8301034833169298415").as_deref(), Some("[2]"));
        assert_eq!(found("id<8301034833169298415").as_deref(), Some("[1]"));
        assert_eq!(found("id>=8301034833169298414").as_deref(), Some("[1,2]"));
        assert_eq!(found("id==8.301034833169298415e18").as_deref(), Some("[1,2]"));
        assert_eq!(found("n==1.0").as_deref(), Some("[1]"));
    }
}
