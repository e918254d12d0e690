//! The answers of standing queries: the present one, the one that was sent last, and when the next
//! message is due. They follow from the data alone, so that no log has them; after a restart or a
//! fail-over the whole answer is sent again.

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::roam::Neighbor;
use super::standing_index::Place;
use super::{FenceRegistry, Watch};
use crate::keyspace::Key;

/// The answer of a standing query.
#[derive(Clone)]
pub enum Answer {
    /// The number of objects.
    Count(u64),
    /// The nearest objects, in their order.
    Top(Arc<[Neighbor]>),
}

/// A standing query.
#[derive(Clone)]
struct StandingQuery {
    watch: Arc<Watch>,
    place: Place,
    /// `None` until it is computed.
    answer: Option<Answer>,
    /// The answer that was sent last.
    told: Option<Answer>,
    told_ns: i64,
    due_ns: Option<i64>,
}

/// A message that is due: the query, the answer that was sent before, and the present one.
pub struct DueAnswer {
    /// The query.
    pub watch: Arc<Watch>,
    /// The answer that was sent last, if one was.
    pub told: Option<Answer>,
    /// The present answer.
    pub answer: Answer,
}

/// All standing queries. `Clone` takes a snapshot.
#[derive(Clone, Default)]
pub struct StandingQueries {
    queries: OrdMap<u64, StandingQuery>,
    /// When messages are due, with the numbers of live fences.
    due_live: OrdSet<(i64, u64)>,
    /// The same of hooks and channels, which are silent on followers.
    due_named: OrdSet<(i64, u64)>,
    /// Queries whose answers have to be computed anew.
    stale: Vec<u64>,
}

impl StandingQueries {
    /// Whether there is no query.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Whether answers have to be computed anew.
    pub fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Whether a message is due.
    pub fn has_due(&self, now_ns: i64, is_live_only: bool) -> bool {
        let is_due = |due: &OrdSet<(i64, u64)>| due.get_min().is_some_and(|(at, _)| *at <= now_ns);
        is_due(&self.due_live) || (!is_live_only && is_due(&self.due_named))
    }

    /// Returns the present answer of a query.
    pub fn answer(&self, serial: u64) -> Option<&Answer> {
        self.queries.get(&serial)?.answer.as_ref()
    }

    /// Returns the queries whose answers have to be computed anew.
    pub fn stale(&self) -> Vec<Arc<Watch>> {
        let queries = self.stale.iter().filter_map(|serial| self.queries.get(serial));
        queries.map(|query| Arc::clone(&query.watch)).collect()
    }

    /// Takes the queries whose answers have to be computed anew, each once.
    pub fn take_stale(&mut self) -> Vec<Arc<Watch>> {
        let mut serials = std::mem::take(&mut self.stale);
        serials.sort_unstable();
        serials.dedup();
        let watch = |serial| self.queries.get(&serial).map(|query| Arc::clone(&query.watch));
        serials.into_iter().filter_map(watch).collect()
    }

    fn due(&mut self, watch: &Watch) -> &mut OrdSet<(i64, u64)> {
        if watch.is_live() {
            &mut self.due_live
        } else {
            &mut self.due_named
        }
    }

    /// Takes the messages that are due.
    pub fn take_due(&mut self, now_ns: i64, is_live_only: bool) -> Vec<DueAnswer> {
        let mut found = Vec::new();
        let dues = [&mut self.due_named, &mut self.due_live];
        for due in dues.into_iter().skip(usize::from(is_live_only)) {
            while let Some(first) = due.get_min().copied().filter(|(at, _)| *at <= now_ns) {
                due.remove(&first);
                let Some(query) = self.queries.get_mut(&first.1) else { continue };
                query.due_ns = None;
                let Some(answer) = query.answer.clone() else { continue };
                let told = query.told.clone();
                found.push(DueAnswer { watch: Arc::clone(&query.watch), told, answer });
            }
        }
        found
    }

    /// Notes that a query's present answer was sent.
    pub fn note_told(&mut self, serial: u64, now_ns: i64) {
        if let Some(query) = self.queries.get_mut(&serial) {
            query.told.clone_from(&query.answer);
            query.told_ns = now_ns;
        }
    }
}

impl FenceRegistry {
    /// Adds a query, whose answer has to be computed.
    pub(super) fn add_standing(&mut self, watch: &Arc<Watch>) {
        let query = StandingQuery {
            watch: Arc::clone(watch),
            place: Place::Nowhere,
            answer: None,
            told: None,
            told_ns: i64::MIN,
            due_ns: None,
        };
        let queries = self.standing_mut();
        queries.queries.insert(watch.serial, query);
        queries.stale.push(watch.serial);
    }

    /// Removes a query.
    pub(super) fn remove_standing(&mut self, watch: &Arc<Watch>) {
        let queries = self.standing_mut();
        let Some(query) = queries.queries.remove(&watch.serial) else { return };
        if let Some(due_ns) = query.due_ns {
            queries.due(watch).remove(&(due_ns, watch.serial));
        }
        if let Some(fences) = self.fences_of(&watch.fence.key) {
            fences.standing.relocate(watch, query.place, Place::Nowhere);
        }
    }

    /// Whether a key has standing queries.
    pub fn has_standing(&self, key: &[u8]) -> bool {
        !self.standing().is_empty()
            && self.of_key(key).is_some_and(|(_, fences)| !fences.standing.is_empty())
    }

    /// Notes that a query's answer has to be computed anew.
    pub(super) fn mark_stale(&mut self, serial: u64) {
        self.standing_mut().stale.push(serial);
    }

    /// Notes that the answers of all queries of a key have to be computed anew.
    pub fn mark_key_stale(&mut self, key: &[u8]) {
        if self.has_standing(key) {
            let fences = self.of_key(key);
            let serials = fences.into_iter().flat_map(|(_, fences)| fences.standing.serials());
            let serials: Vec<u64> = serials.collect();
            self.standing_mut().stale.extend(serials);
        }
    }

    /// Notes that the answers of all queries have to be computed anew.
    pub(super) fn mark_all_stale(&mut self) {
        let queries = self.standing_mut();
        queries.stale = queries.queries.keys().copied().collect();
    }

    /// Sets the present answer of a query and its place. A message is due now, or when EVERY allows
    /// it; the first one at once.
    pub fn set_answer(&mut self, watch: &Arc<Watch>, answer: Answer, place: Place, now_ns: i64) {
        let queries = self.standing_mut();
        let Some(query) = queries.queries.get_mut(&watch.serial) else { return };
        query.answer = Some(answer);
        let from = std::mem::replace(&mut query.place, place);
        if query.due_ns.is_none() {
            let every_ns = watch.fence.standing.map_or(0, |standing| standing.every_ns);
            // Not later than EVERY from now, even if the clock was set back.
            let due_ns = query.told_ns.saturating_add(every_ns);
            let due_ns = due_ns.clamp(now_ns, now_ns.saturating_add(every_ns));
            query.due_ns = Some(due_ns);
            queries.due(watch).insert((due_ns, watch.serial));
        }
        if let Some(fences) = self.fences_of(&watch.fence.key) {
            fences.standing.relocate(watch, from, place);
        }
    }

    /// Returns the standing queries of a key whose answers a change of its objects may alter.
    pub fn standing_candidates(&self, key: &Key, change: &super::Change) -> Vec<Arc<Watch>> {
        self.of_key(key).map_or(Vec::new(), |(_, fences)| fences.standing.candidates(change))
    }
}
