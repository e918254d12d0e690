//! One request as a session runs it, and the TIMEOUT prefix that may stand before its command.

use super::meter::{BRIEF_BYTES_MAX, SLOW_NS_MIN};
use super::Clock;
use crate::error::{Error, Result};
use crate::number::parse_float;
use crate::request::{Args, Framing};

/// One request being run.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The command and its arguments.
    pub args: Args<'a>,
    /// The bytes of a RESP array, which the log takes as they are.
    pub raw: Option<&'a [u8]>,
    /// How it was written.
    pub framing: Framing,
    /// Whether nothing else waits behind it.
    pub is_last: bool,
    /// Nanoseconds since 1970.
    pub now_ns: i64,
    /// A monotonic clock in nanoseconds.
    pub clock: Clock<'a>,
}

/// The arguments behind a TIMEOUT prefix, or all of them.
pub(super) struct Prefix<'a> {
    pub args: Args<'a>,
    pub timeout_ns: Option<u64>,
}

impl Request<'_> {
    /// Whether the request is small and SLOWLOG's threshold is so high that it can't be slow.
    #[inline]
    pub(super) fn is_brief(&self, slow_ns: u64) -> bool {
        let size = self.raw.map_or(0, <[u8]>::len);
        size < BRIEF_BYTES_MAX && self.framing != Framing::Native && slow_ns >= SLOW_NS_MIN
    }

    /// Appends the request to what goes to the log.
    pub(super) fn write_log(&self, log: &mut Vec<u8>) {
        match self.raw {
            Some(raw) => log.extend_from_slice(raw),
            None => self.args.write_resp(log),
        }
    }
}

impl<'a> Prefix<'a> {
    /// Takes `TIMEOUT seconds` off the arguments.
    pub fn take(args: Args<'a>) -> Result<Self> {
        let seconds = args.at(1);
        if seconds.is_empty() || args.len() < 3 {
            return Err(Error::WrongArity);
        }
        let timeout_ns = match parse_float(seconds) {
            // Tile38's deadline overflows: such a time-out has passed already.
            Some(value) if value.is_nan() || value >= 9.2e9 => 0,
            Some(value) if value >= 0.0 => (value * 1e9) as u64,
            _ => return Err(Error::invalid(seconds)),
        };
        Ok(Prefix { args: args.skip(2), timeout_ns: Some(timeout_ns) })
    }
}
