//! Circles, distances and the searches that use them, on the whole sphere: alike for every command,
//! and as a plain comparison of all objects would have it.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use engine::engine::Engine;
use engine::session::{Batch, Session, Stop};
use proptest::prelude::*;

const LIMIT: &str = "LIMIT 100000";

fn run_words(engine: &mut Engine, words: &[&str]) -> Batch {
    Session::new(false, None).run_words(engine, words, 1_000_000_000, &|| 1)
}

/// Words are divided by blanks; GeoJSON is written without them.
fn run(engine: &mut Engine, line: &str) -> Batch {
    run_words(engine, &line.split(' ').collect::<Vec<_>>())
}

fn reply(engine: &mut Engine, line: &str) -> String {
    let batch = run(engine, line);
    if let Some(Stop::Reads(mut read)) = batch.stop {
        return String::from_utf8(read.run(&|| 1)).unwrap();
    }
    String::from_utf8(batch.replies).unwrap()
}

/// The bulk strings of a reply.
fn bulks(reply: &str) -> Vec<&str> {
    let mut lines = reply.split("\r\n");
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with('$') {
            found.extend(lines.next());
        }
    }
    found
}

fn sorted_ids(engine: &mut Engine, line: &str) -> Vec<String> {
    let reply = reply(engine, line);
    assert!(reply.starts_with('*'), "{line}: {reply}");
    let mut ids: Vec<String> = bulks(&reply).into_iter().map(str::to_owned).collect();
    ids.sort();
    ids
}

/// Ids and distances in the order of NEARBY.
fn nearest(engine: &mut Engine, line: &str) -> Vec<(String, f64)> {
    let reply = reply(engine, line);
    assert!(reply.starts_with('*'), "{line}: {reply}");
    let found = bulks(&reply);
    let pairs = found.chunks_exact(2);
    pairs.map(|pair| (pair[0].to_owned(), pair[1].parse().unwrap())).collect()
}

fn latitude() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -90.0..90.0_f64, 1 => 89.0..90.0_f64, 1 => Just(90.0), 1 => Just(-90.0)]
}

fn longitude() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -180.0..180.0_f64,
        2 => 179.0..180.0_f64,
        2 => -180.0..-179.0_f64,
        1 => prop_oneof![Just(180.0), Just(-180.0)],
    ]
}

fn meters() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (2.0..7.4_f64).prop_map(|exponent| 10.0_f64.powf(exponent)),
        1 => prop_oneof![Just(1.0), Just(20_015_086.0), Just(2.1e7), Just(5e7), Just(1e300)],
    ]
}

/// A chain of positions, near one or anywhere; some go a bit beyond ±180°.
fn chain(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(f64, f64)>> {
    let size = prop::sample::select(vec![0.01, 1.0, 20.0]);
    let offsets = prop::collection::vec((-1.0..1.0_f64, -1.0..1.0_f64), count);
    (longitude(), latitude(), size, offsets).prop_map(|(x, y, size, offsets)| {
        let at = |(dx, dy): &(f64, f64)| (x + dx * size, (y + dy * size).clamp(-90.0, 90.0));
        offsets.iter().map(at).collect()
    })
}

fn coordinates(points: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = points.iter().map(|(x, y)| format!("[{x},{y}]")).collect();
    format!("[{}]", pairs.join(","))
}

fn point() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (latitude(), longitude()).prop_map(|(lat, lon)| format!("POINT {lat} {lon}")),
        1 => (-200.0..200.0_f64, -400.0..400.0_f64)
            .prop_map(|(lat, lon)| format!("POINT {lat} {lon}")),
    ]
}

fn circle_feature(lat: f64, lon: f64, meters: f64) -> String {
    let point = format!(r#"{{"type":"Point","coordinates":[{lon},{lat}]}}"#);
    let properties = format!(r#"{{"type":"Circle","radius":{meters}}}"#);
    format!(r#"{{"type":"Feature","geometry":{point},"properties":{properties}}}"#)
}

fn shape() -> impl Strategy<Value = String> {
    let bounds = (latitude(), longitude(), 0.0..30.0_f64, 0.0..30.0_f64).prop_map(
        |(south, west, height, width)| {
            let (north, east) = ((south + height).min(90.0), (west + width).min(180.0));
            format!("BOUNDS {south} {west} {north} {east}")
        },
    );
    let line = chain(2..6).prop_map(|points| {
        format!(r#"OBJECT {{"type":"LineString","coordinates":{}}}"#, coordinates(&points))
    });
    let long_line = chain(70..150).prop_map(|points| {
        format!(r#"OBJECT {{"type":"LineString","coordinates":{}}}"#, coordinates(&points))
    });
    let polygon = chain(3..9).prop_map(|mut points| {
        points.push(points[0]);
        format!(r#"OBJECT {{"type":"Polygon","coordinates":[{}]}}"#, coordinates(&points))
    });
    let many_points = chain(1..100).prop_map(|points| {
        format!(r#"OBJECT {{"type":"MultiPoint","coordinates":{}}}"#, coordinates(&points))
    });
    let circle = (latitude(), longitude(), meters())
        .prop_map(|(lat, lon, meters)| format!("OBJECT {}", circle_feature(lat, lon, meters)));
    prop_oneof![bounds, line, long_line, polygon, many_points, circle]
}

fn object() -> impl Strategy<Value = String> {
    prop_oneof![point(), shape()]
}

fn filled(objects: &[String]) -> Engine {
    let mut engine = Engine::new(false);
    for (id, object) in objects.iter().enumerate() {
        assert_eq!(reply(&mut engine, &format!("SET k o{id} {object}")), "+OK\r\n", "{object}");
    }
    engine
}

/// The ids of objects of which TEST says that they are in a relation to an area.
fn tested(engine: &mut Engine, count: usize, relation: &str, area: &str) -> Vec<String> {
    let mut found: Vec<String> = (0..count)
        .map(|id| format!("o{id}"))
        .filter(|id| {
            let line = format!("TEST GET k {id} {relation} {area}");
            reply(engine, &line) == ":1\r\n"
        })
        .collect();
    found.sort();
    found
}

/// The ids of objects of which a channel says, when they are set again, that they are inside.
fn heard(engine: &mut Engine, objects: &[String], fence: &str) -> Vec<String> {
    run(engine, &format!("SETCHAN c {fence}"));
    let mut found = Vec::new();
    for (id, object) in objects.iter().enumerate() {
        if !run(engine, &format!("SET k o{id} {object}")).outbox.events.is_empty() {
            found.push(format!("o{id}"));
        }
    }
    run(engine, "DELCHAN c");
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// One circle for NEARBY, INTERSECTS, TEST and fences; one for WITHIN, TEST and fences.
    #[test]
    fn a_circle_is_the_same_for_every_command(
        objects in prop::collection::vec(object(), 1..60),
        (lat, lon, meters) in (latitude(), longitude(), meters()),
    ) {
        let mut engine = filled(&objects);
        let circle = format!("CIRCLE {lat} {lon} {meters}");
        let place = format!("POINT {lat} {lon} {meters}");
        let found = sorted_ids(&mut engine, &format!("NEARBY k {LIMIT} IDS {place}"));
        let line = format!("INTERSECTS k {LIMIT} IDS {circle}");
        prop_assert_eq!(&sorted_ids(&mut engine, &line), &found, "INTERSECTS");
        let tested_ids = tested(&mut engine, objects.len(), "INTERSECTS", &circle);
        prop_assert_eq!(&tested_ids, &found, "TEST INTERSECTS");
        let fence = format!("NEARBY k FENCE DETECT inside IDS {place}");
        prop_assert_eq!(&heard(&mut engine, &objects, &fence), &found, "NEARBY FENCE");
        let fence = format!("INTERSECTS k FENCE DETECT inside IDS {circle}");
        prop_assert_eq!(&heard(&mut engine, &objects, &fence), &found, "INTERSECTS FENCE");

        let line = format!("WITHIN k {LIMIT} IDS {circle}");
        let within = sorted_ids(&mut engine, &line);
        prop_assert_eq!(&tested(&mut engine, objects.len(), "WITHIN", &circle), &within);
        let fence = format!("WITHIN k FENCE DETECT inside IDS {circle}");
        prop_assert_eq!(&heard(&mut engine, &objects, &fence), &within, "WITHIN FENCE");
        prop_assert!(within.iter().all(|id| found.contains(id)), "WITHIN is more than INTERSECTS");
    }

    /// A stored Circle as the area, and one that GeoJSON names, are the circle of CIRCLE.
    #[test]
    fn a_stored_circle_is_a_circle(
        objects in prop::collection::vec(object(), 1..30),
        (lat, lon, meters) in (latitude(), longitude(), meters()),
    ) {
        let mut engine = filled(&objects);
        let feature = circle_feature(lat, lon, meters);
        run(&mut engine, &format!("SET areas a OBJECT {feature}"));
        let many = format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#);
        for verb in ["WITHIN", "INTERSECTS"] {
            let find = |area: &str| format!("{verb} k {LIMIT} IDS {area}");
            let found = sorted_ids(&mut engine, &find(&format!("CIRCLE {lat} {lon} {meters}")));
            for area in ["GET areas a", &format!("OBJECT {feature}"), &format!("OBJECT {many}")] {
                prop_assert_eq!(&sorted_ids(&mut engine, &find(area)), &found, "{} {}", verb, area);
            }
        }
        // As objects, Circle and collection are found alike.
        run(&mut engine, &format!("SET areas b OBJECT {many}"));
        for (id, object) in objects.iter().enumerate() {
            for verb in ["WITHIN", "INTERSECTS"] {
                let found = sorted_ids(&mut engine, &format!("{verb} areas IDS {object}"));
                prop_assert!(found.len() != 1, "{} o{} {} {:?}", verb, id, object, found);
            }
        }
    }

    /// Distances ascend, and a search that is limited finds the beginning of one that isn't.
    #[test]
    fn limits_and_cursors_cut_one_order(
        objects in prop::collection::vec(object(), 1..150),
        twins in 1..4_usize,
        (lat, lon) in (latitude(), longitude()),
    ) {
        // Equal objects are equally distant.
        let count = objects.len() * twins;
        let objects: Vec<String> = objects.iter().cycle().take(count).cloned().collect();
        let mut engine = filled(&objects);
        let find = |options: &str| format!("NEARBY k {options} DISTANCE IDS POINT {lat} {lon}");
        let all = nearest(&mut engine, &find(LIMIT));
        prop_assert_eq!(all.len(), objects.len());
        prop_assert!(all.is_sorted_by(|a, b| a.1 <= b.1 + 1e-6), "{:?}", all);
        for count in [1, 2, 3, 7, all.len() / 2 + 1] {
            let some = nearest(&mut engine, &find(&format!("LIMIT {count}")));
            prop_assert_eq!(&some[..], &all[..count.min(all.len())], "LIMIT {}", count);
            let more = nearest(&mut engine, &find(&format!("CURSOR {count} LIMIT 5")));
            let rest = &all[count.min(all.len())..];
            prop_assert_eq!(&more[..], &rest[..rest.len().min(5)], "CURSOR {}", count);
        }
        let radius = all[all.len() / 2].1;
        if radius > 0.0 {
            let near = nearest(&mut engine, &format!("{} {radius}", find(LIMIT)));
            let count = all.iter().filter(|(_, meters)| *meters <= radius).count();
            prop_assert_eq!(&near[..], &all[..count]);
        }
    }
}
