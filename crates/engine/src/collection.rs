//! A collection: the objects of one key and their indexes by id, box, value and deadline. Cloning
//! is O(1) and returns a snapshot.

use std::cmp::Ordering;

use crate::geometry::Rect;
use crate::index::{BTree, PrefetchedLeaf, RTree};
use crate::object::{Object, Shape, NEVER};
use crate::spatial_index::{Offloader, SpatialIndex};

/// A non-spatial object, ordered by (value, id).
#[derive(Clone)]
struct ByValue(Object);

impl ByValue {
    /// Returns an object that sorts before all others of this value.
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

/// The counts that STATS shows.
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
    spatial_index: SpatialIndex,
    values: imbl::OrdSet<ByValue>,
    deadlines: imbl::OrdSet<ByDeadline>,
    counts: Counts,
    /// A number that each change of the collection replaces by one that no collection has had; see
    /// [`Keyspace::version`](crate::keyspace::Keyspace::version).
    pub(crate) version: u64,
}

impl Collection {
    /// Returns the object with this id.
    pub fn get(&self, id: &[u8]) -> Option<&Object> {
        self.ids.get(id)
    }

    /// Returns the leaf for this id and begins to prefetch it.
    pub fn prefetch_leaf(&self, id: &[u8]) -> Option<PrefetchedLeaf<'_, Object>> {
        self.ids.prefetch_leaf(id)
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the counts that STATS shows.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Stores an object and returns the one with the same id that it replaces.
    pub fn insert(&mut self, object: Object) -> Option<Object> {
        let previous = self.ids.insert(object.clone());
        self.replace_in_indexes(previous.as_ref(), object);
        previous
    }

    /// Stores the object that `make` returns, given the present one with this id. Returns the
    /// stored object and the one that it replaces. If `make` fails, nothing changes.
    pub fn update<E>(
        &mut self,
        id: &[u8],
        make: impl FnOnce(Option<&Object>) -> Result<Object, E>,
    ) -> Result<(Object, Option<Object>), E> {
        let (object, previous) = self.ids.update(id, make)?;
        self.replace_in_indexes(previous.as_ref(), object.clone());
        Ok((object, previous))
    }

    fn replace_in_indexes(&mut self, previous: Option<&Object>, object: Object) {
        if let Some(previous) = previous {
            self.remove_from_orders(previous);
        }
        self.add_to_orders(&object);
        match previous.filter(|previous| previous.is_indexed()) {
            Some(previous) if object.is_indexed() => self.spatial_index.replace(previous, object),
            Some(previous) => self.spatial_index.remove(previous),
            None if object.is_indexed() => self.spatial_index.insert(object),
            None => {}
        }
    }

    /// Removes the object with this id and returns it.
    pub fn remove(&mut self, id: &[u8]) -> Option<Object> {
        let removed = self.ids.remove(id)?;
        self.remove_from_orders(&removed);
        if removed.is_indexed() {
            self.spatial_index.remove(&removed);
        }
        Some(removed)
    }

    /// Adds an object to the counts and to the orders by value and by deadline.
    fn add_to_orders(&mut self, object: &Object) {
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

    /// Removes an object from the counts and from the orders by value and by deadline.
    fn remove_from_orders(&mut self, object: &Object) {
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

    /// Returns the R-tree of the spatial objects; an empty one while the index is offloaded.
    pub fn areas(&self) -> &RTree<Object> {
        self.spatial_index.tree()
    }

    /// Offloads the spatial index if it is large; `key` is the collection's.
    #[inline]
    pub fn offload_index(&mut self, key: &[u8], offloader: &mut Offloader) {
        offloader.offload(key, &mut self.spatial_index);
    }

    /// Takes the spatial index back if it is offloaded.
    pub fn reclaim_index(&mut self) {
        self.spatial_index.reclaim(self.ids.range_from(b""));
    }

    /// Returns all objects from this id on, ascending by id.
    pub fn ascend(&self, from: &[u8]) -> impl Iterator<Item = &Object> {
        self.ids.range_from(from)
    }

    /// Returns iterators over consecutive parts of all objects, ascending by id: at least so many,
    /// if there are enough objects.
    pub fn divide(&self, parts_min: usize) -> Vec<impl Iterator<Item = &Object> + Clone + Sync> {
        self.ids.divide(parts_min)
    }

    /// Returns all objects from this id down, from the last one for `None`, descending by id.
    pub fn descend(&self, from: Option<&[u8]>) -> Box<dyn Iterator<Item = &Object> + '_> {
        match from {
            Some(id) => Box::new(self.ids.range_back_from(id)),
            None => Box::new(self.ids.iter_back()),
        }
    }

    /// Returns all non-spatial objects from this value on, ascending by (value, id).
    pub fn ascend_values(&self, from: &[u8]) -> impl Iterator<Item = &Object> {
        self.values.range(ByValue::probe(from)..).map(|ByValue(object)| object)
    }

    /// Returns all non-spatial objects from this value down, from the last one for `None`,
    /// descending by (value, id).
    pub fn descend_values(&self, from: Option<&[u8]>) -> Box<dyn Iterator<Item = &Object> + '_> {
        let objects = self.values.iter().rev().map(|ByValue(object)| object);
        let Some(from) = from else { return Box::new(objects) };
        // The least text above `from` is `from` with a zero byte after it.
        let end = ByValue::probe(&[from, b"\0"].concat());
        Box::new(self.values.range(..end).rev().map(|ByValue(object)| object))
    }

    /// Returns the earliest deadline in nanoseconds since 1970, or [`NEVER`].
    pub fn next_deadline(&self) -> i64 {
        self.deadlines.get_min().map_or(NEVER, |ByDeadline(object)| object.deadline())
    }

    /// Returns the object with the earliest deadline.
    pub fn first_to_expire(&self) -> Option<&Object> {
        self.deadlines.get_min().map(|ByDeadline(object)| object)
    }

    /// Returns the box around all spatial objects; all zeros if there are none. Each side is the
    /// exact side of the object that is outermost in the single precision of the index, as in
    /// Tile38.
    pub fn bounds(&self) -> Rect {
        let Some([west, south, east, north]) = self.spatial_index.tree().extremes() else {
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
