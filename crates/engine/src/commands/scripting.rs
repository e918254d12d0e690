//! Lua scripts: EVAL, EVALRO, EVALNA, the same by SHA-1, and SCRIPT LOAD, EXISTS and FLUSH. What
//! scripts call is in [`script_calls`](super::script_calls).

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::script_calls::{Caller, Data};
use super::{Arity, Command, Facts, Flags, Function, Group, Keys, ReadFunction};
use crate::call::{Call, Effect};
use crate::error::{Error, Result};
use crate::keyspace::Keyspace;
use crate::reply::{write_bulk, write_header, write_integer};
use crate::script::{self, cached_script, Inputs, Reply, Script};

const SYNTAX: &str = "script numkeys [key]... [arg]...";
const SHA_SYNTAX: &str = "sha1 numkeys [key]... [arg]...";

pub(super) const COMMANDS: &[Command] = &[
    eval("EVAL", Flags::WRITE, Function::Write(run_writing), SYNTAX, "Run a script"),
    eval("EVALSHA", Flags::WRITE, Function::Write(run_writing), SHA_SYNTAX, "Run a cached script"),
    eval("EVALRO", Flags::READ, Function::Read(run_reading), SYNTAX, "Run a script that reads"),
    eval(
        "EVALROSHA",
        Flags::READ,
        Function::Read(run_reading),
        SHA_SYNTAX,
        "Run a cached script that reads",
    ),
    eval(
        "EVALNA",
        Flags::empty(),
        Function::Write(run_writing),
        SYNTAX,
        "Run a script whose commands are checked one by one",
    ),
    eval(
        "EVALNASHA",
        Flags::empty(),
        Function::Write(run_writing),
        SHA_SYNTAX,
        "Run a cached script whose commands are checked one by one",
    ),
    cache("SCRIPT LOAD", 3, load, "script", "Put a script into the cache"),
    cache("SCRIPT EXISTS", 2, exists, "[sha1]...", "Tell which scripts are in the cache"),
    cache("SCRIPT FLUSH", 2, flush, "", "Remove all scripts from the cache"),
];

const fn eval(
    name: &'static str,
    flags: Flags,
    function: Function,
    syntax: &'static str,
    summary: &'static str,
) -> Command {
    let flags = flags.union(Flags::SCRIPTING);
    let facts = Facts::new(Group::Scripting, Arity::AtLeast(3)).with(flags).keys(Keys::Script);
    Command { name, syntax, summary, facts, function }
}

const fn cache(
    name: &'static str,
    words_min: usize,
    function: ReadFunction,
    syntax: &'static str,
    summary: &'static str,
) -> Command {
    let flags = Flags::SCRIPTING.union(Flags::NO_TIMEOUT);
    let facts = Facts::new(Group::Scripting, Arity::AtLeast(words_min)).with(flags);
    Command { name, syntax, summary, facts, function: Function::Read(function) }
}

/// EVAL, EVALSHA, EVALNA and EVALNASHA.
fn run_writing(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    // The commands that the script calls are logged, the script isn't.
    run(Data::Writable(keyspace), call).map(|()| Effect::Nothing)
}

/// EVALRO and EVALROSHA.
fn run_reading(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    run(Data::Readable(keyspace), call)
}

fn run(mut data: Data, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let name = String::from_utf8_lossy(call.args.at(0)).to_ascii_lowercase();
    let text = words.next_filled()?;
    let count_word = words.next_filled()?;
    let count = words.count_of(count_word)?;
    let keys = words.take_filled(count)?;
    let arguments = words.take_filled(words.left())?;
    let script = find_script(data.keyspace(), &name, text)?;
    let timeout_ns = match &call.script {
        Some(context) => context.timeout_ns,
        None => call.budget.deadline_ns(),
    };
    let start_ns = call.now_ns as f64;
    let deadline = timeout_ns.map(|timeout_ns| (start_ns + timeout_ns as f64) / 1e9);
    let inputs = Inputs { keys, arguments, command: name, deadline };
    if call.is_json() {
        call.write_member("result", |_| {});
    }
    let mut caller = Caller::new(&mut data, call.budget, call.script.as_deref_mut())
        .at(call.now_ns, call.is_out_of_memory)
        .with_rights(call.rights);
    let mut reply = Reply { out: call.out, output: call.output, protocol: call.protocol };
    // A panic within the virtual machine must not leave writes that are neither undone nor logged.
    let run = || script::run(&script, &inputs, &mut caller, &mut reply);
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let has_panicked = outcome.is_err();
    let result = outcome.unwrap_or_else(|_| Err(Error::text("the script can't be run")));
    if has_panicked {
        script::drop_idle();
    }
    if has_panicked || result == Err(Error::Timeout) {
        caller.roll_back();
    }
    call.denied = caller.into_denied();
    result
}

fn find_script(keyspace: &Keyspace, name: &str, text: &[u8]) -> Result<Arc<Script>> {
    if name.ends_with("sha") {
        // Tile38 replies `sha not found`, for which no client library looks.
        return keyspace
            .scripts
            .get(text)
            .ok_or_else(|| Error::text("NOSCRIPT No matching script. Please use EVAL."));
    }
    cached_script(&keyspace.scripts, text)
}

/// SCRIPT LOAD script
fn load(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let script = cached_script(&keyspace.scripts, call.words().next_filled()?)?;
    if call.is_json() {
        call.write_text_member("result", script.sha());
    } else {
        write_bulk(call.out, script.sha());
    }
    Ok(())
}

/// SCRIPT EXISTS [sha1]...
fn exists(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let shas = words.take_filled(words.left())?;
    let found: Vec<bool> = shas.into_iter().map(|sha| keyspace.scripts.contains(sha)).collect();
    if call.is_json() {
        call.write_member("result", |out| {
            crate::json::write_list(out, &found, |out, is_cached| {
                out.push(b'0' + u8::from(*is_cached));
            });
        });
    } else {
        write_header(call.out, b'*', found.len());
        for is_cached in found {
            write_integer(call.out, i64::from(is_cached));
        }
    }
    Ok(())
}

/// SCRIPT FLUSH
fn flush(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    keyspace.scripts.clear();
    if !call.is_json() {
        // Unlike other commands, Tile38 replies a bulk string.
        write_bulk(call.out, b"OK");
    }
    Ok(())
}
