//! WITHIN and INTERSECTS.

use std::ops::ControlFlow;

use super::{comparison_work, sparse};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::geometry::{clip, Geometry};
use crate::keyspace::Keyspace;
use crate::object::{Object, Shape};
use crate::query::area::{self, Area};
use crate::query::options::{Options, Verb};
use crate::query::rows::{Rows, Verdict};

/// WITHIN key {option} [output] area {clipby}
pub(super) fn within(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    run(Verb::Within, keyspace, call)
}

/// INTERSECTS key {option} [output] area {clipby}
pub(super) fn intersects(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    run(Verb::Intersects, keyspace, call)
}

fn run(verb: Verb, keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let key = words.next_filled()?;
    let options = Options::parse(verb, &mut words, keyspace)?;
    if options.fence.is_some() {
        call.live = Some(Box::new(Fence::finish(verb, key, options, &mut words, keyspace)?));
        return Ok(());
    }
    let is_tile = words.peek().is_some_and(|word| word.eq_ignore_ascii_case(b"MVT"));
    let area = Area::parse_search(&mut words, &options, keyspace)?;
    if is_tile {
        return Err(Error::text("vector tiles aren't supported by this version"));
    }
    let mut rows = Rows::new(&options, keyspace, call.budget);
    if let (Some(collection), Some(area)) = (keyspace.get(key), &area.geometry) {
        let search = AreaSearch { verb, area, has_clip: options.has_clip };
        if options.sparse > 0 {
            let depth = options.sparse;
            sparse::run(collection, &area.bounds(), depth, &mut rows, call, &|object| {
                search.accepts(object).then_some(0.0)
            })?;
        } else {
            search.run(collection, &mut rows, call)?;
        }
    }
    call.budget.check_deadline()?;
    rows.reply(call)
}

struct AreaSearch<'s> {
    verb: Verb,
    area: &'s Geometry,
    has_clip: bool,
}

impl AreaSearch<'_> {
    fn run(
        &self,
        collection: &crate::collection::Collection,
        rows: &mut Rows,
        call: &mut Call,
    ) -> Result<()> {
        let mut failure = Ok(());
        let areas = collection.areas();
        let cover = self.area.cover(&areas.bounds().unwrap_or_default());
        let _ = areas.search_any(&cover, &mut |object: &Object| {
            failure = call.budget.charge(rows.work(object) + comparison_work(object));
            if failure.is_err() {
                return ControlFlow::Break(());
            }
            if !rows.visit() || !self.accepts(object) {
                return ControlFlow::Continue(());
            }
            match rows.offer(object.id(), object, || self.clipped(object), 0.0) {
                Verdict::Complete => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        failure
    }

    fn accepts(&self, object: &Object) -> bool {
        area::hits(self.verb, self.area, object)
    }

    /// The object with the part of its geometry in the area's box, where CLIP asks for it.
    fn clipped(&self, object: &Object) -> Option<Object> {
        if !self.has_clip || self.verb == Verb::Within {
            return None;
        }
        let geometry = object.geometry()?;
        let shape = Shape::of_geometry(clip::clip(geometry, &self.area.bounds()));
        let fields = object.fields().block();
        Some(Object::new(object.id(), shape, &[], fields, object.deadline()))
    }
}
