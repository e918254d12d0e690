//! A grid gives the same answers as a test of all edges, for any ring.

use super::super::super::Series;
use super::super::ring::Ring;
use super::*;
use proptest::prelude::*;

type Corners = Vec<(f64, f64)>;

/// Rings on a small lattice, whose edges lie on each other and cross each other.
fn lattice() -> impl Strategy<Value = Corners> {
    (1..40_i32, prop::collection::vec((0..40_i32, 0..40_i32), 3..400)).prop_map(
        |(side, corners)| {
            let corner = |(x, y)| (f64::from(x % side), f64::from(y % side));
            corners.into_iter().map(corner).collect()
        },
    )
}

/// Rings that walk by small steps, many along an axis, with repeated corners and spikes.
fn walk() -> impl Strategy<Value = Corners> {
    let step = prop_oneof![
        Just((0, 0)),
        (-3..4_i32).prop_map(|x| (x, 0)),
        (-3..4_i32).prop_map(|y| (0, y)),
        (-2..3_i32, -2..3_i32),
    ];
    let steps = prop::collection::vec((step, any::<bool>()), 10..1500);
    (steps, 0.0..1.0).prop_map(|(steps, scale)| {
        let (mut x, mut y) = (0, 0);
        let mut corners = vec![(0.0, 0.0)];
        for ((dx, dy), is_spike) in steps {
            (x, y) = (x + dx, y + dy);
            let place = (f64::from(x) * scale, f64::from(y) * scale);
            if is_spike {
                corners.push((place.0 + 0.1, place.1 - 0.3));
                corners.push(place);
            }
            corners.push(place);
        }
        corners
    })
}

/// Rugged rings around a centre, as coasts are.
fn coast() -> impl Strategy<Value = Corners> {
    prop::collection::vec(0.5..1.5_f64, 20..3000).prop_map(|radii| {
        let count = radii.len() as f64;
        let corner = |(index, radius): (usize, f64)| {
            let angle = index as f64 / count * std::f64::consts::TAU;
            (radius * angle.cos(), radius * angle.sin())
        };
        radii.into_iter().enumerate().map(corner).collect()
    })
}

/// The same rings elsewhere: tiny, huge, narrow, far away, and across 180°.
fn ring() -> impl Strategy<Value = Series> {
    let sizes = prop_oneof![Just(1.0), Just(1e-7), Just(1e7), Just(1e-200), Just(1e150)];
    let shift = prop_oneof![Just(0.0), Just(179.9), Just(-90.0), Just(1e5)];
    (prop_oneof![lattice(), walk(), coast()], sizes.clone(), sizes, shift).prop_map(
        |(corners, width, height, shift)| {
            let point = |(x, y)| Point::new(x * width + shift, y * height + shift);
            let mut points: Vec<Point> = corners.into_iter().map(point).collect();
            points.push(points[0]);
            Series::new(points)
        },
    )
}

/// Points at and beside corners, on edges, at the borders of cells, and anywhere in the box.
fn probes(points: &[Point], bounds: &Rect, frame: &Frame, chance: &[(f64, f64)]) -> Vec<Point> {
    let mut probes = Vec::new();
    for (s, t) in chance {
        let index = (s * (points.len() - 1) as f64) as usize;
        let (a, b) = (points[index], points[index + 1]);
        let (column, row) = ((s * frame.columns as f64) as usize, (t * frame.rows as f64) as usize);
        let reference = frame.reference(column, row);
        let (low, _) = frame.row_limits(row);
        let (x, y) = (bounds.max.x - bounds.min.x, bounds.max.y - bounds.min.y);
        probes.extend([
            a,
            Point::new(a.x, b.y),
            Point::new(a.x + x * 1e-9 * t, a.y),
            Point::new(a.x, a.y - y * 1e-14 * t),
            Rect::new(a, b).center(),
            Point::new(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t),
            Point::new(bounds.min.x + x * s, bounds.min.y + y * t),
            Point::new(bounds.min.x + x * t, a.y),
            Point::new(reference.x, a.y),
            Point::new(a.x, low),
            reference,
        ]);
    }
    probes.retain(|p| bounds.contains_point(*p));
    probes
}

fn chances() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 60)
}

proptest! {
    #[test]
    fn a_grid_locates_as_all_edges_do(series in ring(), chances in chances()) {
        let points = series.points();
        let Some(grid) = Grid::new(points) else { return Ok(()) };
        let plain = series.without_index();
        for p in probes(points, &series.bounds(), &grid.frame, &chances) {
            let expected = Ring::from(&plain).locate_by_edges(p);
            let found = grid.locate(points, p);
            prop_assert!(found.is_none_or(|found| found == expected), "{:?} {:?}", p, found);
        }
    }

    #[test]
    fn no_edge_meets_a_box_that_is_free(series in ring(), chances in chances()) {
        let points = series.points();
        let Some(grid) = Grid::new(points) else { return Ok(()) };
        let bounds = series.bounds();
        let corners = probes(points, &bounds, &grid.frame, &chances);
        for pair in corners.windows(2) {
            let near = Point::new(
                pair[0].x + (pair[1].x - pair[0].x) * 0.01,
                pair[0].y + (pair[1].y - pair[0].y) * 0.01,
            );
            let area = Rect::around(&[pair[0], near]);
            let meets = |ends: &[Point]| Segment { a: ends[0], b: ends[1] }.meets(&area);
            prop_assert!(!grid.is_free(&area) || !points.windows(2).any(meets), "{:?}", area);
        }
    }

    #[test]
    fn a_grid_is_small(series in ring()) {
        let bytes = Grid::new(series.points()).map_or(0, |grid| grid.bytes());
        let bytes_max = size_of_val(series.points()) * 3 / 10;
        prop_assert!(bytes <= bytes_max, "{} of {}", bytes, bytes_max);
    }
}

fn rugged(count: u32) -> Series {
    let point = |step: u32| {
        let angle = f64::from(step % count) / f64::from(count) * std::f64::consts::TAU;
        let radius = 10.0 + (angle * 300.0).sin() + (angle * 7000.0).sin() * 0.1;
        Point::new(radius * angle.cos(), radius * angle.sin())
    };
    Series::new((0..=count).map(point).collect())
}

#[test]
fn a_large_ring_has_a_grid_that_locates_nearly_all_points() {
    let series = rugged(50_000);
    let grid = Grid::new(series.points()).unwrap();
    let (mut crossed, mut edges) = (0, 0);
    for run in &*grid.runs {
        edges += run.end - run.start;
    }
    for block in &*grid.blocks {
        crossed += (block.states & CROSSED_BITS).count_ones();
    }
    let cells = (grid.frame.columns * grid.frame.rows) as u32;
    assert!(cells >= 10_000 && crossed * 3 < cells, "{crossed} of {cells} cells");
    assert!(edges < 100_000, "{edges} edges in {crossed} cells");
    for (x, place) in [(0.1, Place::Inside), (-10.9, Place::Outside)] {
        let p = Point::new(x, 0.2);
        assert_eq!(grid.locate(series.points(), p), Some(place));
    }
}

#[test]
fn rings_without_extent_and_chains_that_are_open_have_no_grid() {
    let level: Vec<Point> = (0..300).map(|n| Point::new(f64::from(n), 1.0)).collect();
    let line = [&level[..], &[level[0]]].concat();
    assert!(Grid::new(&level).is_none() && Grid::new(&line).is_none());
    let open = rugged(300).points()[..299].to_vec();
    assert!(Grid::new(&open).is_none());
    let infinite = [rugged(300).points(), &[Point::new(f64::INFINITY, 0.0)]].concat();
    assert!(Grid::new(&infinite).is_none());
    assert!(Grid::new(&[]).is_none());
}

#[test]
fn a_grid_is_built_once_it_pays() {
    let series = rugged(1000);
    let grid = series.grid().unwrap();
    let is_built = || grid.built().is_some();
    assert!(grid.get(series.points()).is_none() && !is_built());
    for _ in 0..10 {
        Ring::from(&series).locate(Point::new(0.0, 0.0));
    }
    assert!(is_built() && series.clone().grid().unwrap().built().is_some());
    let points = rugged(40_000).points().to_vec();
    assert!(Series::ring(points).grid().unwrap().built().is_some());
    let small = rugged(100);
    for _ in 0..100 {
        assert_eq!(Ring::from(&small).locate(Point::new(0.0, 0.0)), Place::Inside);
    }
    assert!(small.grid().unwrap().built().is_none());
}
