//! The data commands: one function and one record each, a file per family; and the table of all
//! commands, to which the server adds its own.

mod delete;
mod expiry;
mod fields;
mod get;
mod hooks;
mod json;
mod keys;
pub mod record;
mod search;
mod set;
pub mod subjects;
pub mod table;
mod test;

pub(crate) use delete::deletes;
pub(crate) use hooks::remove as remove_hook;

use crate::call::{Call, Effect};
use crate::error::Result;
use crate::keyspace::Keyspace;
use crate::session::{Batch, Request, Session};
use crate::timing::Timing;
use record::{Arity, Facts, Flags, Group, Keys, Record, Removal};

/// A command that only reads: runs on the live keyspace or on a snapshot.
pub type ReadFunction = fn(&Keyspace, &mut Call) -> Result<()>;
/// A command that may change the keyspace.
pub type WriteFunction = fn(&mut Keyspace, &mut Call) -> Result<Effect>;

/// A command of a connection: runs on the session that received it.
pub type SessionFunction = fn(&mut Session, &Request, &mut Batch) -> Result<()>;

/// The function of a data command.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum Function {
    Read(ReadFunction),
    Write(WriteFunction),
}

/// A command with its function: the only statement of its facts.
pub struct Command<F = Function> {
    /// Upper case.
    pub name: &'static str,
    /// What stands behind the name, in the notation of the documentation.
    pub syntax: &'static str,
    /// One line for help.
    pub summary: &'static str,
    /// How it is treated.
    pub facts: Facts,
    /// What runs it.
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
    const fn group(mut self, group: Group) -> Self {
        self.facts.group = group;
        self
    }

    pub(crate) const fn with(mut self, flags: Flags) -> Self {
        self.facts = self.facts.with(flags);
        self
    }

    const fn keys(mut self, keys: Keys) -> Self {
        self.facts.keys = keys;
        self
    }

    const fn removing(mut self, removal: Removal) -> Self {
        self.facts.removal = removal;
        self
    }

    /// A command about one object that takes microseconds.
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
        }
    }
}

/// All data commands.
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
    ]
    .into_iter()
    .flatten()
}

/// Commands of Tile38 that this version doesn't run yet.
pub(crate) const LATER: &[Command<()>] = &[
    later("EVAL"),
    later("EVALSHA"),
    later("SCRIPT LOAD"),
    later("SCRIPT EXISTS"),
    later("SCRIPT FLUSH"),
];

const fn later(name: &'static str) -> Command<()> {
    let facts = Facts::new(Group::Scripting, Arity::AtLeast(3))
        .with(Flags::WRITE.union(Flags::SCRIPTING))
        .keys(Keys::Script);
    Command { name, syntax: "", summary: "", facts, function: () }
}
