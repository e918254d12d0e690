//! Strict validation of JSON texts, and reading them in place: a [`Value`] is a slice of a valid
//! text, and no tree is built. Invalid UTF-8 in strings is accepted, as by Tile38.

/// The most levels to which arrays and objects may nest; a deeper text is invalid.
pub const DEPTH_MAX: usize = 512;

/// The kind of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

/// A value within a valid JSON text, without the white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The text of the value, exactly as written.
    pub raw: &'a [u8],
}

/// Returns whether the text is one strict JSON value, with white space around it allowed.
pub fn is_valid(text: &[u8]) -> bool {
    Value::parse(text).is_some()
}

impl<'a> Value<'a> {
    /// Validates the text and returns its value; `None` if it isn't strict JSON.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let start = skip_blanks(text, 0);
        let end = validate(text, start)?;
        (skip_blanks(text, end) == text.len()).then(|| Value { raw: &text[start..end] })
    }

    /// Validates the value at the start of the text and returns it with its end; `None` if it isn't
    /// strict JSON. The text after it may be anything.
    pub fn parse_prefix(text: &'a [u8]) -> Option<(Self, usize)> {
        let start = skip_blanks(text, 0);
        let end = validate(text, start)?;
        Some((Value { raw: &text[start..end] }, end))
    }

    /// Returns the kind of the value.
    pub fn kind(&self) -> Kind {
        match self.raw.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't') => Kind::True,
            Some(b'f') => Kind::False,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Returns the members of an object as (name with its quotes, value), in order; no members for
    /// other kinds.
    pub fn members(&self) -> Members<'a> {
        let raw = if self.kind() == Kind::Object { self.raw } else { b"{}" };
        Members { raw, at: 1 }
    }

    /// Returns the elements of an array, or the values of an object, in order; no elements for
    /// other kinds.
    pub fn elements(&self) -> Elements<'a> {
        match self.kind() {
            Kind::Array => Elements::Array { raw: self.raw, at: 1 },
            _ => Elements::Object(self.members()),
        }
    }

    /// Returns the value of the last member with this name. Names are compared unescaped.
    pub fn member(&self, name: &[u8]) -> Option<Value<'a>> {
        self.members().filter(|(key, _)| key.string() == name).last().map(|(_, value)| value)
    }

    /// Returns the content of a string, unescaped; for other kinds, the text itself. Borrowed
    /// unless the string has escapes.
    pub fn string(&self) -> std::borrow::Cow<'a, [u8]> {
        if self.kind() != Kind::String {
            return self.raw.into();
        }
        let content = &self.raw[1..self.raw.len() - 1];
        if content.contains(&b'\\') {
            unescape(content).into()
        } else {
            content.into()
        }
    }

    /// Returns the value of a number; `None` for other kinds.
    pub fn number(&self) -> Option<f64> {
        (self.kind() == Kind::Number).then(|| fast_float2::parse(self.raw).ok()).flatten()
    }
}

/// Returns the value of the last member with this name, of an object's members without its braces.
pub fn last_member<'a>(members: &'a [u8], name: &[u8]) -> Option<Value<'a>> {
    let mut rest = members;
    let mut found = None;
    while let Some((key, end)) = Value::parse_prefix(rest) {
        let (value, value_end) = Value::parse_prefix(rest.get(end + 1..)?)?;
        if key.string() == name {
            found = Some(value);
        }
        rest = rest.get(end + 1 + value_end + 1..).unwrap_or_default();
    }
    found
}

/// The iterator of [`Value::members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = skip_separator(self.raw, self.at);
        if self.raw[start] == b'}' {
            return None;
        }
        let name_end = value_end(self.raw, start);
        let value_start = skip_blanks(self.raw, skip_blanks(self.raw, name_end) + 1);
        self.at = value_end(self.raw, value_start);
        Some((
            Value { raw: &self.raw[start..name_end] },
            Value { raw: &self.raw[value_start..self.at] },
        ))
    }
}

/// The iterator of [`Value::elements`].
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Elements<'a> {
    Array { raw: &'a [u8], at: usize },
    Object(Members<'a>),
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Elements::Object(members) => members.next().map(|(_, value)| value),
            Elements::Array { raw, at } => {
                let start = skip_separator(raw, *at);
                if raw[start] == b']' {
                    return None;
                }
                *at = value_end(raw, start);
                Some(Value { raw: &raw[start..*at] })
            }
        }
    }
}

/// Appends valid JSON text without the white space outside its strings.
pub fn minify(out: &mut Vec<u8>, text: &[u8]) {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => {
                let end = string_end(text, at).unwrap_or(text.len());
                out.extend_from_slice(&text[at..end]);
                at = end;
            }
            byte => {
                if !is_blank(byte) {
                    out.push(byte);
                }
                at += 1;
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(crate) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

pub(crate) fn skip_separator(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| is_blank(*byte) || *byte == b',') {
        at += 1;
    }
    at
}

/// Returns the end of the value that begins at `start`, in text known to be valid.
pub(crate) fn value_end(text: &[u8], start: usize) -> usize {
    match text[start] {
        b'"' => string_end(text, start).unwrap_or(text.len()),
        b'{' | b'[' => container_end(text, start),
        _ => scalar_end(text, start),
    }
}

fn container_end(text: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < text.len() {
        match text[at] {
            b'"' => {
                at = string_end(text, at).unwrap_or(text.len());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}

fn scalar_end(text: &[u8], start: usize) -> usize {
    let is_end = |byte: &u8| is_blank(*byte) || matches!(byte, b',' | b'}' | b']' | b':');
    text[start..].iter().position(is_end).map_or(text.len(), |length| start + length)
}

/// Returns the end of the string that begins at `start`, after its closing quote; `None` if the
/// string is invalid. Control characters have to be escaped.
pub(crate) fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += escape_length(&text[at..])?,
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

fn escape_length(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => text.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// Validates the value that begins at `start` and returns its end; `None` if it is invalid.
/// Iterative, so that depth uses no stack.
fn validate(text: &[u8], start: usize) -> Option<usize> {
    let mut open: Vec<u8> = Vec::new();
    let mut at = start;
    loop {
        // Here a value is expected.
        at = skip_blanks(text, at);
        match *text.get(at)? {
            opening @ (b'{' | b'[') => {
                let closing = if opening == b'{' { b'}' } else { b']' };
                at = skip_blanks(text, at + 1);
                if text.get(at) == Some(&closing) {
                    at += 1;
                } else if open.len() == DEPTH_MAX {
                    return None;
                } else {
                    open.push(closing);
                    at = if closing == b'}' { validate_name(text, at)? } else { at };
                    continue;
                }
            }
            b'"' => at = string_end(text, at)?,
            _ => at = validate_scalar(text, at)?,
        }
        // Here a value has ended.
        loop {
            let Some(closing) = open.last().copied() else { return Some(at) };
            at = skip_blanks(text, at);
            match *text.get(at)? {
                b',' if closing == b'}' => {
                    at = validate_name(text, skip_blanks(text, at + 1))?;
                    break;
                }
                b',' => {
                    at += 1;
                    break;
                }
                byte if byte == closing => {
                    open.pop();
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// Validates a member's name and colon; returns the position after the colon.
fn validate_name(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let colon = skip_blanks(text, string_end(text, at)?);
    (text.get(colon) == Some(&b':')).then_some(colon + 1)
}

fn validate_scalar(text: &[u8], at: usize) -> Option<usize> {
    for word in [&b"true"[..], b"false", b"null"] {
        if text[at..].starts_with(word) {
            return Some(at + word.len());
        }
    }
    validate_number(text, at)
}

fn validate_number(text: &[u8], start: usize) -> Option<usize> {
    let digits = |at: usize| text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = start + usize::from(text.get(start) == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && text[at] == b'0') {
        return None;
    }
    at += whole;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = text.get(at..).map_or(0, |_| digits(at));
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    Some(at)
}

/// Unescapes the content of a string literal whose escapes are valid.
pub fn unescape(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut at = 0;
    while at < content.len() {
        if content[at] != b'\\' {
            out.push(content[at]);
            at += 1;
            continue;
        }
        let escaped = content.get(at + 1).copied().unwrap_or(b'\\');
        at += 2;
        match escaped {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => at += unescape_unicode(&mut out, &content[at..]),
            other => out.push(other),
        }
    }
    out
}

/// Appends the character that `XXXX` or a surrogate pair `XXXX\uXXXX` encodes; returns the bytes
/// used.
fn unescape_unicode(out: &mut Vec<u8>, text: &[u8]) -> usize {
    let unit = |from: usize| {
        let digits = std::str::from_utf8(text.get(from..from + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else { return text.len() };
    let (code, used) = match (first, text.get(4..6), unit(6)) {
        (0xd800..=0xdbff, Some(b"\\u"), Some(second @ 0xdc00..=0xdfff)) => {
            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 10)
        }
        _ => (first, 4),
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strict_json_is_valid() {
        for text in [
            "0",
            "-0.5e+3",
            " {\"a\":[1,{}],\"b\":null} ",
            "\"\\u00e9\\n\"",
            "[[],[[]]]",
            "\"\u{e9}\"",
        ] {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "[1,]",
            "{\"a\"}",
            "{a:1}",
            "\"\n\"",
            "tru",
            "1 2",
            "[",
            "\"\\x\"",
            "-",
            "1e",
            "{\"a\":1,}",
        ] {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        assert!(is_valid(b"\"\xff\""));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(is_valid(&nested(DEPTH_MAX)));
        assert!(!is_valid(&nested(DEPTH_MAX + 2)));
        assert!(!is_valid(&vec![b'['; 10_000_000]));
    }

    #[test]
    fn members_and_elements_are_read_in_place() {
        let text = br#" { "a" : 1 , "b\u0063" : [ true , "x" , {} ] , "a":2 } "#;
        let value = Value::parse(text).unwrap();
        assert_eq!(value.member(b"a").unwrap().raw, b"2");
        let list: Vec<&[u8]> = value.member(b"bc").unwrap().elements().map(|v| v.raw).collect();
        assert_eq!(list, [&b"true"[..], b"\"x\"", b"{}"]);
        let mut out = Vec::new();
        minify(&mut out, text);
        assert_eq!(out, br#"{"a":1,"b\u0063":[true,"x",{}],"a":2}"#);
    }

    #[test]
    fn surrogate_pairs_become_one_character() {
        assert_eq!(unescape(br"\ud83d\ude00\n\/"), "😀\n/".as_bytes());
        assert_eq!(unescape(br"\ud83dx"), "\u{fffd}x".as_bytes());
    }
}
