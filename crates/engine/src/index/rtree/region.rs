//! What an area tells about the boxes of a node: which of them it touches, and which points are in
//! it or not, without looking at the items.

use arrayvec::ArrayVec;

use super::bounds::Bounds;
use crate::geometry::distance::{PlanarDisc, COVER_BOXES_MAX};
use crate::geometry::{PlanarArea, Rect};

/// An area to search.
pub(super) struct Region {
    boxes: ArrayVec<Bounds, COVER_BOXES_MAX>,
    /// The greatest x of the boxes.
    right: f32,
    points: Points,
}

/// How boxes decide about points.
enum Points {
    /// They don't.
    Undecided,
    /// Points whose boxes lie in this box are in the area, those that don't touch the area's box
    /// aren't.
    Box(Bounds),
    Disc(DiscBoxes),
}

/// Entries of a node as sets: bit n for the n-th entry.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    /// Those whose boxes touch the area's.
    pub touching: u64,
    /// Those of which all points are in the area.
    pub inside: u64,
    /// Those of which no point is.
    pub outside: u64,
}

impl Region {
    /// Returns the region that touches at least one of a few boxes. The area decides about points
    /// only if there is one box and all items are within ±180° and ±90°.
    pub fn new(boxes: &[Rect], area: Option<&PlanarArea>) -> Self {
        assert!(boxes.len() <= COVER_BOXES_MAX, "a cover has few boxes");
        let boxes: ArrayVec<Bounds, COVER_BOXES_MAX> = boxes.iter().map(Bounds::of_area).collect();
        // NaN restricts nothing.
        let greater = |a: f32, b: f32| if a.is_nan() || b <= a { a } else { b };
        let right = boxes.iter().map(|bounds| bounds.max(0)).fold(f32::NEG_INFINITY, greater);
        let points = match area.filter(|_| boxes.len() == 1) {
            Some(PlanarArea::Rect(rect)) if rect.is_ordered() => {
                Points::Box(Bounds::within_area(rect))
            }
            Some(PlanarArea::Disc(disc)) => Points::Disc(DiscBoxes::new(disc)),
            _ => Points::Undecided,
        };
        Region { boxes, right, points }
    }

    /// Returns what is known about the entries of a node.
    #[inline]
    pub fn sides(&self, all: &[Bounds]) -> Sides {
        let touching = match &self.boxes[..] {
            [area] => Bounds::select(all, self.right, |bounds| bounds.overlaps(area)),
            areas => Bounds::select(all, self.right, |bounds| {
                areas.iter().fold(false, |touches, area| touches | bounds.overlaps(area))
            }),
        };
        if touching == 0 {
            return Sides { touching, inside: 0, outside: 0 };
        }
        let (inside, outside) = match &self.points {
            Points::Undecided => (0, 0),
            Points::Box(inner) => {
                (Bounds::select(all, self.right, |bounds| inner.contains(bounds)), 0)
            }
            Points::Disc(disc) => (
                Bounds::select(all, self.right, |bounds| disc.contains(bounds)),
                Bounds::select(all, self.right, |bounds| disc.misses(bounds)),
            ),
        };
        Sides { touching, inside: inside & touching, outside: outside & touching }
    }

    /// Returns whether a box lies in one of the region's boxes, so that every item in it touches
    /// the region.
    pub fn holds(&self, bounds: &Bounds) -> bool {
        self.boxes.iter().any(|area| area.contains(bounds))
    }
}

/// A disc in single precision. What rounding may change is allowed for, so that a box near the
/// border is neither in the disc nor outside.
struct DiscBoxes {
    x: f32,
    y: f32,
    least_width: f32,
    most_width: f32,
    inside: f32,
    outside: f32,
}

/// By how many degrees a difference of ordinates may be off, besides relatively: the nearest float
/// to an ordinate of up to 180 is no farther away.
const DEGREES_ALLOWANCE: f32 = 1e-5;
/// By what share sums of squares may be off.
const RELATIVE_ALLOWANCE: f32 = 4e-6;

impl DiscBoxes {
    fn new(disc: &PlanarDisc) -> Self {
        DiscBoxes {
            x: disc.center.x as f32,
            y: disc.center.y as f32,
            least_width: disc.least_width as f32 * (1.0 - RELATIVE_ALLOWANCE),
            most_width: disc.most_width as f32 * (1.0 + RELATIVE_ALLOWANCE),
            inside: disc.inside as f32 * (1.0 - RELATIVE_ALLOWANCE),
            outside: disc.outside as f32 * (1.0 + RELATIVE_ALLOWANCE),
        }
    }

    /// Returns whether the farthest corner is in the disc.
    #[inline]
    fn contains(&self, bounds: &Bounds) -> bool {
        let east = (bounds.max(0) - self.x).max(self.x - bounds.min(0)) + DEGREES_ALLOWANCE;
        let north = (bounds.max(1) - self.y).max(self.y - bounds.min(1)) + DEGREES_ALLOWANCE;
        self.most_width * (east * east) + north * north <= self.inside
    }

    /// Returns whether the nearest point isn't.
    #[inline]
    fn misses(&self, bounds: &Bounds) -> bool {
        let east = (bounds.min(0) - self.x).max(self.x - bounds.max(0)) - DEGREES_ALLOWANCE;
        let north = (bounds.min(1) - self.y).max(self.y - bounds.max(1)) - DEGREES_ALLOWANCE;
        let (east, north) = (east.max(0.0), north.max(0.0));
        self.least_width * (east * east) + north * north > self.outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::geodesy::destination;
    use crate::geometry::{Circle, Geometry, Point};
    use proptest::prelude::*;

    /// Asserts that a decision about the box around points holds for each of them.
    fn check(area: &Geometry, points: &[Point]) -> Sides {
        let all = Rect::new(Point::new(-180.0, -90.0), Point::new(180.0, 90.0));
        let region = Region::new(&area.cover(&all), area.planar_area().as_ref());
        let bounds = Bounds::of_item(&Rect::around(points));
        let sides = region.sides(&[bounds]);
        for p in points {
            let is_inside = crate::geometry::predicates::contains_point(area, *p);
            assert!(sides.inside == 0 || is_inside, "{area:?} {p:?}");
            assert!(sides.outside == 0 || !is_inside, "{area:?} {p:?}");
            assert!(sides.touching == 1 || !is_inside, "{area:?} {p:?}");
        }
        sides
    }

    fn in_world(p: Point) -> Point {
        Point::new(p.x.clamp(-180.0, 180.0), p.y.clamp(-90.0, 90.0))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_boxes_tell_of_a_circle_is_so(
            (x, y) in (-180.0..180.0_f64, -90.0..90.0_f64),
            exponent in -3.0..7.4_f64,
            bearings in (0.0..360.0_f64, 0.0..360.0_f64),
            shares in prop_oneof![
                (0.0..1.5_f64, 0.0..1.5_f64),
                (0.0..1.5_f64, 0.999..1.001_f64),
                (-1e-6..1e-6_f64).prop_map(|more| (1.0 + more, 1.0 + more)),
            ],
        ) {
            let meters = 10.0_f64.powf(exponent);
            let center = Point::new(x, y);
            let area = Geometry::Circle(Circle::new(center, meters));
            let p = in_world(destination(center, meters * shares.0, bearings.0));
            let q = in_world(destination(center, meters * shares.1, bearings.1));
            check(&area, &[p]);
            check(&area, &[p, q, Point::new(p.x, q.y), Point::new(q.x, p.y)]);
        }

        #[test]
        fn what_boxes_tell_of_a_box_is_so(
            edges in prop::array::uniform4(edge()),
            p in (edge(), edge()),
            q in (edge(), edge()),
        ) {
            let [x, y, right, top] = edges;
            let area = Geometry::Rect(Rect::new(Point::new(x, y), Point::new(right, top)));
            let (p, q) = (Point::new(p.0, p.1), Point::new(q.0, q.1));
            check(&area, &[p]);
            check(&area, &[p, q]);
        }
    }

    /// Ordinates that coincide, that floats don't hold, and that are as good as 0.
    fn edge() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-9..9_i32).prop_map(|edge| f64::from(edge) / 3.0),
            (-4..4_i32).prop_map(|edge| 0.1 + f64::from(edge) * 1e-9),
            prop::sample::select(vec![0.0, -0.0, 5e-46, -5e-46, 1e-40, -1e-40, 3e-38]),
            -90.0..90.0_f64,
        ]
    }

    #[test]
    fn boxes_decide_about_nearly_all_points() {
        let circle = Geometry::Circle(Circle::new(Point::new(13.4, 52.5), 50_000.0));
        let rect = Rect::new(Point::new(12.7, 52.1), Point::new(14.1, 52.9));
        for area in [circle, Geometry::Rect(rect)] {
            let points = (0..10_000).map(|n| {
                Point::new(12.75 + f64::from(n % 100) * 0.013, 52.15 + f64::from(n / 100) * 0.007)
            });
            let sides = points.map(|p| check(&area, &[p]));
            let undecided = sides.filter(|sides| sides.inside | sides.outside == 0).count();
            assert!(undecided < 300, "{undecided}");
        }
    }
}
