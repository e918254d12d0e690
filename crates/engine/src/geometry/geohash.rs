//! Geohashes: base 32 text of interleaved longitude and latitude bits. Accepts any text, as Tile38
//! does; what isn't a geohash decodes to defined garbage.

use super::{Point, Rect};

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const BITS_PER_CHARACTER: usize = 5;
/// Longer text doesn't fit into 64 bits.
const CHARACTERS_MAX: usize = 12;
/// What a byte outside the alphabet contributes: more bits than a character has.
const GARBAGE: u64 = 0xff;

/// Appends the geohash of a point, `precision` characters (at most 12).
pub fn encode(point: Point, precision: usize, out: &mut Vec<u8>) {
    // The bits of a double between 1 and 2 are the fraction; beyond ±90 and ±180 they wrap.
    let latitude = quantize(point.y * 0.005_555_555_555_555_556 + 1.5);
    let longitude = quantize(point.x * 0.002_777_777_777_777_778 + 1.5);
    let bits = spread(latitude) | (spread(longitude) << 1);
    for index in 0..precision.min(CHARACTERS_MAX) {
        let shift = 64 - BITS_PER_CHARACTER * (index + 1);
        out.push(ALPHABET[(bits >> shift) as usize & 31]);
    }
}

/// The point that a geohash stands for: not the middle of its cell but its south-west corner
/// rounded up to the largest power of ten that fits into the cell.
pub fn decode(text: &[u8]) -> Point {
    let cell = Cell::of(text);
    if text.len() > CHARACTERS_MAX {
        return cell.min;
    }
    let (width, height) = cell.size();
    Point::new(round_up(cell.min.x, width), round_up(cell.min.y, height))
}

/// The cell of a geohash.
pub fn bounds(text: &[u8]) -> Rect {
    let cell = Cell::of(text);
    let (width, height) = cell.size();
    Rect::new(cell.min, Point::new(cell.min.x + width, cell.min.y + height))
}

struct Cell {
    min: Point,
    longitude_bits: usize,
    latitude_bits: usize,
}

impl Cell {
    fn of(text: &[u8]) -> Self {
        let count = text.len() * BITS_PER_CHARACTER;
        let mut bits = text.iter().fold(0_u64, |bits, byte| (bits << 5) | digit(*byte));
        bits = match text.len() {
            0 => 0,
            1..=CHARACTERS_MAX => bits << (64 - count),
            _ => 0,
        };
        let latitude = f64::from(squash(bits)) / 4_294_967_296.0;
        let longitude = f64::from(squash(bits >> 1)) / 4_294_967_296.0;
        let min = Point::new(2.0 * 180.0 * longitude - 180.0, 2.0 * 90.0 * latitude - 90.0);
        Cell { min, longitude_bits: count - count / 2, latitude_bits: count / 2 }
    }

    /// Width and height in degrees.
    fn size(&self) -> (f64, f64) {
        (halved(360.0, self.longitude_bits), halved(180.0, self.latitude_bits))
    }
}

/// Half of the degrees, that many times; 0 where they no longer matter.
fn halved(degrees: f64, times: usize) -> f64 {
    degrees * 0.5_f64.powi(times.min(1000) as i32)
}

fn digit(byte: u8) -> u64 {
    ALPHABET.iter().position(|letter| *letter == byte).map_or(GARBAGE, |index| index as u64)
}

fn quantize(fraction: f64) -> u32 {
    (fraction.to_bits() >> 20) as u32
}

/// Puts a zero bit above each bit.
fn spread(half: u32) -> u64 {
    let mut bits = u64::from(half);
    bits = (bits | (bits << 16)) & 0x0000_ffff_0000_ffff;
    bits = (bits | (bits << 8)) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | (bits << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | (bits << 2)) & 0x3333_3333_3333_3333;
    (bits | (bits << 1)) & 0x5555_5555_5555_5555
}

/// Every other bit, from the lowest on.
fn squash(bits: u64) -> u32 {
    let mut half = bits & 0x5555_5555_5555_5555;
    half = (half | (half >> 1)) & 0x3333_3333_3333_3333;
    half = (half | (half >> 2)) & 0x0f0f_0f0f_0f0f_0f0f;
    half = (half | (half >> 4)) & 0x00ff_00ff_00ff_00ff;
    half = (half | (half >> 8)) & 0x0000_ffff_0000_ffff;
    (half | (half >> 16)) as u32
}

/// The next multiple of the largest power of ten not above the size.
fn round_up(value: f64, size: f64) -> f64 {
    let exponent = size.log10().floor() as i32;
    // A negative power is the quotient of exact numbers, so that it is the nearest double.
    let step = match exponent {
        0.. => 10.0_f64.powi(exponent),
        _ => 1.0 / 10.0_f64.powi(-exponent),
    };
    (value / step).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(latitude: f64, longitude: f64, precision: usize) -> String {
        let mut out = Vec::new();
        encode(Point::new(longitude, latitude), precision, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn points_encode_as_recorded() {
        for (latitude, longitude, expected) in [
            (33.5, -115.25, "9myn96mx8ke7"),
            (35.5, -115.5, "9qmcgw"),
            (91.0, 181.0, "0006g7h0dyg0"),
            (90.0, 180.0, "00000"),
            (5.0, 5.0, "s0gs"),
            (8.0, 7.0, "s1k"),
            (0.0, 0.0, "s000"),
            (f64::NAN, f64::NAN, "s000"),
        ] {
            assert_eq!(hash(latitude, longitude, expected.len()), expected);
        }
        assert_eq!(hash(33.0, -115.0, 13).len(), CHARACTERS_MAX);
    }

    #[test]
    fn text_decodes_to_a_rounded_corner() {
        for (text, latitude, longitude) in [
            ("9my5xp7", 32.999, -115.0),
            ("9", 0.0, -130.0),
            ("", -0.0, -100.0),
            ("9my5xp7xxxxx", 33.000_138_7, -114.999_744_299_999_99),
            ("A", 50.0, 140.0),
            ("a", 50.0, 140.0),
            ("EZS42", 88.99, 178.6),
            ("ezs42ezs42ezs", -90.0, -180.0),
        ] {
            assert_eq!(decode(text.as_bytes()), Point::new(longitude, latitude), "{text}");
        }
        assert!(decode(b"").y.is_sign_negative());
    }

    #[test]
    fn a_cell_contains_the_points_that_encode_to_it() {
        for step in 0..500 {
            let point = Point::new(f64::from(step) * 0.71 - 179.0, f64::from(step) * 0.35 - 89.0);
            for precision in 1..=CHARACTERS_MAX {
                let text = hash(point.y, point.x, precision);
                assert!(bounds(text.as_bytes()).contains_point(point), "{text}");
            }
        }
        let s1 = Rect::new(Point::new(0.0, 5.625), Point::new(11.25, 11.25));
        assert_eq!(bounds(b"s1"), s1);
        assert_eq!(bounds(b"a"), bounds(b"z"));
        let corner = bounds(&vec![b'9'; 100_000]);
        assert_eq!((corner.min, corner.max), (Point::new(-180.0, -90.0), corner.min));
    }
}
