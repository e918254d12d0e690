//! NEARBY: by ascending distance.

use std::cell::Cell;
use std::ops::ControlFlow;

use super::sparse::{self, AreaTest};
use crate::call::Call;
use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::geometry::distance::{Between, Origin, Window};
use crate::geometry::{Point, Rect};
use crate::index::{Measure, Reach};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::area::{self, Area, Center};
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
        let fence = Fence::finish(Verb::Nearby, key, options, &mut words, keyspace)?;
        call.live = Some(Box::new(fence));
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

/// Distances from the centre, counted: they are what a search by distance costs.
struct Distances {
    origin: Origin,
    count: Cell<u64>,
}

impl Distances {
    fn new(center: Point) -> Self {
        Distances { origin: Origin::new(center), count: Cell::new(0) }
    }

    fn count(&self, more: usize) {
        self.count.set(self.count.get() + more as u64);
    }
}

impl Measure<Object> for Distances {
    fn origin(&self) -> Point {
        self.origin.point()
    }

    fn width(&self) -> f64 {
        self.origin.width()
    }

    fn window(&self, all: &Rect, meters: f64) -> Option<Window> {
        self.origin.window(all, meters)
    }

    fn distance(&self, bounds: &Rect) -> f64 {
        self.count(1);
        if bounds.has_plain_distance() {
            self.origin.to_rect(bounds)
        } else {
            self.origin.between(bounds).least
        }
    }

    fn between(&self, bounds: &Rect) -> Between {
        self.origin.between(bounds)
    }

    fn between_closely(&self, bounds: &Rect, between: Between) -> Between {
        self.origin.between_closely(bounds, between)
    }

    fn filled_box(&self, object: &Object) -> Option<Rect> {
        object.filled_box()
    }

    fn shape_distance(&self, object: &Object, meters_max: f64) -> f64 {
        let Some(geometry) = object.geometry() else {
            return object.distance_from(&self.origin, meters_max);
        };
        let measured = self.origin.measure(geometry, meters_max);
        self.count(measured.looked_at);
        measured.meters
    }
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
    let reach = Reach { count, distance, orders_equals };
    let mut failure = Ok(());
    let _ = collection.areas().nearest(&distances, &reach, |object, meters| {
        let work = distances.count.take() / DISTANCES_PER_WORK;
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
