//! The options of SCAN, SEARCH, NEARBY, WITHIN and INTERSECTS: one grammar for all of them.
//! Areas are read elsewhere.

use super::filter::Filters;
use crate::call::{float_of, Words};
use crate::error::{Error, Result};
use crate::fence::StandingOptions;
use crate::fence::{Commands, Detections, PresenceDraft, PresenceOptions, Schedule};
use crate::keyspace::Keyspace;
use crate::number::{parse_float, parse_uint};
use crate::output::Form;

/// The number of results of a search without LIMIT.
const LIMIT_DEFAULT: u64 = 100;

/// The search commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    Scan,
    Search,
    Nearby,
    Within,
    Intersects,
}

/// The output of a search: which form of its results is replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Wanted {
    Count,
    Ids,
    Form(Form),
}

/// The options of a search, checked.
pub struct Options<'a> {
    /// The number of candidates to skip.
    pub cursor: u64,
    /// The maximum of results.
    pub limit: u64,
    /// The number of times that the area's box is quartered; 0 for an ordinary search.
    pub sparse: u8,
    /// Patterns, of which one has to match.
    pub globs: Vec<&'a [u8]>,
    /// WHERE, WHEREIN and WHEREEVAL.
    pub filters: Filters<'a>,
    /// Whether results go without fields.
    pub no_fields: bool,
    /// Whether results show their distance.
    pub has_distance: bool,
    /// Whether results are clipped to the area.
    pub has_clip: bool,
    /// Metres around the area.
    pub buffer: Option<f64>,
    /// Whether the order is reversed.
    pub is_descending: bool,
    /// The output.
    pub wanted: Wanted,
    /// VALID, of a fence.
    pub schedule: Option<Schedule>,
    /// SNAPSHOT, of a live fence.
    pub has_snapshot: bool,
    /// TOP or COUNTS, of a fence.
    pub standing: Option<StandingOptions>,
    /// The options of the fence, if the search is one.
    pub fence: Option<FenceOptions>,
    /// The options by which the fence decides from a memory of visits.
    pub presence: Option<Box<PresenceOptions>>,
}

/// The options that only fences have.
#[derive(Clone, Copy, Debug)]
pub struct FenceOptions {
    /// DETECT; `None` without it.
    pub detect: Option<Detections>,
    /// COMMANDS; `None` without it.
    pub commands: Option<Commands>,
    /// NODWELL.
    pub has_no_dwell: bool,
    /// DISTANCE, which all searches of fences accept.
    pub has_distance: bool,
}

#[derive(Default)]
struct Raw<'a> {
    cursor: Option<&'a [u8]>,
    limit: Option<&'a [u8]>,
    sparse: Option<&'a [u8]>,
    order: Option<bool>,
    detect: Option<Detections>,
    commands: Option<Commands>,
    schedule: Option<Schedule>,
    standing: Option<StandingOptions>,
    no_fields: bool,
    distance: bool,
    clip: bool,
    fence: bool,
    is_fence_implied: bool,
    no_dwell: bool,
    snapshot: bool,
    buffer: Option<f64>,
    globs: Vec<&'a [u8]>,
    filters: Filters<'a>,
    presence: PresenceDraft,
}

impl<'a> Options<'a> {
    /// Reads the options and the output, in the order of checks that clients see.
    pub fn parse(verb: Verb, words: &mut Words<'a>, keyspace: &Keyspace) -> Result<Self> {
        Options::read(verb, words, keyspace, Raw::default())
    }

    /// Reads the options of a search that is a fence also without the word FENCE.
    pub fn parse_fence(verb: Verb, words: &mut Words<'a>, keyspace: &Keyspace) -> Result<Self> {
        let raw = Raw { fence: true, is_fence_implied: true, ..Raw::default() };
        Options::read(verb, words, keyspace, raw)
    }

    /// Returns whether the options of a search, as far as they are well-formed, make it a fence.
    pub fn ask_for_fence(words: &mut Words<'a>, keyspace: &Keyspace) -> bool {
        let mut raw = Raw::default();
        while raw.take(words, keyspace).unwrap_or(false) {}
        raw.fence
    }

    fn read(
        verb: Verb,
        words: &mut Words<'a>,
        keyspace: &Keyspace,
        mut raw: Raw<'a>,
    ) -> Result<Self> {
        while raw.take(words, keyspace)? {}
        raw.check_allowed(verb)?;
        let output = take_output(verb, words)?;
        raw.finish(verb, output)
    }

    /// Returns whether the reply is the count of all objects: COUNT without a filter.
    pub fn counts_everything(&self) -> bool {
        let matches_all = matches!(self.globs[..], [] | [b"*"]);
        self.wanted == Wanted::Count && matches_all && self.filters.wheres.is_empty()
    }

    /// Returns whether an id (or a value) matches one of the patterns.
    pub fn matches(&self, name: &[u8]) -> bool {
        crate::glob::matches_any(&self.globs, name)
    }
}

impl<'a> Raw<'a> {
    /// Reads one option, if the next word is one.
    fn take(&mut self, words: &mut Words<'a>, keyspace: &Keyspace) -> Result<bool> {
        let Some(word) = words.peek() else { return Ok(false) };
        let mut buffer = [0_u8; 12];
        let Some(upper) = buffer.get_mut(..word.len()) else { return Ok(false) };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        let mut rest = *words;
        rest.advance(1);
        if !(self.take_value(upper, &mut rest, keyspace)? || self.take_flag(upper)?) {
            return Ok(false);
        }
        *words = rest;
        Ok(true)
    }

    fn take_value(
        &mut self,
        upper: &[u8],
        words: &mut Words<'a>,
        keyspace: &Keyspace,
    ) -> Result<bool> {
        match upper {
            b"CURSOR" => once(&mut self.cursor, words, upper)?,
            b"LIMIT" => once(&mut self.limit, words, upper)?,
            b"SPARSE" => once(&mut self.sparse, words, upper)?,
            b"MATCH" => self.globs.push(words.next_filled()?),
            b"BUFFER" => {
                let word = words.next_filled()?;
                let meters = float_of(word)?;
                if !(meters.is_finite() && meters >= 0.0) {
                    return Err(Error::invalid(word));
                }
                self.buffer = Some(meters);
            }
            b"DETECT" => {
                refuse_second(self.detect.is_some(), upper)?;
                let mut detect = Detections::default();
                check_list(words.next_filled()?, |item| detect.add_word(item))?;
                self.detect = Some(detect);
            }
            b"COMMANDS" => {
                refuse_second(self.commands.is_some(), upper)?;
                let mut commands = Commands::default();
                check_list(words.next_filled()?, |item| commands.add_word(item))?;
                self.commands = Some(commands);
            }
            b"VALID" => {
                refuse_second(self.schedule.is_some(), upper)?;
                self.schedule = Some(Schedule::parse(words.next_filled()?)?);
            }
            b"TOP" | b"COUNTS" => {
                refuse_second(self.standing.is_some(), upper)?;
                self.standing = StandingOptions::take(upper, words)?;
            }
            _ if self.presence.take(upper, words)? => {}
            _ => return self.filters.take(upper, words, keyspace),
        }
        Ok(true)
    }

    fn take_flag(&mut self, upper: &[u8]) -> Result<bool> {
        match upper {
            b"NOFIELDS" => set_once(&mut self.no_fields, upper)?,
            b"DISTANCE" => set_once(&mut self.distance, upper)?,
            b"SNAPSHOT" => set_once(&mut self.snapshot, upper)?,
            b"CLIP" => set_once(&mut self.clip, upper)?,
            b"FENCE" if self.is_fence_implied => {}
            b"FENCE" => set_once(&mut self.fence, upper)?,
            b"ASC" | b"DESC" => {
                if self.order.is_some() {
                    return Err(Error::duplicate(upper));
                }
                self.order = Some(upper == b"DESC");
            }
            // Tile38 treats NODWELL after ASC or DESC as a second order.
            b"NODWELL" if self.order.is_some() => return Err(Error::duplicate(upper)),
            b"NODWELL" => self.no_dwell = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check_allowed(&self, verb: Verb) -> Result<()> {
        let refuse =
            |option: &str| Err(Error::text(format!("{option} is not allowed for {}", verb.name())));
        if matches!(verb, Verb::Scan | Verb::Search) {
            if self.sparse.is_some() {
                return refuse("SPARSE");
            }
            if self.fence {
                return refuse("FENCE");
            }
        } else if let Some(is_descending) = self.order {
            return refuse(if is_descending { "DESC" } else { "ASC" });
        }
        if let Some(standing) = self.standing.filter(|_| !self.fence) {
            let name = standing.name();
            return Err(Error::text(format!("{name} is not allowed when FENCE is not specified")));
        }
        let text = match () {
            () if self.sparse.is_some() && self.limit.is_some() => {
                "LIMIT is not allowed when SPARSE is specified"
            }
            () if self.sparse.is_some() && self.cursor.is_some() => {
                "CURSOR is not allowed when SPARSE is specified"
            }
            () if self.fence && self.cursor.is_some() => {
                "CURSOR is not allowed when FENCE is specified"
            }
            () if self.detect.is_some() && !self.fence => {
                "DETECT is not allowed when FENCE is not specified"
            }
            () if self.snapshot && !self.fence => {
                "SNAPSHOT is not allowed when FENCE is not specified"
            }
            () if self.snapshot && self.is_fence_implied => "SNAPSHOT is for live fences only",
            () if self.schedule.is_some() && !self.fence => {
                "VALID is not allowed when FENCE is not specified"
            }
            () => return self.presence.check_fence(self.fence),
        };
        Err(Error::text(text))
    }

    fn finish(self, verb: Verb, output: (Wanted, Option<&'a [u8]>)) -> Result<Options<'a>> {
        let (mut wanted, precision) = output;
        let number = |word: &'a [u8], least: u64, most: u64| match parse_uint(word) {
            Some(value) if (least..=most).contains(&value) => Ok(value),
            _ => Err(Error::invalid(word)),
        };
        let cursor = self.cursor.map_or(Ok(0), |word| number(word, 0, u64::MAX))?;
        if let Some(word) = precision {
            wanted = Wanted::Form(Form::Hash(number(word, 1, 12)? as usize));
        }
        let is_unlimited = wanted == Wanted::Count || self.sparse.is_some();
        let default = if is_unlimited { u64::MAX } else { LIMIT_DEFAULT };
        let limit = self.limit.map_or(Ok(default), |word| number(word, 1, u64::MAX))?;
        let sparse = self.sparse.map_or(Ok(0), |word| number(word, 1, 16))? as u8;
        let fence = FenceOptions {
            detect: self.detect,
            commands: self.commands,
            has_no_dwell: self.no_dwell,
            has_distance: self.distance,
        };
        Ok(Options {
            fence: self.fence.then_some(fence),
            schedule: self.schedule,
            presence: self.presence.finish(self.detect)?,
            standing: self.standing,
            has_snapshot: self.snapshot,
            cursor,
            limit,
            sparse,
            globs: self.globs,
            filters: self.filters,
            no_fields: self.no_fields,
            // Only NEARBY has distances; the other searches accept the word and ignore it.
            has_distance: self.distance && verb == Verb::Nearby,
            has_clip: self.clip,
            buffer: self.buffer,
            is_descending: self.order.unwrap_or(false),
            wanted,
        })
    }
}

impl Verb {
    /// Returns the name of the command.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Scan => "SCAN",
            Verb::Search => "SEARCH",
            Verb::Nearby => "NEARBY",
            Verb::Within => "WITHIN",
            Verb::Intersects => "INTERSECTS",
        }
    }
}

fn once<'a>(slot: &mut Option<&'a [u8]>, words: &mut Words<'a>, name: &[u8]) -> Result<()> {
    refuse_second(slot.is_some(), name)?;
    *slot = Some(words.next_filled()?);
    Ok(())
}

fn set_once(flag: &mut bool, name: &[u8]) -> Result<()> {
    refuse_second(*flag, name)?;
    *flag = true;
    Ok(())
}

/// Refuses a repeated option, before its argument is read.
fn refuse_second(is_present: bool, name: &[u8]) -> Result<()> {
    if is_present {
        Err(Error::duplicate(name))
    } else {
        Ok(())
    }
}

/// Reads words separated by commas, in any case. Each must be allowed, none repeated.
fn check_list(list: &[u8], mut is_allowed: impl FnMut(&[u8]) -> bool) -> Result<()> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for typed in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        let item = typed.to_ascii_lowercase();
        if !is_allowed(&item) {
            return Err(Error::invalid(list));
        }
        if seen.contains(&item) {
            return Err(Error::duplicate(typed));
        }
        seen.push(item);
    }
    Ok(())
}

/// Reads the output; the precision of HASHES stays a word, which is checked later.
fn take_output<'a>(verb: Verb, words: &mut Words<'a>) -> Result<(Wanted, Option<&'a [u8]>)> {
    let objects = Wanted::Form(Form::Object);
    let Some(word) = words.peek() else { return Ok((objects, None)) };
    if matches!(verb, Verb::Within | Verb::Intersects)
        && word.eq_ignore_ascii_case(b"BOUNDS")
        && words.peek_at(1).and_then(parse_float).is_some()
    {
        return Ok((objects, None)); // the area, not the output
    }
    let wanted = match &word.to_ascii_uppercase()[..] {
        b"COUNT" => Wanted::Count,
        b"IDS" => Wanted::Ids,
        b"OBJECTS" => objects,
        b"POINTS" => Wanted::Form(Form::Point),
        b"BOUNDS" => Wanted::Form(Form::Bounds),
        b"HASHES" => {
            words.advance(1);
            return Ok((objects, Some(words.next_filled()?)));
        }
        b"" if verb == Verb::Scan => return Err(Error::WrongArity),
        _ if verb == Verb::Scan => return Err(Error::invalid(word)),
        _ => return Ok((objects, None)),
    };
    words.advance(1);
    Ok((wanted, None))
}
