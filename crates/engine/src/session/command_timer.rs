//! Measuring the durations of a session's commands. The clock is read once for several brief
//! commands of a batch, which share the elapsed time, and once for each other command, so that
//! measuring costs next to nothing.

use crate::fence::without_secrets;
use crate::request::Args;
use crate::timing::{Series, Timing};

/// The most brief commands that share one reading of the clock.
const BRIEF_COUNT_MAX: usize = 64;
/// A request of this size or more isn't brief, whatever its command.
pub(super) const BRIEF_BYTES_MAX: usize = 4096;
/// With a threshold of SLOWLOG below this, no command is brief, so that each is measured alone.
pub(super) const SLOW_NS_MIN: u64 = 1_000_000;
/// The most arguments of a slow command that SLOWLOG lists.
const LISTED_ARGUMENTS_MAX: usize = 32;
/// The most bytes of an argument that SLOWLOG lists.
const LISTED_BYTES_MAX: usize = 128;

/// A command that took longer than the threshold of SLOWLOG.
pub struct SlowCommand {
    /// The arguments as SLOWLOG lists them; see [`truncate_arguments`].
    pub args: Vec<Vec<u8>>,
    /// The duration of the command.
    pub took_ns: u64,
    /// The time between the start of the batch and the start of the command.
    pub waited_ns: u64,
}

/// A timer of the commands of a session.
#[derive(Default)]
pub(super) struct CommandTimer {
    batch_start_ns: u64,
    last_reading_ns: u64,
    /// The series of the present command.
    series: Series,
    is_brief: bool,
    /// The duration of the command that was measured last.
    last_ns: u64,
    /// The commands that have run since the last reading of the clock.
    unmeasured: Vec<Series>,
    /// The series, number of commands and total nanoseconds of measured commands.
    measured: Vec<(Series, u32, u64)>,
}

impl CommandTimer {
    /// Starts a batch.
    pub fn start_batch(&mut self, now_ns: u64) {
        self.batch_start_ns = now_ns;
        self.last_reading_ns = now_ns;
    }

    /// Starts a command, as a brief one; `None` for a request that names no command.
    #[inline]
    pub fn start_command(&mut self, series: Option<Series>) {
        self.series = series.unwrap_or(Series::UNKNOWN);
        self.is_brief = true;
    }

    /// Returns the reading of the clock at the start of the batch.
    pub fn batch_start_ns(&self) -> u64 {
        self.batch_start_ns
    }

    /// Returns the last reading of the clock.
    pub fn last_reading_ns(&self) -> u64 {
        self.last_reading_ns
    }

    /// Returns the duration of the command that was measured last, or its share if several were
    /// measured together.
    pub fn last_ns(&self) -> u64 {
        self.last_ns
    }

    /// Returns the series of the present command.
    pub fn series(&self) -> Series {
        self.series
    }

    /// Treats the present command as one that isn't brief: it is measured alone.
    pub fn measure_alone(&mut self, clock: &dyn Fn() -> u64) {
        self.is_brief = false;
        if !self.unmeasured.is_empty() {
            self.measure(clock());
        }
    }

    /// Ends the present command; returns it if it was measured alone and took `slow_ns` or longer.
    #[inline]
    pub fn end_command(
        &mut self,
        args: Args,
        is_last: bool,
        slow_ns: u64,
        clock: &dyn Fn() -> u64,
    ) -> Option<SlowCommand> {
        self.unmeasured.push(self.series);
        if self.is_brief && !is_last && self.unmeasured.len() < BRIEF_COUNT_MAX {
            return None;
        }
        let (count, start_ns) = (self.unmeasured.len(), self.last_reading_ns);
        self.measure(clock());
        let took_ns = self.last_reading_ns - start_ns;
        // Several commands that were measured together are brief, so none of them was slow.
        (count == 1 && took_ns >= slow_ns).then(|| SlowCommand {
            args: truncate_arguments(without_secrets(args).into_iter(), args.len()),
            took_ns,
            waited_ns: start_ns - self.batch_start_ns,
        })
    }

    /// Ends the batch and records the durations of its commands.
    pub fn end_batch(&mut self, timing: &mut Timing, clock: &dyn Fn() -> u64) {
        if !self.unmeasured.is_empty() {
            self.measure(clock());
        }
        for (series, count, sum_ns) in self.measured.drain(..) {
            timing.record(series, count, sum_ns, self.last_reading_ns);
        }
        // Most of many sessions are idle: they retain little memory.
        self.measured.shrink_to(BRIEF_COUNT_MAX);
    }

    /// Divides the time since the last reading of the clock evenly among the commands since.
    fn measure(&mut self, now_ns: u64) {
        let elapsed_ns = now_ns.saturating_sub(self.last_reading_ns);
        let share_ns = elapsed_ns / self.unmeasured.len() as u64;
        for run in self.unmeasured.chunk_by(|one, next| one == next) {
            self.measured.push((run[0], run.len() as u32, share_ns * run.len() as u64));
        }
        self.unmeasured.clear();
        self.last_ns = share_ns;
        self.last_reading_ns = now_ns.max(self.last_reading_ns);
    }
}

/// Returns `count` arguments as SLOWLOG lists them: 32 at most, of 128 bytes at most, with a note
/// of the omitted arguments or bytes at the end, as in Redis.
pub fn truncate_arguments<'a>(args: impl Iterator<Item = &'a [u8]>, count: usize) -> Vec<Vec<u8>> {
    let is_truncated = count > LISTED_ARGUMENTS_MAX;
    let listed_count = if is_truncated { LISTED_ARGUMENTS_MAX - 1 } else { count };
    let mut listed: Vec<Vec<u8>> = args.take(listed_count).map(truncate_argument).collect();
    if is_truncated {
        listed.push(format!("... ({} more arguments)", count - listed_count).into_bytes());
    }
    listed
}

fn truncate_argument(argument: &[u8]) -> Vec<u8> {
    match argument.split_at_checked(LISTED_BYTES_MAX) {
        Some((head, tail)) if !tail.is_empty() => {
            [head, format!("... ({} more bytes)", tail.len()).as_bytes()].concat()
        }
        _ => argument.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::session::{Batch, Session};
    use std::cell::Cell;

    /// Runs requests with a clock that advances a microsecond with each reading; returns the batch
    /// and the number of readings.
    fn run(engine: &mut Engine, bytes: &[u8]) -> (Batch, u64) {
        let readings = Cell::new(0);
        let clock = || {
            readings.set(readings.get() + 1);
            readings.get() * 1000
        };
        let batch = Session::new(false, None).feed(engine, bytes, 0, &clock);
        (batch, readings.get())
    }

    fn durations(engine: &Engine) -> Vec<(String, u64, u64)> {
        let all = engine.timing.durations(0);
        all.map(|found| (found.name.to_string(), found.count, found.sum_ns)).collect()
    }

    #[test]
    fn brief_commands_share_a_reading_of_the_clock() {
        let mut engine = Engine::new(false);
        let (_, readings) = run(&mut engine, &b"set k a point 1 2\r\n".repeat(64));
        assert_eq!(readings, 2);
        assert_eq!(durations(&engine), [("set".to_string(), 64, 960)]);
    }

    #[test]
    fn other_commands_are_measured_one_by_one() {
        let mut engine = Engine::new(false);
        run(&mut engine, b"get k a\r\nkeys *\r\nkeys *\r\nping\r\nnope\r\nkeys\r\n");
        let expected = [("unknown", 1, 500), ("get", 1, 1000), ("keys", 3, 3000), ("ping", 1, 500)];
        assert_eq!(
            durations(&engine),
            expected.map(|(name, count, ns)| (name.to_string(), count, ns))
        );
    }

    #[test]
    fn refused_commands_count_by_their_name_and_those_behind_a_prefix_by_the_prefix() {
        let mut engine = Engine::new(false);
        engine.state.requires_password = true;
        run(&mut engine, b"get k a\r\ntimeout 1 get k a\r\ntimeout x\r\nquit\r\n");
        let found: Vec<_> =
            durations(&engine).into_iter().map(|(name, count, _)| (name, count)).collect();
        let expected = [("get", 1), ("quit", 1), ("timeout", 2)];
        assert_eq!(found, expected.map(|(name, count)| (name.to_string(), count)));
    }

    #[test]
    fn slow_commands_are_listed_with_the_time_that_they_waited() {
        let mut engine = Engine::new(false);
        engine.timing.slow_ns = 1000;
        let (batch, _) = run(&mut engine, b"keys *\r\nset k a point 1 2\r\n");
        let slow: Vec<_> = batch
            .slow
            .iter()
            .map(|slow| (&slow.args[0][..], slow.took_ns, slow.waited_ns))
            .collect();
        assert_eq!(slow, [(&b"keys"[..], 1000, 0), (&b"set"[..], 1000, 1000)]);
        assert!(batch.stop.is_none() && batch.needs_dispatch());
        engine.timing.slow_ns = 1001;
        assert!(run(&mut engine, b"keys *\r\n").0.slow.is_empty());
    }

    #[test]
    fn long_commands_are_truncated() {
        let long = [b'x'; 130];
        let args: Vec<&[u8]> = vec![&long[..]; 40];
        let listed = truncate_arguments(args.iter().copied(), args.len());
        assert_eq!(listed.len(), 32);
        assert!(listed[0].ends_with(b"x... (2 more bytes)"));
        assert_eq!(listed[31], b"... (9 more arguments)");
        assert_eq!(truncate_arguments([&b"get"[..]].into_iter(), 1), [b"get"]);
    }
}
