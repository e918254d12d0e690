//! The library `table`: each function reports the size of its table to the meter, because the hook
//! doesn't see the loops of the C library.

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Result as LuaResult, Table, Value};

use super::meter::Meter;

const FUNCTIONS: [&str; 6] = ["concat", "getn", "insert", "maxn", "remove", "sort"];
/// Items that a function may move or compare for a unit of work.
const ITEMS_PER_WORK: usize = 16;

/// Returns the library, made from the original one.
pub(super) fn create(lua: &Lua, original: &Table, meter: &Rc<Meter>) -> LuaResult<Table> {
    let library = lua.create_table()?;
    for name in FUNCTIONS {
        let function = original.raw_get::<Function>(name)?;
        let meter = Rc::clone(meter);
        let metered = move |_: &Lua, arguments: MultiValue| {
            if let Some(Value::Table(table)) = arguments.front() {
                let length = table.raw_len();
                let passes = if name == "sort" { length.max(1).ilog2() as usize + 1 } else { 1 };
                // Inserting and removing at the end moves nothing.
                let is_at_end = matches!((name, arguments.len()), ("insert", 2) | ("remove", 1));
                if !is_at_end {
                    meter.spend((length * passes / ITEMS_PER_WORK) as u64)?;
                }
            }
            function.call::<MultiValue>(arguments)
        };
        library.raw_set(name, lua.create_function(metered)?)?;
    }
    Ok(library)
}
