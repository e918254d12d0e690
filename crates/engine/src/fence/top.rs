//! TOP: the k nearest objects of a key around a place or around another object.

use std::ops::ControlFlow;

use super::roam::{compare, Neighbor};
use super::standing_index::Place;
use super::Fence;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::geometry::distance::Origin;
use crate::geometry::{Circle, Geometry, Point};
use crate::index::Reach;
use crate::keyspace::{Key, Keyspace};
use crate::object::Object;
use crate::query::area::Center;
use crate::query::distances::Distances;

/// The most objects that one search looks at: filters may refuse any number of nearer ones.
const VISITS_MAX: usize = 100_000;
/// Metres by which a box is larger than the circle that it holds, against rounding.
const MARGIN_METERS: f64 = 1.0;

/// The arguments of TOP.
pub struct Top {
    count: usize,
    center: TopCenter,
    /// The distance beyond which no object counts.
    meters_max: f64,
}

enum TopCenter {
    Point(Point),
    Object { key: Key, id: Box<[u8]> },
}

impl Top {
    /// Parses `POINT lat lon [meters]` or `OBJECT key id [meters]`.
    pub fn parse(count: usize, words: &mut Words) -> Result<Self> {
        let word = words.next_filled()?;
        let (center, meters) = if word.eq_ignore_ascii_case(b"POINT") {
            let Center { point, meters } = Center::parse(words, false)?;
            (TopCenter::Point(point), meters)
        } else if word.eq_ignore_ascii_case(b"OBJECT") {
            let (key, id) = (words.next_filled()?.into(), words.next_filled()?.into());
            let meters = Center::parse_meters(words)?;
            (TopCenter::Object { key, id }, meters)
        } else {
            return Err(Error::invalid(word));
        };
        if words.left() > 0 {
            return Err(Error::WrongArity);
        }
        Ok(Top { count, center, meters_max: meters.unwrap_or(f64::INFINITY) })
    }

    /// Returns the key and the id of the object that is the centre, if one is.
    pub fn center_object(&self) -> Option<(&Key, &[u8])> {
        match &self.center {
            TopCenter::Point(_) => None,
            TopCenter::Object { key, id } => Some((key, id)),
        }
    }

    /// The memory of the present list and of the one that was sent last, when they are full.
    pub fn bytes_max(&self) -> usize {
        2 * self.count * size_of::<Neighbor>()
    }

    fn origin(&self, keyspace: &Keyspace) -> Option<Origin> {
        let point = match &self.center {
            TopCenter::Point(point) => *point,
            TopCenter::Object { key, id } => {
                let object = keyspace.get(key)?.get(id)?;
                object.is_indexed().then(|| object.center())?
            }
        };
        Some(Origin::new(point))
    }

    /// Returns the object with its distance if it can be in the list.
    fn measure(
        &self,
        keyspace: &Keyspace,
        fence: &Fence,
        origin: &Origin,
        object: &Object,
    ) -> Option<Neighbor> {
        let is_center = self
            .center_object()
            .is_some_and(|(key, id)| *id == *object.id() && **key == *fence.key);
        let is_meant = object.is_indexed()
            && !is_center
            && fence.matches(object.id())
            && fence.passes(keyspace, object);
        let meters = if is_meant { object.distance_from(origin, f64::INFINITY) } else { f64::NAN };
        (meters <= self.meters_max).then(|| Neighbor { object: object.clone(), meters })
    }

    /// Searches for the nearest objects, in their order. None if there is no centre.
    pub fn search(&self, keyspace: &Keyspace, fence: &Fence) -> Vec<Neighbor> {
        let (Some(origin), Some(objects)) = (self.origin(keyspace), keyspace.get(&fence.key))
        else {
            return Vec::new();
        };
        let reach = Reach {
            count: usize::MAX,
            distance: self.meters_max,
            orders_equals: false,
            tells_distances: true,
        };
        // The centre may be among the objects, and one more shows whether the last is tied.
        let is_filtered = fence.has_filters() || fence.has_globs();
        let count = if is_filtered { usize::MAX } else { self.count + 2 };
        let distances = Distances::new(origin.point());
        for reach in [Reach { count, ..reach }, reach] {
            let mut found: Vec<Neighbor> = Vec::new();
            let mut visits = 0;
            let mut is_complete = false;
            let _ = objects.areas().nearest(&distances, &reach, |object, meters| {
                visits += 1;
                let is_farther = found.len() >= self.count && found[self.count - 1].meters < meters;
                if is_farther || meters > self.meters_max || visits > VISITS_MAX {
                    is_complete = true;
                    return ControlFlow::Break(());
                }
                found.extend(self.measure(keyspace, fence, &origin, object));
                ControlFlow::Continue(())
            });
            if is_complete || visits < reach.count {
                found.sort_unstable_by(compare);
                found.truncate(self.count);
                return found;
            }
        }
        Vec::new()
    }

    /// Returns the list after a change of the object with this id; `None` if it stays as it is.
    pub fn update(
        &self,
        keyspace: &Keyspace,
        fence: &Fence,
        present: &[Neighbor],
        id: &[u8],
    ) -> Option<Vec<Neighbor>> {
        let origin = self.origin(keyspace)?;
        let object = keyspace.get(&fence.key).and_then(|objects| objects.get(id));
        let candidate = object.and_then(|object| self.measure(keyspace, fence, &origin, object));
        let at = present.iter().position(|member| member.object.id() == id);
        // All other objects are behind the last of a full list; a shorter one has them all.
        let last = present.last().filter(|_| present.len() == self.count);
        let is_beyond =
            |candidate: &Neighbor| last.is_some_and(|last| compare(candidate, last).is_gt());
        let candidate = candidate.filter(|candidate| !is_beyond(candidate));
        if at.is_none() && candidate.is_none() {
            return None;
        }
        if at.is_some() && candidate.is_none() && last.is_some() {
            return Some(self.search(keyspace, fence));
        }
        let mut list = present.to_vec();
        if let Some(at) = at {
            list.remove(at);
        }
        if let Some(candidate) = candidate {
            let place = list.partition_point(|member| compare(member, &candidate).is_lt());
            list.insert(place, candidate);
            list.truncate(self.count);
        }
        Some(list)
    }

    /// Returns where changes of objects can change the list.
    pub fn place(&self, keyspace: &Keyspace, list: &[Neighbor]) -> Place {
        let Some(origin) = self.origin(keyspace) else { return Place::Nowhere };
        let farthest = list.last().filter(|_| list.len() == self.count);
        let meters = farthest.map_or(self.meters_max, |farthest| farthest.meters) + MARGIN_METERS;
        if !meters.is_finite() {
            return Place::Everywhere;
        }
        Place::of(Geometry::Circle(Circle::new(origin.point(), meters)).bounds())
    }
}
