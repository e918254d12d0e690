//! The computation of the answers of standing queries, anew or from a change.

use std::ops::ControlFlow;

use triomphe::Arc;

use super::standing_index::Place;
use super::standing_queries::Answer;
use super::{Change, ChangeKind, Fence, FenceArea, FenceShape};
use crate::keyspace::Keyspace;
use crate::object::Object;

/// Computes the answer of a query anew, and the place where changes concern it.
pub fn answer(keyspace: &Keyspace, fence: &Fence) -> Option<(Answer, Place)> {
    match &fence.shape {
        FenceShape::Top(top) => {
            let list = top.search(keyspace, fence);
            let place = top.place(keyspace, &list);
            Some((Answer::Top(Arc::from(list)), place))
        }
        FenceShape::Area(area) => Some((Answer::Count(count(keyspace, fence, area)), place(area))),
        FenceShape::Roam(_) | FenceShape::Zones(_) => None,
    }
}

/// Computes the answer after a change; `None` if it stays.
pub fn updated_answer(
    keyspace: &Keyspace,
    fence: &Fence,
    present: &Answer,
    change: &Change,
) -> Option<(Answer, Place)> {
    let Some(object) = &change.object else { return answer(keyspace, fence) };
    match (&fence.shape, present) {
        (FenceShape::Top(top), Answer::Top(list)) => {
            let list = top.update(keyspace, fence, list, object.id())?;
            let place = top.place(keyspace, &list);
            Some((Answer::Top(Arc::from(list)), place))
        }
        (FenceShape::Area(area), Answer::Count(count)) => {
            let is_counted = |object: &Object| is_counted(keyspace, fence, area, object);
            let (was_in, is_in) = match change.kind {
                ChangeKind::Del | ChangeKind::Drop => (is_counted(object), false),
                ChangeKind::Set | ChangeKind::Fset => {
                    (change.replaced.as_ref().is_some_and(is_counted), is_counted(object))
                }
                ChangeKind::Expire | ChangeKind::Persist | ChangeKind::Fence => return None,
            };
            let count = match (was_in, is_in) {
                (false, true) => count + 1,
                (true, false) => count.saturating_sub(1),
                _ => return None,
            };
            Some((Answer::Count(count), place(area)))
        }
        _ => None,
    }
}

fn place(area: &FenceArea) -> Place {
    match (&area.geometry, area.cover()) {
        (None, _) => Place::Nowhere,
        (Some(_), None) => Place::Everywhere,
        (Some(_), Some(bounds)) => Place::of(bounds),
    }
}

fn is_counted(keyspace: &Keyspace, fence: &Fence, area: &FenceArea, object: &Object) -> bool {
    fence.matches(object.id()) && area.hits(object) && fence.passes(keyspace, object)
}

fn count(keyspace: &Keyspace, fence: &Fence, area: &FenceArea) -> u64 {
    let (Some(objects), Some(geometry)) = (keyspace.get(&fence.key), &area.geometry) else {
        return 0;
    };
    let mut count = 0;
    let areas = objects.areas();
    let cover = geometry.cover(&areas.bounds().unwrap_or_default());
    let _ = areas.search_any(&cover, |object| {
        count += u64::from(is_counted(keyspace, fence, area, object));
        ControlFlow::Continue(())
    });
    count
}
