//! Web map tiles and quadkeys: where they lie. Doesn't draw them.

use super::kernels::atan;
use super::{Point, Rect};
use std::f64::consts::PI;

/// Where Mercator tiles end.
const LATITUDE_MAX: f64 = 85.051_128_78;
const LONGITUDE_MAX: f64 = 180.0;
const TILE_PIXELS: i128 = 256;
/// At deeper zooms a tile of 64-bit coordinates is smaller than a double can tell.
const ZOOM_MAX: u64 = 100;
/// More digits than a double can tell apart.
const QUADKEY_DIGITS_MAX: usize = 60;
/// How much of its height and width a vector tile looks beyond its border.
const MARGIN: f64 = 0.0625;

/// The box of a tile; outside the pyramid a degenerate strip at its edge.
pub fn bounds(x: i64, y: i64, z: u64) -> Rect {
    let z = z.min(ZOOM_MAX);
    let (x, y, side) = (i128::from(x), i128::from(y), 1_i128 << z);
    let north_west = corner(x, y, side);
    let south_east = corner(x + 1, y + 1, side);
    let mut rect =
        Rect::new(Point::new(north_west.x, south_east.y), Point::new(south_east.x, north_west.y));
    // The last pixel lies within the pyramid, so the outer tiles are widened up to its edge.
    if x % side == 0 {
        rect.min.x = -LONGITUDE_MAX;
    }
    if x % side == side - 1 {
        rect.max.x = LONGITUDE_MAX;
    }
    if y <= 0 {
        rect.max.y = LATITUDE_MAX;
    }
    if y >= side - 1 {
        rect.min.y = -LATITUDE_MAX;
    }
    rect
}

/// The box a vector tile is drawn from: the tile's and a margin.
pub fn mvt_bounds(x: i64, y: i64, z: u64) -> Rect {
    let mut rect = bounds(x, y, z);
    // Each side is moved by the size that the one before has left.
    rect.min.y -= (rect.max.y - rect.min.y) * MARGIN;
    rect.max.y += (rect.max.y - rect.min.y) * MARGIN;
    rect.min.x -= (rect.max.x - rect.min.x) * MARGIN;
    rect.max.x += (rect.max.x - rect.min.x) * MARGIN;
    let clamp = |value: f64, limit: f64| value.clamp(-limit, limit);
    Rect::new(
        Point::new(clamp(rect.min.x, LONGITUDE_MAX), clamp(rect.min.y, LATITUDE_MAX)),
        Point::new(clamp(rect.max.x, LONGITUDE_MAX), clamp(rect.max.y, LATITUDE_MAX)),
    )
}

/// Column, row and zoom of a quadkey; `None` if it has anything but the digits 0 to 3.
pub fn quadkey_tile(text: &[u8]) -> Option<(i64, i64, u64)> {
    if !text.iter().all(|byte| matches!(byte, b'0'..=b'3')) {
        return None;
    }
    let digits = &text[..text.len().min(QUADKEY_DIGITS_MAX)];
    let (mut x, mut y) = (0, 0);
    for digit in digits {
        x = (x << 1) | i64::from(digit & 1);
        y = (y << 1) | i64::from((digit >> 1) & 1);
    }
    Some((x, y, digits.len() as u64))
}

/// The box of a quadkey; `None` if it has anything but the digits 0 to 3.
pub fn quadkey_bounds(text: &[u8]) -> Option<Rect> {
    let (x, y, z) = quadkey_tile(text)?;
    Some(bounds(x, y, z))
}

/// The position of a tile's north-west pixel.
fn corner(x: i128, y: i128, side: i128) -> Point {
    let pixels = TILE_PIXELS * side;
    let share = |tile: i128| (tile * TILE_PIXELS).clamp(0, pixels - 1) as f64 / pixels as f64;
    let (across, up) = (share(x) - 0.5, 0.5 - share(y));
    Point::new(360.0 * across, 90.0 - 360.0 * atan((-up * 2.0 * PI).exp()) / PI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_lies_where_recorded() {
        let rect = bounds(5, 5, 3);
        assert_eq!((rect.min.x, rect.max.x), (45.0, 90.0));
        assert!((rect.min.y - -66.513_260_443_111_85).abs() < 1e-12);
        assert!((rect.max.y - -40.979_898_069_620_134).abs() < 1e-12);
        let world = Rect::new(
            Point::new(-LONGITUDE_MAX, -LATITUDE_MAX),
            Point::new(LONGITUDE_MAX, LATITUDE_MAX),
        );
        assert_eq!(bounds(0, 0, 0), world);
        assert_eq!(mvt_bounds(0, 0, 0), world);
        assert_eq!(bounds(1, 0, 1).min, Point::new(0.0, 0.0));
    }

    #[test]
    fn tiles_beyond_the_pyramid_are_strips() {
        let rect = bounds(9, 9, 3);
        assert_eq!(rect.min.x, rect.max.x);
        assert_eq!(rect.min.y, -LATITUDE_MAX);
        for (x, y, z) in [(i64::MAX, i64::MIN, u64::MAX), (-1, -1, 0), (i64::MIN, 0, 63)] {
            assert!(bounds(x, y, z).min.x.is_finite() && mvt_bounds(x, y, z).max.y.is_finite());
        }
    }

    #[test]
    fn a_vector_tile_looks_beyond_its_border() {
        let rect = mvt_bounds(1, 1, 2);
        assert_eq!(rect.min.x, -90.0 - 90.0 * MARGIN);
        assert_eq!(rect.max.x, 0.0 + (90.0 + 90.0 * MARGIN) * MARGIN);
    }

    #[test]
    fn quadkeys_name_tiles() {
        assert_eq!(quadkey_bounds(b"0313"), Some(bounds(7, 5, 4)));
        assert_eq!(quadkey_bounds(b""), Some(bounds(0, 0, 0)));
        assert_eq!(quadkey_bounds(b"014"), None);
        let deep = quadkey_bounds(&[b'3'; 1000]).unwrap();
        assert_eq!((deep.max.x, deep.min.y), (LONGITUDE_MAX, -LATITUDE_MAX));
    }
}
