//! The standing queries of one key, by the places where a change of an object can change their
//! answers.

use std::ops::ControlFlow;

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::index_entry::{is_somewhere, Entry};
use super::{Change, Watch};
use crate::geometry::distance::{named_within, Cover};
use crate::geometry::Rect;
use crate::index::RTree;
use crate::object::Object;

/// The places where a change of an object can change an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// No change can.
    Nowhere,
    /// Any change can.
    Everywhere,
    /// Changes of objects that touch the box, before or after.
    Box(Rect),
}

impl Place {
    /// Returns the place of a box, which may have no proper corners.
    pub fn of(bounds: Rect) -> Self {
        let corners = [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y];
        if corners.iter().all(|side| side.is_finite()) && bounds.is_ordered() {
            Place::Box(bounds)
        } else {
            Place::Everywhere
        }
    }
}

/// The standing queries of one key. Cloning is O(1).
#[derive(Clone, Default)]
pub struct StandingIndex {
    watches: OrdMap<u64, Arc<Watch>>,
    everywhere: OrdSet<u64>,
    boxes: RTree<Entry>,
}

impl StandingIndex {
    /// Whether there is no query.
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// The numbers of all queries.
    pub fn serials(&self) -> impl Iterator<Item = u64> + '_ {
        self.watches.keys().copied()
    }

    /// Adds a query, at no place.
    pub fn insert(&mut self, watch: &Arc<Watch>) {
        self.watches.insert(watch.serial, Arc::clone(watch));
    }

    /// Removes a query, which has to be at no place.
    pub fn remove(&mut self, serial: u64) {
        self.watches.remove(&serial);
    }

    /// Moves a query from one place to another.
    pub fn relocate(&mut self, watch: &Arc<Watch>, from: Place, to: Place) {
        if from == to {
            return;
        }
        let entry = Entry(Arc::clone(watch));
        match (from, to) {
            (Place::Box(from), Place::Box(to)) => {
                self.boxes.replace((&from, &entry), (&to, entry.clone()));
                return;
            }
            (Place::Box(from), _) => {
                self.boxes.remove(&from, &entry);
            }
            (Place::Everywhere, _) => {
                self.everywhere.remove(&watch.serial);
            }
            (Place::Nowhere, _) => {}
        }
        match to {
            Place::Box(to) => self.boxes.insert(&to, entry),
            Place::Everywhere => {
                self.everywhere.insert(watch.serial);
            }
            Place::Nowhere => {}
        }
    }

    /// The queries whose answers a change may change; no such query is missing.
    pub fn candidates(&self, change: &Change) -> Vec<Arc<Watch>> {
        let Some(object) = &change.object else {
            return self.watches.values().cloned().collect();
        };
        let watch = |serial: &u64| self.watches.get(serial).cloned();
        let mut found: Vec<Arc<Watch>> = self.everywhere.iter().filter_map(watch).collect();
        let places: Cover = [Some(object), change.replaced.as_ref()]
            .into_iter()
            .flatten()
            .filter(|object| is_somewhere(object))
            .map(Object::bounds)
            .collect();
        if !places.is_empty() && !self.boxes.is_empty() {
            let named = named_within(places, &self.boxes.bounds().unwrap_or_default());
            let _ = self.boxes.search_any(&named, |Entry(watch)| {
                found.push(Arc::clone(watch));
                ControlFlow::Continue(())
            });
        }
        found
    }
}
