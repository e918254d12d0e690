//! Fences against models that give the same result: the search of the fence, each fence in an
//! engine of its own, and a replayed log.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use engine::engine::Engine;
use engine::fence::Target;
use engine::session::{Batch, Session, Stop};
use proptest::prelude::*;

fn run(engine: &mut Engine, line: &str) -> Batch {
    let words: Vec<&str> = line.split(' ').collect();
    Session::new(false, None).run_words(engine, &words, 1_000_000_000, &|| 1)
}

fn number() -> impl Strategy<Value = i32> {
    -30_i32..30
}

/// The area of a fence, some across 180 degrees.
fn area() -> impl Strategy<Value = String> {
    area_from(prop_oneof![number(), Just(-180), Just(175)].boxed())
}

/// The area of a fence that doesn't reach 180 degrees. Beyond 180 degrees searches find nothing,
/// but fences do.
fn inland_area() -> impl Strategy<Value = String> {
    area_from(number().boxed())
}

fn area_from(west: BoxedStrategy<i32>) -> impl Strategy<Value = String> {
    let bounds = (number(), west.clone(), 0..20_i32, 0..20_i32)
        .prop_map(|(s, w, height, width)| format!("BOUNDS {s} {w} {} {}", s + height, w + width));
    let circle = (number(), west, 0..2_000_000_i32)
        .prop_map(|(lat, lon, meters)| format!("CIRCLE {lat} {lon} {meters}"));
    prop_oneof![bounds, circle]
}

fn detect() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        " DETECT inside",
        " DETECT enter,exit",
        " DETECT cross",
        " DETECT enter,cross,exit",
        " DETECT outside",
        " DETECT exit,inside",
    ])
}

fn write() -> impl Strategy<Value = String> {
    let lon = prop_oneof![number(), Just(-179), Just(179)];
    prop_oneof![
        8 => (0..4, number(), lon)
            .prop_map(|(id, lat, lon)| format!("SET k {id} POINT {lat} {lon}")),
        2 => (0..4, number(), number()).prop_map(|(id, lat, lon)| {
            format!("SET k {id} BOUNDS {lat} {lon} {} {}", lat + 5, lon + 5)
        }),
        1 => (0..4).prop_map(|id| format!("SET k {id} STRING x")),
        1 => (0..4, 0..3).prop_map(|(id, value)| format!("FSET k {id} f {value}")),
        1 => (0..4).prop_map(|id| format!("EXPIRE k {id} 100")),
        1 => (0..4).prop_map(|id| format!("DEL k {id}")),
        1 => Just("DROP k".to_owned()),
    ]
}

/// Returns a message without its group, which differs between engines.
fn without_group(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).unwrap();
    regex::Regex::new(r#""group":"[0-9a-f]{24}","#).unwrap().replace(&text, "").into_owned()
}

fn messages(batch: &Batch) -> Vec<String> {
    let mut texts: Vec<String> =
        batch.outbox.events.iter().map(|event| without_group(&event.message)).collect();
    texts.sort();
    texts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The index of fences neither loses nor adds a fence.
    #[test]
    fn fences_together_send_the_messages_that_each_sends_alone(
        fences in prop::collection::vec((area(), detect()), 1..12),
        writes in prop::collection::vec(write(), 1..20),
    ) {
        let set = |index: usize, (area, detect): &(String, &str)| {
            format!("SETCHAN c{index} INTERSECTS k FENCE{detect} {area}")
        };
        let mut together = Engine::new(false);
        let mut alone: Vec<Engine> = Vec::new();
        for (index, fence) in fences.iter().enumerate() {
            run(&mut together, &set(index, fence));
            let mut engine = Engine::new(false);
            run(&mut engine, &set(index, fence));
            alone.push(engine);
        }
        for line in &writes {
            let got = messages(&run(&mut together, line));
            let mut wanted: Vec<String> =
                alone.iter_mut().flat_map(|engine| messages(&run(engine, line))).collect();
            wanted.sort();
            prop_assert_eq!(got, wanted, "{}", line);
        }
    }

    /// A channel and a live fence with DETECT inside send a message exactly for the objects that
    /// the search finds.
    #[test]
    fn a_fence_detects_the_objects_that_its_search_finds(
        area in inland_area(),
        word in prop::sample::select(vec!["WITHIN", "INTERSECTS"]),
        writes in prop::collection::vec(write(), 1..20),
    ) {
        let mut engine = Engine::new(false);
        run(&mut engine, &format!("SETCHAN c {word} k FENCE DETECT inside IDS {area}"));
        let live = run(&mut engine, &format!("{word} k FENCE DETECT inside IDS {area}"));
        prop_assert!(matches!(live.stop, Some(Stop::Live(_))));
        for line in writes.iter().filter(|line| line.starts_with("SET")) {
            let batch = run(&mut engine, line);
            let id = line.split(' ').nth(2).unwrap();
            let find = format!("{word} k MATCH {id} COUNT {area}");
            let is_found = run(&mut engine, &find).replies == b":1\r\n";
            let count_events = |is_live: bool| {
                let is_counted = |target: &Target| matches!(target, Target::Live(_)) == is_live;
                batch.outbox.events.iter().filter(|event| is_counted(&event.target)).count()
            };
            prop_assert_eq!(count_events(false), usize::from(is_found), "{}", line);
            prop_assert_eq!(count_events(true), usize::from(is_found), "{}", line);
            // TEST has no strings, which no search finds.
            if !line.ends_with("STRING x") {
                let test = run(&mut engine, &format!("TEST GET k {id} {word} {area}"));
                let wanted = format!(":{}\r\n", u8::from(is_found));
                prop_assert_eq!(test.replies, wanted.as_bytes(), "{}", line);
            }
        }
    }

    /// Tests points only, as NEARBY measures the distance to an area's box.
    #[test]
    fn a_fence_around_a_point_detects_the_points_that_nearby_finds(
        circle in (number(), number(), 0..2_000_000_i32),
        writes in prop::collection::vec(write(), 1..20),
    ) {
        let (lat, lon, meters) = circle;
        let mut engine = Engine::new(false);
        let area = format!("POINT {lat} {lon} {meters}");
        run(&mut engine, &format!("SETCHAN c NEARBY k FENCE DETECT inside IDS {area}"));
        for line in writes.iter().filter(|line| line.contains("POINT")) {
            let detected = run(&mut engine, line).outbox.events.len();
            let id = line.split(' ').nth(2).unwrap();
            let found = run(&mut engine, &format!("NEARBY k MATCH {id} COUNT {area}")).replies;
            // A search with 0 metres has no limit; a fence with 0 metres is the point itself.
            if meters > 0 {
                let wanted = format!(":{detected}\r\n");
                prop_assert_eq!(&found[..], wanted.as_bytes(), "{}", line);
            }
        }
    }

    #[test]
    fn a_replayed_log_restores_hooks_and_channels_and_sends_no_messages(
        steps in prop::collection::vec((0..4, 0..5, area(), detect()), 1..30),
    ) {
        let mut live = Engine::new(false);
        let mut log = Vec::new();
        for (index, (name, kind, area, detect)) in steps.iter().enumerate() {
            let line = match kind {
                0 => {
                    let hook = format!("SETHOOK h{name} http://h/{index} META m {index}");
                    format!("{hook} NEARBY k FENCE POINT 1 1 5")
                }
                1 => format!("SETCHAN c{name} WITHIN k FENCE{detect} {area}"),
                2 => format!("SETCHAN c{name} EX 100 WITHIN k FENCE{detect} {area}"),
                3 => format!("DELHOOK h{name}"),
                _ => format!("PDELCHAN *{name}"),
            };
            log.extend(run(&mut live, &line).log);
            log.extend(run(&mut live, "SET k a POINT 1 1").log);
        }
        let mut loaded = Engine::new(false);
        let load = loaded.load(&log, 1_000_000_000);
        prop_assert_eq!(load.error, None);
        prop_assert!(loaded.take_outbox().events.is_empty());
        for line in ["HOOKS *", "CHANS *"] {
            prop_assert_eq!(run(&mut live, line).replies, run(&mut loaded, line).replies);
        }
        let hooks = |engine: &Engine| -> BTreeSet<Vec<u8>> {
            engine.keyspace.fences().from(b"").map(|hook| hook.name.to_vec()).collect()
        };
        prop_assert_eq!(hooks(&live), hooks(&loaded));
        let line = "SET k b POINT 2 2";
        prop_assert_eq!(messages(&run(&mut live, line)), messages(&run(&mut loaded, line)));
    }
}

/// A rewritten log keeps the area that GET found when the hook was set.
#[test]
fn the_area_of_get_survives_a_rewrite_after_its_object_has_changed() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SET zones z BOUNDS 0 0 10 10");
    run(
        &mut engine,
        "SETCHAN c META m 1 WITHIN k FENCE DETECT inside GET zones z CLIPBY BOUNDS 0 0 5 5",
    );
    run(&mut engine, "SET zones z POINT 50 50");
    let log = engine.rewrite(0).read(usize::MAX / 2);
    let mut again = Engine::new(false);
    assert_eq!(again.load(&log, 0).error, None);
    assert_eq!(run(&mut again, "SET k a POINT 4 4").outbox.events.len(), 1);
    assert_eq!(run(&mut again, "SET k a POINT 6 6").outbox.events.len(), 0);
    assert_eq!(run(&mut engine, "SET k a POINT 4 4").outbox.events.len(), 1);
}

#[test]
fn a_fence_around_a_circle_across_180_degrees_covers_both_sides() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SETCHAN c NEARBY k FENCE DETECT enter,exit POINT 0 179.9 50000");
    assert_eq!(run(&mut engine, "SET k a POINT 0 -179.9").outbox.events.len(), 1);
    assert_eq!(run(&mut engine, "SET k a POINT 0 170").outbox.events.len(), 1);
}

#[test]
fn a_movement_across_180_degrees_crosses_what_lies_there_and_nothing_at_0() {
    for (bounds, is_crossed) in [
        ("-1 -1 1 1", false),
        ("-1 179.95 1 180", true),
        ("-1 -180 1 -179.95", true),
        ("-1 170 1 171", false),
    ] {
        let mut engine = Engine::new(false);
        run(&mut engine, &format!("SETCHAN c WITHIN k FENCE DETECT cross BOUNDS {bounds}"));
        run(&mut engine, "SET k a POINT 0 179.9");
        for lon in [-179.9, 179.9] {
            let batch = run(&mut engine, &format!("SET k a POINT 0 {lon}"));
            assert_eq!(batch.outbox.events.len(), usize::from(is_crossed), "{bounds} {lon}");
        }
    }
}

/// A string has no position, and an object that doesn't move crosses nothing.
#[test]
fn cross_needs_a_move_between_two_positions() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SETCHAN c WITHIN k FENCE DETECT cross BOUNDS -1 -1 1 1");
    run(&mut engine, "SET k a STRING x");
    assert_eq!(run(&mut engine, "SET k a POINT 5 5").outbox.events.len(), 0);
    assert_eq!(run(&mut engine, "SET k a POINT -5 -5").outbox.events.len(), 1);
    for count in [0, 0] {
        let line = "SET k b BOUNDS -3 -3 3 3";
        assert_eq!(run(&mut engine, line).outbox.events.len(), count);
    }
}

/// ROAM sends a bounded number of messages, for the nearest objects; SCAN lists further objects by
/// a pattern for each.
#[test]
fn roam_sends_messages_for_the_nearest_objects_only() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SETCHAN c NEARBY fleet FENCE IDS ROAM crowd * 10000000 SCAN :*");
    for at in 0..10_050 {
        let place = 10.0 + f64::from(at) / 1000.0;
        run(&mut engine, &format!("SET crowd x{at:05} POINT 0 {place}"));
    }
    run(&mut engine, "SET crowd x00000:wheel STRING round");
    let batch = run(&mut engine, "SET fleet a POINT 0 9");
    let texts: Vec<&str> =
        batch.outbox.events.iter().map(|e| std::str::from_utf8(&e.message).unwrap()).collect();
    assert_eq!(texts.len(), 10_000);
    assert!(texts[0].contains(r#""nearby":{"key":"crowd","id":"x00000","#), "{}", texts[0]);
    assert!(texts[0].ends_with(r#"},{"id":"x00000:wheel","object":"round"}]}}"#), "{}", texts[0]);
    assert!(texts[9999].contains(r#""id":"x09999","#), "{}", texts[9999]);
}

/// The box of the fence decides which objects have left, not the list of the nearest.
#[test]
fn roam_reports_no_object_as_faraway_that_is_still_near() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SETCHAN c NEARBY fleet FENCE NODWELL IDS ROAM crowd * 200000");
    for at in 0..20 {
        run(&mut engine, &format!("SET crowd x{at} POINT 0 {}", f64::from(at) / 10.0));
    }
    let count_messages = |engine: &mut Engine, line: &str| -> (usize, usize) {
        let batch = run(engine, line);
        let count = |word: &[u8]| {
            let events = batch.outbox.events.iter();
            events.filter(|e| e.message.windows(word.len()).any(|part| part == word)).count()
        };
        (count(b"\"nearby\""), count(b"\"faraway\""))
    };
    assert_eq!(count_messages(&mut engine, "SET fleet a POINT 0 0"), (18, 0));
    assert_eq!(count_messages(&mut engine, "SET fleet a POINT 0 0.1"), (1, 0));
    assert_eq!(count_messages(&mut engine, "SET fleet a POINT 0 30"), (0, 19));
}

/// The area of a vector tile is the tile's box with a margin.
#[test]
fn a_fence_on_a_vector_tile_covers_its_box_with_a_margin() {
    let mut engine = Engine::new(false);
    let set = run(&mut engine, "SETCHAN c INTERSECTS k FENCE DETECT enter,exit IDS MVT 1 1 1");
    assert_eq!(set.replies, b":1\r\n");
    for (line, count) in [
        ("SET k a POINT -10 10", 1),
        ("SET k a POINT -10 -10", 0), // within the margin
        ("SET k a POINT -10 -15", 1),
        ("SET k a POINT 40 -15", 0),
    ] {
        assert_eq!(run(&mut engine, line).outbox.events.len(), count, "{line}");
    }
    let refused = run(&mut engine, "WITHIN k FENCE MVT 1 1 24").replies;
    assert_eq!(refused, b"-ERR invalid argument '24'\r\n");
}
