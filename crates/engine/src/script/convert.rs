//! Values that scripts return, as replies in RESP and as JSON.

use std::cmp::Ordering;

use mlua::{Table, Value};

use super::number_text::write_number;
use crate::error::{Error, Result};
use crate::json;
use crate::reply::{self, Protocol};

/// The most tables within each other in a result. A table that contains itself exceeds it.
const DEPTH_MAX: usize = 128;
/// The most bytes of a script's reply: tables may contain each other so that a small script returns
/// a huge result.
const REPLY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A writer of results. `charge` counts the units of work that writing takes.
pub(super) struct Writer<'o, 'c> {
    pub out: &'o mut Vec<u8>,
    pub protocol: Protocol,
    pub charge: &'c mut dyn FnMut(u64) -> Result<()>,
}

/// The entries of a table, in the form in which they are written.
enum Entries {
    /// The values under integers from 1 on in their order, then all others.
    List(Vec<Value>),
    /// The only entry, with the key `ok` or `err`.
    Status(&'static str, Vec<u8>),
    /// Keys and values.
    Pairs(Vec<(Value, Value)>),
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
            Value::String(text) => reply::write_bulk(self.out, &text.as_bytes()),
            Value::Table(table) => return self.write_resp_table(table, depth),
            other => return Err(unsupported(other)),
        }
        Ok(())
    }

    fn write_resp_table(&mut self, table: &Table, depth: usize) -> Result<()> {
        match entries_of(table)? {
            Entries::Status("ok", text) => reply::write_simple(self.out, &text),
            Entries::Status(_, text) => reply::write_plain_error(self.out, &text),
            Entries::List(values) => {
                reply::write_header(self.out, b'*', values.len());
                for value in &values {
                    self.write_resp_value(value, depth + 1)?;
                }
            }
            Entries::Pairs(pairs) => {
                reply::write_header(self.out, b'*', pairs.len());
                for (key, value) in &pairs {
                    reply::write_header(self.out, b'*', 2);
                    self.write_resp_value(key, depth + 1)?;
                    self.write_resp_value(value, depth + 1)?;
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
            Value::String(text) => json::escape::write_full(self.out, &text.as_bytes()),
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
            Entries::List(values) => {
                self.out.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    self.write_comma(index);
                    self.write_json(value, depth + 1)?;
                }
                self.out.push(b']');
            }
            Entries::Pairs(pairs) => {
                self.out.push(b'{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    self.write_comma(index);
                    json::escape::write_full(self.out, &key_text(key)?);
                    self.out.push(b':');
                    self.write_json(value, depth + 1)?;
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
        if self.out.len() > REPLY_BYTES_MAX {
            return Err(Error::text("the script's result is too long"));
        }
        Ok(())
    }
}

fn entries_of(table: &Table) -> Result<Entries> {
    let mut numbered = Vec::new();
    let mut named = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|error| Error::text(error.to_string()))?;
        match index_of(&key) {
            Some(index) => numbered.push((index, value)),
            None => named.push((key, value)),
        }
    }
    // The order of a hash table changes from run to run; the order of the keys doesn't.
    named.sort_by(|(one, _), (other, _)| compare_keys(one, other));
    if !numbered.is_empty() {
        numbered.sort_by_key(|(index, _)| *index);
        let values = numbered.into_iter().map(|(_, value)| value);
        return Ok(Entries::List(values.chain(named.into_iter().map(|(_, v)| v)).collect()));
    }
    if let [(Value::String(name), Value::String(text))] = &named[..] {
        let text = text.as_bytes().to_vec();
        match &*name.as_bytes() {
            b"ok" => return Ok(Entries::Status("ok", text)),
            b"err" => return Ok(Entries::Status("err", text)),
            _ => {}
        }
    }
    Ok(Entries::Pairs(named))
}

/// Returns a key that is an integer from 1 on.
fn index_of(key: &Value) -> Option<u64> {
    match key {
        Value::Integer(index) if *index >= 1 => Some(*index as u64),
        Value::Number(number) if *number >= 1.0 && number.fract() == 0.0 && *number < 1e15 => {
            Some(*number as u64)
        }
        _ => None,
    }
}

fn compare_keys(one: &Value, other: &Value) -> Ordering {
    match (key_text(one), key_text(other)) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => Ordering::Equal,
    }
}

fn key_text(key: &Value) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    match key {
        Value::String(key) => text.extend_from_slice(&key.as_bytes()),
        Value::Boolean(key) => text.extend_from_slice(key.to_string().as_bytes()),
        Value::Integer(key) => write_number(&mut text, *key as f64),
        Value::Number(key) => write_number(&mut text, *key),
        other => return Err(unsupported(other)),
    }
    Ok(text)
}

fn unsupported(value: &Value) -> Error {
    Error::text(format!("Unsupported lua type: {}", value.type_name()))
}
