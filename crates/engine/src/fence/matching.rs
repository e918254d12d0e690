//! Matching: finds the events of all fences about a change, in the order of sending.

use triomphe::Arc;

use super::detect::detect;
use super::end_reason::EndReason;
use super::event::Event;
use super::group::{Group, Groups};
use super::message::{self, MessageContext, Moment, Note, ZoneReference};
use super::numbering::EventNumber;
use super::roam::Room;
use super::visits::{VisitChange, VisitUpdate};
use super::{Change, ChangeKind, Detect, Fence, FenceArea, FenceShape, Roam, Watch};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::options::Wanted;

pub(super) struct Matcher<'m> {
    pub(super) keyspace: &'m Keyspace,
    pub(super) groups: &'m mut Groups,
    pub(super) change: &'m Change,
    pub(super) moment: &'m Moment,
    is_live_only: bool,
    events: Vec<Event>,
    /// Changes of the memory of fences.
    pub(super) visit_updates: Vec<VisitUpdate>,
    /// Fences whose other visits have to be checked.
    pub(super) unchecked: Vec<(Arc<Watch>, EndReason)>,
}

/// Updates of the memory of fences that a write or a timer causes.
#[derive(Default)]
pub struct MemoryChanges {
    /// The updates.
    pub updates: Vec<VisitUpdate>,
    /// Fences whose visits have to be checked, with the reason for objects that are gone.
    pub unchecked: Vec<(Arc<Watch>, EndReason)>,
}

/// Appends the events that a change causes, and ends visits. With `is_live_only`, as on a
/// follower, hooks and channels have no events. Returns the updates of the memory of fences. Those
/// that aren't logged can be computed from the writes, so that a server that loads or follows a log
/// remembers the same as the server that wrote it.
pub fn match_change(
    keyspace: &Keyspace,
    groups: &mut Groups,
    change: &Change,
    moment: &Moment,
    is_live_only: bool,
    events: &mut Vec<Event>,
) -> MemoryChanges {
    let mut watches = keyspace.fences().candidates(change);
    watches.retain(|watch| watch.is_live() || !is_live_only || watch.fence.has_memory());
    let mut changes = MemoryChanges::default();
    if !watches.is_empty() {
        let mut matcher = Matcher::new(keyspace, groups, change, moment, is_live_only);
        for watch in &watches {
            matcher.take(watch);
        }
        changes = matcher.finish(events);
    }
    match (change.kind, &change.object) {
        (ChangeKind::Drop, _) => groups.forget_key(&change.key),
        (ChangeKind::Del, Some(object)) => groups.forget_object(&change.key, object.id()),
        _ => {}
    }
    changes
}

impl<'m> Matcher<'m> {
    pub(super) fn new(
        keyspace: &'m Keyspace,
        groups: &'m mut Groups,
        change: &'m Change,
        moment: &'m Moment,
        is_live_only: bool,
    ) -> Self {
        Matcher {
            keyspace,
            groups,
            change,
            moment,
            is_live_only,
            events: Vec::new(),
            visit_updates: Vec::new(),
            unchecked: Vec::new(),
        }
    }

    /// Appends the events, in the order of sending.
    pub(super) fn finish(mut self, events: &mut Vec<Event>) -> MemoryChanges {
        // A stable order: a fence's own messages stay as they are.
        self.events.sort_by(|a, b| a.order().cmp(&b.order()));
        events.append(&mut self.events);
        MemoryChanges { updates: self.visit_updates, unchecked: self.unchecked }
    }

    /// Matches a fence. A visit gets its id even if COMMANDS suppresses the message.
    fn take(&mut self, watch: &Arc<Watch>) {
        let change = self.change;
        let fence = &watch.fence;
        let is_valid = fence.is_valid_at(self.moment.now_ns(), self.keyspace);
        if !is_valid && !fence.has_memory() {
            return;
        }
        let is_told = is_valid && fence.commands.is_none_or(|commands| commands.has(change.kind));
        let Some(object) = &change.object else { return self.take_drop(watch, is_told) };
        let is_ignored = change.kind == ChangeKind::Fset && fence.ignores_fields();
        if !fence.matches(object.id()) || is_ignored {
            return;
        }
        if fence.zones().is_some_and(|zones| zones.is_anchor(&change.key, object.id())) {
            return;
        }
        if let Some(options) = &fence.presence {
            return self.take_presence(watch, options, object, is_told);
        }
        if let FenceShape::Zones(zones) = &fence.shape {
            return self.take_zones(watch, zones, object, is_told);
        }
        if !object.is_spatial() && !self.is_left_as_string(fence) {
            return;
        }
        match change.kind {
            ChangeKind::Del => self.take_deletion(watch, object, is_told),
            _ => match &fence.shape {
                FenceShape::Area(area) => self.take_static(watch, area, object, is_told),
                FenceShape::Roam(roam) => self.take_roam(watch, roam, object, is_told),
                FenceShape::Zones(_) | FenceShape::Top(_) => {}
            },
        }
    }

    /// Whether a client with a snapshot has to hear that an object in the area is a string now.
    fn is_left_as_string(&self, fence: &Fence) -> bool {
        let FenceShape::Area(area) = &fence.shape else { return false };
        let previous = self.change.previous.as_ref();
        fence.has_snapshot && previous.is_some_and(|previous| area.hits(previous))
    }

    fn take_drop(&mut self, watch: &Arc<Watch>, is_told: bool) {
        let is_concerned = watch.is_live() || !watch.fence.is_bounded();
        if let Some(options) = &watch.fence.presence {
            self.drop_visits(watch, options);
        } else if watch.fence.zones().is_some() {
            self.update_visits(watch, VisitChange::Clear);
        }
        if is_told && is_concerned && !self.is_silent(watch) {
            let text = message::removal(watch, self.change, self.moment);
            self.push(watch, None, text);
        }
    }

    /// Changes the memory of a fence. Where visits have times, deletions are logged, too: the log
    /// of a script has its writes first and all changes of memory behind them.
    pub(super) fn update_visits(&mut self, watch: &Arc<Watch>, change: VisitChange) {
        let is_logged = watch.fence.has_timers() && !self.is_silent(watch);
        self.visit_updates.push(VisitUpdate { is_logged, ..VisitUpdate::new(watch, change) });
    }

    /// Whether the fence only updates its memory.
    pub(super) fn is_silent(&self, watch: &Watch) -> bool {
        self.is_live_only && !watch.is_live()
    }

    /// A hook or channel with a bounded area gets messages only about deletions that touch it.
    pub(super) fn take_deletion(&mut self, watch: &Watch, object: &Object, is_told: bool) {
        let is_near = match &watch.fence.shape {
            _ if watch.is_live() || !watch.fence.is_bounded() => true,
            FenceShape::Area(area) => area.touches(object),
            FenceShape::Roam(_) | FenceShape::Zones(_) | FenceShape::Top(_) => false,
        };
        if is_told && is_near {
            let text = message::removal(watch, self.change, self.moment);
            self.push(watch, None, text);
        }
    }

    fn take_static(&mut self, watch: &Watch, area: &FenceArea, object: &Object, is_told: bool) {
        let fence = &watch.fence;
        if fence.wanted == Wanted::Count {
            return;
        }
        let Some((first, second)) = detect(fence, area, self.change, object, self.keyspace) else {
            return;
        };
        let group = self.group(watch, object, first);
        if !is_told {
            return;
        }
        for found in std::iter::once(first).chain(second) {
            let text = self.context(watch, object, group).message(found, self.keyspace);
            self.push(watch, Some(found), text);
        }
    }

    /// A roaming fence ignores WHERE, and has no events with a DETECT of words for areas.
    fn take_roam(&mut self, watch: &Watch, roam: &Roam, object: &Object, is_told: bool) {
        let fence = &watch.fence;
        if fence.wanted == Wanted::Count {
            return;
        }
        match fence.detect {
            Some(listed) if listed.is_of_roam() => {
                return self.take_selected_roam(watch, roam, object, listed.roam, is_told);
            }
            Some(_) => return,
            None => {}
        }
        if self.change.kind != ChangeKind::Set {
            let group = self.group(watch, object, Detect::Roam);
            if is_told {
                let text = self.context(watch, object, group).message(Detect::Roam, self.keyspace);
                self.push(watch, Some(Detect::Roam), text);
            }
            return;
        }
        let meetings = roam.meet(self.keyspace, object, self.change.previous.as_ref());
        if meetings.nearby.is_empty() && meetings.faraway.is_empty() {
            return;
        }
        let group = self.group(watch, object, Detect::Roam);
        if !is_told {
            return;
        }
        let mut room = Room::default();
        for (name, neighbors) in [("nearby", meetings.nearby), ("faraway", meetings.faraway)] {
            self.send_meetings(watch, (roam, object), group, (name, &neighbors), &mut room);
        }
    }

    /// The group id of the visit. If `exit` always ends a visit, the id is removed with it.
    pub(super) fn group(&mut self, watch: &Watch, object: &Object, detect: Detect) -> Group {
        let (key, serial) = (&self.change.key, watch.serial);
        let is_new = detect.begins_visit();
        let group = self.groups.get(key, object.id(), serial, is_new, self.moment.now_ns());
        if detect == Detect::Exit && ends_with_exit(&watch.fence) {
            self.groups.forget_visit(key, object.id(), serial);
        }
        group
    }

    pub(super) fn context<'c>(
        &self,
        watch: &'c Watch,
        object: &'c Object,
        group: Group,
    ) -> MessageContext<'c>
    where
        'm: 'c,
    {
        let kind = self.change.kind;
        let (zone, note, is_gone) = (ZoneReference::default(), Note::None, false);
        MessageContext { watch, kind, object, is_gone, group, moment: self.moment, zone, note }
    }

    pub(super) fn push(&mut self, watch: &Watch, detect: Option<Detect>, message: Vec<u8>) {
        let id = self.change.object.as_ref().map(Object::id);
        self.push_for(watch, detect, id, message);
    }

    /// Adds an event about an object that the change may not have.
    pub(super) fn push_for(
        &mut self,
        watch: &Watch,
        detect: Option<Detect>,
        id: Option<&[u8]>,
        message: Vec<u8>,
    ) {
        self.events.push(Event {
            target: watch.target.clone(),
            key: self.change.key.clone(),
            id: id.map(Box::from),
            detect,
            message,
            number: watch.is_numbered.then(EventNumber::default),
        });
    }
}

/// Whether there is no message between `exit` and the next `enter`. With WHERE, FSET may bring an
/// object `inside` again without an `enter`.
fn ends_with_exit(fence: &Fence) -> bool {
    let tells = |detections: super::Detections| {
        detections.has(Detect::Enter) && !detections.has(Detect::Outside)
    };
    fence.detect.is_some_and(tells) && !fence.has_filters()
}
