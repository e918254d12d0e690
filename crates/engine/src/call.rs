//! The call of one command: its arguments, its reply, and the budget of work that it may use.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::access::{Denial, Rights};
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::geometry::{Geometry, GeometryError};
use crate::helpers::Helpers;
use crate::json;
use crate::number::{parse_float, parse_int, parse_uint};
use crate::reply::{self, Output, Protocol};
use crate::request::Args;
use crate::transaction_log::TransactionLog;

/// Returns the nanoseconds since the request began. Passed in, because the engine has no clock.
pub type Stopwatch<'a> = &'a dyn Fn() -> u64;

/// Units of work between two checks of the deadline, which read the clock.
const WORK_PER_DEADLINE_CHECK: u64 = 256;

/// The work that a read may do before it is handed to another thread, and its deadline.
pub struct Budget<'a> {
    work_left: u64,
    work_until_check: u64,
    deadline_ns: Option<u64>,
    stopwatch: Stopwatch<'a>,
    is_cancelled: Option<&'a AtomicBool>,
    helpers: Option<&'a dyn Helpers>,
}

impl<'a> Budget<'a> {
    /// Returns a budget of `work` units without a deadline. Visiting an object costs one unit,
    /// comparing a vertex a fraction of one.
    pub fn new(work: u64, stopwatch: Stopwatch<'a>) -> Self {
        Budget {
            work_left: work,
            work_until_check: WORK_PER_DEADLINE_CHECK,
            deadline_ns: None,
            stopwatch,
            is_cancelled: None,
            helpers: None,
        }
    }

    /// Returns the same budget with a deadline, in nanoseconds since the request began.
    #[must_use]
    pub fn with_deadline(mut self, deadline_ns: Option<u64>) -> Self {
        self.deadline_ns = deadline_ns;
        self
    }

    /// Returns the same budget, which ends when the flag is set.
    #[must_use]
    pub fn with_cancellation(mut self, is_cancelled: &'a AtomicBool) -> Self {
        self.is_cancelled = Some(is_cancelled);
        self
    }

    /// Returns the same budget with threads that may help.
    #[must_use]
    pub fn with_helpers(mut self, helpers: Option<&'a dyn Helpers>) -> Self {
        self.helpers = helpers;
        self
    }

    /// Returns the threads that may help, if there are any.
    pub fn helpers(&self) -> Option<&'a dyn Helpers> {
        self.helpers
    }

    /// Returns the budget of a command that a script calls: the script's remaining work, and the
    /// earlier of the script's deadline and the command's own timeout.
    #[must_use]
    pub fn child(&self, timeout_ns: Option<u64>) -> Budget<'a> {
        let timeout_at = timeout_ns.map(|timeout_ns| self.elapsed_ns().saturating_add(timeout_ns));
        let deadline_ns = [self.deadline_ns, timeout_at].into_iter().flatten().min();
        Budget {
            is_cancelled: self.is_cancelled,
            ..Budget::new(self.work_left, self.stopwatch).with_deadline(deadline_ns)
        }
    }

    /// Returns the deadline, in nanoseconds since the request began.
    pub fn deadline_ns(&self) -> Option<u64> {
        self.deadline_ns
    }

    /// Returns the nanoseconds since the request began.
    pub fn elapsed_ns(&self) -> u64 {
        (self.stopwatch)()
    }

    /// Uses up `work` units. Fails with `OverBudget` when fewer are left, and with `Timeout` when
    /// the deadline has passed.
    #[inline]
    pub fn charge(&mut self, work: u64) -> Result<()> {
        if self.work_left < work {
            return Err(Error::OverBudget);
        }
        self.work_left -= work;
        if self.work_until_check > work {
            self.work_until_check -= work;
            return Ok(());
        }
        self.work_until_check = WORK_PER_DEADLINE_CHECK;
        self.check_deadline()
    }

    /// Returns the units of work that are left.
    pub fn work_left(&self) -> u64 {
        self.work_left
    }

    /// Fails with `Timeout` if the deadline has passed, or nobody waits for the reply.
    pub fn check_deadline(&self) -> Result<()> {
        if self.is_cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Error::Timeout);
        }
        match self.deadline_ns {
            Some(deadline_ns) if (self.stopwatch)() >= deadline_ns => Err(Error::Timeout),
            _ => Ok(()),
        }
    }
}

/// Whether a command changed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The command changed nothing and isn't logged.
    Nothing,
    /// The command changed data and is logged as it was received.
    Changed,
}

impl Effect {
    /// Returns the effect of a command that has changed data or not.
    pub fn of_change(is_changed: bool) -> Self {
        if is_changed {
            Effect::Changed
        } else {
            Effect::Nothing
        }
    }
}

/// The call of one command.
pub struct Call<'a, 'b> {
    /// The arguments; the first is the command's name.
    pub args: Args<'a>,
    /// The format of the reply.
    pub output: Output,
    /// The version of RESP.
    pub protocol: Protocol,
    /// The time in nanoseconds since 1970.
    pub now_ns: i64,
    /// Whether more memory than maxmemory is in use.
    pub is_out_of_memory: bool,
    /// Whether the command comes from a log or a leader, where it succeeded, perhaps under Tile38.
    pub is_replayed: bool,
    /// The buffer of the reply: RESP bytes, or the members of the JSON object.
    pub out: &'b mut Vec<u8>,
    /// The work that the command may do.
    pub budget: &'b mut Budget<'a>,
    /// The live fence that a search with FENCE opens instead of writing a reply.
    pub live: Option<Box<Fence>>,
    /// The context of a script that a session runs; `None` for other commands.
    pub script: Option<Box<ScriptContext>>,
    /// The rights of the user; `None` if it may do everything.
    pub rights: Option<&'a Rights>,
    /// The calls of a script that were refused for want of a right.
    pub denied: Vec<Denial>,
    /// The geometry of an argument that was parsed before.
    pub parsed_text: Option<ParsedText>,
}

/// The result of parsing a `GeoJSON` text, found by the address of the text.
pub struct ParsedText {
    /// The address of the text.
    pub address: usize,
    /// The geometry, or why there is none.
    pub geometry: std::result::Result<Geometry, GeometryError>,
}

/// The limits and permissions of a script, and the log bytes and MONITOR lines of the commands that
/// it called.
#[derive(Debug, Default)]
pub struct ScriptContext {
    /// The prefix TIMEOUT, in nanoseconds since the request began.
    pub timeout_ns: Option<u64>,
    /// Whether the timeout ends before the time that a script may take.
    pub has_short_timeout: bool,
    /// The time that a script may take if it may write, in nanoseconds.
    pub write_ns_max: Option<u64>,
    /// Whether the writes of a script that takes too long are undone.
    pub is_atomic: bool,
    /// Why the script may not write.
    pub write_error: Option<Error>,
    /// Why the script may not read.
    pub read_error: Option<Error>,
    /// Whether somebody wants to see the commands that run.
    pub is_monitored: bool,
    /// The commands that changed data, for the log.
    pub log: TransactionLog,
    /// The commands that ran, as MONITOR shows them.
    pub monitored: Vec<Vec<u8>>,
}

impl<'a> Call<'a, '_> {
    /// Returns whether the reply is JSON.
    pub fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// Replies OK in RESP, and with no further members in JSON.
    pub fn reply_ok(&mut self) {
        if !self.is_json() {
            self.out.extend_from_slice(b"+OK\r\n");
        }
    }

    /// Replies nil in RESP, and with the error in JSON.
    pub fn reply_missing(&mut self, error: Error) -> Result<()> {
        if self.is_json() {
            return Err(error);
        }
        self.reply_nil();
        Ok(())
    }

    /// Appends the nil of RESP.
    pub fn reply_nil(&mut self) {
        reply::write_nil(self.out, self.protocol);
    }

    /// Replies an integer in RESP, and with no further members in JSON.
    pub fn reply_count(&mut self, count: usize) {
        if !self.is_json() {
            reply::write_integer(self.out, count as i64);
        }
    }

    /// Replies the number of changes as [`Call::reply_count`] does; returns whether there were any.
    pub fn reply_changes(&mut self, count: usize) -> Effect {
        self.reply_count(count);
        Effect::of_change(count > 0)
    }

    /// Replies 1 or 0 in RESP, and with a boolean member in JSON.
    pub fn reply_flag(&mut self, name: &str, flag: bool) {
        if self.is_json() {
            let text: &[u8] = if flag { b"true" } else { b"false" };
            self.write_member(name, |out| out.extend_from_slice(text));
        } else {
            reply::write_integer(self.out, i64::from(flag));
        }
    }

    /// Appends `,"name":` and the value that `write` appends.
    pub fn write_member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        write(self.out);
    }

    /// Appends `,"name":"text"`, escaped by [`json::write_short`].
    pub fn write_text_member(&mut self, name: &str, text: &[u8]) {
        self.write_member(name, |out| json::write_short(out, text));
    }

    /// Returns a reader of the arguments after the command's name.
    pub fn words(&self) -> Words<'a> {
        Words { args: self.args, at: 1 }
    }
}

/// A reader that takes arguments one by one. Copying it marks a position to return to.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    args: Args<'a>,
    at: usize,
}

impl<'a> Words<'a> {
    /// Returns a reader at the first argument.
    pub fn new(args: Args<'a>) -> Self {
        Words { args, at: 0 }
    }

    /// Returns the arguments that are left.
    pub fn rest(&self) -> Args<'a> {
        self.args.skip(self.at)
    }

    /// Returns the next word without taking it.
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.args.get(self.at)
    }

    /// Returns the word `ahead` places after the next one, without taking any.
    pub fn peek_at(&self, ahead: usize) -> Option<&'a [u8]> {
        self.args.get(self.at + ahead)
    }

    /// Returns how many words are left.
    pub fn left(&self) -> usize {
        self.args.len().saturating_sub(self.at)
    }

    /// Parses a word, already taken, as the count of words that follow. Fails with
    /// `InvalidArgument` if it is none, and with `WrongArity` if fewer are left.
    pub fn count_of(&self, word: &[u8]) -> Result<usize> {
        let count = parse_uint(word).ok_or_else(|| Error::invalid(word))?;
        if count > self.left() as u64 {
            return Err(Error::WrongArity);
        }
        Ok(count as usize)
    }

    /// Takes this many words. Fails with `WrongArity` if one is empty, or if fewer are left.
    pub fn take_filled(&mut self, count: usize) -> Result<Vec<&'a [u8]>> {
        (0..count).map(|_| self.next_filled()).collect()
    }

    /// Skips words.
    pub fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// Takes the next word. Fails with `WrongArity` at the end.
    pub fn next_word(&mut self) -> Result<&'a [u8]> {
        let word = self.peek().ok_or(Error::WrongArity)?;
        self.at += 1;
        Ok(word)
    }

    /// Takes the next word. Fails with `WrongArity` if it is empty, as at the end.
    pub fn next_filled(&mut self) -> Result<&'a [u8]> {
        match self.next_word()? {
            b"" => Err(Error::WrongArity),
            word => Ok(word),
        }
    }

    /// Takes the next word if it is this keyword, in upper or lower case; returns whether it was.
    pub fn take_keyword(&mut self, keyword: &str) -> bool {
        let is_match = self.peek().is_some_and(|w| w.eq_ignore_ascii_case(keyword.as_bytes()));
        self.at += usize::from(is_match);
        is_match
    }
}

/// Parses a word as a float. Fails with `InvalidArgument` if it isn't one.
pub fn float_of(word: &[u8]) -> Result<f64> {
    parse_float(word).ok_or_else(|| Error::invalid(word))
}

/// Parses a word as the precision of a geohash, 1 to 12. Fails with `InvalidArgument`.
pub fn precision_of(word: &[u8]) -> Result<usize> {
    match parse_int(word) {
        Some(precision @ 1..=12) => Ok(precision as usize),
        _ => Err(Error::invalid(word)),
    }
}
