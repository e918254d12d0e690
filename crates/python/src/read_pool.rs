//! `ReadPool`: threads that run read units. They never take the GIL.
//!
//! The event loop submits units and collects those that are finished. While units wait for which no
//! thread is free, it runs some itself, in short slices between two polls. A byte in a socket wakes
//! the event loop up when a unit is finished, unless the loop is going to look anyway.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use ::engine::session::{Progress, ReadUnit as CoreUnit, SliceLimits, READ_WORK_MAX};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rustix::process::nice;

use crate::monotonic_ns;
use crate::read_unit::ReadUnit;
use crate::search_threads::SearchThreads;

/// The limits of a unit on a thread: after 10 ms the next unit runs, and a read that takes longer
/// moves to the threads for long reads.
const THREAD_LIMITS: SliceLimits = SliceLimits::new(5 * READ_WORK_MAX, 10_000_000);
/// The limits of a unit on the event loop, which other connections wait for. One read may do what
/// it may without units: to begin it anew on a thread would cost more.
const LOOP_LIMITS: SliceLimits = SliceLimits::new(READ_WORK_MAX, 300_000);
/// The limits of a unit of long reads: between two reads others get their turn.
const LONG_LIMITS: SliceLimits = SliceLimits::new(u64::MAX, 10_000_000);
/// The most threads that help with one long search.
const HELPERS_MAX: usize = 15;

/// By how much the nice values of the threads exceed the event loop's.
const SHORT_NICE: i32 = 5;
const LONG_NICE: i32 = 10;

/// The threads that run a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Short,
    /// For reads that take long, so that they don't hold up others.
    Long,
}

/// A unit and the function that is called when it is finished.
struct Job {
    core: Box<CoreUnit>,
    unit: Py<ReadUnit>,
    done: Py<PyAny>,
    /// Whether a read takes too long for the event loop.
    needs_thread: bool,
    /// Whether a read has ended in a panic.
    has_panicked: bool,
}

impl Job {
    /// Returns the threads that run the unit next, unless a read turns out to take long.
    fn lane(&self) -> Lane {
        if self.core.is_long() {
            Lane::Long
        } else {
            Lane::Short
        }
    }

    /// Runs reads; `None` if one has panicked.
    fn run_slice(&mut self, limits: SliceLimits) -> Option<Progress> {
        let run = || self.core.run_slice(limits, &monotonic_ns);
        let progress = panic::catch_unwind(AssertUnwindSafe(run)).ok();
        self.has_panicked = progress.is_none();
        progress
    }
}

/// The units that wait for a thread of one lane.
#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// The number of threads that wait for a unit.
    idle_count: usize,
    /// The number of threads that are to run.
    thread_count: usize,
    /// The number of threads that run, or end after their present unit.
    alive_count: usize,
    /// The flags by which the units that run now are cancelled.
    running: Vec<Arc<AtomicBool>>,
}

#[derive(Default)]
struct State {
    short: Queue,
    long: Queue,
    finished: Vec<Job>,
    /// Whether the event loop will look for finished units without being woken up.
    is_loop_due: bool,
}

struct Pool {
    state: Mutex<State>,
    short_ready: Condvar,
    long_ready: Condvar,
    waker: UnixStream,
}

impl State {
    fn queue(&mut self, lane: Lane) -> &mut Queue {
        match lane {
            Lane::Short => &mut self.short,
            Lane::Long => &mut self.long,
        }
    }

    /// Returns whether the event loop is to run a unit: more wait than threads are free.
    fn needs_loop(&self) -> bool {
        let jobs = &self.short.jobs;
        jobs.len() > self.short.idle_count && jobs.iter().any(|job| !job.needs_thread)
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready(&self, lane: Lane) -> &Condvar {
        match lane {
            Lane::Short => &self.short_ready,
            Lane::Long => &self.long_ready,
        }
    }

    /// Runs units of a lane on the present thread until the lane has too many threads.
    fn work(&self, lane: Lane) {
        yield_to_event_loop(lane);
        while let Some(mut job) = self.next(lane) {
            let flag = job.core.cancellation();
            let progress = match lane {
                Lane::Short => job.run_slice(THREAD_LIMITS),
                Lane::Long => match self.search_threads() {
                    Some(threads) => job.run_slice(LONG_LIMITS.with_helpers(&threads)),
                    None => job.run_slice(LONG_LIMITS),
                },
            };
            let mut state = self.lock();
            state.queue(lane).running.retain(|running| !Arc::ptr_eq(running, &flag));
            let must_wake = self.settle(&mut state, job, progress);
            drop(state);
            if must_wake {
                // A full socket wakes the event loop up as well.
                let _ = (&self.waker).write(&[1]);
            }
        }
    }

    /// Returns the threads that help with a long read; `None` if only one thread is for reads.
    fn search_threads(&self) -> Option<SearchThreads> {
        let helper_count = self.lock().short.thread_count.checked_sub(1)?;
        let helper_count = helper_count.min(HELPERS_MAX);
        (helper_count > 0).then_some(SearchThreads { helper_count })
    }

    /// Waits for a unit; `None` if the thread is to end.
    fn next(&self, lane: Lane) -> Option<Job> {
        let mut state = self.lock();
        loop {
            let queue = state.queue(lane);
            if queue.alive_count > queue.thread_count {
                queue.alive_count -= 1;
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                queue.running.push(job.core.cancellation());
                return Some(job);
            }
            queue.idle_count += 1;
            state = self.ready(lane).wait(state).unwrap_or_else(PoisonError::into_inner);
            state.queue(lane).idle_count -= 1;
        }
    }

    /// Queues a unit again or adds it to those that are finished. Returns whether the event loop
    /// has to be woken up.
    fn settle(&self, state: &mut State, mut job: Job, progress: Option<Progress>) -> bool {
        match progress {
            None | Some(Progress::Done | Progress::Full) => {
                state.finished.push(job);
                return !std::mem::replace(&mut state.is_loop_due, true);
            }
            Some(Progress::SliceOver) => self.push(state, job.lane(), job),
            Some(Progress::TooLong) if job.needs_thread => self.push(state, Lane::Long, job),
            Some(Progress::TooLong) => {
                job.needs_thread = true;
                self.push(state, Lane::Short, job);
            }
        }
        false
    }

    fn push(&self, state: &mut State, mut lane: Lane, job: Job) {
        if lane == Lane::Short && job.needs_thread && state.short.thread_count == 0 {
            lane = Lane::Long;
        }
        state.queue(lane).jobs.push_back(job);
        self.wake_thread(state, lane);
    }

    /// Wakes up a thread for a unit that was queued.
    fn wake_thread(&self, state: &mut State, lane: Lane) {
        if state.queue(lane).idle_count > 0 {
            self.ready(lane).notify_one();
        }
    }

    /// Runs a slice of a unit for which no thread is free, on the event loop.
    fn help(&self) {
        let mut state = self.lock();
        if !state.needs_loop() {
            return;
        }
        let Some(index) = state.short.jobs.iter().position(|job| !job.needs_thread) else { return };
        let Some(mut job) = state.short.jobs.remove(index) else { return };
        drop(state);
        let progress = job.run_slice(LOOP_LIMITS);
        let mut state = self.lock();
        if progress == Some(Progress::SliceOver) {
            state.short.jobs.push_front(job);
            // A thread may have found the queue empty meanwhile.
            self.wake_thread(&mut state, Lane::Short);
        } else {
            self.settle(&mut state, job, progress);
        }
    }

    /// Cancels all units and ends all threads.
    fn stop(&self) {
        let mut state = self.lock();
        for lane in [Lane::Short, Lane::Long] {
            let queue = state.queue(lane);
            queue.thread_count = 0;
            queue.running.iter().for_each(|flag| flag.store(true, Ordering::Relaxed));
            self.ready(lane).notify_all();
        }
    }
}

/// Lowers the priority of the present thread, so that the event loop gets a core at once when it
/// has something to do. Otherwise it would wait for the time slices of threads, which last
/// milliseconds.
fn yield_to_event_loop(lane: Lane) {
    let increment = if lane == Lane::Short { SHORT_NICE } else { LONG_NICE };
    // On Linux this is the thread's alone. Elsewhere it would be the process's.
    if cfg!(target_os = "linux") {
        // Without the right to do so the threads compete as equals.
        let _ = nice(increment);
    }
}

/// Threads that run read units beside the event loop.
#[pyclass(frozen)]
pub struct ReadPool {
    pool: Arc<Pool>,
    wakeups: UnixStream,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl ReadPool {
    /// Starts the threads of a lane that are missing; those that are too many end.
    fn resize(&self, lane: Lane, count: usize) -> std::io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        let mut state = self.pool.lock();
        state.queue(lane).thread_count = count;
        self.pool.ready(lane).notify_all();
        while state.queue(lane).alive_count < count {
            let pool = Arc::clone(&self.pool);
            let name = if lane == Lane::Short { "reads" } else { "long reads" };
            let builder = thread::Builder::new().name(name.to_string());
            threads.push(builder.spawn(move || pool.work(lane))?);
            state.queue(lane).alive_count += 1;
        }
        if count == 0 {
            // Without threads, units that need one are for those of long reads.
            for job in std::mem::take(&mut state.short.jobs) {
                self.pool.push(&mut state, Lane::Short, job);
            }
        }
        Ok(())
    }
}

#[pymethods]
impl ReadPool {
    #[new]
    fn new(threads: usize, long_threads: usize) -> PyResult<Self> {
        let (wakeups, waker) = UnixStream::pair()?;
        wakeups.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        let pool = Arc::new(Pool {
            state: Mutex::default(),
            short_ready: Condvar::new(),
            long_ready: Condvar::new(),
            waker,
        });
        let pool = ReadPool { pool, wakeups, threads: Mutex::default() };
        pool.resize(Lane::Short, threads)?;
        pool.resize(Lane::Long, long_threads)?;
        Ok(pool)
    }

    /// The number of cores that this process may use.
    #[staticmethod]
    fn core_count() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    /// Change the number of threads for units that don't take long.
    fn set_threads(&self, count: usize) -> PyResult<()> {
        Ok(self.resize(Lane::Short, count)?)
    }

    /// The descriptor that becomes readable when units are finished.
    fn fileno(&self) -> i32 {
        self.wakeups.as_raw_fd()
    }

    /// Submit a unit; `collect` returns `done` when the unit is finished. Return whether to call
    /// `collect` soon.
    fn submit(&self, unit: Py<ReadUnit>, done: Py<PyAny>) -> PyResult<bool> {
        let Some(core) = unit.get().take() else {
            return Err(PyRuntimeError::new_err("the unit runs already"));
        };
        let mut state = self.pool.lock();
        let job = Job { core, unit, done, needs_thread: false, has_panicked: false };
        self.pool.push(&mut state, job.lane(), job);
        let is_due = state.needs_loop() && !state.is_loop_due;
        state.is_loop_due |= is_due;
        Ok(is_due)
    }

    /// Return the `done` of all finished units, each with whether a read has panicked, and whether
    /// no thread is free for a unit that waits: then call `help`, and `collect` again soon.
    fn collect(&self) -> (Vec<(Py<PyAny>, bool)>, bool) {
        let mut bytes = [0; 16];
        let _ = (&self.wakeups).read(&mut bytes);
        let (finished, needs_loop) = {
            let mut state = self.pool.lock();
            let needs_loop = state.needs_loop();
            state.is_loop_due = needs_loop;
            (std::mem::take(&mut state.finished), needs_loop)
        };
        let finished =
            finished.into_iter().map(|Job { core, unit, done, has_panicked, .. }| {
                unit.get().put_back(core);
                (done, has_panicked)
            });
        (finished.collect(), needs_loop)
    }

    /// Run a unit on the present thread for a short time, if no other thread is free.
    fn help(&self) {
        self.pool.help();
    }

    /// Cancel all units and wait for the threads.
    fn stop(&self, py: Python<'_>) {
        self.pool.stop();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = std::mem::take(&mut *threads);
        py.detach(|| threads.into_iter().for_each(|thread| drop(thread.join())));
    }
}
