//! Building a grid: the cells through which each edge passes, and the places of reference points.

use super::super::super::{Point, Rect};
use super::super::ray::{ray_from, Ray};
use super::super::segment::Segment;
use super::frame::Frame;
use super::{Block, Grid, Run, BLOCK_CELLS};

/// Cells for each position, if memory allows.
const CELLS_PER_POSITION: f64 = 2.0;
/// Bytes for each position that a grid may use: 0.3 of the coordinates.
const BYTES_PER_POSITION_MAX: f64 = 4.8;
/// How many times fewer cells the next try has, after one that needed too much memory.
const COARSER: f64 = 2.0;
/// A grid of fewer cells doesn't pay.
const CELLS_MIN: f64 = 16.0;
/// The part of a column by which the way of a long edge through a row is widened: more than its
/// computation is rounded.
const MARGIN: f64 = 1.0 / 16.0;
/// Consecutive positions that are looked at to foresee the memory of a grid, and how many times
/// more there are.
const SAMPLED_POSITIONS: usize = 64;
const SAMPLED_SHARE: usize = 8;
/// The greatest ratio of the estimated to the allowed memory with which building is tried.
const SAMPLE_MARGIN: f64 = 1.05;
/// Positions for each run for which there is room from the beginning.
const POSITIONS_PER_RUN: usize = 4;
/// No run.
const NONE: u32 = u32::MAX;

/// A run of edges that pass through a cell.
struct CellRun {
    cell: u32,
    run: Run,
}

impl Grid {
    /// Builds the grid of a closed ring; `None` if it would use too much memory or has no extent.
    pub(super) fn new(points: &[Point]) -> Option<Self> {
        let is_finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
        if points.first() != points.last() || !points.iter().all(is_finite) {
            return None;
        }
        let bounds = Rect::around(points);
        let bytes_max = points.len() as f64 * BYTES_PER_POSITION_MAX;
        let mut cells = points.len() as f64 * CELLS_PER_POSITION;
        while cells >= CELLS_MIN {
            let frame = Frame::new(&bounds, cells)?;
            let bytes_max = bytes_max as usize;
            if !seems_too_fine(&frame, points, bytes_max) {
                if let Some(runs) = cell_runs(&frame, points, bytes_max) {
                    return Some(assemble(frame, points, &runs));
                }
            }
            cells /= COARSER;
        }
        None
    }
}

fn edges(points: &[Point]) -> impl Iterator<Item = Segment> + '_ {
    points.windows(2).map(|ends| Segment { a: ends[0], b: ends[1] })
}

/// Returns the bytes of a grid that don't depend on its edges.
fn fixed_bytes(frame: &Frame) -> usize {
    frame.blocks_per_row() * frame.rows * size_of::<Block>() + size_of::<u32>()
}

/// Returns whether a part of the positions suggests that the grid would use more memory than so
/// many bytes. To find that out by all of them would take long.
fn seems_too_fine(frame: &Frame, points: &[Point], bytes_max: usize) -> bool {
    let stretches = points.chunks_exact(SAMPLED_POSITIONS).step_by(SAMPLED_SHARE);
    let (mut positions, mut entered) = (0, 0);
    for stretch in stretches {
        let mut before = [frame.cell(stretch[0]); 2];
        for p in stretch {
            let cell = frame.cell(*p);
            // Edges to and fro between two cells are one run in each.
            if !before.contains(&cell) {
                entered += 1;
                before = [before[1], cell];
            }
        }
        positions += stretch.len();
    }
    let bytes = entered * (size_of::<Run>() + size_of::<u32>());
    let bytes = bytes as f64 * points.len() as f64 / positions.max(1) as f64;
    fixed_bytes(frame) as f64 + bytes > bytes_max as f64 * SAMPLE_MARGIN
}

/// Returns the runs of edges that pass through each cell, in no order of cells; `None` if the grid
/// would use more memory than so many bytes.
fn cell_runs(frame: &Frame, points: &[Point], bytes_max: usize) -> Option<Vec<CellRun>> {
    let mut runs: Vec<CellRun> = Vec::with_capacity(points.len() / POSITIONS_PER_RUN);
    let mut crossed_count = 0;
    let fixed_bytes = fixed_bytes(frame);
    // The last run of each cell.
    let mut last = vec![NONE; frame.columns * frame.rows];
    let mut start = frame.cell(*points.first()?);
    for (index, edge) in edges(points).enumerate() {
        let index = index as u32;
        let end = frame.cell(edge.b);
        visit_cells(frame, &edge, (start, end), |cell| match runs.get_mut(last[cell] as usize) {
            Some(CellRun { run, .. }) if run.end == index => run.end = index + 1,
            _ => {
                crossed_count += usize::from(last[cell] == NONE);
                last[cell] = runs.len() as u32;
                let run = Run { start: index, end: index + 1 };
                runs.push(CellRun { cell: cell as u32, run });
            }
        });
        start = end;
        let bytes = size_of::<Run>() * runs.len() + size_of::<u32>() * crossed_count;
        if fixed_bytes + bytes > bytes_max {
            return None;
        }
    }
    Some(runs)
}

/// Calls `visit` once for each cell through which an edge passes, and perhaps for some beside it;
/// the cells of the edge's ends are given.
#[inline]
fn visit_cells(
    frame: &Frame,
    edge: &Segment,
    (start, end): ((usize, usize), (usize, usize)),
    mut visit: impl FnMut(usize),
) {
    if start == end {
        return visit(start.1 * frame.columns + start.0);
    }
    let (low, high) = (start.1.min(end.1), start.1.max(end.1));
    let whole = (start.0.min(end.0), start.0.max(end.0));
    let is_short = high - low < 2 || whole.1 - whole.0 < 2;
    for row in low..=high {
        let (left, right) = if is_short { whole } else { columns_in_row(frame, edge, row, whole) };
        for column in left..=right {
            visit(row * frame.columns + column);
        }
    }
}

/// Returns the first and the last column through which a long edge passes in a row.
fn columns_in_row(
    frame: &Frame,
    edge: &Segment,
    row: usize,
    whole: (usize, usize),
) -> (usize, usize) {
    let slope = (edge.b.x - edge.a.x) / (edge.b.y - edge.a.y);
    let (low, high) = frame.row_limits(row);
    let x_at = |y: f64| {
        let y = y.clamp(edge.a.y.min(edge.b.y), edge.a.y.max(edge.b.y));
        edge.a.x + (y - edge.a.y) * slope
    };
    let (first, second) = (x_at(low), x_at(high));
    let margin = MARGIN * frame.column_width();
    let left = frame.column(first.min(second) - margin).max(whole.0);
    let right = frame.column(first.max(second) + margin).min(whole.1);
    (left, right)
}

/// Sorts the runs by cell and computes the states of the cells.
fn assemble(frame: Frame, points: &[Point], runs: &[CellRun]) -> Grid {
    let mut counts = vec![0_u32; frame.columns * frame.rows];
    for CellRun { cell, .. } in runs {
        counts[*cell as usize] += 1;
    }
    let blocks = blocks(&frame, points, &counts);
    // From here on, the position of each cell's next run.
    let mut positions = counts;
    let mut first_runs = Vec::new();
    let mut sum = 0;
    for position in &mut positions {
        let count = std::mem::replace(position, sum);
        if count > 0 {
            first_runs.push(sum);
            sum += count;
        }
    }
    first_runs.push(sum);
    let mut sorted = vec![Run { start: 0, end: 0 }; runs.len()];
    for CellRun { cell, run } in runs {
        let position = &mut positions[*cell as usize];
        sorted[*position as usize] = *run;
        *position += 1;
    }
    Grid { frame, blocks, first_runs: first_runs.into(), runs: sorted.into() }
}

/// Returns the states of all cells, given the number of runs in each.
fn blocks(frame: &Frame, points: &[Point], counts: &[u32]) -> Box<[Block]> {
    let flips = flips(frame, points);
    let per_row = frame.blocks_per_row();
    let mut blocks = vec![Block::default(); per_row * frame.rows];
    let mut crossed_before = 0;
    let rows = flips.chunks(frame.columns).zip(counts.chunks(frame.columns));
    for (row, (flips, counts)) in blocks.chunks_mut(per_row).zip(rows) {
        let mut is_inside = false;
        let cells = flips.chunks(BLOCK_CELLS).zip(counts.chunks(BLOCK_CELLS));
        for (block, (flips, counts)) in row.iter_mut().zip(cells).rev() {
            for (flip, count) in flips.iter().zip(counts).rev() {
                is_inside ^= flip;
                let state = u32::from(is_inside) | u32::from(*count > 0) << 1;
                block.states = block.states << 2 | state;
            }
        }
        for block in row {
            block.crossed_before = crossed_before;
            crossed_before += (block.states & super::CROSSED_BITS).count_ones();
        }
    }
    blocks.into()
}

/// Returns for each cell whether the places of its reference point and of the next one on its
/// right differ; right of all cells is outside.
fn flips(frame: &Frame, points: &[Point]) -> Vec<bool> {
    let mut flips = vec![false; frame.columns * frame.rows];
    let heights: Vec<f64> = (0..frame.rows).map(|row| frame.reference(0, row).y).collect();
    let Some(first) = points.first() else { return flips };
    let mut start = frame.row(first.y);
    for edge in edges(points) {
        let rows = (start, frame.row(edge.b.y));
        start = rows.1;
        for row in rows.0.min(rows.1)..=rows.0.max(rows.1) {
            let y = heights[row];
            if (edge.a.y > y) == (edge.b.y > y) {
                continue;
            }
            let is_left =
                |column| matches!(ray_from(frame.reference(column, row), &edge), Ray::Crosses);
            // The rays of the reference points west of the edge cross it, and those of the points
            // east of it don't. So the row has one boundary, which is found from an estimate.
            let part = (y - edge.a.y) / (edge.b.y - edge.a.y);
            let mut count = frame.column(edge.a.x + (edge.b.x - edge.a.x) * part);
            while count > 0 && !is_left(count - 1) {
                count -= 1;
            }
            while count < frame.columns && is_left(count) {
                count += 1;
            }
            if count > 0 {
                flips[row * frame.columns + count - 1] ^= true;
            }
        }
    }
    flips
}
