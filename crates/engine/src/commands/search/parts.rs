//! A search over many objects in parts, on all threads that help.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::call::Budget;
use crate::error::Result;
use crate::helpers::Helpers;
use crate::query::rows::Rows;

/// The number of parts to aim at: enough that threads are busy until the end.
pub(super) const PARTS_MIN: usize = 128;

/// The time between two looks at the deadline while threads that help are at work.
const CHECK_INTERVAL: Duration = Duration::from_millis(2);

/// Searches one part, given by its number, and adds its results to the rows.
pub(super) type SearchPart<'f, 'o, 'a> =
    &'f (dyn Fn(usize, &mut Rows<'o, 'a>, &mut Budget) -> Result<()> + Sync);

/// The results of the parts so far.
struct Found<'o, 'a> {
    parts: Vec<Option<Rows<'o, 'a>>>,
    /// The number of parts at the beginning that are all done.
    done_count: usize,
    /// The number of the results of these parts.
    result_count: u64,
}

/// A search that several threads do.
struct Division<'f, 'o, 'a> {
    search: SearchPart<'f, 'o, 'a>,
    next: AtomicUsize,
    is_stopped: AtomicBool,
    found: Mutex<Found<'o, 'a>>,
    /// Signalled when a part is done.
    changed: Condvar,
    /// An empty collection of results.
    empty: Mutex<Rows<'o, 'a>>,
    limit: u64,
    part_count: usize,
}

/// Returns the threads among which the search of these rows may be divided.
pub(super) fn helpers<'b>(rows: &Rows, budget: &Budget<'b>) -> Option<&'b dyn Helpers> {
    budget.helpers().filter(|_| rows.is_divisible())
}

/// Searches all parts and adds their results to the rows in the order of the parts, up to the
/// limit, as one search of all would. Parts whose results aren't needed are not searched to their
/// end. Fails with the error of the present thread's budget.
pub(super) fn run<'o, 'a>(
    helpers: &dyn Helpers,
    part_count: usize,
    rows: &mut Rows<'o, 'a>,
    budget: &mut Budget,
    search: SearchPart<'_, 'o, 'a>,
) -> Result<()> {
    let mut parts = Vec::new();
    parts.resize_with(part_count, || None);
    let division = Division {
        search,
        next: AtomicUsize::new(0),
        is_stopped: AtomicBool::new(false),
        found: Mutex::new(Found { parts, done_count: 0, result_count: 0 }),
        changed: Condvar::new(),
        empty: Mutex::new(rows.of_part()),
        limit: rows.limit(),
        part_count,
    };
    let mut result = Ok(());
    helpers.run(&|| division.help(), &mut || {
        result = division.work(budget).and_then(|()| division.wait(budget));
    });
    result?;
    let found = division.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (number, part) in found.parts.into_iter().enumerate() {
        // The limit is within this part: it is searched again up to there.
        if !part.is_some_and(|part| rows.append(part)) {
            search(number, rows, budget)?;
        }
        if rows.is_complete() {
            break;
        }
    }
    Ok(())
}

impl Division<'_, '_, '_> {
    /// Searches parts on a thread that helps, until none is left or the search is stopped.
    fn help(&self) {
        let stopwatch = || 0;
        let mut budget = Budget::new(u64::MAX, &stopwatch).with_cancellation(&self.is_stopped);
        // Fails only if the search is stopped.
        let _ = self.work(&mut budget);
    }

    fn work(&self, budget: &mut Budget) -> Result<()> {
        while !self.is_stopped.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.part_count {
                break;
            }
            let mut rows = self.empty.lock().unwrap_or_else(PoisonError::into_inner).of_part();
            let result = (self.search)(number, &mut rows, budget);
            if result.is_err() {
                self.is_stopped.store(true, Ordering::Relaxed);
                return result;
            }
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.add(number, rows);
            self.changed.notify_one();
            if found.result_count >= self.limit {
                self.is_stopped.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Waits for the parts of threads that help. If the deadline passes, or nobody waits for the
    /// reply any more, they are stopped.
    fn wait(&self, budget: &Budget) -> Result<()> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        while found.done_count < self.part_count && !self.is_stopped.load(Ordering::Relaxed) {
            let result = budget.check_deadline();
            if result.is_err() {
                self.is_stopped.store(true, Ordering::Relaxed);
                return result;
            }
            let waited = self.changed.wait_timeout(found, CHECK_INTERVAL);
            found = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

impl<'o, 'a> Found<'o, 'a> {
    fn add(&mut self, number: usize, rows: Rows<'o, 'a>) {
        self.parts[number] = Some(rows);
        while let Some(Some(rows)) = self.parts.get(self.done_count) {
            self.done_count += 1;
            self.result_count = self.result_count.saturating_add(rows.count());
        }
    }
}
