//! WITHIN and INTERSECTS with the area MVT: the reply is a vector tile.

use super::area_search::AreaSearch;
use crate::call::{Call, Words};
use crate::error::Result;
use crate::json::{self, escape::write_int_member};
use crate::keyspace::Keyspace;
use crate::object::Object;
use crate::query::options::{Options, Verb, Wanted};
use crate::query::rows::Rows;
use crate::query::tile_area::TileArea;
use crate::reply::{write_bulk, write_header, write_integer};
use crate::tile::{Frame, Layer};

/// The name of the layer without LAYER: that of Tile38.
const LAYER_NAME: &[u8] = b"tile38";
/// Vertices that cost as much to draw as visiting an object, one unit of work.
const VERTICES_PER_WORK: usize = 2;
/// Bytes of fields and members that cost as much to copy as visiting an object.
const BYTES_PER_WORK: usize = 64;

/// Runs the search. CURSOR, LIMIT and the count run over all layers, in their order.
pub(super) fn run<'a>(
    verb: Verb,
    key: &'a [u8],
    options: &Options<'a>,
    words: &mut Words<'a>,
    keyspace: &Keyspace,
    call: &mut Call<'a, '_>,
) -> Result<()> {
    let TileArea { tile, area, layers } = TileArea::parse(key, words, options)?;
    let Some(geometry) = &area.geometry else { return Ok(()) };
    let mut rows = Rows::new(options, keyspace, call.budget);
    let search = AreaSearch { verb, area: geometry, has_clip: false };
    let keys = if layers.is_empty() { vec![key] } else { layers.clone() };
    let mut ends = Vec::new();
    for key in &keys {
        if rows.cursor() == 0 {
            search.run(keyspace.get(key), options, &mut rows, call)?;
        }
        ends.push(rows.objects().len());
    }
    call.budget.check_deadline()?;
    rows.check(call)?;
    if options.wanted == Wanted::Count && !call.is_json() {
        write_integer(call.out, rows.count() as i64);
        return Ok(());
    }
    let frame = Frame::new(tile, &geometry.bounds());
    let mut bytes = Vec::new();
    let mut start = 0;
    for (key, end) in keys.iter().zip(ends) {
        let name = if layers.is_empty() { LAYER_NAME } else { key };
        let mut layer = Layer::new(name, &frame, keyspace.names(), !options.no_fields);
        for object in rows.objects().skip(start).take(end - start) {
            call.budget.charge(work(object))?;
            layer.add(object)?;
        }
        start = end;
        // Tile38 replies its one layer empty, too; of several layers the empty ones are left out,
        // as the tile format recommends.
        if layers.is_empty() || !layer.is_empty() {
            layer.write(&mut bytes);
        }
    }
    reply(call, &rows, &bytes);
    Ok(())
}

fn reply(call: &mut Call, rows: &Rows, tile: &[u8]) {
    if call.is_json() {
        call.write_member("mvt", |out| json::write_base64(out, tile));
        write_int_member(call.out, "count", rows.count() as i64);
        write_int_member(call.out, "cursor", rows.cursor() as i64);
    } else {
        write_header(call.out, b'*', 2);
        write_integer(call.out, rows.cursor() as i64);
        write_bulk(call.out, tile);
    }
}

/// Returns the units of work of drawing an object.
fn work(object: &Object) -> u64 {
    let members = object.members().map_or(0, <[u8]>::len);
    let bytes = object.fields().block().len() + members;
    (1 + object.num_points() / VERTICES_PER_WORK + bytes / BYTES_PER_WORK) as u64
}
