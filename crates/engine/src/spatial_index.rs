//! The spatial index of a collection: an R-tree of its objects' boxes.
//!
//! Loading a log spends most of its time in this index. So a large index can be offloaded to an
//! [`IndexWorker`], which its caller runs on a thread: the loading thread sends the changes in the
//! order of the log and goes on reading. The resulting trees are the same, order of results
//! included. An offloaded index cannot be searched; it is reclaimed before the load returns.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

use crate::geometry::Rect;
use crate::index::RTree;
use crate::object::Object;

/// Changes that are sent to the worker in one message.
const BATCH_CHANGES_MAX: usize = 256;
/// Messages that wait in the worker's queue; when it is full, the loading thread waits.
const QUEUE_MESSAGES_MAX: usize = 64;
/// A tree with fewer items is not worth offloading.
const OFFLOADED_ITEMS_MIN: usize = 1000;

/// A collection's R-tree, or the connection to the worker that has it.
pub enum SpatialIndex {
    /// The tree is here and can be searched.
    Local(RTree<Object>),
    /// The worker has the tree: it can be changed but not searched.
    Offloaded(OffloadedTree),
}

/// The sender of changes to a tree that the worker has.
pub struct OffloadedTree {
    /// Stands in for the tree until it is reclaimed.
    empty: RTree<Object>,
    number: usize,
    pending: Vec<Change>,
    worker: SyncSender<Message>,
}

/// A message to the worker; trees are numbered in the order in which they are offloaded.
enum Message {
    Take(RTree<Object>),
    Change(usize, Vec<Change>),
    Return(usize, SyncSender<RTree<Object>>),
}

struct Change {
    bounds: Rect,
    object: Object,
    is_removal: bool,
}

impl Change {
    fn apply(self, tree: &mut RTree<Object>) {
        if self.is_removal {
            tree.remove(&self.bounds, &self.object);
        } else {
            tree.insert(&self.bounds, self.object);
        }
    }
}

impl Default for SpatialIndex {
    fn default() -> Self {
        SpatialIndex::Local(RTree::default())
    }
}

impl Clone for SpatialIndex {
    /// Returns a snapshot. An offloaded index is never cloned: nothing takes snapshots during a
    /// load.
    fn clone(&self) -> Self {
        debug_assert!(matches!(self, SpatialIndex::Local(_)));
        SpatialIndex::Local(self.tree().clone())
    }
}

impl SpatialIndex {
    /// Returns the tree to search; an empty one while the index is offloaded.
    pub fn tree(&self) -> &RTree<Object> {
        match self {
            SpatialIndex::Local(tree) => tree,
            SpatialIndex::Offloaded(offloaded) => &offloaded.empty,
        }
    }

    /// Adds an object.
    pub fn insert(&mut self, object: Object) {
        self.change(Change { bounds: object.bounds(), object, is_removal: false });
    }

    /// Removes an object and adds another in one pass.
    pub fn replace(&mut self, previous: &Object, object: Object) {
        if let SpatialIndex::Local(tree) = self {
            let bounds = object.bounds();
            tree.replace((&previous.bounds(), previous), (&bounds, object));
        } else {
            self.remove(previous);
            self.insert(object);
        }
    }

    /// Removes an object.
    pub fn remove(&mut self, object: &Object) {
        let bounds = object.bounds();
        match self {
            SpatialIndex::Local(tree) => {
                tree.remove(&bounds, object);
            }
            SpatialIndex::Offloaded(_) => {
                self.change(Change { bounds, object: object.clone(), is_removal: true });
            }
        }
    }

    #[inline]
    fn change(&mut self, change: Change) {
        match self {
            SpatialIndex::Local(tree) => change.apply(tree),
            SpatialIndex::Offloaded(offloaded) => offloaded.push(change),
        }
    }

    /// Gives the tree to the worker if it is large; returns whether it did.
    fn offload(&mut self, number: usize, worker: &SyncSender<Message>) -> bool {
        let SpatialIndex::Local(tree) = self else { return false };
        if tree.len() < OFFLOADED_ITEMS_MIN {
            return false;
        }
        let tree = std::mem::take(tree);
        // If the worker has ended, the tree is lost with the message; `reclaim` rebuilds it.
        let _ = worker.send(Message::Take(tree));
        *self = SpatialIndex::Offloaded(OffloadedTree {
            empty: RTree::default(),
            number,
            pending: Vec::new(),
            worker: worker.clone(),
        });
        true
    }

    /// Takes an offloaded tree back with all changes. If the worker has lost it, rebuilds it from
    /// the objects, which are all those of the collection.
    pub fn reclaim<'a>(&mut self, objects: impl Iterator<Item = &'a Object>) {
        let SpatialIndex::Offloaded(offloaded) = self else { return };
        let tree = offloaded.reclaim().unwrap_or_else(|| {
            let mut tree = RTree::default();
            for object in objects.filter(|object| object.is_indexed()) {
                tree.insert(&object.bounds(), object.clone());
            }
            tree
        });
        *self = SpatialIndex::Local(tree);
    }
}

impl OffloadedTree {
    fn push(&mut self, change: Change) {
        self.pending.push(change);
        if self.pending.len() >= BATCH_CHANGES_MAX {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let changes = std::mem::replace(&mut self.pending, Vec::with_capacity(BATCH_CHANGES_MAX));
        let _ = self.worker.send(Message::Change(self.number, changes));
    }

    fn reclaim(&mut self) -> Option<RTree<Object>> {
        self.flush();
        let (sender, receiver) = sync_channel(1);
        self.worker.send(Message::Return(self.number, sender)).ok()?;
        receiver.recv().ok()
    }
}

/// The loading thread's side: offloads indexes to the worker and remembers whose.
pub struct Offloader {
    worker: SyncSender<Message>,
    count: usize,
    keys: Vec<Box<[u8]>>,
}

impl Offloader {
    /// Offloads the index of a key's collection if it is large and still local.
    #[inline]
    pub fn offload(&mut self, key: &[u8], index: &mut SpatialIndex) {
        if index.offload(self.count, &self.worker) {
            self.count += 1;
            self.keys.push(key.into());
        }
    }

    /// Returns the keys whose indexes were offloaded. Some collections may be gone by now, and
    /// some indexes may have been reclaimed already.
    pub fn into_keys(self) -> Vec<Box<[u8]>> {
        self.keys
    }
}

/// Applies changes to offloaded trees. The caller runs it on a thread of its own.
pub struct IndexWorker(Receiver<Message>);

/// Returns the two ends of a bounded queue. The worker has to run on another thread for as long as
/// the offloader is used, otherwise the offloader waits for ever once the queue is full.
pub fn offloading() -> (Offloader, IndexWorker) {
    let (sender, receiver) = sync_channel(QUEUE_MESSAGES_MAX);
    (Offloader { worker: sender, count: 0, keys: Vec::new() }, IndexWorker(receiver))
}

impl IndexWorker {
    /// Applies changes until the offloader and all its trees are dropped.
    pub fn run(self) {
        let mut trees: Vec<Option<RTree<Object>>> = Vec::new();
        for message in self.0 {
            match message {
                Message::Take(tree) => trees.push(Some(tree)),
                Message::Change(number, changes) => {
                    let Some(Some(tree)) = trees.get_mut(number) else { continue };
                    for change in changes {
                        change.apply(tree);
                    }
                }
                Message::Return(number, sender) => {
                    if let Some(tree) = trees.get_mut(number).and_then(Option::take) {
                        let _ = sender.send(tree);
                    }
                }
            }
        }
    }
}
