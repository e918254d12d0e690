//! SPARSE: at most one result in each cell of the area's box, which is quartered n times.
//!
//! A cell's result is any object near it that the area accepts, that passes MATCH and WHERE, and
//! that isn't another cell's. Unlike in Tile38, an object that fails this neither uses up the cell
//! nor ends the search.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::comparison_work;
use crate::call::Call;
use crate::collection::Collection;
use crate::error::Result;
use crate::geometry::{Geometry, Point, Rect};
use crate::object::Object;
use crate::query::options::Verb;
use crate::query::rows::{Rows, Verdict};

/// The area of a search, and the test of an object by it.
pub(super) struct AreaTest<'s> {
    pub verb: Verb,
    pub area: &'s Geometry,
    /// Returns the distance of an object that the area accepts.
    pub distance: &'s dyn Fn(&Object) -> Option<f64>,
}

struct Sparse<'s, 'o, 'a, 'c, 'd> {
    collection: &'o Collection,
    rows: &'s mut Rows<'o, 'a>,
    call: &'s mut Call<'c, 'd>,
    test: &'s AreaTest<'s>,
    /// The ids of objects that can't be the result of any further cell: they are one already, or
    /// fail the area, MATCH or WHERE.
    excluded: HashSet<Vec<u8>>,
}

/// Visits the cells north-west, north-east, south-west, south-east.
pub(super) fn run<'o>(
    collection: &'o Collection,
    test: &AreaTest,
    depth: u8,
    rows: &mut Rows<'o, '_>,
    call: &mut Call,
) -> Result<()> {
    let mut sparse = Sparse { collection, rows, call, test, excluded: HashSet::new() };
    let mut open = vec![(test.area.bounds(), depth)];
    while let Some((cell, depth)) = open.pop() {
        // A cell without a candidate isn't quartered, so the cells visited are only a few for each
        // result, not all 4¹⁶.
        let Some((object, distance)) = sparse.first_candidate(&cell)? else { continue };
        if depth > 0 {
            open.extend(quarters(&cell).into_iter().rev().map(|quarter| (quarter, depth - 1)));
        } else if sparse.take(object, distance).is_break() {
            break;
        }
    }
    Ok(())
}

fn quarters(cell: &Rect) -> [Rect; 4] {
    let middle = cell.center();
    let rect = |x1, y1, x2, y2| Rect::new(Point::new(x1, y1), Point::new(x2, y2));
    [
        rect(cell.min.x, middle.y, middle.x, cell.max.y),
        rect(middle.x, middle.y, cell.max.x, cell.max.y),
        rect(cell.min.x, cell.min.y, middle.x, middle.y),
        rect(middle.x, cell.min.y, cell.max.x, middle.y),
    ]
}

impl<'o> Sparse<'_, 'o, '_, '_, '_> {
    /// Adds the result of a cell. Breaks if there may be no more results.
    fn take(&mut self, object: &'o Object, distance: f64) -> ControlFlow<()> {
        self.excluded.insert(object.id().to_vec());
        match self.rows.offer(object.id(), object, || None, distance) {
            Verdict::Complete => ControlFlow::Break(()),
            Verdict::Taken | Verdict::Rejected => ControlFlow::Continue(()),
        }
    }

    /// The first object near a cell that may be its result, and its distance.
    fn first_candidate(&mut self, cell: &Rect) -> Result<Option<(&'o Object, f64)>> {
        let Sparse { collection, rows, call, test, excluded } = self;
        let mut found = None;
        let mut failure = Ok(());
        let _ = collection.areas().search(cell, |object| {
            if excluded.contains(object.id()) {
                failure = call.budget.charge(1);
            } else {
                let work = rows.work(object) + comparison_work(test.verb, test.area, object);
                failure = call.budget.charge(work);
                let distance = (test.distance)(object).filter(|_| rows.passes(object.id(), object));
                match distance {
                    Some(distance) => found = Some((object, distance)),
                    None => drop(excluded.insert(object.id().to_vec())),
                }
            }
            if failure.is_err() || found.is_some() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        failure.map(|()| found)
    }
}
