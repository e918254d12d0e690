//! `AccessSelector`: a part of a user's rights, converted from Python.

use std::collections::HashMap;

use ::engine::access::{Access, CommandNumber, CommandSet, KeyPattern, Selector};
use ::engine::session::{DenialContext, DeniedRequest};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A set of commands with the keys and channels that they may use. Commands have the names of
/// their records, subcommands names such as `CLIENT|LIST`.
#[pyclass(frozen)]
pub struct AccessSelector {
    /// `None` for all commands, including commands that later versions add.
    commands: Option<Vec<String>>,
    arguments: Vec<(String, Vec<u8>)>,
    /// `None` for all keys.
    keys: Option<Vec<(Vec<u8>, bool, bool)>>,
    /// `None` for all channels.
    channels: Option<Vec<Vec<u8>>>,
}

impl AccessSelector {
    /// Returns the selector in the form in which requests are checked.
    pub fn compile(&self, numbers: &HashMap<String, CommandNumber>) -> Selector {
        let commands = self.commands.as_ref().map_or_else(CommandSet::all, |names| {
            let mut set = CommandSet::default();
            names.iter().filter_map(|name| numbers.get(name)).for_each(|one| set.insert(*one));
            set
        });
        let mut arguments: HashMap<CommandNumber, Vec<Box<[u8]>>> = HashMap::new();
        for (name, word) in &self.arguments {
            if let Some(number) = numbers.get(name) {
                arguments.entry(*number).or_default().push(word.clone().into());
            }
        }
        let keys = self.keys.iter().flatten().map(|(pattern, reads, writes)| {
            let mut access = Access::empty();
            access.set(Access::READ, *reads);
            access.set(Access::WRITE, *writes);
            KeyPattern { pattern: pattern.clone().into(), access }
        });
        Selector {
            commands,
            arguments,
            has_all_keys: self.keys.is_none(),
            keys: keys.collect(),
            has_all_channels: self.channels.is_none(),
            channels: self.channels.iter().flatten().map(|one| one.clone().into()).collect(),
        }
    }
}

#[pymethods]
impl AccessSelector {
    #[new]
    #[pyo3(signature = (*, commands, arguments, keys, channels))]
    fn new(
        commands: Option<Vec<String>>,
        arguments: Vec<(String, Vec<u8>)>,
        keys: Option<Vec<(Vec<u8>, bool, bool)>>,
        channels: Option<Vec<Vec<u8>>>,
    ) -> Self {
        AccessSelector { commands, arguments, keys, channels }
    }
}

/// A refusal: its reason, its context, the command, key or channel, and the user.
pub type DeniedRecord = (&'static str, &'static str, Py<PyBytes>, Py<PyBytes>);

/// Converts a refusal.
pub fn convert_denied(py: Python<'_>, denied: &DeniedRequest) -> DeniedRecord {
    let context = match denied.context {
        DenialContext::TopLevel => "toplevel",
        DenialContext::Transaction => "multi",
        DenialContext::Script => "lua",
    };
    let object = PyBytes::new(py, &denied.denial.object).unbind();
    (denied.denial.reason.name(), context, object, PyBytes::new(py, &denied.user).unbind())
}
