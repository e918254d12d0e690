//! What commands report about their writes, for fences to look at.

use super::Name;
use crate::keyspace::Key;
use crate::object::Object;

/// What a write did, named as in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ChangeKind {
    Set,
    Fset,
    Expire,
    Persist,
    Del,
    Drop,
}

/// One change of an object, or the end of a collection.
pub struct Change {
    /// Where.
    pub key: Key,
    /// What was done.
    pub kind: ChangeKind,
    /// The object as it is now, or the one that was deleted; `None` for DROP.
    pub object: Option<Object>,
    /// The object that was replaced, where fences look at it.
    pub previous: Option<Object>,
}

impl ChangeKind {
    /// The word in messages.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Set => "set",
            ChangeKind::Fset => "fset",
            ChangeKind::Expire => "expire",
            ChangeKind::Persist => "persist",
            ChangeKind::Del => "del",
            ChangeKind::Drop => "drop",
        }
    }

    /// The same by its word.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"set" => ChangeKind::Set,
            b"fset" => ChangeKind::Fset,
            b"expire" => ChangeKind::Expire,
            b"persist" => ChangeKind::Persist,
            b"del" => ChangeKind::Del,
            b"drop" => ChangeKind::Drop,
            _ => return None,
        })
    }
}

/// What became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookChangeKind {
    /// It is new.
    Set,
    /// It took the place of another of its name.
    Replaced,
    /// It was set as it already is, which asks for its waiting messages to be tried at once.
    Repeated,
    /// It is gone.
    Deleted,
}

/// A change of the hooks themselves; channels have no queue that cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookChange {
    /// What happened.
    pub kind: HookChangeKind,
    /// To which hook.
    pub name: Name,
    /// How many events of the batch came before.
    pub events_before: usize,
}

impl HookChangeKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            HookChangeKind::Set => "set",
            HookChangeKind::Replaced => "replaced",
            HookChangeKind::Repeated => "repeated",
            HookChangeKind::Deleted => "deleted",
        }
    }
}
