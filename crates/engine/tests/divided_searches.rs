//! Searches that are divided among threads reply what one thread replies.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use engine::engine::Engine;
use engine::helpers::Helpers;
use engine::session::{Progress, ReadUnit, Session, SliceLimits, Stop};
use proptest::prelude::*;

const OBJECTS_COUNT: usize = 4000;
/// Reads in one pipeline, so many that they leave the event loop.
const PIPELINE_COUNT: usize = 60;
const LIMITS: SliceLimits<'static> = SliceLimits::NONE;

/// Three threads that help.
struct Threads;

impl Helpers for Threads {
    fn run(&self, help: &(dyn Fn() + Sync), own: &mut dyn FnMut()) {
        thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(help)));
            own();
        });
    }
}

/// One thread that does everything before the present one begins.
struct First;

impl Helpers for First {
    fn run(&self, help: &(dyn Fn() + Sync), own: &mut dyn FnMut()) {
        help();
        own();
    }
}

fn clock() -> u64 {
    1
}

/// Returns an engine with points and squares with fields, which runs reads in units.
fn filled() -> Engine {
    let mut engine = Engine::new(true);
    engine.placement.is_enabled = true;
    let mut session = Session::new(false, None);
    let mut requests = String::new();
    for n in 0..OBJECTS_COUNT {
        // Scattered, and in no order.
        let (x, y) =
            ((n * 7919 % 3600) as f64 / 10.0 - 180.0, (n * 104_729 % 1800) as f64 / 10.0 - 90.0);
        let place = if n % 5 == 0 {
            format!("BOUNDS {y} {x} {} {}", (y + 0.5).min(90.0), (x + 0.5).min(180.0))
        } else {
            format!("POINT {y} {x}")
        };
        writeln!(requests, "SET k id{n} FIELD n {} FIELD m {} {place}\r", n % 10, n % 7).unwrap();
    }
    session.feed(&mut engine, requests.as_bytes(), 0, &clock);
    engine
}

/// Runs a pipeline of one request in a unit and returns the replies.
fn replies(engine: &mut Engine, request: &str, run: impl Fn(&mut ReadUnit)) -> String {
    let mut session = Session::new(false, None);
    let mut bytes = format!("{request}\r\n").repeat(PIPELINE_COUNT).into_bytes();
    let mut replies = Vec::new();
    loop {
        let batch = session.feed(engine, &std::mem::take(&mut bytes), 0, &clock);
        replies.extend(batch.replies);
        match batch.stop {
            Some(Stop::Reads(mut unit)) => {
                run(&mut unit);
                replies.extend(session.finish_unit(engine, unit, &clock).replies);
            }
            None if engine.placement.active_count() == 0 => break,
            _ => {}
        }
    }
    String::from_utf8(replies).unwrap()
}

fn plain(engine: &mut Engine, request: &str) -> String {
    replies(engine, request, |unit| assert_eq!(unit.run_slice(LIMITS, &clock), Progress::Done))
}

fn divided(engine: &mut Engine, request: &str, helpers: &dyn Helpers) -> String {
    replies(engine, request, |unit| {
        assert_eq!(unit.run_slice(LIMITS.with_helpers(helpers), &clock), Progress::Done);
    })
}

fn limit() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        (1..5000_u64).prop_map(|limit| format!("LIMIT {limit}")),
        (1..50_u64).prop_map(|limit| format!("LIMIT {limit}")),
        Just("LIMIT 100000".to_string()),
        (1..4000_u64).prop_map(|cursor| format!("CURSOR {cursor} LIMIT 20")),
    ]
}

fn filter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "WHERE n 3 5",
        "WHERE n 3 5 WHERE m 2 2",
        "WHERE nothing 1 2",
        "MATCH id*1*",
        "WHEREIN n 2 1 9",
        "WHERE n*m>20",
    ])
}

fn area() -> impl Strategy<Value = String> {
    let corner = (-180.0..180.0_f64, -90.0..90.0_f64);
    prop_oneof![
        (corner.clone(), 1.0..200.0_f64, 1.0..90.0_f64).prop_map(|((x, y), width, height)| {
            format!("BOUNDS {y} {x} {} {}", (y + height).min(90.0), (x + width).min(180.0))
        }),
        (corner.clone(), 1e4..2e7_f64)
            .prop_map(|((x, y), meters)| format!("CIRCLE {y} {x} {meters}")),
        Just("BOUNDS -90 -180 90 180".to_string()),
        corner.prop_map(|(x, y)| {
            let ring = [(x, y), (x + 90.0, y - 20.0), (x + 40.0, y + 80.0), (x, y)];
            let ring = ring.map(|(x, y)| format!("[{x},{y}]")).join(",");
            format!("OBJECT {{\"type\":\"Polygon\",\"coordinates\":[[{ring}]]}}")
        }),
    ]
}

fn search() -> impl Strategy<Value = String> {
    let output = prop::sample::select(vec!["COUNT", "IDS", "POINTS", "OBJECTS"]);
    let by_area = (prop::sample::select(vec!["WITHIN", "INTERSECTS", "INTERSECTS clip"]), area());
    let kind = prop_oneof![
        Just(("SCAN".to_string(), String::new())),
        by_area.prop_map(|(verb, area)| (verb.to_string(), area))
    ];
    (kind, limit(), filter(), output).prop_map(|((verb, area), limit, filter, output)| {
        let (verb, clip) = verb.split_once(' ').unwrap_or((&verb, ""));
        let words = format!("{verb} k {limit} {filter} {clip} {output} {area}");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_divided_search_replies_what_one_thread_replies(search in search()) {
        let mut engine = filled();
        let expected = plain(&mut engine, &search);
        prop_assert_eq!(&divided(&mut engine, &search, &Threads), &expected);
        prop_assert_eq!(&divided(&mut engine, &search, &First), &expected);
    }
}

#[test]
fn threads_that_help_get_parts() {
    /// Counts its runs; only threads that help do the work.
    struct Counting(AtomicU64);
    impl Helpers for Counting {
        fn run(&self, help: &(dyn Fn() + Sync), _own: &mut dyn FnMut()) {
            self.0.fetch_add(1, Ordering::Relaxed);
            help();
        }
    }
    let mut engine = filled();
    for search in ["SCAN k WHERE n 3 5 COUNT", "WITHIN k IDS BOUNDS -90 -180 90 180"] {
        let counting = Counting(AtomicU64::new(0));
        let expected = plain(&mut engine, search);
        assert_eq!(divided(&mut engine, search, &counting), expected);
        assert_eq!(counting.0.into_inner(), PIPELINE_COUNT as u64);
    }
}

#[test]
fn a_timeout_ends_all_parts() {
    let mut engine = filled();
    let request = "TIMEOUT 0.000001 SCAN k WHERE n 3 5 COUNT";
    let late = AtomicU64::new(1);
    let ticking = || late.fetch_add(1_000_000, Ordering::Relaxed);
    let found = replies(&mut engine, request, |unit| {
        let progress = unit.run_slice(LIMITS.with_helpers(&Threads), &ticking);
        assert_eq!(progress, Progress::Done);
    });
    assert_eq!(found, "-ERR timeout\r\n".repeat(PIPELINE_COUNT));
}
