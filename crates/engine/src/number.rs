//! Numbers as clients write and read them. Owns Tile38's float tokens and float output.

use std::cmp::Ordering;

/// Limit of exponents of two: a larger one leads to 0 or to infinity for any digits.
const EXPONENT_MAX: i64 = 1 << 40;

/// The exponent of the smallest double above 0, as a power of two.
const LEAST_EXPONENT: i64 = -1074;

/// Parses a float token: sign, decimal or hexadecimal with binary exponent, `_` between digits,
/// `inf`, `infinity` and unsigned `nan` in any case. Returns `None` for overflow, blanks and
/// anything else.
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

/// Returns whether a text can only be an unsigned decimal: it has no second sign, `inf` or `nan`.
fn is_decimal(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
}

/// Returns the text without underscores; `None` unless each stands between two digits, or between
/// the base prefix and a digit.
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

/// Parses hexadecimal digits with a mandatory binary exponent, such as `1.8p-3`.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent = parse_exponent(exponent)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut bits = 0_u64;
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        let is_room = bits >> 60 == 0;
        // Rounding needs to know whether the digits that have no room are all zero.
        bits = if is_room { (bits << 4) | digit } else { bits | u64::from(digit != 0) };
        match (is_room, index < whole.len()) {
            (true, false) => exponent -= 4,
            (false, true) => exponent += 4,
            _ => {}
        }
    }
    Some(scaled(bits, exponent))
}

/// Parses digits with an optional sign; exponents beyond those of all doubles are clamped.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(EXPONENT_MAX).min(EXPONENT_MAX);
    Some(if text.starts_with('-') { -size } else { size })
}

/// Returns `bits · 2^exponent`, rounded once, half to even.
fn scaled(bits: u64, exponent: i64) -> f64 {
    let top = exponent.saturating_add(63 - i64::from(bits.leading_zeros()));
    if bits == 0 {
        return 0.0;
    }
    if top > i64::from(f64::MAX_EXP) {
        return f64::INFINITY;
    }
    if top >= i64::from(f64::MIN_EXP) - 1 {
        // Only the conversion rounds: a double represents each half of the exponent's power
        // exactly.
        let half = exponent as i32 / 2;
        return bits as f64 * 2.0_f64.powi(half) * 2.0_f64.powi(exponent as i32 - half);
    }
    // A subnormal double is a multiple of the smallest one, whose bits are 1.
    let shift = LEAST_EXPONENT - exponent;
    if shift > 64 {
        return 0.0;
    }
    if shift <= 0 {
        return f64::from_bits(bits << -shift);
    }
    let wide = u128::from(bits);
    let (floor, half) = (wide >> shift, 1_u128 << (shift - 1));
    let rest = wide - (floor << shift);
    let is_up = rest > half || (rest == half && floor & 1 == 1);
    f64::from_bits((floor + u128::from(is_up)) as u64)
}

/// The first double that neighbouring integers share; the same holds for its negative.
pub const SHARED_DOUBLE_MIN: f64 = 9_007_199_254_740_992.0;

/// Orders two integers in decimal by their digits, however many; `None` unless both are integers.
pub fn compare_integers(left: &[u8], right: &[u8]) -> Option<Ordering> {
    let ((is_left_negative, left), (is_right_negative, right)) = (integer(left)?, integer(right)?);
    let by_size = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
    Some(match (is_left_negative, is_right_negative) {
        (false, false) => by_size,
        (true, true) => by_size.reverse(),
        _ if left.is_empty() && right.is_empty() => Ordering::Equal,
        _ => is_right_negative.cmp(&is_left_negative),
    })
}

/// Returns whether a number is an integer that shares its double with others, so that only its text
/// tells them apart.
#[inline]
pub fn is_large_integer(number: f64, text: &[u8]) -> bool {
    number.abs() >= SHARED_DOUBLE_MIN && integer(text).is_some()
}

/// Returns whether an integer is negative, and its digits without leading zeros.
fn integer(text: &[u8]) -> Option<(bool, &[u8])> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    Some((digits.len() < text.len(), &digits[zeros..]))
}

/// Parses digits without a sign, 64 bits.
pub fn parse_uint(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Parses digits with an optional sign, 64 bits.
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Appends the shortest decimal that reads back as the same double, without an exponent; `NaN`,
/// `+Inf` or `-Inf` for a number that isn't finite.
pub fn write_float(out: &mut Vec<u8>, value: f64) {
    with_float_text(value, |text| out.extend_from_slice(text));
}

/// Calls a function with the text that [`write_float`] appends.
pub fn with_float_text(value: f64, take: impl FnOnce(&[u8])) {
    let mut digits = [0_u8; DECIMAL_BYTES_MAX];
    if let Some(text) = short_decimal(value, &mut digits) {
        return take(text);
    }
    if !value.is_finite() {
        let infinity: &[u8] = if value > 0.0 { b"+Inf" } else { b"-Inf" };
        return take(if value.is_nan() { b"NaN" } else { infinity });
    }
    let mut buffer = ryu::Buffer::new();
    let digits = buffer.format_finite(value);
    if digits.contains('e') {
        take(format!("{value}").as_bytes()); // Display never prints an exponent
    } else {
        take(digits.strip_suffix(".0").unwrap_or(digits).as_bytes());
    }
}

/// Decimal places that most coordinates need at most: a centimetre.
const PLACES: usize = 7;
const SCALE: u64 = 10_u64.pow(PLACES as u32);
/// The limit of scaled numbers: decimals of fifteen digits are different doubles.
const DECIMAL_MAX: f64 = 1e15;
/// Bytes of the text: a sign, fifteen digits and a point.
const DECIMAL_BYTES_MAX: usize = 17;

/// Returns the text of a number that has few decimal places, without the search for the shortest:
/// of decimals with fifteen digits at most only one reads back as the number, and dividing finds
/// it.
fn short_decimal(value: f64, digits: &mut [u8; DECIMAL_BYTES_MAX]) -> Option<&[u8]> {
    let magnitude = value.abs();
    let scaled = magnitude * SCALE as f64;
    if scaled.is_nan() || scaled >= DECIMAL_MAX - 1.0 {
        return None;
    }
    let number = (scaled + 0.5) as u64;
    if number as f64 / SCALE as f64 != magnitude {
        return None;
    }
    let mut start = digits.len();
    let (whole, mut fraction) = (number / SCALE, number % SCALE);
    if fraction > 0 {
        let mut places = PLACES;
        while fraction % 10 == 0 {
            fraction /= 10;
            places -= 1;
        }
        for _ in 0..places {
            start -= 1;
            digits[start] = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        start -= 1;
        digits[start] = b'.';
    }
    start = put_digits(digits, start, whole);
    if value.is_sign_negative() {
        start -= 1;
        digits[start] = b'-';
    }
    Some(&digits[start..])
}

/// Writes a number's digits so that they end before a position; returns where they begin.
fn put_digits(digits: &mut [u8], end: usize, mut number: u64) -> usize {
    let mut start = end;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return start;
        }
    }
}

/// Appends a number as [`write_float`] does, but `null` for one that isn't finite, as GeoJSON
/// needs.
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
    let start = put_digits(&mut digits, 20, value.unsigned_abs());
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
        for (text, value) in [
            ("0x1p-1074", f64::from_bits(1)),
            ("0x1p-1075", 0.0),
            ("0x3p-1060", f64::from_bits(3 << 14)),
            ("0x1.8p-1075", f64::from_bits(1)),
            ("0x1.8p-1074", f64::from_bits(2)),
            ("0x0.fffffffffffff8p-1022", f64::MIN_POSITIVE),
            ("0x1.43815b587e715p-998", 1.263_692_578_415_832_6 * 2.0_f64.powi(-998)),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x20000000000001p0", 9_007_199_254_740_992.0),
            ("0x200000000000010000000000001p-44", 4_503_599_627_370_497.0 * 512.0),
            ("0x1p-99999999999999999999", 0.0),
            ("0x0p99999999999999999999", 0.0),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["0x1.fffffffffffff8p1023", "0x1p1024", "0x1p99999999999", "0x1p", "0xp1"] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_float(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_float(b"NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn integers_compare_by_all_their_digits() {
        let huge = "9".repeat(500);
        for (left, right, ordering) in [
            ("8301034833169298414", "8301034833169298415", Ordering::Less),
            ("-8301034833169298414", "-8301034833169298415", Ordering::Greater),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("10", "9", Ordering::Greater),
            ("-1", "0", Ordering::Less),
            ("1", "-1", Ordering::Greater),
            ("-0", "0", Ordering::Equal),
            ("007", "7", Ordering::Equal),
            (&huge, &huge, Ordering::Equal),
            (&huge, "9", Ordering::Greater),
        ] {
            let order = |a: &str, b: &str| compare_integers(a.as_bytes(), b.as_bytes());
            assert_eq!(order(left, right), Some(ordering), "{left} {right}");
            assert_eq!(order(right, left), Some(ordering.reverse()), "{right} {left}");
        }
        for text in ["", "-", "+5", "1.0", "1e5", "5 ", "NaN", "+Inf", "1_0"] {
            assert_eq!(compare_integers(text.as_bytes(), b"5"), None, "{text}");
            assert_eq!(compare_integers(b"5", text.as_bytes()), None, "{text}");
        }
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
    fn short_decimals_are_the_shortest() {
        let mut state = 1_u64;
        let mut digits = [0; DECIMAL_BYTES_MAX];
        let mut found = 0;
        for round in 0..200_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let magnitude = (state >> 14) as f64 / 10_f64.powi((round % 19) as i32);
            let places = 10_f64.powi((round % 9) as i32);
            let value =
                (magnitude * places).round() / places * if round % 2 == 0 { 1.0 } else { -1.0 };
            if let Some(text) = short_decimal(value, &mut digits) {
                found += 1;
                assert_eq!(String::from_utf8_lossy(text), format!("{value}"));
            }
        }
        assert!(found > 50_000, "{found}");
        for value in [0.0, -0.0, 1e-7, 99_999_999.999_999_9, 1e15, 0.1 + 0.2, 33.5123, -112.2693] {
            let mut text = Vec::new();
            write_float(&mut text, value);
            assert_eq!(String::from_utf8(text).unwrap(), format!("{value}"));
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
