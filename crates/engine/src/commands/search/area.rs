//! WITHIN and INTERSECTS.

use super::area_search::AreaSearch;
use super::tile;
use crate::call::Call;
use crate::error::Result;
use crate::fence::Fence;
use crate::keyspace::Keyspace;
use crate::query::area::Area;
use crate::query::options::{Options, Verb};
use crate::query::rows::Rows;
use crate::query::tile_area::TileArea;

/// WITHIN key {option} [output] area {clipby}
pub(super) fn within(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    run(Verb::Within, keyspace, call)
}

/// INTERSECTS key {option} [output] area {clipby}
pub(super) fn intersects(keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    run(Verb::Intersects, keyspace, call)
}

fn run(verb: Verb, keyspace: &Keyspace, call: &mut Call) -> Result<()> {
    let mut words = call.words();
    let key = words.next_filled()?;
    let options = Options::parse(verb, &mut words, keyspace)?;
    if options.fence.is_some() {
        call.live = Some(Fence::parse_live(verb, key, options, &mut words, keyspace)?);
        return Ok(());
    }
    if TileArea::is_next(&words) {
        return tile::run(verb, key, &options, &mut words, keyspace, call);
    }
    let area = Area::parse_search(&mut words, &options, keyspace)?;
    let mut rows = Rows::new(&options, keyspace, call.budget);
    if let Some(area) = &area.geometry {
        let search = AreaSearch { verb, area, has_clip: options.has_clip };
        search.run(keyspace.get(key), &options, &mut rows, call)?;
    }
    call.budget.check_deadline()?;
    rows.reply(call)
}
