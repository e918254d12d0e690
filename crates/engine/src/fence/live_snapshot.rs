//! SNAPSHOT: the objects that a live fence matches when it is opened, as messages in slices. Reads
//! a snapshot of the keyspace, so that no write waits for it.

use std::ops::ControlFlow;

use triomphe::Arc;

use super::message::{snapshot_end, snapshot_object, snapshot_start, Moment};
use super::{Fence, FenceArea, FenceShape, Watch};
use crate::keyspace::Keyspace;
use crate::object::Object;

/// The most objects that the index may offer for an area. If it has more, the collection is read
/// by id, so that neither the search nor its result has to be finished at once.
const OFFERED_MAX: usize = 10_000;

/// The first messages of a live fence.
#[derive(Default)]
pub struct LiveSnapshot {
    /// `None` for messages that are known already, and at the end.
    source: Option<Source>,
    ready: Vec<Vec<u8>>,
}

struct Source {
    keyspace: Keyspace,
    watch: Arc<Watch>,
    moment: Moment,
    /// The objects of a small area, the last first; `None` if the collection is read by id.
    gathered: Option<Vec<Object>>,
    /// The id from which on the collection has to be read.
    next_id: Vec<u8>,
    count: u64,
}

/// How far one slice goes.
#[derive(Clone, Copy)]
pub struct Slice {
    /// The most objects that it looks at.
    pub visits_max: usize,
    /// Bytes of messages above which it ends.
    pub bytes_max: usize,
}

impl LiveSnapshot {
    /// Returns the messages about the objects that a fence matches now: one that begins them, one
    /// for each object, and one that ends them. `None` for a fence without SNAPSHOT.
    pub fn new(keyspace: &Keyspace, watch: &Arc<Watch>, moment: Moment) -> Option<Self> {
        let FenceShape::Area(area) = &watch.fence.shape else { return None };
        if !watch.fence.has_snapshot {
            return None;
        }
        let ready = vec![snapshot_start(watch, &moment)];
        let gathered = gather(keyspace, &watch.fence, area);
        let (keyspace, watch) = (keyspace.clone(), Arc::clone(watch));
        let source = Source { keyspace, watch, moment, gathered, next_id: Vec::new(), count: 0 };
        Some(LiveSnapshot { source: Some(source), ready })
    }

    /// Returns messages that are known already.
    pub fn of_messages(ready: Vec<Vec<u8>>) -> Self {
        LiveSnapshot { source: None, ready }
    }

    /// Returns the messages of the next slice, which may have none; `None` at the end.
    pub fn read(&mut self, slice: Slice) -> Option<Vec<Vec<u8>>> {
        let mut messages = std::mem::take(&mut self.ready);
        let Some(source) = &mut self.source else {
            return (!messages.is_empty()).then_some(messages);
        };
        if source.read(slice, &mut messages) {
            messages.push(snapshot_end(&source.watch, &source.moment, source.count));
            self.source = None;
        }
        Some(messages)
    }
}

impl Source {
    /// Appends the messages of a slice; returns whether it was the last.
    fn read(&mut self, slice: Slice, messages: &mut Vec<Vec<u8>>) -> bool {
        let FenceShape::Area(area) = &self.watch.fence.shape else { return true };
        let mut bytes = 0;
        let mut add = |object: &Object| {
            let text = snapshot_object(&self.watch, object, &self.moment, &self.keyspace);
            bytes += text.len();
            messages.push(text);
            self.count += 1;
            bytes > slice.bytes_max
        };
        if let Some(gathered) = &mut self.gathered {
            for _ in 0..slice.visits_max {
                match gathered.pop() {
                    None => return true,
                    Some(object) if add(&object) => return gathered.is_empty(),
                    Some(_) => {}
                }
            }
            return gathered.is_empty();
        }
        let Some(objects) = self.keyspace.get(&self.watch.fence.key) else { return true };
        let mut is_full = false;
        for (at, object) in objects.ascend(&self.next_id).enumerate() {
            if is_full || at >= slice.visits_max {
                self.next_id = object.id().to_vec();
                return false;
            }
            if is_match(&self.keyspace, &self.watch.fence, area, object) {
                is_full = add(object);
            }
        }
        true
    }
}

fn is_match(keyspace: &Keyspace, fence: &Fence, area: &FenceArea, object: &Object) -> bool {
    fence.matches(object.id()) && area.hits(object) && fence.passes(keyspace, object)
}

/// Returns the matching objects, the last first; `None` if the index offers too many.
fn gather(keyspace: &Keyspace, fence: &Fence, area: &FenceArea) -> Option<Vec<Object>> {
    let (Some(objects), Some(geometry)) = (keyspace.get(&fence.key), &area.geometry) else {
        return Some(Vec::new());
    };
    let areas = objects.areas();
    let cover = geometry.cover(&areas.bounds().unwrap_or_default());
    let mut found = Vec::new();
    let mut offered = 0;
    let searched = areas.search_any(&cover, |object| {
        offered += 1;
        if offered > OFFERED_MAX {
            return ControlFlow::Break(());
        }
        if is_match(keyspace, fence, area, object) {
            found.push(object.clone());
        }
        ControlFlow::Continue(())
    });
    found.sort_unstable_by(|a, b| b.id().cmp(a.id()));
    searched.is_continue().then_some(found)
}
