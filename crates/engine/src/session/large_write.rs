//! Large writes: a SET with a large `GeoJSON` text. Parsing it would hold up all other connections,
//! so the session stops, the driver lets another thread parse it, and the session applies it then.
//!
//! Then the request runs like any other, but takes the parsed geometry. So conditions such as NX,
//! rights and the server's state are checked when it is applied, not when it arrives. Within
//! transactions, scripts, logs and leaders' streams, where nothing may come between two commands,
//! large writes are parsed at once.

use std::sync::OnceLock;

use super::{Batch, Clock, Request, Session, Stop};
use crate::call::ParsedText;
use crate::commands::table::Found;
use crate::engine::Engine;
use crate::geometry::{Geometry, ParseOptions};
use crate::reply::Framing;
use crate::request::{self, Arguments};
use crate::shared_bytes::SharedBytes;

/// Requests from this size on are large: parsing takes a millisecond or more.
pub const LARGE_WRITE_BYTES_MIN: usize = 256 * 1024;
/// Room for a request is reserved once so much of it, as a fraction, has arrived.
const RESERVING_FRACTION: usize = 64;

/// A SET whose geometry another thread parses.
pub struct LargeWrite {
    /// The request.
    bytes: SharedBytes,
    /// The number of its bytes.
    size: usize,
    options: ParseOptions,
    parsed: OnceLock<ParsedText>,
}

impl LargeWrite {
    fn new(size: usize, options: ParseOptions) -> Self {
        LargeWrite { bytes: SharedBytes::default(), size, options, parsed: OnceLock::new() }
    }

    /// Parses the geometry, once. Any thread.
    pub fn parse(&self) {
        if self.parsed.get().is_some() {
            return;
        }
        let bytes = self.bytes.as_slice();
        let mut arguments = Arguments::default();
        request::parse(bytes, &mut arguments);
        let texts = arguments.view(bytes);
        // The longest argument, since a SET has one geometry and its other arguments are short. If
        // it is something else, the SET parses its geometry itself.
        if let Some(text) = texts.iter().max_by_key(|text| text.len()) {
            self.parsed.get_or_init(|| ParsedText {
                address: text.as_ptr() as usize,
                geometry: Geometry::parse(text, self.options),
            });
        }
    }
}

impl Session {
    /// Returns whether a request is a large write that can be parsed elsewhere.
    pub(super) fn is_large_write(
        &self,
        engine: &Engine,
        request: &Request,
        found: Option<Found>,
    ) -> bool {
        if request.raw.is_none_or(|raw| raw.len() < LARGE_WRITE_BYTES_MIN) {
            return false;
        }
        let name = found.map(|found| &engine.table.record(found).name[..]);
        let is_object = |word: &[u8]| word.eq_ignore_ascii_case(b"OBJECT");
        name == Some("SET")
            && self.parsed_text.is_none()
            && !self.is_live
            && !self.is_plain
            && !self.transaction.is_queueing()
            && !engine.state.is_loading
            && request.args.iter().any(is_object)
    }

    /// Returns the stop at a large write; [`Session::detach`] gives it the bytes.
    pub(super) fn stop_at_large_write(engine: &Engine, request: &Request) -> Stop {
        let options = ParseOptions { require_valid: engine.keyspace.requires_valid };
        Stop::LargeWrite(Box::new(LargeWrite::new(request.size, options)))
    }

    /// Moves the request that ends at the position from the buffer to the large write at which the
    /// session has stopped, if it has. What is behind the request stays.
    pub(super) fn detach(&mut self, batch: &mut Batch) {
        let Some(Stop::LargeWrite(write)) = &mut batch.stop else { return };
        let rest = self.buffer.split_off(self.position);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let start = bytes.len() - write.size;
        write.bytes = SharedBytes::new(bytes, start);
        self.position = 0;
    }

    /// Reserves room for the rest of an incomplete request once a part of it is there: growing step
    /// by step would copy large requests. Before that, its announced size is no reason to trust.
    pub(super) fn reserve(&mut self) {
        let total = self.position + self.needed;
        if self.buffer.capacity() < total && self.buffered() >= self.needed / RESERVING_FRACTION {
            self.buffer.reserve_exact(total - self.buffer.len());
        }
    }

    /// Runs a large write whose geometry is parsed.
    pub fn apply(
        &mut self,
        engine: &mut Engine,
        write: &mut LargeWrite,
        now_ns: i64,
        clock: Clock,
    ) -> Batch {
        let mut batch = Batch::default();
        self.timer.start_batch(clock());
        write.parse();
        let parsed = write.parsed.take();
        let bytes = write.bytes.as_slice();
        let mut arguments = Arguments::default();
        request::parse(bytes, &mut arguments);
        let args = arguments.view(bytes);
        let request = Request::received(args, bytes, (Framing::Resp, bytes.len()), now_ns, clock);
        self.parsed_text = parsed;
        self.large_request = Some(write.bytes.clone());
        self.run_one(engine, &request, engine.table.find(args), &mut batch);
        self.parsed_text = None;
        self.large_request = None;
        self.finish(engine, &mut batch, clock);
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> u64 {
        0
    }

    fn request(words: &[&[u8]]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    /// A MultiPoint that is large as text.
    fn text(first: f64) -> Vec<u8> {
        let point = format!("[{first},2]");
        let count = LARGE_WRITE_BYTES_MIN / 4;
        format!(r#"{{"type":"MultiPoint","coordinates":[{point}{}]}}"#, ",[3,4]".repeat(count))
            .into_bytes()
    }

    /// Feeds bytes in pieces and applies large writes; returns all replies and log bytes, and how
    /// many large writes there were.
    fn run(engine: &mut Engine, bytes: &[u8], piece: usize) -> (Vec<u8>, Vec<u8>, usize) {
        let mut session = Session::new(false, None);
        let (mut replies, mut log, mut count) = (Vec::new(), Vec::new(), 0);
        for piece in bytes.chunks(piece) {
            let mut batch = session.feed(engine, piece, 0, &clock);
            loop {
                replies.append(&mut batch.replies);
                log.append(&mut batch.log);
                let Some(Stop::LargeWrite(mut write)) = batch.stop else { break };
                count += 1;
                write.parse();
                let mut applied = session.apply(engine, &mut write, 0, &clock);
                assert!(applied.stop.is_none());
                replies.append(&mut applied.replies);
                assert!(applied.log.is_empty());
                log.extend_from_slice(applied.large_log.unwrap_or_default().as_slice());
                batch = session.feed(engine, b"", 0, &clock);
            }
        }
        (replies, log, count)
    }

    #[test]
    fn a_large_write_between_others_keeps_the_order_at_any_split() {
        let large = request(&[b"SET", b"k", b"a", b"OBJECT", &text(1.0)]);
        let get = request(&[b"GET", b"k", b"a", b"BOUNDS"]);
        let small = request(&[b"SET", b"k", b"a", b"POINT", b"7", b"8"]);
        let bytes = [&small[..], &get, &large, &get, &small, &get].concat();
        let bounds = |corners: [&str; 4]| {
            let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
            let [a, b, c, d] = corners.map(bulk);
            format!("*2\r\n*2\r\n{a}{b}*2\r\n{c}{d}")
        };
        let point = format!("+OK\r\n{}", bounds(["7", "8", "7", "8"]));
        let expected = format!("{point}+OK\r\n{}{point}", bounds(["2", "1", "4", "3"]));
        for piece in [1000, 256_000, bytes.len() - 10, bytes.len()] {
            let (replies, log, count) = run(&mut Engine::new(false), &bytes, piece);
            assert_eq!(String::from_utf8_lossy(&replies), expected, "pieces of {piece}");
            assert!(log == [&small[..], &large, &small].concat() && count == 1);
        }
    }

    #[test]
    fn the_geometry_of_another_argument_of_the_same_length_is_not_mistaken() {
        let mut engine = Engine::new(false);
        let (one, other) = (text(1.0), text(5.0));
        let bytes = request(&[b"SET", b"k", b"a", b"OBJECT", &one, b"OBJECT", &other]);
        run(&mut engine, &bytes, bytes.len());
        let mut at_once = Engine::new(false);
        let mut session = Session::new(false, None);
        let words = [&b"SET"[..], b"k", b"a", b"OBJECT", &one, b"OBJECT", &other];
        session.run_words(&mut at_once, &words, 0, &clock);
        let get = |engine: &mut Engine| {
            Session::new(false, None).run_words(engine, &["GET", "k", "a"], 0, &clock).replies
        };
        assert!(get(&mut engine) == get(&mut at_once));
    }

    #[test]
    fn conditions_and_refusals_are_those_of_the_moment_of_applying() {
        let mut engine = Engine::new(false);
        let mut session = Session::new(false, None);
        let bytes = request(&[b"SET", b"k", b"a", b"NX", b"OBJECT", &text(1.0)]);
        let mut applied = |engine: &mut Engine, change: &dyn Fn(&mut Engine)| {
            let batch = session.feed(engine, &bytes, 0, &clock);
            let Some(Stop::LargeWrite(mut write)) = batch.stop else { panic!("no large write") };
            write.parse();
            change(engine);
            let batch = session.apply(engine, &mut write, 0, &clock);
            let is_unlogged = batch.log.is_empty() && batch.large_log.is_none();
            (String::from_utf8(batch.replies).unwrap(), is_unlogged)
        };
        let read_only = |engine: &mut Engine| engine.state.is_read_only = true;
        let (reply, is_unlogged) = applied(&mut engine, &read_only);
        assert!(reply.starts_with("-ERR read only") && is_unlogged, "{reply}");
        let (reply, is_unlogged) = applied(&mut engine, &|engine| {
            engine.state.is_read_only = false;
            let words = ["SET", "k", "a", "POINT", "1", "1"];
            Session::new(false, None).run_words(engine, &words, 0, &clock);
        });
        assert_eq!((&reply[..], is_unlogged), ("$-1\r\n", true));
    }

    #[test]
    fn large_writes_in_transactions_run_at_once_and_invalid_texts_are_refused() {
        let mut engine = Engine::new(false);
        let large = request(&[b"SET", b"k", b"a", b"OBJECT", &text(1.0)]);
        let bytes = [b"MULTI\r\n", &large[..], b"EXEC\r\n"].concat();
        let (replies, log, count) = run(&mut engine, &bytes, 100_000);
        assert_eq!((&replies[..], count), (&b"+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"[..], 0));
        assert!(log.len() > LARGE_WRITE_BYTES_MIN);
        let invalid = [b"[", &vec![b' '; LARGE_WRITE_BYTES_MIN][..]].concat();
        let bytes = request(&[b"SET", b"k", b"b", b"OBJECT", &invalid]);
        let (replies, log, count) = run(&mut engine, &bytes, 100_000);
        assert_eq!((&replies[..], count), (&b"-ERR invalid data\r\n"[..], 1));
        assert!(log.is_empty());
    }
}
