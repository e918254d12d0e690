//! Matching with a fence that decides from its memory of visits: writes, the time, and the ends of
//! visits. Each `exit` follows an `enter`.

use std::cmp::Ordering;

use triomphe::Arc;

use super::detect::crosses;
use super::end_reason::EndReason;
use super::event::Event;
use super::group::Group;
use super::matching::{Matcher, MemoryChanges};
use super::message::{Note, ZoneReference};
use super::places::Places;
use super::presence::{Observation, Occurrence, Occurrences, VisitState};
use super::presence_options::PresenceOptions;
use super::visits::{Visit, VisitChange, VisitUpdate, Visitor};
use super::zone_matching::{lists, Finding};
use super::{Arrival, Change, ChangeKind, Detect, Fence, FenceShape, Groups, Moment, Watch};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::options::Wanted;

/// The objects whose visits DROP ends at once. The ends of the others follow soon.
const DROPPED_AT_ONCE_MAX: usize = 10_000;

/// A task for an object's visits to a fence that no write of the object causes.
#[derive(Clone, Copy)]
pub enum VisitTask {
    /// The deadline of a visit has passed.
    Elapse,
    /// The fence is gone or was emptied.
    End(EndReason),
    /// The visits may have no longer a cause; the reason holds where the object is gone.
    Check(EndReason),
}

/// Returns the object of a visitor if it still exists, as it was when the fence last decided.
fn decided_object<'k>(
    keyspace: &'k Keyspace,
    fence: &Fence,
    visitor: &Visitor,
) -> Option<&'k Object> {
    let stored = keyspace.get(&fence.key)?.get(visitor.id())?;
    Some(keyspace.reorder.decided(&fence.key, visitor.id()).unwrap_or(stored))
}

/// Runs a task for an object's visits to a fence. Appends the events, and returns the updates of
/// the fence's memory.
pub fn match_upkeep(
    keyspace: &Keyspace,
    groups: &mut Groups,
    moment: &Moment,
    (watch, visitor): (&Arc<Watch>, &Visitor),
    task: VisitTask,
    events: &mut Vec<Event>,
) -> MemoryChanges {
    let fence = &watch.fence;
    let Some(options) = &fence.presence else { return MemoryChanges::default() };
    let object = decided_object(keyspace, fence, visitor).cloned();
    let (kind, key) = (ChangeKind::Fence, fence.key.clone());
    let change = Change {
        key,
        kind,
        object,
        previous: None,
        replaced: None,
        arrival: Arrival::InOrder,
        is_expiry: false,
    };
    let mut matcher = Matcher::new(keyspace, groups, &change, moment, false);
    let object = change.object.as_ref();
    match task {
        VisitTask::Elapse => matcher.take_elapsed(watch, options, visitor, object),
        VisitTask::End(reason) => matcher.end_all_visits(watch, options, visitor, object, reason),
        VisitTask::Check(reason) => matcher.take_check(watch, options, visitor, reason),
    }
    matcher.finish(events)
}

/// The result of comparing an object's visits with its position.
#[derive(Default)]
struct Comparison<'f> {
    findings: Vec<Finding<'f>>,
    /// The visits to remember: those that continue, and those that have ended but whose EVERY still
    /// runs.
    visits: Vec<Visit<'f>>,
    is_changed: bool,
}

impl<'f> Comparison<'f> {
    fn add(
        &mut self,
        options: &'f PresenceOptions,
        zone: ZoneReference<'f>,
        occurrences: Occurrences,
        exit_note: Note<'f>,
        groups: (Group, Group),
    ) {
        let (mut group, next_group) = groups;
        for occurrence in occurrences {
            let (detect, note) = match occurrence {
                Occurrence::Exit => (Detect::Exit, exit_note),
                Occurrence::Inside => (Detect::Inside, Note::None),
                Occurrence::Dwell(at) => (Detect::Dwell, Note::Dwell(&options.dwells[at].text)),
                Occurrence::Enter => {
                    group = next_group;
                    (Detect::Enter, Note::None)
                }
            };
            self.findings.push(Finding { detect, zone, group, note });
        }
    }

    fn has_present(&self) -> bool {
        self.visits.iter().any(|visit| !visit.state.is_over)
    }

    fn has_exit(&self) -> bool {
        self.findings.iter().any(|finding| finding.detect == Detect::Exit)
    }

    /// Returns the change of the memory, if there is one.
    fn change(&self, options: &PresenceOptions, id: &[u8]) -> Option<VisitChange> {
        if !self.is_changed {
            return None;
        }
        let visits = self.visits.iter().copied();
        Some(match (self.visits.is_empty(), options.has_state()) {
            (true, _) => VisitChange::Forget(id.into()),
            (false, true) => VisitChange::Set(Visitor::with_states(id, visits)),
            (false, false) => VisitChange::Set(Visitor::new(id, visits)),
        })
    }
}

/// Returns an object's visits and the places that it is in, both ascending by id, in pairs of the
/// same id.
fn pairs<'f>(
    visitor: Option<&'f Visitor>,
    hits: Vec<ZoneReference<'f>>,
) -> Vec<(Option<Visit<'f>>, Option<ZoneReference<'f>>)> {
    let mut found = Vec::with_capacity(hits.len() + 1);
    let mut known = visitor.into_iter().flat_map(Visitor::visits).peekable();
    let mut hits = hits.into_iter().peekable();
    loop {
        let order = match (known.peek(), hits.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(visit), Some(zone)) => Some(visit.zone).cmp(&zone.id),
        };
        let visit = if order.is_le() { known.next() } else { None };
        let hit = if order.is_ge() { hits.next() } else { None };
        found.push((visit, hit));
    }
}

impl<'m> Matcher<'m> {
    /// Matches a write with a fence that has a memory by its options.
    pub(super) fn take_presence(
        &mut self,
        watch: &Arc<Watch>,
        options: &PresenceOptions,
        object: &Object,
        is_told: bool,
    ) {
        if self.change.kind == ChangeKind::Del {
            return self.take_presence_deletion(watch, options, object, is_told);
        }
        // SETVISITS behind the write brings the memory along, with the times of the leader.
        if self.is_silent(watch) && options.has_times() {
            return;
        }
        let may_tell = is_told && self.may_send(watch);
        let is_passing = object.is_spatial() && watch.fence.passes(self.keyspace, object);
        let mut comparison = self.compare_presence(watch, options, object, is_passing, may_tell);
        let update = comparison.change(options, object.id());
        if is_passing && lists(&watch.fence, Detect::Cross) {
            self.add_crossed_places(watch, object, &mut comparison);
        }
        if let Some(change) = update {
            self.update_visits(watch, change);
        }
        if may_tell {
            let is_away = !comparison.has_present() && (is_passing || comparison.has_exit());
            self.send_findings(watch, object, comparison.findings, is_away);
        }
    }

    /// Whether messages of the fence may be sent at all.
    fn may_send(&self, watch: &Watch) -> bool {
        let fence = &watch.fence;
        fence.wanted != Wanted::Count
            && !self.is_silent(watch)
            && fence.is_valid_at(self.moment.now_ns(), self.keyspace)
    }

    fn compare_presence<'f>(
        &mut self,
        watch: &'f Watch,
        options: &'f PresenceOptions,
        object: &Object,
        is_passing: bool,
        may_tell: bool,
    ) -> Comparison<'f>
    where
        'm: 'f,
    {
        let keyspace = self.keyspace;
        let places = Places::of(watch);
        let hits = if is_passing { places.around(keyspace, object) } else { Vec::new() };
        let visitor = keyspace.fences().visits(watch.serial).and_then(|all| all.get(object.id()));
        let now_ns = self.moment.now_ns();
        let is_astray = options.is_unbounded() && places.is_astray(&watch.fence, object);
        let mut comparison = Comparison::default();
        for (visit, hit) in pairs(visitor, hits) {
            let Some(id) = visit.map(|visit| visit.zone).or(hit.and_then(|zone| zone.id)) else {
                continue;
            };
            let zone = hit.unwrap_or_else(|| places.reference(keyspace, id));
            let mut occurrences = Occurrences::new();
            let known = visit.map(|visit| visit.state);
            let state = known.and_then(|state| options.elapse(state, now_ns, &mut occurrences));
            let was_inside = state.is_some_and(|state| !state.is_over);
            let is_inside = match (hit.is_some(), was_inside) {
                (true, true) => true,
                (true, false) => !places.is_doubtful(options, keyspace, zone, object),
                (false, was_inside) => {
                    was_inside && is_passing && places.stays(options, keyspace, zone, object)
                }
            };
            let observation = Observation { is_inside, may_tell, now_ns };
            let next = options.observe(state, observation, &mut occurrences);
            let next =
                next.map(|next| VisitState { is_astray: is_astray && !next.is_over, ..next });
            let has_changed =
                if options.has_state() { next != known } else { next.is_some() != known.is_some() };
            comparison.is_changed |= has_changed;
            let begins = occurrences.contains(&Occurrence::Enter);
            let former = visit.map(|visit| visit.group);
            let group = match former {
                Some(group) if !begins => group,
                _ if begins => self.groups.make(now_ns),
                _ => continue,
            };
            let is_without_zone = options.has_endings && !places.exists(zone);
            let exit_note =
                if is_without_zone { Note::Reason(EndReason::ZoneDeleted) } else { Note::None };
            let groups = (former.unwrap_or(group), group);
            comparison.add(options, zone, occurrences, exit_note, groups);
            comparison.visits.extend(next.map(|state| Visit { zone: id, group, state }));
        }
        comparison
    }

    /// Adds the places that the object passed through between two positions outside of them.
    fn add_crossed_places<'f>(
        &mut self,
        watch: &'f Watch,
        object: &Object,
        comparison: &mut Comparison<'f>,
    ) where
        'm: 'f,
    {
        let Comparison { findings, visits, .. } = comparison;
        let is_found = |id: &[u8]| {
            findings.iter().any(|finding| finding.zone.id == Some(id))
                || visits.iter().any(|visit| visit.zone == id && !visit.state.is_over)
        };
        let crossed = match &watch.fence.shape {
            FenceShape::Zones(zones) => {
                let mut crossed = self.crossed_zones(watch, zones, object);
                crossed.retain(|zone| !is_found(zone.id()));
                crossed.into_iter().map(ZoneReference::of).collect()
            }
            FenceShape::Area(area) => {
                let previous = self.change.previous.as_ref().filter(|former| !area.hits(former));
                let is_crossing = previous.is_some_and(|former| crosses(area, former, object));
                let is_crossing = is_crossing && !is_found(b"") && !area.hits(object);
                if is_crossing {
                    vec![ZoneReference::AREA]
                } else {
                    Vec::new()
                }
            }
            FenceShape::Roam(_) | FenceShape::Top(_) => Vec::new(),
        };
        for zone in crossed {
            let group = self.groups.make(self.moment.now_ns());
            findings.push(Finding { detect: Detect::Cross, zone, group, note: Note::None });
        }
    }

    /// A deletion has the messages of a fence without a memory, and ends all visits.
    fn take_presence_deletion(
        &mut self,
        watch: &Arc<Watch>,
        options: &PresenceOptions,
        object: &Object,
        is_told: bool,
    ) {
        let keyspace = self.keyspace;
        let visitor = keyspace.fences().visits(watch.serial).and_then(|all| all.get(object.id()));
        let known = visitor.map(Visitor::visits).unwrap_or_default();
        if let FenceShape::Zones(zones) = &watch.fence.shape {
            self.take_zone_deletion(watch, zones, object, known, is_told);
        } else {
            if visitor.is_some() {
                let change = VisitChange::Forget(object.id().into());
                self.update_visits(watch, change);
            }
            if object.is_spatial() {
                self.take_deletion(watch, object, is_told && !self.is_silent(watch));
            }
        }
        let Some(visitor) = visitor else { return };
        let is_expiry = self.change.is_expiry;
        let reason = if is_expiry { EndReason::Expired } else { EndReason::Deleted };
        self.end_all_visits(watch, options, visitor, Some(object), reason);
    }

    /// Ends the visits of an object, after the time has passed for them.
    pub(super) fn end_all_visits<'f>(
        &mut self,
        watch: &'f Watch,
        options: &'f PresenceOptions,
        visitor: &'f Visitor,
        object: Option<&Object>,
        reason: EndReason,
    ) where
        'm: 'f,
    {
        if !self.may_send(watch) {
            return;
        }
        let mut comparison = Comparison::default();
        let places = Places::of(watch);
        for visit in visitor.visits() {
            let zone = places.reference(self.keyspace, visit.zone);
            let mut occurrences = Occurrences::new();
            let now_ns = self.moment.now_ns();
            let state = options.elapse(visit.state, now_ns, &mut occurrences);
            comparison.add(options, zone, occurrences, Note::None, (visit.group, visit.group));
            if options.has_endings && state.is_some_and(|state| !state.is_over) {
                comparison.findings.push(Finding {
                    detect: Detect::Exit,
                    zone,
                    group: visit.group,
                    note: Note::Reason(reason),
                });
            }
        }
        self.send_endings(watch, visitor.id(), object, comparison.findings);
    }

    /// DROP ends the visits of all objects: of so many at once, of the others when they are
    /// checked.
    pub(super) fn drop_visits(&mut self, watch: &Arc<Watch>, options: &PresenceOptions) {
        let Some(visits) = self.keyspace.fences().visits(watch.serial) else { return };
        let is_whole = visits.len() <= DROPPED_AT_ONCE_MAX || !options.has_endings;
        for visitor in visits.from(b"").take(DROPPED_AT_ONCE_MAX) {
            self.end_all_visits(watch, options, visitor, None, EndReason::Dropped);
            if !is_whole {
                let change = VisitChange::Forget(visitor.id().into());
                self.update_visits(watch, change);
            }
        }
        if is_whole {
            self.update_visits(watch, VisitChange::Clear);
        } else {
            self.unchecked.push((watch.clone(), EndReason::Dropped));
        }
    }

    /// Lets the time pass for the visits of an object.
    pub(super) fn take_elapsed(
        &mut self,
        watch: &Arc<Watch>,
        options: &PresenceOptions,
        visitor: &Visitor,
        object: Option<&Object>,
    ) {
        let places = Places::of(watch);
        let mut comparison = Comparison::default();
        for visit in visitor.visits() {
            let zone = places.reference(self.keyspace, visit.zone);
            let mut occurrences = Occurrences::new();
            let next = options.elapse(visit.state, self.moment.now_ns(), &mut occurrences);
            comparison.is_changed |= next != Some(visit.state);
            comparison.add(options, zone, occurrences, Note::None, (visit.group, visit.group));
            comparison.visits.extend(next.map(|state| Visit { state, ..visit }));
        }
        if let Some(change) = comparison.change(options, visitor.id()) {
            let update = VisitUpdate::new(watch, change);
            self.visit_updates.push(VisitUpdate { is_logged: true, ..update });
        }
        let is_away = !comparison.has_present() && comparison.has_exit();
        if let Some(object) = object.filter(|_| self.may_send(watch)) {
            self.send_findings(watch, object, comparison.findings, is_away);
        }
    }

    /// Ends those visits of an object that have no longer a cause.
    pub(super) fn take_check(
        &mut self,
        watch: &Arc<Watch>,
        options: &PresenceOptions,
        visitor: &Visitor,
        missing: EndReason,
    ) {
        let keyspace = self.keyspace;
        let fence = &watch.fence;
        let object = decided_object(keyspace, fence, visitor);
        let places = Places::of(watch);
        let is_passing =
            object.is_some_and(|object| object.is_spatial() && fence.passes(keyspace, object));
        let mut findings = Vec::new();
        let mut visits = Vec::new();
        for visit in visitor.visits() {
            let zone = places.reference(keyspace, visit.zone);
            let reason = match object {
                None => Some(missing),
                Some(object) => {
                    let is_inside = is_passing && places.has(options, keyspace, zone, object);
                    let is_leaving = visit.state.left_ns.is_some() && places.exists(zone);
                    let reason = places.reason(zone, missing);
                    (!is_inside && !is_leaving).then_some(reason)
                }
            };
            match reason {
                Some(reason) if !visit.state.is_over => {
                    let (detect, group) = (Detect::Exit, visit.group);
                    findings.push(Finding { detect, zone, group, note: Note::Reason(reason) });
                    let over = options.ended(visit.state, self.moment.now_ns());
                    visits.extend(over.map(|state| Visit { state, ..visit }));
                }
                _ => visits.push(visit),
            }
        }
        if findings.is_empty() {
            return;
        }
        let comparison = Comparison { findings, visits, is_changed: true };
        if let Some(change) = comparison.change(options, visitor.id()) {
            let update = VisitUpdate::new(watch, change);
            self.visit_updates.push(VisitUpdate { is_logged: true, ..update });
        }
        if self.may_send(watch) {
            self.send_endings(watch, visitor.id(), object, comparison.findings);
        }
    }
}
