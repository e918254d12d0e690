//! One request as a session runs it, and the TIMEOUT that may stand before its command.

use super::meter::{BRIEF_BYTES_MAX, SLOW_NS_MIN};
use super::Clock;
use crate::error::{Error, Result};
use crate::number::parse_float;
use crate::request::{Args, Framing};

/// One request being run.
pub(super) struct Request<'a> {
    pub args: Args<'a>,
    /// The bytes of a RESP array, which the log takes as they are.
    pub raw: Option<&'a [u8]>,
    pub framing: Framing,
    /// Whether nothing else waits behind it.
    pub is_last: bool,
    pub now_ns: i64,
    pub clock: Clock<'a>,
}

/// A TIMEOUT prefix taken off.
pub(super) struct Prefix<'a> {
    pub args: Args<'a>,
    pub timeout_ns: Option<u64>,
}

impl Request<'_> {
    /// Whether it is small, and slow commands are only those that take really long.
    #[inline]
    pub fn is_brief(&self, slow_ns: u64) -> bool {
        let size = self.raw.map_or(0, <[u8]>::len);
        size < BRIEF_BYTES_MAX && self.framing != Framing::Native && slow_ns >= SLOW_NS_MIN
    }

    /// Appends the request to what goes to the log.
    pub fn write_log(&self, log: &mut Vec<u8>) {
        match self.raw {
            Some(raw) => log.extend_from_slice(raw),
            None => self.args.write_resp(log),
        }
    }
}

impl<'a> Prefix<'a> {
    /// Takes `TIMEOUT seconds` off the arguments.
    pub fn take(args: Args<'a>) -> Result<Self> {
        if !args.at(0).eq_ignore_ascii_case(b"TIMEOUT") {
            return Ok(Prefix { args, timeout_ns: None });
        }
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
        let inner = args.at(2).to_ascii_uppercase();
        if matches!(&inner[..], b"TIMEOUT" | b"PING" | b"ECHO" | b"QUIT" | b"HELLO" | b"") {
            return Err(Error::unknown_command(args.at(2)));
        }
        Ok(Prefix { args: args.skip(2), timeout_ns: Some(timeout_ns) })
    }
}
