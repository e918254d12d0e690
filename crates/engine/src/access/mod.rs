//! Users' rights: which commands a user may run, which keys it may read and write, and which
//! channels it may use. Rules are parsed and passwords are checked by the server; the rights that a
//! request needs are derived in [`crate::commands`].

mod pattern;
mod rights;
mod users;

pub use pattern::matches;
pub use rights::{CommandNumber, CommandSet, KeyPattern, Rights, Selector};
pub use users::{SessionUser, Users, DEFAULT_USER};

use bitflags::bitflags;
use smallvec::SmallVec;

bitflags! {
    /// The ways in which a command uses a key, or in which a user may use the keys of a pattern.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u8 {
        /// The command returns or examines data of the key.
        const READ = 1;
        /// The command changes data of the key.
        const WRITE = 2;
    }
}

/// The kind of right that a user lacks. A later kind is checked after the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The user may not run the command.
    Command,
    /// The user may run the command, but not use one of its keys.
    Key,
    /// The user may not use one of the channels.
    Channel,
}

impl Reason {
    /// Returns the reason's name in ACL LOG.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
        }
    }
}

/// The refusal of a request for want of a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The kind of right that the user lacks.
    pub reason: Reason,
    /// The command as `config|get`, the key, or the channel.
    pub object: Vec<u8>,
}

/// The named keys of a request, and the access that it needs to each. Most requests name one.
pub type KeyDemands<'a> = SmallVec<[(&'a [u8], Access); 2]>;

/// The requirements of one request.
pub struct Demand<'a> {
    /// The command's number in the table.
    pub command: CommandNumber,
    /// The word after the command's name, for rules such as `+select|0`.
    pub argument: Option<&'a [u8]>,
    /// The access that is needed to all keys, named or not; empty for most commands.
    pub every_key: Access,
    /// The named keys, and the access that is needed to each.
    pub keys: KeyDemands<'a>,
    /// The named channels.
    pub channels: Vec<ChannelDemand<'a>>,
}

/// A channel that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelDemand<'a> {
    /// A channel's name.
    Name(&'a [u8]),
    /// A pattern of channels, which one of the user's patterns must equal.
    Pattern(&'a [u8]),
}

impl Denial {
    /// Returns the error's text, which is that of Redis 7.0.
    pub fn message(&self) -> Vec<u8> {
        match self.reason {
            Reason::Command => [
                b"NOPERM this user has no permissions to run the '",
                &self.object[..],
                b"' command",
            ]
            .concat(),
            Reason::Key => {
                b"NOPERM this user has no permissions to access one of the keys used as arguments"
                    .to_vec()
            }
            Reason::Channel => {
                b"NOPERM this user has no permissions to access one of the channels \
                used as arguments"
                    .to_vec()
            }
        }
    }

    /// Returns the error's text for a command of EXEC, which was allowed when it was queued.
    pub fn message_in_exec(&self) -> String {
        let reason = match self.reason {
            Reason::Command => "no permission to execute the command or subcommand",
            Reason::Key => "no permission to touch the specified keys",
            Reason::Channel => {
                "no permission to access one of the channels used as arguments to the command"
            }
        };
        format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the \
             EXEC call. This command is no longer allowed for the following reason: {reason}"
        )
    }

    /// Returns the error's text for a command that a script calls.
    pub fn message_in_script(&self) -> &'static str {
        match self.reason {
            Reason::Command => "The user executing the script can't run this command or subcommand",
            Reason::Key => {
                "The user executing the script can't access at least one of the keys mentioned in \
                 the command arguments"
            }
            Reason::Channel => {
                "The user executing the script can't publish to the channel mentioned in the \
                 command"
            }
        }
    }
}
