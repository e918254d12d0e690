//! Packing consecutive reads of a session into a read unit, and taking the results back.

use std::sync::Arc;

use super::placement::{leaves_loop, Situation};
use super::read_ahead::ParsedRequest;
use super::read_unit::{runs_script_per_object, PackedRead, ReadUnit, UnitContext};
use super::request::{Prefix, Request};
use super::script_context::limits_of;
use super::{Batch, Clock, Session, Stop, READ_WORK_MAX};
use crate::call::ScriptContext;
use crate::commands::record::Flags;
use crate::commands::table::{Found, Runner};
use crate::commands::{Command, Function, ReadFunction};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::reply::Framing;
use crate::request::{Args, Parsed};
use crate::timing::Series;

/// The units of work that the first read of a session may do on the event loop while others wait.
const FIRST_READ_WORK_MAX: u64 = READ_WORK_MAX / 16;

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
            let mut unit = Box::new(self.new_unit(engine, request));
            if self.costs.expects_long_read() {
                unit.mark_long();
            }
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
                unit_count: engine.placement.active_count(),
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
        ReadUnit::new(engine.keyspace.clone(), context, engine.placement.count_unit())
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

    /// Returns the units of work that a command may do on the event loop, and its deadline. While
    /// others wait, the first read of a session may do less: it may be one of very many, and
    /// nothing is known of it.
    pub(super) fn limits(
        &self,
        engine: &Engine,
        script: Option<&ScriptContext>,
        timeout_ns: Option<u64>,
    ) -> (u64, Option<u64>) {
        let (work_max, deadline_ns) = limits_of(script, timeout_ns, self.is_in_exec);
        let is_first = self.is_costed && self.costs.is_unknown() && work_max == READ_WORK_MAX;
        let batch_start_ns = self.timer.batch_start_ns();
        if is_first && engine.placement.is_other_active(&self.costs, batch_start_ns) {
            (FIRST_READ_WORK_MAX, deadline_ns)
        } else {
            (work_max, deadline_ns)
        }
    }

    /// Returns the stop at a read that exceeded its budget on the event loop.
    pub(super) fn long_read(
        &mut self,
        engine: &Engine,
        command: &Command,
        prefix: &Prefix,
        request: &Request,
        (started_ns, work_max): (u64, u64),
    ) -> Option<Stop> {
        let Function::Read(function) = command.function else { return None };
        let mut unit = Box::new(self.new_unit(engine, request));
        let read = self.packed_read(function, self.timer.series(), prefix, request);
        let is_script = command.facts.flags.contains(Flags::SCRIPTING);
        unit.push(request.args, PackedRead { started_ns, is_script, ..read });
        if work_max >= READ_WORK_MAX {
            unit.mark_long();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Progress, SliceLimits};
    use std::cell::Cell;

    const ALL: &[u8] = b"within k count bounds -90 -180 90 180\r\n";

    fn clock() -> u64 {
        1_000_000
    }

    fn engine() -> Engine {
        let mut engine = Engine::new(false);
        engine.placement.is_enabled = true;
        let mut session = Session::new(false, None);
        for id in 0..5 {
            let set = format!("set k {id} point 1 2\r\n");
            session.feed(&mut engine, set.as_bytes(), 0, &|| 1);
        }
        engine
    }

    /// Runs received bytes and all units; returns the replies, the log and the size of each unit.
    fn run(engine: &mut Engine, bytes: &[u8]) -> (String, Vec<u8>, Vec<usize>) {
        run_by(engine, bytes, &clock)
    }

    fn run_by(engine: &mut Engine, bytes: &[u8], clock: Clock) -> (String, Vec<u8>, Vec<usize>) {
        let mut session = Session::new(false, None);
        let (mut replies, mut log, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        let mut batch = session.feed(engine, bytes, 0, clock);
        loop {
            replies.append(&mut batch.replies);
            log.append(&mut batch.log);
            match batch.stop {
                Some(Stop::Reads(mut unit)) => {
                    sizes.push(unit.requests().count());
                    unit.run_slice(SliceLimits::new(u64::MAX, u64::MAX), clock);
                    replies.append(&mut session.finish_unit(engine, unit, clock).replies);
                }
                Some(Stop::Yield) => {}
                _ => return (String::from_utf8(replies).unwrap(), log, sizes),
            }
            batch = session.feed(engine, b"", 0, clock);
        }
    }

    #[test]
    fn a_long_pipeline_of_searches_is_packed_in_units() {
        let (replies, _, sizes) = run(&mut engine(), &ALL.repeat(200));
        assert_eq!(replies, ":5\r\n".repeat(200));
        // The reads of the first unit are brief, so that no second one pays.
        assert_eq!(sizes, [128]);
    }

    #[test]
    fn a_short_pipeline_and_one_of_brief_commands_stay() {
        assert!(run(&mut engine(), &ALL.repeat(49)).2.is_empty());
        assert!(run(&mut engine(), &b"get k 1\r\n".repeat(200)).2.is_empty());
        let mut engine = engine();
        engine.is_monitored = true;
        assert!(run(&mut engine, &ALL.repeat(200)).2.is_empty());
        engine.is_monitored = false;
        engine.placement.is_enabled = false;
        assert!(run(&mut engine, &ALL.repeat(200)).2.is_empty());
    }

    #[test]
    fn a_unit_ends_before_what_is_no_read() {
        for other in [
            &b"set k 6 point 1 2\r\n"[..],
            b"ping\r\n",
            b"multi\r\n",
            b"$4 PING\r\n",
            b"eval 'return 1' 0\r\n",
            b"nearby k fence point 1 2 3\r\n",
            b"within k whereeval 'return true' 0 bounds 0 0 1 1\r\n",
        ] {
            let bytes = [&ALL.repeat(3)[..], other, &ALL.repeat(60)].concat();
            let sizes = run(&mut engine(), &bytes).2;
            assert_eq!(sizes[0], 3, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn replies_and_log_are_those_of_a_run_without_units() {
        let read = b"scan k count\r\nnearby k x\r\nwithin\r\nget k 1\r\ntimeout 9 scan k ids\r\n";
        let write = b"set k b point 3 4\r\ndel k b\r\nnope\r\noutput\r\noutput resp\r\n";
        let bytes = [&ALL.repeat(3)[..], &read[..], b"\r\ntimeout x scan k\r\n", write].concat();
        let bytes = [bytes.repeat(5), ALL.repeat(60)].concat();
        let now = Cell::new(0);
        let ticking = || {
            now.set(now.get() + 30_000);
            now.get()
        };
        let with_units = run_by(&mut engine(), &bytes, &ticking);
        let mut other = engine();
        other.placement.is_enabled = false;
        let without = run_by(&mut other, &bytes, &ticking);
        assert!(with_units.2.len() > 3);
        assert_eq!((with_units.0, with_units.1), (without.0, without.1));
    }

    #[test]
    fn a_unit_of_many_reply_bytes_is_handed_back_before_it_is_done() {
        let mut engine = engine();
        let long = "x".repeat(50_000);
        run(&mut engine, format!("set s a string {long}\r\n").as_bytes());
        let mut session = Session::new(false, None);
        let bytes = b"scan s\r\n".repeat(60);
        let Some(Stop::Reads(mut unit)) = session.feed(&mut engine, &bytes, 0, &clock).stop else {
            panic!("no unit")
        };
        let limits = SliceLimits::new(u64::MAX, u64::MAX);
        assert_eq!(unit.run_slice(limits, &clock), Progress::Full);
        let first = session.finish_unit(&mut engine, unit, &clock).replies;
        assert!((250_000..320_000).contains(&first.len()));
        assert_eq!(engine.placement.active_count(), 1);
        let batch = session.feed(&mut engine, b"ping\r\n", 0, &clock);
        assert!(matches!(batch.stop, Some(Stop::Reads(unit)) if !unit.is_done()));
        assert_eq!(engine.placement.active_count(), 0);
    }

    #[test]
    fn a_cancelled_unit_ends_and_a_slice_ends_between_reads() {
        let mut engine = engine();
        let mut session = Session::new(false, None);
        let bytes = ALL.repeat(60);
        let Some(Stop::Reads(mut unit)) = session.feed(&mut engine, &bytes, 0, &clock).stop else {
            panic!("no unit")
        };
        let now = Cell::new(0);
        let ticking = || {
            now.set(now.get() + 100);
            now.get()
        };
        assert_eq!(unit.run_slice(SliceLimits::new(u64::MAX, 250), &ticking), Progress::SliceOver);
        assert_eq!(unit.run_slice(SliceLimits::new(0, 250), &ticking), Progress::TooLong);
        unit.cancellation().store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(unit.run_slice(SliceLimits::NONE, &ticking), Progress::Done);
        assert!(unit.is_done());
    }
}
