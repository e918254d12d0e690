//! Reading and writing JSON text by path, in place: no tree is built, and bytes outside of the
//! path's target never change. The text may be invalid JSON, since stored strings aren't validated.

pub mod glob;

mod build;
mod encode;
mod modifier;
mod pretty;
mod query;
mod read;
mod set;
mod walk;

use std::borrow::Cow;
use std::ops::Range;

pub use encode::{encode_value, ValueMode};
pub use set::{delete, set, PathError, ARRAY_PADDING_COUNT_MAX, PATH_PARTS_MAX};

use super::{Kind, Value};
use crate::number::write_float;

/// A value that a path found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'t> {
    /// The JSON text of the value. Text of an array or object may be broken JSON.
    pub raw: Cow<'t, [u8]>,
    /// The kind of the value.
    pub kind: Kind,
    /// The position in the document.
    pub places: Places,
}

/// The position of a found value in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// The value is computed and has no position.
    Computed,
    /// The value is one slice of the document.
    One(Range<usize>),
    /// The value is an array made of these slices.
    Many(Vec<Range<usize>>),
}

/// Returns the value at a path; `None` if there is none, or if the search exceeds its budget.
pub fn get<'t>(text: &'t [u8], path: &[u8]) -> Option<Found<'t>> {
    read::Reader::get(text, path)
}

/// Returns the value of the whole text. An array or object isn't validated and includes all the
/// text from its bracket on; any other value must be valid JSON.
pub fn document(text: &[u8]) -> Option<Found<'_>> {
    let start = walk::skip(text, 0, b' ');
    let raw = match text.get(start)? {
        b'{' | b'[' => &text[start..],
        _ => Value::parse(text)?.raw,
    };
    let kind = walk::kind_of(raw)?;
    Some(Found { raw: Cow::Borrowed(raw), kind, places: Places::One(start..start + raw.len()) })
}

impl<'t> Found<'t> {
    /// Returns the value as JGET shows it: the content of a string, an empty text for null, numbers
    /// without exponent and trailing zeros, other kinds as written.
    pub fn plain(self) -> Cow<'t, [u8]> {
        match self.kind {
            Kind::Null => Cow::Borrowed(b""),
            Kind::Number => plain_number(self.raw),
            Kind::String => match self.raw {
                Cow::Borrowed(raw) => walk::content_of(raw),
                Cow::Owned(raw) => Cow::Owned(walk::content_of(&raw).into_owned()),
            },
            Kind::False | Kind::True | Kind::Array | Kind::Object => self.raw,
        }
    }
}

fn plain_number(raw: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let digits = raw.strip_prefix(b"-").unwrap_or(&raw);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return raw;
    }
    let mut out = Vec::new();
    write_float(&mut out, number_of(&raw));
    Cow::Owned(out)
}

/// Returns the value of a number; 0 if the text is malformed.
fn number_of(raw: &[u8]) -> f64 {
    fast_float2::parse(raw).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_values() {
        let plain = |text: &str| {
            let found = document(text.as_bytes())?;
            Some(String::from_utf8(found.plain().into_owned()).unwrap())
        };
        for (text, expected) in [
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("-12", "-12"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (r#""a\nb""#, "a\nb"),
            ("null", ""),
            ("true", "true"),
            (" [1, 2] x", "[1, 2] x"),
            ("{\"a\":1", "{\"a\":1"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "hello", "true story", "5 apples", "\"abc", "nope", "Infinity", "\u{a0}1"]
        {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn hostile_paths_are_answered() {
        let deep = format!("{}{}", "{\"a\":[".repeat(5000), "1");
        let wide = format!("[{}1]", "[1],".repeat(2000));
        let mixed = r#"{"a":[[1],{"a":[2]}],"b":{"a":[3]}}"#;
        for text in [deep.as_str(), wide.as_str(), mixed] {
            for path in [
                "a.0.".repeat(10_000),
                "#.".repeat(10_000),
                "@dig:".repeat(5000),
                "@dig:@this".into(),
                "[@this,@this]|".repeat(2000) + "#",
                "@tostr|".repeat(2000) + "@this",
                "#(".repeat(10_000),
                "[".repeat(10_000) + &"]".repeat(10_000),
                "*".repeat(10_000) + "x",
                "@pretty:{\"indent\":\"".to_owned() + &" ".repeat(10_000) + "\"}",
                "[".to_owned() + &"@dig:a,".repeat(5000) + "a]",
                "#.@flatten".repeat(1000),
                "@group|@join|@keys|".repeat(1000),
            ] {
                get(text.as_bytes(), path.as_bytes());
            }
        }
    }

    fn pieces(list: &'static [&'static str]) -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(list), 0..14).prop_map(|p| p.concat())
    }

    const TEXTS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"a\"",
        "\"b\"",
        ":",
        ",",
        "1",
        "\\",
        "\"",
        " ",
        "\n",
        "null",
        "x",
        "{\"a\":[1,{\"b\":2}]}",
        "[{\"a\":1},{\"a\":\"q\"}]",
        "-1.5e3",
        "true",
    ];
    const PATHS: &[&str] = &[
        "a",
        "b",
        ".",
        "|",
        "#",
        "#(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "0",
        "1",
        "-1",
        "*",
        "?",
        "\\",
        ":",
        "\"",
        "=",
        "<",
        "%",
        "~true",
        "!",
        ",",
        "@this",
        "@pretty",
        "@flatten:{\"deep\":true}",
        "@dig:",
        "@join",
        "@keys",
        "@values",
        "@group",
        "@tostr",
        "@fromstr",
        "@reverse",
        "..",
    ];

    proptest! {
        #[test]
        fn random_text_and_paths_never_panic(text in pieces(TEXTS), path in pieces(PATHS)) {
            let (text, path) = (text.as_bytes(), path.as_bytes());
            if let Some(found) = get(text, path) {
                if let Places::One(place) = &found.places {
                    prop_assert_eq!(&text[place.clone()], &*found.raw);
                }
                let _ = found.plain();
            }
            let _ = set(text, path, b"5");
            let _ = delete(text, path);
        }

        #[test]
        fn random_bytes_never_panic(
            text in proptest::collection::vec(any::<u8>(), 0..40),
            path in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            get(&text, &path).map(Found::plain);
            let _ = set(&text, &path, b"5");
            let _ = delete(&text, &path);
        }

        #[test]
        fn what_was_set_is_read_and_what_was_deleted_is_gone(
            names in proptest::collection::vec("[a-c]|[0-2]", 1..5),
            start in proptest::sample::select(vec!["", "{}", "[]", r#"{"a":{"b":[1]}}"#, "[[1]]"]),
        ) {
            let path = names.join(".");
            let written = set(start.as_bytes(), path.as_bytes(), b"\"new\"");
            prop_assume!(written.is_ok());
            let text = written.unwrap_or_default();
            let found = get(&text, path.as_bytes()).unwrap();
            prop_assert_eq!(&*found.raw, b"\"new\"");
            prop_assert_eq!(found.kind, Kind::String);
            prop_assert!(crate::json::is_valid(&text));
            let shorter = delete(&text, path.as_bytes()).unwrap().unwrap();
            prop_assert!(crate::json::is_valid(&shorter));
            let left = get(&shorter, path.as_bytes());
            prop_assert!(left.is_none_or(|found| &*found.raw != b"\"new\""));
        }
    }
}
