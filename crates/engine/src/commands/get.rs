//! GET, and the view of an object that GET, SET and FSET reply with.

use super::{read, Arity, Command};
use crate::call::{precision_of, Call, Words};
use crate::error::{Error, Result};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::output::{self, Form};
use crate::reply::write_header;

pub(super) const COMMANDS: &[Command] = &[read(
    "GET",
    Arity::AtLeast(3),
    get,
    "key id [WITHFIELDS] [OBJECT | POINT | BOUNDS | HASH precision]",
    "Get an object",
)
.brief()];

/// The form in which a reply shows an object.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub form: Form,
    pub with_fields: bool,
}

impl Default for View {
    fn default() -> Self {
        View { form: Form::Object, with_fields: false }
    }
}

impl View {
    /// Takes the next word if it is an option of a view; returns whether it was.
    pub fn take_word(&mut self, words: &mut Words) -> Result<bool> {
        if words.take_keyword("WITHFIELDS") {
            self.with_fields = true;
        } else if words.take_keyword("OBJECT") {
            self.form = Form::Object;
        } else if words.take_keyword("POINT") {
            self.form = Form::Point;
        } else if words.take_keyword("BOUNDS") {
            self.form = Form::Bounds;
        } else if words.take_keyword("HASH") {
            self.form = Form::Hash(precision_of(words.next_word()?)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Replies with the object.
    pub fn reply(self, keyspace: &Keyspace, call: &mut Call, object: &Object) {
        let has_fields = self.with_fields && !object.fields().is_empty();
        if call.is_json() {
            call.out.push(b',');
            output::write_json_member(call.out, object, self.form);
            if has_fields {
                call.out.push(b',');
                output::write_fields_json(call.out, keyspace.names(), object);
            }
            return;
        }
        if self.with_fields {
            write_header(call.out, b'*', 1 + usize::from(has_fields));
        }
        output::write_resp(call.out, &mut Vec::new(), object, self.form);
        if has_fields {
            output::write_fields_resp(call.out, keyspace.names(), object);
        }
    }
}

/// GET key id {WITHFIELDS | OBJECT | POINT | BOUNDS | HASH precision}
fn get(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let (key, id) = (words.next_word()?, words.next_word()?);
    let mut view = View::default();
    while words.left() > 0 {
        // Tile38 answers an unknown word with the arity error.
        if !view.take_word(&mut words)? {
            return Err(Error::WrongArity);
        }
    }
    match find(keyspace, key, id) {
        Ok(object) => {
            call.budget.charge(output::work(object, view.form))?;
            view.reply(keyspace, call, object);
        }
        Err(error) => call.reply_missing(error)?,
    }
    Ok(())
}

/// Returns an object. Fails with `KeyNotFound` or `IdNotFound`.
pub(super) fn find<'k>(keyspace: &'k Keyspace, key: &[u8], id: &[u8]) -> Result<&'k Object> {
    let collection = keyspace.get(key).ok_or(Error::KeyNotFound)?;
    collection.get(id).ok_or(Error::IdNotFound)
}
