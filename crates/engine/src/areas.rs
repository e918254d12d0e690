//! The index of a collection's areas. While a log is loaded, a [`Helper`] keeps large ones on a
//! thread of its caller's and brings changes in, in the log's order, while the log is read on: the
//! trees come out the same. Nothing searches them meanwhile.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

use crate::geometry::Rect;
use crate::index::RTree;
use crate::object::Object;

/// Changes that go to the helper at once.
const BATCH_COUNT: usize = 256;
/// Batches that may wait for the helper; then the reader of the log waits for it.
const BATCHES_WAITING_MAX: usize = 64;
/// Items from which on a tree is worth lending.
const LENT_ITEMS_MIN: usize = 1000;

/// The index, or to whom it is lent.
pub enum Areas {
    /// Here.
    Here(RTree<Object>),
    /// Elsewhere, to change but not to search.
    Lent(Loan),
}

/// How to reach a tree that is lent.
pub struct Loan {
    nothing: RTree<Object>,
    number: usize,
    changes: Vec<Change>,
    helper: SyncSender<Message>,
}

/// To the helper.
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

impl Default for Areas {
    fn default() -> Self {
        Areas::Here(RTree::default())
    }
}

impl Clone for Areas {
    /// A snapshot. None is taken of what is lent.
    fn clone(&self) -> Self {
        debug_assert!(matches!(self, Areas::Here(_)));
        Areas::Here(self.tree().clone())
    }
}

impl Areas {
    /// The tree; an empty one while it is lent.
    pub fn tree(&self) -> &RTree<Object> {
        match self {
            Areas::Here(tree) => tree,
            Areas::Lent(loan) => &loan.nothing,
        }
    }

    /// Adds an object.
    pub fn insert(&mut self, object: Object) {
        self.change(Change { bounds: object.bounds(), object, is_removal: false });
    }

    /// Puts an object in the place of another.
    pub fn replace(&mut self, previous: &Object, object: Object) {
        if let Areas::Here(tree) = self {
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
            Areas::Here(tree) => {
                tree.remove(&bounds, object);
            }
            Areas::Lent(_) => {
                self.change(Change { bounds, object: object.clone(), is_removal: true });
            }
        }
    }

    #[inline]
    fn change(&mut self, change: Change) {
        match self {
            Areas::Here(tree) => change.apply(tree),
            Areas::Lent(loan) => loan.note(change),
        }
    }

    /// Lends the tree, if it is large; whether it did.
    fn lend(&mut self, number: usize, helper: &SyncSender<Message>) -> bool {
        let Areas::Here(tree) = self else { return false };
        if tree.len() < LENT_ITEMS_MIN {
            return false;
        }
        let tree = std::mem::take(tree);
        // If the helper is gone, the tree is, too; then it is made anew when it is called back.
        let _ = helper.send(Message::Take(tree));
        *self = Areas::Lent(Loan {
            nothing: RTree::default(),
            number,
            changes: Vec::new(),
            helper: helper.clone(),
        });
        true
    }

    /// Has a tree that is lent come back with all changes; of the given objects if it is lost.
    pub fn call_back<'a>(&mut self, objects: impl Iterator<Item = &'a Object>) {
        let Areas::Lent(loan) = self else { return };
        let tree = loan.call_back().unwrap_or_else(|| {
            let mut tree = RTree::default();
            for object in objects.filter(|object| object.is_indexed()) {
                tree.insert(&object.bounds(), object.clone());
            }
            tree
        });
        *self = Areas::Here(tree);
    }
}

impl Loan {
    fn note(&mut self, change: Change) {
        self.changes.push(change);
        if self.changes.len() >= BATCH_COUNT {
            self.send();
        }
    }

    fn send(&mut self) {
        let changes = std::mem::replace(&mut self.changes, Vec::with_capacity(BATCH_COUNT));
        let _ = self.helper.send(Message::Change(self.number, changes));
    }

    fn call_back(&mut self) -> Option<RTree<Object>> {
        self.send();
        let (sender, receiver) = sync_channel(1);
        self.helper.send(Message::Return(self.number, sender)).ok()?;
        receiver.recv().ok()
    }
}

/// Who lends, and what is lent.
pub struct Lender {
    helper: SyncSender<Message>,
    count: usize,
    keys: Vec<Box<[u8]>>,
}

impl Lender {
    /// Lends the areas of a key's collection, if they are large and still here.
    #[inline]
    pub fn lend(&mut self, key: &[u8], areas: &mut Areas) {
        if areas.lend(self.count, &self.helper) {
            self.count += 1;
            self.keys.push(key.into());
        }
    }

    /// The keys whose areas were lent; some may have been called back or be gone.
    pub fn into_keys(self) -> Vec<Box<[u8]>> {
        self.keys
    }
}

/// Keeps trees and changes them; for a thread of the caller's.
pub struct Helper(Receiver<Message>);

/// A lender and its helper, which has to run on another thread while the lender lends.
pub fn helped() -> (Lender, Helper) {
    let (sender, receiver) = sync_channel(BATCHES_WAITING_MAX);
    (Lender { helper: sender, count: 0, keys: Vec::new() }, Helper(receiver))
}

impl Helper {
    /// Works until all is given back and the lender is gone.
    pub fn run(self) {
        let mut trees: Vec<Option<RTree<Object>>> = Vec::new();
        for message in self.0 {
            match message {
                // They are numbered as they come.
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
