//! Replies of commands in RESP as values of Lua.

use mlua::{Either, Error as LuaError, Lua, Result as LuaResult, Value};

/// Returns the value of a reply: nil is `false`, a simple string `{ok=…}`, an error `{err=…}`.
pub(super) fn value_of_reply(lua: &Lua, reply: &[u8]) -> LuaResult<Value> {
    Reader { rest: reply }.value(lua)
}

/// Returns `{name=text}`.
pub(super) fn single_entry(lua: &Lua, name: &str, text: &[u8]) -> LuaResult<Value> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, lua.create_string(text)?)?;
    Ok(Value::Table(table))
}

/// A reader of the engine's own replies. What is malformed is an error, and never occurs.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, lua: &Lua) -> LuaResult<Value> {
        let line = self.line()?;
        let (kind, text) = line.split_first().ok_or_else(malformed)?;
        Ok(match kind {
            b'+' => single_entry(lua, "ok", text)?,
            b'-' => single_entry(lua, "err", text)?,
            b':' => Value::Number(integer_of(text)? as f64),
            b'$' | b'*' if text.starts_with(b"-") => Value::Boolean(false),
            b'$' => Value::String(lua.create_string(self.content(text)?)?),
            b'*' => {
                let count = integer_of(text)? as usize;
                let mut failure = None;
                let elements = (0..count).map(|_| {
                    self.element(lua).unwrap_or_else(|error| {
                        failure.get_or_insert(error);
                        Either::Right(Value::Nil)
                    })
                });
                let table = lua.create_sequence_from(elements)?;
                failure.map_or(Ok(Value::Table(table)), Err)?
            }
            _ => return Err(malformed()),
        })
    }

    /// Returns the next value as an element of a table.
    fn element(&mut self, lua: &Lua) -> LuaResult<Either<&'a str, Value>> {
        match self.text()? {
            Some(text) => Ok(Either::Left(text)),
            None => self.value(lua).map(Either::Right),
        }
    }

    /// Returns the next value if it is a bulk string in UTF-8, which mlua copies straight to Lua.
    fn text(&mut self) -> LuaResult<Option<&'a str>> {
        if !self.rest.starts_with(b"$") || self.rest.starts_with(b"$-") {
            return Ok(None);
        }
        let start = self.rest;
        let line = self.line()?;
        let text = std::str::from_utf8(self.content(&line[1..])?).ok();
        if text.is_none() {
            self.rest = start;
        }
        Ok(text)
    }

    /// Returns the content of a bulk string of this length.
    fn content(&mut self, length: &[u8]) -> LuaResult<&'a [u8]> {
        let length = integer_of(length)? as usize;
        let (content, rest) = self.rest.split_at_checked(length).ok_or_else(malformed)?;
        self.rest = rest.get(2..).ok_or_else(malformed)?;
        Ok(content)
    }

    fn line(&mut self) -> LuaResult<&'a [u8]> {
        let end = memchr::memchr(b'\r', self.rest).ok_or_else(malformed)?;
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 2..).ok_or_else(malformed)?;
        Ok(line)
    }
}

fn integer_of(text: &[u8]) -> LuaResult<i64> {
    crate::number::parse_int(text).ok_or_else(malformed)
}

fn malformed() -> LuaError {
    LuaError::runtime("malformed reply")
}
