//! SET: stores an object.

use super::get::View;
use super::{write, Arity, Command, Flags};
use crate::call::{float_of, Call, Effect, ParsedText, Words};
use crate::error::{Error, Result};
use crate::event_time;
use crate::fence::ChangeKind;
use crate::field::{trim, FieldEditor, Fields, Names, Value};
use crate::geometry::{geohash, Extra, Geometry, ParseOptions, Point, Position, Rect};
use crate::keyspace::Keyspace;
use crate::number::parse_float;
use crate::object::{Object, Shape, NEVER};

pub(super) const COMMANDS: &[Command] = &[write(
    "SET",
    Arity::AtLeast(3),
    set,
    "key id [FIELD name value]... [EX seconds] [AT time] [NX | XX] \
     [RETURN [WITHFIELDS] [OBJECT | POINT | BOUNDS | HASH precision]] \
     (OBJECT geojson | POINT lat lon [z] | BOUNDS minlat minlon maxlat maxlon | HASH geohash | \
     STRING value)",
    "Store an object",
)
.brief()
.with(Flags::NEEDS_MEMORY)];

/// The condition of NX and XX on the existence of the id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    None,
    IfMissing,
    IfPresent,
}

/// A parser of geometries. It knows the geometry of a large text, which was parsed before.
struct GeometryParser {
    parsed: Option<ParsedText>,
    options: ParseOptions,
}

impl GeometryParser {
    fn parse(&mut self, text: &[u8]) -> Result<Geometry> {
        let parsed = self.parsed.take_if(|parsed| parsed.address == text.as_ptr() as usize);
        let geometry =
            parsed.map_or_else(|| Geometry::parse(text, self.options), |parsed| parsed.geometry);
        geometry.map_err(|error| Error::Text(error.message()))
    }
}

struct Request<'a> {
    fields: Vec<(&'a [u8], Value<'a>)>,
    deadline: i64,
    /// AT, in nanoseconds since 1970.
    event_time: Option<i64>,
    condition: Condition,
    view: Option<View>,
    shape: Option<Shape>,
    text: &'a [u8],
}

/// The reason why SET stores nothing.
enum Refusal {
    /// NX or XX.
    Condition(Error),
    /// The position is older than the stored one.
    Late(Object),
}

/// SET key id {FIELD name value | EX seconds | AT time | NX | XX | RETURN …} (POINT | BOUNDS | HASH
/// | OBJECT | STRING) …, in any order.
fn set(keyspace: &mut Keyspace, call: &mut Call) -> Result<Effect> {
    let mut words = call.words();
    let (key, id) = (words.next_word()?, words.next_word()?);
    let options = ParseOptions { require_valid: keyspace.requires_valid };
    let mut parser = GeometryParser { parsed: call.parsed_text.take(), options };
    let mut request = Request::parse(&mut words, call.now_ns, &mut parser)?;
    if let Some(event_ns) = request.event_time.filter(|_| !call.is_replayed) {
        event_time::check_not_ahead(event_ns, call.now_ns)?;
    }
    let Some(shape) = request.shape.take() else { return Err(Error::WrongArity) };
    let view = request.view.take();
    let stored = keyspace.update(key, id, |names, present| request.make(id, shape, names, present));
    let (object, previous) = match stored {
        Ok(stored) => stored,
        Err(Refusal::Condition(error)) => {
            call.reply_missing(error)?;
            return Ok(Effect::Nothing);
        }
        Err(Refusal::Late(object)) => return Ok(reply_late(keyspace, call, object, view)),
    };
    keyspace.report(key, ChangeKind::Set, Some(&object), previous.as_ref());
    match view {
        Some(view) => view.reply(keyspace, call, &object),
        None => call.reply_ok(),
    }
    Ok(Effect::Changed)
}

/// Replies as if the position was stored, and tells that in JSON.
fn reply_late(
    keyspace: &mut Keyspace,
    call: &mut Call,
    object: Object,
    view: Option<View>,
) -> Effect {
    let (key, id) = (call.args.at(1), call.args.at(2));
    let stored = keyspace.get(key).and_then(|collection| collection.get(id));
    match (view, stored) {
        (Some(view), Some(stored)) => view.reply(keyspace, call, stored),
        _ => call.reply_ok(),
    }
    if call.is_json() {
        call.write_member("late", |out| out.extend_from_slice(b"true"));
    }
    Effect::of_change(keyspace.report_late(key, object))
}

impl<'a> Request<'a> {
    fn parse(words: &mut Words<'a>, now_ns: i64, parser: &mut GeometryParser) -> Result<Self> {
        let mut request = Request {
            fields: Vec::new(),
            deadline: NEVER,
            event_time: None,
            condition: Condition::None,
            view: None,
            shape: None,
            text: &[],
        };
        while let Some(word) = words.peek() {
            words.advance(1);
            if !request.take_shape(word, words, parser)?
                && !request.take_option(word, words, now_ns)?
            {
                return Err(Error::invalid(word));
            }
        }
        Ok(request)
    }

    /// Returns the object to store in place of the present one. Fails if the condition isn't met.
    fn make(
        self,
        id: &[u8],
        shape: Shape,
        names: &mut Names,
        present: Option<&Object>,
    ) -> std::result::Result<Object, Refusal> {
        let refuse = |error| Err(Refusal::Condition(error));
        match (self.condition, present) {
            (Condition::IfMissing, Some(_)) => return refuse(Error::text("id already exists")),
            (Condition::IfPresent, None) => return refuse(Error::IdNotFound),
            _ => {}
        }
        let Some(event_ns) = self.event_time else {
            return Ok(self.make_object(id, shape, names, present));
        };
        let stored_ns = present.and_then(Object::event_time);
        let object = self.make_object(id, shape, names, present).with_event_time(Some(event_ns));
        if stored_ns.is_some_and(|stored_ns| stored_ns > event_ns) {
            return Err(Refusal::Late(object));
        }
        Ok(object)
    }

    fn make_object(
        self,
        id: &[u8],
        shape: Shape,
        names: &mut Names,
        present: Option<&Object>,
    ) -> Object {
        let old_fields = present.map_or(Fields::new(&[]), Object::fields);
        if self.fields.is_empty() {
            return Object::new(id, shape, self.text, old_fields.block(), self.deadline);
        }
        let mut editor = FieldEditor::new(old_fields);
        for (name, value) in self.fields {
            editor.set(names, name, value);
        }
        let mut block = Vec::with_capacity(64);
        editor.finish(&mut block);
        Object::new(id, shape, self.text, &block, self.deadline)
    }

    fn take_option(&mut self, word: &'a [u8], words: &mut Words<'a>, now_ns: i64) -> Result<bool> {
        if word.eq_ignore_ascii_case(b"FIELD") {
            let (name, value) = (words.next_word()?, words.next_word()?);
            self.fields.push((field_name(name)?, Value::parse(value)));
        } else if word.eq_ignore_ascii_case(b"EX") {
            self.deadline = deadline(now_ns, float_of(words.next_word()?)?);
        } else if word.eq_ignore_ascii_case(b"AT") {
            self.event_time = Some(event_time::parse(words.next_word()?)?);
        } else if word.eq_ignore_ascii_case(b"NX") {
            self.require(Condition::IfMissing, word)?;
        } else if word.eq_ignore_ascii_case(b"XX") {
            self.require(Condition::IfPresent, word)?;
        } else if word.eq_ignore_ascii_case(b"RETURN") {
            take_view(&mut self.view, words, word)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn require(&mut self, condition: Condition, word: &[u8]) -> Result<()> {
        if self.condition != Condition::None && self.condition != condition {
            return Err(Error::invalid(word));
        }
        self.condition = condition;
        Ok(())
    }

    fn take_shape(
        &mut self,
        word: &'a [u8],
        words: &mut Words<'a>,
        parser: &mut GeometryParser,
    ) -> Result<bool> {
        let shape = if word.eq_ignore_ascii_case(b"POINT") {
            parse_point(words)?
        } else if word.eq_ignore_ascii_case(b"OBJECT") {
            Shape::of_geometry(parser.parse(words.next_word()?)?)
        } else if word.eq_ignore_ascii_case(b"STRING") {
            self.text = words.next_word()?;
            self.shape = Some(Shape::String);
            return Ok(true);
        } else if word.eq_ignore_ascii_case(b"BOUNDS") {
            parse_bounds(words)?
        } else if word.eq_ignore_ascii_case(b"HASH") {
            Shape::Point(geohash::decode(words.next_word()?))
        } else {
            return Ok(false);
        };
        self.shape = Some(shape);
        self.text = &[];
        Ok(true)
    }
}

fn parse_point(words: &mut Words) -> Result<Shape> {
    let (lat_word, lon_word) = (words.next_word()?, words.next_word()?);
    let lat = float_of(lat_word)?;
    let point = Point::new(float_of(lon_word)?, lat);
    let Some(z) = words.peek().and_then(parse_float) else { return Ok(Shape::Point(point)) };
    words.advance(1);
    let extra = Some(Extra { per_position: 1, values: Box::new([z]) });
    Ok(Shape::of_geometry(Geometry::Point(Position { point, extra, members: None })))
}

fn parse_bounds(words: &mut Words) -> Result<Shape> {
    let mut corner = [&b""[..]; 4];
    for word in &mut corner {
        *word = words.next_word()?;
    }
    let mut degrees = [0.0; 4];
    for (degree, word) in degrees.iter_mut().zip(corner) {
        *degree = float_of(word)?;
    }
    let [min_lat, min_lon, max_lat, max_lon] = degrees;
    let rect = Rect::new(Point::new(min_lon, min_lat), Point::new(max_lon, max_lat));
    Ok(Shape::of_geometry(Geometry::Rect(rect)))
}

/// Returns the name of a field without surrounding blanks, as it is stored. Fails for reserved
/// names, so ` z` is refused as `z` is.
pub(super) fn field_name(word: &[u8]) -> Result<&[u8]> {
    let name = trim(word);
    if matches!(name, b"z" | b"lat" | b"lon") {
        return Err(Error::invalid(word));
    }
    Ok(name)
}

/// Reads the words that belong to RETURN, and no option that follows them.
pub(super) fn take_view(view: &mut Option<View>, words: &mut Words, word: &[u8]) -> Result<()> {
    if view.is_some() {
        return Err(Error::invalid(word));
    }
    let mut chosen = View::default();
    while chosen.take_word(words)? {}
    // Tile38 skips a second RETURN that is followed by a word of RETURN, and uses this word twice:
    // for the first RETURN and as an argument.
    let mut ahead = *words;
    if ahead.take_keyword("RETURN") {
        let behind = ahead;
        if chosen.take_word(&mut ahead)? {
            *words = behind;
        }
    }
    *view = Some(chosen);
    Ok(())
}

/// Returns the deadline that is so many seconds from now. A deadline beyond the year 2262 never
/// comes.
pub(super) fn deadline(now_ns: i64, seconds: f64) -> i64 {
    if seconds.is_nan() {
        return NEVER;
    }
    let nanoseconds = seconds * 1e9;
    if nanoseconds >= i64::MAX as f64 {
        return NEVER;
    }
    now_ns.saturating_add(nanoseconds as i64)
}
