//! Changes: the reports of commands about their writes, from which fences find events.

use super::Name;
use crate::keyspace::Key;
use crate::object::Object;

/// The kind of a write, named as in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ChangeKind {
    Set,
    Fset,
    Expire,
    Persist,
    Del,
    Drop,
    /// No write of the object: the clock, or a change of the fence.
    Fence,
}

/// How a write relates to the event times of its object's positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is the newest, or has no event time.
    InOrder,
    /// It is older than the stored position, which stays.
    Late,
    /// It has waited for earlier positions, see [`super::Reorder`].
    Released,
}

/// One change of an object, or the end of a collection.
pub struct Change {
    /// The key of the collection.
    pub key: Key,
    /// The kind of write.
    pub kind: ChangeKind,
    /// The object after the write, or the deleted one; `None` for DROP.
    pub object: Option<Object>,
    /// The replaced object of SET and JSET: the former position, by which fences detect.
    pub previous: Option<Object>,
    /// The replaced object, of FSET, too.
    pub replaced: Option<Object>,
    /// The relation to the object's other positions.
    pub arrival: Arrival,
    /// Whether the object was deleted because it expired.
    pub is_expiry: bool,
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
            ChangeKind::Fence => "fence",
        }
    }

    /// The kind of a word in COMMANDS.
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

/// A hook was created, replaced, set again without a change, or deleted. The registry has its
/// present state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookChange {
    /// The name of the hook.
    pub name: Name,
    /// The number of events of the batch before the change.
    pub events_before: usize,
}
