//! Shapes, their GeoJSON and their predicates. Planar, x = longitude, y = latitude; no antimeridian.

pub mod circle;
pub mod distance;
pub mod geodesy;
pub mod geojson;
pub mod kernels;
pub mod predicates;
mod segment_tree;
pub mod series;
pub mod shape;

pub use geojson::{GeometryError, ParseOptions};
pub use series::Series;
pub use shape::{
    Circle, Collection, CollectionKind, Extra, Feature, Geometry, Line, Members, Point, Polygon,
    Position, Rect,
};
