//! The searches: SCAN and SEARCH in this file, those by area in the others.

mod area;
mod area_search;
mod nearby;
mod parts;
mod sparse;
mod tile;

use self::parts::PARTS_MIN;
use super::{read, Arity, Command, Group, Keys, ReadFunction};
use crate::call::{Budget, Call};
use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::geometry::{predicates, Geometry};
use crate::glob;
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::options::{Options, Verb};
use crate::query::rows::{reply_count, Rows, Verdict};

/// Vertices that cost as much as looking at one object.
const VERTICES_PER_WORK: usize = 32;

/// The arguments of SCAN and SEARCH.
const LIST_SYNTAX: &str = "key [CURSOR start] [LIMIT count] [MATCH pattern]... \
    [WHERE (expression | field min max)]... [WHEREIN field count value...]... \
    [WHEREEVAL script numargs [arg]...]... [WHEREEVALSHA sha1 numargs [arg]...]... \
    [ASC | DESC] [NOFIELDS] [COUNT | IDS | OBJECTS | POINTS | BOUNDS | HASHES precision]";
/// The arguments of WITHIN and INTERSECTS.
const AREA_SYNTAX: &str = "key [CURSOR start] [LIMIT count] [SPARSE spread] [MATCH pattern]... \
    [WHERE (expression | field min max)]... [WHEREIN field count value...]... \
    [WHEREEVAL script numargs [arg]...]... [WHEREEVALSHA sha1 numargs [arg]...]... \
    [CLIP] [BUFFER meters] [NOFIELDS] \
    [FENCE [SNAPSHOT]] [DETECT detections] [COMMANDS commands] [VALID hours] \
    [ENDINGS (yes | no)] [DWELL durations] [EVERY duration] [LINGER duration] \
    [ACCURACY field] [HYSTERESIS meters] \
    [COUNTS [EVERY duration]] \
    [COUNT | IDS | OBJECTS | POINTS | BOUNDS | HASHES precision] \
    (BOUNDS minlat minlon maxlat maxlon | CIRCLE lat lon meters | OBJECT geojson | \
    GET key id [FOLLOWING] | SECTOR lat lon meters bearing1 bearing2 | TILE x y z | \
    QUADKEY quadkey | HASH geohash | POINT lat lon | MVT x y z | \
    IN zones [RADIUS field] [WITHFIELDS]) \
    [CLIPBY (BOUNDS minlat minlon maxlat maxlon | HASH geohash | TILE x y z | QUADKEY quadkey)]... \
    [LAYER key]...";

pub(super) const COMMANDS: &[Command] = &[
    search_command("SCAN", 2, scan, LIST_SYNTAX, "List the objects of a collection by id"),
    search_command("SEARCH", 2, search, LIST_SYNTAX, "List the strings of a collection by value"),
    search_command(
        "NEARBY",
        3,
        nearby::nearby,
        "key [CURSOR start] [LIMIT count] [SPARSE spread] [MATCH pattern]... \
         [WHERE (expression | field min max)]... [WHEREIN field count value...]... \
         [WHEREEVAL script numargs [arg]...]... [WHEREEVALSHA sha1 numargs [arg]...]... \
         [DISTANCE] [NOFIELDS] [FENCE [SNAPSHOT]] [DETECT detections] [COMMANDS commands] \
         [VALID hours] \
         [ENDINGS (yes | no)] [DWELL durations] [EVERY duration] [LINGER duration] \
         [ACCURACY field] [HYSTERESIS meters] [NODWELL] \
         [TOP count [EVERY duration] | COUNTS [EVERY duration]] [NODWELL] \
         [COUNT | IDS | OBJECTS | POINTS | BOUNDS | HASHES precision] \
         (POINT lat lon [meters] | OBJECT key id [meters] | \
         ROAM key pattern meters [SCAN pattern] | \
         IN zones [RADIUS field] [WITHFIELDS])",
        "List objects by their distance to a point",
    ),
    search_command("WITHIN", 3, area::within, AREA_SYNTAX, "List the objects within an area"),
    search_command(
        "INTERSECTS",
        3,
        area::intersects,
        AREA_SYNTAX,
        "List the objects that intersect an area",
    ),
];

const fn search_command(
    name: &'static str,
    words_min: usize,
    function: ReadFunction,
    syntax: &'static str,
    summary: &'static str,
) -> Command {
    read(name, Arity::AtLeast(words_min), function, syntax, summary)
        .group(Group::Search)
        .keys(Keys::Search)
}

/// An iterator over a collection's objects in one of its orders.
type Objects<'k> = Box<dyn Iterator<Item = &'k Object> + 'k>;

/// SCAN key {option} [output]
fn scan(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    list(Verb::Scan, keyspace, call)
}

/// SEARCH key {option} [output]
fn search(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    list(Verb::Search, keyspace, call)
}

fn list(verb: Verb, keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let key = words.next_filled()?;
    let options = Options::parse(verb, &mut words, keyspace)?;
    if words.left() > 0 {
        return Err(Error::WrongArity);
    }
    let mut rows = Rows::new(&options, keyspace, call.budget);
    let Some(collection) = keyspace.get(key) else { return rows.reply(call) };
    if counts_all(verb, &options) {
        reply_count(call, (collection.len() as u64).saturating_sub(options.cursor));
        return call.budget.check_deadline();
    }
    let visits_all = verb == Verb::Scan && !options.is_descending && options.globs.is_empty();
    if let Some(helpers) = parts::helpers(&rows, call.budget).filter(|_| visits_all) {
        let parts = collection.divide(PARTS_MIN);
        parts::run(helpers, parts.len(), &mut rows, call.budget, &|number, rows, budget| {
            offer_all(verb, parts[number].clone(), rows, budget)
        })?;
    } else {
        offer_all(verb, candidates(verb, collection, &options), &mut rows, call.budget)?;
    }
    rows.reply(call)
}

/// Adds the objects that are results to the rows, up to the limit.
fn offer_all<'o>(
    verb: Verb,
    objects: impl Iterator<Item = &'o Object>,
    rows: &mut Rows<'o, '_>,
    budget: &mut Budget,
) -> Result<()> {
    for object in objects {
        budget.charge(rows.work(object))?;
        if !rows.visit() {
            continue;
        }
        let name = if verb == Verb::Scan { object.id() } else { object.text() };
        if rows.offer(name, object, || None, 0.0) == Verdict::Complete {
            break;
        }
    }
    Ok(())
}

/// Returns whether the reply is the number of all objects, so that none has to be visited. As in
/// Tile38, SEARCH ignores WHEREIN in this case and counts objects that aren't strings, too.
fn counts_all(verb: Verb, options: &Options) -> bool {
    options.counts_everything() && (verb == Verb::Search || options.filters.is_empty())
}

fn candidates<'k>(verb: Verb, collection: &'k Collection, options: &Options) -> Objects<'k> {
    let name = if verb == Verb::Scan { Object::id } else { Object::text };
    let range = Range::of(&options.globs);
    match (&range, options.is_descending) {
        (None, false) => ascend(verb, collection, b""),
        (None, true) => descend(verb, collection, None),
        (Some(range), false) => {
            let end = range.end.clone();
            let objects = ascend(verb, collection, &range.start);
            Box::new(objects.take_while(move |object| name(object) < &end[..]))
        }
        (Some(range), true) => {
            // Descending, the range includes its end and excludes the start's predecessor, as in
            // Tile38.
            let stop = glob::predecessor(&range.start);
            let is_empty = range.start == range.end;
            let objects = descend(verb, collection, Some(&range.end));
            Box::new(objects.take_while(move |object| !is_empty && name(object) > &stop[..]))
        }
    }
}

fn ascend<'k>(verb: Verb, collection: &'k Collection, from: &[u8]) -> Objects<'k> {
    if verb == Verb::Scan {
        Box::new(collection.ascend(from))
    } else {
        Box::new(collection.ascend_values(from))
    }
}

fn descend<'k>(verb: Verb, collection: &'k Collection, from: Option<&[u8]>) -> Objects<'k> {
    if verb == Verb::Scan {
        collection.descend(from)
    } else {
        collection.descend_values(from)
    }
}

/// The range of names that patterns can match, from `start`, inclusive, to `end`, exclusive.
struct Range {
    start: Vec<u8>,
    end: Vec<u8>,
}

impl Range {
    /// Returns the range that covers the ranges of all patterns; `None` if it covers all names.
    fn of(globs: &[&[u8]]) -> Option<Self> {
        if globs.is_empty() || globs.iter().any(|pattern| glob::is_unbounded(pattern)) {
            return None;
        }
        let ranges = globs.iter().map(|pattern| match glob::prefix(pattern) {
            // As in Tile38, a pattern that begins with `?` or `[` has an empty range.
            b"" => Range { start: pattern.to_vec(), end: pattern.to_vec() },
            prefix => Range { start: prefix.to_vec(), end: glob::successor(prefix) },
        });
        ranges.reduce(|a, b| Range { start: a.start.min(b.start), end: a.end.max(b.end) })
    }
}

/// Returns the work of comparing an object with an area.
fn comparison_work(verb: Verb, area: &Geometry, object: &Object) -> u64 {
    let Some(geometry) = object.geometry() else { return 0 };
    let vertices = match verb {
        Verb::Within => predicates::cost_of_contains(area, geometry),
        _ => predicates::cost_of_intersects(geometry, area),
    };
    (vertices / VERTICES_PER_WORK) as u64
}
