//! The table of all commands, the engine's and the server's, in which a request's command is looked
//! up by its name.

use std::collections::HashMap;
use std::sync::Arc;

use super::record::{Flags, Record};
use super::{Command, SessionFunction};
use crate::access::CommandNumber;
use crate::error::Error;
use crate::request::Args;
use crate::timing::Timing;

/// Bytes of the longest name of a command, including both words of a two-word name.
const NAME_BYTES_MAX: usize = 16;
/// Slots of the hash table: more than twice the number of commands, so that few names collide.
const SLOTS: usize = 256;

/// The part of the program that runs a command.
#[derive(Clone, Copy)]
pub enum Runner {
    /// The engine runs the command on its data.
    Data(&'static Command),
    /// The session that received the command runs it.
    Session(SessionFunction),
    /// The driver of the engine runs the command.
    Server,
}

/// The command that a request names: a position in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    index: u16,
    /// The number of the request's words that make up the command's name.
    pub words: u8,
}

/// The table of all commands.
#[derive(Default)]
pub struct Table {
    records: Vec<Record>,
    runners: Vec<Runner>,
    /// The packed name of each command; see [`pack_name`].
    names: Vec<u128>,
    /// A hash table with linear probing: each slot holds a command's index plus one, or 0.
    slots: Vec<u16>,
    /// The packed first words of two-word names.
    containers: Vec<u128>,
    /// The number of each command in users' rights, by its name in upper case. A subcommand's name
    /// is `CLIENT|LIST`.
    numbers: Arc<HashMap<String, CommandNumber>>,
}

/// Returns a name in upper case as one number; `None` for one that is too long. Zero bytes at the
/// end of a name make no difference.
pub(super) fn pack_name(name: &[u8]) -> Option<u128> {
    let mut bytes = [0_u8; NAME_BYTES_MAX];
    bytes.get_mut(..name.len())?.copy_from_slice(name);
    bytes.make_ascii_uppercase();
    Some(u128::from_be_bytes(bytes))
}

/// Returns the slot at which the search for a name begins.
fn first_slot(name: u128) -> usize {
    let folded = (name >> 64) as u64 ^ name as u64;
    // Fibonacci hashing: the high bits of a product with 2^64 / the golden ratio.
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % SLOTS
}

impl Table {
    /// Returns the table of the engine's commands. The server adds its own.
    pub fn new(timing: &mut Timing) -> Self {
        let mut table = Table { slots: vec![0; SLOTS], ..Table::default() };
        for command in super::all() {
            table.add(command.record(timing), Runner::Data(command));
        }
        for command in crate::session::commands() {
            table.add(command.record(timing), Runner::Session(command.function));
        }
        table
    }

    /// Adds a command; replaces the one with the same name, if there is one.
    pub fn add(&mut self, mut record: Record, runner: Runner) {
        let packed_name = pack_name(record.name.as_bytes());
        debug_assert!(packed_name.is_some(), "the name {} is too long", record.name);
        debug_assert!(self.names.len() < SLOTS / 2, "the table is too small");
        let Some(name) = packed_name else { return };
        record.number = self.assign_numbers(&record);
        if let Some(index) = self.index_of(name) {
            self.records[index] = record;
            self.runners[index] = runner;
            return;
        }
        if let Some((container, _)) = record.name.split_once(' ') {
            self.containers.extend(pack_name(container.as_bytes()));
        }
        self.records.push(record);
        self.runners.push(runner);
        self.names.push(name);
        let mut slot = first_slot(name);
        while self.slots[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        self.slots[slot] = self.names.len() as u16;
    }

    /// Returns the command's number in users' rights. A command that is added again keeps it.
    fn assign_numbers(&mut self, record: &Record) -> CommandNumber {
        let numbers = Arc::make_mut(&mut self.numbers);
        let names = record.subcommands.iter().map(|one| format!("{}|{}", record.name, one.name));
        for name in std::iter::once(record.name.clone()).chain(names) {
            let next = numbers.len() as CommandNumber;
            numbers.entry(name).or_insert(next);
        }
        numbers[&record.name]
    }

    /// Returns the number of each command in users' rights by its name in upper case.
    pub fn numbers(&self) -> Arc<HashMap<String, CommandNumber>> {
        Arc::clone(&self.numbers)
    }

    fn index_of(&self, name: u128) -> Option<usize> {
        let mut slot = first_slot(name);
        loop {
            let index = usize::from(*self.slots.get(slot)?).checked_sub(1)?;
            if self.names[index] == name {
                return Some(index);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Returns the command that the first arguments name. A two-word name may also be one argument
    /// with a space.
    #[inline]
    pub fn find(&self, args: Args) -> Option<Found> {
        let name = args.at(0);
        if let Some(index) = self.find_name(name) {
            return Some(Found { index, words: 1 });
        }
        if !self.is_container(name) {
            return None;
        }
        let both = [name, b" ", args.get(1)?].concat();
        self.find_name(&both).map(|index| Found { index, words: 2 })
    }

    fn find_name(&self, name: &[u8]) -> Option<u16> {
        let index = self.index_of(pack_name(name)?)?;
        (self.records[index].name.len() == name.len()).then_some(index as u16)
    }

    fn is_container(&self, name: &[u8]) -> bool {
        pack_name(name).is_some_and(|name| self.containers.contains(&name))
    }

    /// Returns the error for arguments that name no command.
    pub fn unknown(&self, args: Args) -> Error {
        match args.get(1) {
            Some(second) if self.is_container(args.at(0)) => {
                Error::unknown_command(&[args.at(0), b" ", second].concat())
            }
            _ => Error::unknown_command(args.at(0)),
        }
    }

    /// Returns the record of a command.
    #[inline]
    pub fn record(&self, found: Found) -> &Record {
        &self.records[usize::from(found.index)]
    }

    /// Returns the flags of a command; no flags for `None`.
    #[inline]
    pub fn flags(&self, found: Option<Found>) -> Flags {
        found.map_or(Flags::empty(), |found| self.record(found).facts.flags)
    }

    /// Returns the part of the program that runs a command.
    #[inline]
    pub fn runner(&self, found: Found) -> Runner {
        self.runners[usize::from(found.index)]
    }

    /// Returns the records of all commands that this version runs, ascending by name.
    pub fn records(&self) -> Vec<&Record> {
        let mut found: Vec<_> = self.records.iter().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::record::{Arity, Facts, Group};
    use crate::request::Arguments;

    fn find(table: &Table, words: &[&str]) -> Option<(String, u8)> {
        let mut arguments = Arguments::default();
        arguments.assign(words);
        let found = table.find(arguments.view(&[]))?;
        Some((table.record(found).name.clone(), found.words))
    }

    fn server_command(name: &str, timing: &mut Timing) -> Record {
        Record {
            name: name.to_string(),
            syntax: String::new(),
            summary: String::new(),
            facts: Facts::new(Group::Server, Arity::AtLeast(1)),
            series: timing.series(name),
            subcommands: Vec::new(),
            number: 0,
        }
    }

    #[test]
    fn every_command_is_found_in_any_case() {
        let table = Table::new(&mut Timing::default());
        for record in table.records() {
            let name = record.name.to_ascii_lowercase();
            assert_eq!(find(&table, &[&name]), Some((record.name.clone(), 1)));
        }
        assert!(table.records().len() > 40);
    }

    #[test]
    fn a_two_word_name_is_two_arguments_or_one() {
        let mut timing = Timing::default();
        let mut table = Table::new(&mut timing);
        table.add(server_command("CONFIG GET", &mut timing), Runner::Server);
        assert_eq!(find(&table, &["config", "Get"]), Some(("CONFIG GET".into(), 2)));
        assert_eq!(find(&table, &["config get", "x"]), Some(("CONFIG GET".into(), 1)));
        for words in [&["config"][..], &["config", "nope"], &["nope"], &[""], &["set\0"]] {
            assert_eq!(find(&table, words), None);
        }
    }

    #[test]
    fn a_command_replaces_one_with_the_same_name() {
        let mut timing = Timing::default();
        let mut table = Table::new(&mut timing);
        let count = table.records().len();
        table.add(server_command("SET", &mut timing), Runner::Server);
        assert_eq!(table.records().len(), count);
        assert!(find(&table, &["SET"]).is_some());
    }
}
