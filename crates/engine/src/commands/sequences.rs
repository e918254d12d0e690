//! SETSEQUENCE, by which the log tells the numbers of events, and with each number its event; and
//! SETDELIVERED, by which it tells which of them are delivered.

use super::hooks::{check_present, named};
use super::record::Group;
use super::{write, Arity, Command};
use crate::call::{Call, Effect, Words};
use crate::error::{Error, Result};
use crate::fence::{Detect, Event, EventNumber, Hook, HookKind, Sequence};
use crate::keyspace::Keyspace;

pub(super) const COMMANDS: &[Command] = &[
    write(
        "SETSEQUENCE",
        Arity::AtLeast(4),
        set_sequence,
        "name number began [made key detect message [id]]",
        "Set the number of the last event of a hook or channel",
    )
    .group(Group::Fences),
    write(
        "SETDELIVERED",
        Arity::Exactly(3),
        set_delivered,
        "name number",
        "Set the number up to which the events of a hook are delivered",
    )
    .group(Group::Fences),
];

/// The most events of a hook or channel: what doubles hold exactly, as many receivers need.
const NUMBER_MAX: u64 = 1 << 53;

/// SETSEQUENCE name number began {made key detect message {id}}. With the further arguments it adds
/// the event of this number.
fn set_sequence(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let name = words.next_filled()?;
    let word = words.next_filled()?;
    let last = integer(word)?;
    if last > NUMBER_MAX {
        return Err(Error::invalid(word));
    }
    let began_ns = integer(words.next_filled()?)?;
    let sequence = Sequence { last, began_ns, delivered: 0 };
    let found = keyspace.fences().get(name).cloned();
    check_present(found.as_deref(), call.rights)?;
    let event = match &found {
        Some(hook) if words.left() > 0 => Some(parse_event(&mut words, hook, sequence)?),
        _ => None,
    };
    let present = keyspace.fences().sequence(name).filter(|present| present.last < last);
    call.reply_count(usize::from(present.is_some()));
    let Some(Sequence { delivered, .. }) = present else { return Ok(Effect::Nothing) };
    keyspace.fences_mut().set_sequence(name, Sequence { delivered, ..sequence });
    keyspace.reports_mut().logged_events.extend(event);
    Ok(Effect::Changed)
}

fn parse_event(words: &mut Words, hook: &Hook, sequence: Sequence) -> Result<Event> {
    let made_ns = integer(words.next_filled()?)?;
    let key = words.next_filled()?.into();
    let name = words.next_word()?;
    let detect = Detect::of_name(name);
    if detect.is_none() && !name.is_empty() {
        return Err(Error::invalid(name));
    }
    let message = words.next_filled()?.to_vec();
    let id = if words.left() > 0 { Some(words.next_word()?.into()) } else { None };
    let number = Some(EventNumber { sequence, made_ns });
    Ok(Event { target: hook.watch.target.clone(), key, id, detect, message, number })
}

/// SETDELIVERED name number
fn set_delivered(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let names = named(HookKind::Hook, keyspace, call)?;
    let mut words = call.words();
    words.advance(1);
    let delivered = integer(words.next_filled()?)?;
    let mut count = 0;
    for name in names {
        if keyspace.fences_mut().set_delivered(&name, delivered) {
            keyspace.reports_mut().delivered.push((name, delivered));
            count += 1;
        }
    }
    Ok(call.reply_changes(count))
}

fn integer<T: std::str::FromStr>(word: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(word).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::invalid(word))
}
