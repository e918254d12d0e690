//! Event times: when a position was measured, in contrast to when it arrives.

use time::format_description::well_known::Rfc3339;
use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::number::write_int;

const NANOSECONDS: i64 = 1_000_000_000;
/// Digits of a nanosecond.
const DECIMALS_MAX: usize = 9;
/// How far a clock may be ahead of the server's: a later position would make all that follow late.
const AHEAD_NS_MAX: i64 = 24 * 3600 * NANOSECONDS;

/// Parses seconds since 1970 with up to nine decimals, or a time by RFC 3339. Returns nanoseconds
/// since 1970. Fails for times before 1970 or after 2262.
pub fn parse(word: &[u8]) -> Result<i64> {
    parse_epoch(word).or_else(|| parse_rfc3339(word)).ok_or_else(|| Error::invalid(word))
}

/// Fails for a time that is more than a day after the server's.
pub fn check_not_ahead(event_ns: i64, now_ns: i64) -> Result<()> {
    if event_ns.saturating_sub(now_ns) > AHEAD_NS_MAX {
        return Err(Error::text("the event time is more than a day ahead of the server's clock"));
    }
    Ok(())
}

/// Appends seconds since 1970, with as many decimals as needed.
pub fn write_epoch(out: &mut Vec<u8>, event_ns: i64) {
    write_int(out, event_ns / NANOSECONDS);
    let nanoseconds = event_ns % NANOSECONDS;
    if nanoseconds > 0 {
        let decimals = format!("{nanoseconds:09}");
        out.push(b'.');
        out.extend_from_slice(decimals.trim_end_matches('0').as_bytes());
    }
}

fn parse_epoch(word: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(word).ok()?;
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(decimals) || decimals.len() > DECIMALS_MAX {
        return None;
    }
    let nanoseconds: i64 = format!("{decimals:0<9}").parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(NANOSECONDS)?.checked_add(nanoseconds)
}

fn parse_rfc3339(word: &[u8]) -> Option<i64> {
    let time = OffsetDateTime::parse(std::str::from_utf8(word).ok()?, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos()).ok().filter(|event_ns| *event_ns >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_rfc3339() {
        let second = 1_795_946_400 * NANOSECONDS;
        for (text, expected) in [
            ("0", 0),
            ("1795946400", second),
            ("1795946400.25", second + 250_000_000),
            ("1795946400.000000001", second + 1),
            ("2026-11-29T10:00:00Z", second),
            ("2026-11-29T11:00:00.5+01:00", second + 500_000_000),
        ] {
            assert_eq!(parse(text.as_bytes()).ok(), Some(expected), "{text}");
            let mut out = Vec::new();
            write_epoch(&mut out, expected);
            assert_eq!(parse(&out).ok(), Some(expected));
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "-1",
            "1e3",
            "1.",
            ".5",
            "1.0000000001",
            "9300000000",
            "now",
            "2026-11-29",
            "2026-13-29T10:00:00Z",
            "1969-12-31T23:59:59Z",
            "2400-01-01T00:00:00Z",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_may_be_a_day_ahead() {
        assert!(check_not_ahead(AHEAD_NS_MAX + 5, 5).is_ok());
        assert!(check_not_ahead(AHEAD_NS_MAX + 6, 5).is_err());
    }
}
