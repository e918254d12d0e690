//! Fields and existence: FSET, FGET, FEXISTS, EXISTS.

use super::get::{find, View};
use super::set::{field_name, take_view};
use super::{read, write, Arity, Command, Flags};
use crate::call::{Call, Effect, Words};
use crate::error::{Error, Result};
use crate::fence::ChangeKind;
use crate::field::{FieldEditor, Value};
use crate::keyspace::Keyspace;
use crate::query::field_path::read_field;
use crate::reply::write_bulk;

pub(super) const COMMANDS: &[Command] = &[
    write(
        "FSET",
        Arity::AtLeast(5),
        fset,
        "key id [XX] [RETURN [WITHFIELDS] [OBJECT | POINT | BOUNDS | HASH precision]] \
         (name value)...",
        "Set fields of an object",
    )
    .brief()
    .with(Flags::NEEDS_MEMORY),
    read("FGET", Arity::AtLeast(4), fget, "key id name", "Get a field of an object").brief(),
    read(
        "FEXISTS",
        Arity::Exactly(4),
        fexists,
        "key id name",
        "Tell whether an object has a field",
    )
    .brief(),
    read("EXISTS", Arity::Exactly(3), exists, "key id", "Tell whether an object exists").brief(),
];

struct Request<'a> {
    pairs: Vec<(&'a [u8], Value<'a>)>,
    must_exist: bool,
    view: Option<View>,
}

impl<'a> Request<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut request = Request { pairs: Vec::new(), must_exist: true, view: None };
        while let Some(word) = words.peek() {
            words.advance(1);
            if word.eq_ignore_ascii_case(b"XX") {
                request.must_exist = false;
            } else if word.eq_ignore_ascii_case(b"RETURN") {
                take_view(&mut request.view, words, word)?;
            } else {
                let value = words.next_word()?;
                request.pairs.push((field_name(word)?, Value::parse(value)));
            }
        }
        Ok(request)
    }
}

/// FSET key id {XX | RETURN … | name value}
fn fset(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let (key, id) = (words.next_word()?, words.next_word()?);
    let request = Request::parse(&mut words)?;
    let object = match find(keyspace, key, id) {
        Ok(object) => object.clone(),
        Err(Error::IdNotFound) if !request.must_exist => {
            return reply_to_missing(call, request.view.is_some());
        }
        Err(error) => return Err(error),
    };
    let mut editor = FieldEditor::new(object.fields());
    let mut changes = 0;
    for (name, value) in request.pairs {
        changes += usize::from(editor.set(keyspace.names_mut(), name, value));
    }
    let mut block = Vec::new();
    editor.finish(&mut block);
    let changed = object.with_fields(&block);
    if changes > 0 {
        keyspace.insert(key, changed.clone());
        keyspace.report(key, ChangeKind::Fset, Some(&changed), Some(&object));
    }
    match request.view {
        Some(view) => view.reply(keyspace, call, &changed),
        None => call.reply_count(changes),
    }
    Ok(Effect::of_change(changes > 0))
}

/// XX with a missing id: nothing happens; with RETURN there is nothing to show.
fn reply_to_missing(call: &mut Call, has_view: bool) -> Result<Effect> {
    if has_view {
        call.reply_missing(Error::IdNotFound)?;
    } else {
        call.reply_count(0);
    }
    Ok(Effect::Nothing)
}

/// FGET key id name
fn fget(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let object = find(keyspace, call.args.at(1), call.args.at(2))?;
    let get = |serial| object.fields().get(serial);
    let value = read_field(keyspace.names(), get, call.args.at(3)).unwrap_or(Value::zero());
    if call.is_json() {
        call.write_member("value", |out| value.write_json(out));
    } else {
        write_bulk(call.out, value.text());
    }
    Ok(())
}

/// FEXISTS key id name. The empty name exists nowhere, though FGET reads it.
fn fexists(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let object = find(keyspace, call.args.at(1), call.args.at(2))?;
    let name = call.args.at(3);
    let value = read_field(keyspace.names(), |serial| object.fields().get(serial), name);
    call.reply_flag("exists", value.is_some() && !name.is_empty());
    Ok(())
}

/// EXISTS key id; a missing key is an error.
fn exists(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let collection = keyspace.get(call.args.at(1)).ok_or(Error::KeyNotFound)?;
    call.reply_flag("exists", collection.get(call.args.at(2)).is_some());
    Ok(())
}
