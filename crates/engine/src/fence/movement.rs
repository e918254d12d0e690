//! The way of an object from one position to the next: straight in degrees, and the shorter way
//! round the earth, where Tile38 always goes by longitude 0.

use crate::geometry::distance::Cover;
use crate::geometry::{Geometry, Line, Point, Rect, Series};

/// Pieces of each line of a movement: as many boxes are searched for.
const PIECES_MAX: usize = 256;

/// Degrees of longitude around the earth.
const TURN: f64 = 360.0;

/// The movement of an object between two positions. A movement across 180° is two lines on the map:
/// one from the first position to beyond 180°, the other from beyond 180° to the second position.
#[derive(Clone, Copy, Debug)]
pub(super) struct Movement {
    from: Point,
    to: Point,
    /// Degrees of longitude between a position and its copy beyond 180°: 360, -360, or 0 for a
    /// movement that doesn't cross 180°.
    shift: f64,
}

impl Movement {
    pub(super) fn new(from: Point, to: Point) -> Self {
        let is_on_map = |p: Point| p.x.abs() <= TURN / 2.0;
        let eastward = to.x - from.x;
        let is_across = is_on_map(from) && is_on_map(to) && eastward.abs() > TURN / 2.0;
        Movement { from, to, shift: if is_across { TURN.copysign(eastward) } else { 0.0 } }
    }

    /// The straight lines that the movement follows on the map.
    pub(super) fn lines(&self) -> impl Iterator<Item = [Point; 2]> {
        let from_start = [self.from, east_of(self.to, -self.shift)];
        let to_end = [east_of(self.from, self.shift), self.to];
        std::iter::once(from_start).chain((self.shift != 0.0).then_some(to_end))
    }

    /// The lines as geometries.
    pub(super) fn as_geometries(&self) -> Vec<Geometry> {
        let geometry = |ends: [Point; 2]| {
            Geometry::Line(Line { series: Series::new(ends.to_vec()), extra: None, members: None })
        };
        self.lines().map(geometry).collect()
    }

    /// Boxes around pieces of the lines, each at most about so many degrees wide and high. Together
    /// they are smaller than boxes around the lines.
    pub(super) fn pieces(&self, degrees: f64) -> Vec<Rect> {
        let boxes = self.lines().flat_map(|[from, to]| {
            let length = (to.x - from.x).abs().max((to.y - from.y).abs());
            // NaN, and what no number of pieces makes small, are casted to a number in the range.
            let count = ((length / degrees).ceil() as usize).clamp(1, PIECES_MAX);
            let at = move |piece: usize| {
                let part = piece as f64 / count as f64;
                let between = |a: f64, b: f64| if piece == count { b } else { a + (b - a) * part };
                Point::new(between(from.x, to.x), between(from.y, to.y))
            };
            (0..count).map(move |piece| {
                let (start, end) = (at(piece), at(piece + 1));
                Rect::new(start, start).union(&Rect::new(end, end))
            })
        });
        boxes.collect()
    }

    /// Boxes around the lines, given boxes around the object in both positions.
    pub(super) fn cover(&self, former: &Rect, latter: &Rect) -> Cover {
        let shifted =
            |rect: &Rect, by: f64| Rect::new(east_of(rect.min, by), east_of(rect.max, by));
        let mut cover = Cover::from_iter([former.union(&shifted(latter, -self.shift))]);
        if self.shift != 0.0 {
            cover.push(shifted(former, self.shift).union(latter));
        }
        cover
    }
}

fn east_of(p: Point, by: f64) -> Point {
    Point::new(p.x + by, p.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: f64, to: f64) -> Vec<(f64, f64)> {
        let movement = Movement::new(Point::new(from, 1.0), Point::new(to, 2.0));
        movement.lines().map(|[start, end]| (start.x, end.x)).collect()
    }

    #[test]
    fn a_movement_goes_the_shorter_way() {
        assert_eq!(lines(-80.0, 100.0), [(-80.0, 100.0)]);
        assert_eq!(lines(170.0, -170.0), [(170.0, 190.0), (-190.0, -170.0)]);
        assert_eq!(lines(-170.0, 170.0), [(-170.0, -190.0), (190.0, 170.0)]);
        assert_eq!(lines(190.0, -170.0), [(190.0, -170.0)]);
        assert_eq!(lines(f64::NAN, 0.0).len(), 1);
    }

    #[test]
    fn the_pieces_hold_the_lines() {
        for to in [Point::new(-178.0, 1.0), Point::new(-20.0, 30.0)] {
            let movement = Movement::new(Point::new(179.0, 5.0), to);
            let pieces = movement.pieces(0.5);
            let area = |piece: &Rect| {
                (piece.max.x - piece.min.x).abs() * (piece.max.y - piece.min.y).abs()
            };
            assert!(pieces.len() > 4 && pieces.iter().all(|piece| area(piece) < 0.8));
            for [from, to] in movement.lines() {
                for part in [0.0, 0.3, 0.49, 0.51, 1.0] {
                    let p = Point::new(
                        from.x + (to.x - from.x) * part,
                        from.y + (to.y - from.y) * part,
                    );
                    assert!(pieces.iter().any(|piece| piece.contains_point(p)), "{p:?}");
                }
            }
        }
    }

    #[test]
    fn a_movement_has_a_piece_and_not_too_many() {
        let count = |x: f64, degrees: f64| {
            Movement::new(Point::new(0.0, 0.0), Point::new(x, 1.0)).pieces(degrees).len()
        };
        assert_eq!((count(1.0, 1.0), count(2.5, 1.0)), (1, 3));
        assert_eq!((count(5.0, 0.0), count(5.0, f64::NAN)), (PIECES_MAX, 1));
        assert_eq!((count(f64::NAN, 1.0), count(f64::INFINITY, 1.0)), (1, PIECES_MAX));
    }

    #[test]
    fn the_boxes_hold_the_lines() {
        let (from, to) = (Point::new(179.0, 5.0), Point::new(-178.0, 1.0));
        let around = |p: Point| Rect::new(Point::new(p.x - 0.5, p.y), Point::new(p.x + 0.5, p.y));
        let movement = Movement::new(from, to);
        let boxes = movement.cover(&around(from), &around(to));
        for (line, bounds) in movement.lines().zip(&boxes) {
            assert!(line.iter().all(|p| bounds.contains_point(*p)), "{line:?} {bounds:?}");
        }
        assert!(boxes[0].contains(&around(from)) && boxes[1].contains(&around(to)));
    }
}
