//! Counters of an engine since its start, for INFO and the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

/// Counters that only the engine's owner changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Requests, refused ones included.
    pub commands_processed: u64,
    /// Objects, hooks and channels that expired.
    pub expired: u64,
    /// Transactions of which EXEC ran the commands.
    pub transactions_run: u64,
    /// Transactions that were refused because one of their commands was.
    pub transactions_refused: u64,
    /// Transactions that EXEC didn't run because a watched key had changed.
    pub transactions_conflicting: u64,
}

/// Counters of error replies. Reads on other threads share them.
#[derive(Debug, Default)]
pub struct ErrorCounters {
    all: AtomicU64,
    timeouts: AtomicU64,
}

impl ErrorCounters {
    /// Counts an error reply.
    pub fn note(&self, error: &Error) {
        self.all.fetch_add(1, Ordering::Relaxed);
        if matches!(error, Error::Timeout) {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number of error replies.
    pub fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// Returns the number of commands and scripts that exceeded their time.
    pub fn timeouts(&self) -> u64 {
        self.timeouts.load(Ordering::Relaxed)
    }
}
