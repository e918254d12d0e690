//! The library `json`: `encode` and `decode`.

use std::rc::Rc;

use mlua::{
    BString, Function, Lua, MultiValue, Result as LuaResult, String as LuaString, Table, Value,
};

use super::meter::Meter;
use crate::json::{self, Kind};
use crate::number::write_float;

/// The most values within each other.
const DEPTH_MAX: usize = 128;
/// The most bytes of a text that `encode` makes.
const TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of JSON that take as long as a unit of work.
const BYTES_PER_WORK: usize = 16;

/// Returns the library.
pub(super) fn create(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Table> {
    let library = lua.create_table()?;
    library.raw_set("encode", encode_function(lua, meter)?)?;
    library.raw_set("decode", decode_function(lua, meter)?)?;
    Ok(library)
}

fn encode_function(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Function> {
    let meter = Rc::clone(meter);
    lua.create_function(move |lua, arguments: MultiValue| {
        let Some(value) = arguments.into_iter().next() else {
            return Err(mlua::Error::runtime("bad argument #1 to encode (value expected)"));
        };
        let mut encoder = Encoder { out: Vec::new(), parents: Vec::new(), meter: &meter };
        match encoder.write(&value) {
            Ok(()) => {
                let text = lua.create_string(&encoder.out)?;
                Ok((Value::String(text), Value::Nil))
            }
            Err(Failure::Refused(text)) => {
                Ok((Value::Nil, Value::String(lua.create_string(text)?)))
            }
            Err(Failure::Stopped(error)) => Err(error),
        }
    })
}

/// Why a value isn't encoded.
enum Failure {
    Refused(String),
    Stopped(mlua::Error),
}

struct Encoder<'m> {
    out: Vec<u8>,
    /// The tables that have been begun. As in Tile38, a table may occur only once.
    parents: Vec<*const std::ffi::c_void>,
    meter: &'m Meter,
}

impl Encoder<'_> {
    fn write(&mut self, value: &Value) -> Result<(), Failure> {
        self.meter.spend(1).map_err(Failure::Stopped)?;
        if self.out.len() > TEXT_BYTES_MAX {
            return Err(Failure::Refused("the text is too long".into()));
        }
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Boolean(value) => self.out.extend_from_slice(value.to_string().as_bytes()),
            Value::Integer(number) => self.write_number(*number as f64)?,
            Value::Number(number) => self.write_number(*number)?,
            Value::String(text) => json::escape::write_full(&mut self.out, &text.as_bytes()),
            Value::Table(table) => self.write_table(table)?,
            other => {
                let text = format!("cannot encode {} to JSON", other.type_name());
                return Err(Failure::Refused(text));
            }
        }
        Ok(())
    }

    fn write_number(&mut self, number: f64) -> Result<(), Failure> {
        if !number.is_finite() {
            let name = if number.is_nan() { "NaN" } else { "Inf" };
            let sign = if number.is_nan() {
                ""
            } else if number > 0.0 {
                "+"
            } else {
                "-"
            };
            return Err(Failure::Refused(format!("json: unsupported value: {sign}{name}")));
        }
        write_float(&mut self.out, number);
        Ok(())
    }

    fn write_table(&mut self, table: &Table) -> Result<(), Failure> {
        let pointer = table.to_pointer();
        if self.parents.len() >= DEPTH_MAX || self.parents.contains(&pointer) {
            let text = "cannot encode recursively nested tables to JSON";
            return Err(Failure::Refused(text.into()));
        }
        self.parents.push(pointer);
        let result = self.write_entries(table);
        self.parents.pop();
        result
    }

    /// Writes the entries of a table. Only their keys are collected: a Lua state has room for some
    /// thousand values that Rust holds.
    fn write_entries(&mut self, table: &Table) -> Result<(), Failure> {
        let (mut count, mut names, mut has_others) = (0, Vec::new(), false);
        let result = table.for_each(|key: Value, _: Value| {
            match key {
                Value::Integer(_) | Value::Number(_) => count += 1,
                Value::String(name) => names.push(BString::from(&*name.as_bytes())),
                _ => has_others = true,
            }
            Ok(())
        });
        result.map_err(Failure::Stopped)?;
        if has_others || (count > 0 && !names.is_empty()) {
            return Err(Failure::Refused("cannot encode mixed or invalid key types".into()));
        }
        if count > 0 {
            return self.write_list(table, count);
        }
        if names.is_empty() {
            self.out.extend_from_slice(b"[]");
            return Ok(());
        }
        names.sort();
        self.write_object(table, names)
    }

    fn write_list(&mut self, table: &Table, count: usize) -> Result<(), Failure> {
        self.out.push(b'[');
        for index in 1..=count {
            let value: Value = table.raw_get(index).map_err(Failure::Stopped)?;
            if value.is_nil() {
                return Err(Failure::Refused("cannot encode sparse array".into()));
            }
            if index > 1 {
                self.out.push(b',');
            }
            self.write(&value)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn write_object(&mut self, table: &Table, names: Vec<BString>) -> Result<(), Failure> {
        self.out.push(b'{');
        for (index, name) in names.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            json::escape::write_full(&mut self.out, &name);
            self.out.push(b':');
            let value: Value = table.raw_get(name).map_err(Failure::Stopped)?;
            self.write(&value)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}

fn decode_function(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Function> {
    let meter = Rc::clone(meter);
    lua.create_function(move |lua, text: LuaString| {
        let text = text.as_bytes();
        meter.spend((text.len() / BYTES_PER_WORK) as u64)?;
        match json::Value::parse(text.trim_ascii()) {
            Some(value) => Ok((decode(lua, &value, 0)?, Value::Nil)),
            None => Ok((Value::Nil, Value::String(lua.create_string("invalid JSON")?))),
        }
    })
}

/// Returns a JSON value as a value of Lua. As in Tile38, null is nil and has no place in arrays.
pub(super) fn decode(lua: &Lua, value: &json::Value, depth: usize) -> LuaResult<Value> {
    if depth > DEPTH_MAX {
        return Err(mlua::Error::runtime("the JSON is nested too deeply"));
    }
    Ok(match value.kind() {
        Kind::Null => Value::Nil,
        Kind::True => Value::Boolean(true),
        Kind::False => Value::Boolean(false),
        Kind::Number => Value::Number(value.number().unwrap_or_default()),
        Kind::String => Value::String(lua.create_string(value.string())?),
        Kind::Array => {
            let table = lua.create_table()?;
            let mut index = 0;
            for element in value.elements() {
                let element = decode(lua, &element, depth + 1)?;
                if !element.is_nil() {
                    index += 1;
                    table.raw_seti(index, element)?;
                }
            }
            Value::Table(table)
        }
        Kind::Object => {
            let table = lua.create_table()?;
            for (name, member) in value.members() {
                let member = decode(lua, &member, depth + 1)?;
                table.raw_set(lua.create_string(name.string())?, member)?;
            }
            Value::Table(table)
        }
    })
}
