//! The memory of the registry's fences: who is inside, and the work that follows from it.

use triomphe::Arc;

use super::end_reason::EndReason;
use super::registry::{FenceRegistry, HookKind, SharedHook};
use super::upkeep::Upkeep;
use super::visits::{VisitChange, VisitUpdate, Visitor, Visits};
use super::watch::{Name, Watch};
use crate::keyspace::Key;

impl FenceRegistry {
    /// The memory of the fence with this number, if an object is in one of its zones.
    pub fn visits(&self, serial: u64) -> Option<&Visits> {
        self.visits.get(&serial)
    }

    /// The number of objects that hooks and channels remember as being in zones.
    pub fn visitor_count(&self) -> usize {
        let zoned = self.hooks.values().filter_map(|hook| self.visits.get(&hook.watch.serial));
        zoned.map(Visits::len).sum()
    }

    /// Approximate memory of all visits.
    pub(super) fn visit_bytes(&self) -> usize {
        self.visits.values().map(Visits::bytes).sum::<usize>()
            + self.named_upkeep.bytes()
            + self.live_upkeep.bytes()
    }

    /// The work of live fences, or of hooks and channels.
    pub fn upkeep_mut(&mut self, is_live: bool) -> &mut Upkeep {
        if is_live {
            &mut self.live_upkeep
        } else {
            &mut self.named_upkeep
        }
    }

    /// Whether no fence has work to do.
    pub fn is_idle(&self, now_ns: i64, is_live_only: bool) -> bool {
        let is_named_idle = if is_live_only {
            self.named_upkeep.has_no_ended()
        } else {
            self.named_upkeep.is_idle(now_ns)
        };
        is_named_idle && self.live_upkeep.is_idle(now_ns)
    }

    /// Keeps a hook that was just deleted, if the ends of its visits are still to be sent.
    pub(super) fn keep_closing(&mut self, hook: &SharedHook) {
        let is_hook = hook.kind() == HookKind::Hook;
        if is_hook && self.named_upkeep.ended_last(hook.watch.serial) {
            self.closing.insert(hook.name.clone(), hook.clone());
        }
    }

    /// Keeps a hook that has expired, so that its last message can be sent.
    pub fn keep_for_last_message(&mut self, hook: &SharedHook) {
        if hook.kind() == HookKind::Hook {
            self.closing.insert(hook.name.clone(), hook.clone());
        }
    }

    /// The deleted hook of a name whose last messages may still be sent.
    pub fn closing(&self, name: &[u8]) -> Option<&SharedHook> {
        self.closing.get(name)
    }

    /// The names of these hooks, once all ends of visits are on their way.
    pub fn closing_names(&self) -> impl Iterator<Item = &Name> {
        self.closing.keys().filter(|_| self.named_upkeep.has_no_ended())
    }

    /// Forgets such a hook.
    pub fn close(&mut self, name: &[u8]) {
        self.closing.remove(name);
    }

    /// Changes the memory of a fence.
    pub fn update_visits(&mut self, update: VisitUpdate) {
        let VisitUpdate { watch, change, .. } = update;
        self.note_visits(watch.serial, &change);
        let visits = self.visits.entry(watch.serial).or_default();
        let visitor = match &change {
            VisitChange::Set(visitor) => Some(visitor.clone()),
            _ => None,
        };
        let is_cleared = matches!(change, VisitChange::Clear);
        let cleared = if is_cleared { Some(visits.clone()) } else { None };
        let former = visits.apply(change);
        if visits.is_empty() {
            self.visits.remove(&watch.serial);
        }
        if !watch.fence.has_visit_states() {
            return;
        }
        if let Some(cleared) = cleared {
            self.forget_astray(&watch, &cleared);
            if watch.fence.has_timers() && !cleared.is_empty() {
                self.upkeep_mut(watch.is_live()).add_ended(&watch, cleared, None);
            }
            return;
        }
        let upkeep = self.upkeep_mut(watch.is_live());
        upkeep.replace_timer(&watch, former.as_ref(), visitor.as_ref());
        let is_astray =
            |visitor: &Option<Visitor>| visitor.as_ref().is_some_and(Visitor::is_astray);
        if is_astray(&former) == is_astray(&visitor) {
            return;
        }
        if let Some(fences) = self.keys.get_mut(&watch.fence.key) {
            let id = visitor.as_ref().or(former.as_ref()).map_or(&b""[..], Visitor::id);
            fences.note_candidate(watch.serial, id, is_astray(&visitor));
        }
    }

    /// Forgets which objects of a fence are far from its area.
    pub(super) fn forget_astray(&mut self, watch: &Arc<Watch>, visits: &Visits) {
        let Some(fences) = self.keys.get_mut(&watch.fence.key) else { return };
        if fences.has_visited() {
            for visitor in visits.from(b"").filter(|visitor| visitor.is_astray()) {
                fences.note_candidate(watch.serial, visitor.id(), false);
            }
        }
    }

    /// Remembers which objects of a fence are far from its area.
    pub(super) fn restore_astray(&mut self, watch: &Arc<Watch>, visits: &Visits) {
        let Some(fences) = self.keys.get_mut(&watch.fence.key) else { return };
        for visitor in visits.from(b"").filter(|visitor| visitor.is_astray()) {
            fences.note_candidate(watch.serial, visitor.id(), true);
        }
    }

    /// Removes the memory of a fence that is gone, or was emptied. Its visits end for a reason.
    pub(super) fn end_visits(&mut self, watch: &Arc<Watch>, reason: EndReason) {
        let upkeep = self.upkeep_mut(watch.is_live());
        upkeep.forget(watch.serial);
        self.note_visits(watch.serial, &VisitChange::Clear);
        let Some(visits) = self.visits.remove(&watch.serial) else { return };
        let Some(options) = &watch.fence.presence else { return };
        if options.is_unbounded() {
            self.forget_astray(watch, &visits);
        }
        if options.has_endings || watch.fence.has_timers() {
            let reason = options.has_endings.then_some(reason);
            self.upkeep_mut(watch.is_live()).add_ended(watch, visits, reason);
        }
    }

    /// Notes that zones of a key have changed: the visits to fences with ENDINGS are checked.
    #[inline]
    pub fn note_zone_change(&mut self, key: &[u8]) {
        if !self.ending_zones.is_empty() {
            self.check_zone_visits(key);
        }
    }

    fn check_zone_visits(&mut self, key: &[u8]) {
        let Some(watches) = self.ending_zones.get(key) else { return };
        for watch in watches.values() {
            if self.visits.contains_key(&watch.serial) {
                let upkeep =
                    if watch.is_live() { &mut self.live_upkeep } else { &mut self.named_upkeep };
                upkeep.check(watch, EndReason::ZoneDeleted);
            }
        }
    }

    /// Notes that a key has other objects than before, or none.
    pub fn note_renamed(&mut self, key: &[u8]) {
        let Some(fences) = self.keys.get(key) else { return };
        let watches: Vec<Arc<Watch>> = fences.remembering().cloned().collect();
        for watch in watches {
            self.check_endings(&watch, EndReason::Renamed);
        }
    }

    /// Lets the visits of a fence be checked if their ends are told.
    pub fn check_endings(&mut self, watch: &Arc<Watch>, reason: EndReason) {
        if watch.fence.has_endings() && self.visits.contains_key(&watch.serial) {
            self.upkeep_mut(watch.is_live()).check(watch, reason);
        }
    }

    /// Lets all visits to hooks and channels be checked whose ends are told: a log that was loaded
    /// may lack the last of them.
    pub fn check_all_endings(&mut self) {
        let watches: Vec<Arc<Watch>> = self.hooks.values().map(|hook| hook.watch.clone()).collect();
        for watch in watches {
            self.check_endings(&watch, EndReason::Deleted);
        }
    }

    /// Registers a fence with ENDINGS under the key of its zones, so that a change of a zone ends
    /// visits.
    pub(super) fn add_ending_zones(&mut self, watch: &Arc<Watch>, key: &Key) {
        self.ending_zones.entry(key.clone()).or_default().insert(watch.serial, watch.clone());
    }

    /// Unregisters a fence with ENDINGS from the key of its zones.
    pub(super) fn remove_ending_zones(&mut self, watch: &Watch, key: &Key) {
        let Some(watches) = self.ending_zones.get_mut(key) else { return };
        watches.remove(&watch.serial);
        if watches.is_empty() {
            self.ending_zones.remove(key);
        }
    }
}
