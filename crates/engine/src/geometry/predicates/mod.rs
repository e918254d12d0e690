//! What WITHIN and INTERSECTS mean for two geometries: planar sets of points, borders included;
//! with a Circle on either side by distances on the sphere, see [`super::circle`]. Doesn't know
//! stores or searches.
//!
//! An object is WITHIN an area if `contains(area, object)`: each of its points lies in the area, as
//! for shapely's `covers`. It INTERSECTS an area if `intersects(object, area)`: they share a point.
//! A polygon is the inside of its exterior by the even-odd rule, without the insides of its holes;
//! a collection is the union of its children. Neither winding nor the first corner matters.

mod boxes;
mod cost;
mod exact;
mod grid;
mod intersect;
mod ray;
mod ring;
mod segment;
mod simple;
mod trace;
mod within;

pub use boxes::{holds_box, LocalEdges};
pub use cost::{cost_of_contains, cost_of_intersects};
pub(super) use exact::{orientation, Cut};
pub(super) use grid::LazyGrid;
pub(super) use ring::{Place, Ring};
pub(super) use segment::Segment;

use super::distance::is_in_world;
use super::{Collection, Geometry, Point, Rect, Series};
use simple::Simple;
use within::Area;

/// Whether b lies in a.
pub fn contains(a: &Geometry, b: &Geometry) -> bool {
    match (a, b) {
        (Geometry::Feature(feature), _) => contains(&feature.geometry, b),
        (Geometry::Collection(outer), _) => collection_contains(outer, b),
        (Geometry::Circle(circle), _) => circle.contains(b),
        (Geometry::Rect(rect), Geometry::Point(position)) => rect.contains_point(position.point),
        (Geometry::Rect(outer), Geometry::Rect(inner)) => {
            outer.is_ordered() && inner.is_ordered() && outer.contains(inner)
        }
        (Geometry::Rect(rect), Geometry::Line(_) | Geometry::Polygon(_)) => {
            rect.is_ordered() && rect.contains(&b.bounds())
        }
        _ => simple_contains(a, b),
    }
}

/// Whether x and y share a point; x is the object, y the area.
pub fn intersects(x: &Geometry, y: &Geometry) -> bool {
    match (x, y) {
        (Geometry::Rect(x), Geometry::Rect(y)) => x.is_ordered() && y.is_ordered() && x.overlaps(y),
        (Geometry::Feature(feature), _) => intersects(&feature.geometry, y),
        (Geometry::Collection(left), _) => {
            any_child(left, &y.bounds(), y.has_circle(), |child| intersects(child, y))
        }
        (_, Geometry::Feature(feature)) => intersects(x, &feature.geometry),
        (_, Geometry::Collection(right)) => {
            any_child(right, &x.bounds(), x.has_circle(), |child| intersects(x, child))
        }
        (Geometry::Circle(circle), other) | (other, Geometry::Circle(circle)) => {
            circle.intersects(other)
        }
        _ => match (Simple::of(x), Simple::of(y)) {
            (Some(x), Some(y)) => intersect::intersects(&x, &y),
            _ => false,
        },
    }
}

/// `contains(area, p)` for a point that isn't a geometry yet.
pub fn contains_point(area: &Geometry, p: Point) -> bool {
    match area {
        Geometry::Rect(rect) => rect.contains_point(p),
        Geometry::Circle(circle) => circle.contains_point(p),
        Geometry::Feature(feature) => contains_point(&feature.geometry, p),
        Geometry::Collection(outer) => {
            any_child(outer, &Rect::new(p, p), false, |child| contains_point(child, p))
        }
        _ => Simple::of(area).is_some_and(|area| area.contains_point(p)),
    }
}

/// `intersects(p, area)` for a point that isn't a geometry yet: a point meets what it lies in.
pub fn intersects_point(area: &Geometry, p: Point) -> bool {
    contains_point(area, p)
}

/// Whether a point lies in a closed ring, or on its edge if `has_edge`.
pub(super) fn is_in_ring(ring: &Series, p: Point, has_edge: bool) -> bool {
    match Ring::from(ring).locate(p) {
        Place::Inside => true,
        Place::Border => has_edge,
        Place::Outside => false,
    }
}

/// Whether a point lies on a line.
pub(super) fn is_on_line(line: &Series, p: Point) -> bool {
    Ring::from(line).has_on_edge(p)
}

/// A point, box, line or polygon as the outer geometry.
fn simple_contains(a: &Geometry, b: &Geometry) -> bool {
    match b {
        Geometry::Feature(feature) => simple_contains(a, &feature.geometry),
        Geometry::Collection(inner) => {
            !inner.is_empty
                && inner.children.iter().all(|child| !child.is_empty() && simple_contains(a, child))
        }
        Geometry::Circle(circle) => circle.lies_in(a),
        _ => match (Simple::of(a), Simple::of(b)) {
            (Some(a), Some(b)) => Area::Simple(a).covers(&b),
            _ => false,
        },
    }
}

/// Every non-empty leaf must lie in the union of the children; there must be such a leaf.
fn collection_contains(outer: &Collection, b: &Geometry) -> bool {
    !outer.is_empty && !b.is_empty() && all_leaves_in(outer, b)
}

fn all_leaves_in(outer: &Collection, b: &Geometry) -> bool {
    match b {
        Geometry::Collection(inner) => {
            inner.children.iter().all(|child| all_leaves_in(outer, child))
        }
        Geometry::Feature(feature) => all_leaves_in(outer, &feature.geometry),
        _ => b.is_empty() || leaf_lies_in(outer, b),
    }
}

/// Whether a geometry without children lies in the union of lines and regions, or in one Circle. A
/// Circle has to lie in one child.
fn leaf_lies_in(outer: &Collection, b: &Geometry) -> bool {
    let any_child =
        |holds: &dyn Fn(&Geometry) -> bool| any_child(outer, &b.bounds(), b.has_circle(), holds);
    match Simple::of(b) {
        None => any_child(&|child| contains(child, b)),
        Some(Simple::Point(p)) => any_child(&|child| contains_point(child, p)),
        Some(simple) => {
            Area::Collection(outer).covers(&simple)
                || (outer.has_circle
                    && any_child(&|child| child.has_circle() && contains(child, b)))
        }
    }
}

/// Whether the condition, which asks for a point shared with another geometry, holds for some
/// child. The other geometry's box is given, and whether it is a Circle or holds one.
fn any_child(
    collection: &Collection,
    bounds: &Rect,
    is_circle: bool,
    holds: impl Fn(&Geometry) -> bool,
) -> bool {
    let has_circle = collection.has_circle || is_circle;
    if has_circle && !(is_in_world(&collection.bounds) && is_in_world(bounds)) {
        // A Circle meets positions beyond ±180° and ±90° far from its own box.
        collection.children.iter().any(holds)
    } else {
        collection.near(bounds).any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Circle, CollectionKind, Feature, Holes, Line, Polygon};
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        (0..9i32, 0..9i32).prop_map(|(x, y)| Point::new(f64::from(x), f64::from(y)))
    }

    fn ring() -> impl Strategy<Value = Series> {
        proptest::collection::vec(point(), 3..90).prop_map(|mut points| {
            points.push(points[0]);
            Series::new(points)
        })
    }

    fn simple() -> impl Strategy<Value = Geometry> {
        prop_oneof![
            point().prop_map(Geometry::simple_point),
            (point(), point()).prop_map(|(a, b)| Geometry::Rect(Rect::new(a, b))),
            proptest::collection::vec(point(), 2..5).prop_map(|points| {
                let series = Series::new(points);
                Geometry::Line(Line { series, extra: None, members: None })
            }),
            (ring(), proptest::collection::vec(ring(), 0..2)).prop_map(|(exterior, holes)| {
                let holes = holes.into();
                Geometry::Polygon(Polygon { exterior, holes, extra: None, members: None })
            }),
            (point(), 0..5i32).prop_map(|(center, size)| {
                Geometry::Circle(Circle::new(center, f64::from(size) * 111_194.93))
            }),
        ]
    }

    fn geometry() -> impl Strategy<Value = Geometry> {
        simple().prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(|children| {
                    let kind = CollectionKind::GeometryCollection;
                    Geometry::Collection(Collection::new(kind, children, None))
                }),
                inner.prop_map(|geometry| {
                    Geometry::Feature(Box::new(Feature { geometry, members: None }))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_bare_point_answers_as_its_geometry(area in geometry(), p in point()) {
            let object = Geometry::simple_point(p);
            prop_assert_eq!(contains_point(&area, p), contains(&area, &object));
            prop_assert_eq!(intersects_point(&area, p), intersects(&object, &area));
            prop_assert_eq!(intersects_point(&area, p), intersects(&area, &object));
        }

        #[test]
        fn a_tree_over_children_changes_no_answer(
            children in proptest::collection::vec(
                prop_oneof![
                    4 => simple().prop_filter("no box in GeoJSON", |child| {
                        !matches!(child, Geometry::Rect(_))
                    }),
                    1 => Just(Geometry::simple_point(Point::new(f64::NAN, 3.0))),
                    1 => Just(Geometry::simple_point(Point::new(f64::NAN, f64::NAN))),
                ],
                64..90,
            ),
            other in geometry(),
        ) {
            let kind = CollectionKind::GeometryCollection;
            let fast = Collection::new(kind, children, None);
            let slow = Geometry::Collection(Collection { tree: None, ..fast.clone() });
            prop_assert!(fast.tree.is_some());
            let fast = Geometry::Collection(fast);
            prop_assert_eq!(contains(&fast, &other), contains(&slow, &other));
            prop_assert_eq!(contains(&other, &fast), contains(&other, &slow));
            prop_assert_eq!(intersects(&fast, &other), intersects(&slow, &other));
            prop_assert_eq!(intersects(&other, &fast), intersects(&other, &slow));
        }

        #[test]
        fn a_tree_over_holes_changes_no_answer(
            exterior in ring(),
            holes in proptest::collection::vec(ring(), 16..40),
            other in geometry(),
        ) {
            let holes = Holes::from(holes);
            let [fast, slow] = [holes.clone(), holes.without_tree()].map(|holes| {
                let exterior = exterior.clone();
                Geometry::Polygon(Polygon { exterior, holes, extra: None, members: None })
            });
            prop_assert_eq!(contains(&fast, &other), contains(&slow, &other));
            prop_assert_eq!(contains(&other, &fast), contains(&other, &slow));
            prop_assert_eq!(intersects(&fast, &other), intersects(&slow, &other));
            prop_assert_eq!(intersects(&other, &fast), intersects(&other, &slow));
        }

        #[test]
        fn any_pair_has_an_answer(x in geometry(), y in geometry()) {
            let _ = (contains(&x, &y), intersects(&x, &y));
        }
    }

    #[test]
    fn a_circle_holds_a_feature_as_what_it_holds() {
        let circle = Geometry::Circle(Circle::new(Point::new(0.0, 0.0), 100_000.0));
        let object = Geometry::simple_point(Point::new(0.8979, 0.0441));
        assert!(contains(&circle, &object));
        let wrapped = Feature { geometry: object, members: None };
        assert!(contains(&circle, &Geometry::Feature(Box::new(wrapped))));
    }

    #[test]
    fn a_box_with_swapped_corners_holds_nothing_and_lies_nowhere() {
        let swapped = Geometry::Rect(Rect::new(Point::new(5.0, 5.0), Point::new(1.0, 1.0)));
        let large = Geometry::Rect(Rect::new(Point::new(0.0, 0.0), Point::new(9.0, 9.0)));
        let middle = Geometry::simple_point(Point::new(3.0, 3.0));
        for other in [&large, &middle, &swapped] {
            assert!(!contains(other, &swapped) && !contains(&swapped, other));
            assert!(!intersects(other, &swapped) && !intersects(&swapped, other));
        }
    }

    #[test]
    fn empty_geometries_lie_in_nothing_but_circles() {
        let kind = CollectionKind::GeometryCollection;
        let empty = Geometry::Collection(Collection::new(kind, Vec::new(), None));
        let area = Geometry::Rect(Rect::new(Point::new(-9.0, -9.0), Point::new(9.0, 9.0)));
        assert!(!contains(&area, &empty) && !intersects(&empty, &area));
        assert!(contains(&Geometry::Circle(Circle::new(Point::new(0.0, 0.0), 5.0)), &empty));
    }
}
