//! The values of expressions, and their conversions.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::json::{Kind, Value as Json};
use crate::number::{
    compare_integers, is_large_integer, parse_float, write_float, write_int, SHARED_DOUBLE_MIN,
};

/// A value written in the expression itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Undefined,
    Null,
    Bool(bool),
    Float(f64),
    /// An integer beyond 2^53 in decimal.
    Digits(Box<[u8]>),
    Int(i64),
    Uint(u64),
    Text(Box<[u8]>),
}

/// A value while an expression is evaluated for one object.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Undefined,
    Null,
    Bool(bool),
    Float(f64),
    /// A number as [`Value::Float`], but an integer beyond 2^53 as its decimal text: comparisons
    /// with integers are exact. Arithmetic makes a [`Value::Float`] of it.
    Digits(Cow<'a, [u8]>),
    Int(i64),
    Uint(u64),
    Text(Cow<'a, [u8]>),
    /// The method `match` of a value before it is called, with that value's text.
    Function(Cow<'a, [u8]>),
    /// A JSON array or object, as text.
    Json(Cow<'a, [u8]>),
    /// The searched object.
    This,
    Array(Vec<Value<'a>>),
}

impl<'a> From<&'a Literal> for Value<'a> {
    fn from(literal: &'a Literal) -> Self {
        match literal {
            Literal::Undefined => Value::Undefined,
            Literal::Null => Value::Null,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Float(value) => Value::Float(*value),
            Literal::Digits(text) => Value::Digits(Cow::Borrowed(text)),
            Literal::Int(value) => Value::Int(*value),
            Literal::Uint(value) => Value::Uint(*value),
            Literal::Text(content) => Value::Text(Cow::Borrowed(content)),
        }
    }
}

impl<'a> Value<'a> {
    /// Returns the value of a JSON text: arrays and objects stay text, other kinds are decoded.
    pub fn from_json(raw: Cow<'a, [u8]>) -> Self {
        let kind = Json { raw: &raw }.kind();
        match kind {
            Kind::Null => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Number => {
                let number = Json { raw: &raw }.number().unwrap_or(0.0);
                if is_large_integer(number, &raw) {
                    Value::Digits(raw)
                } else {
                    Value::Float(number)
                }
            }
            Kind::Array | Kind::Object => Value::Json(raw),
            Kind::String => Value::Text(match raw {
                Cow::Borrowed(raw) => Json { raw }.string(),
                Cow::Owned(raw) => Cow::Owned(Json { raw: &raw }.string().into_owned()),
            }),
        }
    }

    /// Returns whether the value is an object, for which operators are undefined.
    pub fn is_object(&self) -> bool {
        matches!(self, Value::Json(_) | Value::This)
    }

    /// Returns the truth of the value, for `&&`, `!` and the result.
    pub fn truth(&self) -> bool {
        match self {
            Value::Undefined | Value::Null | Value::Json(_) => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Uint(value) => *value != 0,
            Value::Text(content) => !content.is_empty(),
            Value::This | Value::Function(_) | Value::Digits(_) => true,
            Value::Float(_) | Value::Array(_) => {
                let number = self.number();
                number != 0.0 && !number.is_nan()
            }
        }
    }

    /// Returns the number that arithmetic uses for the value.
    pub fn number(&self) -> f64 {
        match self {
            Value::Null => 0.0,
            Value::Bool(value) => f64::from(*value),
            Value::Float(value) => *value,
            Value::Digits(text) => Json { raw: text }.number().unwrap_or(f64::NAN),
            Value::Int(value) => *value as f64,
            Value::Uint(value) => *value as f64,
            Value::Text(content) => parse_float(content).unwrap_or(f64::NAN),
            Value::Array(_) => parse_float(&self.text()).unwrap_or(f64::NAN),
            Value::Undefined | Value::Function(_) | Value::Json(_) | Value::This => f64::NAN,
        }
    }

    /// Returns the integer that `&`, `|` and `^` use for the value: truncated, 0 for NaN.
    pub fn integer(&self) -> i64 {
        match self {
            Value::Int(value) => *value,
            Value::Uint(value) => *value as i64,
            _ => self.number() as i64,
        }
    }

    /// Returns the text of the value, for concatenation and patterns.
    pub fn text(&self) -> Cow<'_, [u8]> {
        let mut out = Vec::new();
        match self {
            Value::Text(content) | Value::Json(content) | Value::Digits(content) => {
                return Cow::Borrowed(content);
            }
            Value::Undefined => return Cow::Borrowed(b"undefined"),
            Value::Null => return Cow::Borrowed(b"null"),
            Value::Bool(true) => return Cow::Borrowed(b"true"),
            Value::Bool(false) => return Cow::Borrowed(b"false"),
            Value::Function(_) => return Cow::Borrowed(b"[Function]"),
            Value::This => return Cow::Borrowed(b"[object Object]"),
            Value::Float(value) if *value == f64::INFINITY => return Cow::Borrowed(b"Infinity"),
            Value::Float(value) if *value == f64::NEG_INFINITY => {
                return Cow::Borrowed(b"-Infinity")
            }
            Value::Float(value) => write_float(&mut out, *value),
            Value::Int(value) => write_int(&mut out, *value),
            Value::Uint(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(&element.text());
                }
            }
        }
        Cow::Owned(out)
    }

    /// Returns the text of the value as [`Value::text`] does, and consumes the value.
    pub fn into_text(self) -> Cow<'a, [u8]> {
        match self {
            Value::Text(content) | Value::Json(content) | Value::Digits(content) => content,
            other => Cow::Owned(other.text().into_owned()),
        }
    }

    /// Returns the result of `==`: texts are compared without regard to ASCII case, equal kinds
    /// directly, all others as numbers, of which two integers exactly and others as doubles.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Text(left), Value::Text(right)) => left.eq_ignore_ascii_case(right),
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Int(left), Value::Int(right)) => left == right,
            (Value::Uint(left), Value::Uint(right)) => left == right,
            (Value::Array(_), Value::Array(_)) => self.text().eq_ignore_ascii_case(&other.text()),
            _ => self.compare_numbers(other) == Some(Ordering::Equal),
        }
    }

    /// Returns the result of `<`, by the same rules as [`Value::equals`].
    pub fn is_less(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Text(left), Value::Text(right)) => is_less_ignoring_case(left, right),
            (Value::Int(left), Value::Int(right)) => left < right,
            (Value::Uint(left), Value::Uint(right)) => left < right,
            (Value::Array(_), Value::Array(_)) => {
                is_less_ignoring_case(&self.text(), &other.text())
            }
            _ => self.compare_numbers(other) == Some(Ordering::Less),
        }
    }

    /// Orders two values as numbers; returns `None` if one is NaN.
    fn compare_numbers(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = (self.number(), other.number());
        if left == right && left.abs() >= SHARED_DOUBLE_MIN {
            if let (Some(left), Some(right)) = (self.integer_text(), other.integer_text()) {
                return compare_integers(&left, &right).or(Some(Ordering::Equal));
            }
        }
        left.partial_cmp(&right)
    }

    /// Returns the text of a value that may be an integer; results of arithmetic are doubles.
    fn integer_text(&self) -> Option<Cow<'_, [u8]>> {
        let may_be_integer = matches!(
            self,
            Value::Digits(_) | Value::Int(_) | Value::Uint(_) | Value::Text(_) | Value::Array(_)
        );
        may_be_integer.then(|| self.text())
    }

    /// Returns whether both values have the same kind, as `===` requires.
    pub fn is_same_kind(&self, other: &Self) -> bool {
        let is_number = |value: &Self| matches!(value, Value::Float(_) | Value::Digits(_));
        std::mem::discriminant(self) == std::mem::discriminant(other)
            || (is_number(self) && is_number(other))
    }
}

fn is_less_ignoring_case(left: &[u8], right: &[u8]) -> bool {
    left.iter().map(u8::to_ascii_lowercase).lt(right.iter().map(u8::to_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(content.as_bytes()))
    }

    #[test]
    fn kinds_convert_to_numbers_and_truth() {
        assert!(text("").number().is_nan());
        assert_eq!(text("5").number(), 5.0);
        assert_eq!(Value::Null.number(), 0.0);
        assert!(Value::Undefined.number().is_nan());
        let array =
            |numbers: &[f64]| Value::Array(numbers.iter().map(|n| Value::Float(*n)).collect());
        assert!(array(&[5.0]).truth());
        assert!(!array(&[]).truth());
        assert!(!array(&[1.0, 2.0]).truth());
        assert!(text("0").truth());
        assert!(!Value::Float(f64::NAN).truth());
    }

    #[test]
    fn equality_and_order_across_kinds() {
        assert!(!Value::Null.equals(&Value::Undefined));
        assert!(Value::Null.equals(&Value::Float(0.0)));
        assert!(Value::Float(4.0).is_less(&text("5")));
        assert!(!Value::Bool(true).equals(&text("true")));
        assert!(text("abc").equals(&text("ABC")));
        assert!(text("aB").is_less(&text("AC")));
        assert!(text("ab").is_less(&text("ABC")));
        assert!(!text("ABC").is_less(&text("ab")));
    }
}
