//! Numbers as clients write and read them. Owns Tile38's float tokens and float output.

/// A float token: sign, decimal or hexadecimal with binary exponent, `_` between digits, `inf`,
/// `infinity` and unsigned `nan` in any case. Overflow, blanks and anything else are `None`.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    if let Some(first) = text.first() {
        if first.is_ascii_digit() || *first == b'-' {
            if let Ok(value) = fast_float2::parse::<f64, _>(text) {
                if value.is_finite() {
                    return Some(value);
                }
            }
        }
    }
    parse_rare_float(text)
}

fn parse_rare_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Some(sign * f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let digits = remove_underscores(unsigned)?;
    let value = match digits.get(..2) {
        Some("0x" | "0X") => parse_hexadecimal(&digits[2..])?,
        _ if is_decimal(&digits) => digits.parse::<f64>().ok()?,
        _ => return None,
    };
    value.is_finite().then_some(sign * value)
}

/// Whether only an unsigned decimal can be meant: excludes a second sign, `inf` and `nan`.
fn is_decimal(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
}

/// Underscores may stand only between two digits (or between the base prefix and a digit).
fn remove_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_hexadecimal = text.len() > 1 && bytes[0] == b'0' && bytes[1] | 32 == b'x';
    let is_digit = |byte: u8| {
        if is_hexadecimal {
            byte.is_ascii_hexdigit() || byte | 32 == b'x'
        } else {
            byte.is_ascii_digit()
        }
    };
    for (index, _) in text.match_indices('_') {
        let before = index.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(index + 1);
        if !before.is_some_and(|b| is_digit(*b)) || !after.is_some_and(u8::is_ascii_hexdigit) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

/// `1.8p-3`: hexadecimal digits with a mandatory binary exponent.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?;
    Some(value * 2.0_f64.powi(exponent.checked_sub(places.checked_mul(4)?)?))
}

/// Digits only, 64 bits.
pub fn parse_uint(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Digits with an optional sign, 64 bits.
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Appends the shortest decimal that reads back as the same double, never an exponent; `NaN`,
/// `+Inf` and `-Inf` for what isn't finite.
pub fn write_float(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        let text = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let digits = buffer.format_finite(value);
    if digits.contains('e') {
        out.extend_from_slice(format!("{value}").as_bytes()); // Display never prints an exponent
    } else {
        out.extend_from_slice(digits.strip_suffix(".0").unwrap_or(digits).as_bytes());
    }
}

/// As [`write_float`], but `null` for what isn't finite: GeoJSON has no other word for it.
pub fn write_ordinate(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        write_float(out, value);
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Appends a decimal integer.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_tokens_follow_the_grammar() {
        for (text, value) in [
            ("1_0", 10.0),
            ("5.", 5.0),
            (".5", 0.5),
            ("+5", 5.0),
            ("0x1p4", 16.0),
            ("007", 7.0),
            ("-0x1.8p1", -3.0),
            ("1e5", 1e5),
            ("-1E-2", -0.01),
            ("1e-400", 0.0),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Some(value), "{text}");
        }
        for text in [
            "", " 1", "1 ", "0x10", "1e400", "+nan", "-nan", ".", "1__0", "_1", "1_", "e5", "--1",
            "1e", "infin",
        ] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_float(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_float(b"NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn floats_print_shortest_and_without_exponent() {
        for (value, text) in [
            (33.0, "33"),
            (-0.0, "-0"),
            (1e21, "1000000000000000000000"),
            (2e-7, "0.0000002"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
        ] {
            let mut out = Vec::new();
            write_float(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn integers_print_at_both_ends() {
        for value in [0, -1, i64::MIN, i64::MAX, 1000] {
            let mut out = Vec::new();
            write_int(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
