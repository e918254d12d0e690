//! A B-tree: a set of small items, ordered by their byte keys, whose nodes are copied on write. A
//! clone is a snapshot in O(1), and a change copies only nodes that a snapshot shares.
//!
//! A lookup among a million ids reads a handful of cache lines, because nodes hold four bytes of
//! each key beside the pointers.

mod iter;
mod keys;
mod node;

use std::convert::Infallible;
use std::ptr;

use triomphe::Arc;

use self::iter::Direction;
pub use self::iter::Iter;
use self::node::{Branch, Node, Updated};
use super::prefetch::prefetch;

/// An item of a tree: small and cheap to clone, such as a reference-counted pointer.
pub trait Keyed: Clone {
    /// Returns the key by which items are ordered. It never changes while the item is in a tree.
    fn key(&self) -> &[u8];
}

/// A B-tree. `Clone` returns a snapshot.
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

/// A leaf whose prefetch has begun.
pub struct PrefetchedLeaf<'t, T>(&'t Node<T>);

impl<'t, T: Keyed> PrefetchedLeaf<'t, T> {
    /// Returns the only item that may have this key, or an arbitrary one, and begins to prefetch
    /// it.
    pub fn candidate(&self, key: &[u8]) -> Option<&'t T> {
        let Node::Leaf(items) = self.0 else { return None };
        let item = items.candidate(key)?;
        prefetch(ptr::from_ref(item).cast(), size_of::<T>());
        Some(item)
    }
}

impl<T: Keyed> BTree<T> {
    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the item with this key.
    pub fn get(&self, key: &[u8]) -> Option<&T> {
        let mut node: &Node<T> = self.root.as_ref()?;
        loop {
            match node {
                Node::Branch(branch) => node = branch.children().get(branch.child_for(key))?,
                Node::Leaf(items) => return items.position(key).map(|at| &items.items()[at]),
            }
        }
    }

    /// Returns the leaf in which this key belongs, and begins to prefetch it.
    pub fn prefetch_leaf(&self, key: &[u8]) -> Option<PrefetchedLeaf<'_, T>> {
        let mut node: &Node<T> = self.root.as_ref()?;
        // Counts the levels: reading whether a node is a leaf would wait for its memory.
        for _ in 0..self.height {
            let Node::Branch(branch) = node else { return None };
            node = branch.children().get(branch.child_for(key))?;
        }
        prefetch(ptr::from_ref(node).cast(), keys::HEADS_END);
        Some(PrefetchedLeaf(node))
    }

    /// Adds an item; returns the one with an equal key that it replaces.
    pub fn insert(&mut self, item: T) -> Option<T> {
        let copy = item.clone();
        let Ok((_, replaced)) = self.update(copy.key(), |_| Ok::<T, Infallible>(item));
        replaced
    }

    /// Stores the item that `make` returns, given the present item with this key; both have to have
    /// the same key. Returns a copy of the stored item, and the item that it replaces. Descends the
    /// tree once. If `make` fails, nothing changes.
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

    /// Removes the item with this key and returns it.
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

    /// Returns all items, ascending.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self.root.as_ref(), None, Direction::Up)
    }

    /// Returns all items, descending.
    pub fn iter_back(&self) -> Iter<'_, T> {
        Iter::new(self.root.as_ref(), None, Direction::Down)
    }

    /// Returns the items from this key on, inclusive, ascending.
    pub fn range_from(&self, key: &[u8]) -> Iter<'_, T> {
        Iter::new(self.root.as_ref(), Some(key), Direction::Up)
    }

    /// Returns iterators over consecutive parts of the items, ascending: at least so many, if there
    /// are as many leaves.
    pub fn divide(&self, parts_min: usize) -> Vec<Iter<'_, T>> {
        let mut nodes: Vec<&Arc<Node<T>>> = self.root.iter().collect();
        for _ in 0..self.height {
            if nodes.len() >= parts_min {
                break;
            }
            let children = nodes.iter().flat_map(|node| match &***node {
                Node::Branch(branch) => branch.children(),
                Node::Leaf(_) => &[],
            });
            nodes = children.collect();
        }
        nodes.into_iter().map(|node| Iter::new(Some(node), None, Direction::Up)).collect()
    }

    /// Returns the items from this key down, inclusive, descending.
    pub fn range_back_from(&self, key: &[u8]) -> Iter<'_, T> {
        Iter::new(self.root.as_ref(), Some(key), Direction::Down)
    }
}

impl<'a, T: Keyed> IntoIterator for &'a BTree<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
