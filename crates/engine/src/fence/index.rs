//! An index of the fences of one key, which finds the candidates for a change.

use std::ops::ControlFlow;

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::definition::FenceShape;
use super::index_entry::{is_somewhere, Entry};
use super::movement::Movement;
use super::standing_index::StandingIndex;
use super::watch::{Target, Watch};
use super::{Change, ChangeKind, Detect};
use crate::geometry::distance::{named_within, Cover};
use crate::geometry::Rect;
use crate::index::RTree;
use crate::object::Object;

/// The fences of one key. Cloning is O(1).
#[derive(Clone, Default)]
pub struct KeyFences {
    /// Candidates for every change.
    everywhere: OrdMap<u64, Arc<Watch>>,
    /// Live fences with an area: candidates for every deletion.
    live: OrdMap<u64, Arc<Watch>>,
    /// Candidates for changes of objects that touch their area, before or after.
    bounded: RTree<Entry>,
    /// Candidates also for objects that cross their area.
    crossing: RTree<Entry>,
    /// Bounded fences that follow an object, by number; their present areas are in the trees.
    following: OrdMap<u64, Arc<Watch>>,
    /// Fences with an area that remember who is inside: candidates for DROP.
    remembering: OrdMap<u64, Arc<Watch>>,
    /// The numbers of fences of both kinds that are candidates for an object because they remember
    /// it as inside, by its id. Fences with an area remember it far from there only.
    visited: OrdMap<Box<[u8]>, OrdSet<u64>>,
    /// Fences that are standing queries.
    pub standing: StandingIndex,
    /// The number of hooks.
    pub hooks: usize,
    /// The number of channels.
    pub channels: usize,
}

/// The tree in which a fence is found.
enum IndexPlacement {
    Everywhere,
    Following,
    Standing,
    Bounded(Rect),
    Crossing(Rect),
}

impl IndexPlacement {
    fn of(watch: &Watch) -> Self {
        let fence = &watch.fence;
        if fence.standing.is_some() {
            return IndexPlacement::Standing;
        }
        let cover = match &fence.shape {
            FenceShape::Area(area) if fence.is_bounded() => area.reach(fence),
            _ => None,
        };
        if fence.zones().is_some_and(|zones| zones.anchor().is_some()) && fence.is_bounded() {
            return IndexPlacement::Following;
        }
        let has_cross = has_cross(watch);
        match cover {
            None => IndexPlacement::Everywhere,
            Some(bounds) if has_cross => IndexPlacement::Crossing(bounds),
            Some(bounds) => IndexPlacement::Bounded(bounds),
        }
    }
}

fn has_cross(watch: &Watch) -> bool {
    watch.fence.detect.is_some_and(|detect| detect.has(Detect::Cross))
}

impl KeyFences {
    /// Whether there is no fence.
    pub fn is_empty(&self) -> bool {
        self.everywhere.is_empty()
            && self.bounded.is_empty()
            && self.crossing.is_empty()
            && self.following.is_empty()
            && self.standing.is_empty()
    }

    /// Adds a fence.
    pub fn insert(&mut self, watch: &Arc<Watch>) {
        self.count(watch, |count| *count += 1);
        if watch.fence.presence.is_some() {
            self.remembering.insert(watch.serial, watch.clone());
        }
        let entry = Entry(watch.clone());
        match IndexPlacement::of(watch) {
            IndexPlacement::Everywhere => {
                self.everywhere.insert(watch.serial, watch.clone());
                return;
            }
            IndexPlacement::Standing => {
                self.standing.insert(watch);
                return;
            }
            IndexPlacement::Following => {
                self.following.insert(watch.serial, watch.clone());
            }
            IndexPlacement::Bounded(bounds) => self.bounded.insert(&bounds, entry),
            IndexPlacement::Crossing(bounds) => self.crossing.insert(&bounds, entry),
        }
        if watch.is_live() {
            self.live.insert(watch.serial, watch.clone());
        }
    }

    /// Removes a fence.
    pub fn remove(&mut self, watch: &Arc<Watch>) {
        self.count(watch, |count| *count = count.saturating_sub(1));
        self.remembering.remove(&watch.serial);
        let entry = Entry(watch.clone());
        match IndexPlacement::of(watch) {
            IndexPlacement::Everywhere => {
                self.everywhere.remove(&watch.serial);
            }
            IndexPlacement::Standing => self.standing.remove(watch.serial),
            IndexPlacement::Following => {
                self.following.remove(&watch.serial);
            }
            IndexPlacement::Bounded(bounds) => {
                self.bounded.remove(&bounds, &entry);
            }
            IndexPlacement::Crossing(bounds) => {
                self.crossing.remove(&bounds, &entry);
            }
        }
        self.live.remove(&watch.serial);
    }

    /// Moves the area of a fence that follows an object; `None` for no area.
    pub fn relocate(&mut self, watch: &Arc<Watch>, from: Option<Rect>, to: Option<Rect>) {
        if !self.following.contains_key(&watch.serial) {
            return;
        }
        let tree = if has_cross(watch) { &mut self.crossing } else { &mut self.bounded };
        let entry = Entry(watch.clone());
        match (from, to) {
            (Some(from), Some(to)) => tree.replace((&from, &entry), (&to, entry.clone())),
            (Some(from), None) => {
                tree.remove(&from, &entry);
            }
            (None, Some(to)) => tree.insert(&to, entry),
            (None, None) => {}
        }
    }

    /// Notes whether a fence that follows an object remembers an object as inside.
    pub fn note_visit(&mut self, serial: u64, id: &[u8], is_inside: bool) {
        if self.following.contains_key(&serial) {
            self.note_candidate(serial, id, is_inside);
        }
    }

    /// Notes whether a fence is a candidate for an object because of its memory.
    pub fn note_candidate(&mut self, serial: u64, id: &[u8], is_candidate: bool) {
        if is_candidate {
            self.visited.entry(id.into()).or_default().insert(serial);
        } else if let Some(serials) = self.visited.get_mut(id) {
            serials.remove(&serial);
            if serials.is_empty() {
                self.visited.remove(id);
            }
        }
    }

    /// Whether there are candidates because of their memory.
    pub fn has_visited(&self) -> bool {
        !self.visited.is_empty()
    }

    /// The fences with options by which they remember who is inside.
    pub fn remembering(&self) -> impl Iterator<Item = &Arc<Watch>> {
        self.remembering.values()
    }

    /// Adds the fences that may have a message by their memory.
    fn add_visited(&self, change: &Change, found: &mut Vec<Arc<Watch>>) {
        match &change.object {
            None => {
                found.extend(self.following.values().cloned());
                found.extend(self.remembering.values().cloned());
            }
            Some(object) => {
                let serials = self.visited.get(object.id()).into_iter().flatten();
                let watch = |serial| {
                    self.following.get(serial).or_else(|| self.remembering.get(serial)).cloned()
                };
                found.extend(serials.filter_map(watch));
            }
        }
    }

    fn count(&mut self, watch: &Watch, change: impl FnOnce(&mut usize)) {
        match watch.target {
            Target::Hook(_) => change(&mut self.hooks),
            Target::Channel(_) => change(&mut self.channels),
            Target::Live(_) => {}
        }
    }

    /// The fences that may have a message about a change, oldest first; no such fence is missing.
    pub fn candidates(&self, change: &Change) -> Vec<Arc<Watch>> {
        let mut found: Vec<Arc<Watch>> = self.everywhere.values().cloned().collect();
        if matches!(change.kind, ChangeKind::Del | ChangeKind::Drop) {
            found.extend(self.live.values().cloned());
        }
        if !self.following.is_empty() || !self.remembering.is_empty() {
            self.add_visited(change, &mut found);
        }
        let start = found.len();
        let object = change.object.as_ref().filter(|object| is_somewhere(object));
        let previous = change.previous.as_ref().filter(|previous| is_somewhere(previous));
        let places: Cover = [object, previous].into_iter().flatten().map(Object::bounds).collect();
        if !places.is_empty() {
            let mut take = |Entry(watch): &Entry| {
                found.push(watch.clone());
                ControlFlow::Continue(())
            };
            let ways = match (object, previous) {
                (Some(object), Some(previous)) => {
                    let movement = Movement::new(previous.center(), object.center());
                    movement.cover(&previous.bounds(), &object.bounds())
                }
                _ => places.clone(),
            };
            let named = |tree: &RTree<Entry>, places| {
                named_within(places, &tree.bounds().unwrap_or_default())
            };
            let _ = self.bounded.search_any(&named(&self.bounded, places), &mut take);
            let _ = self.crossing.search_any(&named(&self.crossing, ways), take);
        }
        if found.len() > start || start > self.everywhere.len() {
            found.sort_unstable_by_key(|watch| watch.serial);
            found.dedup_by_key(|watch| watch.serial);
        }
        found
    }
}
