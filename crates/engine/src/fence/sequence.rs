//! The numbers of events: each hook and channel with SEQUENCE counts its events from 1.
//!
//! The log has each number together with its event and the write that caused it, so that none of
//! the three is lost without the others. A server that loads or follows the log takes the numbers
//! from it and computes none.

use std::collections::{BTreeMap, VecDeque};

use super::event::Event;
use super::numbering::{EventNumber, Sequence};
use super::watch::Target;
use super::{FenceRegistry, HookKind, Name};
use crate::number::write_int;
use crate::transaction_log::TransactionLog;

/// The most bytes of recovered events that are kept; above it, the oldest are dropped.
const RECOVERED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Approximate memory of an event besides its message.
const EVENT_BYTES: usize = size_of::<Event>() + 64;

impl Event {
    /// The hook or channel with this event; `None` for a live fence.
    fn name(&self) -> Option<&Name> {
        match &self.target {
            Target::Channel(name) | Target::Hook(name) => Some(name),
            Target::Live(_) => None,
        }
    }

    fn write_log(&self, log: &mut TransactionLog) {
        let (Some(name), Some(number)) = (self.name(), self.number) else { return };
        let Sequence { last, began_ns, .. } = number.sequence;
        let (last, began_ns, made_ns) =
            (last.to_string(), began_ns.to_string(), number.made_ns.to_string());
        let detect = self.detect.map_or("", super::Detect::name);
        let words: [&[u8]; 9] = [
            b"setsequence",
            name,
            last.as_bytes(),
            began_ns.as_bytes(),
            made_ns.as_bytes(),
            &self.key,
            detect.as_bytes(),
            &self.message,
            self.id.as_deref().unwrap_or_default(),
        ];
        log.push_words(if self.id.is_some() { &words } else { &words[..8] });
    }
}

/// Numbers those events whose fences want it, and appends them to the log.
pub fn number_events(
    events: &mut [Event],
    fences: &mut FenceRegistry,
    now_ns: i64,
    log: &mut TransactionLog,
) {
    for event in events.iter_mut().filter(|event| event.number.is_some()) {
        let Some(sequence) = event.name().and_then(|name| fences.count_event(name, now_ns)) else {
            event.number = None; // the last events of a fence that is gone
            continue;
        };
        event.number = Some(EventNumber { sequence, made_ns: now_ns });
        event.message.pop();
        event.message.extend_from_slice(b",\"sequence\":");
        write_int(&mut event.message, sequence.last as i64);
        event.message.push(b'}');
        event.write_log(log);
    }
}

/// The numbered events of a log that is being loaded. The driver has stored most of them before.
#[derive(Default)]
pub struct Recovery {
    stored: BTreeMap<Box<[u8]>, Sequence>,
    events: VecDeque<Event>,
    bytes: usize,
}

impl Recovery {
    /// Returns a recovery of the events behind the stored ones.
    pub fn new(stored: impl IntoIterator<Item = (Box<[u8]>, Sequence)>) -> Self {
        Recovery { stored: stored.into_iter().collect(), ..Recovery::default() }
    }

    /// Keeps an event unless it is stored, or is one that nobody stores.
    pub fn add(&mut self, event: Event, fences: &FenceRegistry) {
        let (Some(name), Some(number)) = (event.name(), event.number) else { return };
        let hook = fences.get(name);
        if hook.is_none_or(|hook| hook.kind() == HookKind::Channel && !hook.options.has_history()) {
            return;
        }
        let is_stored = self.stored.get(&name[..]).is_some_and(|stored| {
            stored.began_ns == number.sequence.began_ns && stored.last >= number.sequence.last
        });
        if is_stored {
            return;
        }
        self.bytes += EVENT_BYTES + event.message.len();
        self.events.push_back(event);
        while self.bytes > RECOVERED_BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= EVENT_BYTES + oldest.message.len();
        }
    }

    /// Drops the events of a hook up to a number: they are delivered.
    pub fn drop_delivered(&mut self, name: &[u8], delivered: u64) {
        let bytes = &mut self.bytes;
        self.events.retain(|event| {
            let is_other = event.name().is_none_or(|other| **other != *name);
            let is_kept =
                is_other || event.number.is_none_or(|number| number.sequence.last > delivered);
            if !is_kept {
                *bytes -= EVENT_BYTES + event.message.len();
            }
            is_kept
        });
    }

    /// Ends the recovery: no number that is stored is given again, be it that the log lost its end.
    /// Returns the events of the hooks and channels that still exist.
    pub fn finish(self, fences: &mut FenceRegistry) -> Vec<Event> {
        for (name, stored) in self.stored {
            let present = fences.sequence(&name);
            if present.is_some_and(|present| {
                present.last == 0
                    || (present.began_ns == stored.began_ns && present.last < stored.last)
            }) {
                let delivered = present.map_or(0, |present| present.delivered);
                fences.set_sequence(&name, Sequence { delivered, ..stored });
            }
        }
        let began_ns = |event: &Event| {
            event.name().and_then(|name| fences.sequence(name)).map(|sequence| sequence.began_ns)
        };
        let is_present =
            |event: &Event| began_ns(event) == event.number.map(|number| number.sequence.began_ns);
        self.events.into_iter().filter(is_present).collect()
    }
}
