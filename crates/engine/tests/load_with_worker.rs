//! Loading a log while other threads parse it and maintain the spatial indexes gives the same data
//! and the same order of results as loading it on one thread.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::thread;

use engine::engine::{Engine, Load};
use engine::geometry::ParseOptions;
use engine::parse_ahead::parse_ahead;
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

fn load_on_threads(engine: &mut Engine, piece: &[u8]) -> Load {
    let (offloader, worker) = spatial_index::offloading();
    let (parser, mut parsed) = parse_ahead(piece, ParseOptions::default());
    thread::scope(|scope| {
        scope.spawn(move || worker.run());
        scope.spawn(move || parser.run());
        engine.load_offloading(piece, &mut parsed, NOW_NS, offloader)
    })
}

fn load_with_worker(engine: &mut Engine, piece: &[u8]) -> usize {
    load_on_threads(engine, piece).consumed
}

fn load_with_lost_worker(engine: &mut Engine, piece: &[u8]) -> usize {
    let (offloader, worker) = spatial_index::offloading();
    let (parser, mut parsed) = parse_ahead(piece, ParseOptions::default());
    drop((worker, parser));
    engine.load_offloading(piece, &mut parsed, NOW_NS, offloader).consumed
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
    let rare =
        prop::sample::select(vec!["RENAME k l", "RENAME l k", "PDEL k 1*", "DROP l", "FLUSHDB"]);
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

/// Commands in all forms that a log may have, some of them damaged.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec!["SET", "set", "seT", "SeT", "fset"]);
    let shape = prop::sample::select(vec![
        r#"OBJECT {"type":"Point","coordinates":[1,2]}"#,
        r#"OBJECT {"type":"LineString","coordinates":[[1,2],[3,4]]}"#,
        "OBJECT [1]",
        "FIELD OBJECT 5 OBJECT {\"type\":\"MultiPoint\",\"coordinates\":[[5,6],[7,8]]}",
        "POINT 1 2",
        "STRING OBJECT",
        "OBJECT",
    ]);
    let resp = (name, 0..9, shape).prop_map(|(name, id, shape)| {
        let line = format!("{name} k {id} {shape}");
        let words: Vec<_> = line.split(' ').collect();
        let bulk = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
        let bulks: String = words.iter().map(bulk).collect();
        format!("*{}\r\n{bulks}", words.len()).into_bytes()
    });
    let inline = r#"set k i object '{"type":"LineString","coordinates":[[1,2],[3,5]]}'"#;
    let inline = [inline.as_bytes(), b"\r\n"].concat();
    let native = b"$22 set k n point 33.5 -112\r\n".to_vec();
    let other = prop::sample::select(vec![
        inline,
        native,
        b"\0\0\0".to_vec(),
        b"*0\r\n".to_vec(),
        b"del k 1\n".to_vec(),
        b"*1\r\n!".to_vec(),
        b"nonsense\r\n".to_vec(),
    ]);
    let command = prop_oneof![9 => resp, 2 => other];
    prop::collection::vec(command, 1..12).prop_map(|commands| commands.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_log_that_is_cut_anywhere_loads_as_on_one_thread(bytes in any_bytes()) {
        for end in 0..=bytes.len() {
            let piece = &bytes[..end];
            let (mut alone, mut ahead) = (Engine::new(false), Engine::new(false));
            let expected = alone.load(piece, NOW_NS);
            prop_assert_eq!(load_on_threads(&mut ahead, piece), expected);
            let [expected, data] =
                [&alone, &ahead].map(|engine| engine.rewrite(NOW_NS).read(usize::MAX));
            prop_assert_eq!(data, expected);
        }
    }
}

#[test]
fn an_index_is_rebuilt_when_the_worker_has_lost_it() {
    let lines: Vec<_> = (0..5000).map(|id| format!("SET k {id} POINT {} 5\n", id % 90)).collect();
    let log = lines.concat();
    let mut engine = load(&log, load_with_lost_worker);
    assert_eq!(run(&mut engine, "INTERSECTS k COUNT BOUNDS -90 -180 90 180"), b":5000\r\n");
}
