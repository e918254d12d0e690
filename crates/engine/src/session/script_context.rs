//! The context in which a session runs a script: its limits, and the gates of its commands.

use super::{Batch, Session, READ_WORK_MAX};
use crate::call::ScriptContext;
use crate::commands::record::Flags;
use crate::commands::{Command, Function};
use crate::engine::Engine;

/// Returns the context of a script; `None` for other commands. Within a transaction nothing runs on
/// another thread, so that scripts that read are limited as those that write are.
pub(super) fn context_of(
    engine: &Engine,
    command: &Command,
    timeout_ns: Option<u64>,
    is_in_exec: bool,
) -> Option<Box<ScriptContext>> {
    let flags = command.facts.flags;
    if !flags.contains(Flags::SCRIPTING) {
        return None;
    }
    let is_atomic = flags.contains(Flags::WRITE);
    let is_reading = matches!(command.function, Function::Read(_));
    Some(Box::new(ScriptContext {
        timeout_ns,
        has_short_timeout: timeout_ns.is_some_and(|timeout| timeout < engine.script_ns_max),
        write_ns_max: (!is_reading || is_in_exec).then_some(engine.script_ns_max),
        is_atomic,
        write_error: engine.state.check_access(Flags::WRITE).err(),
        read_error: engine.state.check_access(Flags::READ).err(),
        is_monitored: engine.is_monitored,
        ..ScriptContext::default()
    }))
}

/// Returns the units of work and the deadline of a command. A script that may write can't be handed
/// to another thread, so that it is limited by time alone; nor can what a transaction runs.
pub(super) fn limits_of(
    context: Option<&ScriptContext>,
    timeout_ns: Option<u64>,
    is_in_exec: bool,
) -> (u64, Option<u64>) {
    match context.and_then(|context| context.write_ns_max) {
        Some(write_ns_max) => {
            (u64::MAX, Some(timeout_ns.map_or(write_ns_max, |timeout| timeout.min(write_ns_max))))
        }
        None if is_in_exec => (u64::MAX, timeout_ns),
        None => (READ_WORK_MAX, timeout_ns),
    }
}

impl Session {
    /// Notes the commands that a script called, for the log and for MONITOR.
    pub(super) fn note_calls(
        &mut self,
        engine: &mut Engine,
        context: Option<Box<ScriptContext>>,
        batch: &mut Batch,
    ) {
        let Some(mut context) = context else { return };
        context.log.append(&engine.take_event_log());
        if self.is_in_exec {
            self.transaction.log.append(&context.log);
        } else if context.is_atomic {
            batch.log.extend(context.log.take_marked());
        } else {
            batch.log.extend(context.log.take_single());
        }
        batch.monitored.extend(context.monitored.into_iter().map(|shown| (true, shown)));
    }
}
