//! The areas that fences derive from stored objects: circles of zones, and areas that follow an
//! object. The keyspace tells each change of such an object.

use super::FenceRegistry;
use crate::collection::Collection;
use crate::field::Names;
use crate::object::Object;

impl FenceRegistry {
    /// Whether fences derive areas from objects of a key.
    #[inline]
    pub fn derives_areas(&self, key: &[u8]) -> bool {
        self.zone_keys().has_circles(key) || self.followers().contains(key)
    }

    /// Replaces the areas derived from an object that was written or removed.
    pub fn replace_areas(
        &mut self,
        names: &Names,
        key: &[u8],
        previous: Option<&Object>,
        object: Option<&Object>,
    ) {
        if self.zone_keys().has_circles(key) {
            self.zone_keys_mut().replace(names, key, previous, object);
        }
        let Some(id) = object.or(previous).map(Object::id) else { return };
        self.relocate(key, id, object);
    }

    /// Derives the areas from the objects of a key anew.
    pub fn rebuild_areas(&mut self, names: &Names, key: &[u8], objects: Option<&Collection>) {
        if self.zone_keys().has_circles(key) {
            self.zone_keys_mut().rebuild(names, key, objects);
        }
        for id in self.followers().ids(key) {
            self.relocate(key, &id, objects.and_then(|objects| objects.get(&id)));
        }
    }

    /// Empties the areas derived from the objects of all keys.
    pub fn clear_areas(&mut self) {
        self.zone_keys_mut().clear();
        self.mark_all_stale();
        for key in self.followers().keys() {
            for id in self.followers().ids(&key) {
                self.relocate(&key, &id, None);
            }
        }
    }
}
