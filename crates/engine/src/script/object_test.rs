//! WHEREEVAL: a script that tests the objects of a search.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use mlua::{Lua, Result as LuaResult, Table, Value, Variadic};

use super::cache::{Globals, Script};
use super::json_library::decode;
use super::memory::without_limit;
use super::prepared::Prepared;
use super::sandbox::{table_of, Lease, Sandbox};
use crate::error::{Error, Result};
use crate::field::{Kind, Names, Value as FieldValue};
use crate::json;
use crate::object::Object;

/// The most tests that a sandbox keeps ready to run.
const PREPARED_MAX: usize = 256;

/// The most fields of an object that are passed one by one.
const FIELDS_MAX: usize = 16;

/// The number of the next test.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

/// A script that tests objects, with its arguments.
pub struct ObjectTest<'a> {
    script: Arc<Script>,
    arguments: Vec<Cow<'a, [u8]>>,
    /// The number under which a sandbox keeps the test ready to run.
    number: u64,
}

impl<'a> ObjectTest<'a> {
    /// Returns a test by a script of the cache, which has well-formed ones only.
    pub fn new(script: Arc<Script>, arguments: Vec<&'a [u8]>) -> Self {
        let arguments = arguments.into_iter().map(Cow::Borrowed).collect();
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        ObjectTest { script, arguments, number }
    }

    /// Returns the same test with arguments of its own.
    pub fn into_owned(self) -> ObjectTest<'static> {
        let arguments = self.arguments.into_iter().map(|word| Cow::Owned(word.into_owned()));
        ObjectTest { script: self.script, arguments: arguments.collect(), number: self.number }
    }

    /// Returns whether an object passes. `allowance` is the units of work that the test may do;
    /// those that it has done are subtracted.
    pub fn accepts<'p>(
        &self,
        names: &Names,
        object: &Object,
        properties: impl FnOnce() -> Option<&'p [u8]>,
        allowance: &mut u64,
    ) -> Result<bool> {
        let sandbox = Lease::take()?;
        sandbox.meter.allowance.set(*allowance);
        let result = self.evaluate(&sandbox, names, object, properties);
        *allowance = sandbox.meter.allowance.get();
        match result {
            Ok(value) => truth_of(&value),
            Err(error) => match sandbox.failure(&error) {
                // As in Tile38, reading a member of what has no members is no error here.
                Error::Text(text) if is_index_error(&text) => Ok(false),
                error => Err(error),
            },
        }
    }

    fn evaluate<'p>(
        &self,
        sandbox: &Sandbox,
        names: &Names,
        object: &Object,
        properties: impl FnOnce() -> Option<&'p [u8]>,
    ) -> LuaResult<Value> {
        let mut prepared = sandbox.prepared.borrow_mut();
        if !prepared.contains_key(&self.number) {
            if prepared.len() >= PREPARED_MAX {
                prepared.clear();
            }
            prepared.insert(self.number, self.prepare(sandbox)?);
        }
        let Some(prepared) = prepared.get_mut(&self.number) else { return Ok(Value::Nil) };
        let lua = &sandbox.lua;
        let reads = |global| self.script.may_read(global);
        let id = object.id();
        let id = reads(Globals::ID).then(|| without_limit(lua, id.len(), || lua.create_string(id)));
        let mut found_properties = Value::Nil;
        if reads(Globals::PROPERTIES) {
            found_properties = match properties().and_then(json::Value::parse) {
                Some(found) => decode(lua, &found, 0)?,
                None => Value::Table(lua.create_table()?),
            };
        }
        let (mut fields, mut pairs) = (None, Vec::new());
        if reads(Globals::FIELDS) {
            if object.fields().iter().nth(FIELDS_MAX).is_some() {
                fields = Some(fields_of(lua, names, object)?);
            } else {
                pairs = pairs_of(sandbox, prepared, names, object)?;
            }
        }
        let pairs = Variadic::from(pairs);
        prepared.test.call((id.transpose()?, found_properties, fields, pairs))
    }

    fn prepare(&self, sandbox: &Sandbox) -> LuaResult<Prepared> {
        let arguments = table_of(&sandbox.lua, &self.arguments)?;
        let function = sandbox
            .compile(&self.script)
            .map_err(|error| mlua::Error::runtime(String::from_utf8_lossy(&error.message())))?;
        let reads_fields = self.script.may_read(Globals::FIELDS);
        let test = sandbox.prelude.prepare.call((function, arguments, reads_fields))?;
        Ok(Prepared::new(test))
    }
}

/// Returns the names and values of an object's fields in turn.
fn pairs_of(
    sandbox: &Sandbox,
    prepared: &mut Prepared,
    names: &Names,
    object: &Object,
) -> LuaResult<Vec<Value>> {
    let mut pairs = Vec::with_capacity(4);
    if object.is_spatial() {
        pairs.push(Value::String(sandbox.prelude.z.clone()));
        pairs.push(Value::Number(object.z()));
    }
    for (serial, value) in object.fields().iter() {
        pairs.push(Value::String(prepared.name(&sandbox.lua, names, serial)?));
        pairs.push(value_of(&sandbox.lua, &value)?);
    }
    Ok(pairs)
}

fn fields_of(lua: &Lua, names: &Names, object: &Object) -> LuaResult<Table> {
    let fields = lua.create_table()?;
    for (serial, value) in object.fields().iter() {
        fields.raw_set(lua.create_string(names.name(serial))?, value_of(lua, &value)?)?;
    }
    if object.is_spatial() {
        fields.raw_set("z", object.z())?;
    }
    Ok(fields)
}

fn value_of(lua: &Lua, value: &FieldValue) -> LuaResult<Value> {
    Ok(match value.kind() {
        Kind::Null => Value::Nil,
        Kind::True => Value::Boolean(true),
        Kind::False => Value::Boolean(false),
        Kind::Number => Value::Number(value.number()),
        Kind::String | Kind::Json => Value::String(lua.create_string(value.text())?),
    })
}

fn truth_of(value: &Value) -> Result<bool> {
    Ok(match value {
        Value::Nil => false,
        Value::Boolean(value) => *value,
        Value::Integer(number) => *number != 0,
        Value::Number(number) => *number != 0.0,
        Value::String(text) => !text.as_bytes().is_empty(),
        Value::Table(table) => !table.is_empty(),
        other => {
            let name = other.type_name();
            return Err(Error::text(format!("script returned value of type {name}")));
        }
    })
}

fn is_index_error(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"attempt to index").is_some()
}
