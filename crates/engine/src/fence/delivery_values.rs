//! The values of delivery options: their syntax and bounds.

use crate::error::{Error, Result};
use crate::quantity::{parse_count, parse_duration, parse_size};

/// The options that have one value, by their keywords.
pub const SETTINGS: [&str; 7] =
    ["BATCH", "DEADLETTER", "HISTORY", "QUEUE", "RETRY", "TIMEOUT", "TTL"];
/// The most bytes of a secret.
const SECRET_BYTES_MAX: usize = 512;
/// The prefix of a secret in base64, by the specification of Standard Webhooks.
const ENCODED_PREFIX: &[u8] = b"whsec_";
/// The bytes that a secret in base64 stands for, by the same specification.
const ENCODED_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// The most bytes of a header's value.
const HEADER_BYTES_MAX: usize = 4096;
/// The most events in a request.
const BATCH_COUNT_MAX: u64 = 2_000;
const SECOND_NS: i64 = 1_000_000_000;
/// The longest wait for a fuller batch.
const BATCH_NS_MAX: i64 = 60 * SECOND_NS;
/// The shortest and the longest wait before an attempt is repeated.
const RETRY_NS: std::ops::RangeInclusive<i64> = SECOND_NS / 100..=86_400 * SECOND_NS;
/// The shortest and the longest duration of an attempt.
const TIMEOUT_NS: std::ops::RangeInclusive<i64> = SECOND_NS / 100..=600 * SECOND_NS;
/// The smallest bound of a hook's waiting events.
const QUEUE_BYTES_MIN: u64 = 64 * 1024;
/// Headers that the sender of a request sets itself.
const RESERVED_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Returns whether a word is `yes`; fails unless it is `yes` or `no`.
pub fn parse_switch(word: &[u8]) -> Result<bool> {
    match &word.to_ascii_lowercase()[..] {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err(Error::invalid(word)),
    }
}

/// Checks the value of one of [`SETTINGS`]. Whether a URL is one that can be used, is not its task.
pub fn check_setting(keyword: &str, value: &[u8]) -> Result<()> {
    let duration_in = |word: &[u8], range: std::ops::RangeInclusive<i64>| {
        parse_duration(word).is_some_and(|duration| range.contains(&duration))
    };
    let is_valid = match keyword {
        "BATCH" => value.split(|byte| *byte == b'|').all(|bound| {
            parse_count(bound).is_some_and(|count| (1..=BATCH_COUNT_MAX).contains(&count))
                || duration_in(bound, 1..=BATCH_NS_MAX)
        }),
        "HISTORY" => is_history(value),
        "QUEUE" => parse_size(value).is_some_and(|size| size >= QUEUE_BYTES_MIN),
        "RETRY" => is_retry(value),
        "TIMEOUT" => duration_in(value, TIMEOUT_NS),
        "TTL" => parse_duration(value).is_some(),
        _ => true,
    };
    if is_valid {
        return Ok(());
    }
    Err(Error::invalid(value))
}

/// Whether a value is a shortest and a longest wait: `500ms..1m`.
fn is_retry(value: &[u8]) -> bool {
    let Some(at) = value.windows(2).position(|bytes| bytes == b"..") else { return false };
    match (parse_duration(&value[..at]), parse_duration(&value[at + 2..])) {
        (Some(least), Some(most)) => {
            RETRY_NS.contains(&least) && (least..=*RETRY_NS.end()).contains(&most)
        }
        _ => false,
    }
}

/// Whether a value is a number of events, an age or a size, or several of these separated by `|`.
fn is_history(bounds: &[u8]) -> bool {
    let is_bound = |bound: &[u8]| {
        parse_count(bound).is_some_and(|count| count > 0)
            || parse_duration(bound).is_some_and(|age| age > 0)
            || parse_size(bound).is_some_and(|size| size > 0)
    };
    bounds.split(|byte| *byte == b'|').all(is_bound)
}

/// Checks the name and value of a header.
pub fn check_header(name: &[u8], value: &[u8]) -> Result<()> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let is_reserved =
        RESERVED_HEADERS.iter().any(|reserved| name.eq_ignore_ascii_case(reserved.as_bytes()))
            || name.to_ascii_lowercase().starts_with(b"webhook-");
    if !name.iter().all(is_token) || name.len() > HEADER_BYTES_MAX || is_reserved {
        return Err(Error::invalid(name));
    }
    let is_printable = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    if !is_printable || value.trim_ascii() != value || value.len() > HEADER_BYTES_MAX {
        return Err(Error::text("invalid value of HEADERS"));
    }
    Ok(())
}

/// Checks a secret: `whsec_` and 24 to 64 bytes in base64, or any other bytes.
pub fn check_secret(secret: &[u8]) -> Result<()> {
    let Some(encoded) = secret.strip_prefix(ENCODED_PREFIX) else {
        return match secret.len() {
            ..=SECRET_BYTES_MAX => Ok(()),
            _ => Err(Error::text("secret of SIGN longer than 512 bytes")),
        };
    };
    let digits = encoded.len() - encoded.iter().rev().take(2).filter(|byte| **byte == b'=').count();
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let is_encoded = encoded.len().is_multiple_of(4) && encoded[..digits].iter().all(is_digit);
    if is_encoded && ENCODED_BYTES.contains(&(digits * 3 / 4)) {
        return Ok(());
    }
    Err(Error::text("invalid secret of SIGN: no 24 to 64 bytes in base64 behind whsec_"))
}
