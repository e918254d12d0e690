//! The rights of one user in the form in which requests are checked.

use std::collections::HashMap;
use std::sync::Arc;

use super::{matches, Access, ChannelDemand, Demand, Denial, Reason};

/// The number of a command or subcommand in the table of commands.
pub type CommandNumber = u16;

/// The most commands and subcommands that a set can hold.
const COMMANDS_MAX: usize = 256;
const WORD_BITS: usize = u64::BITS as usize;

/// A set of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandSet([u64; COMMANDS_MAX / WORD_BITS]);

impl CommandSet {
    /// Returns the set of all commands, including commands that later versions add.
    pub fn all() -> Self {
        CommandSet([u64::MAX; COMMANDS_MAX / WORD_BITS])
    }

    /// Adds a command.
    pub fn insert(&mut self, command: CommandNumber) {
        let at = usize::from(command);
        if let Some(word) = self.0.get_mut(at / WORD_BITS) {
            *word |= 1 << (at % WORD_BITS);
        }
    }

    /// Returns whether the command is in the set.
    #[inline]
    pub fn contains(&self, command: CommandNumber) -> bool {
        let at = usize::from(command);
        self.0.get(at / WORD_BITS).is_some_and(|word| word >> (at % WORD_BITS) & 1 == 1)
    }
}

/// A pattern of keys, and the access that it gives.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct KeyPattern {
    pub pattern: Box<[u8]>,
    pub access: Access,
}

/// A set of commands with the keys and channels that they may use.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// The allowed commands.
    pub commands: CommandSet,
    /// Commands that are allowed only with one of these words after their name.
    pub arguments: HashMap<CommandNumber, Vec<Box<[u8]>>>,
    /// Whether all keys may be read and written.
    pub has_all_keys: bool,
    /// The patterns of keys.
    pub keys: Vec<KeyPattern>,
    /// Whether all channels may be used.
    pub has_all_channels: bool,
    /// The patterns of channels.
    pub channels: Vec<Box<[u8]>>,
}

impl Selector {
    fn allows_command(&self, command: CommandNumber, argument: Option<&[u8]>) -> bool {
        self.commands.contains(command)
            || self.arguments.get(&command).is_some_and(|words| {
                argument
                    .is_some_and(|given| words.iter().any(|word| word.eq_ignore_ascii_case(given)))
            })
    }

    fn allows_key(&self, key: &[u8], access: Access) -> bool {
        let gives = |one: &KeyPattern| one.access.contains(access) && matches(&one.pattern, key);
        self.has_all_keys || self.keys.iter().any(gives)
    }

    /// Returns whether the key may be used in any way.
    fn shows_key(&self, key: &[u8]) -> bool {
        self.has_all_keys || self.keys.iter().any(|one| matches(&one.pattern, key))
    }

    fn allows_every_key(&self, access: Access) -> bool {
        let gives = |one: &KeyPattern| one.access.contains(access) && *one.pattern == *b"*";
        access.is_empty() || self.has_all_keys || self.keys.iter().any(gives)
    }

    fn allows_channel(&self, channel: ChannelDemand) -> bool {
        self.has_all_channels
            || self.channels.iter().any(|pattern| match channel {
                ChannelDemand::Name(name) => matches(pattern, name),
                ChannelDemand::Pattern(given) => **pattern == *given,
            })
    }

    /// Returns the first requirement that this selector doesn't meet.
    fn check<'d>(&self, demand: &'d Demand) -> Result<(), (Reason, &'d [u8])> {
        if !self.allows_command(demand.command, demand.argument) {
            return Err((Reason::Command, b""));
        }
        if !self.allows_every_key(demand.every_key) {
            return Err((Reason::Key, b"*"));
        }
        let lacks = |(key, access): &&(&[u8], Access)| !self.allows_key(key, *access);
        if let Some((key, _)) = demand.keys.iter().find(lacks) {
            return Err((Reason::Key, key));
        }
        match demand.channels.iter().find(|channel| !self.allows_channel(**channel)) {
            Some(ChannelDemand::Name(name) | ChannelDemand::Pattern(name)) => {
                Err((Reason::Channel, name))
            }
            None => Ok(()),
        }
    }
}

/// The rights of a user: a list of selectors. A request is allowed if a single selector allows its
/// command, all its keys and all its channels.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    selectors: Vec<Selector>,
    /// The numbers of commands by name, for commands that scripts call.
    numbers: Arc<HashMap<String, CommandNumber>>,
}

impl Rights {
    /// Returns rights that consist of these selectors.
    pub fn new(selectors: Vec<Selector>, numbers: Arc<HashMap<String, CommandNumber>>) -> Self {
        Rights { selectors, numbers }
    }

    /// Returns the number of a command by its name in upper case.
    pub fn number_of(&self, name: &str) -> Option<CommandNumber> {
        self.numbers.get(name).copied()
    }

    /// Fails if no selector allows the request. The error is that of the selector that got furthest
    /// in checking the command, then the keys, then the channels. `name` returns the command's name
    /// for the error.
    pub fn check(&self, demand: &Demand, name: impl Fn() -> Vec<u8>) -> Result<(), Denial> {
        let mut denied: (Reason, &[u8]) = (Reason::Command, b"");
        for selector in &self.selectors {
            match selector.check(demand) {
                Ok(()) => return Ok(()),
                Err(found) if found.0 > denied.0 => denied = found,
                Err(_) => {}
            }
        }
        let (reason, object) = denied;
        let object = if reason == Reason::Command { name() } else { object.to_vec() };
        Err(Denial { reason, object })
    }

    /// Returns whether the user may read or write the key, so that lists show it.
    pub fn shows_key(&self, key: &[u8]) -> bool {
        self.selectors.iter().any(|selector| selector.shows_key(key))
    }

    /// Returns whether the user may read the key.
    pub fn reads_key(&self, key: &[u8]) -> bool {
        self.selectors.iter().any(|selector| selector.allows_key(key, Access::READ))
    }

    /// Returns whether the user may use the channel.
    pub fn allows_channel(&self, channel: ChannelDemand) -> bool {
        self.selectors.iter().any(|selector| selector.allows_channel(channel))
    }
}
