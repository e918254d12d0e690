//! Vector tiles in Mapbox's format, version 2.1: objects drawn on the grid of a tile, as protobuf.
//! Finds no objects: searches do.

mod grid;
mod layer;
mod pen;
mod protobuf;
mod shapes;
mod tags;

pub use layer::Layer;

use crate::geometry::{tile, Rect};
use grid::Grid;

/// Column, row and zoom of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Tile {
    pub x: i64,
    pub y: i64,
    pub z: u64,
}

impl Tile {
    /// Returns the box of the tile and its margin.
    pub fn bounds(self) -> Rect {
        tile::mvt_bounds(self.x, self.y, self.z)
    }
}

/// The frame in which a tile is drawn: its grid, and the box to which geometries are clipped.
pub struct Frame {
    grid: Grid,
    bounds: Rect,
}

impl Frame {
    /// Returns the frame of a tile with the part of its box, or margin, that lies within `area`.
    pub fn new(tile: Tile, area: &Rect) -> Self {
        let Rect { mut min, mut max } = tile.bounds();
        min.x = min.x.max(area.min.x);
        min.y = min.y.max(area.min.y);
        max.x = max.x.min(area.max.x);
        max.y = max.y.min(area.max.y);
        Frame { grid: Grid::new(tile), bounds: Rect::new(min, max) }
    }
}
