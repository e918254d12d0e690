//! Numbers of Lua as text, in the format of Tile38, and texts as numbers.

use crate::number::{parse_float, parse_int, write_int};

/// The decimal exponent from which numbers that aren't integers are written with it.
const EXPONENT_MAX: i32 = 6;
/// Integers from here on are not exact as `i64`.
const INTEGER_MAX: f64 = 9_223_372_036_854_775_808.0;

/// Appends a number: an integer as its digits, else the shortest digits that give the same number,
/// with an exponent from a million on and below 1e-4.
pub(super) fn write_number(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if number.is_infinite() {
        return out.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    if number.fract() == 0.0 && number.abs() < INTEGER_MAX {
        return write_int(out, number as i64);
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..EXPONENT_MAX).contains(&exponent) {
        return out.extend_from_slice(format!("{number}").as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{digits}e{sign}{:02}", exponent.abs()).as_bytes());
}

/// Returns the number that `tonumber` gives for a text: a float if it has a point, else an integer.
pub(super) fn parse_number(text: &[u8], base: Option<u32>) -> Option<f64> {
    let text = text.trim_ascii();
    if let Some(base) = base {
        return parse_in_base(text, base);
    }
    if text.contains(&b'.') {
        return parse_float(text);
    }
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        _ => (1.0, text),
    };
    if let [b'0', b'x' | b'X', hexadecimal @ ..] = digits {
        return parse_in_base(hexadecimal, 16).map(|number| sign * number);
    }
    parse_int(text).map(|number| number as f64)
}

fn parse_in_base(text: &[u8], base: u32) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    (2..=36).contains(&base).then(|| i64::from_str_radix(text, base).ok())?.map(|n| n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_format_of_tile38() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (0.1, "0.1"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (1e20, "1e+20"),
            (1e100, "1e+100"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1_234_567.5, "1.2345675e+06"),
            (123_456.5, "123456.5"),
            (1.0 / 3.0, "0.3333333333333333"),
            (111_194.926_644_558_74, "111194.92664455874"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn texts_are_numbers_as_in_tile38() {
        for (text, number) in [
            ("1e3", None),
            ("1.0e3", Some(1000.0)),
            (" 5\n", Some(5.0)),
            ("-0x10", Some(-16.0)),
            ("9223372036854775808", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(parse_number(text.as_bytes(), None), number, "{text}");
        }
        assert_eq!(parse_number(b"ff", Some(16)), Some(255.0));
        assert_eq!(parse_number(b"ff", Some(99)), None);
    }
}
