//! An ordered set of small items by their byte keys, with copy-on-write nodes: a clone is an
//! immutable snapshot at no cost, and a change copies only nodes that a snapshot holds.
//!
//! A lookup among a million ids touches a handful of cache lines, since nodes keep four telling
//! bytes of each key beside the pointers.

mod keys;
mod node;
mod walk;

use std::convert::Infallible;
use std::ptr;

use triomphe::Arc;

use self::node::{Branch, Node, Updated};
use self::walk::Direction;
pub use self::walk::Walk;
use super::prefetch::prefetch;

/// What a tree holds; small and cheap to clone, a counted pointer say.
pub trait Keyed: Clone {
    /// The key it is ordered by. It never changes while the item is in a tree.
    fn key(&self) -> &[u8];
}

/// The tree. `Clone` takes a snapshot.
pub struct BTree<T> {
    root: Option<Arc<Node<T>>>,
    /// Levels of branches above the leaves.
    height: usize,
    len: usize,
}

impl<T> Clone for BTree<T> {
    fn clone(&self) -> Self {
        BTree { root: self.root.clone(), height: self.height, len: self.len }
    }
}

impl<T> Default for BTree<T> {
    fn default() -> Self {
        BTree { root: None, height: 0, len: 0 }
    }
}

/// A leaf that is being fetched.
pub struct LeafAhead<'t, T>(&'t Node<T>);

impl<'t, T: Keyed> LeafAhead<'t, T> {
    /// Where the item with this key is if it is there; else where another is. That place is being
    /// fetched, too.
    pub fn likely(&self, key: &[u8]) -> Option<&'t T> {
        let Node::Leaf(items) = self.0 else { return None };
        let item = items.likely(key)?;
        prefetch(ptr::from_ref(item).cast(), size_of::<T>());
        Some(item)
    }
}

impl<T: Keyed> BTree<T> {
    /// An empty tree.
    pub fn new() -> Self {
        BTree::default()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item with this key.
    pub fn get(&self, key: &[u8]) -> Option<&T> {
        let mut node: &Node<T> = self.root.as_ref()?;
        loop {
            match node {
                Node::Branch(branch) => node = branch.children().get(branch.child_for(key))?,
                Node::Leaf(items) => return items.position(key).map(|at| &items.items()[at]),
            }
        }
    }

    /// The leaf for this key, which may still be on its way into the cache.
    pub fn leaf_ahead(&self, key: &[u8]) -> Option<LeafAhead<'_, T>> {
        let mut node: &Node<T> = self.root.as_ref()?;
        // To look whether a node is a leaf would be to wait for it.
        for _ in 0..self.height {
            let Node::Branch(branch) = node else { return None };
            node = branch.children().get(branch.child_for(key))?;
        }
        prefetch(ptr::from_ref(node).cast(), keys::HEADS_END);
        Some(LeafAhead(node))
    }

    /// Adds an item; gives back the one with an equal key that it replaces.
    pub fn insert(&mut self, item: T) -> Option<T> {
        let copy = item.clone();
        let Ok((_, replaced)) = self.update(copy.key(), |_| Ok::<T, Infallible>(item));
        replaced
    }

    /// Stores what is made of the item with this key, if there is one; its key has to be the same.
    /// Gives back a copy of it, and what it replaces. Looking and storing take one way down; if
    /// making fails, nothing changes.
    pub fn update<E>(
        &mut self,
        key: &[u8],
        make: impl FnOnce(Option<&T>) -> Result<T, E>,
    ) -> Result<(T, Option<T>), E> {
        let Some(root) = &mut self.root else {
            let item = make(None)?;
            let mut items = keys::Keys::default();
            items.insert(0, item.clone());
            let root = Some(Arc::new(Node::Leaf(items)));
            *self = BTree { root, height: 0, len: 1 };
            return Ok((item, None));
        };
        let (item, updated) = Arc::make_mut(root).update(key, make)?;
        match updated {
            Updated::Replaced(old) => return Ok((item, Some(old))),
            Updated::Added(Some(half)) => {
                *root = Arc::new(Node::Branch(Box::new(Branch::above(root.clone(), half))));
                self.height += 1;
            }
            Updated::Added(None) => {}
        }
        self.len += 1;
        Ok((item, None))
    }

    /// Takes out the item with this key.
    pub fn remove(&mut self, key: &[u8]) -> Option<T> {
        let root = self.root.as_mut()?;
        let removed = Arc::make_mut(root).remove(key)?;
        self.len -= 1;
        while let Node::Branch(branch) = &**root {
            let [only] = branch.children() else { break };
            *root = only.clone();
            self.height -= 1;
        }
        if self.len == 0 {
            self.root = None;
        }
        Some(removed)
    }

    /// The item with the least key.
    pub fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    /// The item with the greatest key.
    pub fn last(&self) -> Option<&T> {
        self.iter_back().next()
    }

    /// All items, ascending.
    pub fn iter(&self) -> Walk<'_, T> {
        Walk::new(self.root.as_ref(), None, Direction::Up)
    }

    /// All items, descending.
    pub fn iter_back(&self) -> Walk<'_, T> {
        Walk::new(self.root.as_ref(), None, Direction::Down)
    }

    /// The items from this key on, it included, ascending.
    pub fn range_from(&self, key: &[u8]) -> Walk<'_, T> {
        Walk::new(self.root.as_ref(), Some(key), Direction::Up)
    }

    /// The items from this key down, it included, descending.
    pub fn range_back_from(&self, key: &[u8]) -> Walk<'_, T> {
        Walk::new(self.root.as_ref(), Some(key), Direction::Down)
    }
}

impl<'a, T: Keyed> IntoIterator for &'a BTree<T> {
    type Item = &'a T;
    type IntoIter = Walk<'a, T>;

    fn into_iter(self) -> Walk<'a, T> {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
