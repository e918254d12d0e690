//! Sets of points in the plane as an oracle for predicates, in whole numbers, so that nothing is
//! rounded. Written for being plainly right: all edges cut each other, and one point of every
//! corner, of every piece of an edge and of every face between edges is looked at.

use std::cmp::Ordering;

/// A corner of a shape.
pub type Vertex = (i64, i64);

/// The union of points, lines and polygons. A polygon is its exterior by the even-odd rule, border
/// included, without what lies strictly inside of a hole.
#[derive(Default)]
pub struct PlaneSet {
    pub points: Vec<Vertex>,
    pub lines: Vec<Vec<Vertex>>,
    pub polygons: Vec<Vec<Vec<Vertex>>>,
}

/// The point (x/w, y/w); w is positive.
#[derive(Clone, Copy)]
struct Place {
    x: i128,
    y: i128,
    w: i128,
}

type Edge = (Vertex, Vertex);

impl Place {
    fn of((x, y): Vertex) -> Self {
        Place { x: i128::from(x), y: i128::from(y), w: 1 }
    }

    fn middle(self, other: Place) -> Place {
        let (x, y) = (self.x * other.w + other.x * self.w, self.y * other.w + other.y * self.w);
        Place { x, y, w: 2 * self.w * other.w }
    }

    fn compare_x(&self, other: &Place) -> Ordering {
        (self.x * other.w).cmp(&(other.x * self.w))
    }

    fn compare_y(&self, other: &Place) -> Ordering {
        (self.y * other.w).cmp(&(other.y * self.w))
    }

    /// Positive if the place is left of an edge.
    fn side(&self, ((ax, ay), (bx, by)): Edge) -> i128 {
        let [ax, ay, bx, by] = [ax, ay, bx, by].map(i128::from);
        (bx - ax) * (self.y - ay * self.w) - (by - ay) * (self.x - ax * self.w)
    }

    fn is_on(&self, edge: Edge) -> bool {
        let is_between = |p: i128, a: i64, b: i64| {
            let (low, high) = (i128::from(a.min(b)), i128::from(a.max(b)));
            p >= low * self.w && p <= high * self.w
        };
        let ((ax, ay), (bx, by)) = edge;
        self.side(edge) == 0 && is_between(self.x, ax, bx) && is_between(self.y, ay, by)
    }

    fn is_on_any(&self, chain: &[Vertex]) -> bool {
        edges(chain).any(|edge| self.is_on(edge))
    }

    /// Whether the place is inside a ring or on it, by the even-odd rule.
    fn is_in(&self, ring: &[Vertex]) -> bool {
        let crossed = edges(ring).filter(|edge| {
            let is_above = |vertex: Vertex| i128::from(vertex.1) * self.w > self.y;
            let is_upward = is_above(edge.1);
            is_above(edge.0) != is_upward && (self.side(*edge) > 0) == is_upward
        });
        crossed.count() % 2 == 1 || self.is_on_any(ring)
    }

    fn is_strictly_in(&self, ring: &[Vertex]) -> bool {
        self.is_in(ring) && !self.is_on_any(ring)
    }
}

fn edges(chain: &[Vertex]) -> impl Iterator<Item = Edge> + '_ {
    chain.windows(2).map(|ends| (ends[0], ends[1]))
}

/// Where two edges meet: their common points, or the ends of the stretch that they share.
fn meetings(first: Edge, second: Edge) -> Vec<Place> {
    let ends = [(first.0, second), (first.1, second), (second.0, first), (second.1, first)];
    let mut places: Vec<Place> = ends
        .into_iter()
        .map(|(end, edge)| (Place::of(end), edge))
        .filter(|(place, edge)| place.is_on(*edge))
        .map(|(place, _)| place)
        .collect();
    let (p, q) = (Place::of(first.0).side(second), Place::of(first.1).side(second));
    let (r, s) = (Place::of(second.0).side(first), Place::of(second.1).side(first));
    if p.signum() * q.signum() < 0 && r.signum() * s.signum() < 0 {
        let (p, q) = (p.abs(), q.abs());
        let at = |a: i64, b: i64| i128::from(a) * q + i128::from(b) * p;
        let (a, b) = first;
        places.push(Place { x: at(a.0, b.0), y: at(a.1, b.1), w: p + q });
    }
    places
}

/// One place of every corner, of every piece of an edge and of every bounded face. A point is an
/// edge from itself to itself.
fn samples(edges: &[Edge]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut pieces = Vec::new();
    for edge in edges {
        let mut cuts: Vec<Place> = edges.iter().flat_map(|other| meetings(*edge, *other)).collect();
        cuts.sort_by(|a, b| a.compare_x(b).then(a.compare_y(b)));
        pieces.extend(cuts.windows(2).map(|ends| ends[0].middle(ends[1])));
        places.extend(cuts);
    }
    let mut columns = places.clone();
    columns.sort_by(Place::compare_x);
    columns.dedup_by(|a, b| a.compare_x(b).is_eq());
    for sides in columns.windows(2) {
        let column = sides[0].middle(sides[1]);
        let mut heights: Vec<Place> =
            edges.iter().filter_map(|edge| height(*edge, column)).collect();
        heights.sort_by(Place::compare_y);
        places.extend(heights.windows(2).map(|ends| ends[0].middle(ends[1])));
    }
    places.extend(pieces);
    places
}

/// Where an edge passes a column.
fn height(((ax, ay), (bx, by)): Edge, column: Place) -> Option<Place> {
    let [ax, ay, bx, by] = [ax, ay, bx, by].map(i128::from);
    let (left, right) = (ax.min(bx), ax.max(bx));
    if column.x <= left * column.w || column.x >= right * column.w {
        return None;
    }
    let width = (bx - ax).abs();
    let rise = (by - ay) * (bx - ax).signum();
    let w = column.w * width;
    Some(Place { x: column.x * width, y: ay * w + rise * (column.x - ax * column.w), w })
}

impl PlaneSet {
    fn edges(&self) -> Vec<Edge> {
        let rings = self.polygons.iter().flatten();
        self.lines.iter().chain(rings).flat_map(|chain| edges(chain)).collect()
    }

    fn holds(&self, place: &Place) -> bool {
        self.points.iter().any(|point| place.is_on((*point, *point)))
            || self.lines.iter().any(|line| place.is_on_any(line))
            || self.polygons.iter().any(|rings| {
                place.is_in(&rings[0]) && !rings[1..].iter().any(|hole| place.is_strictly_in(hole))
            })
    }

    /// The places of both sets' corners, pieces and faces.
    fn samples_with(&self, other: &PlaneSet) -> Vec<Place> {
        let points = self.points.iter().chain(&other.points).map(|point| (*point, *point));
        samples(&points.chain(self.edges()).chain(other.edges()).collect::<Vec<Edge>>())
    }

    /// Whether all of the other set lies in this one. All edges of a polygon count as part of it,
    /// also those of a hole that lies outside of the exterior.
    pub fn covers(&self, other: &PlaneSet) -> bool {
        let edges = other.edges();
        let is_in_other =
            |place: &Place| other.holds(place) || edges.iter().any(|edge| place.is_on(*edge));
        let mut samples = self.samples_with(other).into_iter();
        samples.all(|place| self.holds(&place) || !is_in_other(&place))
    }

    /// Whether the two sets share a place.
    pub fn intersects(&self, other: &PlaneSet) -> bool {
        let mut samples = self.samples_with(other).into_iter();
        samples.any(|place| self.holds(&place) && other.holds(&place))
    }

    /// Whether all edges of each polygon belong to it.
    pub fn has_holes_inside(&self) -> bool {
        self.polygons.iter().all(|rings| {
            let polygon = PlaneSet { polygons: vec![rings.clone()], ..PlaneSet::default() };
            let edges = polygon.edges();
            let mut places = samples(&edges).into_iter();
            places
                .all(|place| polygon.holds(&place) || !edges.iter().any(|edge| place.is_on(*edge)))
        })
    }
}
