//! The commands of a feature's geometry: MoveTo, LineTo, ClosePath. Coordinates are relative to the
//! pen's last position, also where a second line or ring begins.

use super::grid::Cell;
use super::protobuf::zigzag;

const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

/// Writes the commands of one feature.
#[derive(Default)]
pub(super) struct Pen {
    /// The commands.
    pub commands: Vec<u32>,
    at: Cell,
}

impl Pen {
    /// Draws points.
    pub fn draw_points(&mut self, cells: &[Cell]) {
        self.draw(MOVE_TO, cells);
    }

    /// Draws a line of at least two cells.
    pub fn draw_line(&mut self, cells: &[Cell]) {
        let (start, rest) = cells.split_at(1);
        self.draw(MOVE_TO, start);
        self.draw(LINE_TO, rest);
    }

    /// Draws a ring. The first cell isn't repeated at the end.
    pub fn draw_ring(&mut self, cells: &[Cell]) {
        self.draw_line(cells);
        self.commands.push(1 << 3 | CLOSE_PATH);
    }

    fn draw(&mut self, command: u32, cells: &[Cell]) {
        self.commands.push((cells.len() as u32) << 3 | command);
        for cell in cells {
            for (to, from) in cell.iter().zip(self.at) {
                self.commands.push(zigzag(i64::from(*to) - i64::from(from)) as u32);
            }
            self.at = *cell;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the tile specification, 4.3.5.
    #[test]
    fn geometries_are_drawn_as_in_the_specification() {
        let mut points = Pen::default();
        points.draw_points(&[[5, 7], [3, 2]]);
        assert_eq!(points.commands, [17, 10, 14, 3, 9]);
        let mut lines = Pen::default();
        lines.draw_line(&[[2, 2], [2, 10], [10, 10]]);
        lines.draw_line(&[[1, 1], [3, 5]]);
        assert_eq!(lines.commands, [9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8]);
        let mut polygon = Pen::default();
        polygon.draw_ring(&[[3, 6], [8, 12], [20, 34]]);
        assert_eq!(polygon.commands, [9, 6, 12, 18, 10, 12, 24, 44, 15]);
        let mut hole = Pen::default();
        hole.draw_ring(&[[11, 11], [20, 11], [20, 20], [11, 20]]);
        hole.draw_ring(&[[13, 13], [13, 17], [17, 17], [17, 13]]);
        assert_eq!(
            hole.commands,
            [9, 22, 22, 26, 18, 0, 0, 18, 17, 0, 15, 9, 4, 13, 26, 0, 8, 8, 0, 0, 7, 15]
        );
    }
}
