//! The work that fences with a memory have besides writes: timers of visits that are due, and
//! checks of visits that may have ended.

use std::cmp::Ordering;
use std::collections::VecDeque;

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::end_reason::EndReason;
use super::visits::{Visitor, Visits};
use super::watch::Watch;

/// Approximate memory of a timer.
const TIMER_BYTES: usize = 56;

/// The next time at which the visits of an object to a fence change by themselves.
#[derive(Clone)]
pub struct Timer {
    deadline_ns: i64,
    /// The fence.
    pub watch: Arc<Watch>,
    /// The object. Another one in the fence's memory makes this timer void.
    pub visitor: Visitor,
}

impl Timer {
    fn new(watch: &Arc<Watch>, visitor: &Visitor) -> Option<Self> {
        let options = watch.fence.presence.as_ref()?;
        let deadlines = visitor.visits().filter_map(|visit| options.deadline_ns(&visit.state));
        let deadline_ns = deadlines.min()?;
        Some(Timer { deadline_ns, watch: watch.clone(), visitor: visitor.clone() })
    }

    fn order(&self) -> (i64, u64, &[u8]) {
        (self.deadline_ns, self.watch.serial, self.visitor.id())
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

/// A walk through the visits of a fence that ends those that have no longer a cause.
#[derive(Clone)]
pub struct Check {
    /// The fence.
    pub watch: Arc<Watch>,
    /// The reason that the messages give where the object is gone.
    pub reason: EndReason,
    /// The id of the first object that is still to be checked.
    pub from: Box<[u8]>,
    /// Whether another walk has to follow, because something changed meanwhile.
    pub has_more: bool,
}

/// A fence that is gone or was emptied, with visits whose ends are still to be sent and whose
/// timers are still to be removed.
#[derive(Clone)]
pub struct Ended {
    /// The fence.
    pub watch: Arc<Watch>,
    /// The visits, from [`Ended::from`] on.
    pub visits: Visits,
    /// The id of the first object whose visits are still to be ended.
    pub from: Box<[u8]>,
    /// The reason that the messages give; `None` if there are no messages.
    pub reason: Option<EndReason>,
}

/// The work of one kind of fences. `Clone` takes a snapshot.
#[derive(Clone, Default)]
pub struct Upkeep {
    timers: OrdSet<Timer>,
    checks: OrdMap<u64, Check>,
    ended: VecDeque<Ended>,
}

impl Upkeep {
    /// Approximate memory.
    pub fn bytes(&self) -> usize {
        self.timers.len() * TIMER_BYTES
    }

    /// Replaces the timer of an object.
    pub fn replace_timer(
        &mut self,
        watch: &Arc<Watch>,
        former: Option<&Visitor>,
        visitor: Option<&Visitor>,
    ) {
        if let Some(timer) = former.and_then(|former| Timer::new(watch, former)) {
            let present = self.timers.get(&timer);
            if present.is_some_and(|present| present.visitor.is(&timer.visitor)) {
                self.timers.remove(&timer);
            }
        }
        if let Some(timer) = visitor.and_then(|visitor| Timer::new(watch, visitor)) {
            self.timers.insert(timer);
        }
    }

    /// Takes the timer with the earliest deadline, if that has passed.
    pub fn take_timer(&mut self, now_ns: i64) -> Option<Timer> {
        if self.timers.get_min()?.deadline_ns > now_ns {
            return None;
        }
        let (timer, rest) = self.timers.without_min();
        self.timers = rest;
        timer
    }

    /// Lets the visits of a fence be checked.
    pub fn check(&mut self, watch: &Arc<Watch>, reason: EndReason) {
        if let Some(check) = self.checks.get_mut(&watch.serial) {
            check.has_more = true;
            return;
        }
        let check = Check { watch: watch.clone(), reason, from: [].into(), has_more: false };
        self.checks.insert(watch.serial, check);
    }

    /// Takes a check of the fence with the least number.
    pub fn take_check(&mut self) -> Option<Check> {
        let serial = self.checks.get_min()?.0;
        self.checks.remove(&serial)
    }

    /// Puts a check back that isn't finished.
    pub fn resume(&mut self, check: Check) {
        self.checks.insert(check.watch.serial, check);
    }

    /// Adds a fence whose visits have ended.
    pub fn add_ended(&mut self, watch: &Arc<Watch>, visits: Visits, reason: Option<EndReason>) {
        self.ended.push_back(Ended { watch: watch.clone(), visits, from: [].into(), reason });
    }

    /// Returns whether the visits that ended last were to this fence, and cause messages.
    pub fn ended_last(&self, serial: u64) -> bool {
        let last = self.ended.back().filter(|ended| ended.reason.is_some());
        last.is_some_and(|ended| ended.watch.serial == serial)
    }

    /// Takes the first fence whose visits have ended.
    pub fn take_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    /// Puts a fence back of which visits are left.
    pub fn return_ended(&mut self, ended: Ended) {
        self.ended.push_front(ended);
    }

    /// Takes the fences whose visits have ended out of work that is discarded otherwise.
    pub fn with_ended_only(&mut self) -> Upkeep {
        Upkeep { ended: std::mem::take(&mut self.ended), ..Upkeep::default() }
    }

    /// Removes the check of a fence that is gone. Its timers are void.
    pub fn forget(&mut self, serial: u64) {
        self.checks.remove(&serial);
    }

    /// Returns whether no visits have to be ended.
    pub fn has_no_ended(&self) -> bool {
        self.ended.is_empty()
    }

    /// Returns whether nothing is to be done before the next deadline.
    pub fn is_idle(&self, now_ns: i64) -> bool {
        self.has_no_ended()
            && self.checks.is_empty()
            && self.timers.get_min().is_none_or(|timer| timer.deadline_ns > now_ns)
    }
}
