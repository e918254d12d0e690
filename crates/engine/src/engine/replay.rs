//! Running the commands of a log or of a leader's stream: ungated, without replies, with hooks and
//! channels silent. Live fences aren't, since a follower's have to hear of what its leader sends.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Engine;
use crate::call::{Budget, Call, Effect, ParsedText};
use crate::commands::record::Flags;
use crate::commands::table::{Found, Runner};
use crate::commands::{Command, Function, WriteFunction};
use crate::error::{Error, Result};
use crate::parse_ahead::{zero_bytes, CommandSource};
use crate::reply::{Output, Protocol};
use crate::request::{Args, Arguments, Parsed};
use crate::spatial_index::Offloader;
use crate::transaction_log::{find_end, is_continued, End};

/// What loading a piece of a log came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Bytes of complete commands and transactions.
    pub consumed: usize,
    /// Bytes behind them that are complete commands of an incomplete transaction.
    pub scanned: usize,
    /// How many commands that were.
    pub commands: usize,
    /// Why loading can't go on.
    pub error: Option<Vec<u8>>,
    /// Commands that aren't run, with their numbers.
    pub skipped: BTreeMap<String, usize>,
}

/// What running a piece of a leader's stream came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Follow<'d> {
    /// As with a log.
    pub load: Load,
    /// What was consumed, byte by byte, whether it changed anything or not: a follower's log has
    /// to stay a prefix of its leader's. Zero bytes between commands too, but without PUBLISH.
    pub log: Cow<'d, [u8]>,
    /// Channels and messages of PUBLISH, in their order.
    pub published: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A command of a log.
struct LogCommand<'a> {
    args: Args<'a>,
    bytes: &'a [u8],
    text: Option<ParsedText>,
}

impl Engine {
    /// Runs the commands of a piece of a log. The piece may end amid a command or a transaction:
    /// what wasn't consumed has to come again, with more behind it. After a client's FLUSHDB the
    /// commands are only counted, not run.
    pub fn load(&mut self, data: &[u8], now_ns: i64) -> Load {
        self.load_from(&mut Arguments::default(), data, now_ns)
    }

    fn load_from(&mut self, source: &mut impl CommandSource, data: &[u8], now_ns: i64) -> Load {
        let mut load = Load::default();
        self.run_all(source, data, &mut load, |engine, command, load| {
            let Some(found) = engine.table.find(command.args) else {
                return Err(engine.table.unknown(command.args));
            };
            if engine.state.is_loading && engine.skips_log {
                return Ok(());
            }
            engine.replay(found, command.args, command.text, now_ns, load)
        });
        load
    }

    /// Does the same as [`load`](Self::load), sooner for a large piece. The offloader's
    /// [`IndexWorker`](crate::spatial_index::IndexWorker) has to run on another thread, and if the
    /// source is a [`ParsedLog`](crate::parse_ahead::ParsedLog), so has its parser.
    pub fn load_offloading(
        &mut self,
        data: &[u8],
        source: &mut impl CommandSource,
        now_ns: i64,
        offloader: Offloader,
    ) -> Load {
        // A live fence with ROAM searches the index, which an offloaded one doesn't allow.
        if !self.keyspace.fences().has_live() {
            self.keyspace.offload_indexes(offloader);
        }
        let load = self.load_from(source, data, now_ns);
        self.keyspace.reclaim_indexes();
        load
    }

    /// Runs the complete commands in bytes received from a leader, as [`load`](Self::load) runs
    /// those of a log. `scanned` is [`Load::scanned`] of the call before if `data` begins with the
    /// bytes that it didn't consume, else 0; so the start of a long transaction isn't parsed again.
    pub fn follow<'d>(&mut self, data: &'d [u8], scanned: usize, now_ns: i64) -> Follow<'d> {
        self.follow_from(&mut Arguments::default(), data, scanned, now_ns)
    }

    /// Does the same as [`follow`](Self::follow), with the source of the commands in `data`.
    pub fn follow_from<'d>(
        &mut self,
        source: &mut impl CommandSource,
        data: &'d [u8],
        scanned: usize,
        now_ns: i64,
    ) -> Follow<'d> {
        let (mut load, mut log, mut published) = (Load::default(), Vec::new(), Vec::new());
        load.scanned = scanned;
        let mut logged = 0; // up to where the log has it, or doesn't need it
        self.run_all(source, data, &mut load, |engine, command, load| {
            let LogCommand { args, bytes, text } = command;
            let Some(found) = engine.table.find(args) else {
                return Err(engine.table.unknown(args));
            };
            let facts = engine.table.record(found).facts;
            if facts.flags.contains(Flags::FORWARDED) {
                if !facts.arity.allows(args.len()) {
                    return Err(Error::WrongArity);
                }
                published.push((args.at(1).to_vec(), args.at(2).to_vec()));
                log.extend_from_slice(data.get(logged..load.consumed).unwrap_or_default());
                logged = load.consumed + bytes.len();
                return Ok(());
            }
            engine.reconcile_expired(facts, args);
            engine.replay(found, args, text, now_ns, load)
        });
        // With the zero bytes between commands: a follower's log has to be the leader's.
        let rest = data.get(logged..load.consumed).unwrap_or_default();
        if log.is_empty() {
            return Follow { load, log: Cow::Borrowed(rest), published };
        }
        log.extend_from_slice(rest);
        Follow { load, log: Cow::Owned(log), published }
    }

    /// Runs a function for each request and its bytes, but for requests without words. Endpoints
    /// aren't checked: they were when the command was logged, perhaps by a leader that supports
    /// other kinds.
    fn run_all(
        &mut self,
        source: &mut impl CommandSource,
        data: &[u8],
        load: &mut Load,
        run: impl FnMut(&mut Engine, LogCommand, &mut Load) -> Result<()>,
    ) {
        let checker = self.keyspace.endpoint_checker.take();
        self.run_each(source, data, load, run);
        self.keyspace.endpoint_checker = checker;
    }

    fn run_each(
        &mut self,
        source: &mut impl CommandSource,
        data: &[u8],
        load: &mut Load,
        mut run: impl FnMut(&mut Engine, LogCommand, &mut Load) -> Result<()>,
    ) {
        let mut scanned = std::mem::take(&mut load.scanned);
        let mut transaction_end = 0;
        loop {
            // Tile38 pads with zero bytes between commands.
            let rest = &data[load.consumed..];
            load.consumed += zero_bytes(rest);
            let rest = &data[load.consumed..];
            match source.parse(data, load.consumed) {
                Parsed::Request { end, .. } => {
                    let text = source.take_text();
                    let args = source.args(rest);
                    if load.consumed >= transaction_end && is_continued(args.at(0)) {
                        match find_end(rest, scanned.max(end)) {
                            End::At(end) => transaction_end = load.consumed + end,
                            End::Missing { scanned } => {
                                load.scanned = scanned;
                                return;
                            }
                        }
                        scanned = 0;
                    }
                    if !args.is_empty() {
                        let command = LogCommand { args, bytes: &rest[..end], text };
                        if let Err(error) = run(self, command, load) {
                            load.error = Some(error.message());
                            return;
                        }
                        load.commands += 1;
                    }
                    load.consumed += end;
                }
                Parsed::Malformed(text) => {
                    load.error = Some([b"Protocol error: ", &text[..]].concat());
                    return;
                }
                Parsed::Incomplete { .. } | Parsed::Http => return,
            }
        }
    }

    /// Runs one command; what is missing is passed over.
    fn replay(
        &mut self,
        found: Found,
        args: Args,
        parsed_text: Option<ParsedText>,
        now_ns: i64,
        load: &mut Load,
    ) -> Result<()> {
        let command = match self.table.runner(found) {
            // Scripts aren't logged: the commands that they called are.
            Runner::Data(command) if !command.facts.flags.contains(Flags::SCRIPTING) => command,
            // A log doesn't know the commands of a connection.
            Runner::Session(_) => return Err(self.table.unknown(args)),
            Runner::Server | Runner::Data(_) => {
                let name = &self.table.record(found).name;
                *load.skipped.entry(name.clone()).or_default() += 1;
                return Ok(());
            }
        };
        let Function::Write(function) = command.function else { return Ok(()) };
        let mut budget = Budget::new(u64::MAX, &|| 0);
        self.scratch.clear();
        let mut out = std::mem::take(&mut self.scratch);
        let mut call = Call {
            args,
            output: Output::Resp,
            protocol: Protocol::Resp2,
            now_ns,
            is_out_of_memory: false,
            is_replayed: true,
            out: &mut out,
            budget: &mut budget,
            live: None,
            script: None,
            rights: None,
            denied: Vec::new(),
            parsed_text,
        };
        let result = self.replay_write(command, function, &mut call);
        self.scratch = out;
        match result {
            Ok(_) | Err(Error::KeyNotFound | Error::IdNotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn replay_write(
        &mut self,
        command: &Command,
        function: WriteFunction,
        call: &mut Call,
    ) -> Result<Effect> {
        if !command.facts.arity.allows(call.args.len()) {
            return Err(Error::WrongArity);
        }
        let result = function(&mut self.keyspace, call);
        if !self.keyspace.reports().is_empty() {
            self.tell_fences(call.now_ns, true);
        }
        result
    }
}
