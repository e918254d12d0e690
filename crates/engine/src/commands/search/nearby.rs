//! NEARBY: by ascending distance.

use std::ops::ControlFlow;

use super::sparse::{self, AreaTest};
use crate::call::Call;
use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::geometry::distance::Origin;
use crate::index::Reach;
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::area::{self, Area, Center};
use crate::query::distances::Distances;
use crate::query::options::{Options, Verb, Wanted};
use crate::query::rows::{Rows, Verdict};

/// Distances that cost as much as looking at one object.
const DISTANCES_PER_WORK: u64 = 4;

/// NEARBY key {option} [output] POINT lat lon [meters] {clipby}
pub(super) fn nearby(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let key = words.next_filled()?;
    let options = Options::parse(Verb::Nearby, &mut words, keyspace)?;
    if options.fence.is_some() {
        let fence = Fence::parse_live(Verb::Nearby, key, options, &mut words, keyspace)?;
        call.live = Some(fence);
        return Ok(());
    }
    let word = words.next_filled()?;
    if !word.eq_ignore_ascii_case(b"POINT") {
        return Err(Error::invalid(word));
    }
    let center = Center::parse(&mut words, options.sparse > 0)?;
    // A circle has no use for CLIPBY, but its grammar is checked.
    Area { geometry: None, is_stored_point: false }.take_clips(&mut words)?;
    if options.buffer.is_some_and(|meters| meters > 0.0) {
        return Err(Error::text("BUFFER is not allowed for NEARBY"));
    }
    let mut rows = Rows::new(&options, keyspace, call.budget);
    if let Some(collection) = keyspace.get(key) {
        if options.sparse > 0 {
            run_sparse(&center, options.sparse, collection, &mut rows, call)?;
        } else {
            run(&center, collection, &options, &mut rows, call)?;
        }
    }
    call.budget.check_deadline()?;
    rows.reply(call)
}

fn run<'o>(
    center: &Center,
    collection: &'o Collection,
    options: &Options,
    rows: &mut Rows<'o, '_>,
    call: &mut Call,
) -> Result<()> {
    let distances = Distances::new(center.point);
    let is_filtered = !options.globs.is_empty() || !options.filters.is_empty();
    let count = if is_filtered { u64::MAX } else { options.cursor.saturating_add(options.limit) };
    let distance = center.meters.unwrap_or(f64::INFINITY);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let orders_equals = options.wanted != Wanted::Count || options.cursor > 0;
    let tells_distances = options.has_distance;
    let reach = Reach { count, distance, orders_equals, tells_distances };
    let mut failure = Ok(());
    let _ = collection.areas().nearest(&distances, &reach, |object, meters| {
        let work = distances.take_count() / DISTANCES_PER_WORK;
        failure = call.budget.charge(rows.work(object) + work);
        if failure.is_err() || meters > distance {
            return ControlFlow::Break(());
        }
        if !rows.visit() {
            return ControlFlow::Continue(());
        }
        match rows.offer(object.id(), object, || None, meters) {
            Verdict::Complete => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    failure
}

/// With SPARSE it is INTERSECTS with the circle, in no order of distance.
fn run_sparse<'o>(
    center: &Center,
    depth: u8,
    collection: &'o Collection,
    rows: &mut Rows<'o, '_>,
    call: &mut Call,
) -> Result<()> {
    let circle = center.circle();
    let origin = Origin::new(center.point);
    let accepts = |object: &Object| {
        let is_inside = area::hits(Verb::Nearby, &circle, object);
        is_inside.then(|| object.distance_from(&origin, f64::INFINITY))
    };
    let test = AreaTest { verb: Verb::Nearby, area: &circle, distance: &accepts };
    sparse::run(collection, &test, depth, rows, call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Geometry, Line, Point, Series};
    use crate::index::RTree;
    use crate::object::{Shape, NEVER};

    /// Returns pseudo-random numbers from 0 to 1, by Knuth's MMIX generator.
    fn shares(mut state: u64) -> impl FnMut() -> f64 {
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        }
    }

    /// Returns a line, a polygon or a point of so many degrees.
    fn shape(share: &mut impl FnMut() -> f64, corner: Point, size: f64) -> Geometry {
        let count = 2 + (share() * if share() < 0.1 { 200.0 } else { 12.0 }) as usize;
        let mut at = || Point::new(corner.x + share() * size, corner.y + share() * size);
        let mut points: Vec<Point> = (0..count).map(|_| at()).collect();
        match count % 4 {
            0 => Geometry::simple_point(corner),
            1 => {
                points.push(at());
                points.push(points[0]);
                Geometry::simple_polygon(points)
            }
            _ => {
                let series = Series::new(points);
                Geometry::Line(Line { series, extra: None, members: None })
            }
        }
    }

    /// Asserts that a search finds the objects in the order of their distances.
    fn check(tree: &RTree<Object>, objects: &[Object], center: Point, reach: &Reach) {
        let distances = Distances::new(center);
        let mut exact: Vec<f64> = objects
            .iter()
            .map(|object| object.distance_from(distances.exact(), f64::INFINITY))
            .filter(|meters| *meters <= reach.distance)
            .collect();
        exact.sort_unstable_by(f64::total_cmp);
        exact.truncate(reach.count);
        let mut found = Vec::new();
        let _ = tree.nearest(&distances, reach, |object, told| {
            let meters = object.distance_from(distances.exact(), f64::INFINITY);
            assert!(!reach.tells_distances || told == meters, "{told} {meters}");
            if told > reach.distance {
                return ControlFlow::Break(());
            }
            found.push(meters);
            if found.len() == reach.count {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(found, exact, "{center:?} {reach:?}");
    }

    #[test]
    fn shapes_come_by_their_distance_wherever_they_are() {
        let mut share = shares(17);
        for round in 0..400 {
            let world = round % 5 == 0;
            let place = |share: &mut dyn FnMut() -> f64| {
                if world {
                    Point::new(share() * 360.0 - 180.0, share() * 180.0 - 90.0)
                } else {
                    Point::new(share() * 4.0, share() * 4.0)
                }
            };
            let middle = match round % 4 {
                0 => Point::new(-2.0, -2.0),
                1 => Point::new(177.0, 50.0),
                2 => Point::new(20.0, 85.5),
                _ => Point::new(-100.0, -40.0),
            };
            let middle = if world { Point::default() } else { middle };
            let shifted = |p: Point| Point::new(middle.x + p.x, middle.y + p.y);
            let size = [0.001, 0.1, 1.0, 5.0][round % 4];
            let count = [3, 60, 400, 900][round / 4 % 4];
            let mut tree = RTree::new();
            let objects: Vec<Object> = (0..count)
                .map(|number| {
                    let corner = shifted(place(&mut share));
                    let geometry = shape(&mut share, corner, size);
                    let shape = Shape::of_geometry(geometry);
                    Object::new(format!("{number}").as_bytes(), shape, b"", b"", NEVER)
                })
                .collect();
            for object in &objects {
                tree.insert(&object.bounds(), object.clone());
            }
            for limit in [1, 10, 100, usize::MAX] {
                let center = shifted(place(&mut share));
                let tells_distances = share() < 0.5;
                let distance = if share() < 0.5 { f64::INFINITY } else { share() * 400_000.0 };
                let reach = Reach { count: limit, distance, orders_equals: true, tells_distances };
                check(&tree, &objects, center, &reach);
            }
        }
    }
}
