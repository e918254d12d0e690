//! JSON documents: JGET, JSET, JDEL.

use super::get::find;
use super::{read, write, Arity, Command};
use crate::call::{Call, Effect};
use crate::error::{Error, Result};
use crate::geometry::{Geometry, ParseOptions};
use crate::json::path;
use crate::keyspace::Keyspace;
use crate::object::{Object, Shape, NEVER};
use crate::reply::{write_bulk, NIL};

pub(super) const COMMANDS: &[Command] = &[
    read("JGET", Arity::Between(3, 5), jget, "Get a value from a JSON document"),
    write("JSET", Arity::Between(5, 6), jset, "Set a value in a JSON document"),
    write("JDEL", Arity::Exactly(4), jdel, "Delete a value from a JSON document"),
];

fn text_of(object: &Object) -> Vec<u8> {
    let mut text = Vec::new();
    object.write_text(&mut text);
    text
}
