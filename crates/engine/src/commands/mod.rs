//! The data commands: one function and one record each, a file per family.

mod delete;
mod expiry;
mod fields;
mod get;
mod hooks;
mod json;
mod keys;
mod search;
mod set;
mod test;

pub(crate) use delete::deletes;
pub(crate) use hooks::remove as remove_hook;

use crate::call::{Call, Effect};
use crate::error::Result;
use crate::keyspace::Keyspace;

/// Who may run a command when: see [`crate::gate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Changes data: refused on followers, when read-only, and behind TIMEOUT.
    Write,
    /// A script that may write: as a write, but TIMEOUT is fine.
    Script,
    /// Reads data: refused on a follower that never caught up.
    Read,
    /// Reads, and is never refused.
    Always,
    /// Operates the server.
    Admin,
    /// Belongs to the connection: not behind TIMEOUT.
    Connection,
    /// Publishes or subscribes.
    Publish,
}

/// How many arguments a command takes, its name counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly so many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
    /// From the first to the second.
    Between(usize, usize),
}

impl Arity {
    /// Whether so many arguments are right.
    pub fn allows(self, count: usize) -> bool {
        match self {
            Arity::Exactly(wanted) => count == wanted,
            Arity::AtLeast(least) => count >= least,
            Arity::Between(least, most) => (least..=most).contains(&count),
        }
    }
}

/// A command that only reads: runs on the live keyspace or on a snapshot.
pub type ReadFunction = fn(&Keyspace, &mut Call) -> Result<()>;
/// A command that may change the keyspace.
pub type WriteFunction = fn(&mut Keyspace, &mut Call) -> Result<Effect>;

/// What runs a command.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum Function {
    Read(ReadFunction),
    Write(WriteFunction),
}

/// The record of a command: the only statement of its facts.
pub struct Command {
    /// Upper case.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: Arity,
    /// Who may run it when.
    pub access: Access,
    /// Whether it is refused above maxmemory, before its arity is looked at.
    pub needs_memory: bool,
    /// What runs it.
    pub function: Function,
    /// One line for help.
    pub summary: &'static str,
}

const fn read(
    name: &'static str,
    arity: Arity,
    function: ReadFunction,
    summary: &'static str,
) -> Command {
    let function = Function::Read(function);
    Command { name, arity, access: Access::Read, needs_memory: false, function, summary }
}

const fn write(
    name: &'static str,
    arity: Arity,
    function: WriteFunction,
    summary: &'static str,
) -> Command {
    let function = Function::Write(function);
    Command { name, arity, access: Access::Write, needs_memory: false, function, summary }
}

impl Command {
    const fn always(mut self) -> Self {
        self.access = Access::Always;
        self
    }

    const fn needing_memory(mut self) -> Self {
        self.needs_memory = true;
        self
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

/// Commands of Tile38 that this version doesn't run yet: clients hear that they are unknown, in a
/// log they are passed over and counted.
pub const LATER: &[(&str, Access)] = &[("EVAL", Access::Script), ("EVALSHA", Access::Script)];
