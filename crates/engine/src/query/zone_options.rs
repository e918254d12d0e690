//! The words behind `IN key` in a fence: they select the zones and say how messages show them.

use super::filter::Filters;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::keyspace::Keyspace;

/// The options of the zones of a fence.
#[derive(Default)]
pub struct ZoneOptions<'a> {
    /// Patterns, of which one has to match a zone's id.
    pub globs: Vec<&'a [u8]>,
    /// WHERE, WHEREIN and WHEREEVAL, which a zone has to pass.
    pub filters: Filters<'a>,
    /// RADIUS: the field that holds the radii of zones that are points.
    pub radius: Option<&'a [u8]>,
    /// WITHFIELDS: whether messages show the zone's fields.
    pub has_fields: bool,
}

/// The first words of the options.
const OPTIONS: [&[u8]; 7] =
    [b"MATCH", b"WHERE", b"WHEREIN", b"WHEREEVAL", b"WHEREEVALSHA", b"RADIUS", b"WITHFIELDS"];

impl<'a> ZoneOptions<'a> {
    /// Returns whether the next word begins an option of zones.
    pub fn may_begin(words: &Words) -> bool {
        words.peek().is_some_and(|word| OPTIONS.iter().any(|name| word.eq_ignore_ascii_case(name)))
    }

    /// Reads the options up to the end of the request.
    pub fn parse(words: &mut Words<'a>, keyspace: &Keyspace) -> Result<Self> {
        let mut options = ZoneOptions::default();
        while let Some(word) = words.peek() {
            words.advance(1);
            let upper = word.to_ascii_uppercase();
            match &upper[..] {
                b"MATCH" => options.globs.push(words.next_filled()?),
                b"RADIUS" if options.radius.is_some() => return Err(Error::duplicate(&upper)),
                b"RADIUS" => options.radius = Some(words.next_filled()?),
                b"WITHFIELDS" if options.has_fields => return Err(Error::duplicate(&upper)),
                b"WITHFIELDS" => options.has_fields = true,
                _ if options.filters.take(&upper, words, keyspace)? => {}
                b"" => return Err(Error::WrongArity),
                _ => return Err(Error::invalid(word)),
            }
        }
        Ok(options)
    }
}
