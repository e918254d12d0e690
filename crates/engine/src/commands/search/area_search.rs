//! The search of a collection by an area, for WITHIN and INTERSECTS with any kind of reply.

use std::ops::ControlFlow;

use super::{comparison_work, sparse};
use crate::call::Call;
use crate::collection::Collection;
use crate::error::Result;
use crate::geometry::{clip, Geometry};
use crate::object::{Object, Shape};
use crate::query::area;
use crate::query::options::{Options, Verb};
use crate::query::rows::{Rows, Verdict};

/// A search of collections by an area.
pub(super) struct AreaSearch<'s> {
    pub verb: Verb,
    pub area: &'s Geometry,
    /// Whether results are clipped to the area.
    pub has_clip: bool,
}

impl AreaSearch<'_> {
    /// Adds the results in a collection to the rows, if there is one.
    pub fn run(
        &self,
        collection: Option<&Collection>,
        options: &Options,
        rows: &mut Rows,
        call: &mut Call,
    ) -> Result<()> {
        let Some(collection) = collection else { return Ok(()) };
        if options.sparse == 0 {
            return self.visit_all(collection, rows, call);
        }
        sparse::run(collection, &self.area.bounds(), options.sparse, rows, call, &|object| {
            self.accepts(object).then_some(0.0)
        })
    }

    fn visit_all(&self, collection: &Collection, rows: &mut Rows, call: &mut Call) -> Result<()> {
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
