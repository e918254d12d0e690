//! Reading by path: follows the components of a path through a text.
//!
//! A component is parsed only when its value is known, since its meaning depends on that value: `#`
//! counts an array but is the name of a member of an object.

use std::borrow::Cow;
use std::ops::Range;

use super::build::{build, literal};
use super::glob::{matches_glob_within, Case};
use super::modifier::Modifier;
use super::query::Query;
use super::walk::{
    content_of, first_container, group_end, kind_of, skip, value_end, Elements, Members,
};
use super::{Found, Places};
use crate::json::DEPTH_MAX;

/// Maximum bytes of a path; a longer one finds nothing.
const PATH_BYTES_MAX: usize = 1 << 16;

/// The fixed part of a read's budget, in bytes of text and path.
const WORK_BYTES_MIN: usize = 1 << 26;

/// The passes over the text that are added to a read's budget. An ordinary read makes one pass for
/// each component; only paths that repeat themselves need more than this.
const WORK_PER_BYTE: usize = 32;

/// The cost of a written byte in read ones, which bounds the size of built values.
const WRITE_COST: usize = 8;

/// The cost of a step in addition to the bytes that it reads.
const STEP_COST: usize = 32;

/// Text to search, and its position in the document unless it was computed.
#[derive(Clone, Copy, Debug)]
pub struct Part<'t> {
    pub raw: &'t [u8],
    pub base: Option<usize>,
}

impl<'t> Part<'t> {
    fn slice(&self, place: Range<usize>) -> Self {
        Self { base: self.base.map(|base| base + place.start), raw: &self.raw[place] }
    }

    fn found(&self) -> Option<Found<'t>> {
        let kind = kind_of(self.raw)?;
        let places = match self.base {
            Some(base) => Places::One(base..base + self.raw.len()),
            None => Places::Computed,
        };
        Some(Found { raw: Cow::Borrowed(self.raw), kind, places })
    }
}

/// The separator after a component, with the remaining path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest<'p> {
    End,
    Dot(&'p [u8]),
    Pipe(&'p [u8]),
}

impl<'p> Rest<'p> {
    /// Returns the separator and the remaining path; text that can't follow a component is ignored.
    fn of(path: &'p [u8]) -> Self {
        match path {
            [b'.', rest @ ..] => Rest::Dot(rest),
            [b'|', rest @ ..] => Rest::Pipe(rest),
            _ => Rest::End,
        }
    }
}

/// Follows paths within a budget.
#[derive(Debug)]
pub struct Reader {
    work_left: usize,
    depth: usize,
}

impl Reader {
    /// Finds the value at a path in a document.
    pub fn get<'t>(text: &'t [u8], path: &[u8]) -> Option<Found<'t>> {
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        let work_left = text.len().saturating_mul(WORK_PER_BYTE).saturating_add(WORK_BYTES_MIN);
        Self { work_left, depth: 0 }.find(Part { raw: text, base: Some(0) }, path)
    }

    /// Returns whether a glob matches, and subtracts the steps from the budget.
    pub fn matches_glob(&mut self, text: &[u8], pattern: &[u8]) -> bool {
        matches_glob_within(&mut self.work_left, text, pattern, Case::Sensitive)
    }

    /// Subtracts the cost of so many read and written bytes; returns `None` without budget left.
    pub fn spend(&mut self, read: usize, written: usize) -> Option<()> {
        let cost = written.saturating_mul(WRITE_COST).saturating_add(read);
        self.work_left = self.work_left.checked_sub(cost.saturating_add(STEP_COST))?;
        Some(())
    }

    /// Returns the value at a path within a part.
    pub fn find<'t>(&mut self, part: Part<'t>, path: &[u8]) -> Option<Found<'t>> {
        self.spend(path.len().saturating_add(part.raw.len()), 0)?;
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let found = self.find_start(part, path);
        self.depth -= 1;
        found
    }

    /// Evaluates a component that is valid only at the start of a path or after a pipe.
    fn find_start<'t>(&mut self, part: Part<'t>, path: &[u8]) -> Option<Found<'t>> {
        match path {
            [b'@', ..] => {
                if let Some((modifier, length)) = Modifier::parse(path) {
                    let text = modifier.apply(self, part.raw)?;
                    return self.computed(&text, &path[length..]);
                }
            }
            [b'!', ..] => {
                let (text, length) = literal(path)?;
                return self.computed(&text, &path[length..]);
            }
            [b'{' | b'[', ..] => {
                let (text, length) = build(self, part, path)?;
                return self.computed(&text, &path[length..]);
            }
            [b'.', b'.', path @ ..] => return self.elements(part, 0, path),
            _ => {}
        }
        // Text before the first array or object is skipped, but the content of a string isn't
        // searched.
        let start = skip(part.raw, 0, b' ');
        if part.raw.get(start) == Some(&b'"') {
            return None;
        }
        let start = first_container(part.raw)?;
        if part.raw[start] == b'{' {
            self.members(part, start + 1, path)
        } else {
            self.elements(part, start + 1, path)
        }
    }

    /// Continues the path in a computed text, which isn't part of the document.
    fn computed<'t>(&mut self, text: &[u8], rest: &[u8]) -> Option<Found<'t>> {
        self.spend(0, text.len())?;
        if let Rest::Dot(path) | Rest::Pipe(path) = Rest::of(rest) {
            return self.find(Part { raw: text, base: None }, path).map(into_owned);
        }
        super::document(text).map(|found| Found { places: Places::Computed, ..into_owned(found) })
    }

    /// Follows the path into a member.
    fn members<'t>(&mut self, part: Part<'t>, at: usize, path: &[u8]) -> Option<Found<'t>> {
        let name = Name::parse(path);
        for member in (Members { text: part.raw, at }) {
            if !name.is_match(self, &part.raw[member.name]) {
                continue;
            }
            let value = part.slice(member.value);
            let found = match name.rest {
                Rest::End => value.found(),
                Rest::Dot(rest) => self.find(value, rest),
                Rest::Pipe(rest) => return self.find(value, rest),
            };
            // The remaining path may find its value in another matching member.
            if found.is_some() || self.work_left < STEP_COST {
                return found;
            }
        }
        None
    }

    /// Follows the path into an element, the count of elements, or a list.
    fn elements<'t>(&mut self, part: Part<'t>, at: usize, path: &[u8]) -> Option<Found<'t>> {
        let elements = Elements { text: part.raw, at };
        match path {
            [b'#', b'.', rest @ ..] => {
                let (each, pipe) = split_at_pipe(rest);
                let list = self.collect(part, elements, None, Some(each))?;
                self.pipe(list, pipe)
            }
            [b'#', b'(' | b'[', ..] => {
                let end = group_end(path, 1)?;
                let query = Query::parse(&path[2..end - 1]);
                match &path[end..] {
                    [b'#', rest @ ..] => self.all(part, elements, &query, Rest::of(rest)),
                    rest => self.first(part, elements, &query, Rest::of(rest)),
                }
            }
            [b'#', rest @ ..] if rest.is_empty() || rest[0] == b'|' => {
                self.computed(elements.count().to_string().as_bytes(), rest)
            }
            _ => {
                let length = path.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let is_whole = matches!(path.get(length), None | Some(b'.' | b'|'));
                let index = std::str::from_utf8(&path[..length]).ok()?.parse::<usize>().ok()?;
                let place = elements.into_iter().nth(index).filter(|_| is_whole)?;
                self.follow(part.slice(place), Rest::of(&path[length..]))
            }
        }
    }

    fn follow<'t>(&mut self, part: Part<'t>, rest: Rest) -> Option<Found<'t>> {
        match rest {
            Rest::End => part.found(),
            Rest::Dot(path) | Rest::Pipe(path) => self.find(part, path),
        }
    }

    /// Follows `#(query)` into the first element for which the query holds.
    fn first<'t>(
        &mut self,
        part: Part<'t>,
        mut elements: Elements<'t>,
        query: &Query,
        rest: Rest,
    ) -> Option<Found<'t>> {
        let place = elements.find(|place| query.holds(self, part.slice(place.clone())))?;
        self.follow(part.slice(place), rest)
    }

    /// Follows `#(query)#` into the list of all elements for which the query holds.
    fn all<'t>(
        &mut self,
        part: Part<'t>,
        elements: Elements<'t>,
        query: &Query,
        rest: Rest,
    ) -> Option<Found<'t>> {
        let (each, pipe) = match rest {
            Rest::End => (None, None),
            Rest::Pipe(pipe) => (None, Some(pipe)),
            Rest::Dot(path) => {
                let (each, pipe) = split_at_pipe(path);
                (Some(each), pipe)
            }
        };
        let list = self.collect(part, elements, Some(query), each)?;
        self.pipe(list, pipe)
    }

    fn pipe<'t>(&mut self, list: Found<'t>, path: Option<&[u8]>) -> Option<Found<'t>> {
        match path {
            None => Some(list),
            Some(path) => self.find(Part { raw: &list.raw, base: None }, path).map(into_owned),
        }
    }

    /// Returns an array of the values that the path finds in the elements for which the query
    /// holds.
    fn collect<'t>(
        &mut self,
        part: Part<'t>,
        elements: Elements<'t>,
        query: Option<&Query>,
        path: Option<&[u8]>,
    ) -> Option<Found<'t>> {
        let mut list = vec![b'['];
        let mut places = Vec::new();
        for place in elements {
            let element = part.slice(place);
            if query.is_some_and(|query| !query.holds(self, element)) {
                continue;
            }
            let found = match path {
                Some(path) => self.find(element, path),
                None => element.found(),
            };
            let Some(found) = found else { continue };
            self.spend(0, found.raw.len())?;
            if list.len() > 1 {
                list.push(b',');
            }
            list.extend_from_slice(&found.raw);
            match found.places {
                Places::Computed => {}
                Places::One(place) => places.push(place),
                Places::Many(more) => places.extend(more),
            }
        }
        list.push(b']');
        Some(Found {
            raw: Cow::Owned(list),
            kind: crate::json::Kind::Array,
            places: Places::Many(places),
        })
    }
}

/// The name of a member, or a glob that matches its name.
struct Name<'p> {
    text: Cow<'p, [u8]>,
    is_glob: bool,
    rest: Rest<'p>,
}

impl<'p> Name<'p> {
    fn parse(path: &'p [u8]) -> Self {
        let (mut is_glob, mut is_escaped) = (false, false);
        let mut at = 0;
        while let Some(byte) = path.get(at) {
            match byte {
                b'.' | b'|' => break,
                b'*' | b'?' => is_glob = true,
                b'\\' => {
                    is_escaped = true;
                    at += 1;
                }
                _ => {}
            }
            at += 1;
        }
        let at = at.min(path.len());
        let spelled = &path[..at];
        // Backslashes stay, since the glob interprets them.
        let text = if is_escaped && !is_glob {
            Cow::Owned(without_backslashes(spelled))
        } else {
            Cow::Borrowed(spelled)
        };
        Self { text, is_glob, rest: Rest::of(&path[at..]) }
    }

    /// Returns whether the component matches the name of a member, given with its quotes.
    fn is_match(&self, reader: &mut Reader, quoted: &[u8]) -> bool {
        let name = content_of(quoted);
        if self.is_glob {
            reader.matches_glob(&name, &self.text)
        } else {
            name == self.text
        }
    }
}

/// Removes backslashes: each makes the next byte literal.
fn without_backslashes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            other => out.push(*other),
        }
    }
    out
}

/// Splits a path at its first pipe outside of brackets and strings.
fn split_at_pipe(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        match byte {
            b'|' => return (&path[..at], Some(&path[at + 1..])),
            b'\\' => at += 2,
            b'(' | b'[' | b'{' => at = group_end(path, at).unwrap_or(path.len()),
            _ => at += 1,
        }
    }
    (path, None)
}

fn into_owned<'n>(found: Found<'_>) -> Found<'n> {
    Found { raw: Cow::Owned(found.raw.into_owned()), kind: found.kind, places: found.places }
}

/// Returns the value at the start of a text, without the white space around it.
pub fn whole(raw: &[u8]) -> &[u8] {
    let start = skip(raw, 0, b' ');
    &raw[start..value_end(raw, start)]
}

#[cfg(test)]
mod tests {
    use super::super::{get, Places};

    const TEXT: &str = r#"{"name":{"first":"Tom","la.st":"A"},"age":37,"a*b":1,"@this":2,
        "f":[{"n":"a","x":1,"t":["q"]},{"n":"b","x":2.50},{"n":"c"},5],"e":[],"5":"five","age":0}"#;

    fn raw(text: &str, path: &str) -> Option<String> {
        let found = get(text.as_bytes(), path.as_bytes())?;
        Some(String::from_utf8(found.raw.into_owned()).unwrap())
    }

    fn check(text: &str, cases: &[(&str, &str)]) {
        for (path, expected) in cases {
            assert_eq!(raw(text, path).as_deref(), Some(*expected), "{path}");
        }
    }

    #[test]
    fn names_indexes_and_globs() {
        check(
            TEXT,
            &[
                ("name.first", "\"Tom\""),
                (r"name.la\.st", "\"A\""),
                ("age", "37"),
                ("5", "\"five\""),
                ("f.1.x", "2.50"),
                ("f.01.x", "2.50"),
                ("f|1|x", "2.50"),
                ("na*.f?rst", "\"Tom\""),
                ("*.first", "\"Tom\""),
                (r"a\*b", "1"),
                (r"\@this", "2"),
                ("*.#", "4"),
                ("e", "[]"),
            ],
        );
        for path in ["nope", "f.4", "f.-1", "f.x", "f.*", "age.x", "name.first.x", "f.1x", ""] {
            assert_eq!(raw(TEXT, path), None, "{path}");
        }
    }

    #[test]
    fn hashes_count_collect_and_ask() {
        check(
            TEXT,
            &[
                ("f.#", "4"),
                ("f.#.x", "[1,2.50]"),
                ("f.#.t.0", "[\"q\"]"),
                ("f.#.x|1", "2.50"),
                ("f.#.zz", "[]"),
                ("f.#(x>1).n", "\"b\""),
                ("f.#(x>=1)#.n", "[\"a\",\"b\"]"),
                ("f.#(x>=1)#|#", "2"),
                ("f.#(x>9)#", "[]"),
                ("f.#[n==\"c\"]", "{\"n\":\"c\"}"),
                ("f.#(n==c).n", "\"c\""),
                ("f.#(n%\"[ab]\")#", "[]"),
                ("f.#(n%\"?\")#.x", "[1,2.50]"),
                ("f.#(n!%\"a*\").n", "\"b\""),
                ("f.#(t)#.n", "[\"a\"]"),
                ("f.#(t.#(==\"q\")).x", "1"),
                ("f.#(>4)", "5"),
                ("f.#(x==~false)#.n", "[\"c\"]"),
                ("f.#(x==~*)#.n", "[\"a\",\"b\"]"),
                ("f.#(x==~null)#.n", "[\"c\"]"),
                ("f.#(x!=~true)#.n", "[\"c\"]"),
            ],
        );
        assert_eq!(raw(TEXT, "f.#(x>9)"), None);
        assert_eq!(raw(r#"[null,{},[],true,"x"]"#, "#(!=0)#").unwrap(), r#"[true,"x"]"#);
    }

    #[test]
    fn built_values_and_literals() {
        check(
            TEXT,
            &[
                ("{age,\"n\":name.first}", "{\"age\":37,\"n\":\"Tom\"}"),
                ("{age,nope,f.#}", "{\"age\":37,\"_\":4}"),
                ("[age,name.first,nope,!\"x\"]", "[37,\"Tom\",\"x\"]"),
                ("name.{first,\"y\":!true}.y", "true"),
                ("f.#.{n}", "[{\"n\":\"a\"},{\"n\":\"b\"},{\"n\":\"c\"},{}]"),
                ("f.0.[x,t.@reverse]", "[1,[\"q\"]]"),
                ("!{\"a\":[1]}|a.0", "1"),
            ],
        );
        assert_eq!(raw(TEXT, "!nope"), None);
    }

    #[test]
    fn lines_are_a_list() {
        let text = "{\"a\":1}\n{\"a\":2}\n[3]";
        check(text, &[("..#", "3"), ("..1.a", "2"), ("..#.a", "[1,2]"), ("..2.0", "3")]);
    }

    #[test]
    fn text_that_is_no_json_is_searched_from_its_first_bracket() {
        check(r#"abc {"a":1}"#, &[("a", "1")]);
        check(r#"{"a":1,"bad":{oops}"#, &[("a", "1"), ("bad", "{oops}")]);
        for (text, path) in [("5", "a"), ("hello", "x"), ("\"{a}\"", "a"), ("{\"a\":oops}", "a")] {
            assert_eq!(raw(text, path), None, "{text}");
        }
    }

    #[test]
    fn places_are_slices_of_the_document() {
        let places = |path: &str| get(TEXT.as_bytes(), path.as_bytes()).unwrap().places;
        let start = TEXT.find("37").unwrap();
        assert_eq!(places("age"), Places::One(start..start + 2));
        let (first, second) = (TEXT.find("1,\"t\"").unwrap(), TEXT.find("2.50").unwrap());
        let expected = Places::Many(vec![first..first + 1, second..second + 4]);
        assert_eq!(places("f.#.x"), expected);
        assert_eq!(places("f.#(x>0)#.x"), expected);
        assert_eq!(places("f.#"), Places::Computed);
    }
}
