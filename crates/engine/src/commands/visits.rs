//! SETVISITS: the memory of fences from a collection, as a rewritten log restores it.

use super::hooks::check_present;
use super::record::Group;
use super::{write, Arity, Command};
use crate::call::{Call, Effect};
use crate::error::{Error, Result};
use crate::fence::{group_of_text, Visit, VisitChange, VisitUpdate, Visitor};
use crate::keyspace::Keyspace;

pub(super) const COMMANDS: &[Command] = &[write(
    "SETVISITS",
    Arity::AtLeast(2),
    set_visits,
    "name [id [zone group]...]",
    "Set the zones that a fence remembers an object to be in",
)
.group(Group::Fences)];

/// SETVISITS name {id zone group {zone group}}. Without an id, no object is in a zone any more.
fn set_visits(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let name = words.next_filled()?;
    let change = match words.peek() {
        None => VisitChange::Clear,
        Some(id) => {
            words.advance(1);
            let mut visits = Vec::new();
            while words.left() > 0 {
                let (zone, text) = (words.next_word()?, words.next_word()?);
                let group = group_of_text(text).ok_or_else(|| Error::invalid(text))?;
                visits.push(Visit { zone, group });
            }
            visits.sort_unstable_by_key(|visit| visit.zone);
            visits.dedup_by_key(|visit| visit.zone);
            if visits.is_empty() {
                VisitChange::Forget(id.into())
            } else {
                VisitChange::Set(Visitor::new(id, visits.into_iter()))
            }
        }
    };
    let hook = keyspace.fences().get(name).filter(|hook| hook.watch.fence.zones().is_some());
    check_present(hook.map(|hook| &**hook), call.rights)?;
    let serial = hook.map(|hook| hook.watch.serial);
    call.reply_count(usize::from(serial.is_some()));
    let Some(serial) = serial else { return Ok(Effect::Nothing) };
    keyspace.fences_mut().update_visits(VisitUpdate { serial, change });
    Ok(Effect::Changed)
}
