//! Running a script: its global variables and its reply.

use std::sync::Arc;

use mlua::{Result as LuaResult, Table, Value};

use super::cache::{Globals, Script, ScriptCache};
use super::convert::Writer;
use super::host::{with_host, Host};
use super::memory;
use super::sandbox::{table_of, Lease, Sandbox};
use crate::error::Result;
use crate::reply::{Output, Protocol};

/// Units of work of writing a reply after which the host is charged for them.
const WORK_PER_CHARGE: u64 = 64;

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
    sandbox.meter.has_host.set(true);
    let result = with_host(host, || -> LuaResult<Value> {
        let lists = lists_of(&sandbox, script, inputs);
        let (keys, arguments) = lists?;
        if !script.needs_isolation() {
            return sandbox.prelude.run.call((function, keys, arguments));
        }
        let command = script.may_read(Globals::EVAL_CMD).then_some(&inputs.command[..]);
        let deadline = inputs.deadline;
        sandbox.prelude.run_isolated.call((function, keys, arguments, command, deadline))
    });
    let mut work = sandbox.meter.take_unchecked();
    let value: Value = result.map_err(|error| sandbox.failure(&error))?;
    let mut charge = |more: u64| {
        work += more;
        if work < WORK_PER_CHARGE {
            return Ok(());
        }
        host.charge(std::mem::take(&mut work))
    };
    let mut writer = Writer { out: reply.out, protocol: reply.protocol, charge: &mut charge };
    match reply.output {
        Output::Resp => writer.write_resp(&value),
        Output::Json => writer.write_json(&value, 0),
    }
}

/// Returns KEYS and ARGV; `None` for one that the script doesn't read.
fn lists_of(
    sandbox: &Sandbox,
    script: &Script,
    inputs: &Inputs,
) -> LuaResult<(Option<Table>, Option<Table>)> {
    let list = |global, words: &[&[u8]]| {
        if !script.may_read(global) {
            return Ok(None);
        }
        let bytes = words.iter().map(|word| word.len() + 4).sum();
        memory::without_limit(&sandbox.lua, bytes, || table_of(&sandbox.lua, words)).map(Some)
    };
    Ok((list(Globals::KEYS, &inputs.keys)?, list(Globals::ARGV, &inputs.arguments)?))
}
