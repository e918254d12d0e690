//! Names of fields that are paths into fields of JSON, as FGET and WHERE read them.

use crate::field::{Kind, Names, Value};
use crate::json::{self, path};

/// The value that a name reads, which may be a path into a field of JSON: `a.b.c`. Fields are
/// walked in the order of their names; a JSON field whose own name has a dot can't be read.
pub fn read_field<'a>(
    names: &Names,
    get: impl Fn(u32) -> Option<Value<'a>>,
    name: &[u8],
) -> Option<Value<'a>> {
    if let Some(dot) = name.iter().position(|byte| *byte == b'.') {
        let head = names.serial(&name[..dot]).and_then(&get);
        if let Some(json) = head.filter(|value| value.kind() == Kind::Json) {
            if let Some(found) = path::get(json.text(), &name[dot + 1..]) {
                return Some(value_of_found(found));
            }
        }
        let whole = names.serial(name).and_then(get);
        return whole.filter(|value| value.kind() != Kind::Json);
    }
    names.serial(name).and_then(get)
}

/// Types what a JSON path found; numbers as JGET prints them.
fn value_of_found(found: path::Found<'_>) -> Value<'static> {
    match found.kind {
        json::Kind::Number => Value::parse(&found.plain()).into_owned(),
        _ => Value::of_json(&found.raw).into_owned(),
    }
}
