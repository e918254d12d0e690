//! Field names of FGET and WHERE that are paths into JSON fields.

use crate::field::{Kind, Names, Value};
use crate::json::{self, path};

/// Returns the value of a name, which may be a path into a JSON field: `a.b.c`. Fields are tried in
/// the order of their names; a JSON field whose own name has a dot can't be read.
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

/// Returns the typed value that a JSON path found; numbers have the text that JGET prints.
fn value_of_found(found: path::Found<'_>) -> Value<'static> {
    match found.kind {
        json::Kind::Number => Value::parse(&found.plain()).into_owned(),
        _ => Value::of_json(&found.raw).into_owned(),
    }
}
