//! Facts about a command: what it is called, how it is typed, and how the rest of the server treats
//! it. Gates, metrics, COMMAND, HELP and the documentation derive from here; runs no command.

use bitflags::bitflags;

use crate::timing::Series;

bitflags! {
    /// How a command is treated, as independent properties.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u32 {
        /// Changes data: refused on followers, in read-only mode and while the log cannot be
        /// written.
        const WRITE = 1;
        /// Reads data: refused on a follower that never caught up, unless [`Flags::STALE_OK`].
        const READ = 1 << 1;
        /// Operates the server.
        const ADMIN = 1 << 2;
        /// Concerns the connection.
        const CONNECTION = 1 << 3;
        /// Publishes or subscribes.
        const PUBSUB = 1 << 4;
        /// Runs a script.
        const SCRIPTING = 1 << 5;
        /// Takes the connection over, or makes the client wait.
        const BLOCKING = 1 << 6;
        /// Runs before the client has given the password.
        const BEFORE_AUTH = 1 << 7;
        /// Runs while the log is being loaded.
        const WHILE_LOADING = 1 << 8;
        /// Runs on a follower that never caught up with its leader.
        const STALE_OK = 1 << 9;
        /// Refused above maxmemory.
        const NEEDS_MEMORY = 1 << 10;
        /// Refused behind TIMEOUT.
        const NO_TIMEOUT = 1 << 11;
        /// Not shown by MONITOR, its arguments not in SLOWLOG: they may be passwords.
        const HIDDEN = 1 << 12;
        /// Touches one object and takes microseconds, unless the object is large or fenced.
        const BRIEF = 1 << 13;
        /// Unknown over HTTP.
        const NO_HTTP = 1 << 14;
        /// Over HTTP its failure is told by the status code: load balancers look at nothing else.
        const HTTP_STATUS = 1 << 15;
        /// A prefix: the command proper stands behind it and its first argument.
        const PREFIX = 1 << 16;
        /// Makes the connection a subscriber.
        const SUBSCRIBES = 1 << 17;
        /// Reaches followers through the leader's stream, but not their logs.
        const FORWARDED = 1 << 18;
        /// Exists only under `--dev`.
        const DEVELOPER = 1 << 19;
        /// Lists the commands: sent by clients that understand nothing but RESP.
        const INTROSPECTION = 1 << 20;
    }
}

/// The chapter of the documentation that a command belongs to.
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
    /// Every group with its name, in the order of the documentation.
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

/// How many words a command has, all words of its name counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly this many.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
    /// From the first number to the second.
    Between(usize, usize),
}

impl Arity {
    /// Whether a request of this many words is complete and has none too many.
    pub fn allows(self, count: usize) -> bool {
        match self {
            Arity::Exactly(wanted) => count == wanted,
            Arity::AtLeast(least) => count >= least,
            Arity::Between(least, most) => (least..=most).contains(&count),
        }
    }

    /// The number that Redis's COMMAND shows: negative for a minimum.
    pub fn as_redis(self) -> i64 {
        match self {
            Arity::Exactly(count) => count as i64,
            Arity::AtLeast(least) | Arity::Between(least, _) => -(least as i64),
        }
    }

    /// The arity that such a number means.
    pub fn of_redis(number: i64) -> Self {
        let count = number.unsigned_abs() as usize;
        if number < 0 {
            Arity::AtLeast(count)
        } else {
            Arity::Exactly(count)
        }
    }
}

/// Which objects a write removes or moves. A follower that has removed expired objects before its
/// leader did decides by it which of them to bring back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Removal {
    /// None: the command is about objects that have to be there.
    #[default]
    None,
    /// The object that it names.
    Object,
    /// The objects of a key whose ids match the argument behind it.
    Matching,
    /// All objects of the key.
    Key,
    /// All objects of the first key become the second's.
    Rename,
    /// All objects.
    All,
}

/// Where the keys and ids of a command's request stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// It has none.
    #[default]
    None,
    /// A key.
    Key,
    /// A key and the id of one of its objects.
    Object,
    /// Two keys.
    Pair,
    /// Any number of keys.
    All,
    /// A key; the area may name objects of others (`GET key id`, `ROAM key pattern …`).
    Search,
    /// Areas, which may be objects: `GET key id`.
    Areas,
    /// A search behind the name of a hook and its endpoints.
    Hook,
    /// A search behind the name of a channel.
    Channel,
    /// A script, the number of its keys, the keys.
    Script,
}

impl Keys {
    /// Every way with its name.
    pub const ALL: [(Keys, &'static str); 10] = [
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
    ];
}

/// The facts that decide how a command is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How many words a request has.
    pub arity: Arity,
    /// The chapter of the documentation.
    pub group: Group,
    /// Its properties.
    pub flags: Flags,
    /// Where its keys stand.
    pub keys: Keys,
    /// Which objects it removes.
    pub removal: Removal,
}

impl Facts {
    /// Facts about a command that has neither keys nor properties.
    pub const fn new(group: Group, arity: Arity) -> Self {
        Facts { arity, group, flags: Flags::empty(), keys: Keys::None, removal: Removal::None }
    }

    /// The same with more flags.
    #[must_use]
    pub const fn with(mut self, flags: Flags) -> Self {
        self.flags = self.flags.union(flags);
        self
    }

    /// The same with keys.
    #[must_use]
    pub const fn keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }
}

/// The record of a command as the table holds it, the engine's and the server's alike.
#[derive(Clone, Debug)]
pub struct Record {
    /// Upper case; two words for commands such as CONFIG GET.
    pub name: String,
    /// What stands behind the name, in the notation of the documentation.
    pub syntax: String,
    /// One line for help.
    pub summary: String,
    /// How it is treated.
    pub facts: Facts,
    /// The series that its durations are counted in.
    pub series: Series,
}
