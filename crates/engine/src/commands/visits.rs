//! SETVISITS: the memory of a fence, as the log restores it.

use super::hooks::check_present;
use super::record::Group;
use super::{write, Arity, Command};
use crate::call::{Call, Effect};
use crate::error::{Error, Result};
use crate::fence::{Visit, VisitChange, VisitUpdate, Visitor};
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
    let hook = keyspace.fences().get(name).filter(|hook| hook.watch.fence.has_memory());
    check_present(hook.map(|hook| &**hook), call.rights)?;
    let watch = hook.map(|hook| hook.watch.clone());
    let change = match words.peek() {
        None => VisitChange::Clear,
        Some(id) => {
            words.advance(1);
            let mut visits = Vec::new();
            while words.left() > 0 {
                let (zone, text) = (words.next_word()?, words.next_word()?);
                visits.push(Visit::parse(zone, text).ok_or_else(|| Error::invalid(text))?);
            }
            visits.sort_unstable_by_key(|visit| visit.zone);
            visits.dedup_by_key(|visit| visit.zone);
            let has_states = watch.as_ref().is_some_and(|watch| watch.fence.has_visit_states());
            match (visits.is_empty(), has_states) {
                (true, _) => VisitChange::Forget(id.into()),
                (false, true) => VisitChange::Set(Visitor::with_states(id, visits.into_iter())),
                (false, false) => VisitChange::Set(Visitor::new(id, visits.into_iter())),
            }
        }
    };
    call.reply_count(usize::from(watch.is_some()));
    let Some(watch) = watch else { return Ok(Effect::Nothing) };
    keyspace.fences_mut().update_visits(VisitUpdate::new(&watch, change));
    Ok(Effect::Changed)
}
