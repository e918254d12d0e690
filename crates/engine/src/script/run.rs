//! Running a script: its global variables, the commands that it calls, and its reply.

use std::cell::RefCell;
use std::sync::Arc;

use mlua::{BString, Error as LuaError, Lua, Value, Variadic};

use super::cache::{Globals, Script, ScriptCache};
use super::convert::Writer;
use super::number_text::write_number;
use super::resp::{single_entry, value_of_reply};
use super::sandbox::Lease;
use crate::error::{Error, Result};
use crate::reply::{Output, Protocol};

/// Bytes of a command's reply that take as long to convert as a unit of work.
const REPLY_BYTES_PER_WORK: usize = 64;
/// The level of the script's function above the function that runs commands.
const SCRIPT_LEVEL: usize = 2;
/// The most levels that are searched for the line of a call.
const LEVELS_MAX: usize = 8;

/// Why a command that a script called failed.
pub enum CallError {
    /// The command's own error, which the script may handle.
    Failed(Error),
    /// The script has to stop with this error.
    Stopped(Error),
}

/// The side of a script that knows commands and the limit of work.
pub trait Host {
    /// Runs a command and returns its reply in RESP.
    fn call(&mut self, words: &[Vec<u8>]) -> std::result::Result<Vec<u8>, CallError>;

    /// Returns the seconds since the script began.
    fn elapsed_seconds(&self) -> f64;

    /// Charges units of work. Fails if the script has to stop.
    fn charge(&mut self, work: u64) -> Result<()>;
}

/// The inputs of a script.
pub struct Inputs<'a> {
    /// KEYS
    pub keys: Vec<&'a [u8]>,
    /// ARGV
    pub arguments: Vec<&'a [u8]>,
    /// EVAL_CMD
    pub command: String,
    /// DEADLINE, in seconds since 1970.
    pub deadline: Option<f64>,
}

impl Inputs<'_> {
    /// Returns the number of keys, and the keys and arguments, as far as the script may read them.
    fn words(&self, script: &Script) -> (usize, Variadic<BString>) {
        let read = |global, words| if script.may_read(global) { words } else { &[][..] };
        let keys = read(Globals::KEYS, &self.keys[..]);
        let words = keys.iter().chain(read(Globals::ARGV, &self.arguments[..]));
        (keys.len(), words.map(|word| BString::from(*word)).collect())
    }
}

/// The reply of a script.
pub struct Reply<'o> {
    /// The buffer of the reply: RESP, or a JSON value.
    pub out: &'o mut Vec<u8>,
    /// The format of the reply.
    pub output: Output,
    /// The version of RESP.
    pub protocol: Protocol,
}

/// Returns the script with this text, which is cached from now on. Fails with the text of the
/// compiler if it isn't well-formed.
pub fn cached_script(cache: &ScriptCache, text: &[u8]) -> Result<Arc<Script>> {
    let (script, is_cached) = cache.script_of(text);
    if !is_cached {
        Lease::take()?.function(&script)?;
        cache.insert(&script);
    }
    Ok(script)
}

/// Runs a script and appends its reply.
pub fn run(script: &Script, inputs: &Inputs, host: &mut dyn Host, reply: &mut Reply) -> Result<()> {
    let sandbox = Lease::take()?;
    let function = sandbox.function(script)?;
    let host = RefCell::new(host);
    let result = sandbox.lua.scope(|scope| {
        let meter = &sandbox.meter;
        let call = scope.create_function(|lua, arguments: Variadic<Value>| {
            let work = meter.take_unchecked();
            let mut host = host.try_borrow_mut().map_err(LuaError::external)?;
            host.charge(work).map_err(|error| meter.stop(error))?;
            answer(lua, script, &mut **host, &arguments).map_err(|error| match error {
                Raised::Stopped(error) => meter.stop(error),
                Raised::Failed(error) => error,
            })
        })?;
        *meter.check.borrow_mut() = Some(call.clone());
        sandbox.prelude.has_call.set(true);
        let (key_count, words) = inputs.words(script);
        let command = script.may_read(Globals::EVAL_CMD).then_some(&inputs.command[..]);
        let deadline = inputs.deadline;
        sandbox.prelude.run.call((function, call, command, deadline, key_count, words))
    });
    let work = sandbox.meter.take_unchecked();
    let value: Value = result.map_err(|error| sandbox.failure(&error))?;
    let host = host.into_inner();
    host.charge(work)?;
    let mut charge = |work| host.charge(work);
    let mut writer = Writer { out: reply.out, protocol: reply.protocol, charge: &mut charge };
    match reply.output {
        Output::Resp => writer.write_resp(&value),
        Output::Json => writer.write_json(&value, 0),
    }
}

/// An error that ends a script.
enum Raised {
    Stopped(Error),
    Failed(LuaError),
}

impl From<LuaError> for Raised {
    fn from(error: LuaError) -> Self {
        Raised::Failed(error)
    }
}

/// Answers the prelude. Without arguments, the result is the time. An integer is work to charge.
/// Else a command is run, of which the first argument says whether its error ends the script.
fn answer(
    lua: &Lua,
    script: &Script,
    host: &mut dyn Host,
    arguments: &[Value],
) -> std::result::Result<Value, Raised> {
    let raises = match arguments.first() {
        None => return Ok(Value::Number(host.elapsed_seconds())),
        Some(Value::Integer(work)) => {
            host.charge(*work as u64).map_err(Raised::Stopped)?;
            return Ok(Value::Nil);
        }
        Some(first) => matches!(first, Value::Boolean(true)),
    };
    let words = words_of(arguments.get(1..).unwrap_or_default());
    let error = match host.call(&words) {
        Ok(reply) => {
            let work = reply.len() / REPLY_BYTES_PER_WORK;
            host.charge(work as u64).map_err(Raised::Stopped)?;
            return Ok(value_of_reply(lua, &reply)?);
        }
        Err(CallError::Stopped(error)) => return Err(Raised::Stopped(error)),
        Err(CallError::Failed(error)) => error.message(),
    };
    if !raises {
        return Ok(single_entry(lua, "err", &error)?);
    }
    let place = format!("{}:{}", script.chunk_name(), line_of_call(lua, script));
    let text = format!("{place}: ERR {}", String::from_utf8_lossy(&error));
    Err(Raised::Failed(LuaError::runtime(text)))
}

/// Returns the line at which the script called a command, as text. `return tile38.call(…)` is a
/// tail call, of which Lua forgets the line: it is the next line on the stack, or unknown.
fn line_of_call(lua: &Lua, script: &Script) -> String {
    let line_at = |level| {
        lua.inspect_stack(level, |debug| {
            let is_script = debug.source().source.is_some_and(|name| name.starts_with("=f_"));
            debug.current_line().filter(|_| is_script).map(|line| line.to_string())
        })
    };
    match (SCRIPT_LEVEL..SCRIPT_LEVEL + LEVELS_MAX).find_map(|level| line_at(level)?) {
        Some(line) => line,
        None if !script.text().contains(&b'\n') => "1".to_string(),
        None => "?".to_string(),
    }
}

/// Returns the words of a command. As in Tile38, they end before the first argument that is empty
/// or neither a string nor a number.
fn words_of(arguments: &[Value]) -> Vec<Vec<u8>> {
    let words = arguments.iter().map_while(|argument| {
        let mut word = Vec::new();
        match argument {
            Value::String(text) => word.extend_from_slice(&text.as_bytes()),
            Value::Integer(number) => write_number(&mut word, *number as f64),
            Value::Number(number) => write_number(&mut word, *number),
            _ => {}
        }
        (!word.is_empty()).then_some(word)
    });
    words.collect()
}
