//! The search of a collection by an area, for WITHIN and INTERSECTS with any kind of reply.

use std::ops::ControlFlow;

use super::comparison_work;
use super::parts::{self, PARTS_MIN};
use super::sparse::{self, AreaTest};
use crate::call::{Budget, Call};
use crate::collection::Collection;
use crate::error::Result;
use crate::geometry::{clip, Geometry};
use crate::index::{Side, Tally, Visitor};
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
    pub fn run<'o>(
        &self,
        collection: Option<&'o Collection>,
        options: &Options,
        rows: &mut Rows<'o, '_>,
        call: &mut Call,
    ) -> Result<()> {
        let Some(collection) = collection else { return Ok(()) };
        if options.sparse == 0 {
            return self.visit_all(collection, rows, call);
        }
        let distance = |object: &Object| self.accepts(object).then_some(0.0);
        let test = AreaTest { verb: self.verb, area: self.area, distance: &distance };
        sparse::run(collection, &test, options.sparse, rows, call)
    }

    fn visit_all<'o>(
        &self,
        collection: &'o Collection,
        rows: &mut Rows<'o, '_>,
        call: &mut Call,
    ) -> Result<()> {
        let areas = collection.areas();
        let cover = self.area.cover(&areas.bounds().unwrap_or_default());
        if let Some(helpers) = parts::helpers(rows, call.budget) {
            let parts = areas.divide_area(&cover, self.area.planar_area(), PARTS_MIN);
            let count = parts.count();
            return parts::run(helpers, count, rows, call.budget, &|number, rows, budget| {
                let mut candidates = Candidates { search: self, rows, budget, failure: Ok(()) };
                let _ = parts.search(number, &mut candidates);
                candidates.failure
            });
        }
        let budget = &mut *call.budget;
        let mut candidates = Candidates { search: self, rows, budget, failure: Ok(()) };
        let _ = areas.search_area(&cover, self.area.planar_area(), &mut candidates);
        candidates.failure
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

/// The candidates of a search: objects that touch the boxes around the area.
struct Candidates<'s, 'o, 'a, 'b> {
    search: &'s AreaSearch<'s>,
    rows: &'s mut Rows<'o, 'a>,
    budget: &'s mut Budget<'b>,
    failure: Result<()>,
}

impl Candidates<'_, '_, '_, '_> {
    fn charge(&mut self, work: u64) -> ControlFlow<()> {
        self.failure = self.budget.charge(work);
        if self.failure.is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

impl<'o> Visitor<'o, Object> for Candidates<'_, 'o, '_, '_> {
    fn visit(&mut self, object: &'o Object, side: Side) -> ControlFlow<()> {
        let is_undecided = side == Side::Unknown;
        if side == Side::Outside {
            self.rows.visit();
            return self.charge(1);
        }
        let AreaSearch { verb, area, .. } = *self.search;
        let comparison = if is_undecided { comparison_work(verb, area, object) } else { 0 };
        let work = self.rows.work(object) + comparison;
        self.charge(work)?;
        if !self.rows.visit() || (is_undecided && !self.search.accepts(object)) {
            return ControlFlow::Continue(());
        }
        match self.rows.offer(object.id(), object, || self.search.clipped(object), 0.0) {
            Verdict::Complete => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn accepts_tally(&self, touching: usize) -> bool {
        self.rows.accepts_tally(touching)
    }

    fn tally(&mut self, tally: Tally) -> ControlFlow<()> {
        self.rows.tally(tally.touching, tally.inside);
        self.charge(1)
    }
}
