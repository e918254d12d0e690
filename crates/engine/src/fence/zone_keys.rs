//! The keys whose objects are zones of fences. Where zones that are points have a field as radius,
//! an R-tree of their circles is kept for each such field, since the collection's own tree has only
//! the points.

use std::collections::BTreeMap;

use imbl::OrdMap;

use crate::collection::Collection;
use crate::field::Names;
use crate::geometry::{Circle, Geometry, Point};
use crate::index::{Item, RTree};
use crate::keyspace::Key;
use crate::object::{Object, Shape};
use crate::query::field_path::read_field;

/// A zone in a tree of circles.
#[derive(Clone)]
pub struct Circled(pub Object);

impl Item for Circled {
    fn identity(&self) -> usize {
        self.0.identity()
    }

    fn is_point(&self) -> bool {
        false
    }

    fn prefetch(&self) {
        self.0.prefetch();
    }
}

/// Returns the circle around a zone that is a point; `None` for other zones, and unless the field
/// holds a positive number.
pub fn circle_of(names: &Names, zone: &Object, field: &[u8]) -> Option<Circle> {
    let center = match zone.shape() {
        Shape::Point(point) => *point,
        Shape::Geometry(geometry) => point_of(geometry)?,
        Shape::String => return None,
    };
    let value = read_field(names, |serial| zone.fields().get(serial), field)?;
    let meters = value.number();
    (zone.is_indexed() && meters > 0.0).then(|| Circle::new(center, meters))
}

fn point_of(geometry: &Geometry) -> Option<Point> {
    match geometry {
        Geometry::Point(position) => Some(position.point),
        Geometry::Feature(feature) => point_of(&feature.geometry),
        _ => None,
    }
}

/// The circles of the zones of a key by one field.
#[derive(Clone, Default)]
struct Circles {
    /// The number of fences that use them.
    fences: usize,
    /// `None` until the circles of the zones that were there before the fence are in it.
    tree: Option<RTree<Circled>>,
}

/// A key of zones.
#[derive(Clone, Default)]
struct ZoneKey {
    /// The number of fences whose zones the objects are.
    fences: usize,
    circles: BTreeMap<Box<[u8]>, Circles>,
}

fn tree_of(names: &Names, zones: Option<&Collection>, field: &[u8]) -> RTree<Circled> {
    let mut tree = RTree::default();
    for zone in zones.into_iter().flat_map(|zones| zones.ascend(b"")) {
        if let Some(circle) = circle_of(names, zone, field) {
            tree.insert(&circle.bounds(), Circled(zone.clone()));
        }
    }
    tree
}

/// All keys of zones.
#[derive(Clone, Default)]
pub struct ZoneKeys {
    by_name: OrdMap<Key, ZoneKey>,
    /// Keys of new fences that can't search the zones yet, or whose circles aren't built.
    unprepared: Vec<Key>,
}

impl ZoneKeys {
    /// Returns whether the objects of a key are zones.
    pub fn contains(&self, key: &[u8]) -> bool {
        !self.by_name.is_empty() && self.by_name.contains_key(key)
    }

    /// Returns whether a key has circles.
    #[inline]
    pub fn has_circles(&self, key: &[u8]) -> bool {
        !self.by_name.is_empty()
            && self.by_name.get(key).is_some_and(|zones| !zones.circles.is_empty())
    }

    /// Returns the circles of a key by a field.
    pub fn circles(&self, key: &[u8], field: &[u8]) -> Option<&RTree<Circled>> {
        self.by_name.get(key)?.circles.get(field)?.tree.as_ref()
    }

    /// Adds a fence with zones of this key, and their radii in this field, if any.
    pub fn add(&mut self, key: &Key, field: Option<&[u8]>) {
        let zones = self.by_name.entry(key.clone()).or_default();
        zones.fences += 1;
        let mut is_prepared = zones.fences > 1;
        if let Some(field) = field {
            let circles = zones.circles.entry(field.into()).or_default();
            circles.fences += 1;
            is_prepared &= circles.tree.is_some();
        }
        if !is_prepared {
            self.unprepared.push(key.clone());
        }
    }

    /// Removes a fence.
    pub fn remove(&mut self, key: &[u8], field: Option<&[u8]>) {
        let Some(zones) = self.by_name.get_mut(key) else { return };
        zones.fences -= 1;
        if let Some((field, circles)) =
            field.and_then(|field| Some((field, zones.circles.get_mut(field)?)))
        {
            circles.fences -= 1;
            if circles.fences == 0 {
                zones.circles.remove(field);
            }
        }
        if zones.fences == 0 {
            self.by_name.remove(key);
        }
    }

    /// Takes the keys of new fences.
    pub fn take_unprepared(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.unprepared)
    }

    /// Builds the circles of a key that no fence used before.
    pub fn prepare(&mut self, names: &Names, key: &[u8], zones: Option<&Collection>) {
        let Some(present) = self.by_name.get_mut(key) else { return };
        for (field, circles) in &mut present.circles {
            circles.tree.get_or_insert_with(|| tree_of(names, zones, field));
        }
    }

    /// Builds all circles of a key anew.
    pub fn rebuild(&mut self, names: &Names, key: &[u8], zones: Option<&Collection>) {
        let Some(present) = self.by_name.get_mut(key) else { return };
        for (field, circles) in &mut present.circles {
            circles.tree = Some(tree_of(names, zones, field));
        }
    }

    /// Empties the circles of all keys.
    pub fn clear(&mut self) {
        let keys: Vec<Key> = self.by_name.keys().cloned().collect();
        for key in keys {
            let zones = self.by_name.get_mut(&key);
            for circles in zones.into_iter().flat_map(|zones| zones.circles.values_mut()) {
                circles.tree = Some(RTree::default());
            }
        }
    }

    /// Replaces the circles of a zone of a key.
    pub fn replace(
        &mut self,
        names: &Names,
        key: &[u8],
        previous: Option<&Object>,
        zone: Option<&Object>,
    ) {
        let Some(zones) = self.by_name.get_mut(key) else { return };
        for (field, circles) in &mut zones.circles {
            let Some(tree) = &mut circles.tree else { continue };
            let circle = |zone: &Object| {
                Some((circle_of(names, zone, field)?.bounds(), Circled(zone.clone())))
            };
            match (previous.and_then(circle), zone.and_then(circle)) {
                (Some((old, item)), Some((new, next))) => tree.replace((&old, &item), (&new, next)),
                (Some((bounds, item)), None) => {
                    tree.remove(&bounds, &item);
                }
                (None, Some((bounds, item))) => tree.insert(&bounds, item),
                (None, None) => {}
            }
        }
    }
}
