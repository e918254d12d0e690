//! Sandboxes: states of Lua in which scripts run, one script at a time. A script can't leave
//! anything behind in its sandbox, reach anything outside of it, or stop the meter.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use mlua::{
    ChunkMode, Error as LuaError, Function, HookTriggers, Lua, LuaOptions, Result as LuaResult,
    StdLib, String as LuaString, Table, Value, VmState,
};

use super::cache::Script;
use super::memory::MEMORY_BYTES_MAX;
use super::meter::{Meter, HOOK_INSTRUCTIONS};
use super::prepared::Prepared;
use super::{host_functions, json_library, string_library, table_library, tile38_library};
use crate::error::{Error, Result};

/// A sandbox with more memory than this in use is not used again.
const RETAINED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most sandboxes that a thread keeps. A script uses one, the searches that it runs another.
const SANDBOXES_MAX: usize = 4;
/// The most compiled scripts that a sandbox keeps.
const FUNCTIONS_MAX: usize = 256;
/// The most bytes of a script: compiling can't be interrupted.
const SCRIPT_BYTES_MAX: usize = 1024 * 1024;
/// The functions of `math`; there are others in the C library.
const MATH: [&str; 30] = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "cos",
    "cosh",
    "deg",
    "exp",
    "floor",
    "fmod",
    "frexp",
    "ldexp",
    "log",
    "log10",
    "max",
    "min",
    "mod",
    "modf",
    "pi",
    "pow",
    "rad",
    "random",
    "randomseed",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
];

thread_local! {
    /// The sandboxes of this thread that no script uses at present.
    static IDLE: RefCell<Vec<Rc<Sandbox>>> = const { RefCell::new(Vec::new()) };
}

/// A state of Lua with its libraries.
pub(super) struct Sandbox {
    pub lua: Lua,
    pub meter: Rc<Meter>,
    /// The functions of the prelude.
    pub prelude: Prelude,
    /// The compiled scripts by their numbers.
    functions: RefCell<HashMap<u64, Function>>,
    /// The tests of objects that are ready to run, by their numbers.
    pub prepared: RefCell<HashMap<u64, Prepared>>,
}

/// The functions of the prelude.
pub(super) struct Prelude {
    /// Runs a script whose changes of global variables and libraries are noticed.
    pub run: Function,
    /// Runs a script with global variables and libraries of its own.
    pub run_isolated: Function,
    /// Prepares a script for the tests of objects.
    pub prepare: Function,
    /// The name of the third coordinate among an object's fields.
    pub z: LuaString,
}

impl Sandbox {
    fn new() -> LuaResult<Self> {
        let options = LuaOptions::new();
        let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, options)?;
        let meter = Rc::new(Meter::default());
        let base = lua.create_table()?;
        base.raw_set("_VERSION", "Lua 5.1")?;
        base.raw_set("_GOPHER_LUA_VERSION", "GopherLua 0.1")?;
        base.raw_set("tonumber", lua.create_function(tile38_library::to_number)?)?;
        base.raw_set("tostring", lua.create_function(tile38_library::to_text)?)?;
        let libraries = libraries(&lua, &meter)?;
        let prelude = lua.load(include_str!("prelude.lua")).set_name("=sandbox");
        let (run, run_isolated, prepare) = prelude.into_function()?.call((base, libraries))?;
        let prelude = Prelude { run, run_isolated, prepare, z: lua.create_string("z")? };
        lua.set_memory_limit(MEMORY_BYTES_MAX)?;
        let hook_meter = Rc::clone(&meter);
        let triggers = HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS);
        lua.set_hook(triggers, move |lua, _| {
            hook_meter.count_instructions(lua).map(|()| VmState::Continue)
        })?;
        let (functions, prepared) = Default::default();
        Ok(Sandbox { lua, meter, prelude, functions, prepared })
    }

    /// Returns the compiled script, which is kept.
    pub fn function(&self, script: &Script) -> Result<Function> {
        if let Some(function) = self.functions.borrow().get(&script.number()) {
            return Ok(function.clone());
        }
        let function = self.compile(script)?;
        let mut functions = self.functions.borrow_mut();
        if functions.len() >= FUNCTIONS_MAX {
            functions.clear();
        }
        functions.insert(script.number(), function.clone());
        Ok(function)
    }

    /// Compiles a script.
    pub fn compile(&self, script: &Script) -> Result<Function> {
        if script.text().len() > SCRIPT_BYTES_MAX {
            return Err(Error::text("the script is too long"));
        }
        let chunk = self.lua.load(script.text()).set_mode(ChunkMode::Text);
        let chunk = chunk.set_name(format!("={}", script.chunk_name()));
        chunk.into_function().map_err(|error| Error::Text(text_of_error(&error)))
    }
}

/// Returns a table of Lua strings.
pub(super) fn table_of<T: AsRef<[u8]>>(lua: &Lua, words: &[T]) -> LuaResult<Table> {
    // mlua copies texts straight to Lua, and makes a reference to other bytes first.
    if words.iter().all(|word| std::str::from_utf8(word.as_ref()).is_ok()) {
        let texts = words.iter().map(|word| std::str::from_utf8(word.as_ref()).unwrap_or_default());
        return lua.create_sequence_from(texts);
    }
    let table = lua.create_table_with_capacity(words.len(), 0)?;
    for (index, word) in words.iter().enumerate() {
        table.raw_seti(index + 1, lua.create_string(word)?)?;
    }
    Ok(table)
}

fn libraries(lua: &Lua, meter: &Rc<Meter>) -> LuaResult<Table> {
    let globals = lua.globals();
    let libraries = lua.create_table()?;
    let original = |name: &str| globals.raw_get::<Table>(name);
    libraries.raw_set("string", string_library::create(lua, &original("string")?, meter)?)?;
    libraries.raw_set("table", table_library::create(lua, &original("table")?, meter)?)?;
    libraries.raw_set("json", json_library::create(lua, meter)?)?;
    libraries.raw_set("tile38", tile38_library::create(lua)?)?;
    let (math, original_math) = (lua.create_table()?, original("math")?);
    for name in MATH {
        math.raw_set(name, original_math.raw_get::<Value>(name)?)?;
    }
    // Tile38's is the largest number rather than infinity.
    math.raw_set("huge", f64::MAX)?;
    libraries.raw_set("math", math)?;
    let os = lua.create_table()?;
    os.raw_set("difftime", lua.create_function(|_, (end, start): (f64, f64)| Ok(end - start))?)?;
    libraries.raw_set("os", os)?;
    host_functions::add(lua, &libraries, meter)?;
    Ok(libraries)
}

/// Returns the text of an error without the stack. Line ends become the two characters `\n`.
pub(super) fn text_of_error(error: &LuaError) -> Vec<u8> {
    let text = match error {
        LuaError::CallbackError { cause, .. } => return text_of_error(cause),
        LuaError::RuntimeError(text) | LuaError::SyntaxError { message: text, .. } => text.clone(),
        LuaError::MemoryError(_) => "not enough memory".to_string(),
        other => other.to_string(),
    };
    let message = text.split("\nstack traceback:").next().unwrap_or_default();
    message.replace('\n', "\\n").into_bytes()
}

/// A sandbox while a script uses it.
pub(super) struct Lease {
    sandbox: Rc<Sandbox>,
    is_exhausted: Cell<bool>,
}

impl Deref for Lease {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Lease {
    /// Takes an idle sandbox of this thread, or makes one.
    pub fn take() -> Result<Self> {
        let idle = IDLE.with(|idle| idle.borrow_mut().pop());
        let sandbox = match idle {
            Some(sandbox) => sandbox,
            None => Rc::new(Sandbox::new().map_err(|error| Error::Text(text_of_error(&error)))?),
        };
        Ok(Lease { sandbox, is_exhausted: Cell::new(false) })
    }

    /// Returns the error of a script that failed: the one that stopped it, or else Lua's.
    pub fn failure(&self, error: &LuaError) -> Error {
        if matches!(error, LuaError::MemoryError(_)) {
            self.is_exhausted.set(true);
        }
        let stopped = self.meter.failure.take();
        stopped.unwrap_or_else(|| Error::Text(text_of_error(error)))
    }
}

/// Drops the sandboxes of this thread, after a panic that may have left anything in them.
pub fn drop_idle() {
    IDLE.with(|idle| idle.borrow_mut().clear());
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.meter.reset();
        if !self.is_exhausted.get() && self.lua.used_memory() <= RETAINED_BYTES_MAX {
            IDLE.with(|idle| {
                let mut idle = idle.borrow_mut();
                if idle.len() < SANDBOXES_MAX {
                    idle.push(Rc::clone(&self.sandbox));
                }
            });
        }
    }
}
