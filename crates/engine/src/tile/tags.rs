//! The tags of a layer's features: a table of keys and a table of values, which features refer to
//! by index.

use std::borrow::Cow;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::protobuf::{write_bytes, write_double, write_uint, zigzag};
use crate::field::{Kind, Value};
use crate::number::{parse_int, parse_uint};

/// The numbers of protobuf fields.
const LAYER_KEY: usize = 3;
const LAYER_VALUE: usize = 4;
const TEXT: usize = 1;
const DOUBLE: usize = 3;
const UNSIGNED: usize = 5;
const SIGNED: usize = 6;
const BOOLEAN: usize = 7;

/// The keys and values of a layer.
#[derive(Default)]
pub(super) struct Tags {
    pub keys: Table,
    pub values: Table,
    /// For each key, the number of the tag list that had it last.
    last_lists: Vec<u32>,
    list: u32,
    scratch: Vec<u8>,
}

impl Tags {
    /// Begins the tags of a feature: no key may occur twice in it.
    pub fn begin(&mut self) {
        self.list += 1;
    }

    /// Adds a tag of the feature. A key that it has already keeps its value; null is no tag.
    pub fn add(&mut self, tags: &mut Vec<u32>, key: &[u8], value: &Value) {
        if value.kind() == Kind::Null {
            return;
        }
        self.scratch.clear();
        write_bytes(&mut self.scratch, LAYER_KEY, as_utf8(key).as_bytes());
        let key = self.keys.index_of(&self.scratch);
        if self.last_lists.len() <= key as usize {
            self.last_lists.resize(key as usize + 1, 0);
        }
        if std::mem::replace(&mut self.last_lists[key as usize], self.list) == self.list {
            return;
        }
        let mut message = Vec::new();
        write_value(&mut message, value);
        self.scratch.clear();
        write_bytes(&mut self.scratch, LAYER_VALUE, &message);
        tags.extend([key, self.values.index_of(&self.scratch)]);
    }
}

/// Appends the content of a Value message.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value.kind() {
        Kind::True | Kind::False => {
            write_uint(out, BOOLEAN, u64::from(value.kind() == Kind::True));
        }
        Kind::Number => {
            if let Some(unsigned) = parse_uint(value.text()) {
                write_uint(out, UNSIGNED, unsigned);
            } else if let Some(signed) = parse_int(value.text()) {
                write_uint(out, SIGNED, zigzag(signed));
            } else {
                write_double(out, DOUBLE, value.number());
            }
        }
        Kind::String | Kind::Json | Kind::Null => {
            write_bytes(out, TEXT, as_utf8(value.text()).as_bytes());
        }
    }
}

/// Returns a text as UTF-8, as protobuf's strings must be.
fn as_utf8(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// A list of encoded entries without duplicates.
#[derive(Default)]
pub(super) struct Table {
    /// The entries, one after the other.
    pub bytes: Vec<u8>,
    count: u32,
    /// The index of an entry and its place in `bytes`, by the entry's hash. An entry with the hash
    /// of another one isn't here: it occurs once for each use.
    places: HashMap<u64, (u32, usize)>,
}

impl Table {
    /// Returns the index of an entry, which is added unless it is there.
    fn index_of(&mut self, entry: &[u8]) -> u32 {
        let mut hasher = DefaultHasher::new();
        entry.hash(&mut hasher);
        match self.places.entry(hasher.finish()) {
            Entry::Occupied(place) => {
                let (index, start) = *place.get();
                if self.bytes[start..].starts_with(entry) {
                    return index;
                }
            }
            Entry::Vacant(place) => drop(place.insert((self.count, self.bytes.len()))),
        }
        self.bytes.extend_from_slice(entry);
        self.count += 1;
        self.count - 1
    }
}
