//! Runs one hot path of the engine many times, for a profiler that counts instructions:
//! `hot_paths NAME COUNT`. `benchmarks/instructions.py` runs it under callgrind, which counts
//! within [`measured`] alone.

use std::hint::black_box;

use engine::engine::Engine;
use engine::session::Session;

const NOW_NS: i64 = 1_700_000_000_000_000_000;
/// The objects of each collection.
const OBJECTS: u64 = 5_000;
/// The requests of a batch.
const PIPELINE: usize = 32;

/// Pseudo-random numbers, the same in each run (Knuth's constants for a linear congruential
/// generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// A place as `lat lon`, in a square of ten degrees.
    fn place(&mut self) -> String {
        let [lat, lon] = [(); 2].map(|()| self.below(100_000) as f64 / 10_000.0);
        format!("{} {}", 30.0 + lat, lon - 115.0)
    }

    /// A GeoJSON polygon of so many corners, a circle of some kilometres.
    fn polygon(&mut self, corners: u64) -> String {
        let place = self.place();
        let (lat, lon) = place.split_once(' ').unwrap_or_default();
        let number = |text: &str| text.parse::<f64>().unwrap_or_default();
        let corner = |at: u64| {
            let angle = (at % corners) as f64 * std::f64::consts::TAU / corners as f64;
            let (x, y) = (number(lon) + 0.05 * angle.cos(), number(lat) + 0.05 * angle.sin());
            format!("[{x:.6},{y:.6}]")
        };
        let ring: Vec<String> = (0..=corners).map(corner).collect();
        format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","))
    }
}

fn encode(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

fn command(line: &str) -> Vec<u8> {
    encode(&line.split(' ').collect::<Vec<_>>())
}

/// A request of the hot path with this name; `None` if there is no such path.
fn request(name: &str, chance: &mut Chance) -> Option<Vec<u8>> {
    let id = format!("t{}", chance.below(OBJECTS));
    let place = chance.place();
    let (lat, lon) = place.split_once(' ')?;
    Some(match name {
        "ping" => command("PING"),
        "get" => command(&format!("GET fleet {id} POINT")),
        "set" => command(&format!("SET fleet {id} POINT {place}")),
        "set-fields" => {
            command(&format!("SET fleet {id} FIELD speed {} POINT {place}", chance.below(90)))
        }
        "set-fenced" => command(&format!("SET guarded {id} POINT {place}")),
        "set-polygon" => encode(&["SET", "areas", &id, "OBJECT", &chance.polygon(100)]),
        "nearby" => command(&format!("NEARBY fleet LIMIT 10 POINT {place}")),
        "nearby-areas" => command(&format!("NEARBY areas LIMIT 10 IDS POINT {place}")),
        "within-circle" => command(&format!("WITHIN fleet LIMIT 1000 IDS CIRCLE {place} 20000")),
        "within-bounds" => {
            let (north, east) = (lat.parse::<f64>().ok()? + 1.0, lon.parse::<f64>().ok()? + 1.0);
            command(&format!("WITHIN fleet COUNT BOUNDS {place} {north} {east}"))
        }
        "intersects" => encode(&["INTERSECTS", "areas", "COUNT", "OBJECT", &chance.polygon(50)]),
        "scan-where" => command("SCAN fleet WHERE speed 10 20 COUNT"),
        "script" => encode(&[
            "EVAL",
            "return tile38.call('get', KEYS[1], ARGV[1], ARGV[2])",
            "1",
            "fleet",
            &id,
            "POINT",
        ]),
        "tile" => command("INTERSECTS areas LIMIT 500 MVT 48 101 8"),
        _ => return None,
    })
}

/// Runs the requests that are measured.
#[inline(never)]
pub fn measured(engine: &mut Engine, session: &mut Session, batches: &[Vec<u8>]) -> usize {
    run(engine, session, batches)
}

/// Feeds batches to a session until all of their requests have run; returns the bytes of replies.
fn run(engine: &mut Engine, session: &mut Session, batches: &[Vec<u8>]) -> usize {
    let clock = || 0;
    let mut bytes = 0;
    for batch in batches {
        let mut result = session.feed(engine, batch, NOW_NS, &clock);
        bytes += result.replies.len();
        while result.stop.is_some() {
            result = session.feed(engine, b"", NOW_NS, &clock);
            bytes += result.replies.len();
        }
    }
    bytes
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (name, count) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut chance, count) = (Chance(1), count.parse::<usize>().unwrap_or(PIPELINE));
    let mut engine = Engine::new(false);
    let mut session = Session::new(false, None);
    let mut load = Vec::new();
    for number in 0..OBJECTS {
        let place = chance.place();
        let speed = chance.below(90);
        load.extend(command(&format!("SET fleet t{number} FIELD speed {speed} POINT {place}")));
        if number % 10 == 0 {
            let polygon = chance.polygon(100);
            load.extend(encode(&["SET", "areas", &format!("t{number}"), "OBJECT", &polygon]));
        }
        if number % 100 == 0 {
            load.extend(command(&format!(
                "SETCHAN c{number} WITHIN guarded FENCE CIRCLE {place} 5000"
            )));
        }
    }
    run(&mut engine, &mut session, &[load]);
    let requests: Option<Vec<_>> = (0..count).map(|_| request(&name, &mut chance)).collect();
    let Some(requests) = requests else {
        eprintln!("there is no hot path '{name}'");
        std::process::exit(1);
    };
    let batches: Vec<_> = requests.chunks(PIPELINE).map(<[Vec<u8>]>::concat).collect();
    black_box(measured(&mut engine, &mut session, &batches));
    println!("{}", requests.len());
}
