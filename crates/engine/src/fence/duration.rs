//! Durations as Go writes them: `30s`, `5m`, `1h30m`, `500ms`; without a unit, seconds.

/// The longest duration, 366 days.
const DURATION_NS_MAX: f64 = 366.0 * 86_400e9;
/// The shortest duration, a millisecond.
const DURATION_NS_MIN: f64 = 1e6;

/// Returns the nanoseconds of a duration from a millisecond to 366 days; `None` for others and for
/// texts that are none.
pub fn parse_duration(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let total = if is_plain { number_of(text)? * 1e9 } else { sum_of_units(text)? };
    (DURATION_NS_MIN..=DURATION_NS_MAX).contains(&total).then_some(total.round() as i64)
}

fn number_of(digits: &str) -> Option<f64> {
    digits.parse().ok()
}

fn sum_of_units(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits_end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
        let (digits, tail) = rest.split_at(digits_end);
        let unit_end = tail.find(|letter: char| letter.is_ascii_digit() || letter == '.');
        let (unit, tail) = tail.split_at(unit_end.unwrap_or(tail.len()));
        let unit_ns = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += number_of(digits)? * unit_ns;
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let good = [
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5h", 5_400_000),
            ("1h2m3.5s", 3_723_500),
            ("2000us", 2),
            ("2000000ns", 2),
            ("10", 10_000),
            ("0.5", 500),
            ("8784h", 31_622_400_000),
        ];
        for (text, milliseconds) in good {
            assert_eq!(parse_duration(text.as_bytes()), Some(milliseconds * 1_000_000), "{text}");
        }
        let bad = [
            "", "0", "0s", "-5s", "5x", "s", ".", "1..5s", "5s5", "1e3", "8785h", "1us", "5d",
            "5 s", "inf", "nan", "+5s",
        ];
        for text in bad {
            assert_eq!(parse_duration(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_duration(&[b'9'; 400]), None);
        assert_eq!(parse_duration(b"\xff"), None);
    }
}
