//! The operators with two operands, and signs.

use std::borrow::Cow;

use super::lexer::Operator;
use super::value::Value;

/// Applies any operator except `=~`, which can fail. If an operand is an object, `!=` and `!==` are
/// true, since nothing equals an object, and all other results are undefined.
pub fn apply<'a>(operator: Operator, left: Value<'a>, right: Value<'a>) -> Value<'a> {
    if left.is_object() || right.is_object() {
        let is_inequality = matches!(operator, Operator::NotEqual | Operator::StrictNotEqual);
        return if is_inequality { Value::Bool(true) } else { Value::Undefined };
    }
    match operator {
        Operator::Or => Value::Bool(left.truth() || right.truth()),
        Operator::And => Value::Bool(left.truth() && right.truth()),
        Operator::Coalesce => match left {
            Value::Undefined | Value::Null => right,
            left => left,
        },
        Operator::Equal => Value::Bool(left.equals(&right)),
        Operator::NotEqual => Value::Bool(!left.equals(&right)),
        Operator::StrictEqual => Value::Bool(is_strictly_equal(&left, &right)),
        Operator::StrictNotEqual => Value::Bool(!is_strictly_equal(&left, &right)),
        Operator::Less => Value::Bool(left.is_less(&right)),
        Operator::LessEqual => Value::Bool(left.is_less(&right) || left.equals(&right)),
        Operator::Greater => Value::Bool(right.is_less(&left)),
        Operator::GreaterEqual => Value::Bool(right.is_less(&left) || left.equals(&right)),
        Operator::Add => add(left, &right),
        Operator::BitAnd | Operator::BitOr | Operator::BitXor => bits(operator, &left, &right),
        Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            arithmetic(operator, &left, &right)
        }
        Operator::Matches => Value::Undefined,
    }
}

/// Applies unary `+` or `-`.
pub fn sign<'a>(operand: &Value<'a>, is_negative: bool) -> Value<'a> {
    match (operand, is_negative) {
        (Value::Json(_) | Value::This, _) => Value::Undefined,
        (Value::Int(value), true) => Value::Int(value.wrapping_neg()),
        (Value::Int(value), false) => Value::Int(*value),
        (Value::Uint(value), true) => Value::Uint(value.wrapping_neg()),
        (Value::Uint(value), false) => Value::Uint(*value),
        (Value::Digits(text), true) => Value::Digits(Cow::Owned(match text.strip_prefix(b"-") {
            Some(digits) => digits.to_vec(),
            None => [b"-", &text[..]].concat(),
        })),
        (Value::Digits(text), false) => Value::Digits(text.clone()),
        (other, true) => Value::Float(-other.number()),
        (other, false) => Value::Float(other.number()),
    }
}

fn is_strictly_equal(left: &Value, right: &Value) -> bool {
    left.is_same_kind(right) && left.equals(right)
}

/// Adds two numbers, or joins the texts of both operands.
fn add<'a>(left: Value<'a>, right: &Value<'a>) -> Value<'a> {
    let is_number_like =
        |value: &Value| !matches!(value, Value::Text(_) | Value::Array(_) | Value::Function(_));
    if is_number_like(&left) && is_number_like(right) {
        return arithmetic(Operator::Add, &left, right);
    }
    let mut text = left.into_text().into_owned();
    text.extend_from_slice(&right.text());
    Value::Text(Cow::Owned(text))
}

fn arithmetic<'a>(operator: Operator, left: &Value, right: &Value) -> Value<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => {
            signed(operator, *left, *right).map_or(Value::Float(f64::NAN), Value::Int)
        }
        (Value::Uint(left), Value::Uint(right)) => {
            unsigned(operator, *left, *right).map_or(Value::Float(f64::NAN), Value::Uint)
        }
        _ => {
            let (left, right) = (left.number(), right.number());
            Value::Float(match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                Operator::Divide => left / right,
                _ => left % right,
            })
        }
    }
}

/// Computes with integers; returns `None` for a division by zero.
fn signed(operator: Operator, left: i64, right: i64) -> Option<i64> {
    match operator {
        Operator::Add => Some(left.wrapping_add(right)),
        Operator::Subtract => Some(left.wrapping_sub(right)),
        Operator::Multiply => Some(left.wrapping_mul(right)),
        _ if right == 0 => None,
        Operator::Divide => Some(left.wrapping_div(right)),
        _ => Some(left.wrapping_rem(right)),
    }
}

fn unsigned(operator: Operator, left: u64, right: u64) -> Option<u64> {
    match operator {
        Operator::Add => Some(left.wrapping_add(right)),
        Operator::Subtract => Some(left.wrapping_sub(right)),
        Operator::Multiply => Some(left.wrapping_mul(right)),
        Operator::Divide => left.checked_div(right),
        _ => left.checked_rem(right),
    }
}

/// Applies `&`, `|` or `^` to 64-bit integers; the result is an integer only if both operands are.
fn bits<'a>(operator: Operator, left: &Value, right: &Value) -> Value<'a> {
    let (a, b) = (left.integer(), right.integer());
    let result = match operator {
        Operator::BitAnd => a & b,
        Operator::BitOr => a | b,
        _ => a ^ b,
    };
    match (left, right) {
        (Value::Int(_), Value::Int(_)) => Value::Int(result),
        (Value::Uint(_), Value::Uint(_)) => Value::Uint(result as u64),
        _ => Value::Float(result as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers_and_wrap() {
        let max = Value::Int(i64::MAX);
        let sum = apply(Operator::Add, max.clone(), Value::Int(1));
        assert!(matches!(sum, Value::Int(i64::MIN)));
        let quotient = apply(Operator::Divide, Value::Int(7), Value::Int(2));
        assert!(matches!(quotient, Value::Int(3)));
        let smallest = apply(Operator::Divide, Value::Int(i64::MIN), Value::Int(-1));
        assert!(matches!(smallest, Value::Int(i64::MIN)));
        for operator in [Operator::Divide, Operator::Modulo] {
            assert!(apply(operator, Value::Int(7), Value::Int(0)).number().is_nan());
            assert!(apply(operator, Value::Uint(7), Value::Uint(0)).number().is_nan());
        }
        assert!(matches!(apply(Operator::Add, Value::Int(1), Value::Uint(1)), Value::Float(2.0)));
    }

    #[test]
    fn addition_concatenates_unless_both_are_numbers() {
        let text = |content: &'static str| Value::Text(Cow::Borrowed(content.as_bytes()));
        let joined = apply(Operator::Add, text("a"), Value::Float(1.5));
        assert_eq!(&*joined.text(), b"a1.5");
        let sum = apply(Operator::Add, Value::Bool(true), Value::Null);
        assert!(matches!(sum, Value::Float(1.0)));
        let array = Value::Array(vec![Value::Float(1.0), text("x")]);
        assert_eq!(&*apply(Operator::Add, array, Value::Null).text(), b"1,xnull");
    }

    #[test]
    fn objects_make_results_undefined() {
        let json = Value::Json(Cow::Borrowed(b"{}"));
        for operator in [Operator::Equal, Operator::Or, Operator::Add, Operator::LessEqual] {
            let result = apply(operator, json.clone(), Value::Bool(true));
            assert!(matches!(result, Value::Undefined));
        }
        for operator in [Operator::NotEqual, Operator::StrictNotEqual] {
            for other in [Value::Bool(true), Value::Undefined, Value::This, json.clone()] {
                assert!(matches!(apply(operator, other, json.clone()), Value::Bool(true)));
            }
        }
        assert!(matches!(sign(&json, true), Value::Undefined));
    }
}
