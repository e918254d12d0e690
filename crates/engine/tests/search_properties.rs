//! WITHIN and INTERSECTS against a plain loop over all objects.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write;

use engine::engine::Engine;
use engine::geometry::{predicates, Circle, Geometry, ParseOptions, Point, Rect};
use engine::session::Session;
use proptest::prelude::*;

fn clock() -> u64 {
    1
}

fn ask(engine: &mut Engine, words: &str) -> String {
    let mut session = Session::new(false, None);
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        write!(request, "${}\r\n{word}\r\n", word.len()).unwrap();
    }
    let batch = session.feed(engine, request.as_bytes(), 0, &clock);
    String::from_utf8(batch.replies).unwrap()
}

/// Returns the number that a search with COUNT replies.
fn count(engine: &mut Engine, words: &str) -> usize {
    let reply = ask(engine, words);
    reply.trim().strip_prefix(':').unwrap_or_else(|| panic!("{words}: {reply}")).parse().unwrap()
}

/// Returns the ids that a search replies, in its order.
fn ids(engine: &mut Engine, words: &str) -> Vec<usize> {
    let reply = ask(engine, words);
    let names = reply.lines().filter_map(|line| line.strip_prefix("id"));
    names.map(|name| name.parse().unwrap()).collect()
}

#[derive(Clone, Debug)]
enum Shape {
    Point(Point),
    Square(Point, f64),
    Text,
}

impl Shape {
    fn words(&self) -> String {
        match self {
            Shape::Point(p) => format!("POINT {} {}", p.y, p.x),
            Shape::Square(p, size) => {
                let Point { x, y } = *p;
                let (east, north) = (x + size, y + size);
                format!(
                    "OBJECT {{\"type\":\"Polygon\",\"coordinates\":\
                     [[[{x},{y}],[{east},{y}],[{east},{north}],[{x},{north}],[{x},{y}]]]}}"
                )
            }
            Shape::Text => "STRING x".to_string(),
        }
    }

    fn geometry(&self) -> Option<Geometry> {
        match self {
            Shape::Point(p) => Some(Geometry::simple_point(*p)),
            Shape::Square(..) => {
                let text = self.words();
                let options = ParseOptions { require_valid: false };
                Some(Geometry::parse(text.strip_prefix("OBJECT ")?.as_bytes(), options).unwrap())
            }
            Shape::Text => None,
        }
    }
}

/// Positions on a small grid and between, few of them beyond the antimeridian or not numbers.
fn position(has_odd: bool) -> impl Strategy<Value = Point> {
    let near = || (-40..40_i32, -40..40_i32).prop_map(|(x, y)| (f64::from(x), f64::from(y)));
    prop_oneof![
        4 => near().prop_map(|(x, y)| Point::new(x * 0.01, y * 0.01)),
        8 => (-0.5..0.5_f64, -0.5..0.5_f64).prop_map(|(x, y)| Point::new(x, y)),
        u32::from(has_odd) => prop::sample::select(vec![
            Point::new(f64::NAN, 0.1),
            Point::new(0.1, f64::NAN),
            Point::new(360.1, 0.1),
            Point::new(-0.0, 0.0),
        ]),
    ]
}

fn shape(has_odd: bool, shapes: u32) -> impl Strategy<Value = Shape> {
    prop_oneof![
        40 => position(has_odd).prop_map(Shape::Point),
        shapes => (position(false), 0.0..0.1_f64).prop_map(|(p, size)| Shape::Square(p, size)),
        1 => Just(Shape::Text),
    ]
}

fn any_shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shapes = |has_odd, shapes| prop::collection::vec(shape(has_odd, shapes), 1..900);
    prop_oneof![3 => shapes(false, 0), 1 => shapes(false, 4), 1 => shapes(true, 1)]
}

fn any_area() -> impl Strategy<Value = (String, Geometry)> {
    let circle = (position(false), 0.0..60_000.0_f64).prop_map(|(p, meters)| {
        let area = Geometry::Circle(Circle::new(p, meters));
        (format!("CIRCLE {} {} {meters}", p.y, p.x), area)
    });
    let bounds = (position(false), position(false)).prop_map(|(a, b)| {
        let rect = Rect::around(&[a, b]);
        let Rect { min, max } = rect;
        (format!("BOUNDS {} {} {} {}", min.y, min.x, max.y, max.x), Geometry::Rect(rect))
    });
    let ring = prop::collection::vec(position(false), 3..30).prop_map(|mut ring| {
        ring.push(ring[0]);
        let corners: Vec<String> = ring.iter().map(|p| format!("[{},{}]", p.x, p.y)).collect();
        let text = format!("{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}", corners.join(","));
        (format!("OBJECT {text}"), Geometry::simple_polygon(ring))
    });
    prop_oneof![circle, bounds, ring]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn searches_find_what_a_loop_finds(
        shapes in any_shapes(),
        areas in prop::collection::vec(any_area(), 1..5),
        (moved, removed) in (2..9_usize, 2..9_usize),
        (cursor, limit) in (0..600_usize, 1..400_usize),
    ) {
        let mut engine = Engine::new(false);
        let mut stored: Vec<Option<&Shape>> = shapes.iter().map(Some).collect();
        for (id, shape) in shapes.iter().enumerate() {
            ask(&mut engine, &format!("SET k id{id} {}", shape.words()));
        }
        for id in (0..shapes.len()).step_by(moved) {
            let shape = &shapes[(id * 7 + 1) % shapes.len()];
            stored[id] = Some(shape);
            ask(&mut engine, &format!("SET k id{id} {}", shape.words()));
        }
        for id in (1..shapes.len()).step_by(removed) {
            stored[id] = None;
            ask(&mut engine, &format!("DEL k id{id}"));
        }
        for (words, area) in &areas {
            for verb in ["WITHIN", "INTERSECTS"] {
                let is_hit = |geometry: &Geometry| match verb {
                    "WITHIN" => predicates::contains(area, geometry),
                    _ => predicates::intersects(geometry, area),
                };
                let hits = stored.iter().enumerate().filter(|(_, shape)| {
                    shape.and_then(Shape::geometry).is_some_and(|geometry| is_hit(&geometry))
                });
                let expected: Vec<usize> = hits.map(|(id, _)| id).collect();
                let found = ids(&mut engine, &format!("{verb} k LIMIT 9999 IDS {words}"));
                let mut sorted = found.clone();
                sorted.sort_unstable();
                prop_assert_eq!(&sorted, &expected, "{} {}", verb, words);
                let counted = |engine: &mut Engine, options: &str| {
                    count(engine, &format!("{verb} k {options} COUNT {words}"))
                };
                prop_assert_eq!(counted(&mut engine, ""), found.len());
                prop_assert_eq!(counted(&mut engine, "MATCH *"), found.len());
                prop_assert_eq!(counted(&mut engine, "WHERE f 0 1"), found.len());
                let limited = counted(&mut engine, &format!("LIMIT {limit}"));
                prop_assert_eq!(limited, limit.min(found.len()));
                let options = format!("CURSOR {cursor} LIMIT {limit}");
                let page = ids(&mut engine, &format!("{verb} k {options} IDS {words}"));
                prop_assert_eq!(counted(&mut engine, &options), page.len());
                let options = format!("CURSOR {cursor} LIMIT 9999");
                let rest = ids(&mut engine, &format!("{verb} k {options} IDS {words}"));
                prop_assert!(found.ends_with(&rest) && rest.starts_with(&page));
            }
        }
    }
}
