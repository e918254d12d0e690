//! The objects of one key, with their orders: by id, by area, by value, by deadline. Cloning is
//! O(1) and gives a snapshot.

use std::cmp::Ordering;

use crate::areas::{Areas, Lender};
use crate::geometry::Rect;
use crate::index::{BTree, LeafAhead, RTree};
use crate::object::{Object, Shape, NEVER};

/// A non-spatial object, ordered by (value, id).
#[derive(Clone)]
struct ByValue(Object);

impl ByValue {
    /// What comes first among all objects of a value.
    fn probe(value: &[u8]) -> Self {
        ByValue(Object::new(&[], Shape::String, value, &[], NEVER))
    }

    fn key(&self) -> (&[u8], &[u8]) {
        (self.0.text(), self.0.id())
    }
}

impl PartialEq for ByValue {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByValue {}

impl PartialOrd for ByValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByValue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// An object that expires, ordered by (deadline, id).
#[derive(Clone)]
struct ByDeadline(Object);

impl ByDeadline {
    fn key(&self) -> (i64, &[u8]) {
        (self.0.deadline(), self.0.id())
    }
}

impl PartialEq for ByDeadline {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByDeadline {}

impl PartialOrd for ByDeadline {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByDeadline {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// What a collection counts, as STATS shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts {
    pub objects: usize,
    pub points: usize,
    pub strings: usize,
    pub weight: usize,
}

/// The objects of one key.
#[derive(Clone, Default)]
pub struct Collection {
    ids: BTree<Object>,
    areas: Areas,
    values: imbl::OrdSet<ByValue>,
    deadlines: imbl::OrdSet<ByDeadline>,
    counts: Counts,
}

impl Collection {
    /// The object of an id.
    pub fn get(&self, id: &[u8]) -> Option<&Object> {
        self.ids.get(id)
    }

    /// The leaf for this id, which is being fetched.
    pub fn leaf_ahead(&self, id: &[u8]) -> Option<LeafAhead<'_, Object>> {
        self.ids.leaf_ahead(id)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.len() == 0
    }

    /// What STATS shows.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Stores an object in place of the one with its id, which is returned.
    pub fn insert(&mut self, object: Object) -> Option<Object> {
        let previous = self.ids.insert(object.clone());
        self.replace_in_orders(previous.as_ref(), object);
        previous
    }

    /// Stores what is made of the object of an id, if there is one. Gives back what was stored and
    /// what it replaces.
    pub fn update<E>(
        &mut self,
        id: &[u8],
        make: impl FnOnce(Option<&Object>) -> Result<Object, E>,
    ) -> Result<(Object, Option<Object>), E> {
        let (object, previous) = self.ids.update(id, make)?;
        self.replace_in_orders(previous.as_ref(), object.clone());
        Ok((object, previous))
    }

    fn replace_in_orders(&mut self, previous: Option<&Object>, object: Object) {
        if let Some(previous) = previous {
            self.leave_orders(previous);
        }
        self.enter_orders(&object);
        match previous.filter(|previous| previous.is_indexed()) {
            Some(previous) if object.is_indexed() => self.areas.replace(previous, object),
            Some(previous) => self.areas.remove(previous),
            None if object.is_indexed() => self.areas.insert(object),
            None => {}
        }
    }

    /// Removes the object of an id and returns it.
    pub fn remove(&mut self, id: &[u8]) -> Option<Object> {
        let removed = self.ids.remove(id)?;
        self.leave_orders(&removed);
        if removed.is_indexed() {
            self.areas.remove(&removed);
        }
        Some(removed)
    }

    /// Adds an object to everything but ids and areas.
    fn enter_orders(&mut self, object: &Object) {
        self.counts.objects += 1;
        self.counts.points += object.num_points();
        self.counts.weight += object.weight();
        if object.deadline() != NEVER {
            self.deadlines.insert(ByDeadline(object.clone()));
        }
        if !object.is_spatial() {
            self.counts.strings += 1;
            self.values.insert(ByValue(object.clone()));
        }
    }

    /// Removes an object from everything but ids and areas.
    fn leave_orders(&mut self, object: &Object) {
        self.counts.objects -= 1;
        self.counts.points -= object.num_points();
        self.counts.weight -= object.weight();
        if object.deadline() != NEVER {
            self.deadlines.remove(&ByDeadline(object.clone()));
        }
        if !object.is_spatial() {
            self.counts.strings -= 1;
            self.values.remove(&ByValue(object.clone()));
        }
    }

    /// The index of areas; empty while it is lent.
    pub fn areas(&self) -> &RTree<Object> {
        self.areas.tree()
    }

    /// Lends the index of areas if it is large.
    #[inline]
    pub fn lend_areas(&mut self, key: &[u8], lender: &mut Lender) {
        lender.lend(key, &mut self.areas);
    }

    /// Has the index of areas back, if it is lent.
    pub fn call_areas_back(&mut self) {
        self.areas.call_back(self.ids.range_from(b""));
    }

    /// All objects from an id on, ascending.
    pub fn ascend(&self, from: &[u8]) -> impl Iterator<Item = &Object> {
        self.ids.range_from(from)
    }

    /// All objects from an id (from the last one for `None`) down, descending.
    pub fn descend(&self, from: Option<&[u8]>) -> Box<dyn Iterator<Item = &Object> + '_> {
        match from {
            Some(id) => Box::new(self.ids.range_back_from(id)),
            None => Box::new(self.ids.iter_back()),
        }
    }

    /// All non-spatial objects from a value on, ascending by (value, id).
    pub fn ascend_values(&self, from: &[u8]) -> impl Iterator<Item = &Object> {
        self.values.range(ByValue::probe(from)..).map(|ByValue(object)| object)
    }

    /// All non-spatial objects from a value (from the last one for `None`) down.
    pub fn descend_values(&self, from: Option<&[u8]>) -> Box<dyn Iterator<Item = &Object> + '_> {
        let objects = self.values.iter().rev().map(|ByValue(object)| object);
        let Some(from) = from else { return Box::new(objects) };
        // The least text above `from` is `from` with a zero byte behind it.
        let end = ByValue::probe(&[from, b"\0"].concat());
        Box::new(self.values.range(..end).rev().map(|ByValue(object)| object))
    }

    /// The earliest deadline, or [`NEVER`].
    pub fn next_deadline(&self) -> i64 {
        self.deadlines.get_min().map_or(NEVER, |ByDeadline(object)| object.deadline())
    }

    /// The object with the earliest deadline.
    pub fn first_to_expire(&self) -> Option<&Object> {
        self.deadlines.get_min().map(|ByDeadline(object)| object)
    }

    /// The box around all spatial objects; all zeros without any. Its sides are the exact ones of
    /// the objects that are outermost in the index' single precision.
    pub fn bounds(&self) -> Rect {
        let Some([west, south, east, north]) = self.areas.tree().extremes() else {
            return Rect::default();
        };
        let mut bounds = Rect::default();
        bounds.min.x = west.bounds().min.x;
        bounds.min.y = south.bounds().min.y;
        bounds.max.x = east.bounds().max.x;
        bounds.max.y = north.bounds().max.y;
        bounds
    }
}
