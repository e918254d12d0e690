//! A read unit: consecutive reads of one session, which run on a snapshot, on any thread.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use super::command_timer::{truncate_arguments, SlowCommand};
use super::placement::{CountedUnit, UNIT_READS_MAX};
use super::reply_frame::ReplyFrame;
use super::{Clock, DenialContext, DeniedRequest, BATCH_BYTES_MAX};
use crate::access::{Denial, Rights};
use crate::call::{Budget, Call};
use crate::commands::ReadFunction;
use crate::counters::ErrorCounters;
use crate::error::{Error, Result};
use crate::helpers::Helpers;
use crate::keyspace::Keyspace;
use crate::reply::{Framing, Output, Protocol};
use crate::request::{Args, Arguments};
use crate::timing::Series;

/// Bytes of arguments above which a unit gets no further read.
const UNIT_BYTES_MAX: usize = 256 * 1024;

/// A unit of reads with a snapshot of the data. The replies stay in the order of the requests.
pub struct ReadUnit {
    /// The snapshot; `None` once all reads have run, so that the last thread frees its memory.
    keyspace: Option<Keyspace>,
    context: UnitContext,
    /// The words of all reads, one request after the other.
    arguments: Arguments,
    items: Vec<Item>,
    /// The number of items that have run.
    done_count: usize,
    /// What the unit's session has not taken yet.
    results: UnitResults,
    /// Whether its reads take long.
    is_long: bool,
    _count: CountedUnit,
}

/// The properties that all reads of a unit share.
pub(super) struct UnitContext {
    pub output: Output,
    pub protocol: Protocol,
    pub now_ns: i64,
    /// The rights of the user; `None` if it may do everything.
    pub rights: Option<Arc<Rights>>,
    pub user: Box<[u8]>,
    pub error_counters: Arc<ErrorCounters>,
    pub is_cancelled: Arc<AtomicBool>,
    /// The reading of the monotonic clock at which the unit was packed.
    pub packed_ns: u64,
    /// The least duration of a slow command.
    pub slow_ns: u64,
}

/// A read of a unit.
pub(super) struct PackedRead {
    pub function: ReadFunction,
    /// The positions of the request's words in the unit's arguments.
    pub words: Range<usize>,
    /// The number of words before the command's name: those of the prefix TIMEOUT.
    pub skip: usize,
    pub framing: Option<Framing>,
    pub timeout_ns: Option<u64>,
    pub series: Series,
    /// The reading of the clock at which the event loop began the read; 0 if it didn't.
    pub started_ns: u64,
    pub is_script: bool,
}

enum Item {
    Read(PackedRead),
    /// The reply to a request between the reads that the session has answered itself.
    Reply(Vec<u8>),
}

/// The results of the reads that have run.
#[derive(Default)]
pub(super) struct UnitResults {
    pub replies: Vec<u8>,
    /// The duration of each read in nanoseconds.
    pub durations: Vec<(Series, u64)>,
    pub slow: Vec<SlowCommand>,
    pub denied: Vec<DeniedRequest>,
}

/// The limits of one call of [`ReadUnit::run_slice`], and the threads that help with it.
#[derive(Clone, Copy)]
pub struct SliceLimits<'h> {
    /// Units of work of one read.
    pub work_max: u64,
    /// Nanoseconds after which no further read begins.
    pub slice_ns: u64,
    /// Bytes of replies above which no further read begins: the client has to take them first.
    pub reply_bytes_max: usize,
    /// Threads among which a search over many objects is split.
    pub helpers: Option<&'h dyn Helpers>,
}

impl<'h> SliceLimits<'h> {
    /// No limits.
    pub const NONE: SliceLimits<'static> =
        SliceLimits { reply_bytes_max: usize::MAX, ..SliceLimits::new(u64::MAX, u64::MAX) };

    /// Returns limits with the usual bound of reply bytes.
    pub const fn new(work_max: u64, slice_ns: u64) -> Self {
        SliceLimits { work_max, slice_ns, reply_bytes_max: BATCH_BYTES_MAX, helpers: None }
    }

    /// Returns the same limits with threads that help.
    #[must_use]
    pub fn with_helpers(self, helpers: &'h dyn Helpers) -> Self {
        SliceLimits { helpers: Some(helpers), ..self }
    }
}

/// The reason why a unit's slice has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All reads have run, or the client is lost.
    Done,
    /// The client has to take the replies before more of them are made.
    Full,
    /// The time slice is used up.
    SliceOver,
    /// The next read takes more work than allowed. It begins anew in the next slice.
    TooLong,
}

impl ReadUnit {
    pub(super) fn new(keyspace: Keyspace, context: UnitContext, count: CountedUnit) -> Self {
        let mut arguments = Arguments::default();
        arguments.start_copies();
        ReadUnit {
            keyspace: Some(keyspace),
            context,
            arguments,
            items: Vec::new(),
            done_count: 0,
            results: UnitResults::default(),
            is_long: false,
            _count: count,
        }
    }

    /// Returns whether the unit may get a further read.
    pub(super) fn has_room(&self) -> bool {
        self.items.len() < UNIT_READS_MAX && self.arguments.copied_bytes() < UNIT_BYTES_MAX
    }

    /// Adds a request. Its words become those of the read.
    pub(super) fn push(&mut self, args: Args, mut read: PackedRead) {
        let start = self.arguments.count();
        args.iter().for_each(|word| self.arguments.push_copy(word));
        read.words = start..self.arguments.count();
        self.items.push(Item::Read(read));
    }

    /// Marks the unit as one whose reads take long.
    pub(super) fn mark_long(&mut self) {
        self.is_long = true;
    }

    /// Adds the reply to a request that needs no run.
    pub(super) fn push_reply(&mut self, reply: Vec<u8>) {
        self.items.push(Item::Reply(reply));
    }

    /// Takes the results of the reads that have run.
    pub(super) fn take_results(&mut self) -> UnitResults {
        std::mem::take(&mut self.results)
    }

    /// Returns whether no read is left.
    pub fn is_done(&self) -> bool {
        self.done_count == self.items.len()
    }

    /// Returns whether its reads take long.
    pub fn is_long(&self) -> bool {
        self.is_long
    }

    /// Returns the flag that ends the unit soon: nobody waits for its replies.
    pub fn cancellation(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.context.is_cancelled)
    }

    /// Returns the requests without the prefix TIMEOUT.
    pub fn requests(&self) -> impl Iterator<Item = Args<'_>> {
        let all = self.arguments.view(&[]);
        self.items.iter().filter_map(move |item| match item {
            Item::Read(read) => Some(all.slice(read.words.clone()).skip(read.skip)),
            Item::Reply(_) => None,
        })
    }

    /// Returns whether the unit runs a script, or one for each object, which may take long.
    pub fn runs_scripts(&self) -> bool {
        let is_script = |item: &Item| matches!(item, Item::Read(read) if read.is_script);
        self.items.iter().any(is_script) || self.requests().any(runs_script_per_object)
    }

    /// Runs all reads and returns the replies.
    pub fn run(&mut self, clock: Clock) -> Vec<u8> {
        self.run_slice(SliceLimits::NONE, clock);
        std::mem::take(&mut self.results.replies)
    }

    /// Returns the bytes of memory that the results take.
    pub fn result_bytes(&self) -> usize {
        let durations = self.results.durations.capacity() * size_of::<(Series, u64)>();
        self.results.replies.capacity() + durations
    }

    /// Runs reads until none is left or a limit is reached.
    pub fn run_slice(&mut self, limits: SliceLimits, clock: Clock) -> Progress {
        let Some(keyspace) = self.keyspace.take() else { return Progress::Done };
        let progress = self.run_items(&keyspace, limits, clock);
        if progress != Progress::Done {
            self.keyspace = Some(keyspace);
        }
        progress
    }

    fn run_items(&mut self, keyspace: &Keyspace, limits: SliceLimits, clock: Clock) -> Progress {
        let begun_ns = clock();
        let mut last_ns = begun_ns;
        while let Some(item) = self.items.get(self.done_count) {
            if self.results.replies.len() > limits.reply_bytes_max {
                return Progress::Full;
            }
            if self.done_count > 0 && last_ns.saturating_sub(begun_ns) >= limits.slice_ns {
                return Progress::SliceOver;
            }
            match item {
                Item::Reply(reply) => self.results.replies.extend_from_slice(reply),
                Item::Read(read) => {
                    let args = self.arguments.view(&[]).slice(read.words.clone());
                    let run = Run { keyspace, context: &self.context, read, args, clock };
                    if run.run(limits, last_ns, &mut self.results).is_err() {
                        return Progress::TooLong;
                    }
                    let now_ns = clock();
                    self.note_duration(last_ns, now_ns);
                    last_ns = now_ns;
                }
            }
            self.done_count += 1;
            if self.context.is_cancelled.load(Ordering::Relaxed) {
                self.done_count = self.items.len();
            }
        }
        Progress::Done
    }

    /// Notes the duration of the present read.
    fn note_duration(&mut self, started_ns: u64, now_ns: u64) {
        let Some(Item::Read(read)) = self.items.get(self.done_count) else { return };
        let took_ns = now_ns.saturating_sub(started_ns);
        self.results.durations.push((read.series, took_ns));
        if took_ns >= self.context.slow_ns {
            let args = self.arguments.view(&[]).slice(read.words.clone());
            self.results.slow.push(SlowCommand {
                args: truncate_arguments(args.iter(), args.len()),
                took_ns,
                waited_ns: started_ns.saturating_sub(self.context.packed_ns),
            });
        }
    }
}

/// Returns whether a search runs a script for each object.
pub(super) fn runs_script_per_object(args: Args) -> bool {
    args.iter().any(|word| {
        word.eq_ignore_ascii_case(b"WHEREEVAL") || word.eq_ignore_ascii_case(b"WHEREEVALSHA")
    })
}

/// The run of one read.
struct Run<'a> {
    keyspace: &'a Keyspace,
    context: &'a UnitContext,
    read: &'a PackedRead,
    args: Args<'a>,
    clock: Clock<'a>,
}

impl Run<'_> {
    /// Runs the read and appends its framed reply. Fails if it takes more work than allowed; then
    /// there is no reply.
    fn run(&self, limits: SliceLimits, now_ns: u64, results: &mut UnitResults) -> Result<()> {
        let work_max = limits.work_max;
        let (context, read, clock) = (self.context, self.read, self.clock);
        let started_ns = if read.started_ns > 0 { read.started_ns } else { now_ns };
        let stopwatch = || clock().saturating_sub(started_ns);
        let mut budget = Budget::new(work_max, &stopwatch)
            .with_deadline(read.timeout_ns)
            .with_cancellation(&context.is_cancelled)
            .with_helpers(limits.helpers);
        let is_direct = context.output == Output::Resp && read.framing != Some(Framing::Native);
        let start = results.replies.len();
        let mut body = Vec::new();
        let mut call = Call {
            args: self.args.skip(read.skip),
            output: context.output,
            protocol: context.protocol,
            now_ns: context.now_ns,
            is_out_of_memory: false,
            is_replayed: false,
            out: if is_direct { &mut results.replies } else { &mut body },
            budget: &mut budget,
            live: None,
            script: None,
            rights: context.rights.as_deref(),
            denied: Vec::new(),
            parsed_text: None,
        };
        let result =
            (read.function)(self.keyspace, &mut call).and_then(|()| call.budget.check_deadline());
        let denied = call.denied.into_iter().map(|denial| self.denied_request(denial));
        if result == Err(Error::OverBudget) && work_max != u64::MAX {
            results.replies.truncate(start);
            return Err(Error::OverBudget);
        }
        results.denied.extend(denied);
        match result {
            Ok(()) if is_direct => {}
            Ok(()) => {
                self.frame(started_ns).write_ok(&mut results.replies, context.output, &body, clock);
            }
            Err(error) => {
                results.replies.truncate(start);
                context.error_counters.note(&error);
                let frame = self.frame(started_ns);
                frame.write_error(&mut results.replies, context.output, &error, clock);
            }
        }
        Ok(())
    }

    fn frame(&self, started_ns: u64) -> ReplyFrame {
        ReplyFrame {
            framing: self.read.framing,
            word: self.args.at(0).to_vec(),
            protocol: self.context.protocol,
            started_ns: if self.context.output == Output::Json { started_ns } else { 0 },
        }
    }

    fn denied_request(&self, denial: Denial) -> DeniedRequest {
        DeniedRequest { denial, context: DenialContext::Script, user: self.context.user.to_vec() }
    }
}
