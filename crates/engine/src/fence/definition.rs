//! The definition of a fence: a standing search, parsed by the grammar of searches.

use triomphe::Arc;

use super::anchor::Anchor;
use super::presence_options::PresenceOptions;
use super::{
    Commands, Detect, Detections, Roam, Schedule, StandingKind, StandingOptions, Top, Zones,
};
use crate::call::Words;
use crate::error::{Error, Result};
use crate::geometry::{Geometry, Point, Rect};
use crate::keyspace::{Key, Keyspace};
use crate::object::Object;
use crate::query::area::{self, Center};
use crate::query::filter::Filters;
use crate::query::options::{Options, Verb, Wanted};

/// The units of work that the scripts of a fence may do for one object: about a millisecond, in
/// which the write waits.
const SCRIPT_WORK_MAX: u64 = 5_000;

/// A standing search: its owner gets messages about the objects that enter and leave it.
pub struct Fence {
    /// The key of the watched collection.
    pub key: Key,
    /// The area, or the collection to roam around.
    pub shape: FenceShape,
    /// DETECT; `None` without it.
    pub detect: Option<Detections>,
    /// COMMANDS; `None` without it.
    pub commands: Option<Commands>,
    /// VALID; `None` without it.
    schedule: Option<Schedule>,
    /// The options by which the fence decides from a memory of visits; `None` without any.
    pub presence: Option<Box<PresenceOptions>>,
    /// TOP or COUNTS, of a standing query.
    pub standing: Option<StandingOptions>,
    /// SNAPSHOT, of a live fence.
    pub has_snapshot: bool,
    /// The parts of the object that messages show.
    pub wanted: Wanted,
    /// NOFIELDS.
    pub has_no_fields: bool,
    /// DISTANCE.
    pub has_distance: bool,
    /// The stored object that became the area, and the number of words from `GET` to the end.
    pub(super) stored: Option<(Object, usize)>,
    globs: Vec<Box<[u8]>>,
    filters: Filters<'static>,
}

/// The kinds of fences.
pub enum FenceShape {
    /// The fence has a fixed area.
    Area(FenceArea),
    /// The fence detects objects that are near the objects of a collection.
    Roam(Box<Roam>),
    /// The objects of another collection are the areas.
    Zones(Box<Zones>),
    /// A standing query for the nearest objects.
    Top(Box<Top>),
}

/// The area of a fence.
pub struct FenceArea {
    /// How objects are compared with it.
    pub verb: Verb,
    /// The geometry; `None` for a stored string, which touches nothing.
    pub geometry: Option<Arc<Geometry>>,
}

impl Fence {
    /// Parses the words behind the name of a search in SETHOOK and SETCHAN, where FENCE is
    /// optional.
    pub fn parse(verb: Verb, words: &mut Words, keyspace: &Keyspace) -> Result<Self> {
        let key = words.next_filled()?;
        let options = Options::parse_fence(verb, words, keyspace)?;
        Fence::finish(verb, key, options, words, keyspace)
    }

    /// Parses the words behind the options of a live fence.
    pub fn parse_live(
        verb: Verb,
        key: &[u8],
        options: Options,
        words: &mut Words,
        keyspace: &Keyspace,
    ) -> Result<Box<Self>> {
        let fence = Fence::finish(verb, key, options, words, keyspace)?;
        fence.check_schedule(keyspace)?;
        if fence.has_snapshot {
            fence.check_snapshot()?;
        }
        Ok(Box::new(fence))
    }

    /// Parses the words behind the options: the area, or the collection to roam around.
    fn finish(
        verb: Verb,
        key: &[u8],
        options: Options,
        words: &mut Words,
        keyspace: &Keyspace,
    ) -> Result<Self> {
        let stored = find_stored(verb, *words, &options, keyspace);
        if let Some(standing) = options.standing {
            standing.check(verb, &options)?;
        }
        let following = match verb {
            Verb::Nearby => None,
            _ => Anchor::take_following(words, options.buffer)?,
        };
        let shape = if let Some((anchor_key, anchor)) = following {
            FenceShape::Zones(Box::new(Zones::following(verb, anchor_key, anchor)))
        } else if words.take_keyword("IN") {
            parse_zones(verb, key, words, &options, keyspace)?
        } else if verb == Verb::Nearby {
            parse_nearby(words, &options)?
        } else {
            let geometry = area::Area::parse_search(words, &options, keyspace)?.geometry;
            FenceShape::Area(FenceArea { verb, geometry })
        };
        let about = options.fence;
        if let (FenceShape::Roam(_), Some(presence)) = (&shape, &options.presence) {
            return Err(Error::text(format!("{} is not allowed for ROAM", presence.name())));
        }
        if let (Some(standing), Some(presence)) = (options.standing, &options.presence) {
            let (presence, standing) = (presence.name(), standing.name());
            return Err(Error::text(format!("{presence} is not allowed for {standing}")));
        }
        check_detections(about.and_then(|fence| fence.detect), &shape)?;
        if let (Some(standing), FenceShape::Roam(_) | FenceShape::Zones(_)) =
            (options.standing, &shape)
        {
            return Err(Error::text(format!("{} needs a fixed area", standing.name())));
        }
        Ok(Fence {
            key: key.into(),
            shape,
            detect: about.and_then(|fence| fence.detect),
            commands: about.and_then(|fence| fence.commands),
            schedule: options.schedule,
            presence: options.presence,
            standing: options.standing,
            has_snapshot: options.has_snapshot,
            wanted: options.wanted,
            has_no_fields: options.no_fields,
            has_distance: about.is_some_and(|fence| fence.has_distance),
            stored,
            globs: options.globs.into_iter().map(Box::from).collect(),
            filters: options.filters.into_owned(keyspace.names()),
        })
    }

    /// Whether an id matches one of the patterns.
    pub fn matches(&self, id: &[u8]) -> bool {
        crate::glob::matches_any(&self.globs, id)
    }

    /// Whether an object passes WHERE, WHEREIN and WHEREEVAL. It doesn't where a script fails.
    pub fn passes(&self, keyspace: &Keyspace, object: &Object) -> bool {
        let mut allowance = SCRIPT_WORK_MAX;
        self.filters.accept(keyspace, object, &mut allowance).unwrap_or(false)
    }

    /// Fails for VALID with a time zone that isn't known here.
    pub fn check_schedule(&self, keyspace: &Keyspace) -> Result<()> {
        let Some(schedule) = &self.schedule else { return Ok(()) };
        schedule.check(keyspace.time_zones.as_deref())
    }

    /// Fails for options of SNAPSHOT's fence that keep changes of the matching objects from the
    /// client.
    fn check_snapshot(&self) -> Result<()> {
        if !matches!(self.shape, FenceShape::Area(_)) || self.standing.is_some() {
            return Err(Error::text("SNAPSHOT needs a fixed area"));
        }
        let is_complete = self.detect.is_none_or(|detect| {
            (detect.has(Detect::Enter) || detect.has(Detect::Inside))
                && (detect.has(Detect::Exit) || detect.has(Detect::Outside))
        });
        let text = match () {
            () if !is_complete => "SNAPSHOT needs DETECT with enter or inside, and exit or outside",
            () if self.commands.is_some() => "COMMANDS is not allowed for SNAPSHOT",
            () if self.schedule.is_some() => "VALID is not allowed for SNAPSHOT",
            () if self.presence.is_some() => "SNAPSHOT needs a fence without options of visits",
            () if self.wanted == Wanted::Count => "COUNT is not allowed for SNAPSHOT",
            () => return Ok(()),
        };
        Err(Error::text(text))
    }

    /// Whether the fence sends messages at a time, by VALID.
    pub fn is_valid_at(&self, now_ns: i64, keyspace: &Keyspace) -> bool {
        let Some(schedule) = &self.schedule else { return true };
        schedule.is_valid_at(now_ns, keyspace.time_zones.as_deref())
    }

    /// Whether changes of fields alone send nothing. With SNAPSHOT they do where they decide.
    pub fn ignores_fields(&self) -> bool {
        self.has_no_fields && !(self.has_snapshot && self.has_filters())
    }

    /// Whether the fence has MATCH.
    pub fn has_globs(&self) -> bool {
        !self.globs.is_empty()
    }

    /// Whether the fence has WHERE, WHEREIN or WHEREEVAL.
    pub fn has_filters(&self) -> bool {
        !self.filters.is_empty()
    }

    /// The zones of a fence from a collection.
    pub fn zones(&self) -> Option<&Zones> {
        match &self.shape {
            FenceShape::Zones(zones) => Some(zones),
            _ => None,
        }
    }

    /// The zones of a fence from a collection, unless it is a fence that follows one object.
    pub fn many_zones(&self) -> Option<&Zones> {
        self.zones().filter(|zones| zones.anchor().is_none())
    }

    /// Whether the fence remembers which objects are inside.
    pub fn has_memory(&self) -> bool {
        self.presence.is_some() || self.zones().is_some()
    }

    /// Whether each visit that something else than a movement ends causes a message: ENDINGS.
    pub fn has_endings(&self) -> bool {
        self.presence.as_ref().is_some_and(|options| options.has_endings)
    }

    /// Whether visits have times, for which timers wait.
    pub fn has_timers(&self) -> bool {
        self.presence.as_ref().is_some_and(|options| options.has_times())
    }

    /// Whether visits have a state besides their group.
    pub fn has_visit_states(&self) -> bool {
        self.presence.as_ref().is_some_and(|options| options.has_state())
    }

    /// Approximate memory of the area, or of the lists of TOP.
    pub(super) fn area_bytes(&self) -> usize {
        match &self.shape {
            FenceShape::Area(FenceArea { geometry: Some(geometry), .. }) => {
                size_of::<Geometry>() + geometry.num_points() * size_of::<Point>()
            }
            FenceShape::Top(top) => top.bytes_max(),
            _ => 0,
        }
    }

    /// Whether writes outside of the area cause no event: DETECT is given without `outside`.
    pub fn is_bounded(&self) -> bool {
        self.detect.is_some_and(|detect| !detect.has(Detect::Outside))
    }
}

/// Fails for words of ROAM in the DETECT of another fence, and for both kinds of words at once.
fn check_detections(detect: Option<Detections>, shape: &FenceShape) -> Result<()> {
    let Some(detect) = detect.filter(|detect| detect.is_of_roam()) else { return Ok(()) };
    match shape {
        FenceShape::Roam(_) if !detect.is_of_areas() => Ok(()),
        _ => Err(Error::text("nearby, faraway and roam in DETECT are for ROAM, without others")),
    }
}

/// The stored object that `GET key id` names as the area; `None` with CLIP.
fn find_stored(
    verb: Verb,
    mut words: Words,
    options: &Options,
    keyspace: &Keyspace,
) -> Option<(Object, usize)> {
    let count = words.left();
    let is_following = words.peek_at(3).is_some_and(|word| word.eq_ignore_ascii_case(b"FOLLOWING"));
    if is_following || verb == Verb::Nearby || options.has_clip || !words.take_keyword("GET") {
        return None;
    }
    let object = keyspace.get(words.peek()?)?.get(words.peek_at(1)?)?;
    Some((object.clone(), count))
}

fn parse_zones(
    verb: Verb,
    key: &[u8],
    words: &mut Words,
    options: &Options,
    keyspace: &Keyspace,
) -> Result<FenceShape> {
    if options.buffer.is_some() {
        return Err(Error::text("BUFFER is not allowed for IN"));
    }
    Ok(FenceShape::Zones(Box::new(Zones::parse(verb, key, words, keyspace)?)))
}

fn parse_nearby(words: &mut Words, options: &Options) -> Result<FenceShape> {
    if let Some(StandingOptions { kind: StandingKind::Top(count), .. }) = options.standing {
        return Ok(FenceShape::Top(Box::new(Top::parse(count, words)?)));
    }
    let word = words.next_filled()?;
    if word.eq_ignore_ascii_case(b"ROAM") {
        let has_no_dwell = options.fence.is_some_and(|fence| fence.has_no_dwell);
        let roam = Roam::parse(words, has_no_dwell)?;
        if options.buffer.is_some_and(|meters| meters > 0.0) {
            return Err(Error::text("cannot buffer nil object"));
        }
        return Ok(FenceShape::Roam(Box::new(roam)));
    }
    if word.eq_ignore_ascii_case(b"OBJECT") {
        if options.buffer.is_some() {
            return Err(Error::text("BUFFER is not allowed for NEARBY"));
        }
        let (key, anchor) = Anchor::parse_circle(words)?;
        return Ok(FenceShape::Zones(Box::new(Zones::following(Verb::Nearby, key, anchor))));
    }
    if !word.eq_ignore_ascii_case(b"POINT") {
        return Err(Error::invalid(word));
    }
    let circle = Center::parse(words, options.sparse > 0)?.circle();
    let mut area = area::Area { geometry: Some(Arc::new(circle)), is_stored_point: false };
    area.take_clips(words)?;
    if let Some(meters) = options.buffer {
        area.buffer(meters)?;
    }
    Ok(FenceShape::Area(FenceArea { verb: Verb::Nearby, geometry: area.geometry }))
}

impl FenceArea {
    /// Whether a search would find the object.
    pub fn hits(&self, object: &Object) -> bool {
        let Some(geometry) = &self.geometry else { return false };
        object.is_indexed() && area::hits(self.verb, geometry, object)
    }

    /// Whether the boxes of area and object share a point. Unlike in Tile38 a circle reaches
    /// across 180 degrees.
    pub fn touches(&self, object: &Object) -> bool {
        let Some(geometry) = &self.geometry else { return false };
        let bounds = object.bounds();
        geometry.cover(&bounds).iter().any(|part| part.overlaps(&bounds))
    }

    /// A box outside of which the area hits nothing; `None` if there is no proper one.
    pub fn cover(&self) -> Option<Rect> {
        let bounds = self.geometry.as_ref()?.bounds();
        let corners = [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y];
        let is_proper = corners.iter().all(|side| side.is_finite())
            && bounds.min.x <= bounds.max.x
            && bounds.min.y <= bounds.max.y;
        is_proper.then_some(bounds)
    }

    /// A box outside of which no object is inside or, by HYSTERESIS, counts as inside; `None` if
    /// there is no proper one. With LINGER or ACCURACY, an object can count as inside anywhere.
    pub fn reach(&self, fence: &Fence) -> Option<Rect> {
        let meters = fence.presence.as_ref().map_or(0.0, |options| options.hysteresis_meters);
        let cover = self.cover()?;
        Some(if meters > 0.0 { grown(cover, meters) } else { cover })
    }

    /// The center, from which DISTANCE measures.
    pub fn center(&self) -> Point {
        self.geometry.as_ref().map_or(Point::default(), |geometry| geometry.center())
    }
}

/// Metres of a degree of latitude, rounded down.
const DEGREE_METERS: f64 = 111_000.0;
/// The latitude from which on a box reaches around the pole.
const POLAR_LATITUDE: f64 = 89.9;

/// Returns a box that contains all places within a distance of another, from one degree to the
/// other beyond ±180° where that is so.
fn grown(bounds: Rect, meters: f64) -> Rect {
    let height = meters / DEGREE_METERS;
    let (south, north) = (bounds.min.y - height, bounds.max.y + height);
    let latitude = south.abs().max(north.abs());
    if latitude >= POLAR_LATITUDE {
        return Rect::new(Point::new(-180.0, south), Point::new(180.0, north));
    }
    let width = height / latitude.to_radians().cos();
    Rect::new(Point::new(bounds.min.x - width, south), Point::new(bounds.max.x + width, north))
}
