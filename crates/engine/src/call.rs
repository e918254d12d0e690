//! One command being run: its arguments, where its reply goes, and how much it may cost.

use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::json;
use crate::number::{parse_float, parse_int};
use crate::reply::{self, Output};
use crate::request::Args;

/// Tells the time since the request began, in nanoseconds. Passed in: the engine has no clock.
pub type Stopwatch<'a> = &'a dyn Fn() -> u64;

/// How many units of work lie between two looks at the deadline.
const WORK_PER_DEADLINE_CHECK: u64 = 256;

/// How much a read may cost before it is handed over, and until when it must have ended.
pub struct Budget<'a> {
    work_left: u64,
    work_until_check: u64,
    deadline_ns: Option<u64>,
    stopwatch: Stopwatch<'a>,
}

impl<'a> Budget<'a> {
    /// A budget of so many units of work (an object looked at is one, a vertex compared is less).
    pub fn new(work: u64, stopwatch: Stopwatch<'a>) -> Self {
        Budget {
            work_left: work,
            work_until_check: WORK_PER_DEADLINE_CHECK,
            deadline_ns: None,
            stopwatch,
        }
    }

    /// The same with a deadline, in nanoseconds since the request began.
    #[must_use]
    pub fn with_deadline(mut self, deadline_ns: Option<u64>) -> Self {
        self.deadline_ns = deadline_ns;
        self
    }

    /// Accounts for work; fails when there is none left, or at the deadline.
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

    /// Units of work that are left.
    pub fn work_left(&self) -> u64 {
        self.work_left
    }

    /// Fails if the deadline has passed.
    pub fn check_deadline(&self) -> Result<()> {
        match self.deadline_ns {
            Some(deadline_ns) if (self.stopwatch)() >= deadline_ns => Err(Error::Timeout),
            _ => Ok(()),
        }
    }
}

/// What a command changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the log doesn't hear of it.
    Nothing,
    /// Something: the command goes to the log as it was received.
    Changed,
}

/// One command being run.
pub struct Call<'a, 'b> {
    /// The arguments; the first is the command's name.
    pub args: Args<'a>,
    /// The format of the reply.
    pub output: Output,
    /// Nanoseconds since 1970.
    pub now_ns: i64,
    /// Whether memory above the limit is in use.
    pub is_out_of_memory: bool,
    /// The reply: RESP bytes, or the members of the JSON object.
    pub out: &'b mut Vec<u8>,
    /// What it may cost.
    pub budget: &'b mut Budget<'a>,
    /// The fence that a search with FENCE asks for, in place of a reply.
    pub live: Option<Box<Fence>>,
}

impl<'a> Call<'a, '_> {
    /// Whether the reply is JSON.
    pub fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// Plain success.
    pub fn reply_ok(&mut self) {
        if !self.is_json() {
            self.out.extend_from_slice(b"+OK\r\n");
        }
    }

    /// Nil in RESP, the error in JSON.
    pub fn reply_missing(&mut self, error: Error) -> Result<()> {
        if self.is_json() {
            return Err(error);
        }
        self.out.extend_from_slice(reply::NIL);
        Ok(())
    }

    /// An integer in RESP, plain success in JSON.
    pub fn reply_count(&mut self, count: usize) {
        if !self.is_json() {
            reply::write_integer(self.out, count as i64);
        }
    }

    /// An integer in RESP, a boolean member in JSON.
    pub fn reply_flag(&mut self, name: &str, flag: bool) {
        if self.is_json() {
            let text: &[u8] = if flag { b"true" } else { b"false" };
            self.write_member(name, |out| out.extend_from_slice(text));
        } else {
            reply::write_integer(self.out, i64::from(flag));
        }
    }

    /// Appends `,"name":` and what the closure writes.
    pub fn write_member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        write(self.out);
    }

    /// Appends `,"name":"text"` by the short encoder.
    pub fn write_text_member(&mut self, name: &str, text: &[u8]) {
        self.write_member(name, |out| json::write_short(out, text));
    }

    /// The words behind the name.
    pub fn words(&self) -> Words<'a> {
        Words { args: self.args, at: 1 }
    }
}

/// Arguments read one after the other.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    args: Args<'a>,
    at: usize,
}

impl<'a> Words<'a> {
    /// All of the arguments.
    pub fn new(args: Args<'a>) -> Self {
        Words { args, at: 0 }
    }

    /// The arguments that are left.
    pub fn rest(&self) -> Args<'a> {
        self.args.skip(self.at)
    }

    /// The next word without taking it.
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.args.get(self.at)
    }

    /// The word that many places ahead.
    pub fn peek_at(&self, ahead: usize) -> Option<&'a [u8]> {
        self.args.get(self.at + ahead)
    }

    /// How many words are left.
    pub fn left(&self) -> usize {
        self.args.len().saturating_sub(self.at)
    }

    /// Passes over words.
    pub fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// The next word; an arity error at the end.
    pub fn next_word(&mut self) -> Result<&'a [u8]> {
        let word = self.peek().ok_or(Error::WrongArity)?;
        self.at += 1;
        Ok(word)
    }

    /// The next word; an empty one counts as missing.
    pub fn next_filled(&mut self) -> Result<&'a [u8]> {
        match self.next_word()? {
            b"" => Err(Error::WrongArity),
            word => Ok(word),
        }
    }

    /// The next word if it is this keyword, in any case.
    pub fn take_keyword(&mut self, keyword: &str) -> bool {
        let is_match = self.peek().is_some_and(|w| w.eq_ignore_ascii_case(keyword.as_bytes()));
        self.at += usize::from(is_match);
        is_match
    }

    /// The next word as a float.
    pub fn next_float(&mut self) -> Result<f64> {
        float_of(self.next_word()?)
    }
}

/// A word as a float; `invalid argument` if it isn't one.
pub fn float_of(word: &[u8]) -> Result<f64> {
    parse_float(word).ok_or_else(|| Error::invalid(word))
}

/// A word as a precision of geohashes, 1 to 12.
pub fn precision_of(word: &[u8]) -> Result<usize> {
    match parse_int(word) {
        Some(precision @ 1..=12) => Ok(precision as usize),
        _ => Err(Error::invalid(word)),
    }
}
