//! Rewriting the log: a snapshot of all data, hooks and channels is written as the commands that
//! create it, in chunks. Knows no file and no change since the snapshot.

use crate::event_time::write_epoch;
use crate::fence::{Hook, HookKind, Sequence, Visitor};
use crate::field::{Kind, Value};
use crate::geometry::{Geometry, Point};
use crate::keyspace::Keyspace;
use crate::number::write_float;
use crate::object::{Object, Shape, NEVER};
use crate::reply::{write_bulk, write_bulk_with, write_command, write_header};

/// Bytes by which a chunk may exceed the requested size before its buffer has to grow.
const CHUNK_BYTES_SPARE: usize = 4096;
/// The most bytes of a chunk's buffer that are allocated in advance.
const CHUNK_BYTES_EXPECTED: usize = 4 * 1024 * 1024;

/// A rewrite in progress. It writes objects by key and id, then hooks and channels by name, then
/// which objects are in zones of fences: writing an area of a hook may change that.
pub struct Rewrite {
    /// Dropped at the end, to free its memory.
    snapshot: Option<Keyspace>,
    now_ns: i64,
    position: Position,
    written: usize,
    total: usize,
    scratch: Vec<u8>,
}

/// The first object, hook or visitor that is still to be written.
enum Position {
    Object {
        key: Vec<u8>,
        id: Vec<u8>,
    },
    Hook {
        name: Vec<u8>,
    },
    /// Without an id, nothing of the hook's visitors is written yet.
    Visitor {
        name: Vec<u8>,
        id: Option<Vec<u8>>,
    },
}

impl Rewrite {
    /// Returns a rewrite of a snapshot. `now_ns`, in nanoseconds since 1970, is the time to which
    /// the remaining lifetimes refer.
    pub fn new(snapshot: Keyspace, now_ns: i64) -> Self {
        let fences = snapshot.fences();
        let total = snapshot.counts().objects + fences.named_count() + fences.visitor_count();
        Rewrite {
            snapshot: Some(snapshot),
            now_ns,
            position: Position::Object { key: Vec::new(), id: Vec::new() },
            written: 0,
            total,
            scratch: Vec::new(),
        }
    }

    /// Returns how many objects, hooks, channels and visitors are written.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Returns how many objects, hooks, channels and visitors the snapshot has.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns the next commands, about `bytes_max` bytes; none at the end. A command is never cut,
    /// so a chunk may be larger.
    pub fn read(&mut self, bytes_max: usize) -> Vec<u8> {
        let Some(snapshot) = self.snapshot.take() else { return Vec::new() };
        let mut chunk = Chunk {
            out: Vec::with_capacity(bytes_max.min(CHUNK_BYTES_EXPECTED) + CHUNK_BYTES_SPARE),
            bytes_max: bytes_max.max(1),
            written: 0,
            writer: Writer {
                keyspace: &snapshot,
                now_ns: self.now_ns,
                scratch: std::mem::take(&mut self.scratch),
            },
        };
        let next = chunk.write_from(&self.position);
        let Chunk { out, written, writer, .. } = chunk;
        self.scratch = writer.scratch;
        self.written += written;
        if let Some(position) = next {
            self.position = position;
            self.snapshot = Some(snapshot);
        }
        out
    }
}

/// A chunk that is being written.
struct Chunk<'k> {
    out: Vec<u8>,
    bytes_max: usize,
    written: usize,
    writer: Writer<'k>,
}

impl Chunk<'_> {
    fn is_full(&self) -> bool {
        self.out.len() >= self.bytes_max
    }

    /// Writes until the chunk is full; returns the position of the next chunk, `None` at the end.
    fn write_from(&mut self, position: &Position) -> Option<Position> {
        let rest = match position {
            Position::Object { key, id } => {
                self.write_objects(key, id).or_else(|| self.write_hooks(b""))
            }
            Position::Hook { name } => self.write_hooks(name),
            Position::Visitor { name, id } => return self.write_visitors(name, id.as_deref()),
        };
        rest.or_else(|| self.write_visitors(b"", None))
    }

    fn write_objects(&mut self, first_key: &[u8], first_id: &[u8]) -> Option<Position> {
        let keyspace = self.writer.keyspace;
        for (key, collection) in keyspace.collections_from(first_key) {
            let from = if **key == *first_key { first_id } else { b"" };
            for object in collection.ascend(from) {
                if self.is_full() {
                    return Some(Position::Object { key: key.to_vec(), id: object.id().to_vec() });
                }
                self.writer.write_object(&mut self.out, key, object);
                self.written += 1;
            }
        }
        None
    }

    fn write_hooks(&mut self, first: &[u8]) -> Option<Position> {
        let keyspace = self.writer.keyspace;
        for hook in keyspace.fences().from(first) {
            if self.is_full() {
                return Some(Position::Hook { name: hook.name.to_vec() });
            }
            self.writer.write_hook(&mut self.out, hook);
            self.write_sequence(&hook.name);
            if hook.is_paused {
                write_command(&mut self.out, &[b"pausehook", &hook.name]);
            }
            self.written += 1;
        }
        None
    }

    /// Writes the number of a hook's or channel's last event, unless there was none.
    fn write_sequence(&mut self, name: &[u8]) {
        let sequence = self.writer.keyspace.fences().sequence(name);
        let Some(Sequence { last, began_ns, delivered }) =
            sequence.filter(|sequence| sequence.last > 0)
        else {
            return;
        };
        let (last, began_ns) = (last.to_string(), began_ns.to_string());
        let words = [b"setsequence", name, last.as_bytes(), began_ns.as_bytes()];
        write_command(&mut self.out, &words);
        if delivered > 0 {
            let delivered = delivered.to_string();
            write_command(&mut self.out, &[b"setdelivered", name, delivered.as_bytes()]);
        }
    }

    /// Writes which objects are in zones: for each fence first that none is, since the commands
    /// before may have changed that.
    fn write_visitors(&mut self, first: &[u8], first_id: Option<&[u8]>) -> Option<Position> {
        let fences = self.writer.keyspace.fences();
        for hook in fences.from(first).filter(|hook| hook.watch.fence.has_memory()) {
            let from = first_id.filter(|_| *hook.name == *first);
            if from.is_none() {
                write_command(&mut self.out, &[b"setvisits", &hook.name]);
            }
            let visits = fences.visits(hook.watch.serial);
            let from = from.unwrap_or_default();
            for visitor in visits.into_iter().flat_map(|visits| visits.from(from)) {
                if self.is_full() {
                    let (name, id) = (hook.name.to_vec(), visitor.id().to_vec());
                    return Some(Position::Visitor { name, id: Some(id) });
                }
                write_visitor(&mut self.out, &hook.name, visitor);
                self.written += 1;
            }
        }
        None
    }
}

/// Appends `setvisits name id zone group …`.
fn write_visitor(out: &mut Vec<u8>, name: &[u8], visitor: &Visitor) {
    write_header(out, b'*', 3 + 2 * visitor.visits().count());
    for word in [b"setvisits", name, visitor.id()] {
        write_bulk(out, word);
    }
    for visit in visitor.visits() {
        write_bulk(out, visit.zone);
        write_bulk(out, &visit.text(visitor.has_states()));
    }
}

/// A writer of the commands that create single objects, hooks and channels.
struct Writer<'k> {
    keyspace: &'k Keyspace,
    now_ns: i64,
    scratch: Vec<u8>,
}

impl Writer<'_> {
    /// Appends `set key id [field name value]… [ex seconds] object …`.
    fn write_object(&mut self, out: &mut Vec<u8>, key: &[u8], object: &Object) {
        let fields = object.fields();
        let field_count = if fields.is_empty() { 0 } else { fields.iter().count() };
        let has_deadline = object.deadline() != NEVER;
        let shape = ShapeWords::of(object, self.keyspace.requires_valid);
        let event_time = object.event_time();
        let option_count = usize::from(has_deadline) + usize::from(event_time.is_some());
        let count = 3 + 3 * field_count + 2 * option_count + shape.count();
        write_header(out, b'*', count);
        for word in [b"set", key, object.id()] {
            write_bulk(out, word);
        }
        for (serial, value) in fields.iter() {
            write_bulk(out, b"field");
            write_bulk(out, self.keyspace.names().name(serial));
            write_bulk_with(out, &mut self.scratch, |text| write_value(text, &value));
        }
        if has_deadline {
            write_bulk(out, b"ex");
            write_bulk(out, &seconds_left(object.deadline(), self.now_ns));
        }
        if let Some(event_ns) = event_time {
            write_bulk(out, b"at");
            write_bulk_with(out, &mut self.scratch, |text| write_epoch(text, event_ns));
        }
        shape.write(out, &mut self.scratch);
    }

    /// Appends `sethook` or `setchan`. If the fence's area is `GET key id`, that object has to be
    /// the same as when the hook was set. If it has changed or may expire, the area is stored under
    /// the id before the command and the present object restored after it. So the hook's search
    /// keeps its original words, which HOOKS shows and which are compared when the hook is set
    /// again.
    fn write_hook(&mut self, out: &mut Vec<u8>, hook: &Hook) {
        let Some(fetched) = hook.fetched() else { return self.write_hook_words(out, hook) };
        let present = self.keyspace.get(fetched.key).and_then(|all| all.get(fetched.id));
        // An object with a deadline may have expired when a follower reads the log.
        let is_same =
            |object: &Object| object.deadline() == NEVER && is_same_shape(object, fetched.object);
        if present.is_some_and(is_same) {
            return self.write_hook_words(out, hook);
        }
        let (id, shape) = (fetched.id, fetched.object.shape().clone());
        let area = Object::new(id, shape, fetched.object.text(), &[], NEVER);
        self.write_object(out, fetched.key, &area);
        self.write_hook_words(out, hook);
        if let Some(object) = present {
            return self.write_object(out, fetched.key, object);
        }
        write_command(out, &[b"del", fetched.key, id]);
    }

    fn write_hook_words(&mut self, out: &mut Vec<u8>, hook: &Hook) {
        let has_deadline = hook.deadline != NEVER;
        let is_hook = hook.kind() == HookKind::Hook;
        let head: [&[u8]; 2] =
            if is_hook { [b"sethook", &hook.name] } else { [b"setchan", &hook.name] };
        let count = head.len() + usize::from(is_hook) + 3 * hook.metas.len() + hook.words.len();
        let count = count + hook.options.words().count();
        write_header(out, b'*', count + 2 * usize::from(has_deadline));
        for word in head {
            write_bulk(out, word);
        }
        if is_hook {
            write_bulk(out, &hook.endpoints.join(&b","[..]));
        }
        for (name, value) in &hook.metas {
            for word in [b"meta", &name[..], value] {
                write_bulk(out, word);
            }
        }
        if has_deadline {
            write_bulk(out, b"ex");
            write_bulk(out, &seconds_left(hook.deadline, self.now_ns));
        }
        for word in hook.options.words().chain(hook.words.iter().map(|word| &**word)) {
            write_bulk(out, word);
        }
    }
}

/// The arguments of SET that describe an object's shape.
enum ShapeWords<'o> {
    /// `object` or `string`, and the text.
    Text(&'static [u8], &'o Object),
    /// `point` or `bounds`, and numbers: for shapes that GeoJSON cannot express, or that would be
    /// refused as GeoJSON.
    Numbers(&'static [u8], Vec<f64>),
}

impl<'o> ShapeWords<'o> {
    fn of(object: &'o Object, requires_valid: bool) -> Self {
        let is_plain = |point: &Point| {
            point.x.is_finite()
                && point.y.is_finite()
                && (!requires_valid || (point.x.abs() <= 180.0 && point.y.abs() <= 90.0))
        };
        let text = ShapeWords::Text(b"object", object);
        match object.shape() {
            Shape::String => ShapeWords::Text(b"string", object),
            Shape::Point(point) if is_plain(point) => text,
            Shape::Point(point) => ShapeWords::Numbers(b"point", vec![point.y, point.x]),
            Shape::Geometry(geometry) => match &**geometry {
                // A polygon around swapped corners would be somewhere, which the box isn't.
                Geometry::Rect(rect)
                    if !rect.is_ordered() || !is_plain(&rect.min) || !is_plain(&rect.max) =>
                {
                    let corners = vec![rect.min.y, rect.min.x, rect.max.y, rect.max.x];
                    ShapeWords::Numbers(b"bounds", corners)
                }
                Geometry::Point(position) if position.members.is_none() => {
                    let z = geometry.z();
                    if is_plain(&position.point) && z.is_finite() {
                        return text;
                    }
                    ShapeWords::Numbers(b"point", vec![position.point.y, position.point.x, z])
                }
                _ => text,
            },
        }
    }

    fn count(&self) -> usize {
        match self {
            ShapeWords::Text(..) => 2,
            ShapeWords::Numbers(_, numbers) => 1 + numbers.len(),
        }
    }

    fn write(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        match self {
            ShapeWords::Text(word, object) => {
                write_bulk(out, word);
                write_bulk_with(out, scratch, |text| object.write_text(text));
            }
            ShapeWords::Numbers(word, numbers) => {
                write_bulk(out, word);
                for number in numbers {
                    write_bulk_with(out, scratch, |text| write_float(text, *number));
                }
            }
        }
    }
}

fn is_same_shape(a: &Object, b: &Object) -> bool {
    let text_of = |object: &Object| {
        let mut text = Vec::new();
        object.write_text(&mut text);
        text
    };
    let is_string = |object: &Object| matches!(object.shape(), Shape::String);
    is_string(a) == is_string(b) && text_of(a) == text_of(b)
}

/// Appends a field's value in a form from which SET reads the same value: JSON, but for a string of
/// bytes that aren't UTF-8 the bytes themselves.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    let is_text = std::str::from_utf8(value.text()).is_ok();
    if value.kind() == Kind::String && !is_text && Value::parse(value.text()) == *value {
        out.extend_from_slice(value.text());
    } else {
        value.write_json(out);
    }
}

/// Returns the remaining seconds, rounded down to tenths, but at least a tenth.
fn seconds_left(deadline: i64, now_ns: i64) -> Vec<u8> {
    let tenths = (deadline.saturating_sub(now_ns) / 100_000_000).max(1);
    format!("{}.{}", tenths / 10, tenths % 10).into_bytes()
}

#[cfg(test)]
mod tests;
