//! Arbitrary bytes as requests and as GeoJSON do no harm. `make fuzz` searches longer, guided by
//! coverage.

use engine::engine::Engine;
use engine::geometry::geojson::ParseOptions;
use engine::geometry::Geometry;
use engine::session::{Session, Stop};
use proptest::prelude::*;

/// Parts of requests and shapes, so that some random texts get past the first check.
const PARTS: &[&str] = &[
    "*3\r\n",
    "$3\r\nSET\r\n",
    "$1\r\na\r\n",
    "$-1\r\n",
    "$9999999999\r\n",
    "\r\n",
    "SET a b ",
    "POINT 1 2",
    "STRING \"",
    "OBJECT ",
    "BOUNDS 1 2 3 4",
    "SCAN a ",
    "NEARBY a ",
    "WITHIN a ",
    "WHERE f ",
    "LIMIT 0 ",
    "CURSOR 18446744073709551615 ",
    "SPARSE 16 ",
    "MATCH [",
    "TEST ",
    "CIRCLE 1 2 1e308 ",
    "SECTOR 1 2 3 4 5 ",
    "TILE 1 2 3 ",
    "QUADKEY 3 ",
    "JSET a b c.-1.# ",
    "{\"type\":",
    "\"Point\"",
    "\"Polygon\"",
    "\"Feature\"",
    ",\"coordinates\":",
    "[[[1,2],",
    "[1e999,",
    "null",
    "}",
    "]",
    "GET / HTTP/1.1\r\n\r\n",
    "$4 PING\r\n",
    "OUTPUT json\r\n",
];

fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(PARTS).prop_map(|part| part.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Feeds requests in pieces; returns the replies and the log.
fn run(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let clock = || 0;
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    let (mut replies, mut log) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut data = *piece;
        loop {
            let batch = session.feed(&mut engine, data, 1, &clock);
            replies.extend(batch.replies);
            log.extend(batch.log);
            data = b"";
            match batch.stop {
                None => break,
                Some(Stop::Yield) => {}
                Some(Stop::Reads(mut read)) => replies.extend(read.run(&clock)),
                Some(_) => return (replies, log),
            }
        }
    }
    (replies, log)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn replies_and_log_do_not_depend_on_where_requests_are_cut(bytes in texts(), cut in 0.0..1.0) {
        let (head, tail) = bytes.split_at((bytes.len() as f64 * cut) as usize);
        prop_assert_eq!(run(&[&bytes]), run(&[head, tail]));
    }

    #[test]
    fn every_parsed_geometry_is_printed_as_geojson(bytes in texts()) {
        if let Ok(geometry) = Geometry::parse(&bytes, ParseOptions::default()) {
            let mut text = Vec::new();
            geometry.write_json(&mut text);
            let is_geojson = text.starts_with(b"{\"type\":");
            prop_assert!(is_geojson);
        }
    }
}
