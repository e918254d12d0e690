//! Commands about whole collections: KEYS, BOUNDS, TYPE, STATS.

use super::{read, Arity, Command, Flags, Keys};
use crate::call::Call;
use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::glob;
use crate::json::{self, escape::write_int_member};
use crate::keyspace::{Key, Keyspace};
use crate::output::write_polygon;
use crate::reply::{write_bulk, write_bulk_float, write_header, write_simple};

pub(super) const COMMANDS: &[Command] = &[
    read("KEYS", Arity::Exactly(2), keys, "pattern", "List the keys that match a pattern"),
    read("BOUNDS", Arity::Exactly(2), bounds, "key", "Get the bounding box of a collection")
        .keys(Keys::Key),
    read("TYPE", Arity::Exactly(2), type_of, "key", "Get the type of a key")
        .keys(Keys::Key)
        .with(Flags::BRIEF),
    read("STATS", Arity::AtLeast(2), stats, "key...", "Get statistics of collections")
        .keys(Keys::All)
        .with(Flags::STALE_OK.union(Flags::NO_SCRIPTS)),
];

/// KEYS pattern
fn keys(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let pattern = call.args.at(1);
    let prefix = glob::prefix(pattern);
    let mut found: Vec<&Key> = Vec::new();
    if glob::is_unbounded(pattern) || !prefix.is_empty() {
        for key in keyspace.keys_from(prefix) {
            call.budget.charge(1)?;
            if !glob::is_unbounded(pattern) && !key.starts_with(prefix) {
                break;
            }
            if glob::matches(pattern, key) {
                found.push(key);
            }
        }
    } else {
        // For a pattern that begins with `?` or `[`, Tile38 considers only the key with this very
        // name.
        found.extend(keyspace.keys_from(pattern).next().filter(|key| ***key == *pattern));
        found.retain(|key| glob::matches(pattern, key));
    }
    if let Some(rights) = call.rights {
        found.retain(|key| rights.shows_key(key));
    }
    if !call.is_json() {
        write_header(call.out, b'*', found.len());
        for key in &found {
            write_bulk(call.out, key);
        }
        return Ok(());
    }
    call.write_member("keys", |out| {
        json::write_list(out, found, |out, key| json::write_full(out, key));
    });
    Ok(())
}

/// BOUNDS key. Replies longitudes before latitudes, unlike all other commands, as Tile38 does.
fn bounds(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let Some(collection) = keyspace.get(call.args.at(1)) else {
        return call.reply_missing(Error::KeyNotFound);
    };
    let bounds = collection.bounds();
    if call.is_json() {
        call.write_member("bounds", |out| write_polygon(out, &bounds));
        return Ok(());
    }
    write_header(call.out, b'*', 2);
    for corner in [bounds.min, bounds.max] {
        write_header(call.out, b'*', 2);
        write_bulk_float(call.out, corner.x);
        write_bulk_float(call.out, corner.y);
    }
    Ok(())
}

/// TYPE key
fn type_of(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let exists = keyspace.get(call.args.at(1)).is_some();
    if !call.is_json() {
        write_simple(call.out, if exists { b"hash" } else { b"none" });
    } else if exists {
        call.write_text_member("type", b"hash");
    } else {
        return Err(Error::KeyNotFound);
    }
    Ok(())
}

fn counts_of(collection: &Collection) -> [(&'static str, usize); 4] {
    let counts = collection.counts();
    [
        ("in_memory_size", counts.weight),
        ("num_objects", counts.objects),
        ("num_points", counts.points),
        ("num_strings", counts.strings),
    ]
}

/// STATS key {key}
fn stats(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let keys = call.args.skip(1);
    if call.is_json() {
        let write = |out: &mut Vec<u8>, key| write_counts_json(out, keyspace.get(key));
        call.write_member("stats", |out| json::write_list(out, keys.iter(), write));
        return Ok(());
    }
    write_header(call.out, b'*', keys.len());
    for key in keys.iter() {
        let Some(collection) = keyspace.get(key) else {
            call.reply_nil();
            continue;
        };
        write_header(call.out, b'*', 8);
        for (name, count) in counts_of(collection) {
            write_bulk(call.out, name.as_bytes());
            write_bulk(call.out, count.to_string().as_bytes());
        }
    }
    Ok(())
}

fn write_counts_json(out: &mut Vec<u8>, collection: Option<&Collection>) {
    let Some(collection) = collection else {
        out.extend_from_slice(b"null");
        return;
    };
    let start = out.len();
    for (name, count) in counts_of(collection) {
        write_int_member(out, name, count as i64);
    }
    out[start] = b'{'; // in place of the first comma
    out.push(b'}');
}
