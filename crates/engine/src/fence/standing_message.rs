//! The JSON of the messages of standing queries.

use std::collections::HashMap;

use super::message::{has_fields, write_time, Moment};
use super::numbering::EventNumber;
use super::roam::Neighbor;
use super::standing_queries::{Answer, DueAnswer};
use super::{Event, Watch};
use crate::json::{self, escape::write_int_member};
use crate::keyspace::Keyspace;
use crate::output;
use crate::query::options::Wanted;

/// Returns the event of a due message; `None` if the answer is the one that was sent last.
pub fn standing_event(keyspace: &Keyspace, due: &DueAnswer, moment: &Moment) -> Option<Event> {
    let watch = &due.watch;
    let message = match (&due.answer, &due.told) {
        (Answer::Count(count), Some(Answer::Count(told))) if count == told => return None,
        (Answer::Count(count), _) => {
            let mut out = open(watch, "count", moment);
            write_int_member(&mut out, "count", *count as i64);
            out
        }
        (Answer::Top(list), Some(Answer::Top(told))) => {
            let mut out = open(watch, "top", moment);
            if !write_differences(&mut out, keyspace, watch, told, list) {
                return None;
            }
            out
        }
        (Answer::Top(list), _) => {
            let mut out = open(watch, "top", moment);
            write_entries(&mut out, "all", keyspace, watch, (1..).zip(&**list));
            out
        }
    };
    Some(Event {
        target: watch.target.clone(),
        key: watch.fence.key.clone(),
        id: None,
        detect: None,
        message: [&message[..], b"}"].concat(),
        number: watch.is_numbered.then(EventNumber::default),
    })
}

fn open(watch: &Watch, command: &str, moment: &Moment) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"{\"command\":\"");
    out.extend_from_slice(command.as_bytes());
    out.push(b'"');
    out.extend_from_slice(&watch.head);
    write_time(&mut out, moment);
    out
}

/// Appends `in`, `out` and `moved`, as far as there are any; returns whether there are.
fn write_differences(
    out: &mut Vec<u8>,
    keyspace: &Keyspace,
    watch: &Watch,
    told: &[Neighbor],
    list: &[Neighbor],
) -> bool {
    let mut left: HashMap<&[u8], f64> =
        told.iter().map(|member| (member.object.id(), member.meters)).collect();
    let (mut come, mut moved) = (Vec::new(), Vec::new());
    for (rank, member) in (1..).zip(list) {
        match left.remove(member.object.id()) {
            None => come.push((rank, member)),
            Some(meters) if meters.to_bits() != member.meters.to_bits() => {
                moved.push((rank, member));
            }
            Some(_) => {}
        }
    }
    let is_changed = !(come.is_empty() && moved.is_empty() && left.is_empty());
    if !come.is_empty() {
        write_entries(out, "in", keyspace, watch, come.into_iter());
    }
    if !left.is_empty() {
        out.extend_from_slice(b",\"out\":[");
        let ids = told.iter().map(|member| member.object.id());
        for (at, id) in ids.filter(|id| left.contains_key(id)).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            json::write_short(out, id);
        }
        out.push(b']');
    }
    if !moved.is_empty() {
        write_entries(out, "moved", keyspace, watch, moved.into_iter());
    }
    is_changed
}

/// Appends a member with objects, each with its rank and distance.
fn write_entries<'n>(
    out: &mut Vec<u8>,
    name: &str,
    keyspace: &Keyspace,
    watch: &Watch,
    entries: impl Iterator<Item = (i64, &'n Neighbor)>,
) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":[");
    for (at, (rank, Neighbor { object, meters })) in entries.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":");
        json::write_short(out, object.id());
        write_int_member(out, "rank", rank);
        output::write_distance(out, *meters, true);
        if let Wanted::Form(form) = watch.fence.wanted {
            out.push(b',');
            output::write_json_member(out, object, form);
            if !watch.fence.has_no_fields && has_fields(object) {
                out.push(b',');
                output::write_fields_json(out, keyspace.names(), object);
            }
        }
        out.push(b'}');
    }
    out.push(b']');
}
