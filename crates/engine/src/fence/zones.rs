//! The zones of a fence: the objects of another key, each an area of its own.

use std::ops::ControlFlow;

use super::anchor::{self, Anchor};
use super::index_entry::is_somewhere;
use super::movement::Movement;
use super::zone_keys::{circle_of, Circled};
use crate::call::Words;
use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::geometry::distance::{named_within, COVER_BOXES_MAX};
use crate::geometry::{predicates, Circle, Geometry, Point, Rect};
use crate::glob;
use crate::index::Item;
use crate::keyspace::{Key, Keyspace};
use crate::object::{Object, Shape};
use crate::query::area;
use crate::query::filter::Filters;
use crate::query::options::Verb;
use crate::query::zone_options::ZoneOptions;

/// The zones of a fence that an object can be in, or that one movement can cross. Of more zones,
/// those with the least ids count.
pub const ZONES_MAX: usize = 10_000;

/// Places that are searched for at once. Each may have several names beyond ±180°.
const PLACES_MAX: usize = COVER_BOXES_MAX / 2;

/// The units of work that the scripts of WHEREEVAL may do for all zones of one write.
const SCRIPT_WORK_MAX: u64 = 5_000;

/// The arguments of `IN key`.
pub struct Zones {
    /// The key of the zones.
    pub key: Key,
    /// WITHFIELDS.
    pub has_fields: bool,
    verb: Verb,
    globs: Vec<Box<[u8]>>,
    filters: Filters<'static>,
    radius: Option<Box<[u8]>>,
    /// The only zone, of a fence that follows an object.
    anchor: Option<Anchor>,
}

impl Zones {
    /// Parses `key {option}` behind IN. `watched` is the key of the fence.
    pub fn parse(
        verb: Verb,
        watched: &[u8],
        words: &mut Words,
        keyspace: &Keyspace,
    ) -> Result<Self> {
        let key = words.next_filled()?;
        let options = ZoneOptions::parse(words, keyspace)?;
        if key == watched {
            return Err(Error::text("a key cannot have its own objects as zones"));
        }
        Ok(Zones {
            key: key.into(),
            has_fields: options.has_fields,
            verb,
            globs: options.globs.into_iter().map(Box::from).collect(),
            filters: options.filters.into_owned(keyspace.names()),
            radius: options.radius.map(Box::from),
            anchor: None,
        })
    }

    /// Returns the zones of a fence that follows an object.
    pub fn following(verb: Verb, key: &[u8], anchor: Anchor) -> Self {
        Zones {
            key: key.into(),
            has_fields: false,
            verb,
            globs: Vec::new(),
            filters: Filters::default(),
            radius: None,
            anchor: Some(anchor),
        }
    }

    /// Returns the object that the fence follows, if it does.
    pub fn anchor(&self) -> Option<&Anchor> {
        self.anchor.as_ref()
    }

    /// Returns whether this is the object that the fence follows.
    pub fn is_anchor(&self, key: &[u8], id: &[u8]) -> bool {
        self.anchor.as_ref().is_some_and(|anchor| *anchor.id == *id && *self.key == *key)
    }

    /// Returns the object that the fence follows, if the area is hit and the object exists.
    fn find_anchor<'k>(
        &self,
        keyspace: &'k Keyspace,
        serial: u64,
        is_hit: impl FnOnce(Option<&Geometry>) -> bool,
    ) -> Vec<&'k Object> {
        let Some(anchor) = &self.anchor else { return Vec::new() };
        let area = keyspace.fences().followers().area(serial);
        self.get(keyspace, &anchor.id).filter(|_| is_hit(area)).into_iter().collect()
    }

    /// Returns the field that holds the radii of zones that are points.
    pub fn radius(&self) -> Option<&[u8]> {
        self.radius.as_deref()
    }

    /// Returns the zone with this id, if there still is one.
    pub fn get<'k>(&self, keyspace: &'k Keyspace, id: &[u8]) -> Option<&'k Object> {
        keyspace.get(&self.key)?.get(id)
    }

    /// Returns the zones that an object is in, ascending by id. `serial` is the fence's number.
    pub fn around<'k>(
        &self,
        keyspace: &'k Keyspace,
        serial: u64,
        object: &Object,
    ) -> Vec<&'k Object> {
        if self.anchor.is_some() {
            let is_hit = |area: Option<&Geometry>| anchor::is_in(self.verb, area, object);
            return self.find_anchor(keyspace, serial, is_hit);
        }
        let Some(collection) = keyspace.get(&self.key).filter(|_| is_somewhere(object)) else {
            return Vec::new();
        };
        let place = [object.bounds()];
        self.find(keyspace, collection, &place, |area| area::hits(self.verb, area, object))
    }

    /// Returns the zones that intersect a movement, ascending by id.
    pub fn crossed<'k>(
        &self,
        keyspace: &'k Keyspace,
        serial: u64,
        (from, to): (Point, Point),
    ) -> Vec<&'k Object> {
        if self.anchor.is_some() {
            return self.find_anchor(keyspace, serial, |area| anchor::is_crossed(area, from, to));
        }
        let Some(collection) = keyspace.get(&self.key) else { return Vec::new() };
        let movement = Movement::new(from, to);
        let lines = movement.as_geometries();
        let pieces = movement.pieces(spacing(collection));
        self.find(keyspace, collection, &pieces, |area| {
            lines.iter().any(|line| predicates::intersects(line, area))
        })
    }

    /// Returns the circle around a zone that is a point with a radius.
    pub fn circle(&self, keyspace: &Keyspace, zone: &Object) -> Option<Circle> {
        circle_of(keyspace.names(), zone, self.radius()?)
    }

    /// Returns whether MATCH and WHERE select a zone.
    pub fn selects(&self, keyspace: &Keyspace, zone: &Object) -> bool {
        let mut allowance = SCRIPT_WORK_MAX;
        glob::matches_any(&self.globs, zone.id())
            && self.filters.accept(keyspace, zone, &mut allowance).unwrap_or(false)
    }

    /// Returns whether an object is in a zone.
    pub fn has(&self, keyspace: &Keyspace, serial: u64, zone: &Object, object: &Object) -> bool {
        if self.anchor.is_some() {
            let area = keyspace.fences().followers().area(serial);
            return anchor::is_in(self.verb, area, object);
        }
        let hits = |area: &Geometry| area::hits(self.verb, area, object);
        is_somewhere(object)
            && self.selects(keyspace, zone)
            && match self.circle(keyspace, zone) {
                Some(circle) => hits(&Geometry::Circle(circle)),
                None => zone.is_indexed() && with_area(zone, hits),
            }
    }

    fn find<'k>(
        &self,
        keyspace: &'k Keyspace,
        collection: &'k Collection,
        places: &[Rect],
        hits: impl Fn(&Geometry) -> bool,
    ) -> Vec<&'k Object> {
        let names = keyspace.names();
        let circle = |zone: &Object| circle_of(names, zone, self.radius()?);
        let mut allowance = SCRIPT_WORK_MAX;
        let mut found = Vec::new();
        let mut offer = |zone: &'k Object, is_hit: bool| {
            let is_meant = is_hit
                && glob::matches_any(&self.globs, zone.id())
                && self.filters.accept(keyspace, zone, &mut allowance).unwrap_or(false);
            if is_meant {
                found.push(zone);
                if found.len() >= 2 * ZONES_MAX {
                    keep_least(&mut found);
                }
            }
            ControlFlow::Continue(())
        };
        let circles = |field| keyspace.fences().zone_keys().circles(&self.key, field);
        let (areas, circles) = (collection.areas(), self.radius().and_then(circles));
        for places in places.chunks(PLACES_MAX) {
            let named = |bounds: Option<Rect>| {
                named_within(places.iter().copied().collect(), &bounds.unwrap_or_default())
            };
            let _ = areas.search_any(&named(areas.bounds()), |zone| {
                // A zone with a circle is found by that.
                offer(zone, circle(zone).is_none() && with_area(zone, &hits))
            });
            let Some(circles) = circles else { continue };
            let _ = circles.search_any(&named(circles.bounds()), |Circled(zone)| {
                offer(zone, circle(zone).is_some_and(|circle| hits(&Geometry::Circle(circle))))
            });
        }
        keep_least(&mut found);
        found
    }
}

/// Passes the area of a zone to a function.
pub fn with_area<R: Default>(zone: &Object, function: impl FnOnce(&Geometry) -> R) -> R {
    match zone.shape() {
        Shape::Point(point) => function(&Geometry::simple_point(*point)),
        Shape::Geometry(geometry) => function(geometry),
        Shape::String => R::default(),
    }
}

/// Sorts zones by id, and drops repeated ones and all but the ZONES_MAX with the least ids.
fn keep_least(zones: &mut Vec<&Object>) {
    zones.sort_unstable_by(|a, b| a.id().cmp(b.id()));
    zones.dedup_by_key(|zone| zone.identity());
    zones.truncate(ZONES_MAX);
}

/// Returns about how many degrees zones lie apart.
fn spacing(collection: &Collection) -> f64 {
    let areas = collection.areas();
    let Rect { min, max } = areas.bounds().unwrap_or_default();
    ((max.x - min.x) * (max.y - min.y) / areas.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_zones_those_with_the_least_ids_count() {
        let object =
            |at: usize| Object::new(format!("{at:06}").as_bytes(), Shape::String, b"", b"", 0);
        let zones: Vec<Object> = (0..ZONES_MAX + 50).rev().map(object).collect();
        let mut found: Vec<&Object> = zones.iter().chain(&zones).collect();
        keep_least(&mut found);
        assert_eq!(found.len(), ZONES_MAX);
        assert!(found.windows(2).all(|pair| pair[0].id() < pair[1].id()));
        assert_eq!(found[ZONES_MAX - 1].id(), b"009999");
    }
}
