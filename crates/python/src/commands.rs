//! `CommandRecord`: the conversion of commands' records to and from Python.

use ::engine::commands::record::{Arity, Channels, Facts, Flags, Group, Keys, Record, Subcommand};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The record of a command: its name, syntax, summary and the properties that decide how the server
/// treats it. Arity counts the words of a request, those of the name included; a negative number is
/// a minimum. Flags, group, keys and channels have the names of the engine's `commands::record`, in
/// lower case.
#[pyclass(frozen, get_all)]
pub struct CommandRecord {
    pub name: String,
    pub arity: i64,
    pub syntax: String,
    pub summary: String,
    pub group: String,
    pub flags: Vec<String>,
    pub keys: String,
    pub channels: String,
    pub subcommands: Vec<(String, Vec<String>)>,
}

fn unknown(what: &str, name: &str) -> PyErr {
    PyValueError::new_err(format!("unknown {what} {name:?}"))
}

/// Returns the value with this name. Raises `ValueError` for an unknown name.
fn named<T: Copy>(all: &[(T, &'static str)], what: &str, name: &str) -> PyResult<T> {
    let found = all.iter().find(|(_, known)| *known == name);
    found.map(|(value, _)| *value).ok_or_else(|| unknown(what, name))
}

/// Returns the name of a value.
fn name_of<T: PartialEq>(all: &[(T, &'static str)], value: &T) -> String {
    let found = all.iter().find(|(known, _)| known == value);
    found.map(|(_, name)| (*name).to_string()).unwrap_or_default()
}

/// Returns the names of flags.
fn names_of(flags: Flags) -> Vec<String> {
    flags.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect()
}

/// Returns the flags with these names. Raises `ValueError` for an unknown name.
fn flags_of(names: &[String]) -> PyResult<Flags> {
    let flag = |name: &String| {
        Flags::from_name(&name.to_ascii_uppercase()).ok_or_else(|| unknown("flag", name))
    };
    names.iter().map(flag).collect()
}

impl CommandRecord {
    /// Converts a record of the engine.
    pub fn of(record: &Record) -> Self {
        let facts = &record.facts;
        CommandRecord {
            name: record.name.clone(),
            arity: facts.arity.as_redis(),
            syntax: record.syntax.clone(),
            summary: record.summary.clone(),
            group: name_of(&Group::ALL, &facts.group),
            flags: names_of(facts.flags),
            keys: name_of(&Keys::ALL, &facts.keys),
            channels: name_of(&Channels::ALL, &facts.channels),
            subcommands: record
                .subcommands
                .iter()
                .map(|one| (one.name.clone(), names_of(one.flags)))
                .collect(),
        }
    }

    /// Returns the properties. Raises `ValueError` for unknown names of flags, group or keys.
    pub fn facts(&self) -> PyResult<Facts> {
        let group = named(&Group::ALL, "group", &self.group)?;
        let keys = named(&Keys::ALL, "keys", &self.keys)?;
        let channels = named(&Channels::ALL, "channels", &self.channels)?;
        let facts = Facts::new(group, Arity::of_redis(self.arity)).with(flags_of(&self.flags)?);
        Ok(facts.keys(keys).channels(channels))
    }

    /// Returns the subcommands. Raises `ValueError` for unknown names of flags.
    pub fn subcommands(&self) -> PyResult<Vec<Subcommand>> {
        let convert = |(name, flags): &(String, Vec<String>)| {
            Ok(Subcommand { name: name.to_ascii_uppercase(), flags: flags_of(flags)? })
        };
        self.subcommands.iter().map(convert).collect()
    }
}

#[pymethods]
impl CommandRecord {
    #[new]
    #[pyo3(signature = (name, *, arity, syntax, summary, group, flags, keys, channels,
        subcommands))]
    #[allow(clippy::too_many_arguments)] // the facts of a command, each by its name
    fn new(
        name: String,
        arity: i64,
        syntax: String,
        summary: String,
        group: String,
        flags: Vec<String>,
        keys: String,
        channels: String,
        subcommands: Vec<(String, Vec<String>)>,
    ) -> Self {
        CommandRecord { name, arity, syntax, summary, group, flags, keys, channels, subcommands }
    }
}
