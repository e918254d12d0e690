//! The session of a connection: it takes received bytes, runs the complete requests, and returns
//! replies, log bytes, and the work that only the driver can do. It keeps incomplete requests and
//! the connection's format of replies.

mod admission;
mod admits;
mod batch;
mod command_timer;
mod connection;
mod large_write;
mod live;
mod monitor;
mod packing;
mod placement;
mod read_ahead;
mod read_unit;
mod refusals;
mod reply_frame;
mod request;
mod requires_resp;
mod script_context;
mod swallowed_words;
mod transaction;

pub use admission::{DenialContext, DeniedRequest};
pub use batch::{Batch, Stop};
pub use command_timer::{truncate_arguments, SlowCommand};
pub use large_write::{LargeWrite, LARGE_WRITE_BYTES_MIN};
pub(crate) use monitor::quoted;
pub use placement::Placement;
pub use read_unit::{Progress, ReadUnit, SliceLimits};
pub(crate) use request::Prefix;
pub use request::Request;

use allocator_api2::alloc::System;
use command_timer::CommandTimer;
use packing::Packing;
use placement::ReadCosts;
use read_ahead::ReadAhead;
use reply_frame::ReplyFrame;
use script_context::context_of;
use transaction::Transaction;

use crate::access::SessionUser;
use crate::call::{Budget, Call, Effect, ParsedText};
use crate::commands::record::Flags;
use crate::commands::table::{Found, Runner};
use crate::commands::{Command, SessionFunction};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::reply::{Framing, Output};
use crate::request::{Arguments, Parsed};
use crate::shared_bytes::SharedBytes;

/// Units of work of a read before it is handed to another thread: about two milliseconds.
pub const READ_WORK_MAX: u64 = 10_000;
/// Units of work of a batch before it yields to other connections; further requests stay buffered.
pub const BATCH_WORK_MAX: u64 = 20_000;
/// Reply bytes of one batch after which the session yields: a client that doesn't read its replies
/// must not have more of them made.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// The least units of work of a command.
const COMMAND_WORK: u64 = 5;

/// Incomplete requests. The system's allocator gives large ones pages of 4 KB, which are cleared
/// one by one as bytes arrive; clearing a huge page at once would hold up other connections.
type RequestBuffer = allocator_api2::vec::Vec<u8, System>;

/// A monotonic clock in nanoseconds, passed in.
pub type Clock<'c> = &'c dyn Fn() -> u64;

/// Returns the commands that sessions run themselves.
pub fn commands() -> impl Iterator<Item = &'static Command<SessionFunction>> {
    connection::COMMANDS.iter().chain(transaction::COMMANDS)
}

/// A connection's state.
pub struct Session {
    buffer: RequestBuffer,
    position: usize,
    needed: usize,
    read_ahead: ReadAhead,
    output: Option<Output>,
    is_plain: bool,
    starts_in_json: bool,
    /// Whether the client understands only RESP, whatever its output is.
    requires_resp: bool,
    has_answered: bool,
    frame: ReplyFrame,
    /// The flags of the last command.
    flags: Flags,
    timer: CommandTimer,
    transaction: Transaction,
    /// The geometry of the large write that is being applied.
    parsed_text: Option<ParsedText>,
    /// The bytes of the large write that is being applied.
    large_request: Option<SharedBytes>,
    /// Whether the present command is one of EXEC's.
    is_in_exec: bool,
    /// The number of complete requests received, refused ones included.
    pub request_count: u64,
    /// Whether the client has authenticated.
    is_authenticated: bool,
    /// The user, whose rights every request needs.
    user: SessionUser,
    /// Whether every request is the driver's: the connection listens to something.
    pub is_live: bool,
    /// The unit that gets the reads that are received.
    packing: Option<Packing>,
    /// The unit that has more reads to run before any other request.
    unfinished: Option<Box<ReadUnit>>,
    /// The durations of reads that may run in units.
    costs: ReadCosts,
    /// Whether the present command is in the unit, to run elsewhere.
    is_packed: bool,
    /// Whether the present command is a read that may run in units.
    is_costed: bool,
}

impl Session {
    /// A connection. `is_plain` gives bare payloads without framing, in JSON unless told; without
    /// an output the first request decides.
    pub fn new(is_plain: bool, output: Option<Output>) -> Self {
        Session {
            buffer: RequestBuffer::new_in(System),
            position: 0,
            needed: 0,
            read_ahead: ReadAhead::default(),
            output: if is_plain { Some(Output::Json) } else { output },
            is_plain,
            starts_in_json: output == Some(Output::Json),
            requires_resp: false,
            has_answered: false,
            frame: ReplyFrame::default(),
            flags: Flags::empty(),
            timer: CommandTimer::default(),
            transaction: Transaction::default(),
            parsed_text: None,
            large_request: None,
            is_in_exec: false,
            request_count: 0,
            is_authenticated: false,
            user: SessionUser::default(),
            is_live: false,
            packing: None,
            unfinished: None,
            costs: ReadCosts::default(),
            is_packed: false,
            is_costed: false,
        }
    }

    /// The output that replies have now.
    pub fn output(&self) -> Output {
        self.output.unwrap_or(Output::Resp)
    }

    /// Returns whether EXEC has commands yet to run, so that no other connection may run any.
    pub fn is_in_transaction(&self) -> bool {
        self.transaction.is_running()
    }

    /// How the last request was written; `None` for one that came as words.
    pub fn framing(&self) -> Option<Framing> {
        self.frame.framing
    }

    /// Whether the status code of an HTTP reply tells the failure of the last command.
    pub fn fails_by_status(&self) -> bool {
        self.flags.contains(Flags::HTTP_STATUS)
    }

    /// Bytes that wait for more.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.position
    }

    /// Takes bytes and runs as many requests as are complete.
    pub fn feed(&mut self, engine: &mut Engine, data: &[u8], now_ns: i64, clock: Clock) -> Batch {
        let mut batch = Batch::for_requests(data.len());
        self.timer.start_batch(clock());
        if let Some(unit) = self.unfinished.take() {
            self.buffer.extend_from_slice(data);
            batch.stop = Some(Stop::Reads(unit));
            return batch;
        }
        if self.transaction.is_running() {
            self.run_transaction(engine, now_ns, clock, &mut batch);
        }
        if self.position == self.buffer.len() {
            self.buffer.clear();
            self.position = 0;
            let used = self.run_all(engine, data, now_ns, clock, &mut batch);
            if matches!(batch.stop, Some(Stop::LargeWrite(_))) {
                self.buffer.extend_from_slice(data);
                self.position = used;
            } else {
                self.buffer.extend_from_slice(&data[used..]);
            }
        } else {
            self.reserve();
            self.buffer.extend_from_slice(data);
            if self.buffered() < self.needed {
                return batch;
            }
            let buffer = std::mem::replace(&mut self.buffer, RequestBuffer::new_in(System));
            let unread = &buffer[self.position..];
            self.position += self.run_all(engine, unread, now_ns, clock, &mut batch);
            self.buffer = buffer;
            if !matches!(batch.stop, Some(Stop::LargeWrite(_))) {
                self.compact();
            }
        }
        self.detach(&mut batch);
        if let Some(Stop::Http(rest)) = &mut batch.stop {
            rest.extend_from_slice(&self.buffer[self.position..]);
            self.buffer = RequestBuffer::new_in(System);
            self.position = 0;
        }
        self.finish(engine, &mut batch, clock);
        batch
    }

    /// Removes the requests that were run from the buffer.
    fn compact(&mut self) {
        if self.position == self.buffer.len() {
            self.buffer = RequestBuffer::new_in(System);
            self.position = 0;
        } else if self.position > self.buffer.len() / 2 {
            self.buffer.drain(..self.position);
            self.position = 0;
        }
    }

    /// Runs one request that came as words.
    pub fn run_words<T: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        words: &[T],
        now_ns: i64,
        clock: Clock,
    ) -> Batch {
        let mut batch = Batch::default();
        self.timer.start_batch(clock());
        let mut arguments = Arguments::default();
        let request = Request::of_words(words, &mut arguments, now_ns, clock);
        if !request.args.is_empty() {
            let found = engine.table.find(request.args);
            self.run_one(engine, &request, found, &mut batch);
        }
        self.finish(engine, &mut batch, clock);
        batch
    }

    /// Runs requests until one is incomplete or something stops them; how many bytes were used.
    fn run_all(
        &mut self,
        engine: &mut Engine,
        bytes: &[u8],
        now_ns: i64,
        clock: Clock,
        batch: &mut Batch,
    ) -> usize {
        let mut read_ahead = std::mem::take(&mut self.read_ahead);
        // The size of an earlier incomplete request must not delay the requests behind a stop.
        self.needed = 0;
        let mut used = 0;
        let mut work = 0;
        let mut is_complete = true;
        while is_complete && batch.stop.is_none() {
            read_ahead.parse(&bytes[used..], engine);
            for next in read_ahead.requests() {
                let rest = &bytes[used..];
                if self.packing.is_some() && !self.joins_unit(engine, next, rest) {
                    batch.stop = self.end_packing();
                }
                match next.parsed {
                    // Requests after a stop are parsed again later.
                    _ if batch.stop.is_some() => break,
                    Parsed::Request { framing, end } => {
                        used += end;
                        let args = next.arguments.view(rest);
                        if args.is_empty() {
                            continue;
                        }
                        let request = Request::received(args, rest, (framing, end), now_ns, clock);
                        work += COMMAND_WORK + self.run_one(engine, &request, next.found, batch);
                        self.run_transaction(engine, now_ns, clock, batch);
                        if used < bytes.len() && self.is_slice_over(work, batch) {
                            batch.stop = Some(Stop::Yield);
                        }
                    }
                    Parsed::Incomplete { needed } => {
                        is_complete = !self.may_arrive(needed, engine, rest, clock, batch);
                        used = if is_complete { bytes.len() } else { used };
                    }
                    Parsed::Http => {
                        batch.stop = Some(Stop::Http(rest.to_vec()));
                        used = bytes.len();
                    }
                    Parsed::Malformed(ref text) => {
                        self.refuse(text, batch);
                        used = bytes.len();
                    }
                }
            }
        }
        read_ahead.release_memory();
        self.read_ahead = read_ahead;
        used
    }

    /// Returns whether other connections have to run before the next request. A unit that is being
    /// packed ends first.
    fn is_slice_over(&self, work: u64, batch: &Batch) -> bool {
        let is_enough = work > BATCH_WORK_MAX || batch.replies.len() > BATCH_BYTES_MAX;
        is_enough && self.packing.is_none() && batch.stop.is_none()
    }

    /// Sets the output format by the first request, unless something else has set it.
    fn choose_output(&mut self, framing: Framing) {
        let is_native = framing == Framing::Native;
        self.output.get_or_insert(if is_native { Output::Json } else { Output::Resp });
    }

    /// Lets the replies that follow be framed as a request wants.
    fn prepare_frame(&mut self, request: &Request) {
        self.choose_output(request.framing);
        let is_timed = self.output() == Output::Json;
        self.frame.framing = (!self.is_plain).then_some(request.framing);
        self.frame.word.clear();
        self.frame.word.extend_from_slice(request.args.at(0));
        self.frame.started_ns = if is_timed { (request.clock)() } else { 0 };
    }

    /// Runs one request; returns the work that it took.
    fn run_one(
        &mut self,
        engine: &mut Engine,
        request: &Request,
        found: Option<Found>,
        batch: &mut Batch,
    ) -> u64 {
        if self.is_large_write(engine, request, found) {
            batch.stop = Some(Self::stop_at_large_write(engine, request));
            return 0;
        }
        self.request_count += 1;
        self.prepare_frame(request);
        let mut work = 0;
        if self.is_live {
            self.hand_out(engine, request, found, batch);
            return work;
        }
        engine.counters.commands_processed += 1;
        self.timer.start_command(found.map(|found| engine.table.record(found).series));
        (self.is_packed, self.is_costed) = (false, false);
        let is_queued = self.transaction.is_queueing()
            && !engine.table.flags(found).contains(Flags::MULTI_CONTROL);
        let result = if is_queued {
            self.queue(engine, request, found, batch)
        } else {
            self.dispatch(engine, request, found, batch, &mut work)
        };
        if let Err(error) = result {
            let error = self.note_denial(error, batch);
            engine.error_counters.note(&error);
            let error = self.explain(error, request);
            self.frame.write_error(&mut batch.replies, self.output(), &error, request.clock);
        }
        let is_elsewhere = matches!(batch.stop, Some(Stop::Command { .. } | Stop::Reads(_)));
        if !is_elsewhere && !self.is_packed {
            let slow_ns = engine.timing.slow_ns;
            let slow =
                self.timer.end_command(request.args, request.is_last, slow_ns, request.clock);
            batch.slow.extend(slow);
            if self.is_costed {
                self.costs.note(self.timer.last_ns());
            }
        }
        if self.packing.is_some() {
            self.move_replies(batch);
        }
        self.has_answered |= request.framing != Framing::Native;
        work
    }

    /// Runs the command of a request if the gates let it pass.
    fn dispatch(
        &mut self,
        engine: &mut Engine,
        request: &Request,
        found: Option<Found>,
        batch: &mut Batch,
        work: &mut u64,
    ) -> Result<()> {
        let (prefix, found) = self.admit(engine, request, found)?;
        let words = usize::from(found.words);
        match engine.table.runner(found) {
            Runner::Data(command) => {
                let args = prefix.args.skip(words - 1); // from the name's last word on
                let prefix_of_data = Prefix { args, ..prefix };
                let may_leave = !command.facts.flags.contains(Flags::BRIEF);
                if (may_leave || self.packing.is_some())
                    && self.pack(engine, found, &prefix_of_data, request, batch)?
                {
                    return Ok(());
                }
                let result = self.run_data(engine, command, &prefix_of_data, request, batch);
                if engine.is_monitored && !matches!(result, Err(Error::WrongArity | Error::Timeout))
                {
                    batch.monitored.push((false, quoted(prefix.args, words)));
                }
                *work += result?;
            }
            Runner::Session(function) => {
                if !engine.table.record(found).facts.arity.allows(prefix.args.len()) {
                    self.transaction.refuse();
                    return Err(Error::WrongArity);
                }
                return function(self, engine, &Request { args: prefix.args, ..*request }, batch);
            }
            Runner::Server => {
                let (record, args) = (engine.table.record(found), prefix.args.skip(words));
                if !record.allows(args.len()) {
                    return Err(Error::WrongArity);
                }
                let flags = record.facts.flags;
                self.note_server_command(flags, request);
                let is_shown = engine.is_monitored && !flags.contains(Flags::HIDDEN);
                let shown = is_shown.then(|| quoted(prefix.args, words));
                batch.stop =
                    Some(Stop::at_command(record.name.clone(), args, shown.unwrap_or_default()));
            }
        }
        Ok(())
    }

    fn run_data(
        &mut self,
        engine: &mut Engine,
        command: &Command,
        prefix: &Prefix,
        request: &Request,
        batch: &mut Batch,
    ) -> Result<u64> {
        let clock = request.clock;
        let script = context_of(engine, command, prefix.timeout_ns, self.is_in_exec);
        let (work_max, deadline_ns) = self.limits(engine, script.as_deref(), prefix.timeout_ns);
        let started = self.frame.start(deadline_ns.is_some() || script.is_some(), clock);
        let stopwatch = || clock().saturating_sub(started);
        let is_direct = self.output() == Output::Resp && request.framing != Framing::Native;
        let mut budget = Budget::new(work_max, &stopwatch).with_deadline(deadline_ns);
        let rights = self.user.rights(&engine.users).cloned();
        let (mut members, start) = (Vec::new(), batch.replies.len());
        let mut call = Call {
            args: prefix.args,
            output: self.output(),
            protocol: self.frame.protocol,
            now_ns: request.now_ns,
            is_out_of_memory: engine.state.is_out_of_memory,
            is_replayed: false,
            out: if is_direct { &mut batch.replies } else { &mut members },
            budget: &mut budget,
            live: None,
            script,
            rights: rights.as_deref(),
            denied: Vec::new(),
            parsed_text: self.parsed_text.take(),
        };
        let result = engine.run(command, &mut call);
        let (live, script, denied) = (call.live.take(), call.script.take(), call.denied);
        self.note_calls(engine, script, batch);
        let work = work_max - budget.work_left();
        batch.add_denied_calls(denied, self.user.name());
        match result {
            Ok(_) if live.is_some() => self.open_live(engine, live, request, batch).map(|()| work),
            Ok(effect) => {
                if !is_direct {
                    self.frame.write_ok(&mut batch.replies, self.output(), &members, clock);
                }
                if effect == Effect::Changed {
                    self.note_write(engine, request, batch);
                }
                Ok(work)
            }
            Err(error) => {
                batch.replies.truncate(start);
                // Without a limit of work, a script that tests an object is over its own.
                if error != Error::OverBudget || work_max == u64::MAX {
                    return Err(error);
                }
                batch.stop = self.long_read(engine, command, prefix, request, (started, work_max));
                Ok(work)
            }
        }
    }

    /// The reply of the command at which the session stopped: RESP bytes or JSON members,
    /// whichever the output wants.
    pub fn answer(&self, resp: &[u8], members: &[u8], clock: Clock) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_answer(&mut out, resp, members, clock);
        out
    }

    /// Appends a reply: RESP bytes or JSON members, whichever the output wants.
    fn write_answer(&self, out: &mut Vec<u8>, resp: &[u8], members: &[u8], clock: Clock) {
        let body = if self.output() == Output::Resp { resp } else { members };
        self.frame.write_ok(out, self.output(), body, clock);
    }

    /// The error of the command at which the session stopped.
    pub fn fail(&self, error: &Error, clock: Clock) -> Vec<u8> {
        let mut out = Vec::new();
        self.frame.write_error(&mut out, self.output(), error, clock);
        out
    }
}

#[cfg(test)]
mod tests;
