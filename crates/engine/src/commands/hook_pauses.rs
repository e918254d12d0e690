//! PAUSEHOOK, RESUMEHOOK and the same for patterns: they stop the delivery of hooks and let it
//! go on. The events of a paused hook wait in its queue.

use super::hooks::{named, named_by_pattern, report};
use super::record::Group;
use super::{write, Arity, Command};
use crate::call::{Call, Effect};
use crate::error::Result;
use crate::fence::{HookKind, Name};
use crate::keyspace::Keyspace;

pub(super) const COMMANDS: &[Command] = &[
    write("PAUSEHOOK", Arity::Exactly(2), pause_hook, "name", "Pause the delivery of a hook")
        .group(Group::Fences),
    write("RESUMEHOOK", Arity::Exactly(2), resume_hook, "name", "Resume the delivery of a hook")
        .group(Group::Fences),
    write(
        "PPAUSEHOOK",
        Arity::Exactly(2),
        ppause_hook,
        "pattern",
        "Pause the delivery of the hooks whose names match a pattern",
    )
    .group(Group::Fences),
    write(
        "PRESUMEHOOK",
        Arity::Exactly(2),
        presume_hook,
        "pattern",
        "Resume the delivery of the hooks whose names match a pattern",
    )
    .group(Group::Fences),
];

/// PAUSEHOOK name
fn pause_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    set_one(true, keyspace, call)
}

/// RESUMEHOOK name
fn resume_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    set_one(false, keyspace, call)
}

/// PPAUSEHOOK pattern
fn ppause_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    set_matching(true, keyspace, call)
}

/// PRESUMEHOOK pattern
fn presume_hook(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    set_matching(false, keyspace, call)
}

fn set_one(is_paused: bool, keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let names = named(HookKind::Hook, keyspace, call)?;
    Ok(set(is_paused, names, keyspace, call))
}

fn set_matching(is_paused: bool, keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let names = named_by_pattern(HookKind::Hook, keyspace, call)?;
    Ok(set(is_paused, names, keyspace, call))
}

/// Pauses or resumes hooks. Replies the number of hooks whose state that changes.
fn set(is_paused: bool, names: Vec<Name>, keyspace: &mut Keyspace, call: &mut Call) -> Effect {
    let mut count = 0;
    for name in names {
        if keyspace.fences_mut().set_paused(&name, is_paused) {
            report(keyspace, HookKind::Hook, false, name);
            count += 1;
        }
    }
    call.reply_changes(count)
}
