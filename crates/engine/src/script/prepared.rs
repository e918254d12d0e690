//! Tests of objects that a sandbox keeps ready to run.

use mlua::{Function, Lua, Result as LuaResult, String as LuaString};

use crate::field::Names;

/// A test in a sandbox.
pub(super) struct Prepared {
    /// The function of the prelude that tests an object.
    pub test: Function,
    /// The names of fields by their numbers, as far as they were needed.
    names: Vec<Option<LuaString>>,
}

impl Prepared {
    /// Returns a test, given its function.
    pub fn new(test: Function) -> Self {
        Prepared { test, names: Vec::new() }
    }

    /// Returns the name of a field.
    pub fn name(&mut self, lua: &Lua, names: &Names, serial: u32) -> LuaResult<LuaString> {
        let (index, name) = (serial as usize, names.name(serial));
        if index >= self.names.len() {
            self.names.resize(index + 1, None);
        }
        match &self.names[index] {
            // A fence may outlive the data, and with it the numbers of fields.
            Some(known) if known.as_bytes() == name => Ok(known.clone()),
            _ => {
                let made = lua.create_string(name)?;
                self.names[index] = Some(made.clone());
                Ok(made)
            }
        }
    }
}
