//! The tests: which commands each sends, and which tests a list of names selects.

use std::fmt;

use fastrand::Rng;

use crate::failure::Failure;
use crate::requests::Requests;

const KEY: &str = "key:bench";
const STRING: &str = "xxx";
/// Half a side of boxes and lines of 10 km, in degrees of latitude.
const HALF_SIDE_DEGREES: f64 = 0.045;
const METERS_PER_DEGREE: f64 = 111_195.0;
/// The state of Arizona, roughly: a polygon that is no box.
const ARIZONA: &str = "{\"type\":\"Polygon\",\"coordinates\":[[[-114.72,32.72],[-114.81,32.5],\
    [-111.07,31.33],[-109.05,31.33],[-109.05,37],[-114.05,37],[-114.05,36.19],[-114.74,36.1],\
    [-114.57,35.14],[-114.14,34.3],[-114.72,32.72]]]}";
const EVAL_SET: &str = "return tile38.call('set', KEYS[1], ARGV[1], 'point', ARGV[2], ARGV[3])";
const EVAL_GET: &str = "return tile38.call('get', KEYS[1], ARGV[1], 'point')";

/// A test: its name for `-t`, its title in reports, and the requests that it sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// The name: a group, then the kinds, joined by dashes.
    pub name: String,
    /// The title in reports.
    pub title: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Ping,
    SetPoint,
    SetRect,
    SetLine,
    SetString,
    GetPoint,
    InBounds { command: &'static str, meters: u32 },
    InCircle { command: &'static str, meters: u32 },
    InArizona { command: &'static str },
    Nearest { count: u32 },
    NearPoint { meters: u32 },
    EvalSet,
    EvalGet,
    RedisSet,
    RedisGet,
    GeoAdd,
    GeoSearch,
    Words(Vec<Vec<Part>>),
}

impl Test {
    fn new(name: &str, detail: &str, kind: Kind) -> Self {
        let group = name.split('-').next().unwrap_or(name);
        let title = if detail.is_empty() { group.into() } else { format!("{group} ({detail})") };
        Self { name: name.into(), title, kind }
    }

    /// Makes a test of a command that the user names.
    pub fn of_words(words: &[String]) -> Self {
        let title = words.join(" ");
        let words = words.iter().map(|word| parts(word)).collect();
        Self { name: title.clone(), title, kind: Kind::Words(words) }
    }

    /// Appends the next command. Ids are drawn from so many.
    pub fn write(&self, requests: &mut Requests, random: &mut Rng, ids: u64) {
        match &self.kind {
            Kind::Ping => requests.command(&["PING"]),
            Kind::SetPoint | Kind::SetRect | Kind::SetLine | Kind::SetString => {
                self.write_set(requests, random, ids);
            }
            Kind::GetPoint => {
                requests.begin(4);
                requests.text("GET");
                requests.text(KEY);
                requests.value(format_args!("id:{}", random.u64(1..=ids)));
                requests.text("POINT");
            }
            Kind::EvalSet | Kind::EvalGet => self.write_eval(requests, random, ids),
            Kind::RedisSet | Kind::RedisGet | Kind::GeoAdd | Kind::GeoSearch => {
                self.write_redis(requests, random, ids);
            }
            Kind::Words(words) => {
                requests.begin(words.len());
                for word in words {
                    requests.value(Filled::new(word, random, ids));
                }
            }
            _ => self.write_search(requests, random),
        }
    }

    fn write_set(&self, requests: &mut Requests, random: &mut Rng, ids: u64) {
        let place = Place::random(random);
        let id = random.u64(1..=ids);
        // Each kind of object has ids of its own, so that searches and GET find points.
        let (words, offset) = match self.kind {
            Kind::SetPoint => (6, 0),
            Kind::SetRect => (8, 1),
            _ => (5, if self.kind == Kind::SetLine { 2 } else { 3 }),
        };
        requests.begin(words);
        requests.text("SET");
        requests.text(KEY);
        requests.value(format_args!("id:{}", id + offset * ids));
        match self.kind {
            Kind::SetPoint => {
                requests.text("POINT");
                place.write(requests);
            }
            Kind::SetRect => {
                requests.text("BOUNDS");
                place.write_box(requests, HALF_SIDE_DEGREES);
            }
            Kind::SetLine => {
                let [lat, lon] = [place.lat - HALF_SIDE_DEGREES, place.lon - HALF_SIDE_DEGREES];
                let [north, east] = [place.lat + HALF_SIDE_DEGREES, place.lon + HALF_SIDE_DEGREES];
                requests.text("OBJECT");
                requests.value(format_args!(
                    "{{\"type\":\"LineString\",\"coordinates\":\
                     [[{lon:.5},{lat:.5}],[{east:.5},{north:.5}]]}}"
                ));
            }
            _ => {
                requests.text("STRING");
                requests.text(STRING);
            }
        }
    }

    fn write_eval(&self, requests: &mut Requests, random: &mut Rng, ids: u64) {
        let is_set = self.kind == Kind::EvalSet;
        requests.begin(if is_set { 7 } else { 5 });
        requests.text("EVAL");
        requests.text(if is_set { EVAL_SET } else { EVAL_GET });
        requests.text("1");
        requests.text(KEY);
        requests.value(format_args!("id:{}", random.u64(1..=ids)));
        if is_set {
            Place::random(random).write(requests);
        }
    }

    fn write_search(&self, requests: &mut Requests, random: &mut Rng) {
        let place = Place::random(random);
        match self.kind {
            Kind::InBounds { command, meters } => {
                requests.begin(8);
                count_in(requests, command, "BOUNDS");
                place.write_box(requests, f64::from(meters) / METERS_PER_DEGREE);
            }
            Kind::InCircle { command, meters } => {
                requests.begin(7);
                count_in(requests, command, "CIRCLE");
                place.write(requests);
                requests.value(meters);
            }
            Kind::InArizona { command } => {
                requests.begin(5);
                count_in(requests, command, "OBJECT");
                requests.text(ARIZONA);
            }
            Kind::Nearest { count } => {
                requests.begin(7);
                requests.text("NEARBY");
                requests.text(KEY);
                requests.text("LIMIT");
                requests.value(count);
                requests.text("POINT");
                place.write(requests);
            }
            Kind::NearPoint { meters } => {
                requests.begin(7);
                count_in(requests, "NEARBY", "POINT");
                place.write(requests);
                requests.value(meters);
            }
            _ => {}
        }
    }

    fn write_redis(&self, requests: &mut Requests, random: &mut Rng, ids: u64) {
        let place = Place::random(random);
        let id = random.u64(1..=ids);
        match self.kind {
            Kind::RedisSet => {
                requests.begin(3);
                requests.text("SET");
                requests.value(format_args!("{KEY}:{id}"));
                requests.text(STRING);
            }
            Kind::RedisGet => {
                requests.begin(2);
                requests.text("GET");
                requests.value(format_args!("{KEY}:{id}"));
            }
            Kind::GeoAdd => {
                requests.begin(5);
                requests.text("GEOADD");
                requests.text(KEY);
                place.write_for_redis(requests);
                requests.value(format_args!("id:{id}"));
            }
            _ => {
                requests.begin(11);
                requests.text("GEOSEARCH");
                requests.text(KEY);
                requests.text("FROMLONLAT");
                place.write_for_redis(requests);
                for word in ["BYRADIUS", "100", "km", "ASC", "COUNT", "10"] {
                    requests.text(word);
                }
            }
        }
    }
}

/// Appends the head of a search that counts.
fn count_in(requests: &mut Requests, command: &str, area: &str) {
    for word in [command, KEY, "COUNT", area] {
        requests.text(word);
    }
}

/// A place on the earth.
struct Place {
    lat: f64,
    lon: f64,
}

impl Place {
    fn random(random: &mut Rng) -> Self {
        Self { lat: random.f64() * 180.0 - 90.0, lon: random.f64() * 360.0 - 180.0 }
    }

    fn write(&self, requests: &mut Requests) {
        requests.value(format_args!("{:.5}", self.lat));
        requests.value(format_args!("{:.5}", self.lon));
    }

    /// Appends the longitude and the latitude, scaled to the latitudes that GEOADD accepts.
    fn write_for_redis(&self, requests: &mut Requests) {
        requests.value(format_args!("{:.5}", self.lon));
        requests.value(format_args!("{:.5}", self.lat * 85.0 / 90.0));
    }

    fn write_box(&self, requests: &mut Requests, half_side: f64) {
        requests.value(format_args!("{:.5}", self.lat - half_side));
        requests.value(format_args!("{:.5}", self.lon - half_side));
        requests.value(format_args!("{:.5}", self.lat + half_side));
        requests.value(format_args!("{:.5}", self.lon + half_side));
    }
}

/// A part of a word of the user's command.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Number,
    Latitude,
    Longitude,
}

const PLACEHOLDERS: [(&str, Part); 3] = [
    ("__rand_int__", Part::Number),
    ("__rand_lat__", Part::Latitude),
    ("__rand_lon__", Part::Longitude),
];

/// Parses a word of the user's command.
fn parts(word: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = word;
    loop {
        let found =
            PLACEHOLDERS.iter().filter_map(|(name, part)| Some((rest.find(name)?, name, part)));
        let Some((start, name, part)) = found.min_by_key(|found| found.0) else {
            parts.push(Part::Text(rest.to_owned()));
            return parts;
        };
        parts.push(Part::Text(rest[..start].to_owned()));
        parts.push(part.clone());
        rest = &rest[start + name.len()..];
    }
}

/// A word of the user's command with random numbers in place of its placeholders.
struct Filled<'a> {
    parts: &'a [Part],
    number: u64,
    place: Place,
}

impl<'a> Filled<'a> {
    fn new(parts: &'a [Part], random: &mut Rng, ids: u64) -> Self {
        if parts.len() == 1 {
            return Self { parts, number: 0, place: Place { lat: 0.0, lon: 0.0 } };
        }
        Self { parts, number: random.u64(1..=ids), place: Place::random(random) }
    }
}

impl fmt::Display for Filled<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => out.write_str(text),
            Part::Number => write!(out, "{}", self.number),
            Part::Latitude => write!(out, "{:.5}", self.place.lat),
            Part::Longitude => write!(out, "{:.5}", self.place.lon),
        })
    }
}

/// Returns all tests, in the order in which they run.
pub fn all(is_redis: bool) -> Vec<Test> {
    if is_redis {
        return vec![
            Test::new("PING", "", Kind::Ping),
            Test::new("SET", "", Kind::RedisSet),
            Test::new("GET", "", Kind::RedisGet),
            Test::new("GEOADD", "", Kind::GeoAdd),
            Test::new("GEOSEARCH", "10 nearest", Kind::GeoSearch),
        ];
    }
    let mut tests = vec![
        Test::new("PING", "", Kind::Ping),
        Test::new("SET-POINT", "point", Kind::SetPoint),
        Test::new("SET-RECT", "rect", Kind::SetRect),
        Test::new("SET-LINE", "line", Kind::SetLine),
        Test::new("SET-STRING", "string", Kind::SetString),
        Test::new("GET-POINT", "point", Kind::GetPoint),
    ];
    for command in ["INTERSECTS", "WITHIN"] {
        for meters in [1_000, 10_000, 100_000] {
            let name = format!("{command}-BOUNDS-{meters}");
            let kind = Kind::InBounds { command, meters };
            tests.push(Test::new(&name, &format!("bounds {} km", meters / 1_000), kind));
        }
        for meters in [1_000, 10_000, 100_000] {
            let name = format!("{command}-CIRCLE-{meters}");
            let kind = Kind::InCircle { command, meters };
            tests.push(Test::new(&name, &format!("circle {} km", meters / 1_000), kind));
        }
        tests.push(Test::new(&format!("{command}-AZ"), "Arizona", Kind::InArizona { command }));
    }
    for count in [1, 10, 100] {
        let name = format!("NEARBY-KNN-{count}");
        tests.push(Test::new(&name, &format!("{count} nearest"), Kind::Nearest { count }));
    }
    for meters in [1_000, 10_000, 100_000] {
        let name = format!("NEARBY-POINT-{meters}");
        let kind = Kind::NearPoint { meters };
        tests.push(Test::new(&name, &format!("point {} km", meters / 1_000), kind));
    }
    tests.push(Test::new("EVAL-SET", "set point", Kind::EvalSet));
    tests.push(Test::new("EVAL-GET", "get point", Kind::EvalGet));
    tests
}

/// Selects tests by comma-separated names or beginnings of names; `-NAME` takes tests away.
pub fn select(tests: Vec<Test>, list: &str) -> Result<Vec<Test>, Failure> {
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_uppercase()).collect();
    let subtracted = names.iter().filter(|name| name.starts_with('-')).count();
    if subtracted != 0 && subtracted != names.len() {
        return Err(Failure::Usage("test flag cannot mix add and subtract".into()));
    }
    let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches('-')).collect();
    let is_of = |test: &Test, name: &str| {
        test.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if let Some(name) = names.iter().find(|name| !tests.iter().any(|test| is_of(test, name))) {
        return Err(Failure::Usage(format!("invalid test '{name}'")));
    }
    let is_named = |test: &Test| names.iter().any(|name| is_of(test, name));
    Ok(tests.into_iter().filter(|test| is_named(test) != (subtracted > 0)).collect())
}

#[cfg(test)]
mod tests {
    use super::{all, select, Test};
    use crate::requests::Requests;
    use fastrand::Rng;

    fn selected(list: &str) -> Vec<String> {
        let tests = select(all(false), list).unwrap();
        tests.into_iter().map(|test| test.name).collect()
    }

    #[test]
    fn a_name_selects_its_group_or_one_test() {
        assert_eq!(selected("ping,set-rect"), ["PING", "SET-RECT"]);
        assert_eq!(selected("SET").len(), 4);
        assert_eq!(selected("NEARBY-KNN-1"), ["NEARBY-KNN-1"]);
        assert_eq!(selected("INTERSECTS-CIRCLE").len(), 3);
    }

    #[test]
    fn a_dash_takes_tests_away() {
        assert_eq!(selected("-SET").len(), all(false).len() - 4);
        assert_eq!(
            select(all(false), "SET,-GET").unwrap_err().to_string(),
            "test flag cannot mix add and subtract"
        );
    }

    #[test]
    fn an_unknown_name_is_refused() {
        for list in ["NOPE", "SE", "PING,", "GEOADD"] {
            assert!(select(all(false), list).is_err(), "{list}");
        }
        assert!(select(all(true), "GEOADD").is_ok());
    }

    #[test]
    fn each_command_has_as_many_words_as_it_announces() {
        let words = ["SET", "a:__rand_int__:__rand_lon__", "__rand_lat__"].map(String::from);
        let own = Test::of_words(&words);
        for test in all(false).iter().chain(&all(true)).chain([&own]) {
            let mut requests = Requests::default();
            test.write(&mut requests, &mut Rng::with_seed(1), 10);
            let text = String::from_utf8(requests.bytes().to_vec()).unwrap();
            let announced: usize = text[1..text.find('\r').unwrap()].parse().unwrap();
            assert_eq!(text.matches("\r\n").count(), 1 + 2 * announced, "{text}");
            assert!(!text.contains("__"), "{text}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_commands() {
        let test = &all(false)[1];
        let [mut first, mut second] = [Requests::default(), Requests::default()];
        test.write(&mut first, &mut Rng::with_seed(7), 1000);
        test.write(&mut second, &mut Rng::with_seed(7), 1000);
        assert_eq!(first.bytes(), second.bytes());
    }
}
