//! Commands that remove objects or rename collections: DEL, PDEL, DROP, FLUSHDB, RENAME, RENAMENX.

use super::{write, Arity, Command, Flags, Keys, Removal};
use crate::call::{Call, Effect};
use crate::error::{Error, Result};
use crate::fence::ChangeKind;
use crate::glob;
use crate::keyspace::Keyspace;

pub(super) const COMMANDS: &[Command] = &[
    write("DEL", Arity::AtLeast(3), del, "key id [ERRON404]", "Delete an object")
        .brief()
        .removing(Removal::Object),
    write(
        "PDEL",
        Arity::Exactly(3),
        pdel,
        "key pattern",
        "Delete the objects whose ids match a pattern",
    )
    .keys(Keys::Key)
    .removing(Removal::Matching),
    write("DROP", Arity::Exactly(2), drop_key, "key", "Delete a collection")
        .keys(Keys::Key)
        .removing(Removal::Key),
    write("FLUSHDB", Arity::Exactly(1), flushdb, "", "Delete all collections, hooks and channels")
        .with(Flags::WHILE_LOADING.union(Flags::NO_SCRIPTS).union(Flags::DANGEROUS))
        .keys(Keys::Every)
        .removing(Removal::All),
    write("RENAME", Arity::Exactly(3), rename, "key newkey", "Rename a collection")
        .keys(Keys::Pair)
        .removing(Removal::Rename),
    write(
        "RENAMENX",
        Arity::Exactly(3),
        renamenx,
        "key newkey",
        "Rename a collection unless the name is taken",
    )
    .keys(Keys::Pair)
    .removing(Removal::Rename),
];

/// DEL key id {ERRON404}
fn del(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let (key, id) = (words.next_word()?, words.next_word()?);
    let mut fails_if_missing = false;
    while let Some(word) = words.peek() {
        if !words.take_keyword("ERRON404") {
            return Err(Error::invalid(word));
        }
        fails_if_missing = true;
    }
    if fails_if_missing {
        super::get::find(keyspace, key, id)?;
    }
    let removed = keyspace.remove(key, id);
    let is_removed = removed.is_some();
    if is_removed {
        keyspace.report(key, ChangeKind::Del, removed.as_ref(), None);
    }
    call.reply_count(usize::from(is_removed));
    Ok(Effect::of_change(is_removed))
}

/// PDEL key pattern
fn pdel(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let (key, pattern) = (call.args.at(1), call.args.at(2));
    let ids: Vec<Vec<u8>> = match keyspace.get(key) {
        Some(collection) => collection
            .ascend(glob::prefix(pattern))
            .take_while(|object| is_candidate(pattern, object.id()))
            .filter(|object| glob::matches(pattern, object.id()))
            .map(|object| object.id().to_vec())
            .collect(),
        None => Vec::new(),
    };
    for id in &ids {
        let removed = keyspace.remove(key, id);
        keyspace.report(key, ChangeKind::Del, removed.as_ref(), None);
    }
    call.reply_count(ids.len());
    Ok(Effect::of_change(!ids.is_empty()))
}

/// Returns whether PDEL with this pattern deletes the object with this id.
pub fn pdel_deletes(pattern: &[u8], id: &[u8]) -> bool {
    is_candidate(pattern, id) && glob::matches(pattern, id)
}

/// Returns whether an id is in the range that PDEL scans for a pattern. That is every id for a
/// pattern that begins with `*`, else the ids that begin with its prefix before the first wildcard.
/// As in Tile38, a pattern that begins with `?` or `[` has an empty range.
fn is_candidate(pattern: &[u8], id: &[u8]) -> bool {
    let prefix = glob::prefix(pattern);
    glob::is_unbounded(pattern) || (!prefix.is_empty() && id.starts_with(prefix))
}

/// DROP key
fn drop_key(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let key = call.args.at(1);
    let is_removed = keyspace.discard(key);
    if is_removed {
        keyspace.report(key, ChangeKind::Drop, None, None);
    }
    call.reply_count(usize::from(is_removed));
    Ok(Effect::of_change(is_removed))
}

/// FLUSHDB. Unlike other writes, it is logged even if nothing was there to remove.
fn flushdb(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    keyspace.clear();
    super::hooks::remove_all(keyspace);
    keyspace.report_replacement(None);
    call.reply_ok();
    Ok(Effect::Changed)
}

/// Fails if one of the keys has hooks or channels: Tile38 renames no such collection.
fn check_no_fences(keyspace: &Keyspace, keys: [&[u8]; 2]) -> Result<()> {
    let counts = |key| {
        let fences = keyspace.fences().of_key(key);
        fences.map_or((0, 0), |(_, fences)| (fences.hooks, fences.channels))
    };
    let [first, second] = keys.map(counts);
    if first.0 + second.0 > 0 {
        return Err(Error::text("key has hooks set"));
    }
    if first.1 + second.1 > 0 {
        return Err(Error::text("key has channels set"));
    }
    Ok(())
}

/// Lets the visits to live fences of renamed keys be checked, and their snapshots be sent again.
fn note_renamed(keyspace: &mut Keyspace, keys: [&[u8]; 2]) {
    for key in keys {
        keyspace.fences_mut().note_renamed(key);
        keyspace.report_replacement(Some(key));
    }
}

/// RENAME key newkey
fn rename(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let (key, new_key) = (call.args.at(1), call.args.at(2));
    keyspace.get(key).ok_or(Error::KeyNotFound)?;
    check_no_fences(keyspace, [key, new_key])?;
    let collection = keyspace.take(key).ok_or(Error::KeyNotFound)?;
    keyspace.discard(new_key);
    keyspace.attach(new_key.into(), collection);
    note_renamed(keyspace, [key, new_key]);
    call.reply_ok();
    Ok(Effect::Changed)
}

/// RENAMENX key newkey
fn renamenx(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let (key, new_key) = (call.args.at(1), call.args.at(2));
    keyspace.get(key).ok_or(Error::KeyNotFound)?;
    check_no_fences(keyspace, [key, new_key])?;
    let is_free = keyspace.get(new_key).is_none();
    if is_free {
        if let Some(collection) = keyspace.take(key) {
            keyspace.attach(new_key.into(), collection);
            note_renamed(keyspace, [key, new_key]);
        }
    }
    call.reply_count(usize::from(is_free));
    Ok(Effect::of_change(is_free))
}
