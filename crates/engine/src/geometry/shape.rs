//! The kinds of geometry, as plain data. Knows their boxes and counts; parsing, printing and
//! predicates live beside it.

use super::distance::{is_in_world, named_within, Cover, Disc, PlanarDisc, EVERYWHERE};
use super::part_tree::PartTree;
use super::{Holes, Series};

/// A planar position in degrees: x = longitude, y = latitude.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// A box; taken as given, so min may exceed max.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Rect {
    pub min: Point,
    pub max: Point,
}

/// Members of a GeoJSON object that aren't its structure: minified text without braces, such as
/// `"id":7,"bbox":[1]`; `None` if there are none.
pub type Members = Option<Box<[u8]>>;

/// Ordinates beyond x and y: `per_position` (1 or 2) values for each position, in order.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Extra {
    pub per_position: u8,
    pub values: Box<[f64]>,
}

/// A GeoJSON Point. With neither extra nor members it is a *simple point*, as `POINT lat lon` is.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Position {
    pub point: Point,
    pub extra: Option<Extra>,
    pub members: Members,
}

/// A LineString.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Line {
    pub series: Series,
    pub extra: Option<Extra>,
    pub members: Members,
}

/// A Polygon; `extra` runs over all rings.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Polygon {
    pub exterior: Series,
    pub holes: Holes,
    pub extra: Option<Extra>,
    pub members: Members,
}

/// Which GeoJSON type a collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CollectionKind {
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    GeometryCollection,
    FeatureCollection,
}

/// A Multi* geometry or a collection; its box is the union of its non-empty children's.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Collection {
    pub kind: CollectionKind,
    pub children: Vec<Geometry>,
    pub members: Members,
    pub bounds: Rect,
    pub is_empty: bool,
    pub(super) has_circle: bool,
    pub(super) points_count: usize,
    pub(super) tree: Option<Box<PartTree>>,
}

/// A Feature that isn't a Circle.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Feature {
    pub geometry: Geometry,
    pub members: Members,
}

/// A Circle: all places at most so many metres from its centre.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Circle {
    pub center: Point,
    pub meters: f64,
    pub(super) bounds: Rect,
    pub(super) disc: Box<Disc>,
}

impl PartialEq for Circle {
    /// All else follows from these.
    fn eq(&self, other: &Self) -> bool {
        self.center == other.center && self.meters == other.meters
    }
}

/// Any geometry.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Geometry {
    Point(Position),
    Rect(Rect),
    Line(Line),
    Polygon(Polygon),
    Collection(Collection),
    Feature(Box<Feature>),
    Circle(Circle),
}

/// An area of which boxes tell, for most of the points within ±180° and ±90°, whether they are in
/// it.
#[derive(Clone, Copy, Debug)]
pub enum PlanarArea<'a> {
    /// The points in a box.
    Rect(Rect),
    /// The points in a Circle that doesn't cross the antimeridian.
    Disc(&'a PlanarDisc),
    /// The points in a polygon.
    Polygon(&'a Polygon),
}

impl Point {
    /// A position from longitude and latitude in degrees.
    pub fn new(x: f64, y: f64) -> Self {
        Point { x, y }
    }
}

impl Rect {
    /// A box from its corners.
    pub fn new(min: Point, max: Point) -> Self {
        Rect { min, max }
    }

    /// The smallest box around the points; all zeros for none.
    pub fn around(points: &[Point]) -> Self {
        let Some(first) = points.first() else { return Rect::default() };
        points.iter().fold(Rect::new(*first, *first), |rect, p| rect.union(&Rect::new(*p, *p)))
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(&self, other: &Rect) -> Rect {
        let lower = |a: f64, b: f64| if b < a { b } else { a };
        let upper = |a: f64, b: f64| if b > a { b } else { a };
        Rect {
            min: Point::new(lower(self.min.x, other.min.x), lower(self.min.y, other.min.y)),
            max: Point::new(upper(self.max.x, other.max.x), upper(self.max.y, other.max.y)),
        }
    }

    /// The middle.
    pub fn center(&self) -> Point {
        Point::new(0.5 * (self.max.x + self.min.x), 0.5 * (self.max.y + self.min.y))
    }

    /// Whether the boxes share a point, edges included.
    pub fn overlaps(&self, other: &Rect) -> bool {
        !(self.min.y > other.max.y
            || self.max.y < other.min.y
            || self.min.x > other.max.x
            || self.max.x < other.min.x)
    }

    /// Whether the other box lies within this one, edges included.
    pub fn contains(&self, other: &Rect) -> bool {
        !(other.min.x < self.min.x
            || other.max.x > self.max.x
            || other.min.y < self.min.y
            || other.max.y > self.max.y)
    }

    /// Whether the point lies in the box, edges included.
    pub fn contains_point(&self, p: Point) -> bool {
        p.x >= self.min.x && p.x <= self.max.x && p.y >= self.min.y && p.y <= self.max.y
    }

    /// Whether no minimum exceeds its maximum, or is NaN. A box that isn't ordered holds no point.
    pub fn is_ordered(&self) -> bool {
        self.min.x <= self.max.x && self.min.y <= self.max.y
    }

    /// Whether Tile38's formula for distances holds: within ±180° and ±90°. What isn't finite is
    /// left to it, too.
    #[inline]
    pub fn has_plain_distance(&self) -> bool {
        let is_finite =
            || [self.min.x, self.min.y, self.max.x, self.max.y].iter().all(|x| x.is_finite());
        is_in_world(self) || !is_finite()
    }

    /// The corners as a counter-clockwise ring, closed: 5 positions from the south-west.
    pub fn ring(&self) -> [Point; 5] {
        [
            self.min,
            Point::new(self.max.x, self.min.y),
            self.max,
            Point::new(self.min.x, self.max.y),
            self.min,
        ]
    }
}

/// From this many children on, a tree over them pays.
const INDEXED_CHILDREN_MIN: usize = 64;

impl Collection {
    /// A collection of these children.
    pub fn new(kind: CollectionKind, children: Vec<Geometry>, members: Members) -> Self {
        let mut bounds: Option<Rect> = None;
        for child in children.iter().filter(|child| !child.is_empty()) {
            let inner = child.bounds();
            bounds = Some(bounds.map_or(inner, |outer| outer.union(&inner)));
        }
        let is_empty = bounds.is_none();
        let has_circle = children.iter().any(Geometry::has_circle);
        let is_large = children.len() >= INDEXED_CHILDREN_MIN;
        let filled = || children.iter().enumerate().filter(|(_, child)| !child.is_empty());
        let placed = || filled().map(|(index, child)| (index, child.bounds()));
        let tree = if is_large { PartTree::new(placed()).map(Box::new) } else { None };
        let bounds = bounds.unwrap_or_default();
        let points_count = children.iter().map(Geometry::num_points).sum();
        Collection { kind, children, members, bounds, is_empty, has_circle, points_count, tree }
    }

    /// The children that may touch a box, in no particular order; not all of them do.
    pub(super) fn near(&self, area: &Rect) -> impl Iterator<Item = &Geometry> {
        let found = self.tree.as_ref().map(|tree| tree.near(area));
        let all = if found.is_none() { &self.children[..] } else { &[] };
        let found = found.into_iter().flatten().map(|index| &self.children[index]);
        found.chain(all)
    }
}

impl Geometry {
    /// A simple point.
    pub fn simple_point(point: Point) -> Self {
        Geometry::Point(Position { point, extra: None, members: None })
    }

    /// A polygon of one ring, closed, without extras.
    pub fn simple_polygon(ring: Vec<Point>) -> Self {
        let exterior = Series::new(ring);
        Geometry::Polygon(Polygon { exterior, holes: Holes::default(), extra: None, members: None })
    }

    /// The point if it has neither extra ordinates nor members.
    pub fn as_simple_point(&self) -> Option<Point> {
        match self {
            Geometry::Point(Position { point, extra: None, members: None }) => Some(*point),
            _ => None,
        }
    }

    /// Returns the positions of a line, or of a polygon's exterior; `None` for other geometries.
    pub fn outline(&self) -> Option<&[Point]> {
        match self {
            Geometry::Line(line) => Some(line.series.points()),
            Geometry::Polygon(polygon) => Some(polygon.exterior.points()),
            _ => None,
        }
    }

    /// The bounding box; all zeros for a collection without non-empty children.
    pub fn bounds(&self) -> Rect {
        match self {
            Geometry::Point(position) => Rect::new(position.point, position.point),
            Geometry::Rect(rect) => *rect,
            Geometry::Line(line) => line.series.bounds(),
            Geometry::Polygon(polygon) => polygon.exterior.bounds(),
            Geometry::Collection(collection) => collection.bounds,
            Geometry::Feature(feature) => feature.geometry.bounds(),
            Geometry::Circle(circle) => circle.bounds(),
        }
    }

    /// The box of a point or box that [`Rect::has_plain_distance`]: its distance is that of the
    /// geometry.
    pub fn filled_box(&self) -> Option<Rect> {
        let bounds = match self {
            Geometry::Point(position) => Rect::new(position.point, position.point),
            Geometry::Rect(rect) => *rect,
            Geometry::Feature(feature) => return feature.geometry.filled_box(),
            _ => return None,
        };
        bounds.has_plain_distance().then_some(bounds)
    }

    /// The point that stands for the geometry: a Circle's centre, else the middle of the box.
    pub fn center(&self) -> Point {
        match self {
            Geometry::Point(position) => position.point,
            Geometry::Circle(circle) => circle.center,
            _ => self.bounds().center(),
        }
    }

    /// Whether nothing can touch it: a point or centre of two NaNs, a box whose corners are
    /// swapped, a collection of empties.
    pub fn is_empty(&self) -> bool {
        let is_nowhere = |point: Point| point.x.is_nan() && point.y.is_nan();
        match self {
            Geometry::Point(position) => is_nowhere(position.point),
            Geometry::Circle(circle) => is_nowhere(circle.center),
            Geometry::Rect(rect) => !rect.is_ordered(),
            Geometry::Collection(collection) => collection.is_empty,
            Geometry::Feature(feature) => feature.geometry.is_empty(),
            _ => false,
        }
    }

    /// Boxes that hold all that may touch the geometry, given the box around all that is asked for.
    /// A Circle is met by every name of its places, also beyond ±180° and ±90°.
    pub fn cover(&self, all: &Rect) -> Cover {
        match self {
            Geometry::Circle(circle) => named_within(circle.cover(), all),
            _ if self.has_circle() && !is_in_world(all) => Cover::from_iter([EVERYWHERE]),
            _ => Cover::from_iter([self.bounds()]),
        }
    }

    /// Returns the area by which an index compares boxes; `None` if there is none, or it would
    /// take too much. Edges that aren't numbers bound nothing.
    pub fn planar_area(&self) -> Option<PlanarArea<'_>> {
        match self {
            Geometry::Rect(rect) if rect.is_ordered() => Some(PlanarArea::Rect(*rect)),
            Geometry::Polygon(polygon) if polygon.exterior.bounds().is_ordered() => {
                Some(PlanarArea::Polygon(polygon))
            }
            Geometry::Feature(feature) => feature.geometry.planar_area(),
            Geometry::Circle(circle) if circle.cover().len() == 1 => {
                circle.disc.planar().map(PlanarArea::Disc)
            }
            _ => None,
        }
    }

    /// Whether it is a Circle or holds one, which touches places by all their names.
    pub(super) fn has_circle(&self) -> bool {
        match self {
            Geometry::Circle(_) => true,
            Geometry::Collection(collection) => collection.has_circle,
            Geometry::Feature(feature) => feature.geometry.has_circle(),
            _ => false,
        }
    }

    /// Positions, as STATS counts them.
    pub fn num_points(&self) -> usize {
        match self {
            Geometry::Point(_) | Geometry::Circle(_) => 1,
            Geometry::Rect(_) => 2,
            Geometry::Line(line) => line.series.points().len(),
            Geometry::Polygon(polygon) => {
                polygon.exterior.points().len() + polygon.holes.points_count()
            }
            Geometry::Collection(collection) => collection.points_count,
            Geometry::Feature(feature) => feature.geometry.num_points(),
        }
    }

    /// The third ordinate of a Point, or of a Feature that holds one; 0 otherwise.
    pub fn z(&self) -> f64 {
        match self {
            Geometry::Point(position) => {
                position.extra.as_ref().map_or(0.0, |extra| extra.values[0])
            }
            Geometry::Feature(feature) => feature.geometry.z(),
            _ => 0.0,
        }
    }

    /// The members beside the structure, if the kind keeps them.
    pub fn members(&self) -> Option<&[u8]> {
        match self {
            Geometry::Point(position) => position.members.as_deref(),
            Geometry::Line(line) => line.members.as_deref(),
            Geometry::Polygon(polygon) => polygon.members.as_deref(),
            Geometry::Collection(collection) => collection.members.as_deref(),
            Geometry::Feature(feature) => feature.members.as_deref(),
            Geometry::Rect(_) | Geometry::Circle(_) => None,
        }
    }
}
