//! The record of a command: its name, its syntax, and the properties that decide how the server
//! treats it. Gates, metrics, COMMAND, HELP and the documentation are derived from records. Runs no
//! command.

use bitflags::bitflags;

use crate::access::CommandNumber;
use crate::timing::Series;

bitflags! {
    /// Independent properties of a command.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// Changes data: refused on followers, in read-only mode and while the log cannot be
        /// written.
        const WRITE = 1;
        /// Reads data: refused on a follower that never caught up, unless [`Flags::STALE_OK`].
        const READ = 1 << 1;
        /// Operates the server.
        const ADMIN = 1 << 2;
        /// Concerns the connection alone.
        const CONNECTION = 1 << 3;
        /// Publishes or subscribes.
        const PUBSUB = 1 << 4;
        /// Runs a script.
        const SCRIPTING = 1 << 5;
        /// Takes over the connection, or lets the client wait.
        const BLOCKING = 1 << 6;
        /// Runs before the client has authenticated.
        const BEFORE_AUTH = 1 << 7;
        /// Runs while the log is being loaded.
        const WHILE_LOADING = 1 << 8;
        /// Runs on a follower that never caught up with its leader.
        const STALE_OK = 1 << 9;
        /// Refused above maxmemory.
        const NEEDS_MEMORY = 1 << 10;
        /// Refused with the prefix TIMEOUT.
        const NO_TIMEOUT = 1 << 11;
        /// Left out by MONITOR, and by SLOWLOG its arguments, which may be passwords.
        const HIDDEN = 1 << 12;
        /// Touches one object and takes microseconds, unless the object is large or fenced.
        const BRIEF = 1 << 13;
        /// An unknown command over HTTP.
        const NO_HTTP = 1 << 14;
        /// Fails over HTTP by the status code, which load balancers look at.
        const HTTP_STATUS = 1 << 15;
        /// A prefix with one argument, which the actual command follows.
        const PREFIX = 1 << 16;
        /// Turns the connection into a subscriber.
        const SUBSCRIBES = 1 << 17;
        /// Sent to followers in the leader's stream, but not written to their logs.
        const FORWARDED = 1 << 18;
        /// Exists only under `--dev`.
        const DEVELOPER = 1 << 19;
        /// Describes the commands; clients that understand only RESP send it.
        const INTROSPECTION = 1 << 20;
        /// Can't be queued by MULTI: it works on another thread, or changes the connection.
        const NO_MULTI = 1 << 21;
        /// Controls a transaction, so that it runs where others are queued.
        const MULTI_CONTROL = 1 << 22;
        /// Scripts can't call it.
        const NO_SCRIPTS = 1 << 23;
        /// Can lose all data at once, or hold up others; the category `dangerous`.
        const DANGEROUS = 1 << 24;
    }
}

/// The chapter of the documentation in which a command appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Group {
    Keyspace,
    Search,
    Fences,
    PubSub,
    Scripting,
    Connection,
    Server,
    Persistence,
    Replication,
    Developer,
}

impl Group {
    /// Every group and its name, in the order of the documentation.
    pub const ALL: [(Group, &'static str); 10] = [
        (Group::Keyspace, "keyspace"),
        (Group::Search, "search"),
        (Group::Fences, "fences"),
        (Group::PubSub, "pubsub"),
        (Group::Scripting, "scripting"),
        (Group::Connection, "connection"),
        (Group::Server, "server"),
        (Group::Persistence, "persistence"),
        (Group::Replication, "replication"),
        (Group::Developer, "developer"),
    ];
}

/// The number of words that a request may have, including the words of the command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly this many.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
    /// From the first number to the second, inclusive.
    Between(usize, usize),
}

impl Arity {
    /// Returns whether a request may have this many words.
    pub fn allows(self, count: usize) -> bool {
        match self {
            Arity::Exactly(wanted) => count == wanted,
            Arity::AtLeast(least) => count >= least,
            Arity::Between(least, most) => (least..=most).contains(&count),
        }
    }

    /// Returns the arity as Redis's COMMAND shows it: negative for a minimum.
    pub fn as_redis(self) -> i64 {
        match self {
            Arity::Exactly(count) => count as i64,
            Arity::AtLeast(least) | Arity::Between(least, _) => -(least as i64),
        }
    }

    /// Returns the arity that a number of Redis's COMMAND means.
    pub fn of_redis(number: i64) -> Self {
        let count = number.unsigned_abs() as usize;
        if number < 0 {
            Arity::AtLeast(count)
        } else {
            Arity::Exactly(count)
        }
    }
}

/// The objects that a write removes or moves. A follower that has removed expired objects before
/// its leader decides by this which of them to restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Removal {
    /// No object: the command changes or reads the objects that it names.
    #[default]
    None,
    /// The object that the command names.
    Object,
    /// The objects of the key whose ids match the pattern after the key.
    Matching,
    /// All objects of the key.
    Key,
    /// All objects of the first key move to the second one.
    Rename,
    /// All objects.
    All,
}

/// The positions of the keys and ids in a command's request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// The request has neither keys nor ids.
    #[default]
    None,
    /// The first argument is a key.
    Key,
    /// The first argument is a key, the second the id of one of its objects.
    Object,
    /// The first two arguments are keys.
    Pair,
    /// All arguments are keys.
    All,
    /// The first argument is a key; the area after it may name objects of other keys (`GET key id`,
    /// `ROAM key pattern …`).
    Search,
    /// The arguments are areas, which may be objects (`GET key id`).
    Areas,
    /// A search follows the name of a hook and its endpoints.
    Hook,
    /// A search follows the name of a channel.
    Channel,
    /// A script, the number of its keys, and the keys.
    Script,
    /// The request names no key, but the command changes or shows all of them.
    Every,
}

impl Keys {
    /// Every variant and its name.
    pub const ALL: [(Keys, &'static str); 11] = [
        (Keys::None, "none"),
        (Keys::Key, "key"),
        (Keys::Object, "object"),
        (Keys::Pair, "pair"),
        (Keys::All, "all"),
        (Keys::Search, "search"),
        (Keys::Areas, "areas"),
        (Keys::Hook, "hook"),
        (Keys::Channel, "channel"),
        (Keys::Script, "script"),
        (Keys::Every, "every"),
    ];
}

/// The positions of the channels in a command's request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// The request has no channels.
    #[default]
    None,
    /// The first argument is a channel.
    First,
    /// All arguments are channels.
    All,
    /// All arguments are channels, or the first one is, and `FROM` and a number follow.
    AllOrFrom,
    /// All arguments are patterns of channels.
    Patterns,
}

impl Channels {
    /// Every variant and its name.
    pub const ALL: [(Channels, &'static str); 5] = [
        (Channels::None, "none"),
        (Channels::First, "first"),
        (Channels::All, "all"),
        (Channels::AllOrFrom, "all_or_from"),
        (Channels::Patterns, "patterns"),
    ];
}

/// The properties of a command that decide how the server treats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The number of words in a request.
    pub arity: Arity,
    /// The chapter of the documentation.
    pub group: Group,
    /// The independent properties.
    pub flags: Flags,
    /// The positions of keys and ids.
    pub keys: Keys,
    /// The positions of channels.
    pub channels: Channels,
    /// The objects that the command removes or moves.
    pub removal: Removal,
}

impl Facts {
    /// Returns the facts of a command with neither keys nor flags.
    pub const fn new(group: Group, arity: Arity) -> Self {
        Facts {
            arity,
            group,
            flags: Flags::empty(),
            keys: Keys::None,
            channels: Channels::None,
            removal: Removal::None,
        }
    }

    /// Returns the same facts with more flags.
    #[must_use]
    pub const fn with(mut self, flags: Flags) -> Self {
        self.flags = self.flags.union(flags);
        self
    }

    /// Returns the same facts with these positions of keys.
    #[must_use]
    pub const fn keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// Returns the same facts with these positions of channels.
    #[must_use]
    pub const fn channels(mut self, channels: Channels) -> Self {
        self.channels = channels;
        self
    }
}

/// A subcommand that users' rights tell apart. Its command's handler runs it.
#[derive(Clone, Debug)]
pub struct Subcommand {
    /// The name, in upper case.
    pub name: String,
    /// The flags that differ from the command's: [`Flags::ADMIN`], [`Flags::CONNECTION`].
    pub flags: Flags,
}

/// The record of a command in the table, be it the engine's or the server's.
#[derive(Clone, Debug)]
pub struct Record {
    /// The name, in upper case; two words for commands such as CONFIG GET.
    pub name: String,
    /// The syntax of the arguments, in the notation of the documentation.
    pub syntax: String,
    /// The line that HELP shows.
    pub summary: String,
    /// The properties that decide how the server treats the command.
    pub facts: Facts,
    /// The series in which the command's durations are recorded.
    pub series: Series,
    /// The subcommands that users' rights tell apart.
    pub subcommands: Vec<Subcommand>,
    /// The number of the command in a [`CommandSet`](crate::access::CommandSet), assigned by the
    /// table. The subcommands have the numbers behind it, in their order.
    pub number: CommandNumber,
}

impl Record {
    /// Returns whether a request may have this many words after the command's name.
    pub fn allows(&self, arguments: usize) -> bool {
        let name_words = 1 + usize::from(self.name.contains(' '));
        self.facts.arity.allows(name_words + arguments)
    }
}
