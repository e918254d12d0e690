//! Coordinates: positions of two to four ordinates, lines, rings. Doesn't know members or types.

use super::document::Document;
use crate::geometry::{Extra, Line, Point, Polygon, Series};
use crate::json::Kind;

const ORDINATES_MAX: usize = 4;
const RING_POSITIONS_MIN: usize = 4;
const LINE_POSITIONS_MIN: usize = 2;

/// The coordinates aren't what the type needs.
pub(super) struct Invalid;

/// What Tile38 accepts as a position differs from type to type.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// An object serves as an array of its values.
    pub objects: bool,
    /// `null` is an ordinate and means NaN.
    pub nulls: bool,
}

pub(super) const POINT: Rules = Rules { objects: false, nulls: true };
pub(super) const MULTI_POINT: Rules = Rules { objects: true, nulls: true };
const LINE: Rules = Rules { objects: false, nulls: false };
const POLYGON: Rules = Rules { objects: true, nulls: false };

/// A position as written.
pub(super) struct Ordinates {
    values: [f64; ORDINATES_MAX],
    count: usize,
}

impl Ordinates {
    /// Longitude and latitude.
    pub fn point(&self) -> Point {
        Point::new(self.values[0], self.values[1])
    }

    /// The third and fourth ordinate.
    pub fn extra(&self) -> Option<Extra> {
        let values = &self.values[2..self.count];
        let per_position = values.len() as u8;
        (per_position > 0).then(|| Extra { per_position, values: values.into() })
    }
}

/// The ordinates beyond x and y of all positions of a geometry: the first decides how many.
#[derive(Default)]
struct ExtraValues {
    per_position: Option<usize>,
    values: Vec<f64>,
}

impl ExtraValues {
    fn add(&mut self, ordinates: &Ordinates) -> Result<(), Invalid> {
        let given = ordinates.count - 2;
        match *self.per_position.get_or_insert(given) {
            0 if given > 0 => Err(Invalid),
            // What the position lacks reads 0, what it has too much is cut.
            wanted => {
                self.values.extend_from_slice(&ordinates.values[2..2 + wanted]);
                Ok(())
            }
        }
    }

    fn finish(self) -> Option<Extra> {
        let per_position = self.per_position.unwrap_or(0) as u8;
        (per_position > 0).then(|| Extra { per_position, values: self.values.into() })
    }
}

/// Reads the position that starts there; returns where it ends too.
pub(super) fn position(
    document: &Document<'_>,
    start: usize,
    rules: Rules,
) -> Result<(Ordinates, usize), Invalid> {
    let is_object = match document.kind(start) {
        Kind::Array => false,
        Kind::Object if rules.objects => true,
        _ => return Err(Invalid),
    };
    let mut ordinates = Ordinates { values: [0.0; ORDINATES_MAX], count: 0 };
    let mut end = start + 1;
    while let Some(element) = document.next(end) {
        if ordinates.count == ORDINATES_MAX {
            return Ok((ordinates, document.end_of(start)));
        }
        let at = if is_object { document.member(element).start } else { element };
        let (value, length) = number(document.from(at), rules).ok_or(Invalid)?;
        ordinates.values[ordinates.count] = value;
        ordinates.count += 1;
        end = at + length;
    }
    if ordinates.count < 2 {
        return Err(Invalid);
    }
    Ok((ordinates, document.close(end)))
}

/// The number the text starts with, and its length.
fn number(text: &[u8], rules: Rules) -> Option<(f64, usize)> {
    match text.first()? {
        b'-' | b'0'..=b'9' => {
            let (value, length): (f64, usize) = fast_float2::parse_partial(text).ok()?;
            // What isn't finite is printed as null; where that can't be read back, the log
            // written anew couldn't be either.
            let value = if rules.nulls { value } else { value.clamp(f64::MIN, f64::MAX) };
            Some((value, length))
        }
        b'n' if rules.nulls => Some((f64::NAN, 4)),
        _ => None,
    }
}

/// Appends the positions of the array that starts there; returns where it ends.
fn positions(
    document: &Document<'_>,
    start: usize,
    rules: Rules,
    extra: &mut ExtraValues,
) -> Result<(Vec<Point>, usize), Invalid> {
    if document.kind(start) != Kind::Array {
        return Err(Invalid);
    }
    let mut points = Vec::new();
    let mut end = start + 1;
    while let Some(element) = document.next(end) {
        let (ordinates, element_end) = position(document, element, rules)?;
        extra.add(&ordinates)?;
        points.push(ordinates.point());
        end = element_end;
    }
    Ok((points, document.close(end)))
}

/// Reads a `LineString`'s coordinates; returns where they end too.
pub(super) fn line(document: &Document<'_>, start: usize) -> Result<(Line, usize), Invalid> {
    let mut extra = ExtraValues::default();
    let (points, end) = positions(document, start, LINE, &mut extra)?;
    if points.len() < LINE_POSITIONS_MIN {
        return Err(Invalid);
    }
    Ok((Line { series: Series::new(points), extra: extra.finish(), members: None }, end))
}

/// Reads a Polygon's coordinates; returns where they end too.
pub(super) fn polygon(document: &Document<'_>, start: usize) -> Result<(Polygon, usize), Invalid> {
    if document.kind(start) != Kind::Array {
        return Err(Invalid);
    }
    let mut extra = ExtraValues::default();
    let mut exterior = None;
    let mut holes = Vec::new();
    let mut end = start + 1;
    while let Some(element) = document.next(end) {
        let (points, ring_end) = positions(document, element, POLYGON, &mut extra)?;
        if points.len() < RING_POSITIONS_MIN || points.first() != points.last() {
            return Err(Invalid);
        }
        let ring = Series::ring(points);
        match exterior {
            None => exterior = Some(ring),
            Some(_) => holes.push(ring),
        }
        end = ring_end;
    }
    let exterior = exterior.ok_or(Invalid)?;
    let extra = extra.finish();
    let holes = holes.into();
    Ok((Polygon { exterior, holes, extra, members: None }, document.close(end)))
}
