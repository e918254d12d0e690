//! Matching one write with a fence from a collection. For each zone, the fence compares its memory
//! of the object with the object's present position. The former position decides nothing, so that
//! changes of zones take effect with the next write, and each `exit` follows an `enter`.

use std::cmp::Ordering;

use super::group::Group;
use super::matching::Matcher;
use super::message::{self, MessageContext, ZoneReference};
use super::roam::Room;
use super::visits::{Visit, VisitChange, VisitIter, VisitUpdate, Visitor};
use super::zones::Zones;
use super::{ChangeKind, Detect, Fence, Watch};
use crate::object::Object;
use crate::query::options::Wanted;

/// A detection about one zone, or, without a zone, about all of them.
#[derive(Clone, Copy)]
struct Finding<'f> {
    detect: Detect,
    zone: ZoneReference<'f>,
    group: Group,
}

impl<'m> Matcher<'m> {
    /// Matches a fence from a collection. The memory also changes where no message is sent.
    pub(super) fn take_zones(
        &mut self,
        watch: &Watch,
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
            self.send(watch, zones, object, findings, is_away);
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
            findings.push(match (visit, zone) {
                (Some(Visit { group, .. }), Some(zone)) => {
                    Finding { detect: Detect::Inside, zone: ZoneReference::of(zone), group }
                }
                (None, Some(zone)) => {
                    let group = self.groups.make(self.moment.now_ns());
                    Finding { detect: Detect::Enter, zone: ZoneReference::of(zone), group }
                }
                (Some(Visit { zone: id, group }), None) => {
                    let zone = ZoneReference { id: Some(id), object: zones.get(self.keyspace, id) };
                    Finding { detect: Detect::Exit, zone, group }
                }
                (None, None) => return findings,
            });
        }
    }

    /// Updates the memory if the object entered or left a zone.
    fn remember(&mut self, watch: &Watch, object: &Object, findings: &[Finding]) {
        if findings.iter().all(|finding| finding.detect == Detect::Inside) {
            return;
        }
        let visits = findings.iter().filter(|finding| finding.detect != Detect::Exit);
        let mut visits = visits
            .filter_map(|finding| Some(Visit { zone: finding.zone.id?, group: finding.group }))
            .peekable();
        let change = match visits.peek() {
            Some(_) => VisitChange::Set(Visitor::new(object.id(), visits)),
            None => VisitChange::Forget(object.id().into()),
        };
        self.visit_updates.push(VisitUpdate { serial: watch.serial, change });
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
        let keyspace = self.keyspace;
        let Some(previous) = self.change.previous.as_ref().filter(|object| object.is_spatial())
        else {
            return;
        };
        let (from, to) = (previous.center(), object.center());
        if from == to {
            return;
        }
        let mut crossed = zones.crossed(keyspace, watch.serial, (from, to));
        let is_found = |zone: &&Object| {
            findings.binary_search_by(|finding| finding.zone.id.cmp(&Some(zone.id()))).is_ok()
        };
        crossed.retain(|zone| !is_found(zone));
        for zone in crossed {
            let group = self.groups.make(self.moment.now_ns());
            findings.push(Finding { detect: Detect::Cross, zone: ZoneReference::of(zone), group });
        }
    }

    /// Sends the messages that DETECT lists, ordered by detection, then by the zone's id.
    fn send(
        &mut self,
        watch: &Watch,
        zones: &Zones,
        object: &Object,
        mut findings: Vec<Finding>,
        is_away: bool,
    ) {
        let fence = &watch.fence;
        for at in 0..findings.len() {
            let Finding { detect, zone, group } = findings[at];
            if detect == Detect::Enter {
                if lists(fence, Detect::Enter) {
                    findings.push(Finding { detect: Detect::Inside, zone, group });
                } else {
                    findings[at].detect = Detect::Inside;
                }
            }
        }
        if is_away && lists(fence, Detect::Outside) {
            let exit = findings.iter().find(|finding| finding.detect == Detect::Exit);
            let group = exit.map(|exit| exit.group);
            let group = group.unwrap_or_else(|| self.groups.make(self.moment.now_ns()));
            let zone = ZoneReference::default();
            findings.push(Finding { detect: Detect::Outside, zone, group });
        }
        findings.retain(|finding| lists(fence, finding.detect));
        findings.sort_by_key(|finding| finding.detect.rank());
        let mut room = Room::default();
        for Finding { detect, zone, group } in findings {
            let context = MessageContext { zone, ..self.context(watch, object, group) };
            let text = context.zone_message(detect, zones, self.keyspace);
            if !room.takes(text.len()) {
                return;
            }
            self.push(watch, Some(detect), text);
        }
    }

    /// An object that was in zones causes a message for each. One that was in none causes one where
    /// an ordinary fence would send it, too.
    fn take_zone_deletion(
        &mut self,
        watch: &Watch,
        zones: &Zones,
        object: &Object,
        known: VisitIter,
        is_told: bool,
    ) {
        let is_known = known.clone().next().is_some();
        if is_known {
            let change = VisitChange::Forget(object.id().into());
            self.visit_updates.push(VisitUpdate { serial: watch.serial, change });
        }
        if !is_told || self.is_silent(watch) {
            return;
        }
        let is_due = !is_known && object.is_spatial();
        if is_due && (watch.is_live() || !watch.fence.is_bounded()) {
            self.push_removal(watch, zones, ZoneReference::default());
        }
        for Visit { zone, .. } in known {
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

/// Whether DETECT lists a detection.
fn lists(fence: &Fence, detect: Detect) -> bool {
    fence.detect.is_none_or(|listed| listed.has(detect))
}
