//! The grid of a tile: where positions lie on it, and how edges run.
//!
//! An edge is straight in degrees, as searches take it, and so curved in Mercator. Long edges get
//! positions between their ends, so that a drawn area is the area that is searched and edges go on
//! in the next tile where they leave this one.

use super::Tile;
use crate::geometry::kernels::sin;
use crate::geometry::Point;
use std::f64::consts::PI;

/// The cells of a tile's grid from one side to the other.
pub(super) const EXTENT: u32 = 4096;
/// The latitude where Mercator tiles end.
const LATITUDE_MAX: f64 = 85.051_128_78;
/// The maximum distance of a drawn edge from the edge, in cells.
const CURVE_CELLS_MAX: f64 = 1.0;
/// The maximum second derivative of a Mercator ordinate by latitude: that at `LATITUDE_MAX`.
const CURVATURE_MAX: f64 = 134.0;
/// An edge is halved at most so often; each time its distance from the curve is quartered.
const HALVINGS_MAX: u32 = 10;

/// A cell of the grid: columns from the left, rows from the top. Beyond the tile it is negative, or
/// more than the extent.
pub(super) type Cell = [i32; 2];

/// The grid of a tile.
pub(super) struct Grid {
    left: f64,
    top: f64,
    /// The tiles in a row of the pyramid.
    tiles: f64,
    /// The latitudes that an edge may span, in degrees, without any visible curve.
    straight_degrees: f64,
}

impl Grid {
    /// Returns the grid of a tile.
    pub fn new(tile: Tile) -> Self {
        let tiles = (tile.z as f64).exp2();
        let cells_per_radian = f64::from(EXTENT) * tiles / (2.0 * PI);
        let straight = (8.0 * CURVE_CELLS_MAX / (CURVATURE_MAX * cells_per_radian)).sqrt();
        Grid {
            left: tile.x as f64,
            top: tile.y as f64,
            tiles,
            straight_degrees: straight.to_degrees(),
        }
    }

    /// Returns the cell of a position after a turn of so many degrees to the east.
    pub fn cell(&self, point: Point, turn: f64) -> Cell {
        cell_at(self.project(turned(point, turn)))
    }

    /// Returns the cells along a line or ring after a turn; none if an ordinate isn't finite.
    /// Repeated cells are left out.
    pub fn cells(&self, points: &[Point], turn: f64) -> Vec<Cell> {
        let is_finite = points.iter().all(|point| point.x.is_finite() && point.y.is_finite());
        let Some(first) = points.first().filter(|_| is_finite) else { return Vec::new() };
        let mut cells: Vec<Cell> = Vec::with_capacity(points.len());
        let first = turned(*first, turn);
        let mut last = (first, self.project(first));
        cells.push(cell_at(last.1));
        for point in &points[1..] {
            let point = turned(*point, turn);
            let next = (point, self.project(point));
            self.follow(last, next, HALVINGS_MAX, &mut cells);
            last = next;
        }
        cells
    }

    /// Appends the cells of an edge without the first one.
    fn follow(
        &self,
        from: (Point, Point),
        to: (Point, Point),
        halvings: u32,
        cells: &mut Vec<Cell>,
    ) {
        if halvings == 0 || self.is_straight(from.0, to.0) {
            let cell = cell_at(to.1);
            if cells.last() != Some(&cell) {
                cells.push(cell);
            }
            return;
        }
        // The curve bends to different sides north and south of the equator.
        let crosses_equator = from.0.y * to.0.y < 0.0;
        let share = if crosses_equator { from.0.y / (from.0.y - to.0.y) } else { 0.5 };
        let middle = Point::new(
            from.0.x + (to.0.x - from.0.x) * share,
            from.0.y + (to.0.y - from.0.y) * share,
        );
        let middle = (middle, self.project(middle));
        let (across, down) = (to.1.x - from.1.x, to.1.y - from.1.y);
        let distance = (middle.1.y - from.1.y - down * share) * across / across.hypot(down);
        if crosses_equator || distance.abs() > CURVE_CELLS_MAX {
            self.follow(from, middle, halvings - 1, cells);
            self.follow(middle, to, halvings - 1, cells);
        } else {
            self.follow(from, to, 0, cells);
        }
    }

    /// Returns whether an edge is straight in Mercator, too, as far as can be seen.
    fn is_straight(&self, from: Point, to: Point) -> bool {
        let is_curved = (to.y - from.y).abs() > self.straight_degrees && from.x != to.x;
        !is_curved
    }

    /// Returns a position in cells, with fractions.
    fn project(&self, point: Point) -> Point {
        let sine = sin(point.y.clamp(-LATITUDE_MAX, LATITUDE_MAX).to_radians());
        let across = (point.x + 180.0) / 360.0;
        let down = 0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * PI);
        let cells = |share: f64, start: f64| (share * self.tiles - start) * f64::from(EXTENT);
        Point::new(cells(across, self.left), cells(down, self.top))
    }
}

fn turned(point: Point, turn: f64) -> Point {
    Point::new(point.x + turn, point.y)
}

/// Returns the cell of a position in cells. Tile38 rounds towards zero, so that a position lies one
/// cell further in the margin of the next tile.
fn cell_at(position: Point) -> Cell {
    [position.x.floor() as i32, position.y.floor() as i32]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(x: i64, y: i64, z: u64) -> Grid {
        Grid::new(Tile { x, y, z })
    }

    #[test]
    fn positions_lie_in_the_cells_that_tile38_draws() {
        let phoenix = Point::new(-112.07, 33.45);
        assert_eq!(grid(0, 0, 0).cell(phoenix, 0.0), [772, 1643]);
        assert_eq!(grid(6, 12, 5).cell(phoenix, 0.0), [156, 3447]);
        assert_eq!(grid(1, 0, 1).cell(Point::new(10.0, 10.0), 0.0), [227, 3867]);
    }

    #[test]
    fn a_position_has_the_same_cell_in_the_margin_of_the_next_tile() {
        let point = Point::new(-0.001, 0.001);
        assert_eq!(grid(0, 0, 1).cell(point, 0.0), [4095, 4095]);
        assert_eq!(grid(1, 1, 1).cell(point, 0.0), [-1, -1]);
    }

    #[test]
    fn a_long_edge_follows_its_curve_and_a_short_one_has_two_cells() {
        let long = [Point::new(-120.0, -60.0), Point::new(120.0, 80.0)];
        let grid = grid(0, 0, 0);
        let cells = grid.cells(&long, 0.0);
        assert!((10..100).contains(&cells.len()), "{cells:?}");
        for step in 0..=100 {
            let share = f64::from(step) / 100.0;
            let on_edge = Point::new(-120.0 + 240.0 * share, -60.0 + 140.0 * share);
            let at = grid.project(on_edge);
            let is_near = |pair: &[Cell]| {
                let [a, b] = [pair[0], pair[1]].map(|cell| cell.map(f64::from));
                let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
                let off = (dx * (at.y - a[1]) - dy * (at.x - a[0])).abs() / dx.hypot(dy);
                a[0] - 1.0 <= at.x && at.x <= b[0] + 1.0 && off < 2.0
            };
            assert!(cells.windows(2).any(is_near), "{on_edge:?}");
        }
        assert_eq!(grid.cells(&[Point::new(0.0, 60.0), Point::new(0.3, 60.3)], 0.0).len(), 2);
        assert_eq!(grid.cells(&[Point::new(0.0, -80.0), Point::new(0.0, 80.0)], 0.0).len(), 2);
    }
}
