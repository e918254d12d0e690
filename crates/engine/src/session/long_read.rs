//! A read that was begun by a session and runs on a snapshot in another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use super::reply_frame::ReplyFrame;
use super::{Clock, DenialContext, DeniedRequest};
use crate::access::{Denial, Rights};
use crate::call::{Budget, Call};
use crate::commands::ReadFunction;
use crate::counters::ErrorCounters;
use crate::keyspace::Keyspace;
use crate::reply::Output;
use crate::request::Arguments;

/// A read that exceeded its budget of work, with a snapshot and the frame of its reply.
pub struct LongRead {
    pub(super) keyspace: Keyspace,
    pub(super) function: ReadFunction,
    pub(super) args: Vec<Vec<u8>>,
    pub(super) skip: usize,
    pub(super) output: Output,
    pub(super) frame: ReplyFrame,
    pub(super) now_ns: i64,
    pub(super) timeout_ns: Option<u64>,
    /// The rights of the user; `None` if it may do everything.
    pub(super) rights: Option<Arc<Rights>>,
    pub(super) user: Box<[u8]>,
    pub(super) error_counters: Arc<ErrorCounters>,
    pub(super) is_cancelled: AtomicBool,
    pub(super) is_script: bool,
}

impl LongRead {
    /// Returns the request without the prefix TIMEOUT.
    pub fn args(&self) -> &[Vec<u8>] {
        self.args.get(self.skip..).unwrap_or_default()
    }

    /// Returns whether the read runs a script, or one for each object, which may take long.
    pub fn runs_scripts(&self) -> bool {
        let is_test = |word: &Vec<u8>| {
            word.eq_ignore_ascii_case(b"WHEREEVAL") || word.eq_ignore_ascii_case(b"WHEREEVALSHA")
        };
        self.is_script || self.args.iter().any(is_test)
    }

    /// Lets the read end soon: nobody waits for its reply.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Runs the read and returns its framed reply.
    pub fn run(&self, clock: Clock) -> Vec<u8> {
        self.run_reporting(clock).0
    }

    /// Runs the read. Returns its framed reply, and the calls of a script that were refused for
    /// want of a right.
    pub fn run_reporting(&self, clock: Clock) -> (Vec<u8>, Vec<DeniedRequest>) {
        let started = if self.frame.started_ns > 0 { self.frame.started_ns } else { clock() };
        let stopwatch = || clock().saturating_sub(started);
        let mut arguments = Arguments::default();
        arguments.assign(&self.args);
        let args = arguments.view(&[]);
        let mut body = Vec::new();
        let mut budget = Budget::new(u64::MAX, &stopwatch)
            .with_deadline(self.timeout_ns)
            .with_cancellation(&self.is_cancelled);
        let mut call = Call {
            args: args.skip(self.skip),
            output: self.output,
            protocol: self.frame.protocol,
            now_ns: self.now_ns,
            is_out_of_memory: false,
            is_replayed: false,
            out: &mut body,
            budget: &mut budget,
            live: None,
            script: None,
            rights: self.rights.as_deref(),
            denied: Vec::new(),
        };
        let result =
            (self.function)(&self.keyspace, &mut call).and_then(|()| call.budget.check_deadline());
        let denied = call.denied.into_iter().map(|denial| self.denied_request(denial)).collect();
        let frame = ReplyFrame { started_ns: started, ..self.frame.clone() };
        let mut out = Vec::new();
        match result {
            Ok(()) => frame.write_ok(&mut out, self.output, &body, clock),
            Err(error) => {
                self.error_counters.note(&error);
                frame.write_error(&mut out, self.output, &error, clock);
            }
        }
        (out, denied)
    }

    fn denied_request(&self, denial: Denial) -> DeniedRequest {
        DeniedRequest { denial, context: DenialContext::Script, user: self.user.to_vec() }
    }
}
