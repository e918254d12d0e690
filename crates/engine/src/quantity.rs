//! Quantities with units in arguments: durations such as `30s`, sizes such as `64mb`.

/// The longest duration: a hundred years.
const DURATION_NS_MAX: u128 = 100 * 365 * 86_400 * 1_000_000_000;
/// The largest size: a pebibyte.
const SIZE_BYTES_MAX: u128 = 1 << 50;

/// Returns the nanoseconds of a whole number with a unit: `ms`, `s`, `m`, `h` or `d`.
pub fn parse_duration(word: &[u8]) -> Option<i64> {
    let (number, unit) = split(word)?;
    let unit_ns: u128 = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    let duration_ns = number.checked_mul(unit_ns).filter(|ns| *ns <= DURATION_NS_MAX)?;
    i64::try_from(duration_ns).ok()
}

/// Returns the bytes of a whole number with a unit: `kb`, `mb` or `gb`.
pub fn parse_size(word: &[u8]) -> Option<u64> {
    let (number, unit) = split(word)?;
    let unit_bytes: u128 = match unit {
        "kb" => 1 << 10,
        "mb" => 1 << 20,
        "gb" => 1 << 30,
        _ => return None,
    };
    let bytes = number.checked_mul(unit_bytes).filter(|bytes| *bytes <= SIZE_BYTES_MAX)?;
    u64::try_from(bytes).ok()
}

/// Returns a whole number.
pub fn parse_count(word: &[u8]) -> Option<u64> {
    let (number, unit) = split(word)?;
    u64::try_from(number).ok().filter(|_| unit.is_empty())
}

fn split(word: &[u8]) -> Option<(u128, &str)> {
    let text = std::str::from_utf8(word).ok()?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration(b"500ms"), Some(500_000_000));
        assert_eq!(parse_duration(b"0s"), Some(0));
        assert_eq!(parse_duration(b"2m"), Some(120_000_000_000));
        assert_eq!(parse_duration(b"1h"), Some(3_600_000_000_000));
        assert_eq!(parse_duration(b"36500d"), Some(DURATION_NS_MAX as i64));
        for bad in ["", "5", "s", "-1s", "1.5s", "1S", "1 s", "1ss", "36501d", "+1s", "\u{661}s"] {
            assert_eq!(parse_duration(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn sizes_and_counts_are_whole_numbers() {
        assert_eq!(parse_size(b"64mb"), Some(64 << 20));
        assert_eq!(parse_size(b"1kb"), Some(1024));
        assert_eq!(parse_size(b"1048576gb"), Some(1 << 50));
        for bad in ["", "64", "mb", "1MB", "1.5gb", "1048577gb"] {
            assert_eq!(parse_size(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_count(b"100000"), Some(100_000));
        let above = "18446744073709551616";
        for bad in ["", "-1", "1s", above, &above.repeat(3)] {
            assert_eq!(parse_count(bad.as_bytes()), None, "{bad}");
        }
    }
}
