//! Modifiers of paths: `@name` or `@name:argument` transforms a JSON text.

use super::document;
use super::pretty::{pretty, Style};
use super::read::{whole, Part, Reader};
use super::walk::{content_of, group_end, kind_of, Elements, Member, Members};
use crate::json::{is_valid, minify, write_full, Kind, DEPTH_MAX};

/// The modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    This,
    Valid,
    Ugly,
    Pretty,
    Reverse,
    Flatten,
    Join,
    Keys,
    Values,
    ToString,
    FromString,
    Group,
    Dig,
}

/// A modifier with its argument.
#[derive(Clone, Copy, Debug)]
pub struct Modifier<'p> {
    name: Name,
    argument: &'p [u8],
}

impl<'p> Modifier<'p> {
    /// Returns the modifier at the start of the path and its length; `None` if the name is unknown.
    pub fn parse(path: &'p [u8]) -> Option<(Self, usize)> {
        let name_end =
            path.iter().position(|byte| matches!(byte, b':' | b'.' | b'|')).unwrap_or(path.len());
        let name = Self::named(path.get(1..name_end)?)?;
        if path.get(name_end) != Some(&b':') {
            return Some((Self { name, argument: b"" }, name_end));
        }
        let start = name_end + 1;
        let group = match path.get(start) {
            Some(b'{' | b'[' | b'(' | b'"') => group_end(path, start),
            _ => None,
        };
        let length_to_pipe = || path[start..].iter().position(|byte| *byte == b'|');
        let end = group.unwrap_or_else(|| length_to_pipe().map_or(path.len(), |n| start + n));
        Some((Self { name, argument: &path[start..end] }, end))
    }

    fn named(name: &[u8]) -> Option<Name> {
        Some(match name {
            b"this" => Name::This,
            b"valid" => Name::Valid,
            b"ugly" => Name::Ugly,
            b"pretty" => Name::Pretty,
            b"reverse" => Name::Reverse,
            b"flatten" => Name::Flatten,
            b"join" => Name::Join,
            b"keys" => Name::Keys,
            b"values" => Name::Values,
            b"tostr" => Name::ToString,
            b"fromstr" => Name::FromString,
            b"group" => Name::Group,
            b"dig" => Name::Dig,
            _ => return None,
        })
    }

    /// Returns the transformed text; `None` if there is none.
    pub fn apply(&self, reader: &mut Reader, text: &[u8]) -> Option<Vec<u8>> {
        reader.spend(text.len(), text.len())?;
        match self.name {
            Name::This => Some(text.to_vec()),
            Name::Valid => is_valid(text).then(|| text.to_vec()),
            Name::Ugly => Some(ugly(text)),
            Name::Pretty => pretty(reader, text, &Style::parse(self.argument)),
            Name::Reverse => Some(reverse(text)),
            Name::Flatten => Some(flatten(text, is_set(self.argument, b"deep"))),
            Name::Join => Some(join(text, is_set(self.argument, b"preserve"))),
            Name::Keys => Some(keys(text)),
            Name::Values => Some(values(text)),
            Name::ToString => {
                let mut out = Vec::new();
                write_full(&mut out, text);
                Some(out)
            }
            Name::FromString if is_valid(text) => Some(document(text)?.plain().into_owned()),
            Name::FromString => None,
            Name::Group => group(reader, text),
            Name::Dig => dig(reader, text, self.argument),
        }
    }
}

/// Returns whether a member of the argument, a JSON object, is true.
pub fn is_set(argument: &[u8], name: &[u8]) -> bool {
    let mut members = members_of(argument);
    members
        .find(|member| content_of(&argument[member.name.clone()]) == name)
        .is_some_and(|member| &argument[member.value] == b"true")
}

/// Returns the members of an object; no members for other kinds of text.
pub fn members_of(text: &[u8]) -> Members<'_> {
    let start = super::walk::skip(text, 0, b' ');
    let is_object = text.get(start) == Some(&b'{');
    Members { text, at: if is_object { start + 1 } else { text.len() } }
}

/// Returns the elements of an array; no elements for other kinds of text.
pub fn elements_of(text: &[u8]) -> Elements<'_> {
    let start = super::walk::skip(text, 0, b' ');
    let is_array = text.get(start) == Some(&b'[');
    Elements { text, at: if is_array { start + 1 } else { text.len() } }
}

fn kind(text: &[u8]) -> Option<Kind> {
    kind_of(whole(text))
}

fn ugly(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    minify(&mut out, text);
    out
}

/// Returns a list between brackets.
fn list<'t>(open: u8, items: impl Iterator<Item = &'t [u8]>, close: u8) -> Vec<u8> {
    let mut out = vec![open];
    for item in items {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(item);
    }
    out.push(close);
    out
}

fn spelled(text: &[u8], member: &Member) -> Vec<u8> {
    [&text[member.name.clone()], b":", &text[member.value.clone()]].concat()
}

fn reverse(text: &[u8]) -> Vec<u8> {
    match kind(text) {
        Some(Kind::Array) => {
            let places: Vec<_> = elements_of(text).collect();
            list(b'[', places.into_iter().rev().map(|place| &text[place]), b']')
        }
        Some(Kind::Object) => {
            let members: Vec<_> = members_of(text).map(|m| spelled(text, &m)).collect();
            list(b'{', members.iter().rev().map(Vec::as_slice), b'}')
        }
        _ => text.to_vec(),
    }
}

/// Replaces elements that are arrays by their own elements, once or at all depths.
fn flatten(text: &[u8], is_deep: bool) -> Vec<u8> {
    if kind(text) != Some(Kind::Array) {
        return text.to_vec();
    }
    let mut flat = Vec::new();
    let mut open = vec![(elements_of(text), text)];
    while let Some((elements, text)) = open.last_mut() {
        let text = *text;
        let Some(place) = elements.next() else {
            open.pop();
            continue;
        };
        let element = &text[place];
        let depth_max = if is_deep { DEPTH_MAX } else { 2 };
        if element.first() == Some(&b'[') && open.len() < depth_max {
            open.push((elements_of(element), element));
        } else {
            flat.push(element);
        }
    }
    list(b'[', flat.into_iter(), b']')
}

/// Returns one object with the members of all objects of an array. Of members with the same name,
/// the first position and the last value stay, unless all are preserved.
fn join(text: &[u8], is_preserving: bool) -> Vec<u8> {
    if kind(text) != Some(Kind::Array) {
        return text.to_vec();
    }
    let mut places = std::collections::HashMap::new();
    let mut members: Vec<(&[u8], &[u8])> = Vec::new();
    for object in elements_of(text) {
        let object = &text[object];
        for member in members_of(object) {
            let (name, value) = (&object[member.name], &object[member.value]);
            let place = *places.entry(content_of(name)).or_insert(members.len());
            if place < members.len() && !is_preserving {
                members[place].1 = value;
            } else {
                members.push((name, value));
            }
        }
    }
    let spelled = |(name, value): &(&[u8], &[u8])| [*name, b":", *value].concat();
    let members: Vec<_> = members.iter().map(spelled).collect();
    list(b'{', members.iter().map(Vec::as_slice), b'}')
}

fn keys(text: &[u8]) -> Vec<u8> {
    match kind(text) {
        Some(Kind::Object) => list(b'[', members_of(text).map(|member| &text[member.name]), b']'),
        Some(Kind::Array) => list(b'[', elements_of(text).map(|_| &b"null"[..]), b']'),
        Some(_) => b"[null]".to_vec(),
        None => b"[]".to_vec(),
    }
}

fn values(text: &[u8]) -> Vec<u8> {
    match kind(text) {
        Some(Kind::Object) => list(b'[', members_of(text).map(|member| &text[member.value]), b']'),
        Some(Kind::Array) => text.to_vec(),
        Some(_) => list(b'[', std::iter::once(whole(text)), b']'),
        None => b"[]".to_vec(),
    }
}

/// Transforms an object of arrays into an array of objects.
fn group(reader: &mut Reader, text: &[u8]) -> Option<Vec<u8>> {
    if kind(text) != Some(Kind::Object) {
        return None;
    }
    let mut objects: Vec<Vec<u8>> = Vec::new();
    for member in members_of(text) {
        let (name, array) = (&text[member.name], &text[member.value]);
        for (index, element) in elements_of(array).enumerate() {
            // A long name is repeated for each element.
            reader.spend(0, name.len() + 1)?;
            if index == objects.len() {
                objects.push(Vec::new());
            }
            let object = &mut objects[index];
            object.push(if object.is_empty() { b'{' } else { b',' });
            object.extend_from_slice(name);
            object.push(b':');
            object.extend_from_slice(&array[element]);
        }
    }
    for object in &mut objects {
        object.push(b'}');
    }
    Some(list(b'[', objects.iter().map(Vec::as_slice), b']'))
}

/// Returns the values that the path finds in the value itself and in all nested ones, outer values
/// first.
fn dig(reader: &mut Reader, text: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut open: Vec<(Nested, &[u8])> = vec![(Nested::Once(Some(whole(text))), text)];
    while let Some((nested, text)) = open.last_mut() {
        let Some(value) = nested.next(text) else {
            open.pop();
            continue;
        };
        if let Some(hit) = reader.find(Part { raw: value, base: None }, path) {
            reader.spend(0, hit.raw.len())?;
            found.push(hit.raw.into_owned());
        }
        reader.spend(0, 0)?;
        if open.len() <= DEPTH_MAX {
            match value.first() {
                Some(b'{') => open.push((Nested::Members(members_of(value)), value)),
                Some(b'[') => open.push((Nested::Elements(elements_of(value)), value)),
                _ => {}
            }
        }
    }
    Some(list(b'[', found.iter().map(Vec::as_slice), b']'))
}

/// The remaining elements of a value during the traversal.
enum Nested<'t> {
    Once(Option<&'t [u8]>),
    Members(Members<'t>),
    Elements(Elements<'t>),
}

impl<'t> Nested<'t> {
    fn next(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        match self {
            Nested::Once(value) => value.take(),
            Nested::Members(members) => members.next().map(|member| &text[member.value]),
            Nested::Elements(elements) => elements.next().map(|place| &text[place]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::get;

    fn check(text: &str, path: &str, expected: &str) {
        let found = get(text.as_bytes(), path.as_bytes());
        let raw = found.map(|found| String::from_utf8(found.raw.into_owned()).unwrap());
        assert_eq!(raw.unwrap_or_default(), expected, "{text} {path}");
    }

    #[test]
    fn each_modifier_has_its_effect() {
        for (text, path, expected) in [
            (" [1, 2]", "@this", "[1, 2]"),
            ("[1, 2]", "@valid", "[1, 2]"),
            ("[1, 2", "@valid", ""),
            ("{ \"a\" : 1 }", "@ugly", "{\"a\":1}"),
            ("[1,2,3]", "@reverse", "[3,2,1]"),
            ("{\"a\":1,\"b\":2}", "@reverse", "{\"b\":2,\"a\":1}"),
            ("[1,[2],[3,[4]]]", "@flatten", "[1,2,3,[4]]"),
            ("[1,[2],[3,[4]]]", "@flatten:{\"deep\":true}", "[1,2,3,4]"),
            ("[{\"a\":1,\"b\":1},5,{\"a\":2}]", "@join", "{\"a\":2,\"b\":1}"),
            ("[{\"a\":1},{\"a\":2}]", "@join:{\"preserve\":true}", "{\"a\":1,\"a\":2}"),
            ("{\"a\":1,\"b\":2}", "@keys", "[\"a\",\"b\"]"),
            ("{\"a\":1,\"b\":2}", "@values", "[1,2]"),
            ("{\"a\":[1, 2]}", "a.@tostr", "\"[1, 2]\""),
            ("{\"a\":\"[1, 2]\"}", "a.@fromstr|1", "2"),
            ("{\"a\":[1,2],\"b\":[3]}", "@group", "[{\"a\":1,\"b\":3},{\"a\":2}]"),
            ("[1,2,3]", "@reverse.0", "3"),
            ("[1,2,3]", "@reverse|@reverse|0", "1"),
            ("{\"@nope\":1}", "@nope", "1"),
            ("hello", "@this", ""),
        ] {
            check(text, path, expected);
        }
    }

    #[test]
    fn dig_searches_all_depths() {
        let text = r#"{"v":1,"b":{"v":2,"c":[{"v":10},{"d":{"v":[7,8]}}]},"e":{"v":3}}"#;
        check(text, "@dig:v", "[1,2,10,[7,8],3]");
        check(text, "@dig:nope", "[]");
    }
}
