//! A fence as an entry of a tree of areas.

use triomphe::Arc;

use super::Watch;
use crate::index::Item;
use crate::object::Object;

/// A fence in the index.
#[derive(Clone)]
pub struct Entry(pub Arc<Watch>);

impl Item for Entry {
    fn identity(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    fn is_point(&self) -> bool {
        false
    }
}

/// Whether an object can touch an area. A box with a NaN would find all fences and touch none.
pub(super) fn is_somewhere(object: &Object) -> bool {
    let bounds = object.bounds();
    let corners = [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y];
    object.is_indexed() && !corners.iter().any(|side| side.is_nan())
}
