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

/// A hook was made, replaced, set again as it was, or deleted: what it is now, the registry knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookChange {
    /// Which hook.
    pub name: Name,
    /// How many events of the batch came before.
    pub events_before: usize,
}
