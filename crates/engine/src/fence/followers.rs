//! The fences that follow a stored object each, and their present areas. A write to a key without
//! such objects only looks at a flag.

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::{FenceShape, Watch, Zones};
use crate::geometry::{Geometry, Rect};
use crate::keyspace::Key;
use crate::object::Object;

/// A fence that follows an object.
#[derive(Clone)]
struct Follower {
    watch: Arc<Watch>,
    area: Option<Arc<Geometry>>,
}

/// A change of the area of a fence: its former and its present box.
pub struct Relocation {
    /// The fence.
    pub watch: Arc<Watch>,
    /// The box before; `None` for no area.
    pub from: Option<Rect>,
    /// The box now.
    pub to: Option<Rect>,
}

/// All fences that follow objects. `Clone` takes a snapshot.
#[derive(Clone, Default)]
pub struct Followers {
    by_serial: OrdMap<u64, Follower>,
    /// The numbers of the fences by the key and id that they follow.
    by_object: OrdMap<Key, OrdMap<Box<[u8]>, OrdSet<u64>>>,
    /// Fences whose areas aren't known yet.
    unprepared: Vec<u64>,
}

/// Returns the key and the id of the object that a fence follows.
fn followed(watch: &Watch) -> Option<(&Key, &[u8])> {
    match &watch.fence.shape {
        FenceShape::Zones(zones) => Some((&zones.key, &zones.anchor()?.id)),
        FenceShape::Top(top) => top.center_object(),
        FenceShape::Area(_) | FenceShape::Roam(_) => None,
    }
}

fn bounds_of(area: Option<&Arc<Geometry>>) -> Option<Rect> {
    area.map(|area| area.bounds())
}

impl Followers {
    /// Returns whether fences follow objects of a key.
    #[inline]
    pub fn contains(&self, key: &[u8]) -> bool {
        !self.by_object.is_empty() && self.by_object.contains_key(key)
    }

    /// Returns the present area of a fence, if it has one.
    pub fn area(&self, serial: u64) -> Option<&Geometry> {
        self.by_serial.get(&serial)?.area.as_deref()
    }

    /// Returns the key that a fence watches, if it follows an object.
    pub fn watched_key(&self, serial: u64) -> Option<Key> {
        if self.by_serial.is_empty() {
            return None;
        }
        Some(self.by_serial.get(&serial)?.watch.fence.key.clone())
    }

    /// Returns the ids of the followed objects of a key.
    pub fn ids(&self, key: &[u8]) -> Vec<Box<[u8]>> {
        self.by_object.get(key).map_or(Vec::new(), |ids| ids.keys().cloned().collect())
    }

    /// Returns the keys of the followed objects.
    pub fn keys(&self) -> Vec<Key> {
        self.by_object.keys().cloned().collect()
    }

    /// Adds a fence if it follows an object. It has no area until it is prepared.
    pub fn add(&mut self, watch: &Arc<Watch>) {
        let Some((key, id)) = followed(watch) else { return };
        let ids = self.by_object.entry(key.clone()).or_default();
        ids.entry(id.into()).or_default().insert(watch.serial);
        self.by_serial.insert(watch.serial, Follower { watch: Arc::clone(watch), area: None });
        self.unprepared.push(watch.serial);
    }

    /// Removes a fence. Returns its last box, if it had one.
    pub fn remove(&mut self, watch: &Watch) -> Option<Rect> {
        let (key, id) = followed(watch)?;
        let ids = self.by_object.get_mut(key)?;
        if let Some(serials) = ids.get_mut(id) {
            serials.remove(&watch.serial);
            if serials.is_empty() {
                ids.remove(id);
            }
        }
        if ids.is_empty() {
            self.by_object.remove(key);
        }
        bounds_of(self.by_serial.remove(&watch.serial)?.area.as_ref())
    }

    /// Takes the keys and ids of the objects that new fences follow.
    pub fn take_unprepared(&mut self) -> Vec<(Key, Box<[u8]>)> {
        let serials = std::mem::take(&mut self.unprepared);
        let object = |serial: u64| {
            let (key, id) = followed(&self.by_serial.get(&serial)?.watch)?;
            Some((key.clone(), id.into()))
        };
        serials.into_iter().filter_map(object).collect()
    }

    /// Moves the areas of the fences that follow an object, which may not exist. Returns what that
    /// changes.
    pub fn relocate(&mut self, key: &[u8], id: &[u8], object: Option<&Object>) -> Vec<Relocation> {
        let Some(serials) = self.by_object.get(key).and_then(|ids| ids.get(id)) else {
            return Vec::new();
        };
        let mut relocations = Vec::new();
        for serial in serials {
            let Some(follower) = self.by_serial.get_mut(serial) else { continue };
            let from = bounds_of(follower.area.as_ref());
            let anchor = follower.watch.fence.zones().and_then(Zones::anchor);
            follower.area = anchor.and_then(|anchor| anchor.area_around(object?));
            let to = bounds_of(follower.area.as_ref());
            relocations.push(Relocation { watch: Arc::clone(&follower.watch), from, to });
        }
        relocations
    }
}
