//! Roaming fences: who comes near whom. Keeps no state: both neighbourhoods are computed from what
//! the other collection holds now.

use std::f64::consts::{FRAC_PI_2, PI};
use std::ops::ControlFlow;

use crate::call::{float_of, Words};
use crate::error::{Error, Result};
use crate::geometry::{distance, Geometry, Point, Rect};
use crate::glob;
use crate::keyspace::{Key, Keyspace};
use crate::object::Object;
use crate::query::area;
use crate::query::options::Verb;

/// The earth's radius in metres.
const RADIUS: f64 = 6_371_000.0;
/// An angle whose cosine is above this is too small for a box of its own.
const COSINE_MAX: f64 = 0.999_999_999_999_999;

/// Whom a fence roams around.
pub struct Roam {
    /// The collection of the others.
    pub key: Key,
    /// How near they have to be.
    pub meters: f64,
    /// SCAN: what to tell of objects that belong to a neighbour.
    pub scan: Option<Box<[u8]>>,
    pattern: Box<[u8]>,
    is_glob: bool,
    has_no_dwell: bool,
}

/// An object near another.
pub struct Neighbor {
    /// The other object.
    pub object: Object,
    /// The distance between both centres.
    pub meters: f64,
}

/// Who is near after a write, and who no longer is.
pub struct Meetings {
    /// Those near now.
    pub nearby: Vec<Neighbor>,
    /// Those near the object's former place only.
    pub faraway: Vec<Neighbor>,
}

impl Roam {
    /// Reads `key pattern meters [SCAN glob {CLIPBY …}]`.
    pub fn parse(words: &mut Words, has_no_dwell: bool) -> Result<Self> {
        let (key, pattern) = (words.next_filled()?, words.next_filled()?);
        let meters = float_of(words.next_filled()?)?;
        let mut scan = None;
        if let Some(word) = words.peek() {
            if !words.take_keyword("SCAN") {
                return Err(Error::invalid(word));
            }
            scan = Some(Box::from(words.next_filled()?));
            area::Area { geometry: None, is_stored_point: false }.take_clips(words)?;
        }
        let has_glob = pattern.iter().any(|byte| matches!(byte, b'[' | b'*' | b'?'));
        Ok(Roam {
            key: key.into(),
            meters,
            scan,
            is_glob: has_glob && glob::is_well_formed(pattern),
            pattern: pattern.into(),
            has_no_dwell,
        })
    }

    /// What a SET means: whom the object met and whom it left.
    pub fn meet(
        &self,
        keyspace: &Keyspace,
        object: &Object,
        previous: Option<&Object>,
    ) -> Meetings {
        let mut before = match previous {
            Some(previous) => self.neighbors(keyspace, previous, object),
            None => Vec::new(),
        };
        let mut nearby = self.neighbors(keyspace, object, object);
        let ids = |neighbors: &[Neighbor]| -> Vec<Vec<u8>> {
            let mut ids: Vec<_> = neighbors.iter().map(|n| n.object.id().to_vec()).collect();
            ids.sort();
            ids
        };
        let now = ids(&nearby);
        let has = |ids: &[Vec<u8>], neighbor: &Neighbor| {
            ids.binary_search_by(|id| id[..].cmp(neighbor.object.id())).is_ok()
        };
        if self.has_no_dwell {
            let known = ids(&before);
            nearby.retain(|neighbor| !has(&known, neighbor));
        }
        before.retain(|neighbor| !has(&now, neighbor));
        Meetings { nearby: in_order(nearby), faraway: in_order(before) }
    }

    /// The objects near a place of an object, with their distances from where it is now. Whether
    /// they touch the box decides, so that its corners count.
    fn neighbors(&self, keyspace: &Keyspace, place: &Object, object: &Object) -> Vec<Neighbor> {
        let mut found = Vec::new();
        let Some(collection) = keyspace.get(&self.key) else { return found };
        let has_reach = self.meters >= 0.0;
        if !place.is_spatial() || !has_reach {
            return found;
        }
        let bounds = box_around(place.center(), self.meters);
        let reach = Geometry::Rect(bounds);
        let mut offer = |other: &Object| {
            if other.id() != object.id() && area::hits(Verb::Intersects, &reach, other) {
                let meters = distance::center_to_center(object.center(), other.center());
                found.push(Neighbor { object: other.clone(), meters });
            }
        };
        if !self.is_glob {
            let other = collection.get(&self.pattern).filter(|other| other.is_indexed());
            other.into_iter().for_each(offer);
            return found;
        }
        let _ = collection.areas().search(&bounds, |other| {
            if glob::matches(&self.pattern, other.id()) {
                offer(other);
            }
            ControlFlow::Continue(())
        });
        found
    }
}

fn in_order(mut neighbors: Vec<Neighbor>) -> Vec<Neighbor> {
    neighbors.sort_by(|a, b| {
        a.meters.total_cmp(&b.meters).then_with(|| a.object.id().cmp(b.object.id()))
    });
    neighbors
}

/// The box of everything that many metres around a point.
pub fn box_around(center: Point, meters: f64) -> Rect {
    let angle = meters / RADIUS;
    if angle.cos() > COSINE_MAX {
        return Rect::new(center, center);
    }
    let (latitude, longitude) = (center.y.to_radians(), center.x.to_radians());
    let (mut south, mut north) = (latitude - angle, latitude + angle);
    let tangent = (latitude.sin() / angle.cos()).asin();
    let turn =
        ((angle.cos() - tangent.sin() * latitude.sin()) / (tangent.cos() * latitude.cos())).acos();
    let (mut west, mut east) = (longitude - turn, longitude + turn);
    let has_pole = north > FRAC_PI_2 || south < -FRAC_PI_2;
    north = north.min(FRAC_PI_2);
    south = south.max(-FRAC_PI_2);
    if has_pole || !(west >= -PI && east <= PI) {
        (west, east) = (-PI, PI);
    }
    Rect::new(
        Point::new(west.to_degrees(), south.to_degrees()),
        Point::new(east.to_degrees(), north.to_degrees()),
    )
}
