//! The distance from a position to any geometry, by going through as few of its edges and parts as
//! possible: boxes and a plane rule out most of them before any is measured on the sphere.

use super::super::box_tree::{BoxTree, FAN_OUT};
use super::super::geodesy::EARTH_METERS;
use super::super::kernels::sin;
use super::super::predicates::{is_in_ring, is_on_line};
use super::super::{Collection, Geometry, Point, Polygon, Rect, Series};
use super::bounds::low_sine;
use super::edge::Edge;
use super::plane::{place, Plane};
use super::{is_in_world, Between, Origin, METERS_MAX, WORLD};
use arrayvec::ArrayVec;

/// A haversine that no distance has.
const BEYOND_ALL: f64 = 2.0;
/// Keeps what lies exactly at the greatest distance, in radians: some micrometres.
const LIMIT_ALLOWANCE: f64 = 1e-12;
/// A line that comes so near may run through the position, as the planar predicate has it.
const TOUCHING_HAVERSINE: f64 = 1e-20;
/// Nearer places aren't estimated: some metres.
const ESTIMATED_HAVERSINE_MIN: f64 = 1e-13;
/// From this angle on, the box of a node is worth the trigonometry of its exact distance.
const FAR_ANGLE: f64 = 0.05;
/// Edges that are compared on a plane at once.
const RUN_EDGES_MAX: usize = 32;
/// Names of one place within a geometry that goes beyond ±180° or ±90°.
const NAMES_MAX: usize = 8;

/// A distance, and what it took to find it.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// The distance in metres; infinite if there is none or it exceeds what was asked for.
    pub meters: f64,
    /// Edges, boxes and parts that were looked at.
    pub looked_at: usize,
}

/// Lower and upper bounds of a distance, and the work that finding them took.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// The bounds in metres. Both are infinite if the distance exceeds the greatest that was
    /// asked for.
    pub between: Between,
    /// Edges and boxes that were looked at.
    pub looked_at: usize,
}

impl Origin {
    /// The distance to a geometry in metres: 0 within an area, otherwise the least distance to its
    /// border, infinite for an empty one. A distance above `meters_max` may be given as infinite.
    pub fn to_geometry(&self, geometry: &Geometry, meters_max: f64) -> f64 {
        self.measure(geometry, meters_max).meters
    }

    /// The same, with what it took.
    pub fn measure(&self, geometry: &Geometry, meters_max: f64) -> Measured {
        let mut search = Search::new(self, meters_max);
        search.geometry(geometry);
        let meters = search.meters();
        Measured { meters, looked_at: search.looked_at }
    }

    /// Returns bounds of the distance to a line or a polygon, where they are close and cheap:
    /// `None` for other geometries, far away, and for polygons around the origin.
    pub fn estimate(&self, geometry: &Geometry, meters_max: f64) -> Option<Estimate> {
        let series = match geometry {
            Geometry::Line(line) => &line.series,
            Geometry::Polygon(polygon) => &polygon.exterior,
            Geometry::Feature(feature) => return self.estimate(&feature.geometry, meters_max),
            _ => return None,
        };
        let bounds = series.bounds();
        let is_line = matches!(geometry, Geometry::Line(_));
        if !is_line && !names_within(self.point, &bounds).is_empty() {
            return None;
        }
        let plane = Plane::new(self, &bounds).filter(Plane::is_close)?;
        let mut search = Search::new(self, meters_max);
        search.is_estimating = true;
        search.series_on(series, &plane);
        let between = match search.found {
            Found::Place(p) if search.limit > ESTIMATED_HAVERSINE_MIN => Between {
                least: Between::least_of_haversine(search.limit),
                most: self.most_at_offset(plane.offset(p)),
            },
            Found::Nothing => Between { least: f64::INFINITY, most: f64::INFINITY },
            _ => return None,
        };
        Some(Estimate { between, looked_at: search.looked_at })
    }

    /// Whether part of a chain of edges is nearer than `meters`.
    pub(in super::super) fn is_chain_nearer(&self, series: &Series, meters: f64) -> bool {
        let mut search = Search::new(self, meters);
        search.series(series);
        search.meters() < meters
    }

    /// Whether part of an edge is nearer than `meters`.
    pub(in super::super) fn is_edge_nearer(&self, a: Point, b: Point, meters: f64) -> bool {
        let mut search = Search::new(self, meters);
        search.edge(a, b);
        search.meters() < meters
    }
}

/// The nearest place found so far.
enum Found {
    Nothing,
    Place(Point),
    Meters(f64),
}

struct Search<'o> {
    origin: &'o Origin,
    /// The least haversine so far, or the greatest that is of interest.
    limit: f64,
    found: Found,
    /// Whether the place is wanted that is nearest on a plane, with a lower bound of its haversine.
    is_estimating: bool,
    looked_at: usize,
}

impl<'o> Search<'o> {
    fn new(origin: &'o Origin, meters_max: f64) -> Self {
        let limit = if meters_max >= METERS_MAX {
            BEYOND_ALL
        } else {
            // A bit more than the haversine, as x ≥ sin x.
            let half = 0.5 * meters_max / EARTH_METERS + LIMIT_ALLOWANCE;
            half * half
        };
        Search { origin, limit, found: Found::Nothing, is_estimating: false, looked_at: 0 }
    }

    fn meters(&self) -> f64 {
        match self.found {
            Found::Nothing => f64::INFINITY,
            Found::Place(p) => self.origin.to_point(p),
            Found::Meters(meters) => meters,
        }
    }

    fn geometry(&mut self, geometry: &Geometry) {
        self.looked_at += 1;
        match geometry {
            Geometry::Point(position) => self.point(position.point),
            Geometry::Rect(rect) => self.rect(rect),
            Geometry::Line(line) => self.line(&line.series),
            Geometry::Polygon(polygon) => self.polygon(polygon),
            Geometry::Collection(collection) => self.collection(collection),
            Geometry::Feature(feature) => self.geometry(&feature.geometry),
            Geometry::Circle(circle) => {
                let beyond = self.origin.to_point(circle.center) - circle.meters.max(0.0);
                self.take_meters(if beyond < 0.0 { 0.0 } else { beyond });
            }
        }
    }

    fn point(&mut self, p: Point) {
        self.take_place(p, self.origin.haversine_to(p));
    }

    fn take_place(&mut self, p: Point, haversine: f64) {
        if haversine < self.limit {
            self.limit = haversine;
            self.found = Found::Place(p);
        }
    }

    fn take_meters(&mut self, meters: f64) {
        let half = sin(0.5 * meters / EARTH_METERS);
        if half * half < self.limit {
            self.limit = half * half;
            self.found = Found::Meters(meters);
        }
    }

    fn rect(&mut self, rect: &Rect) {
        if is_in_world(rect) && self.origin.is_in_world {
            self.take_meters(self.origin.to_rect(rect));
        } else if !names_within(self.origin.point, rect).is_empty() {
            self.take_meters(0.0);
        } else {
            self.edges(&rect.ring(), None);
        }
    }

    fn line(&mut self, series: &Series) {
        self.series(series);
        if self.limit < TOUCHING_HAVERSINE {
            let names = names_within(self.origin.point, &series.bounds());
            if names.iter().any(|name| is_on_line(series, *name)) {
                self.take_meters(0.0);
            }
        }
    }

    /// Outside of the exterior ring that is the nearest one, in a hole it is the hole's.
    fn polygon(&mut self, polygon: &Polygon) {
        let mut is_outside = true;
        for name in names_within(self.origin.point, &polygon.exterior.bounds()) {
            if !is_in_ring(&polygon.exterior, name, true) {
                continue;
            }
            is_outside = false;
            match polygon.holes.iter().find(|hole| is_in_ring(hole, name, false)) {
                Some(hole) => self.series(hole),
                None => return self.take_meters(0.0),
            }
        }
        if is_outside {
            self.series(&polygon.exterior);
        }
    }

    fn collection(&mut self, collection: &Collection) {
        let children = &collection.children;
        let Some(tree) = &collection.tree else {
            return children.iter().for_each(|child| self.part(child));
        };
        self.descend_from_root(tree.tree(), &Self::box_haversine, &mut |search, leaf| {
            for index in &tree.order()[tree.tree().run(leaf)] {
                search.part(&children[*index as usize]);
            }
        });
    }

    fn part(&mut self, child: &Geometry) {
        let is_point = matches!(child, Geometry::Point(_));
        if is_point || (!child.is_empty() && self.box_haversine(&child.bounds()) < self.limit) {
            self.geometry(child);
        }
    }

    fn series(&mut self, series: &Series) {
        let (points, bounds) = (series.points(), series.bounds());
        let plane = Plane::new(self.origin, &bounds);
        if let Some(plane) = plane.as_ref().filter(|plane| plane.is_close()) {
            return self.series_on(series, plane);
        }
        let Some(tree) = series.tree() else { return self.edges(points, plane.as_ref()) };
        self.descend_from_root(tree, &Self::box_haversine, &mut |search, leaf| {
            let run = tree.run(leaf);
            let plane = Plane::new(search.origin, tree.bounds(leaf));
            search.edges(&points[run.start..=run.end], plane.as_ref());
        });
    }

    /// The edges of a series, given a plane that is close for all of them.
    fn series_on(&mut self, series: &Series, plane: &Plane) {
        let points = series.points();
        let Some(tree) = series.tree() else { return self.edges(points, Some(plane)) };
        self.descend_from_root(
            tree,
            &|_, bounds| plane.box_haversine(bounds),
            &mut |search, leaf| {
                let run = tree.run(leaf);
                search.edges(&points[run.start..=run.end], Some(plane));
            },
        );
    }

    fn descend_from_root(
        &mut self,
        tree: &BoxTree,
        bound: &impl Fn(&Self, &Rect) -> f64,
        visit: &mut impl FnMut(&mut Self, usize),
    ) {
        if let Some(root) = tree.root() {
            self.descend(tree, root, bound, visit);
        }
    }

    /// Visits the leaves below a node, the nearest first, that may hold something nearer than what
    /// is known, given a lower bound of the haversine of a box.
    fn descend(
        &mut self,
        tree: &BoxTree,
        node: usize,
        bound: &impl Fn(&Self, &Rect) -> f64,
        visit: &mut impl FnMut(&mut Self, usize),
    ) {
        let bounded = |child| (bound(self, tree.bounds(child)), child);
        let mut children: ArrayVec<(f64, usize), FAN_OUT> =
            tree.children(node).map(bounded).collect();
        if children.is_empty() {
            return visit(self, node);
        }
        self.looked_at += children.len();
        children.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for (haversine, child) in children {
            if haversine < self.limit {
                self.descend(tree, child, bound, visit);
            }
        }
    }

    /// A lower bound of the haversine to anything in a box.
    fn box_haversine(&self, bounds: &Rect) -> f64 {
        let Some((angle, _)) = self.origin.angles_between(bounds) else { return 0.0 };
        if angle > FAR_ANGLE && is_in_world(bounds) {
            let half = sin(0.5 * self.origin.angle_to(bounds));
            return half * half * (1.0 - LIMIT_ALLOWANCE);
        }
        let half = low_sine(0.5 * angle);
        half * half * (1.0 - LIMIT_ALLOWANCE)
    }

    /// The edges between consecutive points; a plane, if there is one, holds for all of them.
    fn edges(&mut self, points: &[Point], plane: Option<&Plane>) {
        self.looked_at += points.len();
        let Some(plane) = plane else {
            return points.windows(2).for_each(|ends| self.edge(ends[0], ends[1]));
        };
        let last = points.len().saturating_sub(1);
        for start in (0..last).step_by(RUN_EDGES_MAX) {
            self.run(&points[start..=last.min(start + RUN_EDGES_MAX)], plane);
        }
    }

    /// Measures on the sphere those edges that the plane doesn't rule out, the most promising one
    /// first.
    fn run(&mut self, points: &[Point], plane: &Plane) {
        let mut haversines = [f64::INFINITY; RUN_EDGES_MAX];
        let haversines = &mut haversines[..points.len() - 1];
        // Without a branch, so that several are computed at once.
        for (haversine, ends) in haversines.iter_mut().zip(points.windows(2)) {
            *haversine = plane.haversine(ends[0], ends[1]);
        }
        let (mut nearest, mut least) = (0, self.limit);
        for (at, haversine) in haversines.iter().enumerate() {
            if *haversine < least {
                (nearest, least) = (at, *haversine);
            }
        }
        if self.is_estimating {
            if least < self.limit {
                self.take_place(plane.nearest(points[nearest], points[nearest + 1]), least);
            }
            return;
        }
        if least < self.limit {
            haversines[nearest] = f64::INFINITY; // not twice
            self.edge(points[nearest], points[nearest + 1]);
        }
        for (at, haversine) in haversines.iter().enumerate() {
            if *haversine < self.limit {
                self.edge(points[at], points[at + 1]);
            }
        }
    }

    fn edge(&mut self, a: Point, b: Point) {
        if let Some(found) = Edge::new(self.origin, a, b).nearest(self.limit) {
            self.take_place(place(a, b, found.share), found.haversine);
        }
    }
}

/// Returns the names of a place within a box, which are its pairs of coordinates: one or none
/// unless the box goes beyond ±180° or ±90°.
pub(in super::super) fn names_within(p: Point, bounds: &Rect) -> ArrayVec<Point, NAMES_MAX> {
    let mut names = ArrayVec::new();
    if p.x.abs() < WORLD.max.x && p.y.abs() < WORLD.max.y && is_in_world(bounds) {
        if bounds.contains_point(p) {
            names.push(p);
        }
        return names;
    }
    for (x, y) in [(p.x, p.y), (p.x + 180.0, 180.0 - p.y), (p.x + 180.0, -180.0 - p.y)] {
        if y < bounds.min.y || y > bounds.max.y {
            continue;
        }
        let turns = ((bounds.min.x - x) / 360.0).ceil();
        let mut name = Point::new(x + turns * 360.0, y);
        while bounds.contains_point(name) && names.try_push(name).is_ok() {
            name.x += 360.0;
        }
    }
    names
}
