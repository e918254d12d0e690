//! Fields of objects: typing of values, their order, and the compact block that an object holds.
//! Doesn't know objects or commands.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::json::{self, Kind as JsonKind};
use crate::number::{compare_integers, parse_float, SHARED_DOUBLE_MIN};
use crate::varint::{read_varint, varint_length, write_varint};

/// The kinds of values, in the order in which values of different kinds compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Kind {
    Null,
    False,
    Number,
    String,
    True,
    Json,
}

const KINDS: [Kind; 6] =
    [Kind::Null, Kind::False, Kind::Number, Kind::String, Kind::True, Kind::Json];

/// A typed value. Numbers keep the text as typed, JSON is minified, strings are bare content.
#[derive(Clone, Debug, PartialEq)]
pub struct Value<'a> {
    kind: Kind,
    text: Cow<'a, [u8]>,
    number: f64,
}

impl<'a> Value<'a> {
    /// Returns the typed value of a text as clients write it; blanks around it are trimmed.
    pub fn parse(text: &'a [u8]) -> Self {
        let text = trim(text);
        match text.first() {
            Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'i' | b'I' | b'n' | b'N') => {
                Self::parse_number(text).unwrap_or_else(|| Self::parse_word(text))
            }
            Some(b'{' | b'[' | b'"' | b't' | b'f') => Self::parse_word(text),
            _ => Self::string(text.into()),
        }
    }

    fn parse_number(text: &'a [u8]) -> Option<Self> {
        let Some(number) = parse_float(text) else { return Self::parse_huge(text) };
        if number.is_finite() {
            let is_json = text.len() == 1 || json::is_valid(text);
            return is_json.then_some(Value { kind: Kind::Number, text: text.into(), number });
        }
        Some(Self::not_finite(number))
    }

    /// Returns the value of a text that is a number; one too large for a double is an infinity.
    fn parse_huge(text: &[u8]) -> Option<Self> {
        let number = json::Value::parse(text)?.number()?;
        number.is_infinite().then(|| Self::not_finite(number))
    }

    fn not_finite(number: f64) -> Self {
        let mut text = Vec::new();
        crate::number::write_float(&mut text, number);
        Value { kind: Kind::Number, text: text.into(), number }
    }

    fn parse_word(text: &'a [u8]) -> Self {
        let Some(value) = json::Value::parse(text) else { return Self::string(text.into()) };
        match value.kind() {
            JsonKind::Null => Self::constant(Kind::Null),
            JsonKind::True => Self::constant(Kind::True),
            JsonKind::False => Self::constant(Kind::False),
            JsonKind::Number => Self::string(text.into()),
            JsonKind::String => {
                let content = value.string();
                match parse_float(&content) {
                    Some(number) if !number.is_finite() => Self::not_finite(number),
                    _ => Self::string(content),
                }
            }
            JsonKind::Array | JsonKind::Object => {
                let mut minified = Vec::with_capacity(text.len());
                json::minify(&mut minified, text);
                Value { kind: Kind::Json, text: minified.into(), number: 0.0 }
            }
        }
    }

    fn constant(kind: Kind) -> Self {
        let (text, number): (&[u8], f64) = match kind {
            Kind::Null => (b"null", 0.0),
            Kind::True => (b"true", 1.0),
            _ => (b"false", 0.0),
        };
        Value { kind, text: text.into(), number }
    }

    /// Returns a string with this content, also if the content looks like a number or JSON.
    pub fn string(text: Cow<'a, [u8]>) -> Self {
        Value { kind: Kind::String, text, number: 0.0 }
    }

    /// Returns the number 0, the value of an absent field.
    pub fn zero() -> Self {
        Value { kind: Kind::Number, text: Cow::Borrowed(b"0"), number: 0.0 }
    }

    /// Returns a number that is compared as a double: its text is empty, so that it is no integer.
    pub fn double(number: f64) -> Self {
        Value { kind: Kind::Number, text: Cow::Borrowed(b""), number }
    }

    /// Returns the value found at a JSON path, typed from its JSON text.
    pub fn of_json(raw: &'a [u8]) -> Self {
        let value = json::Value { raw };
        match value.kind() {
            JsonKind::Number => Self::parse(raw),
            JsonKind::String => Self::string(value.string()),
            _ => Self::parse_word(raw),
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the text as RESP prints it.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the number, 0 for other kinds but true.
    pub fn number(&self) -> f64 {
        self.number
    }

    /// Returns whether storing the value deletes the field, as the number spelled exactly `0` does.
    pub fn is_deletion(&self) -> bool {
        self.kind == Kind::Number && *self.text == *b"0"
    }

    /// Returns whether this value sorts before the other: by kind, two integers by all their
    /// digits, other numbers as doubles, strings bytewise with ASCII letters folded, JSON bytewise.
    /// Two values of which neither is less are equal, so NaN equals every number.
    pub fn is_less(&self, other: &Value<'_>) -> bool {
        match self.kind.cmp(&other.kind) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => match self.kind {
                Kind::Number => {
                    self.number < other.number
                        || (self.number == other.number
                            && self.number.abs() >= SHARED_DOUBLE_MIN
                            && self.is_smaller_integer(other))
                }
                Kind::String => compare_folded(&self.text, &other.text) == Ordering::Less,
                Kind::Json => self.text < other.text,
                _ => false,
            },
        }
    }

    /// Tile38 compares doubles only, so that neighbouring ids of 64 bits are equal there.
    #[cold]
    fn is_smaller_integer(&self, other: &Value<'_>) -> bool {
        compare_integers(&self.text, &other.text) == Some(Ordering::Less)
    }

    /// Returns whether both values have the same stored text. `1.0` and `1`, or `on` and `ON`, are
    /// equal but have different texts.
    pub fn is_same(&self, other: &Value<'_>) -> bool {
        self.kind == other.kind && self.text == other.text
    }

    /// Returns whether neither value sorts before the other.
    pub fn equals(&self, other: &Value<'_>) -> bool {
        !self.is_less(other) && !other.is_less(self)
    }

    /// Appends the JSON form: finite numbers as stored, other numbers and strings in quotes.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        if self.kind == Kind::String || (self.kind == Kind::Number && !self.number.is_finite()) {
            json::write_full(out, &self.text);
        } else {
            out.extend_from_slice(&self.text);
        }
    }

    /// Returns the same value with a text of its own.
    pub fn into_owned(self) -> Value<'static> {
        Value { kind: self.kind, text: Cow::Owned(self.text.into_owned()), number: self.number }
    }
}

fn compare_folded(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase))
}

/// Returns a text without Unicode white space at both ends.
pub fn trim(text: &[u8]) -> &[u8] {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(|b| (0x21..0x80).contains(b));
    if is_plain(text.first()) && is_plain(text.last()) {
        return text;
    }
    trim_end(trim_start(text))
}

fn trim_start(text: &[u8]) -> &[u8] {
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    &text[valid.len() - valid.trim_start().len()..]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let last = text.utf8_chunks().last().filter(|chunk| chunk.invalid().is_empty());
    let valid = last.map_or("", |chunk| chunk.valid());
    &text[..text.len() - (valid.len() - valid.trim_end().len())]
}

/// The names of fields, numbered in the order in which they were first stored. Names are never
/// forgotten: objects refer to them by number. Cloning is O(1).
#[derive(Clone, Debug, Default)]
pub struct Names {
    by_name: imbl::OrdMap<Arc<[u8]>, u32>,
    by_serial: imbl::Vector<Arc<[u8]>>,
}

impl Names {
    /// Returns the number of a name; `None` if it was never stored.
    pub fn serial(&self, name: &[u8]) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Returns the number of a name; a new name gets the next number.
    pub fn intern(&mut self, name: &[u8]) -> u32 {
        if let Some(serial) = self.serial(name) {
            return serial;
        }
        let serial = self.by_serial.len() as u32;
        let name: Arc<[u8]> = name.into();
        self.by_serial.push_back(Arc::clone(&name));
        self.by_name.insert(name, serial);
        serial
    }

    /// Returns the name with a number; empty for a number that no name has.
    pub fn name(&self, serial: u32) -> &[u8] {
        self.by_serial.get(serial as usize).map_or(&[], |name| name)
    }
}

/// The fields of one object, encoded: for each, in the order of names, the name's number as a
/// varint, the kind, and for numbers, strings and JSON a varint length and the text.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    block: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Returns the fields in a block made by [`FieldEditor::finish`].
    pub fn new(block: &'a [u8]) -> Self {
        Fields { block }
    }

    /// Returns the encoded bytes.
    pub fn block(&self) -> &'a [u8] {
        self.block
    }

    /// Returns whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// Returns the value of the field with this number.
    pub fn get(&self, serial: u32) -> Option<Value<'a>> {
        let mut rest = self.block;
        while !rest.is_empty() {
            let (found, kind, text) = read_field(&mut rest);
            if found == serial {
                return Some(decode(kind, text));
            }
        }
        None
    }

    /// Returns the parts of the value of [`Fields::get`]: kind, text, and the number, 0 for other
    /// kinds.
    pub fn get_raw(&self, serial: u32) -> Option<(Kind, &'a [u8], f64)> {
        let mut rest = self.block;
        while !rest.is_empty() {
            let (found, kind, text) = read_field(&mut rest);
            if found == serial {
                let number = if kind == Kind::Number { parse_float(text) } else { None };
                return Some((kind, text, number.unwrap_or_default()));
            }
        }
        None
    }

    /// Returns all (name's number, value), in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Value<'a>)> {
        let mut rest = self.block;
        std::iter::from_fn(move || {
            (!rest.is_empty()).then(|| {
                let (serial, kind, text) = read_field(&mut rest);
                (serial, decode(kind, text))
            })
        })
    }

    /// Returns the bytes that STATS counts: 0 without fields, else the block and its own length.
    pub fn weight(&self) -> usize {
        match self.block.len() {
            0 => 0,
            length => varint_length(length) + length,
        }
    }
}

fn read_field<'a>(rest: &mut &'a [u8]) -> (u32, Kind, &'a [u8]) {
    let serial = read_varint(rest) as u32;
    let kind = rest.first().and_then(|kind| KINDS.get(*kind as usize)).copied();
    *rest = rest.get(1..).unwrap_or_default();
    let kind = kind.unwrap_or(Kind::Null);
    if !matches!(kind, Kind::Number | Kind::String | Kind::Json) {
        return (serial, kind, &[]);
    }
    let length = read_varint(rest).min(rest.len());
    let (text, tail) = rest.split_at(length);
    *rest = tail;
    (serial, kind, text)
}

fn decode(kind: Kind, text: &[u8]) -> Value<'_> {
    match kind {
        Kind::Number => {
            let number = parse_float(text).unwrap_or_default();
            Value { kind, text: text.into(), number }
        }
        Kind::String | Kind::Json => Value { kind, text: text.into(), number: 0.0 },
        _ => Value::constant(kind),
    }
}

/// Changes the fields of an object: decodes a block and encodes a new one.
#[derive(Debug)]
pub struct FieldEditor<'a> {
    fields: Vec<(u32, Value<'a>)>,
}

impl<'a> FieldEditor<'a> {
    /// Returns an editor of the present fields.
    pub fn new(fields: Fields<'a>) -> Self {
        FieldEditor { fields: fields.iter().collect() }
    }

    /// Stores a value as it was sent, or deletes the field. Returns whether anything changed.
    /// Tile38 keeps the present value when the new one compares as equal: `on` when `ON` is sent.
    pub fn set(&mut self, names: &mut Names, name: &[u8], value: Value<'a>) -> bool {
        if value.is_deletion() {
            let Some(serial) = names.serial(name) else { return false };
            let before = self.fields.len();
            self.fields.retain(|(number, _)| *number != serial);
            return self.fields.len() != before;
        }
        let serial = names.intern(name);
        let position = self.fields.partition_point(|(number, _)| names.name(*number) < name);
        match self.fields.get_mut(position) {
            Some((number, present)) if *number == serial => {
                if present.is_same(&value) {
                    return false;
                }
                *present = value;
            }
            _ => self.fields.insert(position, (serial, value)),
        }
        true
    }

    /// Returns the encoded fields.
    pub fn finish(&self, block: &mut Vec<u8>) {
        for (serial, value) in &self.fields {
            write_varint(block, *serial as usize);
            block.push(value.kind as u8);
            if matches!(value.kind, Kind::Number | Kind::String | Kind::Json) {
                write_varint(block, value.text.len());
                block.extend_from_slice(&value.text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_typed_as_clients_write_them() {
        for (text, kind, printed) in [
            ("33.0", Kind::Number, "33.0"),
            ("-0", Kind::Number, "-0"),
            ("1e400", Kind::Number, "+Inf"),
            ("nan", Kind::Number, "NaN"),
            ("\"inf\"", Kind::Number, "+Inf"),
            ("null", Kind::Null, "null"),
            (" true ", Kind::True, "true"),
            ("True", Kind::String, "True"),
            ("007", Kind::String, "007"),
            ("0x1p4", Kind::String, "0x1p4"),
            ("\"123\"", Kind::String, "123"),
            ("\" x \"", Kind::String, " x "),
            ("{ \"a\" : 1 }", Kind::Json, "{\"a\":1}"),
            ("{\"a\":", Kind::String, "{\"a\":"),
            ("", Kind::String, ""),
            ("5.", Kind::String, "5."),
        ] {
            let value = Value::parse(text.as_bytes());
            assert_eq!((value.kind(), value.text()), (kind, printed.as_bytes()), "{text}");
        }
    }

    #[test]
    fn nan_equals_every_number_and_strings_fold_case() {
        assert!(Value::parse(b"nan").equals(&Value::parse(b"5")));
        assert!(Value::parse(b"Joe").equals(&Value::parse(b"joe")));
        assert!(Value::parse(b"null").is_less(&Value::parse(b"false")));
        assert!(Value::parse(b"zz").is_less(&Value::parse(b"true")));
    }

    #[test]
    fn integers_beyond_2_to_53_compare_exactly_and_other_numbers_as_doubles() {
        let parse = |text: &'static str| Value::parse(text.as_bytes());
        let (low, high) = (parse("8301034833169298414"), parse("8301034833169298415"));
        assert!(low.is_less(&high) && !high.is_less(&low) && !low.equals(&high));
        for double in [parse("8301034833169298414.0"), parse("8.301034833169298414e18")] {
            assert!(low.equals(&double) && high.equals(&double));
        }
        assert!(low.equals(&Value::double(8_301_034_833_169_298_414.0)));
        assert!(parse("-0").equals(&parse("0")) && parse("1.0").equals(&parse("1")));
        assert!(parse("1e400").equals(&parse("inf")));
    }

    #[test]
    fn blocks_keep_fields_in_the_order_of_names() {
        let mut names = Names::default();
        let mut editor = FieldEditor::new(Fields::new(&[]));
        assert!(editor.set(&mut names, b"speed", Value::parse(b"10")));
        assert!(editor.set(&mut names, b"name", Value::parse(b"Joe")));
        assert!(editor.set(&mut names, b"name", Value::parse(b"joe")));
        assert!(!editor.set(&mut names, b"name", Value::parse(b" \"joe\" ")));
        assert!(!editor.set(&mut names, b"gone", Value::parse(b"0")));
        let mut block = Vec::new();
        editor.finish(&mut block);
        let fields = Fields::new(&block);
        let listed: Vec<_> = fields
            .iter()
            .map(|(serial, v)| (names.name(serial).to_vec(), v.text().to_vec()))
            .collect();
        assert_eq!(listed[0], (b"name".to_vec(), b"joe".to_vec()));
        assert_eq!(listed[1], (b"speed".to_vec(), b"10".to_vec()));
        assert_eq!(fields.get(0).map(|v| v.number()), Some(10.0));
        assert_eq!(fields.weight(), block.len() + 1);
    }
}
