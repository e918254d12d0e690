//! Runs one test: threads, each with its share of the connections, send batch after batch until
//! all requests have their replies.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::{Format, Options};
use crate::workload::Test;

const SHOW_EVERY: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_millis(100);
/// A server that sends nothing for so long is lost.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const READ_BYTES: usize = 64 * 1024;
const EVENTS_MAX: usize = 1024;
const SIGNIFICANT_DIGITS: u8 = 3;
const MICROS_MAX: u64 = 3_600_000_000;

/// The outcome of a test.
pub struct Outcome {
    pub requests: u64,
    pub elapsed: Duration,
    /// Microseconds from a batch's first byte to a reply.
    pub latencies: Histogram<u64>,
    pub error_count: u64,
    pub first_error: Option<String>,
    /// The share of the time in which the threads didn't wait for the server.
    pub busy_share: f64,
}

/// The state that all threads of a test share.
struct Shared<'a> {
    options: &'a Options,
    test: &'a Test,
    claimed: AtomicU64,
    replied: AtomicU64,
    has_failed: AtomicBool,
}

impl Shared<'_> {
    /// Takes the next batch's number of requests, 0 when none are left.
    fn claim(&self) -> u64 {
        let (all, batch) = (self.options.requests, self.options.pipeline as u64);
        let claimed = self.claimed.fetch_add(batch, Ordering::Relaxed);
        all.saturating_sub(claimed).min(batch)
    }
}

/// Runs a test.
pub fn run(options: &Options, test: &Test) -> Result<Outcome, Failure> {
    let connections =
        (options.requests.div_ceil(options.pipeline as u64)).min(options.clients as u64);
    let mut workers = Vec::new();
    let shared = Shared {
        options,
        test,
        claimed: AtomicU64::new(0),
        replied: AtomicU64::new(0),
        has_failed: AtomicBool::new(false),
    };
    for index in 0..options.threads.min(connections as usize) {
        let share = (index..connections as usize).step_by(options.threads);
        workers.push(Worker::new(&shared, index as u64, share.count())?);
    }
    let began = Instant::now();
    let (sender, receiver) = mpsc::channel();
    let mut left = workers.len();
    let mut outcomes = Vec::new();
    thread::scope(|scope| {
        for worker in workers {
            let sender = sender.clone();
            scope.spawn(move || {
                // The receiver lives until all threads have sent.
                let _ = sender.send(worker.run());
            });
        }
        while left > 0 {
            match receiver.recv_timeout(SHOW_EVERY) {
                Ok(outcome) => {
                    left -= 1;
                    outcomes.push(outcome);
                }
                Err(RecvTimeoutError::Timeout) => show_progress(&shared, began.elapsed()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    clear_progress(options);
    merge(outcomes, began.elapsed())
}

fn merge(outcomes: Vec<Result<Outcome, Failure>>, elapsed: Duration) -> Result<Outcome, Failure> {
    let mut whole: Option<Outcome> = None;
    for outcome in outcomes {
        let outcome = outcome?;
        let Some(sum) = &mut whole else {
            whole = Some(outcome);
            continue;
        };
        sum.latencies += outcome.latencies;
        sum.requests += outcome.requests;
        sum.error_count += outcome.error_count;
        sum.first_error = sum.first_error.take().or(outcome.first_error);
        sum.busy_share = sum.busy_share.max(outcome.busy_share);
    }
    let whole = whole.ok_or_else(|| Failure::System(io::Error::other("a thread has ended")));
    whole.map(|outcome| Outcome { elapsed, ..outcome })
}

fn shows_progress(options: &Options) -> bool {
    options.format != Format::Csv && io::stderr().is_terminal()
}

fn show_progress(shared: &Shared<'_>, elapsed: Duration) {
    if shows_progress(shared.options) {
        let rate = shared.replied.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64();
        // A terminal that is gone is no reason to stop.
        let _ =
            write!(io::stderr(), "\r\x1b[K{}: {rate:.2} requests per second", shared.test.title);
    }
}

fn clear_progress(options: &Options) {
    if shows_progress(options) {
        // As above.
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

/// Creates a histogram of microseconds. Longer ones than an hour count as an hour.
fn latency_histogram() -> Result<Histogram<u64>, Failure> {
    Histogram::new_with_bounds(1, MICROS_MAX, SIGNIFICANT_DIGITS)
        .map_err(|error| Failure::System(io::Error::other(error.to_string())))
}

/// A thread's connections and results.
struct Worker<'a> {
    shared: &'a Shared<'a>,
    connections: Vec<Connection>,
    poll: Poll,
    random: Rng,
    latencies: Histogram<u64>,
    buffer: Vec<u8>,
    active: usize,
    waited: Duration,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>, index: u64, count: usize) -> Result<Self, Failure> {
        let poll = Poll::new().map_err(Failure::System)?;
        let mut connections = Vec::with_capacity(count);
        for number in 0..count {
            let mut connection = Connection::open(shared.options)?;
            connection.register(poll.registry(), Token(number)).map_err(Failure::System)?;
            connections.push(connection);
        }
        let latencies = latency_histogram()?;
        Ok(Self {
            shared,
            connections,
            poll,
            random: Rng::with_seed(shared.options.seed.wrapping_add(index)),
            latencies,
            buffer: vec![0; READ_BYTES],
            active: 0,
            waited: Duration::ZERO,
        })
    }

    fn run(mut self) -> Result<Outcome, Failure> {
        let began = Instant::now();
        if let Err(error) = self.send_all() {
            self.shared.has_failed.store(true, Ordering::Relaxed);
            let test = self.shared.test.title.clone();
            let reply_count = self.shared.replied.load(Ordering::Relaxed);
            return Err(Failure::Lost { test, reply_count, error });
        }
        let elapsed = began.elapsed();
        let replies = self.connections.iter_mut().map(|connection| &mut connection.replies);
        let (mut requests, mut error_count, mut first_error) = (0, 0, None);
        for replies in replies {
            requests += replies.count;
            error_count += replies.error_count;
            first_error = first_error.or(replies.first_error.take());
        }
        let waited_share = self.waited.as_secs_f64() / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        let busy_share = (1.0 - waited_share).clamp(0.0, 1.0);
        let latencies = self.latencies;
        Ok(Outcome { requests, elapsed, latencies, error_count, first_error, busy_share })
    }

    fn send_all(&mut self) -> io::Result<()> {
        let now = Instant::now();
        self.active = self.connections.len();
        for index in 0..self.connections.len() {
            self.next_batch(index, now)?;
        }
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut last_event = Instant::now();
        while self.active > 0 && !self.shared.has_failed.load(Ordering::Relaxed) {
            let before = Instant::now();
            match self.poll.poll(&mut events, Some(WAIT_MAX)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let now = Instant::now();
            self.waited += now - before;
            if !events.is_empty() {
                last_event = now;
            } else if now - last_event > SILENCE_MAX {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no reply for a minute"));
            }
            for event in &events {
                self.advance(event.token().0)?;
            }
        }
        Ok(())
    }

    /// Sends and receives as much as a connection's socket allows. A server may close a connection
    /// that has all its replies.
    fn advance(&mut self, index: usize) -> io::Result<()> {
        loop {
            let connection = &mut self.connections[index];
            if connection.is_done() {
                return Ok(());
            }
            connection.send()?;
            let count = connection.replies.count;
            if !connection.receive(&mut self.buffer)? {
                return Ok(());
            }
            let received = connection.replies.count - count;
            if received > 0 {
                let now = Instant::now();
                let micros = (now - connection.began).as_micros() as u64;
                self.latencies.saturating_record_n(micros.max(1), received);
                self.shared.replied.fetch_add(received, Ordering::Relaxed);
                if connection.is_done() {
                    self.next_batch(index, now)?;
                }
            }
        }
    }

    fn next_batch(&mut self, index: usize, now: Instant) -> io::Result<()> {
        let count = self.shared.claim();
        if count == 0 {
            self.active -= 1;
            return Ok(());
        }
        let connection = &mut self.connections[index];
        connection.requests.clear();
        for _ in 0..count {
            let ids = self.shared.options.ids;
            self.shared.test.write(&mut connection.requests, &mut self.random, ids);
        }
        connection.begin(count, now);
        connection.send()
    }
}

#[cfg(test)]
mod tests {
    use super::{latency_histogram, MICROS_MAX};

    #[test]
    fn latencies_from_a_microsecond_to_an_hour_are_told_apart() {
        let mut latencies = latency_histogram().unwrap();
        for micros in [1, 100, 5_000, 2_000_000, 2 * MICROS_MAX] {
            latencies.saturating_record_n(micros, 1);
        }
        assert_eq!(latencies.value_at_percentile(40.0), 100);
        assert!(latencies.value_at_percentile(60.0).abs_diff(5_000) <= 5);
        assert!(latencies.value_at_percentile(80.0).abs_diff(2_000_000) <= 2_000);
        assert!(latencies.max() >= MICROS_MAX);
    }
}
