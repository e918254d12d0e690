//! The JSON of messages, with the members in Tile38's order.

use std::cell::OnceCell;

use super::end_reason::EndReason;
use super::group::{write_group, Group};
use super::roam::{Neighbor, Room};
use super::{Change, ChangeKind, Detect, Event, Fence, FenceShape, Roam, Watch, Zones};
use crate::collection::Collection;
use crate::geometry::distance::Origin;
use crate::glob;
use crate::json::{self, escape::write_int_member};
use crate::keyspace::Keyspace;
use crate::number::{write_float, write_int};
use crate::object::Object;
use crate::output::{self, Form};
use crate::query::options::Wanted;

const NANOSECONDS: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// The time of a change, and its text in messages.
pub struct Moment {
    now_ns: i64,
    utc_offset: i32,
    /// Computed for the first message.
    text: OnceCell<Vec<u8>>,
}

impl Moment {
    /// Takes nanoseconds since 1970, and the offset of the server's time zone from UTC in seconds.
    pub fn new(now_ns: i64, utc_offset: i32) -> Self {
        Moment { now_ns, utc_offset, text: OnceCell::new() }
    }

    /// Whether this is the same time in the same zone.
    pub fn is(&self, now_ns: i64, utc_offset: i32) -> bool {
        (self.now_ns, self.utc_offset) == (now_ns, utc_offset)
    }

    /// Nanoseconds since 1970.
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }

    fn text(&self) -> &[u8] {
        self.text.get_or_init(|| time_text(self.now_ns, self.utc_offset))
    }
}

/// The zone that a message is about: its id, and the object if there still is one. Without an id a
/// message is about all zones.
#[derive(Clone, Copy, Default)]
pub struct ZoneReference<'z> {
    /// The zone's id.
    pub id: Option<&'z [u8]>,
    /// The zone.
    pub object: Option<&'z Object>,
}

impl<'z> ZoneReference<'z> {
    /// The only zone of a fence with an area.
    pub const AREA: ZoneReference<'static> = ZoneReference { id: Some(b""), object: None };

    /// Returns the reference to a zone.
    pub fn of(zone: &'z Object) -> Self {
        ZoneReference { id: Some(zone.id()), object: Some(zone) }
    }

    /// Appends `,"fence":{"key":…,"id":…,"fields":…}`.
    fn write(self, out: &mut Vec<u8>, zones: &Zones, keyspace: &Keyspace) {
        out.extend_from_slice(b",\"fence\":{\"key\":");
        json::write_short(out, &zones.key);
        if let Some(id) = self.id {
            out.extend_from_slice(b",\"id\":");
            json::write_short(out, id);
        }
        if let Some(zone) = self.object.filter(|zone| zones.has_fields && has_fields(zone)) {
            out.push(b',');
            output::write_fields_json(out, keyspace.names(), zone);
        }
        out.push(b'}');
    }
}

/// Whether an object has fields.
pub(super) fn has_fields(object: &Object) -> bool {
    !object.fields().is_empty()
}

/// The message of a deleted object, to a fence from a collection.
pub fn zone_removal(
    watch: &Watch,
    zones: &Zones,
    zone: ZoneReference,
    change: &Change,
    moment: &Moment,
    keyspace: &Keyspace,
) -> Vec<u8> {
    let mut out = removal(watch, change, moment);
    out.pop();
    zone.write(&mut out, zones, keyspace);
    out.push(b'}');
    out
}

/// The message of a deleted object or a dropped collection.
pub fn removal(watch: &Watch, change: &Change, moment: &Moment) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.extend_from_slice(b"{\"command\":\"");
    out.extend_from_slice(change.kind.name().as_bytes());
    out.push(b'"');
    out.extend_from_slice(&watch.head);
    if let Some(object) = &change.object {
        out.extend_from_slice(b",\"id\":");
        json::write_short(&mut out, object.id());
    }
    write_time(&mut out, moment);
    out.push(b'}');
    out
}

/// Appends the member `time`.
pub(super) fn write_time(out: &mut Vec<u8>, moment: &Moment) {
    out.extend_from_slice(b",\"time\":\"");
    out.extend_from_slice(moment.text());
    out.push(b'"');
}

/// A detail of a detection: why a visit ended, or how long it has lasted.
#[derive(Clone, Copy)]
pub enum Note<'f> {
    /// Nothing.
    None,
    /// Why the visit ended.
    Reason(EndReason),
    /// The duration of DWELL that has passed.
    Dwell(&'f [u8]),
}

/// The data for the messages of one fence about one write.
pub struct MessageContext<'m> {
    /// The fence.
    pub watch: &'m Watch,
    /// The kind of write.
    pub kind: ChangeKind,
    /// The object after the write.
    pub object: &'m Object,
    /// Whether the object is unknown but for its id.
    pub is_gone: bool,
    /// The group id of the visit.
    pub group: Group,
    /// The time.
    pub moment: &'m Moment,
    /// The zone, for a fence from a collection.
    pub zone: ZoneReference<'m>,
    /// The detail of the detection.
    pub note: Note<'m>,
}

impl MessageContext<'_> {
    /// The message of a detection.
    pub fn message(&self, detect: Detect, keyspace: &Keyspace) -> Vec<u8> {
        let mut out = self.open(detect, keyspace);
        if let FenceShape::Zones(zones) = &self.watch.fence.shape {
            self.zone.write(&mut out, zones, keyspace);
        }
        match self.note {
            Note::None => {}
            Note::Reason(reason) => {
                out.extend_from_slice(b",\"reason\":");
                json::write_short(&mut out, reason.text().as_bytes());
            }
            Note::Dwell(text) => {
                out.extend_from_slice(b",\"dwell\":");
                json::write_short(&mut out, text);
            }
        }
        out.push(b'}');
        out
    }

    /// The message of a meeting (`nearby`) or a parting (`faraway`).
    pub fn roam_message(
        &self,
        name: &str,
        neighbor: &Neighbor,
        roam: &Roam,
        keyspace: &Keyspace,
        room: &mut Room,
    ) -> Vec<u8> {
        let mut out = self.open(Detect::Roam, keyspace);
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":{\"key\":");
        json::write_short(&mut out, &roam.key);
        out.extend_from_slice(b",\"id\":");
        json::write_short(&mut out, neighbor.object.id());
        out.push(b',');
        output::write_json_member(&mut out, &neighbor.object, Form::Object);
        out.extend_from_slice(b",\"meters\":");
        write_float(&mut out, (neighbor.meters * 1000.0).floor() / 1000.0);
        if let Some(pattern) = &roam.scan {
            write_scan(&mut out, pattern, &neighbor.object, keyspace.get(&roam.key), room);
        }
        out.extend_from_slice(b"}}");
        out
    }

    fn open(&self, detect: Detect, keyspace: &Keyspace) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"command\":\"");
        out.extend_from_slice(self.kind.name().as_bytes());
        out.extend_from_slice(b"\",\"group\":\"");
        write_group(&mut out, &self.group);
        out.extend_from_slice(b"\",\"detect\":\"");
        out.extend_from_slice(detect.name().as_bytes());
        out.push(b'"');
        out.extend_from_slice(&self.watch.head);
        write_time(&mut out, self.moment);
        if let Some(event_ns) = self.object.event_time() {
            out.extend_from_slice(b",\"at\":\"");
            out.extend_from_slice(&time_text(event_ns, self.moment.utc_offset));
            out.push(b'"');
        }
        out.extend_from_slice(b",\"id\":");
        self.write_object(&mut out, keyspace);
        out
    }

    fn write_object(&self, out: &mut Vec<u8>, keyspace: &Keyspace) {
        if self.is_gone {
            return json::write_short(out, self.object.id());
        }
        write_object(out, &self.watch.fence, self.object, self.distance(), keyspace);
    }

    /// Returns the distance from the middle of the area, for a circle its centre, to the object.
    /// `None` if the fence doesn't ask for it, or the zone no longer exists.
    fn distance(&self) -> Option<f64> {
        let fence = &self.watch.fence;
        let center = match &fence.shape {
            _ if !fence.has_distance => return None,
            FenceShape::Roam(_) => return Some(0.0),
            FenceShape::Area(area) => area.center(),
            FenceShape::Zones(_) => self.zone.object?.center(),
            FenceShape::Top(_) => return None,
        };
        Some(self.object.distance_from(&Origin::new(center), f64::INFINITY))
    }
}

/// Appends the id and the object in the form that the fence asks for.
fn write_object(
    out: &mut Vec<u8>,
    fence: &Fence,
    object: &Object,
    distance: Option<f64>,
    keyspace: &Keyspace,
) {
    let Wanted::Form(form) = fence.wanted else {
        match distance {
            Some(meters) => {
                out.extend_from_slice(b"{\"id\":");
                json::write_short(out, object.id());
                output::write_distance(out, meters, true);
                out.push(b'}');
            }
            None => json::write_short(out, object.id()),
        }
        return;
    };
    json::write_short(out, object.id());
    out.push(b',');
    output::write_json_member(out, object, form);
    if !fence.has_no_fields && has_fields(object) {
        out.push(b',');
        output::write_fields_json(out, keyspace.names(), object);
    }
    if let Some(meters) = distance {
        output::write_distance(out, meters, true);
    }
}

/// The last event of a hook or channel that has expired: `{"command":"expire","hook":…}`, without
/// an object.
pub fn expiry_event(watch: &Watch, moment: &Moment) -> Event {
    let mut message = Vec::with_capacity(128);
    message.extend_from_slice(b"{\"command\":\"expire\"");
    message.extend_from_slice(&watch.head);
    write_time(&mut message, moment);
    message.push(b'}');
    let (target, key) = (watch.target.clone(), watch.fence.key.clone());
    Event { target, key, id: None, detect: None, message, number: None }
}

/// The message before the objects of a snapshot.
pub fn snapshot_start(watch: &Watch, moment: &Moment) -> Vec<u8> {
    let mut out = open_snapshot(watch, ",\"state\":\"begin\"", moment);
    out.push(b'}');
    out
}

/// The message behind the objects of a snapshot, with their number.
pub fn snapshot_end(watch: &Watch, moment: &Moment, count: u64) -> Vec<u8> {
    let mut out = open_snapshot(watch, ",\"state\":\"end\"", moment);
    write_int_member(&mut out, "count", count as i64);
    out.push(b'}');
    out
}

/// The message of an object of a snapshot.
pub fn snapshot_object(
    watch: &Watch,
    object: &Object,
    moment: &Moment,
    keyspace: &Keyspace,
) -> Vec<u8> {
    let fence = &watch.fence;
    let mut out = open_snapshot(watch, ",\"detect\":\"inside\"", moment);
    out.extend_from_slice(b",\"id\":");
    let distance = match &fence.shape {
        FenceShape::Area(area) if fence.has_distance => {
            Some(object.distance_from(&Origin::new(area.center()), f64::INFINITY))
        }
        _ => None,
    };
    write_object(&mut out, fence, object, distance, keyspace);
    out.push(b'}');
    out
}

fn open_snapshot(watch: &Watch, member: &str, moment: &Moment) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(b"{\"command\":\"snapshot\"");
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(&watch.head);
    write_time(&mut out, moment);
    out
}

/// The objects that belong to a neighbour: itself, then those whose ids begin with its own.
fn write_scan(
    out: &mut Vec<u8>,
    pattern: &[u8],
    neighbor: &Object,
    collection: Option<&Collection>,
    room: &mut Room,
) {
    out.extend_from_slice(b",\"scan\":[{\"id\":");
    json::write_short(out, neighbor.id());
    out.extend_from_slice(b",\"self\":true,");
    output::write_json_member(out, neighbor, Form::Object);
    out.push(b'}');
    for object in collection.into_iter().flat_map(|collection| collection.ascend(neighbor.id())) {
        let Some(rest) = object.id().strip_prefix(neighbor.id()) else { break };
        if !room.looks() || !room.fits(out.len()) {
            break;
        }
        if rest.is_empty() || !glob::matches(pattern, rest) {
            continue;
        }
        out.extend_from_slice(b",{\"id\":");
        json::write_short(out, object.id());
        out.push(b',');
        output::write_json_member(out, object, Form::Object);
        out.push(b'}');
    }
    out.push(b']');
}

/// A time in RFC 3339, in the zone that was passed in, without trailing zeros.
fn time_text(now_ns: i64, utc_offset: i32) -> Vec<u8> {
    let local = now_ns.saturating_add(i64::from(utc_offset) * NANOSECONDS);
    let (seconds, nanoseconds) = (local.div_euclid(NANOSECONDS), local.rem_euclid(NANOSECONDS));
    let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = date_of(days);
    let mut out = Vec::with_capacity(40);
    write_padded(&mut out, year, 4);
    for (separator, value) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(separator);
        write_padded(&mut out, value, 2);
    }
    if nanoseconds > 0 {
        out.push(b'.');
        write_padded(&mut out, nanoseconds, 9);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    let minutes = i64::from(utc_offset / 60);
    if minutes == 0 {
        out.push(b'Z');
    } else {
        out.push(if minutes < 0 { b'-' } else { b'+' });
        write_padded(&mut out, minutes.abs() / 60, 2);
        out.push(b':');
        write_padded(&mut out, minutes.abs() % 60, 2);
    }
    out
}

fn write_padded(out: &mut Vec<u8>, value: i64, width: usize) {
    let mut digits = Vec::new();
    write_int(&mut digits, value);
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
    out.extend_from_slice(&digits);
}

/// Year, month and day from days since 1970, in the Gregorian calendar. The computation counts
/// years from March, so that the leap day is the last of a year.
fn date_of(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097; // 400 years
    const DAYS_BEFORE_1970: i64 = 719_468; // since 1 March of the year 0
    let days = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(now_ns: i64, utc_offset: i32) -> String {
        String::from_utf8(time_text(now_ns, utc_offset)).unwrap()
    }

    #[test]
    fn times_have_as_many_decimals_as_they_need_and_their_zone() {
        assert_eq!(text(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_795_442_968_912_390_430, 0), "2026-11-23T14:09:28.91239043Z");
        assert_eq!(text(1_795_442_968_000_000_000, -7 * 3600), "2026-11-23T07:09:28-07:00");
        assert_eq!(text(951_825_600_500_000_000, 19_800), "2000-02-29T17:30:00.5+05:30");
        assert_eq!(text(-1, 0), "1969-12-31T23:59:59.999999999Z");
    }
}
