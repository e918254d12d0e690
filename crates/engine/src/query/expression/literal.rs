//! The literals of expressions: numbers and strings.

use super::value::Literal;
use crate::number::{is_large_integer, parse_float, parse_uint};

/// Parses a number token: decimal, `0x1F`, digits with `u64` or `i64`.
pub fn parse_number(text: &[u8]) -> Option<Literal> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(digits) = text.strip_suffix("u64") {
        return parse_integer(digits).map(Literal::Uint);
    }
    if let Some(digits) = text.strip_suffix("i64") {
        // 9223372036854775808i64 wraps, so that its negation is the smallest integer.
        return parse_integer(digits).map(|value| Literal::Int(value as i64));
    }
    if text.starts_with("0x") || text.starts_with("0X") {
        let value = parse_integer(text)?;
        return Some(number(value as f64, value.to_string()));
    }
    let value = parse_float(text.as_bytes())?;
    Some(number(value, text.replace('_', "").trim_start_matches('0').to_owned()))
}

fn number(value: f64, text: String) -> Literal {
    if is_large_integer(value, text.as_bytes()) {
        Literal::Digits(text.into_bytes().into())
    } else {
        Literal::Float(value)
    }
}

fn parse_integer(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten();
    }
    parse_uint(text.as_bytes())
}

/// Parses the string literal at the start of the text; returns its content and its length with
/// quotes.
pub fn parse_string(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let quote = *text.first()?;
    let mut content = Vec::new();
    let mut at = 1;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'\\' => at += unescape(&mut content, &text[at..])?,
            0..=0x1f => return None,
            _ if byte == quote => return Some((content, at)),
            _ => content.push(byte),
        }
    }
}

/// Appends the meaning of the escape after a backslash; returns the escape's length.
fn unescape(content: &mut Vec<u8>, text: &[u8]) -> Option<usize> {
    let simple = match *text.first()? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'0' => 0,
        b'x' => {
            push_character(content, hexadecimal(text.get(1..3)?)?);
            return Some(3);
        }
        b'u' => return unescape_unicode(content, text),
        0..=0x1f => return None,
        other => other,
    };
    content.push(simple);
    Some(1)
}

/// Parses `uHHHH`, `u{H…}` or a surrogate pair `uHHHH\uHHHH`.
fn unescape_unicode(content: &mut Vec<u8>, text: &[u8]) -> Option<usize> {
    if text.get(1) == Some(&b'{') {
        let length = text.iter().take(12).position(|byte| *byte == b'}')?;
        push_character(content, hexadecimal(&text[2..length])?);
        return Some(length + 1);
    }
    let first = hexadecimal(text.get(1..5)?)?;
    let second = match text.get(5..7) {
        Some(b"\\u") => text.get(7..11).and_then(hexadecimal),
        _ => None,
    };
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, second) {
        push_character(content, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        return Some(11);
    }
    push_character(content, first);
    Some(5)
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let is_plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_plain)?;
    u32::from_str_radix(digits, 16).ok()
}

fn push_character(content: &mut Vec<u8>, code: u32) {
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    content.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_many_spellings() {
        for (text, value) in [
            ("5.", 5.0),
            (".5", 0.5),
            ("007", 7.0),
            ("1_000", 1000.0),
            ("1e+2", 100.0),
            ("0x1F", 31.0),
            ("0", 0.0),
        ] {
            assert_eq!(parse_number(text.as_bytes()), Some(Literal::Float(value)), "{text}");
        }
        for (text, digits) in [
            ("9007199254740993", "9007199254740993"),
            ("009_007_199_254_740_993", "9007199254740993"),
            ("0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
        ] {
            let expected = Literal::Digits(digits.as_bytes().into());
            assert_eq!(parse_number(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(parse_number(b"5u64"), Some(Literal::Uint(5)));
        assert_eq!(parse_number(b"0x10i64"), Some(Literal::Int(16)));
        assert_eq!(parse_number(b"9223372036854775808i64"), Some(Literal::Int(i64::MIN)));
        for text in ["1x", "0x", "1.2.3", "1e", "1.5u64", "u64", "1e400", "5n"] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn strings_know_their_escapes() {
        let parse = |text: &str| parse_string(text.as_bytes()).map(|(content, _)| content);
        assert_eq!(parse(r#"'a"b' x"#).unwrap(), b"a\"b");
        assert_eq!(parse(r#""\n\t\r\b\f\v\0\q\\""#).unwrap(), b"\n\t\r\x08\x0c\x0b\0q\\");
        assert_eq!(parse(r#""\x41\u0042\u{43}\u{1F600}""#).unwrap(), "ABC😀".as_bytes());
        assert_eq!(parse(r#""\ud83d\ude00""#).unwrap(), "😀".as_bytes());
        for text in ["\"a", "\"a\n\"", r#""\x4""#, r#""\u12""#, r#""\u{}""#, "\"\\", "'"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
