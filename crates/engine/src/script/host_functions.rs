//! The functions of scripts that use the host: `tile38.call`, `tile38.pcall` and `os.clock`.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Error as LuaError, Function, Lua, MultiValue, Result as LuaResult, Table, Value};

use super::host::{has_host, use_host, CallError, Host};
use super::memory;
use super::meter::Meter;
use super::number_text::write_number;
use super::resp::{single_entry, value_of_reply};
use crate::request::{Args, Arguments};

/// Bytes of a command's reply that take as long to convert as a unit of work.
const REPLY_BYTES_PER_WORK: usize = 64;
/// The error of `tile38.call` while objects are tested.
const UNSUPPORTED: &[u8] = b"command not supported in scripts";
/// The most levels of the stack that are searched for the line of a call.
const LEVELS_MAX: usize = 9;

/// Adds the functions that use the host to the libraries `tile38` and `os`.
pub(super) fn add(lua: &Lua, libraries: &Table, meter: &Rc<Meter>) -> LuaResult<()> {
    let tile38: Table = libraries.raw_get("tile38")?;
    tile38.raw_set("call", call_function(lua, meter, true)?)?;
    tile38.raw_set("pcall", call_function(lua, meter, false)?)?;
    let os: Table = libraries.raw_get("os")?;
    let clock = lua.create_function(|_, ()| {
        let seconds = has_host().then(|| use_host(|host| host.elapsed_seconds()));
        Ok(seconds.unwrap_or_default())
    });
    os.raw_set("clock", clock?)
}

/// Returns `tile38.call` or, if errors aren't raised, `tile38.pcall`.
fn call_function(lua: &Lua, meter: &Rc<Meter>, raises: bool) -> LuaResult<Function> {
    let meter = Rc::clone(meter);
    let words = RefCell::new(Arguments::default());
    lua.create_function(move |lua, arguments: MultiValue| {
        let failure = if has_host() {
            let mut words = words.try_borrow_mut().map_err(LuaError::external)?;
            copy_words(&arguments, &mut words);
            let result = use_host(|host| call(lua, host, &meter, words.view(&[])));
            words.release_memory();
            match result {
                Ok(value) => return value,
                Err(CallError::Stopped(error)) => return Err(meter.stop(error)),
                Err(CallError::Failed(error)) => error.message(),
            }
        } else {
            UNSUPPORTED.to_vec()
        };
        if raises {
            let text = format!("{}ERR {}", place_of_call(lua), String::from_utf8_lossy(&failure));
            return Err(LuaError::runtime(text));
        }
        single_entry(lua, "err", &failure)
    })
}

/// Runs a command and returns its reply as a value.
fn call(
    lua: &Lua,
    host: &mut dyn Host,
    meter: &Meter,
    args: Args,
) -> std::result::Result<LuaResult<Value>, CallError> {
    let work = meter.take_unchecked();
    if work > 0 {
        host.charge(work).map_err(CallError::Stopped)?;
    }
    host.call(args)?;
    let work = host.reply().len() / REPLY_BYTES_PER_WORK;
    if work > 0 {
        host.charge(work as u64).map_err(CallError::Stopped)?;
    }
    let reply = host.reply();
    Ok(memory::without_limit(lua, reply.len(), || value_of_reply(lua, reply)))
}

/// Copies the words of a command. As in Tile38, they end before the first argument that is empty
/// or neither a string nor a number.
fn copy_words(arguments: &MultiValue, words: &mut Arguments) {
    words.start_copies();
    for argument in arguments {
        let mut number_text = Vec::new();
        match argument {
            Value::String(text) => match &*text.as_bytes() {
                b"" => return,
                text => {
                    words.push_copy(text);
                    continue;
                }
            },
            Value::Integer(number) => write_number(&mut number_text, *number as f64),
            Value::Number(number) => write_number(&mut number_text, *number),
            _ => return,
        }
        words.push_copy(&number_text);
    }
}

/// Returns the name of the script and the line at which it called a command, for an error text.
fn place_of_call(lua: &Lua) -> String {
    let place_at = |level| {
        lua.inspect_stack(level, |debug| {
            let source = debug.source().source?;
            let name = source.strip_prefix('=').filter(|name| name.starts_with("f_"))?;
            Some(format!("{name}:{}: ", debug.current_line()?))
        })
    };
    (1..LEVELS_MAX).find_map(|level| place_at(level)?).unwrap_or_default()
}
