//! The nodes of a B-tree: leaves of items and branches of nodes. The root belongs to the tree.

use triomphe::Arc;

use super::keys::{shared_len, Keys, KEYS_MAX};
use super::Keyed;
use crate::index::capacity;

/// The most items in a leaf, or children of a branch; a list holds one more until it is split.
pub(super) const NODE_ENTRIES_MAX: usize = KEYS_MAX - 1;

/// A node with fewer entries is merged with a neighbour if possible.
const NODE_ENTRIES_MIN: usize = 16;

/// The most entries of a merged node; room is left so that it isn't split again soon.
const MERGED_ENTRIES_MAX: usize = 48;

/// A leaf or a branch.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // nearly all nodes are leaves
pub(super) enum Node<T> {
    Leaf(Keys<T>),
    /// Boxed, because it is larger than a leaf.
    Branch(Box<Branch<T>>),
}

/// A branch: child n holds the keys from separator n - 1, inclusive, to separator n, exclusive.
#[derive(Clone)]
pub(super) struct Branch<T> {
    separators: Keys<Box<[u8]>>,
    children: Vec<Arc<Node<T>>>,
}

/// The right half of a node that was split, and the separator before it.
pub(super) struct RightHalf<T> {
    separator: Box<[u8]>,
    node: Arc<Node<T>>,
}

/// The change that an update made to a node: it replaced an item, or added one, which may have
/// split the node.
pub(super) enum Updated<T> {
    Replaced(T),
    Added(Option<RightHalf<T>>),
}

impl Keyed for Box<[u8]> {
    fn key(&self) -> &[u8] {
        self
    }
}

/// Returns the position at which to split a list: the middle, but next to the end if the last
/// insertion was at an end, so that ascending or descending keys leave full nodes.
fn split_at(inserted_at: usize, len: usize) -> usize {
    match inserted_at {
        0 => 1,
        at if at + 1 == len => len - 1,
        _ => len / 2,
    }
}

/// Returns the shortest key that is greater than `left` and not greater than `right`.
fn shortest_separator(left: &[u8], right: &[u8]) -> Box<[u8]> {
    Box::from(&right[..right.len().min(shared_len(left, right) + 1)])
}

impl<T: Keyed> Branch<T> {
    /// Returns a new root above the two halves of the former one.
    pub fn above(left: Arc<Node<T>>, right: RightHalf<T>) -> Self {
        let mut branch = Branch { separators: Keys::default(), children: vec![left] };
        branch.add(1, right);
        branch
    }

    pub fn children(&self) -> &[Arc<Node<T>>] {
        &self.children
    }

    /// Returns the position of the child in whose range the key is.
    pub fn child_for(&self, key: &[u8]) -> usize {
        match self.separators.find(key) {
            Ok(at) => at + 1,
            Err(at) => at,
        }
    }

    fn add(&mut self, at: usize, half: RightHalf<T>) {
        self.separators.insert(at - 1, half.separator);
        capacity::insert(&mut self.children, at, half.node);
    }

    fn update<E>(
        &mut self,
        key: &[u8],
        make: impl FnOnce(Option<&T>) -> Result<T, E>,
    ) -> Result<(T, Updated<T>), E> {
        let at = self.child_for(key);
        let (item, updated) = Arc::make_mut(&mut self.children[at]).update(key, make)?;
        let Updated::Added(Some(half)) = updated else { return Ok((item, updated)) };
        self.add(at + 1, half);
        let is_overfull = self.children.len() > NODE_ENTRIES_MAX;
        Ok((item, Updated::Added(is_overfull.then(|| self.split(at + 1)))))
    }

    fn split(&mut self, inserted_at: usize) -> RightHalf<T> {
        // A branch needs a separator on either side.
        let at = split_at(inserted_at, self.children.len()).clamp(2, self.children.len() - 2);
        let separators = self.separators.split_off(at);
        let children = capacity::split_off(&mut self.children, at);
        let separator = self.separators.remove(at - 1);
        let node = Arc::new(Node::Branch(Box::new(Branch { separators, children })));
        RightHalf { separator, node }
    }

    fn remove(&mut self, key: &[u8]) -> Option<T> {
        let at = self.child_for(key);
        let child = Arc::make_mut(&mut self.children[at]);
        let removed = child.remove(key)?;
        if child.len() < NODE_ENTRIES_MIN {
            self.merge_small_child(at);
        }
        Some(removed)
    }

    /// Merges a small child with a neighbour if both fit into one node; drops an empty child. This
    /// branch may become empty, too; then its parent drops it.
    fn merge_small_child(&mut self, at: usize) {
        if self.children[at].len() == 0 {
            capacity::remove(&mut self.children, at);
            if self.separators.len() > 0 {
                self.separators.remove(at.saturating_sub(1));
            }
            return;
        }
        let fits = |left: usize, right: usize| {
            let [left, right] = [left, right].map(|at| self.children.get(at).map(|n| n.len()));
            left.zip(right).is_some_and(|(left, right)| left + right <= MERGED_ENTRIES_MAX)
        };
        if fits(at, at + 1) {
            self.merge(at);
        } else if at > 0 && fits(at - 1, at) {
            self.merge(at - 1);
        }
    }

    /// Merges a child with the one to its right.
    fn merge(&mut self, at: usize) {
        let right = Arc::unwrap_or_clone(capacity::remove(&mut self.children, at + 1));
        let separator = self.separators.remove(at);
        match (Arc::make_mut(&mut self.children[at]), right) {
            (Node::Leaf(left), Node::Leaf(right)) => left.append(right),
            (Node::Branch(left), Node::Branch(mut right)) => {
                right.separators.insert(0, separator);
                left.separators.append(right.separators);
                capacity::append(&mut left.children, &mut right.children);
            }
            _ => debug_assert!(false, "all leaves are at the same depth"),
        }
    }
}

impl<T: Keyed> Node<T> {
    /// Returns the number of items in a leaf, or of children in a branch.
    pub fn len(&self) -> usize {
        match self {
            Node::Leaf(items) => items.len(),
            Node::Branch(branch) => branch.children.len(),
        }
    }

    /// Stores the item that `make` returns, given the present item with this key; returns a copy of
    /// it and what changed.
    pub fn update<E>(
        &mut self,
        key: &[u8],
        make: impl FnOnce(Option<&T>) -> Result<T, E>,
    ) -> Result<(T, Updated<T>), E> {
        let items = match self {
            Node::Branch(branch) => return branch.update(key, make),
            Node::Leaf(items) => items,
        };
        if let Some(at) = items.position(key) {
            let item = make(Some(&items.items()[at]))?;
            return Ok((item.clone(), Updated::Replaced(items.replace(at, item))));
        }
        let item = make(None)?;
        let (Ok(at) | Err(at)) = items.find(key);
        items.insert(at, item.clone());
        let half = (items.len() > NODE_ENTRIES_MAX).then(|| {
            let right = items.split_off(split_at(at, items.len()));
            let (last, first) = (items.items().last(), right.items().first());
            let separator =
                last.zip(first).map(|(last, first)| shortest_separator(last.key(), first.key()));
            RightHalf {
                separator: separator.unwrap_or_default(),
                node: Arc::new(Node::Leaf(right)),
            }
        });
        Ok((item, Updated::Added(half)))
    }

    pub fn remove(&mut self, key: &[u8]) -> Option<T> {
        match self {
            Node::Branch(branch) => branch.remove(key),
            Node::Leaf(items) => items.position(key).map(|at| items.remove(at)),
        }
    }

    /// Asserts the invariants of all nodes, which have `depth` levels of branches above the leaves;
    /// returns the number of items.
    #[cfg(test)]
    pub fn check(&self, depth: usize) -> usize {
        match self {
            Node::Leaf(items) => {
                assert_eq!(depth, 0, "all leaves are at the same depth");
                assert!((1..=NODE_ENTRIES_MAX).contains(&items.len()));
                items.check();
                items.len()
            }
            Node::Branch(branch) => {
                assert!((1..=NODE_ENTRIES_MAX).contains(&branch.children.len()));
                assert_eq!(branch.separators.len() + 1, branch.children.len());
                branch.separators.check();
                branch.children.iter().map(|child| child.check(depth - 1)).sum()
            }
        }
    }
}
