//! The library `tile38`, but for `call` and `pcall`, and the base functions whose numbers differ
//! from those of the C library.

use mlua::{Lua, Result as LuaResult, String as LuaString, Table, Value};

use super::cache::sha_of;
use super::number_text::{parse_number, write_number};
use super::resp::single_entry;
use crate::geometry::distance::Origin;
use crate::geometry::Point;

/// Returns the library.
pub(super) fn create(lua: &Lua) -> LuaResult<Table> {
    let library = lua.create_table()?;
    let status = |name: &'static str| {
        lua.create_function(move |lua, text: LuaString| single_entry(lua, name, &text.as_bytes()))
    };
    library.raw_set("error_reply", status("err")?)?;
    library.raw_set("status_reply", status("ok")?)?;
    library.raw_set(
        "sha1hex",
        lua.create_function(|lua, text: LuaString| lua.create_string(sha_of(&text.as_bytes())))?,
    )?;
    library.raw_set("distance_to", lua.create_function(|_, values| Ok(distance_to(values)))?)?;
    Ok(library)
}

/// Returns the metres between two positions. What isn't a number is 0.
fn distance_to((lat1, lon1, lat2, lon2): (Value, Value, Value, Value)) -> f64 {
    let [lat1, lon1, lat2, lon2] = [lat1, lon1, lat2, lon2].map(|value| match value {
        Value::Number(number) => number,
        Value::Integer(number) => number as f64,
        _ => 0.0,
    });
    Origin::new(Point::new(lon1, lat1)).to_point(Point::new(lon2, lat2))
}

/// `tonumber(value [, base])`
pub(super) fn to_number(_: &Lua, (value, base): (Value, Option<u32>)) -> LuaResult<Value> {
    Ok(match value {
        Value::Integer(_) | Value::Number(_) => value,
        Value::String(text) => {
            parse_number(&text.as_bytes(), base).map_or(Value::Nil, Value::Number)
        }
        _ => Value::Nil,
    })
}

/// `tostring(value)`
pub(super) fn to_text(lua: &Lua, value: Value) -> LuaResult<LuaString> {
    let mut text = Vec::new();
    match value {
        Value::String(text) => return Ok(text),
        Value::Integer(number) => write_number(&mut text, number as f64),
        Value::Number(number) => write_number(&mut text, number),
        Value::Nil => text.extend_from_slice(b"nil"),
        Value::Boolean(value) => text.extend_from_slice(value.to_string().as_bytes()),
        other => {
            let name = other.type_name();
            text.extend_from_slice(format!("{name}: {:p}", other.to_pointer()).as_bytes());
        }
    }
    lua.create_string(text)
}
