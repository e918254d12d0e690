//! The placement of reads: on the event loop's thread, or in a read unit on another thread.
//!
//! Another thread pays when reads take longer than passing them over, and when somebody gains: the
//! requests of other sessions, or the other reads of a long pipeline. Reads of one object never
//! leave the event loop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// The most reads of a unit.
pub(super) const UNIT_READS_MAX: usize = 128;
/// The expected duration of a unit from which it is passed on while other sessions have requests.
/// Passing a unit on takes the event loop some 5 µs, and a thread has to wake up.
const UNIT_NS_MIN: u64 = 25_000;
/// The same while no other session has any: then the client waits for two threads to wake up.
const UNIT_NS_MIN_ALONE: u64 = 1_000_000;
/// The expected duration of a read from which its unit belongs to the threads for long reads:
/// elsewhere it would be begun in vain.
const LONG_READ_NS: u64 = 10_000_000;
/// The assumed duration of a session's first read.
const READ_NS_UNKNOWN: u64 = 20_000;
/// The most units at a time; further reads stay on the event loop.
const UNITS_MAX: usize = 1024;
/// Another session counts as waiting for so long after its last batch: within one turn of the event
/// loop, the time between the batches of two sessions is shorter.
const SESSION_WAITS_NS: u64 = 100_000;

/// The values that decide the placement of a read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// The expected duration of each read.
    pub read_ns: u64,
    /// The number of reads that the session has probably received.
    pub read_count: usize,
    /// The number of units of all sessions that are not finished.
    pub unit_count: usize,
    /// Whether another session had requests just before.
    pub is_other_active: bool,
    /// Whether a client runs MONITOR, which shows reads when they end.
    pub is_monitored: bool,
}

/// Returns whether a read is passed to another thread.
pub(super) fn leaves_loop(situation: Situation) -> bool {
    let Situation { read_ns, read_count, unit_count, is_other_active, is_monitored } = situation;
    if is_monitored || unit_count >= UNITS_MAX {
        return false;
    }
    let unit_ns = read_ns.saturating_mul(read_count.min(UNIT_READS_MAX) as u64);
    let is_contended = is_other_active || unit_count > 0;
    unit_ns >= if is_contended { UNIT_NS_MIN } else { UNIT_NS_MIN_ALONE }
}

/// The numbers of units of all sessions.
#[derive(Debug, Default)]
pub(super) struct UnitCounts {
    /// Those that are not finished.
    active: AtomicUsize,
    /// Those that were created since the start.
    created: AtomicUsize,
}

/// Counts a unit from its creation to its end.
pub(super) struct CountedUnit(Arc<UnitCounts>);

impl Drop for CountedUnit {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The state of the engine by which reads are placed.
#[derive(Default)]
pub struct Placement {
    /// Whether the driver runs units on other threads. Without, only reads that exceed their budget
    /// leave the event loop.
    pub is_enabled: bool,
    counts: Arc<UnitCounts>,
    /// The number of batches of all sessions.
    batch_count: u64,
    /// The reading of the monotonic clock at the end of the last batch.
    batch_ended_ns: u64,
}

impl Placement {
    /// Counts a new unit.
    pub(super) fn count_unit(&self) -> CountedUnit {
        self.counts.active.fetch_add(1, Ordering::Relaxed);
        self.counts.created.fetch_add(1, Ordering::Relaxed);
        CountedUnit(Arc::clone(&self.counts))
    }

    /// Returns the number of units that are not finished.
    pub fn active_count(&self) -> usize {
        self.counts.active.load(Ordering::Relaxed)
    }

    /// Returns the number of units since the start.
    pub fn created_count(&self) -> usize {
        self.counts.created.load(Ordering::Relaxed)
    }

    /// Notes the end of a batch.
    pub(super) fn end_batch(&mut self, session: &mut ReadCosts, now_ns: u64) {
        self.batch_count += 1;
        self.batch_ended_ns = now_ns;
        session.last_batch = self.batch_count;
    }

    /// Returns whether the last batch was another session's and ended just before `now_ns`.
    pub(super) fn is_other_active(&self, session: &ReadCosts, now_ns: u64) -> bool {
        self.batch_count != session.last_batch
            && now_ns.saturating_sub(self.batch_ended_ns) < SESSION_WAITS_NS
    }
}

/// The durations of a session's reads, and the number of its last batch.
#[derive(Default)]
pub(super) struct ReadCosts {
    /// The moving average of durations; 0 without any read.
    average_ns: u64,
    last_batch: u64,
}

impl ReadCosts {
    /// Notes the duration of a read.
    pub fn note(&mut self, took_ns: u64) {
        let took_ns = took_ns.max(1);
        self.average_ns = match self.average_ns {
            0 => took_ns,
            average_ns => (3 * average_ns + took_ns) / 4,
        };
    }

    /// Returns whether no read has been timed.
    pub fn is_unknown(&self) -> bool {
        self.average_ns == 0
    }

    /// Returns whether the next read probably takes long.
    pub fn expects_long_read(&self) -> bool {
        self.average_ns >= LONG_READ_NS
    }

    /// Returns the expected duration of the next read.
    pub fn expected_ns(&self) -> u64 {
        if self.average_ns == 0 {
            READ_NS_UNKNOWN
        } else {
            self.average_ns
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Situation = Situation {
        read_ns: 20_000,
        read_count: 1,
        unit_count: 0,
        is_other_active: false,
        is_monitored: false,
    };

    #[test]
    fn reads_leave_the_loop_where_that_pays() {
        let among_others = Situation { is_other_active: true, ..ALONE };
        let table = [
            // A lone read is answered at once, unless it takes long.
            (ALONE, false),
            (Situation { read_ns: 999_999, ..ALONE }, false),
            (Situation { read_ns: 1_000_000, ..ALONE }, true),
            // A pipeline is as long as its reads together.
            (Situation { read_count: 49, ..ALONE }, false),
            (Situation { read_count: 50, ..ALONE }, true),
            // While others have requests, less is enough.
            (among_others, false),
            (Situation { read_ns: 24_999, ..among_others }, false),
            (Situation { read_ns: 25_000, ..among_others }, true),
            (Situation { read_count: 2, ..among_others }, true),
            // Units of other sessions mean the same.
            (Situation { read_count: 2, unit_count: 1, ..ALONE }, true),
            (Situation { unit_count: 1, ..ALONE }, false),
            // A pipeline is no longer than a unit.
            (Situation { read_ns: 10, read_count: 1_000_000, ..among_others }, false),
            // The number of units is bounded.
            (Situation { read_count: 99, unit_count: UNITS_MAX - 1, ..ALONE }, true),
            (Situation { read_count: 99, unit_count: UNITS_MAX, ..ALONE }, false),
            // MONITOR shows a read when it ends.
            (Situation { read_count: 99, is_monitored: true, ..among_others }, false),
        ];
        for (situation, expected) in table {
            assert_eq!(leaves_loop(situation), expected, "{situation:?}");
        }
    }

    #[test]
    fn the_expected_duration_follows_the_reads() {
        let mut costs = ReadCosts::default();
        assert_eq!(costs.expected_ns(), READ_NS_UNKNOWN);
        assert!(costs.is_unknown() && !costs.expects_long_read());
        costs.note(1000);
        assert_eq!(costs.expected_ns(), 1000);
        costs.note(5000);
        assert_eq!(costs.expected_ns(), 2000);
        costs.note(4 * LONG_READ_NS);
        assert!(!costs.is_unknown() && costs.expects_long_read());
    }

    #[test]
    fn another_session_is_active_for_a_short_time_after_its_batch() {
        let mut placement = Placement::default();
        let (mut one, mut other) = (ReadCosts::default(), ReadCosts::default());
        assert!(!placement.is_other_active(&one, 10));
        placement.end_batch(&mut one, 1000);
        assert!(!placement.is_other_active(&one, 1001));
        assert!(placement.is_other_active(&other, 1001));
        assert!(!placement.is_other_active(&other, 1000 + SESSION_WAITS_NS));
        placement.end_batch(&mut other, 2000);
        assert!(placement.is_other_active(&one, 2001));
    }
}
