//! `BoundedEngine`: the engine and the bound on the bytes of its heap.
//!
//! Measuring the heap takes microseconds, too long for each batch. Between two measurements, two
//! counters of the allocator tell how many bytes this thread has allocated and freed. When they
//! say that the bound is crossed, the heap is measured. So a flood of writes exceeds the bound by
//! one batch at most.

use std::ops::{Deref, DerefMut};
use std::thread::{self, ThreadId};

use ::engine::engine::Engine as CoreEngine;
use tikv_jemalloc_ctl::thread::{allocatedp, deallocatedp, ThreadLocal};
use tikv_jemalloc_ctl::{epoch, stats, Result};

/// Bytes that a large request takes while it arrives and runs, as a multiple of its size: the
/// buffer as it grows, the arguments, and the shape that is parsed from them.
const REQUEST_FACTOR: usize = 6;
/// Size of a request that is accepted even when no memory is left.
const REQUEST_BYTES_MIN: usize = 1024 * 1024;

thread_local! {
    /// The allocator's counters of this thread: bytes ever allocated and ever freed.
    static COUNTERS: Option<(ThreadLocal<u64>, ThreadLocal<u64>)> =
        allocatedp::read().and_then(|allocated| Ok((allocated, deallocatedp::read()?))).ok();
}

/// Bytes that this thread has allocated less those it has freed; negative if it has freed other
/// threads' bytes.
fn balance() -> i64 {
    let counters = COUNTERS.with(|counters| *counters);
    counters.map_or(0, |(allocated, freed)| allocated.get().wrapping_sub(freed.get()) as i64)
}

/// Measures the bytes of the heap in use.
pub fn heap_bytes() -> Result<usize> {
    epoch::advance()?;
    stats::allocated::read()
}

/// An engine that is out of memory while its heap is larger than a bound.
pub struct BoundedEngine {
    engine: CoreEngine,
    /// Bytes of the heap above which the engine is out of memory; `None` for no bound.
    bytes_max: Option<usize>,
    /// Bytes of the heap at the last measurement.
    measured: usize,
    /// `balance()` at the last measurement.
    balance: i64,
    /// The thread of the last measurement.
    thread: Option<ThreadId>,
}

impl BoundedEngine {
    /// An engine without a bound.
    pub fn new(engine: CoreEngine) -> Self {
        BoundedEngine { engine, bytes_max: None, measured: 0, balance: 0, thread: None }
    }

    /// Sets the bound and measures; returns whether the heap exceeds it.
    pub fn bound(&mut self, bytes_max: Option<usize>) -> bool {
        self.bytes_max = bytes_max;
        self.measure();
        self.engine.state.is_out_of_memory
    }

    /// Updates whether the engine is out of memory. Called before each batch.
    #[inline]
    pub fn check(&mut self) {
        let Some(bytes_max) = self.bytes_max else { return };
        match self.estimate() {
            Some(used) if (used > bytes_max) == self.engine.state.is_out_of_memory => {
                self.bound_requests(bytes_max.saturating_sub(used));
            }
            _ => self.measure(),
        }
    }

    /// Bytes of the heap, by this thread's counters; `None` if another thread measured.
    fn estimate(&self) -> Option<usize> {
        let is_mine = self.thread == Some(thread::current().id());
        is_mine.then(|| self.measured.saturating_add_signed((balance() - self.balance) as isize))
    }

    /// Leaves out bytes that this thread frees though another thread allocated them.
    pub fn ignore_freed(&mut self, bytes: usize) {
        self.balance = self.balance.wrapping_sub(bytes as i64);
    }

    fn measure(&mut self) {
        // Reading these statistics fails on no call if it doesn't on the first.
        self.measured = heap_bytes().unwrap_or(self.measured);
        self.balance = balance();
        self.thread = Some(thread::current().id());
        let bytes_max = self.bytes_max.unwrap_or(usize::MAX);
        self.engine.state.is_out_of_memory = self.measured > bytes_max;
        self.bound_requests(bytes_max.saturating_sub(self.measured));
    }

    /// Bounds the size of requests by the bytes that are left.
    fn bound_requests(&mut self, left: usize) {
        self.engine.request_bytes_max = (left / REQUEST_FACTOR).max(REQUEST_BYTES_MIN);
    }
}

impl Deref for BoundedEngine {
    type Target = CoreEngine;

    fn deref(&self) -> &CoreEngine {
        &self.engine
    }
}

impl DerefMut for BoundedEngine {
    fn deref_mut(&mut self) -> &mut CoreEngine {
        &mut self.engine
    }
}
