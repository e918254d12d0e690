//! The cells of a grid: which one a point is in, and a reference point in each.

use super::super::super::{Point, Rect};
use super::BLOCK_CELLS;

/// Columns or rows, at most.
const SIDE_MAX: f64 = 4096.0;
/// The least size of a cell, as a part of the greatest coordinate: so much more than the rounding
/// of coordinates that only points at the very border of a cell are affected by it.
const CELL_SIZE_MIN: f64 = 1.0 / 4_294_967_296.0;
/// The place of the reference point in its cell. Shapes often have corners and edges at round
/// coordinates, and so at halves of cells.
const REFERENCE_X: f64 = 0.473;
const REFERENCE_Y: f64 = 0.541;

/// Columns and rows over a box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    min: Point,
    pub(super) columns: usize,
    pub(super) rows: usize,
    columns_per_degree: f64,
    rows_per_degree: f64,
}

impl Frame {
    /// Returns about so many cells, nearly squares, over a box; `None` if the box is too small or
    /// too far away for them.
    pub(super) fn new(bounds: &Rect, cells: f64) -> Option<Self> {
        let (width, height) = (bounds.max.x - bounds.min.x, bounds.max.y - bounds.min.y);
        let side = |ratio: f64| (cells * ratio).sqrt().ceil().clamp(1.0, SIDE_MAX);
        let (columns, rows) = (side(width / height), side(height / width));
        let ends = [bounds.min.x, bounds.max.x, bounds.min.y, bounds.max.y];
        let greatest = ends.into_iter().map(f64::abs).fold(0.0, f64::max);
        let cell = (width / columns).min(height / rows);
        // False for NaN, too.
        let is_fit = cell > greatest * CELL_SIZE_MIN && greatest.is_finite();
        is_fit.then_some(Frame {
            min: bounds.min,
            columns: columns as usize,
            rows: rows as usize,
            columns_per_degree: columns / width,
            rows_per_degree: rows / height,
        })
    }

    pub(super) fn blocks_per_row(&self) -> usize {
        self.columns.div_ceil(BLOCK_CELLS)
    }

    /// Returns the column of a coordinate. It never decreases with the coordinate.
    #[inline]
    pub(super) fn column(&self, x: f64) -> usize {
        (((x - self.min.x) * self.columns_per_degree) as usize).min(self.columns - 1)
    }

    /// Returns the row of a coordinate. It never decreases with the coordinate.
    #[inline]
    pub(super) fn row(&self, y: f64) -> usize {
        (((y - self.min.y) * self.rows_per_degree) as usize).min(self.rows - 1)
    }

    /// Returns the column and row of a point.
    #[inline]
    pub(super) fn cell(&self, p: Point) -> (usize, usize) {
        (self.column(p.x), self.row(p.y))
    }

    /// Returns the reference point of a cell, which lies in it.
    #[inline]
    pub(super) fn reference(&self, column: usize, row: usize) -> Point {
        Point::new(
            self.min.x + (column as f64 + REFERENCE_X) / self.columns_per_degree,
            self.min.y + (row as f64 + REFERENCE_Y) / self.rows_per_degree,
        )
    }

    /// Returns the coordinates between which a row lies, rounded.
    pub(super) fn row_limits(&self, row: usize) -> (f64, f64) {
        let limit = |row: usize| self.min.y + row as f64 / self.rows_per_degree;
        (limit(row), limit(row + 1))
    }

    /// Returns the width of a column.
    pub(super) fn column_width(&self) -> f64 {
        1.0 / self.columns_per_degree
    }
}
