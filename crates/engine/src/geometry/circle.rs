//! Circles: the set of places at most so many metres from a centre, on the whole sphere. Compares
//! them with points, other geometries and each other, by the distances that NEARBY has.

use super::border::is_border_nearer;
use super::distance::nearest::names_within;
use super::distance::{Cover, Disc, METERS_MAX};
use super::{predicates, Circle, Geometry, Point, Polygon, Rect, Series};

impl Circle {
    /// A circle of that many metres; one whose radius isn't positive is only its centre, one of
    /// half the Earth's circumference or more is all of the Earth.
    pub fn new(center: Point, meters: f64) -> Self {
        let disc = Disc::new(center, if meters < 0.0 { 0.0 } else { meters });
        let parts = disc.cover().into_iter();
        let bounds = parts.reduce(|all, part| all.union(&part)).unwrap_or_default();
        Circle { center, meters, bounds, disc: Box::new(disc) }
    }

    /// The box around it: from -180° to 180° if it crosses the antimeridian or holds a pole.
    pub fn bounds(&self) -> Rect {
        self.bounds
    }

    /// The boxes within ±180° and ±90° around it, two if it crosses the antimeridian.
    pub fn cover(&self) -> Cover {
        self.disc.cover()
    }

    /// Whether a point lies in the circle.
    pub fn contains_point(&self, p: Point) -> bool {
        self.disc.has_point(p)
    }

    /// Whether all of a geometry lies in the circle; so does what is empty.
    pub fn contains(&self, geometry: &Geometry) -> bool {
        match geometry {
            Geometry::Point(position) => self.contains_point(position.point),
            Geometry::Feature(feature) => self.contains(&feature.geometry),
            Geometry::Collection(inner) => inner.children.iter().all(|child| self.contains(child)),
            Geometry::Circle(other) => self.contains_circle(other),
            Geometry::Line(line) => self.contains_series(&line.series),
            Geometry::Rect(rect) => rect.is_ordered() && self.contains_rect(rect),
            Geometry::Polygon(polygon) => self.contains_polygon(polygon, geometry),
        }
    }

    /// Whether a geometry and the circle share a place.
    pub fn intersects(&self, geometry: &Geometry) -> bool {
        let disc = &*self.disc;
        match geometry {
            Geometry::Point(position) => self.contains_point(position.point),
            Geometry::Circle(other) => {
                disc.origin.to_point(other.center) <= disc.meters + other.disc.meters
            }
            _ if geometry.is_empty() => false,
            _ => {
                let between = disc.origin.between(&geometry.bounds());
                let is_near = || disc.origin.to_geometry(geometry, disc.meters) <= disc.meters;
                between.most <= disc.meters || (between.least <= disc.meters && is_near())
            }
        }
    }

    /// Whether all of the circle lies in a point, box, line or polygon.
    pub(super) fn lies_in(&self, area: &Geometry) -> bool {
        let disc = &*self.disc;
        let center = disc.origin.point();
        let has_center = names_within(center, &area.bounds())
            .iter()
            .any(|p| predicates::contains_point(area, *p));
        if !has_center || disc.meters == 0.0 || disc.meters.is_nan() {
            return has_center && disc.meters == 0.0;
        }
        let is_free = |ring: &Series| !is_border_nearer(&disc.origin, ring, disc.meters);
        match area {
            Geometry::Rect(rect) => is_free(&Series::new(rect.ring().to_vec())),
            Geometry::Polygon(polygon) => {
                is_free(&polygon.exterior) && polygon.holes.iter().all(is_free)
            }
            _ => false,
        }
    }

    fn contains_circle(&self, other: &Circle) -> bool {
        let (own, meters) = (self.disc.meters, other.disc.meters);
        self.disc.origin.to_point(other.center) + meters <= own
            || (own >= METERS_MAX && meters >= 0.0)
    }

    fn contains_rect(&self, rect: &Rect) -> bool {
        let corners = rect.ring();
        self.contains_edges(&corners) && !self.is_antipode_in(rect, |p| rect.contains_point(p))
    }

    /// The farthest place of an area is on its border, unless the area holds the place opposite of
    /// the centre, or has a hole there.
    fn contains_polygon(&self, polygon: &Polygon, geometry: &Geometry) -> bool {
        let Polygon { exterior, holes, .. } = polygon;
        let bounds = exterior.bounds();
        self.contains_series(exterior)
            && !self.is_antipode_in(&bounds, |p| predicates::contains_point(geometry, p))
            && (!self.is_antipode_in(&bounds, |p| predicates::is_in_ring(exterior, p, true))
                || holes.iter().all(|hole| self.contains_series(hole)))
    }

    /// Whether the place opposite of the centre, which only the whole Earth has, is in an area.
    fn is_antipode_in(&self, bounds: &Rect, has_point: impl Fn(Point) -> bool) -> bool {
        let names = names_within(self.disc.origin.antipode(), bounds);
        self.disc.meters < METERS_MAX && names.into_iter().any(has_point)
    }

    fn contains_series(&self, series: &Series) -> bool {
        let is_undecided = |bounds: &Rect| self.disc.origin.between(bounds).most > self.disc.meters;
        let points = series.points();
        if !is_undecided(&series.bounds()) {
            return true;
        }
        match series.tree() {
            Some(tree) => {
                tree.runs(is_undecided).all(|run| self.contains_edges(&points[run.start..=run.end]))
            }
            None => self.contains_edges(points),
        }
    }

    fn contains_edges(&self, points: &[Point]) -> bool {
        points.iter().all(|p| self.contains_point(*p))
            && points.windows(2).all(|ends| !self.disc.is_left_by(ends[0], ends[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::geodesy::EARTH_METERS;
    use std::f64::consts::PI;

    fn circle(x: f64, y: f64, meters: f64) -> Circle {
        Circle::new(Point::new(x, y), meters)
    }

    fn rect(min_x: f64, min_y: f64, max_x: f64, max_y: f64) -> Geometry {
        Geometry::Rect(Rect::new(Point::new(min_x, min_y), Point::new(max_x, max_y)))
    }

    #[test]
    fn a_circle_without_radius_is_its_center() {
        let center = circle(10.0, 20.0, -5.0);
        assert!(center.contains_point(center.center));
        assert!(!center.contains_point(Point::new(10.0, 20.000_001)));
        assert_eq!(center.bounds(), Rect::new(center.center, center.center));
        assert!(center.lies_in(&Geometry::simple_point(center.center)));
    }

    #[test]
    fn half_the_circumference_and_more_is_all_of_the_earth() {
        for meters in [PI * EARTH_METERS, 3e7, 4.1e7, 1e300, f64::INFINITY] {
            let all = circle(0.0, 10.0, meters);
            assert!(all.contains_point(Point::new(180.0, -10.0)), "{meters}");
            assert!(all.contains(&rect(-180.0, -90.0, 180.0, 90.0)), "{meters}");
            assert!(all.lies_in(&rect(-180.0, -90.0, 180.0, 90.0)), "{meters}");
            assert!(all.contains_circle(&all) && !circle(0.0, 0.0, 2e7).contains_circle(&all));
        }
        let nearly = circle(0.0, 10.0, PI * EARTH_METERS - 1.0);
        assert!(!nearly.contains_point(Point::new(180.0, -10.0)));
        assert!(!nearly.contains(&rect(-180.0, -90.0, 180.0, 90.0)));
    }

    #[test]
    fn a_radius_that_is_no_number_is_that_of_nothing() {
        let nothing = circle(0.0, 0.0, f64::NAN);
        assert!(
            !nothing.contains_point(nothing.center)
                && !nothing.intersects(&rect(-1.0, -1.0, 1.0, 1.0))
        );
        assert!(!nothing.lies_in(&rect(-1.0, -1.0, 1.0, 1.0)));
        assert!(!nothing.contains_circle(&nothing));
    }

    #[test]
    fn circles_lie_in_each_other_only_as_a_whole() {
        let (large, small) = (circle(0.0, 0.0, 20_000.0), circle(0.0, 0.1, 1000.0));
        assert!(large.contains_circle(&small) && !small.contains_circle(&large));
        assert!(large.contains_circle(&large));
        assert!(!large.contains_circle(&circle(0.0, 0.1, 9_000.0)));
        assert!(large.intersects(&Geometry::Circle(circle(0.0, 0.3, 14_000.0))));
        assert!(!large.intersects(&Geometry::Circle(circle(0.0, 0.3, 13_000.0))));
    }

    #[test]
    fn a_circle_lies_in_an_area_across_borders_that_are_none_on_the_sphere() {
        let world = rect(-180.0, -90.0, 180.0, 90.0);
        let band = rect(-180.0, 50.0, 180.0, 90.0);
        let east = rect(0.0, 50.0, 180.0, 90.0);
        for (y, meters, is_in_band) in
            [(60.0, 100_000.0, true), (60.0, 2e6, false), (89.0, 4e6, true)]
        {
            let across = circle(179.9, y, meters);
            assert!(across.lies_in(&world));
            assert_eq!(across.lies_in(&band), is_in_band, "{y} {meters}");
            assert!(!across.lies_in(&east));
        }
        assert!(circle(90.0, 70.0, 100_000.0).lies_in(&east));
    }

    #[test]
    fn an_area_that_holds_the_opposite_place_is_in_no_circle() {
        let circle = circle(10.0, 20.0, 2e7);
        assert!(!circle.contains(&rect(-171.0, -21.0, -169.0, -19.0)));
        assert!(circle.contains(&rect(-100.0, -21.0, 50.0, 60.0)));
        let ring = |size: f64| {
            let (west, south) = (-170.0 - size, -20.0 - size);
            Series::new(
                Rect::new(Point::new(west, south), Point::new(-170.0 + size, -20.0 + size))
                    .ring()
                    .to_vec(),
            )
        };
        let frame = |hole: f64| {
            let (exterior, holes) = (ring(20.0), vec![ring(hole)].into());
            Geometry::Polygon(Polygon { exterior, holes, extra: None, members: None })
        };
        assert!(circle.contains(&frame(1.0)) && !circle.contains(&frame(0.01)));
    }
}
