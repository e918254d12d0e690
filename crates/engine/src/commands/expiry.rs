//! Commands about the expiry of objects: EXPIRE, PERSIST, TTL.

use super::get::find;
use super::set::deadline;
use super::{read, write, Arity, Command};
use crate::call::{float_of, Call, Effect};
use crate::error::{Error, Result};
use crate::fence::ChangeKind;
use crate::json::escape::write_int_member;
use crate::keyspace::Keyspace;
use crate::object::{Object, NEVER};
use crate::reply::write_integer;

pub(super) const COMMANDS: &[Command] = &[
    write("EXPIRE", Arity::Exactly(4), expire, "key id seconds", "Set how long an object lives")
        .brief(),
    write("PERSIST", Arity::Exactly(3), persist, "key id", "Remove the expiry of an object")
        .brief(),
    read("TTL", Arity::Exactly(3), ttl, "key id", "Get how long an object will live").brief(),
];

/// Returns the object that the request names. For a missing one replies 0 in RESP and returns
/// `None`; fails in JSON.
fn find_or_reply_zero(keyspace: &Keyspace, call: &mut Call) -> Result<Option<Object>> {
    match find(keyspace, call.args.at(1), call.args.at(2)) {
        Ok(object) => Ok(Some(object.clone())),
        Err(error) if call.is_json() => Err(error),
        Err(_) => {
            call.reply_count(0);
            Ok(None)
        }
    }
}

/// EXPIRE key id seconds
fn expire(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let seconds = float_of(call.args.at(3))?;
    let Some(object) = find_or_reply_zero(keyspace, call)? else { return Ok(Effect::Nothing) };
    let changed = object.with_deadline(deadline(call.now_ns, seconds));
    keyspace.insert(call.args.at(1), changed.clone());
    keyspace.report(call.args.at(1), ChangeKind::Expire, Some(&changed), None);
    call.reply_count(1);
    Ok(Effect::Changed)
}

/// PERSIST key id
fn persist(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let Some(object) = find_or_reply_zero(keyspace, call)? else { return Ok(Effect::Nothing) };
    let is_changed = object.deadline() != NEVER;
    call.reply_count(usize::from(is_changed));
    if !is_changed {
        return Ok(Effect::Nothing);
    }
    let changed = object.with_deadline(NEVER);
    keyspace.insert(call.args.at(1), changed.clone());
    keyspace.report(call.args.at(1), ChangeKind::Persist, Some(&changed), None);
    Ok(Effect::Changed)
}

/// TTL key id. Replies whole seconds, -1 for an object without a deadline, and -2 (in JSON an
/// error) for a missing object.
fn ttl(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let seconds = match find(keyspace, call.args.at(1), call.args.at(2)) {
        Ok(object) if object.deadline() == NEVER => -1,
        Ok(object) => object.deadline().saturating_sub(call.now_ns).max(0) / 1_000_000_000,
        Err(Error::KeyNotFound | Error::IdNotFound) if !call.is_json() => -2,
        Err(error) => return Err(error),
    };
    if call.is_json() {
        write_int_member(call.out, "ttl", seconds);
    } else {
        write_integer(call.out, seconds);
    }
    Ok(())
}
