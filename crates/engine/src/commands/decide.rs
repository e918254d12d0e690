//! DECIDE: fences decide about positions that wait for earlier ones.

use super::record::{Group, Keys};
use super::{write, Arity, Command};
use crate::call::{Call, Effect};
use crate::error::Result;
use crate::event_time;
use crate::keyspace::Keyspace;

pub(super) const COMMANDS: &[Command] = &[write(
    "DECIDE",
    Arity::Exactly(4),
    decide,
    "key id time",
    "Let fences decide about an object's positions up to an event time",
)
.group(Group::Fences)
.keys(Keys::Object)];

/// DECIDE key id time. The server writes it to its log when the event window of positions has
/// passed, so that a follower decides in the same order.
fn decide(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let (key, id) = (call.args.at(1), call.args.at(2));
    let event_ns = event_time::parse(call.args.at(3))?;
    let is_any = keyspace.release_positions(key, id, event_ns);
    Ok(call.reply_changes(usize::from(is_any)))
}
