//! Roaming fences: they report objects that come near others, by the distance of NEARBY. They keep
//! no state: the neighbors before and after a movement are both found among the present objects of
//! the other collection.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use crate::call::{float_of, Words};
use crate::error::{Error, Result};
use crate::geometry::distance::Origin;
use crate::geometry::{Circle, Geometry};
use crate::glob;
use crate::keyspace::{Key, Keyspace};
use crate::object::Object;
use crate::query::area;
use crate::query::options::Verb;

/// The number of nearest objects that one write reports to a fence, for nearby and faraway each.
pub const MEETINGS_MAX: usize = 10_000;
/// Bytes of a fence's messages about one write.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Objects that SCAN reads for one write and fence.
pub const SCAN_COUNT_MAX: usize = 100_000;

/// The arguments of ROAM: the collection to roam around, and the distance.
pub struct Roam {
    /// The key of the collection.
    pub key: Key,
    /// The distance up to which objects are near.
    pub meters: f64,
    /// The pattern of SCAN, for the objects that belong to a neighbor.
    pub scan: Option<Box<[u8]>>,
    pattern: Box<[u8]>,
    is_glob: bool,
    /// NODWELL.
    pub has_no_dwell: bool,
}

/// The remaining budget of a fence's messages about one write.
pub struct Room {
    bytes: usize,
    scans: usize,
}

impl Default for Room {
    fn default() -> Self {
        Room { bytes: MESSAGE_BYTES_MAX, scans: SCAN_COUNT_MAX }
    }
}

impl Room {
    /// Spends a message's bytes; returns whether the message may be sent.
    pub fn takes(&mut self, bytes: usize) -> bool {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or(0);
        left.is_some()
    }

    /// Spends one object of SCAN; returns whether it may be read.
    pub fn looks(&mut self) -> bool {
        let left = self.scans.checked_sub(1);
        self.scans = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether a text of that length fits in the budget.
    pub fn fits(&self, bytes: usize) -> bool {
        bytes <= self.bytes
    }
}

/// An object near another.
#[derive(Clone)]
pub struct Neighbor {
    /// The other object.
    pub object: Object,
    /// The distance from the centre of the one that moved.
    pub meters: f64,
}

/// The objects that are near after a write, and those that no longer are.
pub struct Meetings {
    /// Objects near the present position.
    pub nearby: Vec<Neighbor>,
    /// Objects near the former position only.
    pub faraway: Vec<Neighbor>,
}

impl Roam {
    /// Parses `key pattern meters [SCAN glob {CLIPBY …}]`.
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

    /// The objects that a SET brought near or left, the nearest of them.
    pub fn meet(
        &self,
        keyspace: &Keyspace,
        object: &Object,
        previous: Option<&Object>,
    ) -> Meetings {
        self.meet_between(keyspace, object, (previous, Some(object)), self.has_no_dwell)
    }

    /// The objects near an object by its state after a change and by that before; `None` where it
    /// doesn't count. `has_no_dwell` leaves those out that were near before.
    pub fn meet_between(
        &self,
        keyspace: &Keyspace,
        object: &Object,
        (before, now): (Option<&Object>, Option<&Object>),
        has_no_dwell: bool,
    ) -> Meetings {
        let now = now.and_then(|now| self.reach(now));
        let before = before.and_then(|before| self.reach(before));
        let known = if has_no_dwell { before.as_ref() } else { None };
        Meetings {
            nearby: self.neighbors(keyspace, object, now.as_ref(), known),
            faraway: self.neighbors(keyspace, object, before.as_ref(), now.as_ref()),
        }
    }

    /// The circle around the centre of an object; `None` if nothing can be near it.
    fn reach(&self, object: &Object) -> Option<Geometry> {
        let has_reach = self.meters >= 0.0 && object.is_spatial();
        has_reach.then(|| Geometry::Circle(Circle::new(object.center(), self.meters)))
    }

    /// The objects that touch one circle and not another, with their distances from the object.
    fn neighbors(
        &self,
        keyspace: &Keyspace,
        object: &Object,
        reach: Option<&Geometry>,
        except: Option<&Geometry>,
    ) -> Vec<Neighbor> {
        let (Some(reach), Some(collection)) = (reach, keyspace.get(&self.key)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let origin = Origin::new(object.center());
        let mut offer = |other: &Object| {
            let touches = |reach| area::hits(Verb::Intersects, reach, other);
            if other.id() != object.id() && touches(reach) && !except.is_some_and(touches) {
                let meters = other.distance_from(&origin, f64::INFINITY);
                found.push(Neighbor { object: other.clone(), meters });
                if found.len() >= 2 * MEETINGS_MAX {
                    keep_nearest(&mut found);
                }
            }
        };
        if self.is_glob {
            let areas = collection.areas();
            let cover = reach.cover(&areas.bounds().unwrap_or_default());
            let _ = areas.search_any(&cover, |other| {
                if glob::matches(&self.pattern, other.id()) {
                    offer(other);
                }
                ControlFlow::Continue(())
            });
        } else {
            let other = collection.get(&self.pattern).filter(|other| other.is_indexed());
            other.into_iter().for_each(offer);
        }
        in_order(found)
    }
}

/// Drops all but the nearest MEETINGS_MAX, in any order.
fn keep_nearest(neighbors: &mut Vec<Neighbor>) {
    if neighbors.len() > MEETINGS_MAX {
        neighbors.select_nth_unstable_by(MEETINGS_MAX, compare);
        neighbors.truncate(MEETINGS_MAX);
    }
}

/// Orders by distance, then by id.
pub fn compare(a: &Neighbor, b: &Neighbor) -> Ordering {
    a.meters.total_cmp(&b.meters).then_with(|| a.object.id().cmp(b.object.id()))
}

fn in_order(mut neighbors: Vec<Neighbor>) -> Vec<Neighbor> {
    keep_nearest(&mut neighbors);
    neighbors.sort_unstable_by(compare);
    neighbors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbors(count: usize) -> Vec<Neighbor> {
        let object = |at: usize| {
            Object::new(format!("{at:06}").as_bytes(), crate::object::Shape::String, b"", b"", 0)
        };
        (0..count).rev().map(|at| Neighbor { object: object(at), meters: at as f64 }).collect()
    }

    #[test]
    fn of_very_many_the_nearest_are_kept_in_order() {
        let found = in_order(neighbors(MEETINGS_MAX + 50));
        assert_eq!(found.len(), MEETINGS_MAX);
        assert!(found.windows(2).all(|pair| pair[0].meters < pair[1].meters));
        assert_eq!(found[0].object.id(), b"000000");
    }

    #[test]
    fn what_one_write_tells_has_an_end() {
        let mut room = Room::default();
        assert!(room.takes(MESSAGE_BYTES_MAX - 1) && room.fits(1) && !room.fits(2));
        assert!(!room.takes(2) && !room.takes(1));
        assert_eq!((0..2 * SCAN_COUNT_MAX).filter(|_| room.looks()).count(), SCAN_COUNT_MAX);
    }
}
