//! A grid over a large ring: most cells lie wholly inside or outside, so that most points are
//! located without looking at an edge. Of the others it knows the edges that pass through.
//!
//! The answers are the same as those of a test of all edges. In a cell that edges cross, a path
//! leads from a reference point, whose place is known, to the point asked for: first up or down,
//! then to the left or right. The parity of the edges that the path crosses, all of which pass
//! through the cell, tells the point's place. No rounding decides: cells are intervals of a
//! function of a coordinate that never decreases, and edges are compared by exact orientations.

mod build;
mod frame;
mod lazy;

use super::super::{Point, Rect};
use super::ray::{ray_from, Ray};
use super::ring::Place;
use super::segment::Segment;
use frame::Frame;
pub(in crate::geometry) use lazy::LazyGrid;

/// Cells whose states one block has.
const BLOCK_CELLS: usize = 16;
/// The blocks that a search for cells with edges looks at, at most.
const SEARCHED_BLOCKS_MAX: usize = 32;
/// The bits of a block that tell whether a cell's reference point lies inside.
const INSIDE_BITS: u32 = 0x5555_5555;
/// The bits of a block that tell whether edges pass through a cell.
const CROSSED_BITS: u32 = INSIDE_BITS << 1;

/// Consecutive edges, named by the positions of their starts.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    end: u32,
}

/// The states of consecutive cells of a row, two bits each.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    states: u32,
    /// The number of crossed cells in all blocks before.
    crossed_before: u32,
}

/// See the module.
#[derive(Clone, Debug)]
pub(in crate::geometry) struct Grid {
    frame: Frame,
    /// Row by row; each row begins with a new block.
    blocks: Box<[Block]>,
    /// Where the runs of each crossed cell begin, and where the last one's end.
    first_runs: Box<[u32]>,
    runs: Box<[Run]>,
}

impl Grid {
    /// Returns the place of a point within the ring's box; `None` if the grid can't tell: where
    /// the reference point or the corner of the path lies on an edge.
    #[inline]
    pub(super) fn locate(&self, points: &[Point], p: Point) -> Option<Place> {
        let (column, row) = self.frame.cell(p);
        let block = self.blocks[row * self.frame.blocks_per_row() + column / BLOCK_CELLS];
        let shift = column % BLOCK_CELLS * 2;
        let state = block.states >> shift;
        let is_inside = state & 1 != 0;
        if state & 2 == 0 {
            return Some(if is_inside { Place::Inside } else { Place::Outside });
        }
        let before = block.states & CROSSED_BITS & ((1 << shift) - 1);
        let crossed = (block.crossed_before + before.count_ones()) as usize;
        let runs = self.first_runs[crossed] as usize..self.first_runs[crossed + 1] as usize;
        let reference = self.frame.reference(column, row);
        let mut path = Path { from: reference, to: p, is_inside, is_sure: true };
        for run in &self.runs[runs] {
            for ends in points[run.start as usize..=run.end as usize].windows(2) {
                if path.ends_on(&Segment { a: ends[0], b: ends[1] }) {
                    return Some(Place::Border);
                }
            }
        }
        let place = if path.is_inside { Place::Inside } else { Place::Outside };
        path.is_sure.then_some(place)
    }

    /// Returns whether the grid knows that no edge passes through a box.
    #[inline]
    pub(super) fn is_free(&self, area: &Rect) -> bool {
        let ((left, low), (right, high)) = (self.frame.cell(area.min), self.frame.cell(area.max));
        let blocks = left / BLOCK_CELLS..right / BLOCK_CELLS + 1;
        if left > right || low > high || (high + 1 - low) * blocks.len() > SEARCHED_BLOCKS_MAX {
            return false;
        }
        let from = u32::MAX << (left % BLOCK_CELLS * 2);
        let to = u32::MAX >> (30 - right % BLOCK_CELLS * 2);
        (low..=high).all(|row| {
            blocks.clone().all(|index| {
                let states = self.blocks[row * self.frame.blocks_per_row() + index].states;
                let first = if index == blocks.start { from } else { u32::MAX };
                let last = if index + 1 == blocks.end { to } else { u32::MAX };
                states & CROSSED_BITS & first & last == 0
            })
        })
    }

    /// Returns the memory that the grid uses beside itself.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        size_of_val(&*self.blocks) + size_of_val(&*self.first_runs) + size_of_val(&*self.runs)
    }
}

/// A path within a cell: up or down from the reference point to the height of the end, and from
/// that corner to the left or right.
struct Path {
    from: Point,
    to: Point,
    /// Whether the end is inside, as far as edges were looked at.
    is_inside: bool,
    /// Whether neither the reference point nor the corner lies on an edge.
    is_sure: bool,
}

impl Path {
    /// Notes an edge. Returns whether the end of the path lies on it.
    #[inline]
    fn ends_on(&mut self, edge: &Segment) -> bool {
        let corner = Point::new(self.from.x, self.to.y);
        let turned = Segment { a: transposed(edge.a), b: transposed(edge.b) };
        let end = ray_from(self.to, edge);
        self.is_inside ^= matches!(end, Ray::Crosses);
        for ray in [
            ray_from(corner, edge),
            ray_from(transposed(corner), &turned),
            ray_from(transposed(self.from), &turned),
        ] {
            self.is_inside ^= matches!(ray, Ray::Crosses);
            self.is_sure &= !matches!(ray, Ray::BeginsOn);
        }
        matches!(end, Ray::BeginsOn)
    }
}

/// Returns the point mirrored at the diagonal, so that up becomes right.
fn transposed(p: Point) -> Point {
    Point::new(p.y, p.x)
}

#[cfg(test)]
mod tests;
