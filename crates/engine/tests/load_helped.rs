//! A log that is loaded with another thread's help: the same data, and the same order of results.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::thread;

use engine::areas;
use engine::engine::Engine;
use engine::session::Session;
use proptest::prelude::*;

const NOW_NS: i64 = 1_700_000_000_000_000_000;
const PIECE_BYTES: usize = 100_000;

fn ask(engine: &mut Engine, line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    Session::new(false, None).run_words(engine, &words, NOW_NS, &|| 1).replies
}

fn load(log: &str, mut run: impl FnMut(&mut Engine, &[u8]) -> usize) -> Engine {
    let mut engine = Engine::new(false);
    let mut done = 0;
    while done < log.len() {
        let end = log.len().min(done + PIECE_BYTES);
        let consumed = run(&mut engine, &log.as_bytes()[done..end]);
        assert!(consumed > 0);
        done += consumed;
    }
    engine
}

fn load_helped(engine: &mut Engine, piece: &[u8]) -> usize {
    let (lender, helper) = areas::helped();
    thread::scope(|scope| {
        scope.spawn(move || helper.run());
        engine.load_helped(piece, NOW_NS, lender).consumed
    })
}

fn load_without_help(engine: &mut Engine, piece: &[u8]) -> usize {
    let (lender, helper) = areas::helped();
    drop(helper);
    engine.load_helped(piece, NOW_NS, lender).consumed
}

/// Everything that the indexes of areas give, in their order.
fn found(engine: &mut Engine) -> Vec<Vec<u8>> {
    let lines =
        ["k", "l"].map(|key| format!("INTERSECTS {key} LIMIT 99999 BOUNDS -90 -180 90 180"));
    lines.iter().map(|line| ask(engine, line)).collect()
}

/// Thousands of objects, most of which move, and what else befalls a collection meanwhile.
fn any_log() -> impl Strategy<Value = String> {
    let set = (prop::sample::select(vec!["k", "l"]), 0..3000, -90..90, -180..180)
        .prop_map(|(key, id, lat, lon)| format!("SET {key} {id} POINT {lat} {lon}"));
    let set_box = (0..3000, -80..80).prop_map(|(id, at)| format!("SET k {id} BOUNDS {at} 1 85 9"));
    let delete = (0..3000).prop_map(|id| format!("DEL k {id}"));
    let rare = prop::sample::select(vec!["RENAME k l", "RENAME l k", "PDEL k 1*", "DROP l"]);
    let line = prop_oneof![
        5000 => set,
        500 => set_box,
        500 => delete,
        3 => rare.prop_map(str::to_string),
    ];
    prop::collection::vec(line, 9000).prop_map(|lines| lines.join("\n") + "\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_results_is_the_same(log in any_log()) {
        let mut plain = load(&log, |engine, piece| engine.load(piece, NOW_NS).consumed);
        let mut helped = load(&log, load_helped);
        prop_assert_eq!(found(&mut plain), found(&mut helped));
        prop_assert_eq!(ask(&mut plain, "STATS k l"), ask(&mut helped, "STATS k l"));
    }
}

#[test]
fn nothing_is_lost_with_a_helper_that_is_gone() {
    let lines: Vec<_> = (0..5000).map(|id| format!("SET k {id} POINT {} 5\n", id % 90)).collect();
    let log = lines.concat();
    let mut engine = load(&log, load_without_help);
    assert_eq!(ask(&mut engine, "INTERSECTS k COUNT BOUNDS -90 -180 90 180"), b":5000\r\n");
}
