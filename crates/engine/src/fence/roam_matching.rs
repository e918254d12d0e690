//! Matching one write with a fence that roams and whose DETECT lists words of ROAM. Without such
//! words a roaming fence ignores WHERE, and with other words it is silent, as in Tile38.

use super::group::Group;
use super::matching::Matcher;
use super::roam::{Neighbor, Roam, Room};
use super::{ChangeKind, Detect, RoamDetections, Watch};
use crate::object::Object;

impl Matcher<'_> {
    /// Sends the messages that DETECT lists. An object that WHERE refuses is near nothing.
    pub(super) fn take_selected_roam(
        &mut self,
        watch: &Watch,
        roam: &Roam,
        object: &Object,
        listed: RoamDetections,
        is_told: bool,
    ) {
        let (keyspace, change) = (self.keyspace, self.change);
        let fence = &watch.fence;
        let is_move = change.kind == ChangeKind::Set;
        let before = match change.kind {
            ChangeKind::Set => change.previous.as_ref(),
            ChangeKind::Fset => change.replaced.as_ref(),
            _ => Some(object),
        };
        let passing = |object: &&Object| fence.passes(keyspace, object);
        let (before, now) = (before.filter(passing), Some(object).filter(passing));
        // A change of fields moves nothing, but the object may begin or cease to count.
        let has_no_dwell = roam.has_no_dwell || !is_move;
        let meetings = roam.meet_between(keyspace, object, (before, now), has_no_dwell);
        let is_plain = !is_move && listed.roam && now.is_some();
        let is_silent = (meetings.nearby.is_empty() || !listed.nearby)
            && (meetings.faraway.is_empty() || !listed.faraway)
            && !is_plain;
        if is_silent {
            return;
        }
        let group = self.group(watch, object, Detect::Roam);
        if !is_told {
            return;
        }
        if is_plain {
            let text = self.context(watch, object, group).message(Detect::Roam, keyspace);
            self.push(watch, Some(Detect::Roam), text);
        }
        let mut room = Room::default();
        let parts = [
            ("nearby", meetings.nearby, listed.nearby),
            ("faraway", meetings.faraway, listed.faraway),
        ];
        for (name, neighbors, _) in parts.into_iter().filter(|(.., is_listed)| *is_listed) {
            self.send_meetings(watch, (roam, object), group, (name, &neighbors), &mut room);
        }
    }

    /// Sends a message for each neighbour, as far as there is room.
    pub(super) fn send_meetings(
        &mut self,
        watch: &Watch,
        (roam, object): (&Roam, &Object),
        group: Group,
        (name, neighbors): (&str, &[Neighbor]),
        room: &mut Room,
    ) {
        for neighbor in neighbors {
            let context = self.context(watch, object, group);
            let text = context.roam_message(name, neighbor, roam, self.keyspace, room);
            if !room.takes(text.len()) {
                return;
            }
            self.push(watch, Some(Detect::Roam), text);
        }
    }
}
