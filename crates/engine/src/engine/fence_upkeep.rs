//! The work of fences that no write of the object brings about: timers of visits, checks of visits
//! that may have ended, and the visits to fences that are gone.

use triomphe::Arc;

use super::Engine;
use crate::fence::{
    match_upkeep, number_events, MemoryChanges, Moment, Target, VisitTask, Visitor, Watch,
};

/// The objects whose visits one command ends at once, where their fence ends. The others follow.
const ENDED_AT_ONCE_MAX: usize = 10_000;

impl Engine {
    /// Sends the messages about visits that are due or have ended, for so many objects at most, and
    /// appends the commands for the log. Returns the number of objects that were looked at. A
    /// follower sends only the messages of live fences; its hooks and channels send theirs once it
    /// leads.
    pub fn run_fence_upkeep(&mut self, now_ns: i64, count_max: usize, log: &mut Vec<u8>) -> usize {
        let is_live_only = self.state.is_following;
        if self.keyspace.fences().is_idle(now_ns, is_live_only) {
            return 0;
        }
        self.set_moment(now_ns);
        let first_event = self.outbox.events.len();
        let mut count = 0;
        for is_live in [true, false] {
            let is_silent = is_live_only && !is_live;
            count += self.send_ended(is_live, is_silent, count_max.saturating_sub(count));
            if is_silent {
                continue;
            }
            count += self.run_checks(is_live, count_max.saturating_sub(count));
            while count < count_max {
                let upkeep = self.keyspace.fences_mut().upkeep_mut(is_live);
                let Some(timer) = upkeep.take_timer(now_ns) else { break };
                count += 1;
                let visits = self.keyspace.fences().visits(timer.watch.serial);
                let present = visits.and_then(|visits| visits.get(timer.visitor.id()));
                if present.is_some_and(|present| present.is(&timer.visitor)) {
                    self.do_visit_task(&timer.watch, &timer.visitor, VisitTask::Elapse);
                }
            }
        }
        self.number_events(first_event, now_ns);
        log.extend(self.take_event_log().take_marked());
        count
    }

    /// Sends the ends of visits to fences that are gone, as many as one command may at once.
    /// `is_live_only`: those to hooks and channels are sent by the leader.
    pub(super) fn send_ended_at_once(&mut self, is_live_only: bool) {
        self.send_ended(true, false, ENDED_AT_ONCE_MAX);
        self.send_ended(false, is_live_only, ENDED_AT_ONCE_MAX);
    }

    fn send_ended(&mut self, is_live: bool, is_silent: bool, count_max: usize) -> usize {
        let mut count = 0;
        while count < count_max {
            let upkeep = self.keyspace.fences_mut().upkeep_mut(is_live);
            let Some(mut ended) = upkeep.take_ended() else { break };
            if let (Target::Hook(name), true) = (&ended.watch.target, is_silent) {
                self.keyspace.fences_mut().close(name);
            }
            let mut rest = None;
            for visitor in ended.visits.from(&ended.from) {
                if count == count_max {
                    rest = Some(visitor.id().into());
                    break;
                }
                count += 1;
                if let Some(reason) = ended.reason.filter(|_| !is_silent) {
                    self.do_visit_task(&ended.watch, visitor, VisitTask::End(reason));
                }
                let upkeep = self.keyspace.fences_mut().upkeep_mut(is_live);
                upkeep.replace_timer(&ended.watch, Some(visitor), None);
            }
            if let Some(from) = rest {
                ended.from = from;
                self.keyspace.fences_mut().upkeep_mut(is_live).return_ended(ended);
            }
        }
        count
    }

    fn run_checks(&mut self, is_live: bool, count_max: usize) -> usize {
        let mut count = 0;
        while count < count_max {
            let upkeep = self.keyspace.fences_mut().upkeep_mut(is_live);
            let Some(mut check) = upkeep.take_check() else { break };
            let visits = self.keyspace.fences().visits(check.watch.serial).cloned();
            let visits = visits.unwrap_or_default();
            let mut rest = None;
            for visitor in visits.from(&check.from) {
                if count == count_max {
                    rest = Some(visitor.id().into());
                    break;
                }
                count += 1;
                self.do_visit_task(&check.watch, visitor, VisitTask::Check(check.reason));
            }
            let is_again = rest.is_none() && check.has_more;
            if let Some(from) = rest.or_else(|| is_again.then(Box::default)) {
                check.has_more &= !is_again;
                check.from = from;
                self.keyspace.fences_mut().upkeep_mut(is_live).resume(check);
            }
            if is_again {
                break;
            }
        }
        count
    }

    fn do_visit_task(&mut self, watch: &Arc<Watch>, visitor: &Visitor, task: VisitTask) {
        let events = &mut self.outbox.events;
        let changes = match_upkeep(
            &self.keyspace,
            &mut self.groups,
            &self.moment,
            (watch, visitor),
            task,
            events,
        );
        self.apply_memory(changes);
    }

    /// Updates the memory of fences, and notes the updates that have to be logged.
    pub(super) fn apply_memory(&mut self, changes: MemoryChanges) {
        for update in changes.updates {
            if update.is_logged {
                if let Some(words) = update.words() {
                    let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
                    self.event_log.push_words(&words);
                }
            }
            self.keyspace.fences_mut().update_visits(update);
        }
        for (watch, reason) in changes.unchecked {
            self.keyspace.fences_mut().check_endings(&watch, reason);
        }
    }

    /// Numbers those new events whose fences want it.
    pub(super) fn number_events(&mut self, first_event: usize, now_ns: i64) {
        let events = &mut self.outbox.events[first_event..];
        number_events(events, self.keyspace.fences_mut(), now_ns, &mut self.event_log);
    }

    /// Sets the time of messages.
    pub(crate) fn set_moment(&mut self, now_ns: i64) {
        if !self.moment.is(now_ns, self.utc_offset) {
            self.moment = Moment::new(now_ns, self.utc_offset);
        }
    }
}
