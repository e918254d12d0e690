//! JSON documents: JGET, JSET, JDEL.

use super::get::find;
use super::{read, write, Arity, Command, Flags, Keys};
use crate::call::{Call, Effect};
use crate::error::{Error, Result};
use crate::fence::ChangeKind;
use crate::geometry::{Geometry, ParseOptions};
use crate::json::{self, path};
use crate::keyspace::Keyspace;
use crate::object::{Object, Shape, NEVER};
use crate::reply::write_bulk;

pub(super) const COMMANDS: &[Command] = &[
    read(
        "JGET",
        Arity::Between(3, 5),
        jget,
        "key id [path [RAW]]",
        "Get a value of a JSON document",
    )
    .keys(Keys::Object),
    write(
        "JSET",
        Arity::Between(5, 6),
        jset,
        "key id path value [RAW | STR]",
        "Set a value in a JSON document",
    )
    .keys(Keys::Object),
    write("JDEL", Arity::Exactly(4), jdel, "key id path", "Delete a value of a JSON document")
        .keys(Keys::Object)
        .with(Flags::NO_SCRIPTS),
];

fn text_of(object: &Object) -> Vec<u8> {
    let mut text = Vec::new();
    object.write_text(&mut text);
    text
}

/// JGET key id [path [RAW]]
fn jget(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let (key, id) = (words.next_word()?, words.next_word()?);
    let path = words.next_word().ok();
    let is_raw = match words.peek() {
        Some(word) if !words.take_keyword("RAW") => return Err(Error::invalid(word)),
        word => word.is_some(),
    };
    let object = match find(keyspace, key, id) {
        Ok(object) => object,
        Err(error) => return call.reply_missing(error),
    };
    let text = text_of(object);
    let found = match path {
        Some(path) => path::get(&text, path),
        None => path::document(&text),
    };
    let value = found.map(|found| if is_raw { found.raw } else { found.plain() });
    match value {
        Some(value) if call.is_json() => call.write_text_member("value", &value),
        Some(value) => write_bulk(call.out, &value),
        None if call.is_json() => {}
        None => call.reply_nil(),
    }
    Ok(())
}

/// JSET key id path value [RAW | STR]
fn jset(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let (key, id) = (words.next_word()?, words.next_word()?);
    let (path, value) = (words.next_word()?, words.next_word()?);
    let mode = match words.peek() {
        None => path::ValueMode::Automatic,
        Some(_) if words.take_keyword("RAW") => path::ValueMode::Raw,
        Some(_) if words.take_keyword("STR") => path::ValueMode::Text,
        Some(word) => return Err(Error::invalid(word)),
    };
    // Tile38 stores any text, so a log may contain values that aren't JSON.
    if mode == path::ValueMode::Raw && !call.is_replayed && !json::is_valid(value) {
        return Err(Error::invalid(value));
    }
    let present = keyspace.get(key).and_then(|collection| collection.get(id)).cloned();
    let is_spatial = present.as_ref().is_some_and(Object::is_spatial);
    if is_spatial && call.is_out_of_memory {
        return Err(Error::out_of_memory());
    }
    let text = present.as_ref().map(text_of).unwrap_or_default();
    let changed = path::set(&text, path, &path::encode_value(value, mode))
        .map_err(|error| Error::Text(error.text()))?;
    call.reply_ok();
    if present.is_none() && changed.is_empty() {
        return Ok(Effect::Nothing); // a path that only finds found nothing: no object is made
    }
    let object = store(keyspace, key, id, present.as_ref(), &changed)?;
    // Fences ignore documents that aren't geometries, as all strings, and all changes by JDEL.
    keyspace.report(key, ChangeKind::Set, Some(&object), present.as_ref());
    Ok(Effect::Changed)
}

/// JDEL key id path. Unlike Tile38's it is logged, as every write is.
fn jdel(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let (key, id, path) = (call.args.at(1), call.args.at(2), call.args.at(3));
    if keyspace.get(key).is_none() {
        if call.is_json() {
            return Err(Error::KeyNotFound);
        }
        call.reply_count(0);
        return Ok(Effect::Nothing);
    }
    let present = find(keyspace, key, id).ok().cloned();
    let text = present.as_ref().map(text_of).unwrap_or_default();
    let changed = path::delete(&text, path).map_err(|error| Error::Text(error.text()))?;
    let Some(changed) = changed else {
        if call.is_json() {
            return Err(Error::text("path not found"));
        }
        call.reply_count(0);
        return Ok(Effect::Nothing);
    };
    let is_spatial = present.as_ref().is_some_and(Object::is_spatial);
    store(keyspace, key, id, present.as_ref(), &changed)?;
    // Tile38 answers OK for geometries and 1 for strings.
    if is_spatial {
        call.reply_ok();
    } else {
        call.reply_count(1);
    }
    Ok(Effect::Changed)
}

/// Stores a changed document: a geometry stays one and is validated, any other document becomes a
/// string. Fields and the deadline are kept; Tile38 drops the deadline, so that an object which was
/// edited once never expires. Returns the stored object.
fn store(
    keyspace: &mut Keyspace,
    key: &[u8],
    id: &[u8],
    present: Option<&Object>,
    text: &[u8],
) -> Result<Object> {
    let fields = present.map_or(&[][..], |object| object.fields().block());
    let deadline = present.map_or(NEVER, Object::deadline);
    let object = if present.is_some_and(Object::is_spatial) {
        let options = ParseOptions { require_valid: keyspace.requires_valid };
        let geometry =
            Geometry::parse(text, options).map_err(|error| Error::Text(error.message()))?;
        Object::new(id, Shape::of_geometry(geometry), &[], fields, deadline)
    } else {
        Object::new(id, Shape::String, text, fields, deadline)
    };
    let object = object.with_event_time(present.and_then(Object::event_time));
    keyspace.insert(key, object.clone());
    Ok(object)
}
