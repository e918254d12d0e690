//! The numbering of a hook's or channel's events.

use super::FenceRegistry;

/// The state of a hook's or channel's numbering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The number of the last event; 0 before the first.
    pub last: u64,
    /// The time of the first event in nanoseconds since 1970. It distinguishes the events of a hook
    /// from the events of a deleted hook of the same name.
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

impl FenceRegistry {
    /// Returns the numbering of a hook or channel; `None` if it never had SEQUENCE.
    pub fn sequence(&self, name: &[u8]) -> Option<Sequence> {
        self.sequences.get(name).copied()
    }

    /// Changes the numbering of a hook or channel, if it has one.
    pub fn set_sequence(&mut self, name: &[u8], sequence: Sequence) {
        if let Some(present) = self.sequences.get_mut(name) {
            *present = sequence;
        }
    }

    /// Notes up to which number the events of a hook are delivered; returns whether that is more
    /// than was known.
    pub fn set_delivered(&mut self, name: &[u8], delivered: u64) -> bool {
        let is_news = |sequence: &Sequence| sequence.delivered < delivered;
        let news = self.sequences.get(name).copied().filter(is_news);
        if let Some(sequence) = news {
            self.set_sequence(
                name,
                Sequence { delivered: delivered.min(sequence.last), ..sequence },
            );
        }
        news.is_some()
    }

    /// Forgets the numbering of removed hooks and channels: they have no more events.
    pub fn forget_retired_sequences(&mut self) {
        if !self.retired_sequences.is_empty() {
            self.retired_sequences.clear();
        }
    }

    /// Returns the numbering up to the next event of a hook or channel.
    pub fn count_event(&mut self, name: &[u8], now_ns: i64) -> Option<Sequence> {
        let present = self.sequences.get_mut(name);
        let sequence = present.or_else(|| self.retired_sequences.get_mut(name))?;
        if sequence.last == 0 {
            sequence.began_ns = now_ns;
        }
        sequence.last = sequence.last.saturating_add(1);
        Some(*sequence)
    }
}
