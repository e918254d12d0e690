//! The rights that a request needs, found by its command's record.

use super::key_references::KeyReference;
use super::record::{Channels, Facts, Flags, Keys, Record};
use crate::access::{Access, ChannelDemand, CommandNumber, Demand, KeyDemands};
use crate::request::Args;

impl Facts {
    /// Returns the rights that a request of a command with this number needs.
    pub fn demand<'a>(&self, command: CommandNumber, args: Args<'a>) -> Demand<'a> {
        Demand {
            command,
            argument: args.get(1),
            every_key: match self.keys {
                Keys::Every => own_access(self.flags),
                _ => Access::empty(),
            },
            keys: key_demands(self.keys, self.flags, args),
            channels: channel_demands(self.channels, args),
        }
    }
}

impl Record {
    /// Returns the rights that a request needs. `args` begins with the last word of the command's
    /// name.
    pub fn demand<'a>(&self, args: Args<'a>) -> Demand<'a> {
        self.facts.demand(self.number_of(args), args)
    }

    /// Returns the name of a request's command as users' rights have it: `config|get`.
    pub fn name_in_rights(&self, args: Args) -> Vec<u8> {
        let mut name = self.name.to_ascii_lowercase().replace(' ', "|");
        if let Some((_, subcommand)) = self.subcommand(args) {
            name.push('|');
            name.push_str(&subcommand.to_ascii_lowercase());
        }
        name.into_bytes()
    }

    fn number_of(&self, args: Args) -> CommandNumber {
        match self.subcommand(args) {
            Some((index, _)) => self.number + 1 + index as CommandNumber,
            None => self.number,
        }
    }

    fn subcommand(&self, args: Args) -> Option<(usize, &str)> {
        let word = args.get(1)?;
        let mut names = self.subcommands.iter().map(|one| &one.name[..]).enumerate();
        names.find(|(_, name)| word.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Returns the access of a command to its own key.
fn own_access(flags: Flags) -> Access {
    if flags.contains(Flags::WRITE) {
        Access::WRITE
    } else {
        Access::READ
    }
}

fn key_demands(keys: Keys, flags: Flags, args: Args<'_>) -> KeyDemands<'_> {
    let references = keys.references(args).into_iter().enumerate();
    let access_of = |index: usize| match keys {
        // A hook or channel shows the objects of its key and changes none.
        Keys::Hook | Keys::Channel | Keys::Areas => Access::READ,
        // The objects of the first key are moved to the second one.
        Keys::Pair if index == 0 => Access::all(),
        Keys::Script if !flags.contains(Flags::READ) => Access::all(),
        // The first key is searched; objects of the other keys are areas, which are only read.
        Keys::Search if index > 0 => Access::READ,
        _ => own_access(flags),
    };
    references.map(|(index, KeyReference { key, .. })| (key, access_of(index))).collect()
}

fn channel_demands(channels: Channels, args: Args<'_>) -> Vec<ChannelDemand<'_>> {
    let words = || args.skip(1).iter();
    match channels {
        Channels::None => Vec::new(),
        Channels::First => words().take(1).map(ChannelDemand::Name).collect(),
        Channels::All => words().map(ChannelDemand::Name).collect(),
        Channels::AllOrFrom => {
            let is_from = args.len() == 4 && args.at(2).eq_ignore_ascii_case(b"FROM");
            let count = if is_from { 1 } else { args.len() };
            words().take(count).map(ChannelDemand::Name).collect()
        }
        Channels::Patterns => words().map(ChannelDemand::Pattern).collect(),
    }
}
