//! The places of a fence that remembers visits: its area, or its zones. Decides by HYSTERESIS and
//! ACCURACY whether an object counts as inside a place.

use super::end_reason::EndReason;
use super::message::ZoneReference;
use super::presence_options::PresenceOptions;
use super::zones::with_area;
use super::{Fence, FenceArea, FenceShape, Watch, Zones};
use crate::geometry::distance::Origin;
use crate::geometry::{is_near_border, Geometry};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::field_path::read_field;

/// The places of a fence.
#[derive(Clone, Copy)]
pub enum Places<'f> {
    /// The fence has one place, with an empty id.
    Area(&'f FenceArea),
    /// The fence, with this number, has the objects of a collection as places, or one of them.
    Zones(&'f Zones, u64),
    /// The fence has none.
    None,
}

impl<'f> Places<'f> {
    /// Returns the places of a fence.
    pub fn of(watch: &'f Watch) -> Self {
        match &watch.fence.shape {
            FenceShape::Area(area) => Places::Area(area),
            FenceShape::Zones(zones) => Places::Zones(zones, watch.serial),
            FenceShape::Roam(_) | FenceShape::Top(_) => Places::None,
        }
    }

    /// Returns the places that an object is in, ascending by id.
    pub fn around<'k>(self, keyspace: &'k Keyspace, object: &Object) -> Vec<ZoneReference<'k>> {
        match self {
            Places::Area(area) if area.hits(object) => vec![ZoneReference::AREA],
            Places::Zones(zones, serial) => {
                let found = zones.around(keyspace, serial, object);
                found.into_iter().map(ZoneReference::of).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the place of an id.
    pub fn reference<'k>(self, keyspace: &'k Keyspace, id: &'k [u8]) -> ZoneReference<'k> {
        let object = match self {
            Places::Zones(zones, _) => zones.get(keyspace, id),
            _ => None,
        };
        ZoneReference { id: Some(id), object }
    }

    /// Whether there still is such a place.
    pub fn exists(self, zone: ZoneReference) -> bool {
        zone.object.is_some() || matches!(self, Places::Area(_))
    }

    /// Returns why an object that still exists is no longer in a place.
    pub fn reason(self, zone: ZoneReference, missing: EndReason) -> EndReason {
        match self {
            Places::Zones(..) if zone.object.is_none() => EndReason::ZoneDeleted,
            Places::Zones(..) if missing != EndReason::Renamed => EndReason::ZoneChanged,
            _ => missing,
        }
    }

    /// Whether an object that was in a place counts as in it now.
    pub fn has(
        self,
        options: &PresenceOptions,
        keyspace: &Keyspace,
        zone: ZoneReference,
        object: &Object,
    ) -> bool {
        let is_hit = match self {
            Places::Area(area) => area.hits(object),
            Places::Zones(zones, serial) => {
                zone.object.is_some_and(|zone| zones.has(keyspace, serial, zone, object))
            }
            Places::None => false,
        };
        is_hit || self.stays(options, keyspace, zone, object)
    }

    /// Whether an object that was in a place and no longer touches it still counts as in it: it is
    /// nearer than HYSTERESIS, or than its position is accurate.
    pub fn stays(
        self,
        options: &PresenceOptions,
        keyspace: &Keyspace,
        zone: ZoneReference,
        object: &Object,
    ) -> bool {
        let meters = uncertainty(options, keyspace, object).max(options.hysteresis_meters);
        meters > 0.0
            && self.with_geometry(keyspace, zone, |area| {
                Origin::new(object.center()).to_geometry(area, meters) < meters
            })
    }

    /// Whether an object that touches a place may really be outside: its uncertainty by ACCURACY is
    /// greater than its distance to the border.
    pub fn is_doubtful(
        self,
        options: &PresenceOptions,
        keyspace: &Keyspace,
        zone: ZoneReference,
        object: &Object,
    ) -> bool {
        let meters = uncertainty(options, keyspace, object);
        meters > 0.0
            && self.with_geometry(keyspace, zone, |area| {
                is_near_border(&Origin::new(object.center()), area, meters)
            })
    }

    /// Whether the index of areas doesn't find the fence for an object.
    pub fn is_astray(self, fence: &Fence, object: &Object) -> bool {
        let Places::Area(area) = self else { return false };
        let reach = area.reach(fence).filter(|_| fence.is_bounded());
        reach.is_some_and(|reach| !object.is_indexed() || !reach.overlaps(&object.bounds()))
    }

    fn with_geometry(
        self,
        keyspace: &Keyspace,
        zone: ZoneReference,
        function: impl FnOnce(&Geometry) -> bool,
    ) -> bool {
        match self {
            Places::Area(area) => area.geometry.as_ref().is_some_and(|area| function(area)),
            Places::Zones(zones, serial) if zones.anchor().is_some() => {
                let area = keyspace.fences().followers().area(serial);
                area.filter(|_| zone.object.is_some()).is_some_and(function)
            }
            Places::Zones(zones, _) => {
                let selected = zone.object.filter(|zone| zones.selects(keyspace, zone));
                selected.is_some_and(|zone| match zones.circle(keyspace, zone) {
                    Some(circle) => function(&Geometry::Circle(circle)),
                    None => with_area(zone, function),
                })
            }
            Places::None => false,
        }
    }
}

/// Returns the metres by which the position of an object may be wrong: the number in the field that
/// ACCURACY names; 0 without a positive one.
fn uncertainty(options: &PresenceOptions, keyspace: &Keyspace, object: &Object) -> f64 {
    let Some(field) = &options.accuracy else { return 0.0 };
    let value = read_field(keyspace.names(), |serial| object.fields().get(serial), field);
    let meters = value.map_or(0.0, |value| value.number());
    if meters > 0.0 {
        meters
    } else {
        0.0
    }
}
