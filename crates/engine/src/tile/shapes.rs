//! The shape of a geometry on the grid of a tile: clipped to the frame, with integer coordinates.
//!
//! Rounding to cells can make a ring touch or cross itself or another one, so polygons are rebuilt
//! on the grid. Lines and polygons that are smaller than a cell vanish.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{IntOverlayOptions, Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::i_shape::int::shape::{IntShape, IntShapes};

use super::grid::{Cell, Grid};
use super::pen::Pen;
use super::Frame;
use crate::geometry::{clip, sector, Circle, Collection, Geometry, Point, Polygon, Rect, Series};

/// The type of a feature's geometry; the value is the tile format's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Points = 1,
    Lines = 2,
    Polygons = 3,
}

/// The longitudes by which geometries beyond ±180° are moved, to be drawn on the other side.
const TURNS: [f64; 3] = [0.0, -360.0, 360.0];
const FULL_TURN: f64 = 360.0;
const LONGITUDE_MAX: f64 = 180.0;
const POLE: f64 = 90.0;

/// The part of a point, line or polygon, or of a Multi* geometry of these, in a frame.
pub(super) struct Shape {
    kind: Kind,
    points: Vec<Cell>,
    lines: Vec<Vec<Cell>>,
    polygons: IntShapes,
    /// Whether polygons of several geometries may overlap.
    is_mixed: bool,
}

impl Shape {
    /// Returns the part in the frame of a geometry that isn't a collection of different kinds.
    pub fn of(geometry: &Geometry, frame: &Frame) -> Self {
        let mut shape = Shape {
            kind: kind_of(geometry),
            points: Vec::new(),
            lines: Vec::new(),
            polygons: Vec::new(),
            is_mixed: false,
        };
        let circle;
        let geometry = match geometry {
            Geometry::Circle(round) => {
                circle = outline(round);
                &circle
            }
            other => other,
        };
        let bounds = geometry.bounds();
        let is_beyond = bounds.min.x < -LONGITUDE_MAX || bounds.max.x > LONGITUDE_MAX;
        for turn in &TURNS[..if is_beyond { TURNS.len() } else { 1 }] {
            shape.add(geometry, frame, *turn);
        }
        shape
    }

    /// Adds the part of a geometry that lies in the frame after a turn of so many degrees.
    fn add(&mut self, geometry: &Geometry, frame: &Frame, turn: f64) {
        let Rect { min, max } = frame.bounds;
        let window = Rect::new(Point::new(min.x - turn, min.y), Point::new(max.x - turn, max.y));
        let bounds = geometry.bounds();
        if !(bounds.is_ordered() && window.overlaps(&bounds)) {
            return;
        }
        match geometry {
            Geometry::Collection(collection) => {
                for child in &collection.children {
                    self.add(child, frame, turn);
                }
            }
            _ if window.contains(&bounds) => self.add_part(geometry, &frame.grid, turn),
            _ => match clip::clip(geometry, &window) {
                Geometry::Collection(Collection { children, .. }) => {
                    for part in &children {
                        self.add_part(part, &frame.grid, turn);
                    }
                }
                part => self.add_part(&part, &frame.grid, turn),
            },
        }
    }

    /// Adds a simple geometry that lies in the frame after a turn.
    fn add_part(&mut self, part: &Geometry, grid: &Grid, turn: f64) {
        match part {
            Geometry::Point(position) => self.points.push(grid.cell(position.point, turn)),
            Geometry::Line(line) => {
                let cells = without_straight_cells(grid.cells(line.series.points(), turn));
                if cells.len() > 1 {
                    self.lines.push(cells);
                }
            }
            Geometry::Rect(rect) => {
                self.add_rings(&[&Series::new(rect.ring().to_vec())], grid, turn);
            }
            Geometry::Polygon(Polygon { exterior, holes, .. }) => {
                let rings: Vec<&Series> = std::iter::once(exterior).chain(holes).collect();
                self.add_rings(&rings, grid, turn);
            }
            Geometry::Collection(_) | Geometry::Feature(_) | Geometry::Circle(_) => {}
        }
    }

    fn add_rings(&mut self, rings: &[&Series], grid: &Grid, turn: f64) {
        let cells = rings.iter().map(|ring| grid.cells(ring.points(), turn));
        let rings: Vec<Vec<Cell>> = cells.filter(|cells| cells.len() > 2).collect();
        let positions = rings.iter().map(Vec::len).sum();
        let mut overlay = new_overlay(positions);
        for ring in rings {
            let points = ring.iter().map(|[x, y]| IntPoint::new(*x, *y));
            overlay.add_path_iter(points, ShapeType::Subject);
        }
        let mut shapes = overlay.overlay(OverlayRule::Subject, FillRule::EvenOdd);
        self.is_mixed |= !(self.polygons.is_empty() || shapes.is_empty());
        self.polygons.append(&mut shapes);
    }

    /// Returns the kind of the geometry.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Draws the shape; returns the commands, none if nothing is visible.
    pub fn draw(self) -> Vec<u32> {
        let mut pen = Pen::default();
        if !self.points.is_empty() {
            pen.draw_points(&self.points);
        }
        for line in &self.lines {
            pen.draw_line(line);
        }
        let polygons = if self.is_mixed { united(&self.polygons) } else { self.polygons };
        for polygon in &polygons {
            for (index, ring) in polygon.iter().enumerate() {
                let mut cells: Vec<Cell> = ring.iter().map(|point| [point.x, point.y]).collect();
                // The overlay gives holes the wrong direction where rings have become very small.
                let is_exterior = index == 0;
                if (doubled_area(&cells) > 0) != is_exterior {
                    cells.reverse();
                }
                pen.draw_ring(&cells);
            }
        }
        pen.commands
    }
}

/// Returns the kind of a geometry; a Multi* geometry has that of its children.
fn kind_of(geometry: &Geometry) -> Kind {
    match geometry {
        Geometry::Point(_) => Kind::Points,
        Geometry::Line(_) => Kind::Lines,
        Geometry::Rect(_) | Geometry::Polygon(_) | Geometry::Circle(_) => Kind::Polygons,
        Geometry::Collection(collection) => {
            collection.children.first().map_or(Kind::Points, kind_of)
        }
        Geometry::Feature(feature) => kind_of(&feature.geometry),
    }
}

/// Returns the united polygons of several geometries. Neighbours overlap by parts of a cell.
fn united(polygons: &[IntShape]) -> IntShapes {
    let positions = polygons.iter().flatten().map(Vec::len).sum();
    let mut overlay = new_overlay(positions);
    overlay.add_shapes(polygons, ShapeType::Subject);
    overlay.overlay(OverlayRule::Subject, FillRule::NonZero)
}

/// Returns twice the area of a ring by the surveyor's formula: positive if it runs clockwise on the
/// tile, as exteriors do in the tile format, and negative for holes.
fn doubled_area(ring: &[Cell]) -> i64 {
    let next = ring.iter().cycle().skip(1);
    let cross = |(a, b): (&Cell, &Cell)| {
        i64::from(a[0]) * i64::from(b[1]) - i64::from(b[0]) * i64::from(a[1])
    };
    ring.iter().zip(next).map(cross).sum()
}

/// Returns an overlay whose results are valid for the Open Geospatial Consortium's rules.
fn new_overlay(positions: usize) -> Overlay {
    Overlay::new_custom(
        positions,
        IntOverlayOptions::ogc(),
        i_overlay::core::solver::Solver::default(),
    )
}

/// Returns the cells of a line without those in the middle of a straight stretch.
fn without_straight_cells(cells: Vec<Cell>) -> Vec<Cell> {
    let mut kept: Vec<Cell> = Vec::with_capacity(cells.len());
    for cell in cells {
        if let [.., a, b] = kept[..] {
            let [x1, y1] = [b[0] - a[0], b[1] - a[1]].map(i64::from);
            let [x2, y2] = [cell[0] - b[0], cell[1] - b[1]].map(i64::from);
            if x1 * y2 == x2 * y1 && x1 * x2 + y1 * y2 > 0 {
                kept.pop();
            }
        }
        kept.push(cell);
    }
    kept
}

/// Returns the outline of a Circle as a polygon. It may exceed ±180°.
fn outline(circle: &Circle) -> Geometry {
    let nothing = || Geometry::simple_polygon(Vec::new());
    let Ok(Geometry::Polygon(polygon)) =
        sector::polygon(circle.center, circle.meters, 0.0, FULL_TURN)
    else {
        return nothing();
    };
    let mut ring = polygon.exterior.points().to_vec();
    for at in 1..ring.len() {
        let turns = ((ring[at].x - ring[at - 1].x) / FULL_TURN).round();
        ring[at].x -= turns * FULL_TURN;
    }
    let (Some(first), Some(last)) = (ring.first().copied(), ring.last().copied()) else {
        return nothing();
    };
    if (last.x - first.x).abs() > LONGITUDE_MAX {
        // The circle holds a pole: it reaches up to it from all longitudes.
        let pole = if circle.center.y < 0.0 { -POLE } else { POLE };
        ring.extend([Point::new(last.x, pole), Point::new(first.x, pole), first]);
    }
    Geometry::simple_polygon(ring)
}

#[cfg(test)]
mod tests {
    use super::super::Tile;
    use super::*;
    use crate::geometry::ParseOptions;

    fn shape(text: &str, x: i64, y: i64, z: u64) -> Shape {
        let geometry = Geometry::parse(text.as_bytes(), ParseOptions::default()).unwrap();
        let tile = Tile { x, y, z };
        Shape::of(&geometry, &Frame::new(tile, &tile.bounds()))
    }

    fn rings(text: &str, x: i64, y: i64, z: u64) -> Vec<Vec<Cell>> {
        let Shape { polygons, is_mixed, .. } = shape(text, x, y, z);
        let polygons = if is_mixed { united(&polygons) } else { polygons };
        let cells = |ring: &Vec<IntPoint>| ring.iter().map(|at| [at.x, at.y]).collect();
        polygons.iter().flatten().map(cells).collect()
    }

    #[test]
    fn exteriors_run_clockwise_on_the_tile_and_holes_counter_clockwise() {
        for hole in ["[-5,-5],[5,-5],[5,5],[-5,5]", "[-5,-5],[-5,5],[5,5],[5,-5]"] {
            let text = format!(
                "{{\"type\":\"Polygon\",\"coordinates\":\
                 [[[-9,-9],[9,-9],[9,9],[-9,9],[-9,-9]],[{hole},[-5,-5]]]}}"
            );
            let mut pen = shape(&text, 0, 0, 0).draw();
            assert_eq!(pen.iter().filter(|command| **command == 15).count(), 2);
            let second = pen.split_off(pen.len() / 2);
            let area = |commands: &[u32]| {
                let mut at = [0_i32; 2];
                let mut ring = Vec::new();
                let deltas = commands.iter().skip(1).take(2).chain(commands[4..].iter().take(6));
                let deltas: Vec<i32> =
                    deltas.map(|delta| (*delta >> 1) as i32 ^ -((*delta & 1) as i32)).collect();
                for pair in deltas.chunks(2) {
                    at = [at[0] + pair[0], at[1] + pair[1]];
                    ring.push(at);
                }
                doubled_area(&ring)
            };
            assert!(area(&pen) > 0, "{pen:?}");
            assert!(area(&second) < 0, "{second:?}");
        }
    }

    #[test]
    fn what_crosses_180_degrees_is_drawn_on_both_sides() {
        let text =
            r#"{"type":"Polygon","coordinates":[[[170,0],[190,0],[190,9],[170,9],[170,0]]]}"#;
        let columns = |rings: Vec<Vec<Cell>>| {
            let cells = rings.into_iter().flatten().map(|[x, _]| x);
            (cells.clone().min(), cells.max())
        };
        assert_eq!(columns(rings(text, 1, 0, 1)), (Some(3868), Some(4096)));
        assert_eq!(columns(rings(text, 0, 0, 1)), (Some(0), Some(227)));
        assert_eq!(rings(text, 0, 0, 0).len(), 2);
    }

    #[test]
    fn circles_reach_over_180_degrees_and_around_poles() {
        let circle = |x: f64, y: f64, meters: f64| {
            format!(
                "{{\"type\":\"Feature\",\"geometry\":\
                 {{\"type\":\"Point\",\"coordinates\":[{x},{y}]}},\
                 \"properties\":{{\"type\":\"Circle\",\"radius\":{meters}}}}}"
            )
        };
        let widest = |rings: &[Vec<Cell>]| {
            let width = |ring: &Vec<Cell>| {
                let columns = ring.iter().map(|[x, _]| *x);
                columns.clone().max().unwrap() - columns.min().unwrap()
            };
            rings.iter().map(width).max().unwrap()
        };
        let across = rings(&circle(179.0, 0.0, 500_000.0), 0, 0, 0);
        assert_eq!(across.len(), 2);
        assert!(widest(&across) < 100, "{across:?}");
        let polar = rings(&circle(25.0, 85.0, 2_000_000.0), 0, 0, 0);
        assert_eq!(widest(&polar), 4096);
    }

    #[test]
    fn what_is_smaller_than_a_cell_or_is_nowhere_leaves_nothing() {
        for text in [
            r#"{"type":"LineString","coordinates":[[1,1],[1.001,1]]}"#,
            r#"{"type":"Polygon","coordinates":[[[1,1],[1.001,1],[1,1.001],[1,1]]]}"#,
            r#"{"type":"Polygon","coordinates":[[[0,0],[9,0],[0,0],[0,0]]]}"#,
            r#"{"type":"Point","coordinates":[null,null]}"#,
            r#"{"type":"MultiPolygon","coordinates":[]}"#,
        ] {
            assert!(shape(text, 0, 0, 0).draw().is_empty(), "{text}");
        }
    }

    #[test]
    fn neighbours_are_united() {
        let text = r#"{"type":"MultiPolygon","coordinates":[
            [[[0,0],[9,0],[9,9],[0,9],[0,0]]],[[[9,0],[18,0],[18,9],[9,9],[9,0]]]]}"#;
        let commands = shape(text, 0, 0, 0).draw();
        assert_eq!(commands.iter().filter(|command| **command == 15).count(), 1);
    }
}
