//! All collections. Cloning is O(1) and returns a snapshot that later changes don't touch.

use std::ops::Bound;
use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::collection::{Collection, Counts};
use crate::endpoints::EndpointChecker;
use crate::fence::{Arrival, Change, ChangeKind, Event, FenceRegistry, Name, Reorder, SharedWatch};
use crate::field::Names;
use crate::garbage::Garbage;
use crate::object::{Object, NEVER};
use crate::script::ScriptCache;
use crate::spatial_index::Offloader;
use crate::time_zones::TimeZones;

/// The most objects to prefetch together; more would evict each other from the cache.
pub const PREFETCHED_OBJECTS_MAX: usize = 16;

/// The name of a collection.
pub type Key = Arc<[u8]>;

/// All collections, the names of fields, the fences, and the order in which collections expire.
#[derive(Clone, Default)]
pub struct Keyspace {
    collections: imbl::OrdMap<Key, Collection>,
    totals: Totals,
    names: Names,
    fences: FenceRegistry,
    reports: Reports,
    garbage: Garbage,
    offloading: Offloading,
    /// Whether geometries must be within ±180, ±90 degrees.
    pub requires_valid: bool,
    /// The nanoseconds for which fences wait for positions with earlier event times.
    pub event_window_ns: i64,
    /// The positions that fences haven't decided about.
    pub reorder: Reorder,
    /// The scripts that are cached; shared by all snapshots.
    pub scripts: ScriptCache,
    /// The replies of SERVER and SERVER EXT for scripts, which the driver renews from time to time;
    /// none where it doesn't.
    pub server_replies: Option<Arc<[Vec<u8>; 2]>>,
    /// The time zones of VALID; without them only UTC is known.
    pub time_zones: Option<Arc<TimeZones>>,
    /// The checker of the URLs that SETHOOK names; without one, all URLs are accepted.
    pub endpoint_checker: Option<std::sync::Arc<dyn EndpointChecker>>,
}

/// The values of a keyspace that each change of a collection brings up to date.
#[derive(Clone, Default)]
struct Totals {
    counts: Counts,
    /// The earliest deadline of each collection that has one.
    expiries: imbl::OrdSet<(i64, Key)>,
    /// The version of the collection that was changed last, without the base.
    version: u64,
    /// The number that is added to all versions.
    version_base: u64,
}

/// The reports of commands since they were last taken: changes for fences, changed hooks, and
/// refused URLs.
#[derive(Default)]
pub struct Reports {
    /// Changes of objects of keys that have fences.
    pub changes: Vec<Change>,
    /// Hooks that were made, replaced, set again or deleted.
    pub hooks: Vec<Name>,
    /// The number of fences that were removed.
    pub removed_fences: usize,
    /// Live fences whose snapshots have to be sent again: their key has other objects now.
    pub restarts: Vec<SharedWatch>,
    /// Whether answers of standing queries have to be computed anew.
    pub has_stale_queries: bool,
    /// Whether FLUSHDB ran.
    pub has_flush: bool,
    /// Reasons why endpoints' URLs were refused, for the log: replies don't tell them.
    pub refused_urls: Vec<String>,
    /// Numbered events that a log has.
    pub logged_events: Vec<Event>,
    /// Hooks, and the number up to which the events of each are delivered.
    pub delivered: Vec<(Name, u64)>,
}

impl Clone for Reports {
    /// Returns an empty report: a snapshot isn't changed.
    fn clone(&self) -> Self {
        Reports::default()
    }
}

impl Reports {
    /// Returns whether nothing was reported.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.hooks.is_empty()
            && self.removed_fences == 0
            && !self.has_flush
            && !self.has_stale_queries
            && self.restarts.is_empty()
            && self.refused_urls.is_empty()
            && self.logged_events.is_empty()
            && self.delivered.is_empty()
    }
}

/// The offloader of spatial indexes; set only while a log is loaded with a worker.
#[derive(Default)]
struct Offloading(Option<Offloader>);

impl Clone for Offloading {
    /// Returns none: a snapshot isn't changed, so it has nothing to offload.
    fn clone(&self) -> Self {
        Offloading(None)
    }
}

impl Offloading {
    #[inline]
    fn offload(&mut self, key: &[u8], collection: &mut Collection, fences: &FenceRegistry) {
        if let Some(offloader) = &mut self.0 {
            // Fences search the index of zones, and standing queries theirs, for writes.
            if !fences.zone_keys().contains(key) && !fences.has_standing(key) {
                collection.offload_index(key, offloader);
            }
        }
    }
}

impl Keyspace {
    /// Returns an empty keyspace.
    pub fn new(requires_valid: bool) -> Self {
        Keyspace { requires_valid, ..Keyspace::default() }
    }

    /// Returns the collection of a key.
    pub fn get(&self, key: &[u8]) -> Option<&Collection> {
        self.collections.get(key)
    }

    /// Prefetches objects, given by key and id. Prefetches all leaves first and all objects
    /// afterwards, so that the waits for memory overlap.
    pub fn prefetch(&self, objects: &ArrayVec<(&[u8], &[u8]), PREFETCHED_OBJECTS_MAX>) {
        let leaf = |&(key, id)| Some((self.get(key)?.prefetch_leaf(id)?, id));
        let leaves: ArrayVec<_, PREFETCHED_OBJECTS_MAX> = objects.iter().filter_map(leaf).collect();
        let candidates = leaves.iter().filter_map(|(leaf, id)| leaf.candidate(id));
        let candidates: ArrayVec<_, PREFETCHED_OBJECTS_MAX> = candidates.collect();
        candidates.into_iter().for_each(Object::prefetch);
    }

    /// Returns all collections in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Collection)> {
        self.collections.iter()
    }

    /// Returns the keys from this one on, ascending.
    pub fn keys_from<'a>(&'a self, from: &'a [u8]) -> impl Iterator<Item = &'a Key> {
        self.collections_from(from).map(|(key, _)| key)
    }

    /// Returns the collections from this key on, ascending.
    pub fn collections_from<'a>(
        &'a self,
        from: &'a [u8],
    ) -> impl Iterator<Item = (&'a Key, &'a Collection)> {
        let range = (Bound::Included(from), Bound::Unbounded);
        self.collections.range::<_, [u8]>(range)
    }

    /// Returns the number of collections.
    pub fn len(&self) -> usize {
        self.collections.len()
    }

    /// Returns whether there are no collections.
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }

    /// Returns the sums over all collections.
    pub fn counts(&self) -> Counts {
        self.totals.counts
    }

    /// Returns the names of fields.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Returns the names of fields, for adding names.
    pub fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Returns the fences.
    pub fn fences(&self) -> &FenceRegistry {
        &self.fences
    }

    /// Returns the fences, for changing them.
    pub fn fences_mut(&mut self) -> &mut FenceRegistry {
        &mut self.fences
    }

    /// Returns the report of changes.
    #[inline]
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Returns the report of changes, for adding to it or taking it.
    pub fn reports_mut(&mut self) -> &mut Reports {
        &mut self.reports
    }

    /// Reports a change to the fences of its key. Takes almost no time for a key without fences.
    #[inline]
    pub fn report(
        &mut self,
        key: &[u8],
        kind: ChangeKind,
        object: Option<&Object>,
        previous: Option<&Object>,
    ) {
        if self.fences.is_empty() {
            return;
        }
        let Some((key, _)) = self.fences.of_key(key) else { return };
        let (key, arrival) = (Arc::clone(key), Arrival::InOrder);
        let (object, replaced) = (object.cloned(), previous.cloned());
        let previous = if kind == ChangeKind::Set { replaced.clone() } else { None };
        self.reports.changes.push(Change {
            key,
            kind,
            object,
            previous,
            replaced,
            arrival,
            is_expiry: false,
        });
    }

    /// Reports the deletion of an expired object to the fences of its key.
    pub fn report_expiry(&mut self, key: &[u8], object: &Object) {
        let count = self.reports.changes.len();
        self.report(key, ChangeKind::Del, Some(object), None);
        self.reports.changes[count..].iter_mut().for_each(|change| change.is_expiry = true);
    }

    /// Reports that a key, or every key, has other objects now without a change of each.
    pub fn report_replacement(&mut self, key: Option<&[u8]>) {
        if self.fences.has_live() {
            self.reports.restarts.extend(self.fences.with_snapshots(key).cloned());
        }
    }

    /// Reports a position that is older than the stored one. Returns whether fences may decide
    /// about it.
    pub fn report_late(&mut self, key: &[u8], object: Object) -> bool {
        let fences = self.fences.of_key(key).filter(|_| self.event_window_ns > 0);
        let Some((key, _)) = fences else { return false };
        self.reports.changes.push(Change {
            key: Arc::clone(key),
            kind: ChangeKind::Set,
            object: Some(object),
            previous: None,
            replaced: None,
            arrival: Arrival::Late,
            is_expiry: false,
        });
        true
    }

    /// Reports that positions have waited long enough for earlier ones: those of an object up to an
    /// event time. Returns whether there were any.
    pub fn release_positions(&mut self, key: &[u8], id: &[u8], event_ns: i64) -> bool {
        let changes = self.reorder.release(key, id, event_ns);
        let is_any = !changes.is_empty();
        self.reports.changes.extend(changes);
        is_any
    }

    /// Stores an object, in a new collection if the key has none. Returns the object that it
    /// replaces.
    pub fn insert(&mut self, key: &[u8], object: Object) -> Option<Object> {
        if let Some(collection) = self.collections.get_mut(key) {
            self.offloading.offload(key, collection, &self.fences);
            self.fences.note_zone_change(key);
            let zone = self.fences.derives_areas(key).then(|| object.clone());
            let previous =
                self.totals.change(key, collection, |collection| collection.insert(object));
            if zone.is_some() {
                self.replace_areas(key, previous.as_ref(), zone.as_ref());
            }
            self.garbage.keep_object(previous.as_ref());
            return previous;
        }
        let mut collection = Collection::default();
        collection.insert(object);
        self.attach(key.into(), collection);
        None
    }

    /// Stores the object that `make` returns, given the present one with this id and the names of
    /// fields, in a new collection if the key has none. Returns the stored object and the one that
    /// it replaces.
    pub fn update<E>(
        &mut self,
        key: &[u8],
        id: &[u8],
        make: impl FnOnce(&mut Names, Option<&Object>) -> Result<Object, E>,
    ) -> Result<(Object, Option<Object>), E> {
        let names = &mut self.names;
        if let Some(collection) = self.collections.get_mut(key) {
            self.offloading.offload(key, collection, &self.fences);
            let (object, previous) = self.totals.change(key, collection, |collection| {
                collection.update(id, |present| make(names, present))
            })?;
            self.replace_areas(key, previous.as_ref(), Some(&object));
            self.fences.note_zone_change(key);
            self.garbage.keep_object(previous.as_ref());
            return Ok((object, previous));
        }
        let object = make(names, None)?;
        let mut collection = Collection::default();
        collection.insert(object.clone());
        self.attach(key.into(), collection);
        Ok((object, None))
    }

    /// Removes an object, and its collection if it was the last one.
    pub fn remove(&mut self, key: &[u8], id: &[u8]) -> Option<Object> {
        let collection = self.collections.get_mut(key)?;
        let removed = self.totals.change(key, collection, |collection| collection.remove(id));
        if collection.is_empty() {
            self.collections.remove(key);
        }
        self.replace_areas(key, removed.as_ref(), None);
        self.fences.note_zone_change(key);
        self.garbage.keep_object(removed.as_ref());
        removed
    }

    /// Replaces the areas that fences derive from an object, if there are any.
    #[inline]
    fn replace_areas(&mut self, key: &[u8], previous: Option<&Object>, object: Option<&Object>) {
        if self.fences.derives_areas(key) {
            self.fences.replace_areas(&self.names, key, previous, object);
            self.report_stale_queries();
        }
    }

    /// Makes the zones of new fences ready for searches: takes their spatial indexes back if they
    /// are offloaded, and builds the circles that no fence used before.
    pub fn prepare_zones(&mut self) {
        for key in self.fences.zone_keys_mut().take_unprepared() {
            if let Some(collection) = self.collections.get_mut(&key) {
                collection.reclaim_index();
            }
            let zones = self.collections.get(&key);
            self.fences.zone_keys_mut().prepare(&self.names, &key, zones);
        }
        for (key, id) in self.fences.followers_mut().take_unprepared() {
            let object = self.collections.get(&key).and_then(|objects| objects.get(&id));
            self.fences.relocate(&key, &id, object);
        }
        for watch in self.fences.standing().stale() {
            if let Some(collection) = self.collections.get_mut(&watch.fence.key) {
                collection.reclaim_index();
            }
        }
        self.report_stale_queries();
    }

    fn report_stale_queries(&mut self) {
        self.reports.has_stale_queries |= self.fences.standing().has_stale();
    }

    /// Derives the areas of fences from the objects of a key anew: it has another collection now.
    fn rebuild_areas(&mut self, key: &[u8]) {
        if self.fences.derives_areas(key) {
            let objects = self.collections.get(key);
            self.fences.rebuild_areas(&self.names, key, objects);
        }
        self.fences.mark_key_stale(key);
        self.report_stale_queries();
    }

    /// Removes a collection with all its objects. Returns whether there was one.
    pub fn discard(&mut self, key: &[u8]) -> bool {
        let removed = self.take(key);
        let is_removed = removed.is_some();
        if let Some(collection) = removed {
            self.garbage.keep_collection(collection);
        }
        is_removed
    }

    /// Returns the removed data that takes long to free, for the driver to drop where nobody waits.
    #[inline]
    pub fn take_garbage(&mut self) -> Garbage {
        std::mem::take(&mut self.garbage)
    }

    /// Removes a collection and returns it.
    pub fn take(&mut self, key: &[u8]) -> Option<Collection> {
        let (key, mut collection) = self.collections.remove_with_key(key)?;
        collection.reclaim_index();
        let counts = collection.counts();
        self.totals.counts.objects -= counts.objects;
        self.totals.counts.points -= counts.points;
        self.totals.counts.strings -= counts.strings;
        self.totals.counts.weight -= counts.weight;
        self.rebuild_areas(&key);
        self.fences.note_zone_change(&key);
        self.totals.expiries.remove(&(collection.next_deadline(), key));
        Some(collection)
    }

    /// Adds a collection under a key that has none.
    pub fn attach(&mut self, key: Key, mut collection: Collection) {
        collection.version = self.totals.next_version();
        let counts = collection.counts();
        self.totals.counts.objects += counts.objects;
        self.totals.counts.points += counts.points;
        self.totals.counts.strings += counts.strings;
        self.totals.counts.weight += counts.weight;
        if collection.next_deadline() != NEVER {
            self.totals.expiries.insert((collection.next_deadline(), Arc::clone(&key)));
        }
        let name = Arc::clone(&key);
        self.collections.insert(key, collection);
        self.rebuild_areas(&name);
        self.fences.note_zone_change(&name);
    }

    /// Returns the version of a collection, which WATCH compares: each change of the collection
    /// gives it a new one. `None` if the key has no collection.
    pub fn version(&self, key: &[u8]) -> Option<u64> {
        let version = |collection: &Collection| self.totals.version_base + collection.version;
        self.collections.get(key).map(version)
    }

    /// Gives all collections versions that none of an earlier keyspace has had.
    pub fn continue_versions(&mut self, earlier: &Keyspace) {
        self.totals.version_base = earlier.totals.version_base + earlier.totals.version;
    }

    /// Offloads the spatial indexes of large collections from now on, each when it next changes.
    pub fn offload_indexes(&mut self, offloader: Offloader) {
        self.offloading = Offloading(Some(offloader));
    }

    /// Takes all offloaded spatial indexes back.
    pub fn reclaim_indexes(&mut self) {
        let Some(offloader) = self.offloading.0.take() else { return };
        for key in offloader.into_keys() {
            if let Some(collection) = self.collections.get_mut(&key[..]) {
                collection.reclaim_index();
            }
        }
    }

    /// Removes all collections, hooks and channels. The names of fields stay: their numbers are
    /// never given again.
    pub fn clear(&mut self) {
        let removed = std::mem::take(&mut self.collections);
        // Offloaded indexes have to be dropped before their worker can end.
        if self.offloading.0.is_none() {
            self.garbage.keep_collections(removed);
        }
        self.totals.expiries.clear();
        self.totals.counts = Counts::default();
        self.fences.clear_areas();
        self.reorder.clear();
        self.report_stale_queries();
    }

    /// Returns the object with the earliest deadline and its key, if that deadline has passed.
    pub fn next_expired(&self, now_ns: i64) -> Option<(Key, Object)> {
        let (deadline, key) = self.totals.expiries.get_min()?;
        if *deadline > now_ns {
            return None;
        }
        let object = self.collections.get(key)?.first_to_expire()?;
        Some((Arc::clone(key), object.clone()))
    }
}

impl Totals {
    /// Returns a version that no collection has had.
    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// Changes a collection, gives it a new version, and brings the sums and the order of deadlines
    /// up to date.
    fn change<R>(
        &mut self,
        key: &[u8],
        collection: &mut Collection,
        apply: impl FnOnce(&mut Collection) -> R,
    ) -> R {
        let (before, deadline_before) = (collection.counts(), collection.next_deadline());
        collection.version = self.next_version();
        let result = apply(collection);
        let (after, deadline_after) = (collection.counts(), collection.next_deadline());
        let counts = &mut self.counts;
        counts.objects = counts.objects + after.objects - before.objects;
        counts.points = counts.points + after.points - before.points;
        counts.strings = counts.strings + after.strings - before.strings;
        counts.weight = counts.weight + after.weight - before.weight;
        if deadline_before != deadline_after {
            let key: Key = key.into();
            if deadline_before != NEVER {
                self.expiries.remove(&(deadline_before, Arc::clone(&key)));
            }
            if deadline_after != NEVER {
                self.expiries.insert((deadline_after, key));
            }
        }
        result
    }
}
