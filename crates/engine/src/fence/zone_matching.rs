//! Matching one write with a fence from a collection. For each zone, the fence compares its memory
//! of the object with the object's present position. The former position decides nothing, so that
//! changes of zones take effect with the next write, and each `exit` follows an `enter`.

use std::cmp::Ordering;

use triomphe::Arc;

use super::group::Group;
use super::matching::Matcher;
use super::message::{self, MessageContext, Note, ZoneReference};
use super::presence::VisitState;
use super::roam::Room;
use super::visits::{Visit, VisitChange, VisitIter, Visitor};
use super::zones::Zones;
use super::{ChangeKind, Detect, Fence, Watch};
use crate::object::{Object, Shape, NEVER};
use crate::query::options::Wanted;

/// A detection about one zone, or, without a zone, about all of them.
#[derive(Clone, Copy)]
pub(super) struct Finding<'f> {
    pub detect: Detect,
    pub zone: ZoneReference<'f>,
    pub group: Group,
    pub note: Note<'f>,
}

impl<'m> Matcher<'m> {
    /// Matches a fence from a collection. The memory also changes where no message is sent.
    pub(super) fn take_zones(
        &mut self,
        watch: &Arc<Watch>,
        zones: &Zones,
        object: &Object,
        is_told: bool,
    ) {
        let (keyspace, change) = (self.keyspace, self.change);
        let fence = &watch.fence;
        let visitor = keyspace.fences().visits(watch.serial).and_then(|all| all.get(object.id()));
        let known = visitor.map(Visitor::visits).unwrap_or_default();
        if change.kind == ChangeKind::Del {
            return self.take_zone_deletion(watch, zones, object, known, is_told);
        }
        let is_passing = object.is_spatial() && fence.passes(keyspace, object);
        let inside =
            if is_passing { zones.around(keyspace, watch.serial, object) } else { Vec::new() };
        let mut findings = self.compare(zones, known.clone(), &inside);
        self.remember(watch, object, &findings);
        if is_passing && lists(fence, Detect::Cross) {
            self.add_crossed(watch, zones, object, &mut findings);
        }
        let is_told = is_told && fence.wanted != Wanted::Count && !self.is_silent(watch);
        if is_told {
            let is_away = inside.is_empty() && (is_passing || known.count() > 0);
            self.send(watch, object, findings, is_away);
        }
    }

    /// Compares the remembered zones of the object with its present ones.
    fn compare<'f>(
        &mut self,
        zones: &Zones,
        known: VisitIter<'f>,
        inside: &[&'f Object],
    ) -> Vec<Finding<'f>>
    where
        'm: 'f,
    {
        let mut findings = Vec::new();
        let mut known = known.peekable();
        let mut inside = inside.iter().peekable();
        loop {
            let order = match (known.peek(), inside.peek()) {
                (None, None) => return findings,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(visit), Some(zone)) => visit.zone.cmp(zone.id()),
            };
            let visit = if order.is_le() { known.next() } else { None };
            let zone = if order.is_ge() { inside.next().copied() } else { None };
            let (detect, zone, group) = match (visit, zone) {
                (Some(Visit { group, .. }), Some(zone)) => {
                    (Detect::Inside, ZoneReference::of(zone), group)
                }
                (None, Some(zone)) => {
                    let group = self.groups.make(self.moment.now_ns());
                    (Detect::Enter, ZoneReference::of(zone), group)
                }
                (Some(Visit { zone: id, group, .. }), None) => {
                    let zone = ZoneReference { id: Some(id), object: zones.get(self.keyspace, id) };
                    (Detect::Exit, zone, group)
                }
                (None, None) => return findings,
            };
            findings.push(Finding { detect, zone, group, note: Note::None });
        }
    }

    /// Updates the memory if the object entered or left a zone.
    fn remember(&mut self, watch: &Arc<Watch>, object: &Object, findings: &[Finding]) {
        if findings.iter().all(|finding| finding.detect == Detect::Inside) {
            return;
        }
        let visits = findings.iter().filter(|finding| finding.detect != Detect::Exit);
        let mut visits = visits
            .filter_map(|finding| {
                let (zone, group) = (finding.zone.id?, finding.group);
                Some(Visit { zone, group, state: VisitState::default() })
            })
            .peekable();
        let change = match visits.peek() {
            Some(_) => VisitChange::Set(Visitor::new(object.id(), visits)),
            None => VisitChange::Forget(object.id().into()),
        };
        self.update_visits(watch, change);
    }

    /// Adds the zones that the object passed through between two positions outside of them.
    fn add_crossed<'f>(
        &mut self,
        watch: &Watch,
        zones: &Zones,
        object: &Object,
        findings: &mut Vec<Finding<'f>>,
    ) where
        'm: 'f,
    {
        let mut crossed = self.crossed_zones(watch, zones, object);
        let is_found = |zone: &&Object| {
            findings.binary_search_by(|finding| finding.zone.id.cmp(&Some(zone.id()))).is_ok()
        };
        crossed.retain(|zone| !is_found(zone));
        for zone in crossed {
            let group = self.groups.make(self.moment.now_ns());
            let zone = ZoneReference::of(zone);
            findings.push(Finding { detect: Detect::Cross, zone, group, note: Note::None });
        }
    }

    /// Returns the zones that intersect the object's movement.
    pub(super) fn crossed_zones(
        &self,
        watch: &Watch,
        zones: &Zones,
        object: &Object,
    ) -> Vec<&'m Object> {
        let previous = self.change.previous.as_ref().filter(|object| object.is_spatial());
        let Some(previous) = previous else { return Vec::new() };
        let (from, to) = (previous.center(), object.center());
        if from == to {
            return Vec::new();
        }
        zones.crossed(self.keyspace, watch.serial, (from, to))
    }

    /// Sends the messages that DETECT lists, ordered by detection, then by the zone's id.
    fn send(&mut self, watch: &Watch, object: &Object, mut findings: Vec<Finding>, is_away: bool) {
        for at in 0..findings.len() {
            if findings[at].detect == Detect::Enter {
                if lists(&watch.fence, Detect::Enter) {
                    findings.push(Finding { detect: Detect::Inside, ..findings[at] });
                } else {
                    findings[at].detect = Detect::Inside;
                }
            }
        }
        self.send_findings(watch, object, findings, is_away);
    }

    /// Sends the messages that DETECT lists, and `outside` if the object is in no zone.
    pub(super) fn send_findings(
        &mut self,
        watch: &Watch,
        object: &Object,
        mut findings: Vec<Finding>,
        is_away: bool,
    ) {
        let fence = &watch.fence;
        if is_away && lists(fence, Detect::Outside) {
            let exit = findings.iter().find(|finding| finding.detect == Detect::Exit);
            let group = exit.map(|exit| exit.group);
            let group = group.unwrap_or_else(|| self.groups.make(self.moment.now_ns()));
            let zone = ZoneReference::default();
            findings.push(Finding { detect: Detect::Outside, zone, group, note: Note::None });
        }
        findings.retain(|finding| lists(fence, finding.detect));
        findings.sort_by_key(|finding| finding.detect.rank());
        let mut room = Room::default();
        for Finding { detect, zone, group, note } in findings {
            let context = MessageContext { zone, note, ..self.context(watch, object, group) };
            let text = context.message(detect, self.keyspace);
            if !room.takes(text.len()) {
                return;
            }
            self.push(watch, Some(detect), text);
        }
    }

    /// Sends messages about the ends of visits. The object may no longer exist.
    pub(super) fn send_endings(
        &mut self,
        watch: &Watch,
        id: &[u8],
        object: Option<&Object>,
        mut findings: Vec<Finding>,
    ) {
        findings.retain(|finding| lists(&watch.fence, finding.detect));
        findings.sort_by_key(|finding| finding.detect.rank());
        let is_gone = object.is_none();
        let unknown = is_gone.then(|| Object::new(id, Shape::String, b"", &[], NEVER));
        let Some(object) = object.or(unknown.as_ref()) else { return };
        let mut room = Room::default();
        for Finding { detect, zone, group, note } in findings {
            let context = self.context(watch, object, group);
            let context = MessageContext { is_gone, zone, note, ..context };
            let text = context.message(detect, self.keyspace);
            if !room.takes(text.len()) {
                return;
            }
            self.push_for(watch, Some(detect), Some(id), text);
        }
    }

    /// An object that was in zones causes a message for each. One that was in none causes one where
    /// an ordinary fence would send it, too.
    pub(super) fn take_zone_deletion(
        &mut self,
        watch: &Arc<Watch>,
        zones: &Zones,
        object: &Object,
        known: VisitIter,
        is_told: bool,
    ) {
        let is_known = known.clone().next().is_some();
        if is_known {
            let change = VisitChange::Forget(object.id().into());
            self.update_visits(watch, change);
        }
        if !is_told || self.is_silent(watch) {
            return;
        }
        let is_due = !is_known && object.is_spatial();
        if is_due && (watch.is_live() || !watch.fence.is_bounded()) {
            self.push_removal(watch, zones, ZoneReference::default());
        }
        for Visit { zone, .. } in known.filter(|visit| !visit.state.is_over) {
            let object = zones.get(self.keyspace, zone);
            self.push_removal(watch, zones, ZoneReference { id: Some(zone), object });
        }
    }

    fn push_removal(&mut self, watch: &Watch, zones: &Zones, zone: ZoneReference) {
        let (change, moment) = (self.change, self.moment);
        let text = message::zone_removal(watch, zones, zone, change, moment, self.keyspace);
        self.push(watch, None, text);
    }
}

/// Whether a fence sends messages of a detection: those that DETECT lists, and those of DWELL.
pub(super) fn lists(fence: &Fence, detect: Detect) -> bool {
    detect == Detect::Dwell || fence.detect.is_none_or(|listed| listed.has(detect))
}
