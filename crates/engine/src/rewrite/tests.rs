//! Rewritten logs against the state that they were written from.

use proptest::prelude::*;

use crate::engine::Engine;
use crate::fence::Visit;
use crate::object::NEVER;
use crate::session::Session;

const NOW_NS: i64 = 1_700_000_000_000_000_000;

fn run(engine: &mut Engine, words: &[&[u8]]) -> Vec<u8> {
    Session::new(false, None).run_words(engine, words, NOW_NS, &|| 1).replies
}

fn run_line(engine: &mut Engine, line: &str) -> Vec<u8> {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    run(engine, &words)
}

fn rewritten(engine: &Engine, bytes_max: usize) -> Vec<u8> {
    let mut rewrite = engine.rewrite(NOW_NS);
    let mut log = Vec::new();
    loop {
        let chunk = rewrite.read(bytes_max);
        if chunk.is_empty() {
            assert_eq!(rewrite.written(), rewrite.total());
            return log;
        }
        log.extend_from_slice(&chunk);
    }
}

fn loaded(log: &[u8]) -> Engine {
    let mut engine = Engine::new(false);
    let load = engine.load(log, NOW_NS);
    assert_eq!((load.error, load.consumed), (None, log.len()));
    engine
}

/// Describes all objects, hooks and channels, with the remaining tenths of seconds.
fn state(engine: &Engine) -> Vec<String> {
    let tenths = |deadline: i64| match deadline {
        NEVER => -1,
        deadline => (deadline.saturating_sub(NOW_NS) / 100_000_000).max(1),
    };
    let mut described = Vec::new();
    for (key, collection) in engine.keyspace.iter() {
        for object in collection.ascend(b"") {
            let mut text = Vec::new();
            object.write_text(&mut text);
            let names = engine.keyspace.names();
            let fields = object.fields();
            let fields = fields.iter().map(|(serial, value)| (names.name(serial).to_vec(), value));
            described.push(format!(
                "{key:?} {:?} {text:?} {:?} {} {} {:?}",
                object.id(),
                fields.collect::<Vec<_>>(),
                object.is_spatial(),
                tenths(object.deadline()),
                object.center(),
            ));
        }
    }
    for hook in engine.keyspace.fences().from(b"") {
        let area = hook.fetched().map(|fetched| {
            let mut text = Vec::new();
            fetched.object.write_text(&mut text);
            text
        });
        let (endpoints, metas) = (&hook.endpoints, (&hook.metas, &hook.options));
        let ends = tenths(hook.deadline);
        let kind = hook.kind();
        let (words, is_paused) = (&hook.words, hook.is_paused);
        described.push(format!(
            "{:?} {kind:?} {endpoints:?} {metas:?} {words:?} {ends} {is_paused} {area:?}",
            hook.name
        ));
        let visits = engine.keyspace.fences().visits(hook.watch.serial);
        for visitor in visits.into_iter().flat_map(|visits| visits.from(b"")) {
            let visits: Vec<Visit> = visitor.visits().collect();
            described.push(format!("{:?} {:?} {visits:?}", hook.name, visitor.id()));
        }
    }
    described
}

fn as_text(log: &[u8]) -> String {
    let words = String::from_utf8(log.to_vec()).unwrap();
    let is_word = |line: &&str| !line.starts_with('$');
    let words: Vec<&str> = words.split("\r\n").filter(is_word).collect();
    words.join(" ")
}

fn any_line() -> impl Strategy<Value = String> {
    let key = || prop::sample::select(vec!["k", "l", "", "\u{e9}"]);
    let id = || prop::sample::select(vec!["1", "2", "10", "", "x\r\ny"]);
    let field = prop::sample::select(vec![
        "",
        " FIELD speed 1.50",
        " FIELD speed -0 FIELD name \"007\"",
        " FIELD j {\"a\":[1,2]} FIELD t true FIELD n null",
        " FIELD i -inf FIELD b nan FIELD q <&>",
        " FIELD zero 0.0",
    ]);
    let ex = prop::sample::select(vec!["", " EX 0.04", " EX 99.99", " EX 1e300", " EX -5"]);
    let shape = prop::sample::select(vec![
        "POINT 1 2",
        "POINT -0 2.000000000000001",
        "POINT 1 2 3",
        "POINT nan inf",
        "POINT 1 2 nan",
        "POINT 500 -500",
        "BOUNDS 1 2 3 4",
        "BOUNDS -inf 2 3 nan",
        "BOUNDS 3 4 1 2",
        "HASH 9my5x",
        "STRING te\r\nxt",
        "STRING {\"type\":\"Point\",\"coordinates\":[1,2]}",
        "STRING ",
        "OBJECT {\"type\":\"Polygon\",\"coordinates\":[[[0,0],[4,0],[4,4],[0,0]]],\"x\":1}",
        "OBJECT {\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1e999,0],[4,4],[0,0]]]}",
        "OBJECT {\"type\":\"MultiPoint\",\"coordinates\":[[1,2,3],[4,5,6]]}",
        "OBJECT {\"type\":\"Point\",\"coordinates\":[null,null]}",
        "OBJECT {\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]},\
         \"properties\":{\"type\":\"Circle\",\"radius\":100,\"radius_units\":\"m\"}}",
        "OBJECT {\"type\":\"GeometryCollection\",\"geometries\":[]}",
    ]);
    let set = (key(), id(), field, ex, shape)
        .prop_map(|(key, id, field, ex, shape)| format!("SET {key} {id}{field}{ex} {shape}"));
    let area = prop_oneof![
        (key(), id()).prop_map(|(key, id)| format!("GET {key} {id}")),
        Just("BOUNDS 0 0 1 1".to_string()),
        Just("CIRCLE 0 0 100".to_string()),
        key().prop_map(|key| format!("IN {key}")),
        Just("IN k MATCH 1* RADIUS speed WITHFIELDS".to_string()),
    ];
    let kind = prop::sample::select(vec!["SETCHAN c", "SETHOOK h http://x/1,http://x/2"]);
    let head = prop::sample::select(vec![" ", " META b 2 META a 1 ", " EX 9.99 ", " EX nan "]);
    let hook = (kind, 0..2, head, key(), area).prop_map(|(kind, n, head, key, area)| {
        let (word, rest) = kind.split_at(9);
        format!("{word}{n}{rest}{head}WITHIN {key} FENCE {area}")
    });
    let other = prop_oneof![
        (key(), id()).prop_map(|(key, id)| format!("DEL {key} {id}")),
        (key(), id()).prop_map(|(key, id)| format!("JSET {key} {id} a.b 1")),
        (key(), key()).prop_map(|(key, new)| format!("RENAME {key} {new}")),
    ];
    prop_oneof![6 => set, 3 => hook, 1 => other]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn a_rewritten_log_restores_the_state(
        lines in prop::collection::vec(any_line(), 0..30),
        bytes_max in prop::sample::select(vec![0_usize, 1, 100, 1000, 1 << 20]),
    ) {
        let mut engine = Engine::new(false);
        for line in &lines {
            run_line(&mut engine, line);
        }
        let log = rewritten(&engine, bytes_max);
        let again = loaded(&log);
        prop_assert_eq!(state(&again), state(&engine));
        prop_assert_eq!(rewritten(&again, 1 << 20), log);
    }
}

#[test]
fn objects_are_written_by_key_and_id_then_hooks_by_name() {
    let mut engine = Engine::new(false);
    run_line(&mut engine, "SET k b FIELD z2 1 FIELD a {\"x\":1} EX 99.98 POINT 1 2");
    run_line(&mut engine, "SET k a STRING text");
    run_line(&mut engine, "SET j c BOUNDS 1 2 3 4");
    run_line(
        &mut engine,
        "SETHOOK h http://a/x,http://b/y META m 1 EX 49.55 NEARBY k FENCE POINT 1 2 3",
    );
    run_line(&mut engine, "SETCHAN c WITHIN k DETECT enter BOUNDS 0 0 1 1");
    let expected = "*5 set j c object {\"type\":\"Polygon\",\"coordinates\":\
        [[[2,1],[4,1],[4,3],[2,3],[2,1]]]} \
        *5 set k a string text \
        *13 set k b field a {\"x\":1} field z2 1 ex 99.9 \
        object {\"type\":\"Point\",\"coordinates\":[2,1]} \
        *11 setchan c WITHIN k DETECT enter BOUNDS 0 0 1 1 \
        *15 sethook h http://a/x,http://b/y meta m 1 ex 49.5 NEARBY k FENCE POINT 1 2 3 ";
    assert_eq!(as_text(&rewritten(&engine, 100)), expected);
}

#[test]
fn objects_in_zones_are_written_last_and_stay_there() {
    let mut engine = Engine::new(false);
    run_line(&mut engine, "SET zones b BOUNDS 0 0 9 9");
    run_line(&mut engine, "SETCHAN c WITHIN fleet DETECT exit IN zones");
    run_line(&mut engine, "SET fleet truck POINT 5 5");
    run_line(&mut engine, "DEL zones b");
    let log = rewritten(&engine, 1 << 20);
    let text = as_text(&log);
    let (_, visits) = text.split_once("setvisits c *5 setvisits c truck b ").unwrap();
    assert_eq!(visits.len(), 25, "{visits}");
    let mut again = loaded(&log);
    assert_eq!(rewritten(&again, 1), log);
    let words: [&[u8]; 6] = [b"SET", b"fleet", b"truck", b"POINT", b"5", b"5"];
    let batch = Session::new(false, None).run_words(&mut again, &words, NOW_NS, &|| 1);
    let events = batch.outbox.events;
    assert_eq!(events.len(), 1);
    let message = String::from_utf8(events[0].message.clone()).unwrap();
    assert!(message.contains("\"detect\":\"exit\""), "{message}");
    assert!(message.contains(visits.trim_end()), "{message}");
}

#[test]
fn a_rewrite_ignores_later_changes() {
    let mut engine = Engine::new(false);
    for number in 0..1000 {
        run_line(&mut engine, &format!("SET k {number} POINT 1 2"));
    }
    let expected = rewritten(&engine, 1 << 20);
    let mut rewrite = engine.rewrite(NOW_NS);
    let mut log = rewrite.read(100);
    run_line(&mut engine, "RENAME k j");
    run_line(&mut engine, "PDEL j *");
    run_line(&mut engine, "SETCHAN c NEARBY k FENCE POINT 1 2 3");
    while rewrite.written() < rewrite.total() {
        log.extend_from_slice(&rewrite.read(100));
    }
    assert_eq!(log, expected);
    assert!(rewrite.read(100).is_empty());
}

#[test]
fn bytes_that_are_not_utf8_survive() {
    let mut engine = Engine::new(false);
    let words = [&b"SET"[..], b"k\xff", b"\xfe", b"FIELD", b"n\xfd", b"v\xfc ", b"STRING", b"\xfb"];
    run(&mut engine, &words);
    assert_eq!(state(&loaded(&rewritten(&engine, 1))), state(&engine));
}

#[test]
fn a_changed_area_of_get_is_restored_for_the_hook_and_removed_after_it() {
    let mut engine = Engine::new(false);
    run_line(&mut engine, "SET zones same BOUNDS 0 0 1 1");
    run_line(&mut engine, "SET zones moved FIELD a 1 BOUNDS 0 0 1 1");
    run_line(&mut engine, "SET zones ends EX 5 BOUNDS 0 0 1 1");
    run_line(&mut engine, "SET gone it STRING x");
    for (name, area) in
        [("1", "zones same"), ("2", "zones moved"), ("3", "zones ends"), ("4", "gone it")]
    {
        run_line(&mut engine, &format!("SETCHAN {name} WITHIN k FENCE GET {area}"));
    }
    run_line(&mut engine, "SET zones moved BOUNDS 5 5 6 6");
    run_line(&mut engine, "DEL gone it");
    let before = state(&engine);
    let log = rewritten(&engine, 1 << 20);
    assert_eq!(as_text(&log).matches("set zones same").count(), 1);
    assert_eq!(state(&loaded(&log)), before);
    assert_eq!(run_line(&mut loaded(&log), "SETCHAN 2 WITHIN k FENCE GET zones moved"), b":0\r\n");
}

#[test]
fn shapes_that_would_be_refused_as_geojson_are_written_as_numbers() {
    let mut engine = Engine::new(true);
    for shape in ["POINT 500 1", "POINT 500 1 7", "BOUNDS -500 0 1 1"] {
        run_line(&mut engine, &format!("SET k a {shape}"));
        let mut again = Engine::new(true);
        assert_eq!(again.load(&rewritten(&engine, 1), NOW_NS).error, None);
        assert_eq!(state(&again), state(&engine));
    }
}
