//! Values that scripts return, as replies in RESP and as JSON.

use mlua::{BString, Error as LuaError, Table, Value};

use super::meter::BYTES_PER_WORK;
use super::number_text::write_number;
use crate::error::{Error, Result};
use crate::json;
use crate::reply::{self, Protocol};

/// The most tables within each other in a result. A table that contains itself exceeds it.
const DEPTH_MAX: usize = 128;
/// The most bytes of a script's reply: tables may contain each other so that a small script returns
/// a huge result.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A writer of results. `charge` counts the units of work that writing takes.
pub(super) struct Writer<'o, 'c> {
    pub out: &'o mut Vec<u8>,
    pub protocol: Protocol,
    pub charge: &'c mut dyn FnMut(u64) -> Result<()>,
}

/// The entries of a table, in the form in which they are written. Only their keys are kept: a Lua
/// state has room for some thousand values that Rust holds.
enum Entries {
    /// The integers from 1 to this length, also in the order of the table, as in most tables.
    Sequence(usize),
    /// The integers from 1 on in their order, then all other keys.
    List(Vec<Key>),
    /// The only entry, with the key `ok` or `err`.
    Status(&'static str, Vec<u8>),
    /// Keys that aren't integers from 1 on.
    Pairs(Vec<Key>),
}

/// The key of an entry.
enum Key {
    Number(f64),
    Boolean(bool),
    Text(BString),
}

impl Key {
    fn of(key: &Value) -> Result<Self> {
        match key {
            Value::String(text) => Ok(Key::Text(BString::from(&*text.as_bytes()))),
            Value::Boolean(flag) => Ok(Key::Boolean(*flag)),
            Value::Integer(number) => Ok(Key::Number(*number as f64)),
            Value::Number(number) => Ok(Key::Number(*number)),
            other => Err(unsupported(other)),
        }
    }

    /// Returns an integer from 1 on.
    fn index(&self) -> Option<u64> {
        match self {
            Key::Number(number) if *number >= 1.0 && number.fract() == 0.0 && *number < 1e15 => {
                Some(*number as u64)
            }
            _ => None,
        }
    }

    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        match self {
            Key::Number(number) => write_number(&mut text, *number),
            Key::Boolean(flag) => text.extend_from_slice(flag.to_string().as_bytes()),
            Key::Text(key) => text.extend_from_slice(key),
        }
        text
    }

    /// Returns the key as a value that doesn't need the Lua state, unless it is a text.
    fn value(&self) -> Option<Value> {
        match self {
            Key::Number(number) => Some(Value::Number(*number)),
            Key::Boolean(flag) => Some(Value::Boolean(*flag)),
            Key::Text(_) => None,
        }
    }

    /// Returns the value under this key.
    fn get(&self, table: &Table) -> Result<Value> {
        let value = match self {
            Key::Number(number) => table.raw_get(*number),
            Key::Boolean(flag) => table.raw_get(*flag),
            Key::Text(text) => table.raw_get(text.clone()),
        };
        value.map_err(|error| Error::text(error.to_string()))
    }
}

impl Writer<'_, '_> {
    /// Appends the result of a script in RESP.
    pub fn write_resp(&mut self, value: &Value) -> Result<()> {
        if let Value::Table(table) = value {
            if let Entries::Status("err", text) = entries_of(table)? {
                return Err(match &text[..] {
                    b"invalid number of arguments" => Error::WrongArity,
                    _ => Error::Text(text),
                });
            }
        }
        self.write_resp_value(value, 0)
    }

    fn write_resp_value(&mut self, value: &Value, depth: usize) -> Result<()> {
        self.begin(depth)?;
        match value {
            Value::Nil | Value::Boolean(false) => reply::write_nil(self.out, self.protocol),
            Value::Boolean(true) => reply::write_integer(self.out, 1),
            Value::Integer(number) => reply::write_integer(self.out, *number),
            Value::Number(number) if number.is_finite() => {
                reply::write_integer(self.out, number.floor() as i64);
            }
            Value::Number(number) => {
                let mut text = Vec::new();
                write_number(&mut text, *number);
                reply::write_bulk(self.out, &text);
            }
            Value::String(text) => {
                self.reserve(text.as_bytes().len())?;
                reply::write_bulk(self.out, &text.as_bytes());
            }
            Value::Table(table) => return self.write_resp_table(table, depth),
            other => return Err(unsupported(other)),
        }
        Ok(())
    }

    fn write_resp_table(&mut self, table: &Table, depth: usize) -> Result<()> {
        match entries_of(table)? {
            Entries::Status("ok", text) => reply::write_simple(self.out, &text),
            Entries::Status(_, text) => reply::write_plain_error(self.out, &text),
            Entries::Sequence(length) => {
                reply::write_header(self.out, b'*', length);
                visit_values(table, |value| self.write_resp_value(value, depth + 1))?;
            }
            Entries::List(keys) => {
                reply::write_header(self.out, b'*', keys.len());
                for key in &keys {
                    self.write_resp_value(&key.get(table)?, depth + 1)?;
                }
            }
            Entries::Pairs(keys) => {
                reply::write_header(self.out, b'*', keys.len());
                for key in &keys {
                    reply::write_header(self.out, b'*', 2);
                    match key.value() {
                        Some(value) => self.write_resp_value(&value, depth + 1)?,
                        None => reply::write_bulk(self.out, &key.text()),
                    }
                    self.write_resp_value(&key.get(table)?, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// Appends the result of a script as JSON.
    pub fn write_json(&mut self, value: &Value, depth: usize) -> Result<()> {
        self.begin(depth)?;
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Integer(number) => write_number(self.out, *number as f64),
            Value::Number(number) => write_number(self.out, *number),
            Value::String(text) => {
                self.reserve(text.as_bytes().len())?;
                json::escape::write_full(self.out, &text.as_bytes());
            }
            Value::Table(table) => return self.write_json_table(table, depth),
            other => return Err(unsupported(other)),
        }
        Ok(())
    }

    fn write_json_table(&mut self, table: &Table, depth: usize) -> Result<()> {
        match entries_of(table)? {
            Entries::Status(name, text) => {
                self.out.push(b'{');
                json::escape::write_full(self.out, name.as_bytes());
                self.out.push(b':');
                json::escape::write_full(self.out, &text);
                self.out.push(b'}');
            }
            Entries::Sequence(_) => {
                self.out.push(b'[');
                let mut index = 0;
                visit_values(table, |value| {
                    self.write_comma(index);
                    index += 1;
                    self.write_json(value, depth + 1)
                })?;
                self.out.push(b']');
            }
            Entries::List(keys) => {
                self.out.push(b'[');
                for (index, key) in keys.iter().enumerate() {
                    self.write_comma(index);
                    self.write_json(&key.get(table)?, depth + 1)?;
                }
                self.out.push(b']');
            }
            Entries::Pairs(keys) => {
                self.out.push(b'{');
                for (index, key) in keys.iter().enumerate() {
                    self.write_comma(index);
                    json::escape::write_full(self.out, &key.text());
                    self.out.push(b':');
                    self.write_json(&key.get(table)?, depth + 1)?;
                }
                self.out.push(b'}');
            }
        }
        Ok(())
    }

    fn write_comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    /// Charges the work for a value. Fails for one that is nested too deeply, and when the reply
    /// is too long.
    fn begin(&mut self, depth: usize) -> Result<()> {
        (self.charge)(1)?;
        if depth > DEPTH_MAX {
            return Err(Error::text("the script's result is nested too deeply"));
        }
        self.reserve(0)
    }

    /// Charges the work for bytes of the reply. Fails if it becomes too long.
    fn reserve(&mut self, bytes: usize) -> Result<()> {
        (self.charge)((bytes / BYTES_PER_WORK) as u64)?;
        if self.out.len() + bytes > REPLY_BYTES_MAX {
            return Err(Error::text("the script's result is too long"));
        }
        Ok(())
    }
}

/// Visits all values of a table in its order.
fn visit_values(table: &Table, mut visit: impl FnMut(&Value) -> Result<()>) -> Result<()> {
    let mut failure = None;
    let result = table.for_each(|_: bool, value: Value| {
        visit(&value).map_err(|error| {
            failure = Some(error);
            LuaError::RuntimeError(String::new())
        })
    });
    failure.map_or(Ok(()), Err)?;
    result.map_err(|error| Error::text(error.to_string()))
}

/// Returns the length of a table whose keys are the integers from 1 to it, also in the table's
/// order; `None` for any other table.
fn sequence_length(table: &Table) -> Option<usize> {
    let mut length = 0;
    // A value as a boolean needs no reference, which takes longer than all else.
    let result = table.for_each(|key: Value, _: bool| {
        length += 1;
        match key {
            Value::Integer(index) if index == length => Ok(()),
            _ => Err(LuaError::RuntimeError(String::new())),
        }
    });
    (result.is_ok() && length > 0).then_some(length as usize)
}

fn entries_of(table: &Table) -> Result<Entries> {
    if let Some(length) = sequence_length(table) {
        return Ok(Entries::Sequence(length));
    }
    let (mut numbered, mut named) = (Vec::new(), Vec::new());
    let mut failure = None;
    let result = table.for_each(|key: Value, _: bool| {
        match Key::of(&key) {
            Ok(key) if key.index().is_some() => numbered.push(key),
            Ok(key) => named.push(key),
            Err(error) => failure = Some(error),
        }
        Ok(())
    });
    result.map_err(|error| Error::text(error.to_string()))?;
    if let Some(error) = failure {
        return Err(error);
    }
    // The order of a hash table changes from run to run; the order of the keys doesn't.
    named.sort_by_cached_key(Key::text);
    if !numbered.is_empty() {
        numbered.sort_by_key(Key::index);
        numbered.append(&mut named);
        return Ok(Entries::List(numbered));
    }
    if let [key @ Key::Text(name)] = &named[..] {
        let status = ["ok", "err"].into_iter().find(|status| status.as_bytes() == &name[..]);
        if let (Some(status), Value::String(text)) = (status, key.get(table)?) {
            return Ok(Entries::Status(status, text.as_bytes().to_vec()));
        }
    }
    Ok(Entries::Pairs(named))
}

fn unsupported(value: &Value) -> Error {
    Error::text(format!("Unsupported lua type: {}", value.type_name()))
}
