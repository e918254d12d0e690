//! Shapes, their GeoJSON and their predicates. Planar: x = longitude, y = latitude; nothing wraps
//! but circles and distances, which are on the sphere.

mod border;
mod box_tree;
pub mod buffer;
pub mod circle;
pub mod clip;
pub mod distance;
pub mod geodesy;
pub mod geohash;
pub mod geojson;
pub mod holes;
pub mod kernels;
mod part_tree;
pub mod predicates;
pub mod sector;
pub mod series;
pub mod shape;
pub mod tile;

pub use border::is_near_border;
pub use geojson::{GeometryError, ParseOptions};
pub use holes::Holes;
pub use series::Series;
pub use shape::{
    Circle, Collection, CollectionKind, Extra, Feature, Geometry, Line, Members, PlanarArea, Point,
    Polygon, Position, Rect,
};
