//! Writing by path: replaces, adds or removes a value; all other bytes of the text stay as they
//! are.

use std::fmt;
use std::ops::Range;

use super::encode::write_text;
use super::walk::{
    container_end, content_of, is_blank, skip, value_end, Elements, Member, Members,
};
use super::{get, Places};
use crate::json::DEPTH_MAX;

/// Maximum of `null`s with which one write pads arrays: half a megabyte. Tile38 has no bound, so
/// that a large index exhausts its memory.
pub const ARRAY_PADDING_COUNT_MAX: usize = 100_000;

/// Maximum of parts of a path, which is the maximum depth of a value.
pub const PATH_PARTS_MAX: usize = DEPTH_MAX;

/// The error of a write, which changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The path has no part.
    Empty,
    /// Only plain paths can be deleted.
    DeleteComplex,
    /// The path has this name where the document has an array.
    NotAnIndex(Vec<u8>),
    /// The array would have to be padded too far to reach this index.
    IndexTooLarge(Vec<u8>),
    /// The path has more parts than the maximum depth of JSON.
    TooDeep,
}

impl PathError {
    /// Returns the text of the error for clients; it may be invalid UTF-8, like the path.
    pub fn text(&self) -> Vec<u8> {
        match self {
            PathError::Empty => b"path cannot be empty".to_vec(),
            PathError::DeleteComplex => b"cannot delete value from a complex path".to_vec(),
            PathError::NotAnIndex(name) => {
                let before = b"cannot set array element for non-numeric key '";
                [before, &name[..], b"'"].concat()
            }
            PathError::IndexTooLarge(index) => {
                [b"array index is too large '", &index[..], b"'"].concat()
            }
            PathError::TooDeep => b"path has too many parts".to_vec(),
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl std::error::Error for PathError {}

/// Returns the text with a JSON value written at the path.
pub fn set(text: &[u8], path: &[u8], raw_value: &[u8]) -> Result<Vec<u8>, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    match parse(path)? {
        None => Ok(set_complex(text, path, raw_value)),
        Some(parts) => set_plain(text, &parts, raw_value),
    }
}

/// Returns the text without the member or element at the path; `None` if there is none.
pub fn delete(text: &[u8], path: &[u8]) -> Result<Option<Vec<u8>>, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    let parts = parse(path)?.ok_or(PathError::DeleteComplex)?;
    Ok(delete_plain(text, &parts))
}

/// One part of a path.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: Vec<u8>,
    /// Whether a leading colon makes it a member's name, also if it looks like an index.
    is_forced: bool,
}

impl Part {
    fn is_index(&self) -> bool {
        !self.is_forced && !self.name.is_empty() && self.name.iter().all(u8::is_ascii_digit)
    }

    fn is_last(&self) -> bool {
        !self.is_forced && self.name == b"-1"
    }

    /// Returns the index; `None` if it is larger than any array.
    fn index(&self) -> Option<usize> {
        std::str::from_utf8(&self.name).ok()?.parse().ok()
    }
}

/// Returns the parts of a plain path; `None` for a complex one.
fn parse(path: &[u8]) -> Result<Option<Vec<Part>>, PathError> {
    let new_part = || Part { name: Vec::new(), is_forced: false };
    let mut parts = Vec::new();
    let mut part = new_part();
    let mut is_part_start = true;
    let mut bytes = path.iter();
    let mut is_complex = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'|' | b'#' | b'@' | b'*' | b'?' => is_complex = true,
            b'.' => {
                parts.push(std::mem::replace(&mut part, new_part()));
                is_part_start = true;
                continue;
            }
            b':' if is_part_start => part.is_forced = true,
            b'\\' => part.name.extend(bytes.next()),
            other => part.name.push(*other),
        }
        is_part_start = false;
    }
    parts.push(part);
    match is_complex {
        true => Ok(None),
        false if parts.len() > PATH_PARTS_MAX => Err(PathError::TooDeep),
        false => Ok(Some(parts)),
    }
}

/// Replaces each value that a read finds.
fn set_complex(text: &[u8], path: &[u8], raw_value: &[u8]) -> Vec<u8> {
    let mut places = match get(text, path).map(|found| found.places) {
        None | Some(Places::Computed) => return text.to_vec(),
        Some(Places::One(place)) => vec![place],
        Some(Places::Many(places)) => places,
    };
    places.sort_by_key(|place| place.start);
    let mut out = Vec::with_capacity(text.len());
    let mut written = 0;
    for place in places {
        // The whole document has no position in itself.
        if place.start < written || place.start == 0 {
            continue;
        }
        out.extend_from_slice(&text[written..place.start]);
        out.extend_from_slice(raw_value);
        written = place.end;
    }
    out.extend_from_slice(&text[written..]);
    out
}

/// The position of an element, or the number of elements that are missing before it.
enum Element {
    At(Range<usize>),
    Missing { padding_count: usize },
}

fn set_plain(text: &[u8], parts: &[Part], raw_value: &[u8]) -> Result<Vec<u8>, PathError> {
    let start = skip(text, 0, b' ');
    let mut value = match text.get(start) {
        Some(b'{' | b'[') => start..value_end(text, start),
        _ => 0..text.len(), // no JSON to speak of, to be replaced
    };
    let mut writer = Writer { out: Vec::new(), padding_left: ARRAY_PADDING_COUNT_MAX };
    for (index, part) in parts.iter().enumerate() {
        let inner = &parts[index + 1..];
        let found = match text.get(value.start) {
            Some(b'{') => member(text, &value, part).map(|member| member.value),
            Some(b'[') => match element(text, &value, part)? {
                Element::At(place) => Some(place),
                Element::Missing { padding_count } => {
                    writer.open_end(text, &value);
                    writer.pad(padding_count, part)?;
                    writer.nested(inner, begins_array(inner), raw_value)?;
                    return Ok(writer.finish(text, &value));
                }
            },
            _ => {
                writer.out.extend_from_slice(&text[..value.start]);
                writer.nested(&parts[index..], part.is_index(), raw_value)?;
                writer.out.extend_from_slice(&text[value.end..]);
                return Ok(writer.out);
            }
        };
        let Some(found) = found else {
            writer.open_end(text, &value);
            writer.name(part);
            writer.nested(inner, begins_array(inner), raw_value)?;
            return Ok(writer.finish(text, &value));
        };
        value = found;
    }
    Ok([&text[..value.start], raw_value, &text[value.end..]].concat())
}

/// Returns whether the value created for these parts is an array.
fn begins_array(parts: &[Part]) -> bool {
    parts.first().is_some_and(|part| part.is_index() || part.is_last())
}

/// Builds the new text.
struct Writer {
    out: Vec<u8>,
    padding_left: usize,
}

impl Writer {
    /// Copies up to the end of an array or object, so that an item can be appended.
    fn open_end(&mut self, text: &[u8], container: &Range<usize>) {
        let end = closing_bracket(text, container).unwrap_or(container.end);
        self.out.extend_from_slice(&text[..end]);
        if skip(text, container.start + 1, b' ') < end {
            self.out.push(b',');
        }
    }

    /// Copies the text after the content of an array or object, and closes it if it was unclosed.
    fn finish(mut self, text: &[u8], container: &Range<usize>) -> Vec<u8> {
        match closing_bracket(text, container) {
            Some(end) => self.out.extend_from_slice(&text[end..]),
            None => self.out.push(if text[container.start] == b'{' { b'}' } else { b']' }),
        }
        self.out
    }

    fn name(&mut self, part: &Part) {
        write_text(&mut self.out, &part.name);
        self.out.push(b':');
    }

    fn pad(&mut self, count: usize, part: &Part) -> Result<(), PathError> {
        match self.padding_left.checked_sub(count) {
            Some(left) => self.padding_left = left,
            None => return Err(PathError::IndexTooLarge(part.name.clone())),
        }
        self.out.extend(b"null,".iter().cycle().take(5 * count));
        Ok(())
    }

    /// Writes the value nested in a new array or object for each part.
    fn nested(
        &mut self,
        parts: &[Part],
        mut is_array: bool,
        raw_value: &[u8],
    ) -> Result<(), PathError> {
        let mut closing = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            if is_array {
                self.out.push(b'[');
                let is_append = part.is_last();
                let padding_count = if is_append { Some(0) } else { part.index() };
                self.pad(padding_count.unwrap_or(usize::MAX), part)?;
                closing.push(b']');
            } else {
                self.out.push(b'{');
                self.name(part);
                closing.push(b'}');
            }
            is_array = begins_array(&parts[index + 1..]);
        }
        self.out.extend_from_slice(raw_value);
        self.out.extend(closing.iter().rev());
        Ok(())
    }
}

/// Returns the position of the bracket that closes an array or object; `None` if it is unclosed.
fn closing_bracket(text: &[u8], container: &Range<usize>) -> Option<usize> {
    container_end(text, container.start).map(|end| end - 1)
}

/// Returns the first member with this name.
fn member(text: &[u8], object: &Range<usize>, part: &Part) -> Option<Member> {
    let mut members = Members { text: &text[..object.end], at: object.start + 1 };
    members.find(|member| *content_of(&text[member.name.clone()]) == *part.name)
}

fn element(text: &[u8], array: &Range<usize>, part: &Part) -> Result<Element, PathError> {
    let mut elements = Elements { text: &text[..array.end], at: array.start + 1 };
    if part.is_last() || (part.name.is_empty() && !part.is_forced) {
        return Ok(Element::Missing { padding_count: 0 });
    }
    if !part.is_index() {
        return Err(PathError::NotAnIndex(part.name.clone()));
    }
    let mut count = 0;
    let index = part.index().ok_or_else(|| PathError::IndexTooLarge(part.name.clone()))?;
    let place = elements.by_ref().inspect(|_| count += 1).nth(index);
    Ok(match place {
        Some(place) => Element::At(place),
        None => Element::Missing { padding_count: index - count },
    })
}

fn delete_plain(text: &[u8], parts: &[Part]) -> Option<Vec<u8>> {
    let start = skip(text, 0, b' ');
    let mut value = start..value_end(text, start);
    let mut removed = None;
    for part in parts {
        match text.get(value.start)? {
            b'{' => {
                let found = member(text, &value, part)?;
                removed = Some((value.start, found.name.start..found.value.end));
                value = found.value;
            }
            b'[' => {
                let found = existing_element(text, &value, part)?;
                removed = Some((value.start, found.clone()));
                value = found;
            }
            _ => return None,
        }
    }
    removed.map(|(opening, item)| without(text, opening, &item))
}

fn existing_element(text: &[u8], array: &Range<usize>, part: &Part) -> Option<Range<usize>> {
    let mut elements = Elements { text: &text[..array.end], at: array.start + 1 };
    if part.is_last() {
        return elements.last();
    }
    elements.nth(part.index().filter(|_| part.is_index())?)
}

/// Removes a member or element with one comma: the one before it, or the one after it for the first
/// item.
fn without(text: &[u8], opening: usize, item: &Range<usize>) -> Vec<u8> {
    let before = &text[opening + 1..item.start];
    let blanks = before.iter().rev().take_while(|byte| is_blank(**byte)).count();
    let comma = before.len().checked_sub(blanks + 1).filter(|at| before[*at] == b',');
    let (mut start, mut end) = (item.start, item.end);
    if let Some(comma) = comma {
        start = opening + 1 + comma;
    } else {
        // Tile38 drops the blanks before a first member, but not those before a first element.
        if text[opening] == b'{' {
            start -= blanks;
        }
        let behind = skip(text, end, b' ');
        if text.get(behind) == Some(&b',') {
            end = behind + 1;
        }
    }
    [&text[..start], &text[end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_text(text: &str, path: &str, value: &str) -> String {
        match set(text.as_bytes(), path.as_bytes(), value.as_bytes()) {
            Ok(text) => String::from_utf8(text).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    fn delete_text(text: &str, path: &str) -> Option<String> {
        delete(text.as_bytes(), path.as_bytes()).unwrap().map(|t| String::from_utf8(t).unwrap())
    }

    #[test]
    fn existing_values_are_replaced_in_place() {
        assert_eq!(
            set_text(r#"{ "a" : 1 , "b":[1, 2 ]}"#, "b.1", "x"),
            r#"{ "a" : 1 , "b":[1, x ]}"#
        );
        assert_eq!(set_text(r#"{"a":1,"a":2}"#, "a", "3"), r#"{"a":3,"a":2}"#);
        assert_eq!(set_text(r#"{"a.b":1}"#, r"a\.b", "2"), r#"{"a.b":2}"#);
        assert_eq!(set_text(r#"{"5":1}"#, ":5", "2"), r#"{"5":2}"#);
        assert_eq!(set_text(r#"{"a":1}"#, "a", "2"), r#"{"a":2}"#);
    }

    #[test]
    fn missing_values_are_appended() {
        for (text, path, expected) in [
            ("", "name", r#"{"name":v}"#),
            ("hello", "x", r#"{"x":v}"#),
            ("5", "1", "[null,v]"),
            ("", "-1", r#"{"-1":v}"#),
            ("{}", "a.b.c", r#"{"a":{"b":{"c":v}}}"#),
            ("{}", "a.2", r#"{"a":[null,null,v]}"#),
            ("{}", "a.-1.b", r#"{"a":[{"b":v}]}"#),
            ("{}", "m.:3", r#"{"m":{"3":v}}"#),
            (r#"{ "a" : 1 }"#, "b", r#"{ "a" : 1 ,"b":v}"#),
            ("[1]", "3", "[1,null,null,v]"),
            ("[ ]", "0", "[ v]"),
            ("[1]", "-1", "[1,v]"),
            ("[1]", "", "path cannot be empty"),
            (r#"{"a":[1]}"#, "a.", r#"{"a":[1,v]}"#),
            (r#"{"a":[1]}"#, "a.foo", "cannot set array element for non-numeric key 'foo'"),
            (r#"{"a":[1]}"#, "a.:0", "cannot set array element for non-numeric key '0'"),
            (r#"{"a":"x"}"#, "a.1", r#"{"a":[null,v]}"#),
            (r#"{"a":null}"#, "a.b", r#"{"a":{"b":v}}"#),
            ("{}", "a\"b", r#"{"a\"b":v}"#),
        ] {
            assert_eq!(set_text(text, path, "v"), expected, "{text} {path}");
        }
    }

    #[test]
    fn unclosed_text_is_closed_where_something_is_appended() {
        assert_eq!(set_text(r#"{"a":1"#, "b", "2"), r#"{"a":1,"b":2}"#);
        assert_eq!(set_text("[1", "1", "2"), "[1,2]");
        assert_eq!(set_text(r#"{"a":1,"bad":{oops}"#, "b", "2"), r#"{"a":1,"bad":{oops},"b":2}"#);
    }

    #[test]
    fn complex_paths_replace_every_place() {
        let text = r#"{"f":[{"n":"a","x":1},{"n":"b","x":2}],"name":3}"#;
        let all = r#"{"f":[{"n":"a","x":9},{"n":"b","x":9}],"name":3}"#;
        assert_eq!(set_text(text, "f.#.x", "9"), all);
        let one = r#"{"f":[{"n":"a","x":1},{"n":"b","x":9}],"name":3}"#;
        assert_eq!(set_text(text, "f.#(n==\"b\").x", "9"), one);
        assert_eq!(set_text(text, "f.#(x>0)#.x", "9"), all);
        let named = r#"{"f":[{"n":"a","x":1},{"n":"b","x":2}],"name":9}"#;
        assert_eq!(set_text(text, "na*", "9"), named);
        for path in ["f.#", "@this", "z*", "f.@reverse", "#"] {
            assert_eq!(set_text(text, path, "9"), text, "{path}");
        }
        assert_eq!(delete(b"{}", b"a*"), Err(PathError::DeleteComplex));
        assert_eq!(set_text("{}", r"a\*", "1"), r#"{"a*":1}"#);
    }

    #[test]
    fn deleting_takes_one_comma() {
        let text = r#"{ "a" : 1 , "b" : 2 }"#;
        assert_eq!(delete_text(text, "b").unwrap(), r#"{ "a" : 1  }"#);
        assert_eq!(delete_text(text, "a").unwrap(), r#"{ "b" : 2 }"#);
        assert_eq!(delete_text(r#"{"a":1}"#, "a").unwrap(), "{}");
        assert_eq!(delete_text("[1,2,3]", "-1").unwrap(), "[1,2]");
        assert_eq!(delete_text("[1,2,3]", "0").unwrap(), "[2,3]");
        assert_eq!(delete_text(r#"{"a":[{"b":1,"c":2}]}"#, "a.0.b").unwrap(), r#"{"a":[{"c":2}]}"#);
        for (text, path) in [("[]", "-1"), ("[1]", "1"), ("[1]", "x"), ("5", "a"), ("", "a")] {
            assert_eq!(delete_text(text, path), None, "{text} {path}");
        }
        assert_eq!(delete(b"{}", b""), Err(PathError::Empty));
    }

    #[test]
    fn huge_indexes_and_deep_paths_are_refused() {
        for path in ["x.1000000", "x.99999999999999999999", "a.60000.b.60000"] {
            assert!(set_text("{}", path, "1").starts_with("array index is too large"), "{path}");
        }
        assert_eq!(set(b"{}", "a.".repeat(600).as_bytes(), b"1"), Err(PathError::TooDeep));
    }
}
