//! Who took how long. The clock is read once for brief commands that come together, and once for
//! each of the others, so that it costs next to nothing.

use crate::request::Args;
use crate::timing::{Series, Timing};

/// Brief commands after which the clock is read all the same.
const BRIEF_COUNT_MAX: usize = 64;
/// A request from this size on isn't brief.
pub(super) const BRIEF_BYTES_MAX: usize = 4096;
/// When commands are called slow from less than this on, none is brief.
pub(super) const SLOW_NS_MIN: u64 = 1_000_000;
/// Of a slow command so many arguments are kept, and so many bytes of each.
const SHOWN_ARGUMENTS_MAX: usize = 32;
const SHOWN_BYTES_MAX: usize = 128;

/// A command that took long.
pub struct Slow {
    /// Its arguments, long ones cut.
    pub args: Vec<Vec<u8>>,
    /// What it took.
    pub took_ns: u64,
    /// What it had to wait for those before it in its batch.
    pub waited_ns: u64,
}

/// The stopwatch of a session.
#[derive(Default)]
pub(super) struct Meter {
    began_ns: u64,
    marked_ns: u64,
    series: Series,
    is_brief: bool,
    /// Brief commands since the last look at the clock.
    brief: Vec<Series>,
    measured: Vec<(Series, u32, u64)>,
}

impl Meter {
    /// A batch begins.
    pub fn begin(&mut self, now_ns: u64) {
        self.began_ns = now_ns;
        self.marked_ns = now_ns;
    }

    /// A request begins; `None` for one that names no command.
    #[inline]
    pub fn expect(&mut self, series: Option<Series>) {
        self.series = series.unwrap_or(Series::UNKNOWN);
        self.is_brief = true;
    }

    /// It may take long.
    pub fn expect_long(&mut self, clock: &dyn Fn() -> u64) {
        self.is_brief = false;
        if !self.brief.is_empty() {
            self.settle(clock());
        }
    }

    /// It has run; told if it was slow.
    #[inline]
    pub fn leave(
        &mut self,
        args: Args,
        is_last: bool,
        slow_ns: u64,
        clock: &dyn Fn() -> u64,
    ) -> Option<Slow> {
        self.brief.push(self.series);
        if self.is_brief && !is_last && self.brief.len() < BRIEF_COUNT_MAX {
            return None;
        }
        let (count, before_ns) = (self.brief.len(), self.marked_ns);
        self.settle(clock());
        let took_ns = self.marked_ns - before_ns;
        // Of many brief ones together nobody can be blamed, and none can have taken long.
        (count == 1 && took_ns >= slow_ns).then(|| Slow {
            args: shortened(args.iter(), args.len()),
            took_ns,
            waited_ns: before_ns - self.began_ns,
        })
    }

    /// The batch ends.
    pub fn end(&mut self, timing: &mut Timing, clock: &dyn Fn() -> u64) {
        if !self.brief.is_empty() {
            self.settle(clock());
        }
        for (series, count, sum_ns) in self.measured.drain(..) {
            timing.record(series, count, sum_ns, self.marked_ns);
        }
        // There may be many sessions, most of them idle.
        self.measured.shrink_to(BRIEF_COUNT_MAX);
    }

    /// Shares the time since the last look among those that ran since.
    fn settle(&mut self, now_ns: u64) {
        let each_ns = now_ns.saturating_sub(self.marked_ns) / self.brief.len() as u64;
        for run in self.brief.chunk_by(|one, next| one == next) {
            self.measured.push((run[0], run.len() as u32, each_ns * run.len() as u64));
        }
        self.brief.clear();
        self.marked_ns = now_ns.max(self.marked_ns);
    }
}

/// Arguments as a list of slow commands shows them: not all of too many, not all of long ones.
pub fn shortened<'a>(args: impl Iterator<Item = &'a [u8]>, count: usize) -> Vec<Vec<u8>> {
    let is_cut = count > SHOWN_ARGUMENTS_MAX;
    let shown = if is_cut { SHOWN_ARGUMENTS_MAX - 1 } else { count };
    let mut kept: Vec<Vec<u8>> = args.take(shown).map(cut).collect();
    if is_cut {
        kept.push(format!("... ({} more arguments)", count - shown).into_bytes());
    }
    kept
}

fn cut(argument: &[u8]) -> Vec<u8> {
    match argument.split_at_checked(SHOWN_BYTES_MAX) {
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

    /// Runs requests, each look at the clock a microsecond after the one before.
    fn run(engine: &mut Engine, bytes: &[u8]) -> (Batch, u64) {
        let looks = Cell::new(0);
        let clock = || {
            looks.set(looks.get() + 1);
            looks.get() * 1000
        };
        let batch = Session::new(false, None).feed(engine, bytes, 0, &clock);
        (batch, looks.get())
    }

    fn counted(engine: &Engine) -> Vec<(String, u64, u64)> {
        let durations = engine.timing.durations(0);
        durations.map(|found| (found.name.to_string(), found.count, found.sum_ns)).collect()
    }

    #[test]
    fn brief_commands_share_a_look_at_the_clock() {
        let mut engine = Engine::new(false);
        let (_, looks) = run(&mut engine, &b"set k a point 1 2\r\n".repeat(64));
        assert_eq!(looks, 2);
        assert_eq!(counted(&engine), [("set".to_string(), 64, 960)]);
    }

    #[test]
    fn each_of_the_others_has_its_own() {
        let mut engine = Engine::new(false);
        run(&mut engine, b"get k a\r\nkeys *\r\nkeys *\r\nping\r\nnope\r\nkeys\r\n");
        let expected = [("unknown", 1, 500), ("get", 1, 1000), ("keys", 3, 3000), ("ping", 1, 500)];
        assert_eq!(
            counted(&engine),
            expected.map(|(name, count, ns)| (name.to_string(), count, ns))
        );
    }

    #[test]
    fn what_was_refused_counts_by_its_name_and_prefixed_ones_by_the_prefix() {
        let mut engine = Engine::new(false);
        engine.state.requires_password = true;
        run(&mut engine, b"get k a\r\ntimeout 1 get k a\r\ntimeout x\r\nquit\r\n");
        let found: Vec<_> =
            counted(&engine).into_iter().map(|(name, count, _)| (name, count)).collect();
        let expected = [("get", 1), ("quit", 1), ("timeout", 2)];
        assert_eq!(found, expected.map(|(name, count)| (name.to_string(), count)));
    }

    #[test]
    fn slow_commands_are_told_with_what_they_waited() {
        let mut engine = Engine::new(false);
        engine.timing.slow_ns = 1000;
        let (batch, _) = run(&mut engine, b"keys *\r\nset k a point 1 2\r\n");
        let told: Vec<_> = batch
            .slow
            .iter()
            .map(|slow| (&slow.args[0][..], slow.took_ns, slow.waited_ns))
            .collect();
        assert_eq!(told, [(&b"keys"[..], 1000, 0), (&b"set"[..], 1000, 1000)]);
        assert!(batch.stop.is_none() && batch.needs_dispatch());
        engine.timing.slow_ns = 1001;
        assert!(run(&mut engine, b"keys *\r\n").0.slow.is_empty());
    }

    #[test]
    fn long_commands_are_cut() {
        let long = [b'x'; 130];
        let args: Vec<&[u8]> = vec![&long[..]; 40];
        let shown = shortened(args.iter().copied(), args.len());
        assert_eq!(shown.len(), 32);
        assert!(shown[0].ends_with(b"x... (2 more bytes)"));
        assert_eq!(shown[31], b"... (9 more arguments)");
        assert_eq!(shortened([&b"get"[..]].into_iter(), 1), [b"get"]);
    }
}
