//! TOP and COUNTS: the options that make a fence a standing query, and how often it sends.

use super::duration::parse_duration;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::number::parse_uint;
use crate::query::options::{Options, Verb, Wanted};

/// The most objects that TOP lists.
const TOP_MAX: u64 = 1_000;

/// The kind of a standing query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingKind {
    /// The so many nearest objects.
    Top(usize),
    /// The number of objects in an area.
    Counts,
}

/// The options of a standing query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingOptions {
    /// TOP or COUNTS.
    pub kind: StandingKind,
    /// The least time between two messages; 0 without EVERY.
    pub every_ns: i64,
}

impl StandingOptions {
    /// Reads the words behind the option's name, which is in upper case. Returns `None` for other
    /// names.
    pub fn take(upper: &[u8], words: &mut Words) -> Result<Option<Self>> {
        let kind = match upper {
            b"TOP" => {
                let word = words.next_filled()?;
                match parse_uint(word) {
                    Some(count @ 1..=TOP_MAX) => StandingKind::Top(count as usize),
                    _ => return Err(Error::invalid(word)),
                }
            }
            b"COUNTS" => StandingKind::Counts,
            _ => return Ok(None),
        };
        let mut every_ns = 0;
        if words.take_keyword("EVERY") {
            let word = words.next_filled()?;
            every_ns = parse_duration(word).ok_or_else(|| Error::invalid(word))?;
        }
        Ok(Some(StandingOptions { kind, every_ns }))
    }

    /// The option's name.
    pub fn name(self) -> &'static str {
        match self.kind {
            StandingKind::Top(_) => "TOP",
            StandingKind::Counts => "COUNTS",
        }
    }

    /// Fails for options that would leave the receiver with another answer than a search gives.
    pub fn check(self, verb: Verb, options: &Options) -> Result<()> {
        let is_top = self.kind != StandingKind::Counts;
        if is_top && verb != Verb::Nearby {
            return Err(Error::text(format!("TOP is not allowed for {}", verb.name())));
        }
        let fence = options.fence;
        let refused = match () {
            () if fence.is_some_and(|fence| fence.detect.is_some()) => "DETECT",
            () if fence.is_some_and(|fence| fence.commands.is_some()) => "COMMANDS",
            () if options.schedule.is_some() => "VALID",
            () if options.wanted == Wanted::Count => "COUNT",
            () if is_top && options.buffer.is_some() => "BUFFER",
            () => return Ok(()),
        };
        Err(Error::text(format!("{refused} is not allowed for {}", self.name())))
    }
}
