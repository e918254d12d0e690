//! The reasons why visits end otherwise than by a movement.

/// Why a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The object was deleted.
    Deleted,
    /// The object expired.
    Expired,
    /// The object's collection was dropped.
    Dropped,
    /// The object's collection was renamed or replaced by another.
    Renamed,
    /// FLUSHDB deleted all data.
    Flushed,
    /// The hook or channel was deleted.
    HookDeleted,
    /// The hook or channel was set to something else.
    HookChanged,
    /// The hook or channel expired.
    HookExpired,
    /// The zone was deleted.
    ZoneDeleted,
    /// The zone has changed so that the object is no longer in it.
    ZoneChanged,
}

impl EndReason {
    /// The text in messages.
    pub fn text(self) -> &'static str {
        match self {
            EndReason::Deleted => "deleted",
            EndReason::Expired => "expired",
            EndReason::Dropped => "dropped",
            EndReason::Renamed => "renamed",
            EndReason::Flushed => "flushed",
            EndReason::HookDeleted => "hook deleted",
            EndReason::HookChanged => "hook changed",
            EndReason::HookExpired => "hook expired",
            EndReason::ZoneDeleted => "zone deleted",
            EndReason::ZoneChanged => "zone changed",
        }
    }
}
