//! A request in a session, and the prefix TIMEOUT before its command.

use super::command_timer::{BRIEF_BYTES_MAX, SLOW_NS_MIN};
use super::Clock;
use crate::error::{Error, Result};
use crate::number::parse_float;
use crate::reply::Framing;
use crate::request::{Args, Arguments};
use crate::transaction_log::{is_continued, write_single};

/// A request while a session runs it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The command and its arguments.
    pub args: Args<'a>,
    /// The bytes of a RESP array, which are logged unchanged; `None` for other framings.
    pub raw: Option<&'a [u8]>,
    /// The protocol in which the request was written.
    pub framing: Framing,
    /// Whether it is the last of the received requests.
    pub is_last: bool,
    /// The number of its bytes; 0 for a request that was not received in bytes.
    pub size: usize,
    /// The number of received bytes behind it.
    pub following: usize,
    /// The time in nanoseconds since 1970.
    pub now_ns: i64,
    /// A monotonic clock in nanoseconds.
    pub clock: Clock<'a>,
}

/// A request's arguments without the prefix TIMEOUT, and its timeout.
#[derive(Clone, Copy)]
pub(crate) struct Prefix<'a> {
    pub args: Args<'a>,
    pub timeout_ns: Option<u64>,
}

impl<'a> Request<'a> {
    /// Returns the request at the start of received bytes. `extent` is its protocol and its size.
    pub(super) fn received(
        args: Args<'a>,
        bytes: &'a [u8],
        extent: (Framing, usize),
        now_ns: i64,
        clock: Clock<'a>,
    ) -> Self {
        let (framing, size) = extent;
        let raw = (framing == Framing::Resp).then_some(&bytes[..size]);
        let following = bytes.len() - size;
        let is_last = following == 0;
        Request { args, raw, framing, is_last, size, following, now_ns, clock }
    }

    /// Returns a request that came as words, and is the last of them. `arguments` keeps the words.
    pub(super) fn of_words<T: AsRef<[u8]>>(
        words: &[T],
        arguments: &'a mut Arguments,
        now_ns: i64,
        clock: Clock<'a>,
    ) -> Self {
        arguments.assign(words);
        let args = arguments.view(&[]);
        Request {
            args,
            raw: None,
            framing: Framing::Inline,
            is_last: true,
            size: 0,
            following: 0,
            now_ns,
            clock,
        }
    }
}

impl Request<'_> {
    /// Returns whether a brief command in this request is surely not slow: the request is small,
    /// and the threshold of SLOWLOG is high.
    #[inline]
    pub(super) fn is_brief(&self, slow_ns: u64) -> bool {
        let size = self.raw.map_or(0, <[u8]>::len);
        size < BRIEF_BYTES_MAX && self.framing != Framing::Native && slow_ns >= SLOW_NS_MIN
    }

    /// Returns whether the log gets the bytes that were received.
    pub(super) fn is_logged_unchanged(&self) -> bool {
        self.raw.is_some() && !is_continued(self.args.at(0))
    }

    /// Appends the request to the log bytes.
    pub(super) fn write_log(&self, log: &mut Vec<u8>) {
        match self.raw {
            Some(raw) if self.is_logged_unchanged() => log.extend_from_slice(raw),
            _ => write_single(self.args, log),
        }
    }
}

impl<'a> Prefix<'a> {
    /// Removes `TIMEOUT seconds` from the start of the arguments. Fails for a malformed prefix.
    pub fn take(args: Args<'a>) -> Result<Self> {
        let seconds = args.at(1);
        if seconds.is_empty() || args.len() < 3 {
            return Err(Error::WrongArity);
        }
        let timeout_ns = match parse_float(seconds) {
            // Tile38's deadline overflows, so that such a timeout has passed already.
            Some(value) if value.is_nan() || value >= 9.2e9 => 0,
            Some(value) if value >= 0.0 => (value * 1e9) as u64,
            _ => return Err(Error::invalid(seconds)),
        };
        Ok(Prefix { args: args.skip(2), timeout_ns: Some(timeout_ns) })
    }
}
