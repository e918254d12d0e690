//! The data commands, a file per family, each command one function and one record; and the table of
//! all commands, to which the server adds its own.

mod decide;
mod delete;
pub mod demands;
mod expiry;
mod fields;
mod get;
mod hook_pauses;
mod hooks;
mod json;
pub mod key_references;
mod keys;
pub mod record;
mod script_calls;
mod scripting;
mod search;
mod sequences;
mod set;
pub mod table;
mod test;
mod visits;

pub(crate) use delete::pdel_deletes;
pub(crate) use hooks::{is_shown as is_hook_shown, remove as remove_hook};

use crate::call::{Call, Effect};
use crate::engine::Engine;
use crate::error::Result;
use crate::keyspace::Keyspace;
use crate::session::{Batch, Request, Session};
use crate::timing::Timing;
use record::{Arity, Channels, Facts, Flags, Group, Keys, Record, Removal};

/// The function of a command that only reads; it runs on the live keyspace or on a snapshot.
pub type ReadFunction = fn(&Keyspace, &mut Call) -> Result<()>;
/// The function of a command that may change the keyspace.
pub type WriteFunction = fn(&mut Keyspace, &mut Call) -> Result<Effect>;

/// The function of a command about the connection; it runs on the session that received it.
pub type SessionFunction = fn(&mut Session, &mut Engine, &Request, &mut Batch) -> Result<()>;

/// The function of a data command.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum Function {
    Read(ReadFunction),
    Write(WriteFunction),
}

/// A command's record and function, beside its handler: the only statement of the command's facts.
pub struct Command<F = Function> {
    /// The name, in upper case.
    pub name: &'static str,
    /// The syntax of the arguments, in the notation of the documentation.
    pub syntax: &'static str,
    /// The line that HELP shows.
    pub summary: &'static str,
    /// The properties that decide how the server treats the command.
    pub facts: Facts,
    /// The function that runs the command.
    pub function: F,
}

const fn read(
    name: &'static str,
    arity: Arity,
    function: ReadFunction,
    syntax: &'static str,
    summary: &'static str,
) -> Command {
    let facts = Facts::new(Group::Keyspace, arity).with(Flags::READ);
    Command { name, syntax, summary, facts, function: Function::Read(function) }
}

const fn write(
    name: &'static str,
    arity: Arity,
    function: WriteFunction,
    syntax: &'static str,
    summary: &'static str,
) -> Command {
    let flags = Flags::WRITE.union(Flags::NO_TIMEOUT);
    let facts = Facts::new(Group::Keyspace, arity).with(flags);
    Command { name, syntax, summary, facts, function: Function::Write(function) }
}

impl<F> Command<F> {
    /// Returns the number of words in the command's name: two for SCRIPT LOAD and its kin, one for
    /// all other data commands.
    pub(crate) fn name_words(&self) -> usize {
        let may_be_two = self.facts.flags.contains(Flags::SCRIPTING);
        1 + usize::from(may_be_two && self.name.contains(' '))
    }

    const fn group(mut self, group: Group) -> Self {
        self.facts.group = group;
        self
    }

    pub(crate) const fn with(mut self, flags: Flags) -> Self {
        self.facts = self.facts.with(flags);
        self
    }

    pub(crate) const fn keys(mut self, keys: Keys) -> Self {
        self.facts.keys = keys;
        self
    }

    const fn channels(mut self, channels: Channels) -> Self {
        self.facts.channels = channels;
        self
    }

    const fn removing(mut self, removal: Removal) -> Self {
        self.facts.removal = removal;
        self
    }

    /// Marks a command about one object that takes microseconds; see [`Flags::BRIEF`].
    const fn brief(self) -> Self {
        self.keys(Keys::Object).with(Flags::BRIEF)
    }

    fn record(&self, timing: &mut Timing) -> Record {
        Record {
            name: self.name.to_string(),
            syntax: self.syntax.to_string(),
            summary: self.summary.to_string(),
            facts: self.facts,
            series: timing.series(self.name),
            subcommands: Vec::new(),
            number: 0,
        }
    }
}

/// Returns all data commands.
pub fn all() -> impl Iterator<Item = &'static Command> {
    [
        set::COMMANDS,
        get::COMMANDS,
        delete::COMMANDS,
        fields::COMMANDS,
        expiry::COMMANDS,
        keys::COMMANDS,
        json::COMMANDS,
        search::COMMANDS,
        test::COMMANDS,
        hooks::COMMANDS,
        hook_pauses::COMMANDS,
        visits::COMMANDS,
        decide::COMMANDS,
        sequences::COMMANDS,
        scripting::COMMANDS,
    ]
    .into_iter()
    .flatten()
}
