//! SPARSE: at most one result in each cell of the area's box, which is quartered n times.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::area::work;
use crate::call::Call;
use crate::collection::Collection;
use crate::error::Result;
use crate::geometry::{Point, Rect};
use crate::object::Object;
use crate::query::rows::{Rows, Verdict};

/// The distance of an object that the area accepts.
type Accepts<'s> = &'s dyn Fn(&Object) -> Option<f64>;

struct Sparse<'s, 'k, 'o, 'a, 'c, 'd> {
    collection: &'k Collection,
    rows: &'s mut Rows<'o, 'a>,
    call: &'s mut Call<'c, 'd>,
    accepts: Accepts<'s>,
    emitted: HashSet<Vec<u8>>,
}

/// What a cell came to.
enum Cell {
    /// Its parts may still hold results.
    Open,
    /// Nothing in it can be a result any more.
    Closed,
    /// The search has ended.
    Ended,
}

/// Visits the cells north-west, north-east, south-west, south-east.
pub(super) fn run(
    collection: &Collection,
    area: &Rect,
    depth: u8,
    rows: &mut Rows,
    call: &mut Call,
    accepts: Accepts,
) -> Result<()> {
    let mut sparse = Sparse { collection, rows, call, accepts, emitted: HashSet::new() };
    let mut open = vec![(*area, depth)];
    while let Some((cell, depth)) = open.pop() {
        match sparse.visit(&cell, depth)? {
            Cell::Ended => return Ok(()),
            Cell::Open => open.extend(quarters(&cell).into_iter().rev().map(|q| (q, depth - 1))),
            Cell::Closed => {}
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

impl Sparse<'_, '_, '_, '_, '_, '_> {
    /// Looks at the first candidate of the cell that isn't a result yet. Only a cell of the last
    /// level takes it; in the others it tells whether a closer look is worth its while.
    fn visit(&mut self, cell: &Rect, depth: u8) -> Result<Cell> {
        let Some(object) = self.first_candidate(cell)? else { return Ok(Cell::Closed) };
        if depth > 0 {
            return Ok(self.look_ahead(cell, &object));
        }
        // As Tile38 does, the first candidate that the area refuses ends the search.
        let Some(distance) = (self.accepts)(&object) else { return Ok(Cell::Ended) };
        Ok(match self.rows.offer(object.id(), &object, || None, distance) {
            Verdict::Complete => Cell::Ended,
            Verdict::Taken => {
                self.emitted.insert(object.id().to_vec());
                Cell::Closed
            }
            Verdict::Rejected => Cell::Closed,
        })
    }

    /// A candidate that covers the cell is the first one in each of its parts: if it can't be a
    /// result, there is no need to look at up to 4¹⁵ of them.
    fn look_ahead(&self, cell: &Rect, object: &Object) -> Cell {
        if !object.bounds().contains(cell) {
            Cell::Open
        } else if (self.accepts)(object).is_none() {
            Cell::Ended
        } else if self.rows.passes(object.id(), object) {
            Cell::Open
        } else {
            Cell::Closed
        }
    }

    fn first_candidate(&mut self, cell: &Rect) -> Result<Option<Object>> {
        let mut found = None;
        let mut failure = Ok(());
        let _ = self.collection.areas().search(cell, &mut |object: &Object| {
            failure = self.call.budget.charge(1 + work(object));
            if failure.is_err() {
                return ControlFlow::Break(());
            }
            if self.emitted.contains(object.id()) {
                return ControlFlow::Continue(());
            }
            found = Some(object.clone());
            ControlFlow::Break(())
        });
        failure.map(|()| found)
    }
}
