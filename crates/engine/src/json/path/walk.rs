//! A lenient reader of JSON, for stored strings, which are never validated. Finds the same
//! positions as a strict reader in valid text, and never fails on other text.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::scan::unescape;
use crate::json::Kind;

/// The positions of an object's member in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name with its quotes.
    pub name: Range<usize>,
    /// The value, which may be invalid JSON.
    pub value: Range<usize>,
}

/// The iterator of members, from after an opening brace to the closing one or the end of the text.
pub struct Members<'t> {
    pub text: &'t [u8],
    pub at: usize,
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        loop {
            let start = skip(self.text, self.at, b',');
            match self.text.get(start)? {
                b'}' => return None,
                b'"' => {}
                _ => {
                    self.at = value_end(self.text, start).max(start + 1);
                    continue;
                }
            }
            let name_end = string_end(self.text, start)?;
            let value = skip(self.text, name_end, b':');
            self.at = value_end(self.text, value);
            if self.at > value {
                return Some(Member { name: start..name_end, value: value..self.at });
            }
        }
    }
}

/// The iterator of elements, from after an opening bracket to the closing one or the end of the
/// text.
pub struct Elements<'t> {
    pub text: &'t [u8],
    pub at: usize,
}

impl Iterator for Elements<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let start = skip(self.text, self.at, b',');
            if *self.text.get(start)? == b']' {
                return None;
            }
            self.at = value_end(self.text, start);
            if self.at > start {
                return Some(start..self.at);
            }
            self.at += 1;
        }
    }
}

/// Returns the kind of a value by its first byte; `None` if no JSON begins with it.
pub fn kind_of(raw: &[u8]) -> Option<Kind> {
    match *raw.first()? {
        b'{' => Some(Kind::Object),
        b'[' => Some(Kind::Array),
        b'"' => (string_end(raw, 0) == Some(raw.len())).then_some(Kind::String),
        b't' if raw == b"true" => Some(Kind::True),
        b'f' if raw == b"false" => Some(Kind::False),
        b'n' if raw == b"null" => Some(Kind::Null),
        _ => {
            let is_numeric = |byte: &u8| {
                byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
            };
            raw.iter().all(is_numeric).then_some(Kind::Number)
        }
    }
}

/// Returns the content of a string, given with its quotes.
pub fn content_of(raw: &[u8]) -> Cow<'_, [u8]> {
    let content = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'\\', content).is_some() {
        Cow::Owned(unescape(content))
    } else {
        Cow::Borrowed(content)
    }
}

/// Returns the start of the first array or object.
pub fn first_container(text: &[u8]) -> Option<usize> {
    memchr::memchr2(b'{', b'[', text)
}

pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns the next position that is neither blank nor the separator.
pub fn skip(text: &[u8], mut at: usize, separator: u8) -> usize {
    while text.get(at).is_some_and(|byte| is_blank(*byte) || *byte == separator) {
        at += 1;
    }
    at
}

/// Returns the end of the value that begins at `start`; `start` itself if a delimiter is there.
pub fn value_end(text: &[u8], start: usize) -> usize {
    match text.get(start) {
        None => start,
        Some(b'"') => string_end(text, start).unwrap_or(text.len()),
        Some(b'{' | b'[') => container_end(text, start).unwrap_or(text.len()),
        Some(_) => {
            let is_end = |byte: &u8| is_blank(*byte) || matches!(byte, b',' | b'}' | b']' | b':');
            text[start..].iter().position(is_end).map_or(text.len(), |length| start + length)
        }
    }
}

/// Returns the end of the array or object that begins at `start`; `None` if it is unclosed.
pub fn container_end(text: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match *text.get(at)? {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Returns the end of the string that begins at `start`, after its quote; `None` if it is unclosed.
pub fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Returns the end of a path's group, which begins with a bracket, a parenthesis or a quote:
/// brackets in it are counted, strings skipped.
pub fn group_end(path: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match *path.get(at)? {
            b'"' => {
                at = string_end(path, at)?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'\\' => at += 1,
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Vec<(&str, &str)> {
        let found = Members { text: text.as_bytes(), at: 1 };
        found.map(|member| (&text[member.name], &text[member.value])).collect()
    }

    fn elements(text: &str) -> Vec<&str> {
        Elements { text: text.as_bytes(), at: 1 }.map(|place| &text[place]).collect()
    }

    #[test]
    fn valid_text_is_walked() {
        let text = r#"{ "a" : 1 , "b\"" : {"x":[1,"]"]} , "c":"}" }"#;
        let expected = [("\"a\"", "1"), ("\"b\\\"\"", r#"{"x":[1,"]"]}"#), ("\"c\"", "\"}\"")];
        assert_eq!(members(text), expected);
        assert_eq!(elements(r#"[ 1 , [2,3] ,"x" ]"#), ["1", "[2,3]", "\"x\""]);
        assert!(elements("[ ]").is_empty());
    }

    #[test]
    fn broken_text_is_walked_as_far_as_it_goes() {
        assert_eq!(members(r#"{"a":1,"bad":{oops}"#), [("\"a\"", "1"), ("\"bad\"", "{oops}")]);
        assert_eq!(members(r#"{"a":1,"b"#), [("\"a\"", "1")]);
        assert_eq!(members(r#"{"a":,"b":oops}"#), [("\"b\"", "oops")]);
        assert_eq!(members(r#"{]:x "a" 1"#), [("\"a\"", "1")]);
        assert_eq!(elements("[1,:,}2"), ["1", "2"]);
        assert_eq!(kind_of(b"oops"), None);
        assert_eq!(kind_of(b"\"a"), None);
        assert_eq!(kind_of(b".5"), Some(Kind::Number));
    }
}
