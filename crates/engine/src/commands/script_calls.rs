//! `tile38.call` and `tile38.pcall`: the commands that scripts can call, the checks before each
//! call, and the rollback of a stopped script's writes.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::record::{Arity, Facts, Flags, Group, Keys};
use super::table::pack_name;
use super::{Command, Function};
use crate::access::{CommandNumber, Denial, Rights};
use crate::call::{Budget, Call, Effect, ScriptContext};
use crate::error::{Error, Result};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::reply::{Output, Protocol};
use crate::request::Args;
use crate::script::{CallError, Host};
use crate::session::{quoted, Prefix};

/// Commands of which scripts learn that they don't exist; of all others that scripts can't call,
/// Tile38 says that they are not supported.
const UNKNOWN: [&[u8]; 3] = [b"FLUSHDB", b"HOOKS", b"INFO"];
/// The most refused calls of a script that are reported.
const DENIED_COUNT_MAX: usize = 128;
/// Scripts without the prefix TIMEOUT that only read end after this time, on whichever thread.
const READ_SECONDS_MAX: u64 = 60;

/// Bytes of a command's reply for which memory is reserved at once; covers most objects.
const REPLY_BYTES: usize = 512;

/// The data of a script.
pub(super) enum Data<'k> {
    Readable(&'k Keyspace),
    Writable(&'k mut Keyspace),
}

impl Data<'_> {
    pub fn keyspace(&self) -> &Keyspace {
        match self {
            Data::Readable(keyspace) => keyspace,
            Data::Writable(keyspace) => keyspace,
        }
    }
}

/// The state before a script's writes.
#[derive(Default)]
struct Undo {
    /// The objects that were written one by one, as they were before; in the order of the writes.
    objects: Vec<(Vec<u8>, Vec<u8>, Option<Object>)>,
    /// A snapshot from before the first write of several objects.
    snapshot: Option<Box<Keyspace>>,
}

/// The caller of a script's commands.
pub(super) struct Caller<'s, 'k, 'a> {
    data: &'s mut Data<'k>,
    budget: &'s mut Budget<'a>,
    context: Option<&'s mut ScriptContext>,
    now_ns: i64,
    is_out_of_memory: bool,
    rights: Option<&'a Rights>,
    denied: Vec<Denial>,
    undo: Undo,
    /// The reply of the last command in RESP.
    reply: Vec<u8>,
}

/// Returns the command of this name if scripts may call it.
fn find_command(name: &[u8]) -> Option<&'static Command> {
    static CALLABLE: OnceLock<HashMap<u128, &'static Command>> = OnceLock::new();
    let callable = CALLABLE.get_or_init(|| {
        let commands = super::all().filter(|command| {
            matches!(command.facts.group, Group::Keyspace | Group::Search)
                && !command.facts.flags.contains(Flags::NO_SCRIPTS)
        });
        commands
            .filter_map(|command| Some((pack_name(command.name.as_bytes())?, command)))
            .collect()
    });
    let command = callable.get(&pack_name(name)?).copied()?;
    (command.name.len() == name.len()).then_some(command)
}

impl<'s, 'k, 'a> Caller<'s, 'k, 'a> {
    pub fn new(
        data: &'s mut Data<'k>,
        budget: &'s mut Budget<'a>,
        context: Option<&'s mut ScriptContext>,
    ) -> Self {
        Caller {
            data,
            budget,
            context,
            now_ns: 0,
            is_out_of_memory: false,
            rights: None,
            denied: Vec::new(),
            undo: Undo::default(),
            reply: Vec::with_capacity(REPLY_BYTES),
        }
    }

    /// Returns the same caller with the time and the state of the memory.
    pub fn at(mut self, now_ns: i64, is_out_of_memory: bool) -> Self {
        (self.now_ns, self.is_out_of_memory) = (now_ns, is_out_of_memory);
        self
    }

    /// Returns the same caller with the rights of a user.
    pub fn with_rights(mut self, rights: Option<&'a Rights>) -> Self {
        self.rights = rights;
        self
    }

    /// Returns the calls that were refused for want of a right.
    pub fn into_denied(self) -> Vec<Denial> {
        self.denied
    }

    /// Undoes all writes of a script that was stopped. As in Tile38, the writes stay if the script
    /// has the prefix TIMEOUT, or isn't atomic (EVALNA).
    pub fn roll_back(&mut self) {
        let Data::Writable(keyspace) = &mut *self.data else { return };
        let Some(context) = self.context.as_deref_mut() else { return };
        if !context.is_atomic || context.has_short_timeout {
            return;
        }
        if let Some(snapshot) = self.undo.snapshot.take() {
            **keyspace = *snapshot;
        }
        for (key, id, object) in self.undo.objects.drain(..).rev() {
            match object {
                Some(object) => keyspace.insert(&key, object),
                None => keyspace.remove(&key, &id),
            };
        }
        std::mem::take(keyspace.reports_mut());
        context.log.clear();
    }

    /// Returns the command if the script may call it now.
    fn admit(&self, args: Args, has_timeout: bool) -> Result<&'static Command> {
        let name = args.at(0);
        let is_reading = matches!(self.data, Data::Readable(_));
        let Some(command) = find_command(name) else {
            let upper = name.to_ascii_uppercase();
            return Err(match &upper[..] {
                b"FLUSHDB" if is_reading => Error::text("read only"),
                upper if UNKNOWN.contains(&upper) => Error::unknown_command(name),
                _ => Error::text("command not supported in scripts"),
            });
        };
        let flags = command.facts.flags;
        let is_write = flags.contains(Flags::WRITE);
        if is_write && is_reading {
            return Err(Error::text("read only"));
        }
        if let Some(context) = self.context.as_deref() {
            let is_stale_ok = flags.contains(Flags::STALE_OK) || !flags.contains(Flags::READ);
            match (&context.write_error, &context.read_error) {
                (Some(error), _) if is_write => return Err(error.clone()),
                (_, Some(error)) if !is_write && !is_stale_ok => return Err(error.clone()),
                _ => {}
            }
        }
        if has_timeout && flags.contains(Flags::NO_TIMEOUT) {
            return Err(Error::timeout_not_supported(name));
        }
        if flags.contains(Flags::NEEDS_MEMORY) && self.is_out_of_memory {
            return Err(Error::out_of_memory());
        }
        if !command.facts.arity.allows(args.len()) {
            return Err(Error::WrongArity);
        }
        Ok(command)
    }

    /// Refuses a call for want of a right. Fails with the text that scripts get.
    fn check_rights(&mut self, name: &'static str, facts: &Facts, args: Args) -> Result<()> {
        let Some(rights) = self.rights else { return Ok(()) };
        let demand = facts.demand(rights.number_of(name).unwrap_or(CommandNumber::MAX), args);
        let denied = rights.check(&demand, || name.to_ascii_lowercase().into_bytes());
        denied.map_err(|denial| {
            let error = Error::text(denial.message_in_script());
            if self.denied.len() < DENIED_COUNT_MAX {
                self.denied.push(denial);
            }
            error
        })
    }

    /// Saves the state that a write is about to change, for a rollback.
    fn prepare_undo(&mut self, command: &Command, args: Args) {
        let Data::Writable(keyspace) = &*self.data else { return };
        let is_atomic = self.context.as_ref().is_some_and(|context| context.is_atomic);
        if !is_atomic || self.undo.snapshot.is_some() {
            return;
        }
        if command.facts.keys == Keys::Object {
            let (key, id) = (args.at(1), args.at(2));
            let object = keyspace.get(key).and_then(|collection| collection.get(id)).cloned();
            self.undo.objects.push((key.to_vec(), id.to_vec(), object));
        } else {
            self.undo.snapshot = Some(Box::new((**keyspace).clone()));
        }
    }

    /// Returns the reply of SERVER. The command is the driver's, which script calls don't reach.
    fn server_reply(&self, args: Args) -> Result<Vec<u8>> {
        if let Some(error) = self.context.as_deref().and_then(|context| context.read_error.clone())
        {
            return Err(error);
        }
        let mut extensions = args.skip(1);
        let is_extended = !extensions.is_empty();
        while let Some(word) = extensions.get(0) {
            if !word.eq_ignore_ascii_case(b"EXT") {
                return Err(Error::invalid(word));
            }
            extensions = extensions.skip(1);
        }
        let replies = self.data.keyspace().server_replies.as_deref();
        let reply = replies.map(|replies| replies[usize::from(is_extended)].clone());
        reply.ok_or_else(|| Error::text("command not supported in scripts"))
    }

    fn run(
        &mut self,
        command: &'static Command,
        prefix: &Prefix,
    ) -> std::result::Result<(), CallError> {
        let args = prefix.args;
        if let Function::Write(_) = command.function {
            self.prepare_undo(command, args);
        }
        let mut budget = self.budget.child(prefix.timeout_ns);
        let work_before = budget.work_left();
        let mut call = Call {
            args,
            output: Output::Resp,
            protocol: Protocol::Resp2,
            now_ns: self.now_ns,
            is_out_of_memory: self.is_out_of_memory,
            is_replayed: false,
            out: &mut self.reply,
            budget: &mut budget,
            live: None,
            script: None,
            rights: self.rights,
            denied: Vec::new(),
            parsed_text: None,
        };
        let result = match (command.function, &mut *self.data) {
            (Function::Write(function), Data::Writable(keyspace)) => function(keyspace, &mut call),
            (Function::Read(function), data) => {
                function(data.keyspace(), &mut call).map(|()| Effect::Nothing)
            }
            (Function::Write(_), Data::Readable(_)) => Err(Error::text("read only")),
        };
        let is_live = call.live.is_some();
        let work = work_before - budget.work_left();
        self.budget.charge(work).map_err(CallError::Stopped)?;
        if is_live {
            return Err(CallError::Failed(Error::text("going live")));
        }
        self.note(args, &result);
        match result {
            Ok(_) => Ok(()),
            Err(Error::OverBudget) => Err(CallError::Stopped(Error::OverBudget)),
            Err(error) => {
                // The time of the script may be over, or only that of the command.
                self.budget.check_deadline().map_err(CallError::Stopped)?;
                Err(CallError::Failed(error))
            }
        }
    }

    /// Records a command that was run, for the log and for MONITOR.
    fn note(&mut self, args: Args, result: &Result<Effect>) {
        let Some(context) = self.context.as_deref_mut() else { return };
        if *result == Ok(Effect::Changed) {
            context.log.push(args);
        }
        if context.is_monitored && !matches!(result, Err(Error::WrongArity | Error::Timeout)) {
            context.monitored.push(quoted(args, 1));
        }
    }
}

impl Host for Caller<'_, '_, '_> {
    fn call(&mut self, args: Args) -> std::result::Result<(), CallError> {
        self.reply.clear();
        let mut prefix = Prefix { args, timeout_ns: None };
        let has_timeout = args.at(0).eq_ignore_ascii_case(b"TIMEOUT");
        if has_timeout {
            prefix = Prefix::take(args).map_err(CallError::Failed)?;
        }
        if prefix.args.at(0).eq_ignore_ascii_case(b"SERVER") {
            let facts = Facts::new(Group::Server, Arity::AtLeast(1));
            self.check_rights("SERVER", &facts, prefix.args).map_err(CallError::Failed)?;
            self.reply = self.server_reply(prefix.args).map_err(CallError::Failed)?;
            return Ok(());
        }
        let command = self.admit(prefix.args, has_timeout).map_err(CallError::Failed)?;
        self.check_rights(command.name, &command.facts, prefix.args).map_err(CallError::Failed)?;
        self.run(command, &prefix)
    }

    fn reply(&self) -> &[u8] {
        &self.reply
    }

    fn elapsed_seconds(&self) -> f64 {
        self.budget.elapsed_ns() as f64 / 1e9
    }

    fn charge(&mut self, work: u64) -> Result<()> {
        self.budget.charge(work)?;
        if matches!(self.data, Data::Readable(_))
            && self.budget.deadline_ns().is_none()
            && self.budget.elapsed_ns() > READ_SECONDS_MAX * 1_000_000_000
        {
            return Err(Error::Timeout);
        }
        self.budget.check_deadline()
    }
}
