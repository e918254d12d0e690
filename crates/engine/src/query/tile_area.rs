//! The area MVT of WITHIN and INTERSECTS: a tile, and the collections that are its layers.

use super::area::{take_tile, Area};
use super::options::Options;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::geometry::Geometry;
use crate::tile::Tile;

/// A tile to draw.
pub struct TileArea<'a> {
    /// The tile.
    pub tile: Tile,
    /// The box of the tile and its margin, clipped by CLIPBY. The tile stays the one that is drawn:
    /// Tile38 draws a clipped tile in the place of the box that clips it.
    pub area: Area,
    /// The keys of the layers, each once; empty without LAYER.
    pub layers: Vec<&'a [u8]>,
}

impl<'a> TileArea<'a> {
    /// Returns whether the next words are this area.
    pub fn is_next(words: &Words) -> bool {
        words.peek().is_some_and(|word| word.eq_ignore_ascii_case(b"MVT"))
    }

    /// Reads `MVT x y z {CLIPBY …} {LAYER key}`, and extends the area by its buffer. `key` is that
    /// of the search, which is the first layer if LAYER names others.
    pub fn parse(key: &'a [u8], words: &mut Words<'a>, options: &Options) -> Result<Self> {
        words.advance(1);
        let tile = take_tile(words)?;
        let side = 1_i64 << tile.z;
        if let Some(place) = [tile.x, tile.y].into_iter().find(|place| *place >= side) {
            return Err(Error::invalid(place.to_string().as_bytes()));
        }
        let mut area = Area::new(Geometry::Rect(tile.bounds()));
        let mut layers = Vec::new();
        while words.left() > 0 {
            if words.take_keyword("LAYER") {
                for name in [key, words.next_filled()?] {
                    if !layers.contains(&name) {
                        layers.push(name);
                    }
                }
            } else {
                area.take_clip(words)?;
            }
        }
        if let Some(meters) = options.buffer {
            area.buffer(meters)?;
        }
        Ok(TileArea { tile, area, layers })
    }
}
