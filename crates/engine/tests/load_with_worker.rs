//! Loading a log while a worker thread maintains the spatial indexes gives the same data and the
//! same order of results as loading it on one thread.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::thread;

use engine::engine::Engine;
use engine::session::Session;
use engine::spatial_index;
use proptest::prelude::*;

const NOW_NS: i64 = 1_700_000_000_000_000_000;
const PIECE_BYTES: usize = 100_000;

fn run(engine: &mut Engine, line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    Session::new(false, None).run_words(engine, &words, NOW_NS, &|| 1).replies
}

/// Loads a log in pieces with a function that returns how many bytes it consumed.
fn load(log: &str, mut load_piece: impl FnMut(&mut Engine, &[u8]) -> usize) -> Engine {
    let mut engine = Engine::new(false);
    let mut done = 0;
    while done < log.len() {
        let end = log.len().min(done + PIECE_BYTES);
        let consumed = load_piece(&mut engine, &log.as_bytes()[done..end]);
        assert!(consumed > 0);
        done += consumed;
    }
    engine
}

fn load_with_worker(engine: &mut Engine, piece: &[u8]) -> usize {
    let (offloader, worker) = spatial_index::offloading();
    thread::scope(|scope| {
        scope.spawn(move || worker.run());
        engine.load_offloading(piece, NOW_NS, offloader).consumed
    })
}

fn load_with_lost_worker(engine: &mut Engine, piece: &[u8]) -> usize {
    let (offloader, worker) = spatial_index::offloading();
    drop(worker);
    engine.load_offloading(piece, NOW_NS, offloader).consumed
}

/// Returns the replies of searches that list all objects in the order of the spatial indexes.
fn index_order(engine: &mut Engine) -> Vec<Vec<u8>> {
    let lines =
        ["k", "l"].map(|key| format!("INTERSECTS {key} LIMIT 99999 BOUNDS -90 -180 90 180"));
    lines.iter().map(|line| run(engine, line)).collect()
}

/// A log in which thousands of objects move while others are deleted and collections are renamed.
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
        let mut alone = load(&log, |engine, piece| engine.load(piece, NOW_NS).consumed);
        let mut offloaded = load(&log, load_with_worker);
        prop_assert_eq!(index_order(&mut alone), index_order(&mut offloaded));
        prop_assert_eq!(run(&mut alone, "STATS k l"), run(&mut offloaded, "STATS k l"));
    }
}

#[test]
fn an_index_is_rebuilt_when_the_worker_has_lost_it() {
    let lines: Vec<_> = (0..5000).map(|id| format!("SET k {id} POINT {} 5\n", id % 90)).collect();
    let log = lines.concat();
    let mut engine = load(&log, load_with_lost_worker);
    assert_eq!(run(&mut engine, "INTERSECTS k COUNT BOUNDS -90 -180 90 180"), b":5000\r\n");
}
