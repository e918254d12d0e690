//! The areas of WITHIN, INTERSECTS and TEST, and their change by CLIPBY and BUFFER.

use triomphe::Arc;

use crate::call::{float_of, Words};
use crate::error::{Error, Result};
use crate::geometry::{
    buffer, clip, geohash, predicates, sector, tile, Circle, Geometry, ParseOptions, Point, Rect,
};
use crate::keyspace::Keyspace;
use crate::number::{parse_float, parse_int, parse_uint};
use crate::object::{Object, Shape};
use crate::query::options::{Options, Verb};
use crate::tile::Tile;

/// An area of a search or an operand of TEST.
pub struct Area {
    /// The geometry; `None` for a stored string, which touches nothing.
    pub geometry: Option<Arc<Geometry>>,
    /// Whether the area is a stored simple point.
    pub is_stored_point: bool,
}

/// Returns whether a search with this area finds the object; NEARBY's area is its circle.
pub fn hits(verb: Verb, area: &Geometry, object: &Object) -> bool {
    match (object.shape(), verb) {
        (Shape::Point(point), Verb::Within) => predicates::contains_point(area, *point),
        (Shape::Point(point), _) => predicates::intersects_point(area, *point),
        (Shape::Geometry(geometry), Verb::Within) => predicates::contains(area, geometry),
        (Shape::Geometry(geometry), _) => predicates::intersects(geometry, area),
        (Shape::String, _) => false,
    }
}

/// The point of NEARBY and the maximum distance from it.
pub struct Center {
    /// The point.
    pub point: Point,
    /// The maximum distance in metres; `None` = no limit.
    pub meters: Option<f64>,
}

impl Center {
    /// Reads `lat lon [meters]`.
    pub fn parse(words: &mut Words, is_sparse: bool) -> Result<Self> {
        let (lat_word, lon_word) = (words.next_filled()?, words.next_filled()?);
        let lat = float_of(lat_word)?;
        let point = Point::new(float_of(lon_word)?, lat);
        if is_sparse && words.peek().is_none_or(<[u8]>::is_empty) {
            return Err(Error::text("cannot use SPARSE without a point distance"));
        }
        Ok(Center { point, meters: Center::parse_meters(words)? })
    }

    /// Reads `[meters]`. Neither an empty word nor 0 is a limit.
    pub fn parse_meters(words: &mut Words) -> Result<Option<f64>> {
        match words.peek() {
            None => return Ok(None),
            Some(b"") => {
                words.advance(1);
                return Ok(None);
            }
            Some(_) => {}
        }
        let meters = take_radius(words)?;
        Ok((meters > 0.0).then_some(meters))
    }

    /// Returns the circle, or only the point if the distance has no limit.
    pub fn circle(&self) -> Geometry {
        Geometry::Circle(Circle::new(self.point, self.meters.unwrap_or(0.0)))
    }
}

/// The command that reads an area; each allows different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// WITHIN and INTERSECTS, with or without CLIP.
    Search {
        /// Whether results will be clipped by the area.
        has_clip: bool,
    },
    /// TEST, with or without CLIP.
    Test {
        /// Whether the left operand will be clipped by this one.
        has_clip: bool,
    },
}

/// The deepest zoom of TILE in searches.
const ZOOM_MAX: i64 = 23;

impl Area {
    /// Returns the area of a geometry.
    pub fn new(geometry: Geometry) -> Self {
        Area { geometry: Some(Arc::new(geometry)), is_stored_point: false }
    }

    /// Reads the area of WITHIN and INTERSECTS with its CLIPBYs, and extends it by its buffer.
    pub fn parse_search(words: &mut Words, options: &Options, keyspace: &Keyspace) -> Result<Self> {
        let word = words.next_filled()?;
        let reader = Reader::Search { has_clip: options.has_clip };
        let Some(mut area) = Area::parse(word, words, reader, keyspace)? else {
            return Err(Error::invalid(word));
        };
        let is_clip_by_stored = options.has_clip && word.eq_ignore_ascii_case(b"GET");
        let has_clips = area.take_clips(words)?;
        if is_clip_by_stored && !has_clips && options.buffer.is_none() {
            return Err(Error::invalid(b"cannot clip with get"));
        }
        if let Some(meters) = options.buffer {
            area.buffer(meters)?;
        }
        Ok(area)
    }

    /// Reads the area whose first word has been read. Returns `None` for a word that names no area.
    pub fn parse(
        word: &[u8],
        words: &mut Words,
        reader: Reader,
        keyspace: &Keyspace,
    ) -> Result<Option<Self>> {
        let upper = word.to_ascii_uppercase();
        reader.check_clip(&upper, word)?;
        let geometry = match &upper[..] {
            b"POINT" => Geometry::simple_point(take_point(words)?),
            b"CIRCLE" => take_circle(words)?,
            b"OBJECT" => {
                let options = ParseOptions { require_valid: keyspace.requires_valid };
                let parsed = Geometry::parse(words.next_filled()?, options);
                parsed.map_err(|error| Error::Text(error.message()))?
            }
            b"SECTOR" => take_sector(words)?,
            b"GET" => return take_stored(words, keyspace).map(Some),
            b"TILE" if matches!(reader, Reader::Test { .. }) => take_any_tile(words)?,
            b"MVT" if matches!(reader, Reader::Test { .. }) => return Ok(None),
            b"MVT" => Geometry::Rect(take_tile(words)?.bounds()),
            _ => match take_rect(&upper, words)? {
                Some(rect) => Geometry::Rect(rect),
                None => return Ok(None),
            },
        };
        Ok(Some(Area::new(geometry)))
    }

    /// Reads each `CLIPBY …` and clips the area. Any other word left is an arity error. Returns
    /// whether there was a CLIPBY.
    pub fn take_clips(&mut self, words: &mut Words) -> Result<bool> {
        let mut has_clips = false;
        while words.left() > 0 {
            self.take_clip(words)?;
            has_clips = true;
        }
        Ok(has_clips)
    }

    /// Reads one `CLIPBY …` and clips the area.
    pub fn take_clip(&mut self, words: &mut Words) -> Result<()> {
        if !words.take_keyword("CLIPBY") {
            return Err(Error::WrongArity);
        }
        let word = words.next_filled()?;
        let Some(rect) = take_rect(&word.to_ascii_uppercase(), words)? else {
            return Err(cannot("clipby", word));
        };
        // Tile38 doesn't clip a point that is fetched from a collection.
        if let Some(geometry) = self.geometry.as_ref().filter(|_| !self.is_stored_point) {
            self.geometry = Some(Arc::new(clip::clip(geometry, &rect)));
        }
        Ok(())
    }

    /// Extends the area by so many metres.
    pub fn buffer(&mut self, meters: f64) -> Result<()> {
        if meters == 0.0 {
            return Ok(());
        }
        let Some(geometry) = &self.geometry else { return Err(Error::text("cannot buffer  type")) };
        let buffered = buffer::buffer(geometry, meters).map_err(|e| Error::text(e.to_string()))?;
        self.geometry = Some(Arc::new(buffered));
        Ok(())
    }
}

fn cannot(what: &str, word: &[u8]) -> Error {
    let name = word.to_ascii_lowercase();
    let text = [b"cannot ", what.as_bytes(), b" ", &name].concat();
    Error::invalid(&text)
}

impl Reader {
    /// Refuses areas that can't clip anything.
    fn check_clip(self, upper: &[u8], word: &[u8]) -> Result<()> {
        let is_shape = matches!(upper, b"CIRCLE" | b"OBJECT" | b"SECTOR");
        match self {
            Reader::Search { has_clip: true } if is_shape => Err(cannot("clip with", word)),
            Reader::Test { has_clip: true } if is_shape || upper == b"GET" => {
                Err(Error::Text([b"invalid clip type '", word, b"'"].concat()))
            }
            _ => Ok(()),
        }
    }
}

fn take_words<'a, const N: usize>(words: &mut Words<'a>) -> Result<[&'a [u8]; N]> {
    let mut taken = [&b""[..]; N];
    for word in &mut taken {
        *word = words.next_filled()?;
    }
    Ok(taken)
}

fn take_floats<const N: usize>(words: &mut Words) -> Result<[f64; N]> {
    let taken: [&[u8]; N] = take_words(words)?;
    let mut values = [0.0; N];
    for (value, word) in values.iter_mut().zip(taken) {
        *value = float_of(word)?;
    }
    Ok(values)
}

fn take_point(words: &mut Words) -> Result<Point> {
    let [lat, lon] = take_floats(words)?;
    Ok(Point::new(lon, lat))
}

/// Reads a radius in metres, which must not be negative.
pub fn take_radius(words: &mut Words) -> Result<f64> {
    let word = words.next_filled()?;
    match parse_float(word) {
        // NaN is a valid radius, too: nothing lies within it.
        Some(meters) if meters.is_nan() || meters >= 0.0 => Ok(meters),
        _ => Err(Error::invalid(word)),
    }
}

fn take_circle(words: &mut Words) -> Result<Geometry> {
    let center = take_point(words)?;
    Ok(Geometry::Circle(Circle::new(center, take_radius(words)?)))
}

fn take_sector(words: &mut Words) -> Result<Geometry> {
    let [lat, lon, meters, first, second] = take_words(words)?;
    let (y, x, radius) = (float_of(lat)?, float_of(lon)?, float_of(meters)?);
    let (from, to) = (float_of(first)?, float_of(second)?);
    if from == to {
        let text = [b"equal bearings (", first, b" == ", second, b"), use CIRCLE instead"].concat();
        return Err(Error::Text(text));
    }
    for (bearing, word) in [(from, first), (to, second)] {
        if !bearing.is_finite() {
            return Err(Error::invalid(word));
        }
    }
    sector::polygon(Point::new(x, y), radius, from, to).map_err(|_| Error::text("invalid data"))
}

fn take_stored(words: &mut Words, keyspace: &Keyspace) -> Result<Area> {
    let [key, id] = take_words(words)?;
    let collection = keyspace.get(key).ok_or(Error::KeyNotFound)?;
    let object = collection.get(id).ok_or(Error::IdNotFound)?;
    Ok(match object.shape() {
        Shape::Point(point) => {
            let geometry = Some(Arc::new(Geometry::simple_point(*point)));
            Area { geometry, is_stored_point: true }
        }
        Shape::Geometry(geometry) => {
            Area { geometry: Some(Arc::clone(geometry)), is_stored_point: false }
        }
        Shape::String => Area { geometry: None, is_stored_point: false },
    })
}

/// Reads an area that is a box; TILE as in searches.
fn take_rect(upper: &[u8], words: &mut Words) -> Result<Option<Rect>> {
    Ok(Some(match upper {
        b"BOUNDS" => {
            let [min_lat, min_lon, max_lat, max_lon] = take_floats(words)?;
            Rect::new(Point::new(min_lon, min_lat), Point::new(max_lon, max_lat))
        }
        b"HASH" => geohash::bounds(words.next_filled()?),
        b"QUADKEY" => {
            let word = words.next_filled()?;
            tile::quadkey_bounds(word).ok_or_else(|| Error::invalid(word))?
        }
        b"TILE" => {
            let Tile { x, y, z } = take_tile(words)?;
            tile::bounds(x, y, z)
        }
        _ => return Ok(None),
    }))
}

/// Reads column, row and zoom of a tile as in searches.
pub fn take_tile(words: &mut Words) -> Result<Tile> {
    let taken: [&[u8]; 3] = take_words(words)?;
    let mut numbers = [0_i64; 3];
    let most = [i64::MAX, i64::MAX, ZOOM_MAX];
    for ((number, word), most) in numbers.iter_mut().zip(taken).zip(most) {
        *number = match parse_int(word) {
            Some(value) if (0..=most).contains(&value) => value,
            _ => return Err(Error::invalid(word)),
        };
    }
    let [x, y, z] = numbers;
    Ok(Tile { x, y, z: z as u64 })
}

/// Reads the arguments of TILE in TEST: any column and row.
fn take_any_tile(words: &mut Words) -> Result<Geometry> {
    let [x, y, z] = take_words(words)?;
    let column = parse_int(x).ok_or_else(|| Error::invalid(x))?;
    let row = parse_int(y).ok_or_else(|| Error::invalid(y))?;
    let zoom = parse_uint(z).ok_or_else(|| Error::invalid(z))?;
    Ok(Geometry::Rect(tile::bounds(column, row, zoom)))
}
