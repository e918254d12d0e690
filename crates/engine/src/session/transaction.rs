//! Transactions: MULTI queues the commands that follow, EXEC runs them with nothing between them.
//! WATCH makes EXEC depend on keys that nobody has changed since.
//!
//! Commands are checked when they are queued; a command that can't be queued makes EXEC refuse the
//! whole transaction. A queued command that fails when it runs doesn't stop the others, as in
//! Redis.

use std::collections::VecDeque;

use super::connection::command;
use super::request::{Prefix, Request};
use super::{Batch, Clock, Session};
use crate::call::Words;
use crate::commands::record::{Arity, Flags, Keys};
use crate::commands::table::Found;
use crate::commands::{Command, SessionFunction};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::query::options::Options;
use crate::reply::{self, Framing};
use crate::request::{Args, Arguments};
use crate::transaction_log::TransactionLog;

/// The most bytes of arguments that a connection may queue.
const QUEUED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most commands that a connection may queue.
const QUEUED_COMMANDS_MAX: usize = 1024 * 1024;
/// The most keys that a connection may watch.
const WATCHED_KEYS_MAX: usize = 1024;

const ABORTED: &str = "EXECABORT Transaction discarded because of previous errors.";

/// Flags of commands that can't be queued: they take the connection over, or others' time.
const NOT_QUEUED: Flags = Flags::BLOCKING.union(Flags::SUBSCRIBES).union(Flags::NO_MULTI);
/// The flags of the commands of this file.
const CONTROL: Flags = QUEUED.union(Flags::MULTI_CONTROL);
const QUEUED: Flags = Flags::NO_TIMEOUT.union(Flags::NO_HTTP).union(Flags::BRIEF);

/// The records of these commands.
pub(super) const COMMANDS: &[Command<SessionFunction>] = &[
    command("MULTI", Arity::Exactly(1), multi, "", "Queue the commands that follow until EXEC")
        .with(CONTROL),
    command(
        "EXEC",
        Arity::Exactly(1),
        exec,
        "",
        "Run the queued commands with nothing between them",
    )
    .with(CONTROL),
    command("DISCARD", Arity::Exactly(1), discard, "", "Forget the queued commands").with(CONTROL),
    command(
        "WATCH",
        Arity::AtLeast(2),
        watch,
        "key...",
        "Let EXEC run only if nobody has changed the keys",
    )
    .with(CONTROL)
    .keys(Keys::All),
    command("UNWATCH", Arity::Exactly(1), unwatch, "", "Forget the watched keys").with(QUEUED),
];

/// The transaction of a session.
#[derive(Default)]
pub(super) struct Transaction {
    /// The commands since MULTI; `None` outside.
    queue: Option<Queue>,
    /// The commands that EXEC has yet to run.
    running: VecDeque<Vec<Vec<u8>>>,
    /// The writes of the commands of EXEC that have run.
    pub log: TransactionLog,
    /// Watched keys, and the version that each had; `None` for one that didn't exist.
    watched: Vec<(Vec<u8>, Option<u64>)>,
}

#[derive(Default)]
struct Queue {
    commands: VecDeque<Vec<Vec<u8>>>,
    bytes: usize,
    /// Whether a command was refused, so that EXEC refuses all.
    is_broken: bool,
}

impl Transaction {
    /// Forgets the queued commands and the watched keys.
    pub fn forget(&mut self) {
        *self = Transaction::default();
    }

    /// Makes EXEC refuse the transaction, if there is one.
    pub fn refuse(&mut self) {
        if let Some(queue) = &mut self.queue {
            queue.is_broken = true;
        }
    }

    /// Returns whether commands are queued instead of run.
    #[inline]
    pub fn is_queueing(&self) -> bool {
        self.queue.is_some()
    }

    /// Returns whether EXEC has commands yet to run.
    #[inline]
    pub fn is_running(&self) -> bool {
        !self.running.is_empty()
    }
}

impl Session {
    /// Queues a request, or refuses it and with it the transaction.
    pub(super) fn queue(
        &mut self,
        engine: &Engine,
        request: &Request,
        found: Option<Found>,
        batch: &mut Batch,
    ) -> Result<()> {
        let result = self.check_queued(engine, request, found);
        let Some(queue) = &mut self.transaction.queue else { return Ok(()) };
        queue.bytes += request.args.iter().map(|word| word.len() + 32).sum::<usize>();
        let is_full = queue.bytes > QUEUED_BYTES_MAX || queue.commands.len() >= QUEUED_COMMANDS_MAX;
        if let Err(error) = result {
            queue.is_broken = true;
            return Err(error);
        }
        if is_full {
            queue.is_broken = true;
            queue.commands = VecDeque::new();
            return Err(Error::text("ERR the transaction is too large"));
        }
        queue.commands.push_back(request.args.iter().map(<[u8]>::to_vec).collect());
        let members = b",\"queued\":true";
        self.write_answer(&mut batch.replies, b"+QUEUED\r\n", members, request.clock);
        Ok(())
    }

    /// Runs commands as one transaction: each has a reply, behind a line end. If one is refused, as
    /// it would be by MULTI, none runs.
    pub fn run_atomically(
        &mut self,
        engine: &mut Engine,
        commands: Vec<Vec<Vec<u8>>>,
        now_ns: i64,
        clock: Clock,
    ) -> Batch {
        let mut batch = Batch::default();
        self.timer.start_batch(clock());
        let (mut errors, mut is_broken) = (Vec::with_capacity(commands.len()), false);
        for words in &commands {
            let mut arguments = Arguments::default();
            let request = Request::of_words(words, &mut arguments, now_ns, clock);
            self.prepare_frame(&request);
            let found = engine.table.find(request.args);
            let error = self.check_queued(engine, &request, found).err();
            is_broken |= error.is_some();
            errors.push(error);
        }
        if is_broken {
            engine.counters.transactions_refused += 1;
            for error in errors {
                let error = error.unwrap_or_else(|| Error::text(ABORTED));
                engine.error_counters.note(&error);
                batch.replies.push(b'\n');
                self.frame.write_error(&mut batch.replies, self.output(), &error, clock);
            }
        } else {
            engine.counters.transactions_run += 1;
            self.transaction.running = commands.into();
            self.run_transaction(engine, now_ns, clock, &mut batch);
        }
        self.finish(engine, &mut batch, clock);
        batch
    }

    /// Passes a request through the gates and checks its arity.
    fn check_queued(
        &mut self,
        engine: &Engine,
        request: &Request,
        found: Option<Found>,
    ) -> Result<()> {
        let (Prefix { args, .. }, found) = self.admit(engine, request, found)?;
        let record = engine.table.record(found);
        let is_search = record.facts.keys == Keys::Search;
        if record.facts.flags.intersects(NOT_QUEUED) || (is_search && is_live(engine, args)) {
            return Err(Error::text("ERR Command not allowed inside a transaction"));
        }
        if !record.allows(args.len() - usize::from(found.words)) {
            return Err(Error::WrongArity);
        }
        Ok(())
    }

    /// Runs the commands of EXEC until one needs the server, or all have run.
    pub(super) fn run_transaction(
        &mut self,
        engine: &mut Engine,
        now_ns: i64,
        clock: Clock,
        batch: &mut Batch,
    ) {
        while batch.stop.is_none() {
            let Some(words) = self.transaction.running.pop_front() else { return };
            let is_last = self.transaction.running.is_empty();
            let mut arguments = Arguments::default();
            let request = Request::of_words(&words, &mut arguments, now_ns, clock);
            let request = Request { framing: Framing::Resp, is_last, ..request };
            let found = engine.table.find(request.args);
            if self.is_plain {
                batch.replies.push(b'\n');
            }
            self.is_in_exec = true;
            self.run_one(engine, &request, found, batch);
            self.is_in_exec = false;
            if is_last {
                batch.log.extend(self.transaction.log.take_marked());
            }
        }
    }

    /// Notes a request that changed data, for the log.
    pub(super) fn note_write(&mut self, engine: &mut Engine, request: &Request, batch: &mut Batch) {
        let events = engine.take_event_log();
        if self.is_in_exec {
            self.transaction.log.push(request.args);
            self.transaction.log.append(&events);
        } else if !events.is_empty() {
            let mut log = TransactionLog::default();
            log.push(request.args);
            log.append(&events);
            batch.log.extend(log.take_marked());
        } else if let Some(bytes) = self.large_request.take_if(|_| request.is_logged_unchanged()) {
            batch.large_log = Some(bytes);
        } else {
            request.write_log(&mut batch.log);
        }
    }
}

/// Returns whether a search is a live fence. `args` begins with the command's name.
fn is_live(engine: &Engine, args: Args) -> bool {
    let mut words = Words::new(args);
    words.advance(2);
    Options::ask_for_fence(&mut words, &engine.keyspace)
}

/// MULTI
fn multi(
    session: &mut Session,
    _engine: &mut Engine,
    request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    if request.framing == Framing::Native {
        return Err(Error::text("ERR MULTI needs RESP"));
    }
    if session.transaction.is_queueing() {
        return Err(Error::text("ERR MULTI calls can not be nested"));
    }
    session.transaction.queue = Some(Queue::default());
    session.write_answer(&mut batch.replies, b"+OK\r\n", b"", request.clock);
    Ok(())
}

/// EXEC. Replies with an array of the commands' replies, or nil if a watched key has changed.
fn exec(
    session: &mut Session,
    engine: &mut Engine,
    _request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    let watched = std::mem::take(&mut session.transaction.watched);
    let Some(queue) = session.transaction.queue.take() else {
        return Err(Error::text("ERR EXEC without MULTI"));
    };
    if queue.is_broken {
        engine.counters.transactions_refused += 1;
        return Err(Error::text(ABORTED));
    }
    let is_unchanged = |(key, version): &(Vec<u8>, _)| engine.keyspace.version(key) == *version;
    if !watched.iter().all(is_unchanged) {
        engine.counters.transactions_conflicting += 1;
        reply::write_nil_array(&mut batch.replies, session.protocol());
        return Ok(());
    }
    engine.counters.transactions_run += 1;
    reply::write_header(&mut batch.replies, b'*', queue.commands.len());
    session.transaction.running = queue.commands;
    Ok(())
}

/// DISCARD
fn discard(
    session: &mut Session,
    _engine: &mut Engine,
    request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    if session.transaction.queue.take().is_none() {
        return Err(Error::text("ERR DISCARD without MULTI"));
    }
    session.transaction.watched.clear();
    session.write_answer(&mut batch.replies, b"+OK\r\n", b"", request.clock);
    Ok(())
}

/// WATCH key…
fn watch(
    session: &mut Session,
    engine: &mut Engine,
    request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    if session.transaction.is_queueing() {
        return Err(Error::text("ERR WATCH inside MULTI is not allowed"));
    }
    let watched = &mut session.transaction.watched;
    for key in request.args.skip(1).iter() {
        if watched.iter().any(|(other, _)| other == key) {
            continue;
        }
        if watched.len() == WATCHED_KEYS_MAX {
            return Err(Error::text("ERR too many watched keys"));
        }
        watched.push((key.to_vec(), engine.keyspace.version(key)));
    }
    session.write_answer(&mut batch.replies, b"+OK\r\n", b"", request.clock);
    Ok(())
}

/// UNWATCH
fn unwatch(
    session: &mut Session,
    _engine: &mut Engine,
    request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    session.transaction.watched.clear();
    session.write_answer(&mut batch.replies, b"+OK\r\n", b"", request.clock);
    Ok(())
}
