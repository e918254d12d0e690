//! Packing consecutive reads of a session into a read unit, and taking the results back.

use std::sync::Arc;

use super::placement::{leaves_loop, Situation};
use super::read_ahead::ParsedRequest;
use super::read_unit::{runs_script_per_object, PackedRead, ReadUnit, UnitContext, UnitCount};
use super::request::{Prefix, Request};
use super::{Batch, Clock, Session, Stop};
use crate::commands::record::Flags;
use crate::commands::table::{Found, Runner};
use crate::commands::{Command, Function, ReadFunction};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::reply::Framing;
use crate::request::{Args, Parsed};
use crate::timing::Series;

/// A unit that gets further reads.
pub(super) struct Packing {
    unit: Box<ReadUnit>,
    /// The number of the batch's reply bytes that precede the unit's replies.
    reply_start: usize,
}

/// Returns whether a command with these arguments only reads and may run on any thread. Fences stay
/// with their session; scripts take long and have threads of their own.
fn is_packable(command: &Command, args: Args) -> bool {
    matches!(command.function, Function::Read(_))
        && !command.facts.flags.contains(Flags::SCRIPTING)
        && !args.iter().any(|word| word.eq_ignore_ascii_case(b"FENCE"))
        && !runs_script_per_object(args)
}

impl Session {
    /// Returns whether a received request may join the unit that is being packed. Its errors may
    /// be replies of the unit, too.
    pub(super) fn joins_unit(&self, engine: &Engine, next: &ParsedRequest, bytes: &[u8]) -> bool {
        let Some(packing) = &self.packing else { return false };
        let Parsed::Request { framing: Framing::Resp | Framing::Inline, .. } = next.parsed else {
            return false;
        };
        let Some(mut found) = next.found else { return false };
        let mut args = next.arguments.view(bytes);
        if engine.table.record(found).facts.flags.contains(Flags::PREFIX) {
            args = args.skip(2);
            let Some(inner) = engine.table.find(args) else { return false };
            found = inner;
        }
        let is_read = matches!(engine.table.runner(found), Runner::Data(command)
            if is_packable(command, args));
        is_read && packing.unit.has_room()
    }

    /// Packs a read into a unit if the present unit continues with it, or if it is one to begin a
    /// unit with. Returns whether it did.
    pub(super) fn pack(
        &mut self,
        engine: &Engine,
        found: Found,
        prefix: &Prefix,
        request: &Request,
        batch: &Batch,
    ) -> Result<bool> {
        let Runner::Data(command) = engine.table.runner(found) else { return Ok(false) };
        let Function::Read(function) = command.function else { return Ok(false) };
        if self.packing.is_none() && !self.begins_unit(engine, command, prefix, request) {
            return Ok(false);
        }
        if !command.facts.arity.allows(prefix.args.len()) {
            return Err(Error::WrongArity);
        }
        if self.packing.is_none() {
            let reply_start = batch.replies.len();
            let unit = Box::new(self.new_unit(engine, request));
            self.packing = Some(Packing { unit, reply_start });
        }
        let read = self.packed_read(function, engine.table.record(found).series, prefix, request);
        if let Some(packing) = &mut self.packing {
            packing.unit.push(request.args, read);
        }
        self.is_packed = true;
        Ok(true)
    }

    /// Decides by the rule of placement whether a read begins a unit.
    fn begins_unit(
        &mut self,
        engine: &Engine,
        command: &Command,
        prefix: &Prefix,
        request: &Request,
    ) -> bool {
        let is_candidate = engine.placement.is_enabled
            && request.size > 0
            && !command.facts.flags.contains(Flags::BRIEF)
            && !self.is_in_exec
            && request.framing != Framing::Native;
        self.is_costed = is_candidate;
        is_candidate
            && leaves_loop(Situation {
                read_ns: self.costs.expected_ns(),
                read_count: 1 + request.following / request.size,
                unit_count: engine.placement.unit_count(),
                is_other_active: engine
                    .placement
                    .is_other_active(&self.costs, self.timer.batch_start_ns()),
                is_monitored: engine.is_monitored,
            })
            && is_packable(command, prefix.args)
    }

    fn new_unit(&mut self, engine: &Engine, request: &Request) -> ReadUnit {
        let context = UnitContext {
            output: self.output(),
            protocol: self.frame.protocol,
            now_ns: request.now_ns,
            rights: self.user.rights(&engine.users).cloned(),
            user: Box::from(self.user.name()),
            error_counters: Arc::clone(&engine.error_counters),
            is_cancelled: Arc::default(),
            packed_ns: self.timer.batch_start_ns(),
            slow_ns: engine.timing.slow_ns,
        };
        let count = UnitCount::new(engine.placement.counter());
        ReadUnit::new(engine.keyspace.clone(), context, count)
    }

    fn packed_read(
        &self,
        function: ReadFunction,
        series: Series,
        prefix: &Prefix,
        request: &Request,
    ) -> PackedRead {
        PackedRead {
            function,
            words: 0..0,
            skip: request.args.len() - prefix.args.len(),
            framing: self.frame.framing,
            timeout_ns: prefix.timeout_ns,
            series,
            started_ns: 0,
            is_script: false,
        }
    }

    /// Returns the stop at a read that exceeded its budget on the event loop.
    pub(super) fn long_read(
        &mut self,
        engine: &Engine,
        command: &Command,
        prefix: &Prefix,
        request: &Request,
        started_ns: u64,
    ) -> Option<Stop> {
        let Function::Read(function) = command.function else { return None };
        let mut unit = Box::new(self.new_unit(engine, request));
        let read = self.packed_read(function, self.timer.series(), prefix, request);
        let is_script = command.facts.flags.contains(Flags::SCRIPTING);
        unit.push_long(request.args, PackedRead { started_ns, is_script, ..read });
        Some(Stop::Reads(unit))
    }

    /// Moves the replies to a request that joined the unit without a run, an error say, behind the
    /// unit's reads.
    pub(super) fn move_replies(&mut self, batch: &mut Batch) {
        if let Some(packing) = &mut self.packing {
            if batch.replies.len() > packing.reply_start {
                packing.unit.push_reply(batch.replies.split_off(packing.reply_start));
            }
        }
    }

    /// Ends the unit that is being packed; returns the stop at it.
    pub(super) fn end_packing(&mut self) -> Option<Stop> {
        self.packing.take().map(|packing| Stop::Reads(packing.unit))
    }

    /// Takes the results of a unit that ran elsewhere: replies, durations, slow commands. If reads
    /// are left, the next call of [`Session::feed`] stops at the unit again.
    pub fn finish_unit(
        &mut self,
        engine: &mut Engine,
        mut unit: Box<ReadUnit>,
        clock: Clock,
    ) -> Batch {
        let results = unit.take_results();
        let now_ns = clock();
        for (series, took_ns) in results.durations {
            engine.timing.record(series, 1, took_ns, now_ns);
            self.costs.note(took_ns);
        }
        if !unit.is_done() {
            self.unfinished = Some(unit);
        }
        let (replies, slow, denied) = (results.replies, results.slow, results.denied);
        Batch { replies, slow, denied, ..Batch::default() }
    }
}
