//! A valid JSON text walked by offsets. Remembers where long containers end, so that skipping them
//! at every level of a deep nesting doesn't make parsing quadratic.

use crate::json::scan::{skip_blanks, skip_separator, string_end, value_end};
use crate::json::{Kind, Value};

/// Texts shorter than this are scanned without an index.
const INDEXED_BYTES_MIN: usize = 4096;
/// Containers up to this long aren't worth an entry: scanning them again is as cheap.
const CONTAINER_BYTES_MIN: usize = 256;

/// A text known to be valid JSON.
pub(super) struct Document<'a> {
    text: &'a [u8],
    /// Start and end of each long container, by start.
    containers: Vec<(usize, usize)>,
}

/// A member of an object: its name with quotes, and where its value lies.
pub(super) struct Member<'a> {
    pub name: Value<'a>,
    pub start: usize,
    pub end: usize,
}

impl<'a> Document<'a> {
    /// Validates the text.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        Value::parse(text)?;
        let is_indexed = text.len() >= INDEXED_BYTES_MIN;
        let containers = if is_indexed { long_containers(text) } else { Vec::new() };
        Some(Document { text, containers })
    }

    /// An object's members without its braces, known to be valid.
    pub fn of_members(text: &'a [u8]) -> Self {
        Document { text, containers: Vec::new() }
    }

    /// Where the outermost value starts.
    pub fn root(&self) -> usize {
        skip_blanks(self.text, 0)
    }

    /// The byte there; 0 behind the end.
    pub fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    /// What value starts there.
    pub fn kind(&self, at: usize) -> Kind {
        Value { raw: self.from(at) }.kind()
    }

    /// The text from there on.
    pub fn from(&self, at: usize) -> &'a [u8] {
        self.text.get(at..).unwrap_or_default()
    }

    /// The value that starts there.
    pub fn value(&self, at: usize) -> Value<'a> {
        self.slice(at, self.end_of(at))
    }

    /// The value between two offsets.
    pub fn slice(&self, start: usize, end: usize) -> Value<'a> {
        Value { raw: self.text.get(start..end).unwrap_or_default() }
    }

    /// Where the value that starts there ends.
    pub fn end_of(&self, start: usize) -> usize {
        let known = self.containers.binary_search_by_key(&start, |container| container.0);
        match known {
            Ok(index) => self.containers[index].1,
            Err(_) if start < self.text.len() => value_end(self.text, start),
            Err(_) => start,
        }
    }

    /// Where the first element (or member name) of a container starts, if it has any.
    pub fn first(&self, container: usize) -> Option<usize> {
        self.next(container + 1)
    }

    /// Where the next element starts, given where the last one ended.
    pub fn next(&self, end: usize) -> Option<usize> {
        let at = skip_separator(self.text, end);
        (!matches!(self.byte(at), b']' | b'}' | 0)).then_some(at)
    }

    /// Where the container closes, given where its last element ended.
    pub fn close(&self, end: usize) -> usize {
        (skip_separator(self.text, end) + 1).min(self.text.len())
    }

    /// The member whose name starts there.
    pub fn member(&self, name_start: usize) -> Member<'a> {
        let name_end = self.end_of(name_start);
        let colon = skip_blanks(self.text, name_end);
        let start = skip_blanks(self.text, colon + 1);
        Member { name: self.slice(name_start, name_end), start, end: self.end_of(start) }
    }

    /// The value of the first member of that name; `None` too if there is no object.
    pub fn first_member(&self, object: usize, name: &[u8]) -> Option<Value<'a>> {
        if self.kind(object) != Kind::Object {
            return None;
        }
        let member = self.find(self.first(object), name)?;
        Some(self.slice(member.start, member.end))
    }

    /// Whether a member of that name starts there or later in the same object.
    pub fn has_member(&self, first: usize, name: &[u8]) -> bool {
        self.find(Some(first), name).is_some()
    }

    fn find(&self, mut at: Option<usize>, name: &[u8]) -> Option<Member<'a>> {
        while let Some(name_start) = at {
            let member = self.member(name_start);
            if member.name.string() == name {
                return Some(member);
            }
            at = self.next(member.end);
        }
        None
    }
}

fn long_containers(text: &[u8]) -> Vec<(usize, usize)> {
    let mut open: Vec<usize> = Vec::new();
    let mut containers = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => {
                at = string_end(text, at).unwrap_or(text.len());
                continue;
            }
            b'{' | b'[' => open.push(at),
            b'}' | b']' => {
                let start = open.pop().unwrap_or(at);
                if at - start > CONTAINER_BYTES_MIN {
                    containers.push((start, at + 1));
                }
            }
            _ => {}
        }
        at += 1;
    }
    containers.sort_unstable();
    containers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_containers_end_where_scanning_says() {
        let list = "[1,\"]\",{}],".repeat(2000);
        let text = format!(r#" {{"a":[{list}0] , "b":[[[{list}[]]]]}} "#);
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(document.containers.len(), 5);
        for (start, end) in &document.containers {
            assert_eq!(value_end(text.as_bytes(), *start), *end);
        }
        let second = document.first_member(document.root(), b"b").unwrap();
        assert!(second.raw.starts_with(b"[[[[1") && second.raw.ends_with(b"[]]]]"));
    }

    #[test]
    fn members_and_elements_are_found_between_blanks() {
        let document = Document::parse(b" { \"a\" : [ 1 , 2 ] , \"b\":{ } } ").unwrap();
        let member = document.member(document.first(document.root()).unwrap());
        assert_eq!(document.value(member.start).raw, b"[ 1 , 2 ]");
        let one = document.first(member.start).unwrap();
        assert_eq!(document.byte(one), b'1');
        let two = document.next(document.end_of(one)).unwrap();
        assert_eq!(document.next(document.end_of(two)), None);
        assert_eq!(document.close(two + 1), member.end);
        let last = document.member(document.next(member.end).unwrap());
        assert_eq!(document.first(last.start), None);
        assert_eq!(document.close(last.start + 1), last.end);
    }
}
