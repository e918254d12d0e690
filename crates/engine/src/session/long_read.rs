//! A read on a snapshot: what is needed to run it on another thread and to frame its reply.

use super::reply_format::ReplyFormat;
use super::Clock;
use crate::call::{Budget, Call};
use crate::commands::ReadFunction;
use crate::keyspace::Keyspace;
use crate::reply::Output;
use crate::request::{Arguments, Framing};

/// A read that takes long, on a snapshot; to be run on another thread.
pub struct LongRead {
    pub(super) keyspace: Keyspace,
    pub(super) function: ReadFunction,
    pub(super) args: Vec<Vec<u8>>,
    pub(super) skip: usize,
    pub(super) output: Output,
    pub(super) framing: Option<Framing>,
    pub(super) now_ns: i64,
    pub(super) started_ns: u64,
    pub(super) timeout_ns: Option<u64>,
}

impl LongRead {
    /// The request, behind its TIMEOUT if it has one.
    pub fn args(&self) -> &[Vec<u8>] {
        self.args.get(self.skip..).unwrap_or_default()
    }

    /// Runs the read; the framed reply.
    pub fn run(&self, clock: Clock) -> Vec<u8> {
        let started = if self.started_ns > 0 { self.started_ns } else { clock() };
        let stopwatch = || clock().saturating_sub(started);
        let mut arguments = Arguments::default();
        arguments.assign(&self.args);
        let args = arguments.view(&[]);
        let mut body = Vec::new();
        let mut budget = Budget::new(u64::MAX, &stopwatch).with_deadline(self.timeout_ns);
        let mut call = Call {
            args: args.skip(self.skip),
            output: self.output,
            now_ns: self.now_ns,
            is_out_of_memory: false,
            out: &mut body,
            budget: &mut budget,
            live: None,
        };
        let result =
            (self.function)(&self.keyspace, &mut call).and_then(|()| call.budget.check_deadline());
        let format = ReplyFormat {
            output: self.output,
            framing: self.framing,
            word: args.at(0),
            started_ns: started,
        };
        match result {
            Ok(()) => format.answer(&body, &body, clock),
            Err(error) => format.fail(&error, clock),
        }
    }
}
