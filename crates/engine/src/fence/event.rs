//! An event of a fence: the message and its destination.

use super::detect::RANK_FIRST;
use super::numbering::EventNumber;
use super::{Detect, Target};
use crate::keyspace::Key;

/// An event of a fence: the message, and its subject as fields, so that no reader parses JSON.
pub struct Event {
    /// The destination of the message.
    pub target: Target,
    /// The key that was written to.
    pub key: Key,
    /// The object that was written; `None` for DROP.
    pub id: Option<Box<[u8]>>,
    /// The detection; `None` for `del` and `drop`.
    pub detect: Option<Detect>,
    /// The JSON that clients get. Empty for a live fence whose snapshot has to be sent again.
    pub message: Vec<u8>,
    /// The number, or before numbering the default; `None` for a fence without SEQUENCE.
    pub number: Option<EventNumber>,
}

impl Event {
    /// Returns the sort key by which the events of one write are sent: first those of channels,
    /// then those of hooks, each by detection and by name, and last those of live fences.
    pub(super) fn order(&self) -> (u8, u8, &Target) {
        let rank = self.detect.map_or(RANK_FIRST, Detect::rank);
        match self.target {
            Target::Channel(_) => (0, rank, &self.target),
            Target::Hook(_) => (1, rank, &self.target),
            Target::Live(_) => (2, 0, &self.target),
        }
    }
}
