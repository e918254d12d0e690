//! Predicates and distances against results recorded from Tile38, in `data/geometry.txt`.
//!
//! A line is an abbreviated command, ` => ` and its result. `SET key/id area` stores, `TEST`
//! compares two areas, `WITHIN` and `INTERSECTS` list ids (or `#` and their number), and
//! `NEARBY key cursor lat lon meters` lists ids and distances in turn, by distance.
//!
//! `data/geometry_ours.txt` has the lines on which we differ, with our answers instead.

// A malformed line of our own data may end the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use engine::geometry::distance::Origin;
use engine::geometry::geojson::ParseOptions;
use engine::geometry::{predicates, Circle, Geometry, Point, Rect};
use std::collections::BTreeMap;

const CASES: &str = include_str!("data/geometry.txt");
const OURS: &str = include_str!("data/geometry_ours.txt");

type Store = BTreeMap<String, Geometry>;

/// Words of a line; single quotes hold one together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Reads one area from the front of the words.
fn area(words: &mut &[String], store: &Store) -> Option<Geometry> {
    let (kind, rest) = words.split_first().unwrap();
    let number = |index: usize| rest[index].parse::<f64>().unwrap();
    let point = |index: usize| Point::new(number(index + 1), number(index));
    let (geometry, count) = match kind.as_str() {
        "POINT" => (Geometry::simple_point(point(0)), 2),
        "BOUNDS" => (Geometry::Rect(Rect::new(point(0), point(2))), 4),
        "CIRCLE" => (Geometry::Circle(Circle::new(point(0), number(2))), 3),
        "GET" => (store.get(&format!("{}/{}", rest[0], rest[1]))?.clone(), 2),
        "OBJECT" => (Geometry::parse(rest[0].as_bytes(), ParseOptions::default()).ok()?, 1),
        other => panic!("no area: {other}"),
    };
    *words = &rest[count..];
    Some(geometry)
}

/// The answer to a `TEST` of two areas.
fn test(left: &Geometry, word: &str, right: &Geometry) -> bool {
    if word == "WITHIN" {
        predicates::contains(right, left)
    } else {
        predicates::intersects(left, right)
    }
}

/// The ids that a search finds, or their number.
fn search(store: &Store, word: &str, key: &str, area: &Geometry, counts: bool) -> String {
    let ids: Vec<&str> = store
        .iter()
        .filter(|(id, _)| id.starts_with(key))
        .filter(|(_, object)| !object.is_empty() && !matches!(object, Geometry::Circle(_)))
        .filter(|(_, object)| object.bounds().overlaps(&area.bounds()) && test(object, word, area))
        .map(|(id, _)| &id[key.len() + 1..])
        .collect();
    if counts {
        format!("#{}", ids.len())
    } else {
        ids.join(" ")
    }
}

/// As many ids and distances as were recorded, in the order of distance.
fn nearby(store: &Store, words: &[String], recorded: &str) -> String {
    let (key, number) = (&words[0], |index: usize| words[index].parse::<f64>().unwrap());
    let origin = Origin::new(Point::new(number(3), number(2)));
    let mut found: Vec<(f64, &str)> = store
        .iter()
        .filter(|(id, object)| id.starts_with(key.as_str()) && !object.is_empty())
        .map(|(id, object)| (origin.to_rect(&object.bounds()), &id[key.len() + 1..]))
        .filter(|(meters, _)| number(4) <= 0.0 || *meters <= number(4))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let listed: Vec<String> = found
        .iter()
        .skip(number(1) as usize)
        .map(|(meters, id)| format!("{id} {meters}"))
        .collect();
    let count = recorded.split_whitespace().count() / 2;
    listed[..count.min(listed.len())].join(" ")
}

/// Answers a line's command; `None` where there is nothing to compare.
fn answer(store: &mut Store, words: &[String], recorded: &str) -> Option<String> {
    let mut rest = words.get(2..).unwrap_or_default();
    match words[0].as_str() {
        "CASE" => store.clear(),
        "SET" => {
            let object = area(&mut rest, store)?;
            store.insert(words[1].clone(), object);
        }
        "TEST" => {
            rest = &words[1..];
            let left = area(&mut rest, store)?;
            let (word, mut rest) = rest.split_first()?;
            let right = area(&mut rest, store)?;
            return Some(u8::from(test(&left, word, &right)).to_string());
        }
        "NEARBY" => return Some(nearby(store, &words[1..], recorded)),
        word => {
            let area = area(&mut rest, store)?;
            return Some(search(store, word, &words[1], &area, recorded.starts_with('#')));
        }
    }
    None
}

/// The lines of a file of cases: each command, and the answer behind it.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(" =>").unwrap_or((line, "")))
}

#[test]
fn answers_are_those_recorded_or_differ_as_listed() {
    let (mut store, mut checked) = (Store::new(), 0);
    let mut differences = BTreeMap::new();
    for (command, recorded) in lines(CASES) {
        let recorded = recorded.trim();
        let Some(ours) = answer(&mut store, &words(command), recorded) else { continue };
        checked += 1;
        if ours != recorded {
            differences.insert(command, ours);
        }
    }
    assert!(checked > 500, "{checked}");
    let listed: BTreeMap<&str, String> =
        lines(OURS).map(|(command, ours)| (command, ours.trim().to_owned())).collect();
    assert_eq!(differences, listed);
}
