//! The numbering of a hook's or channel's events.

/// The state of a hook's or channel's numbering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The number of the last event; 0 before the first.
    pub last: u64,
    /// The time of the first event in nanoseconds since 1970. It tells the events of a hook from
    /// those of a deleted one that had the same name.
    pub began_ns: i64,
    /// The number of the last event that is known to be delivered; 0 for channels.
    pub delivered: u64,
}

/// The number of an event, and the time when it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventNumber {
    /// The numbering up to this event.
    pub sequence: Sequence,
    /// Nanoseconds since 1970.
    pub made_ns: i64,
}
