//! Iterators over a B-tree in either direction.

use std::slice;

use triomphe::Arc;

use super::node::{Branch, Node};
use super::Keyed;

/// The direction of an iterator.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// An iterator over the items of a tree in ascending or descending order of their keys.
#[derive(Clone)]
pub struct Iter<'a, T> {
    /// The children that remain in each branch between the root and the leaf.
    branches: Vec<slice::Iter<'a, Arc<Node<T>>>>,
    leaf: slice::Iter<'a, T>,
    direction: Direction,
}

impl<'a, T: Keyed> Iter<'a, T> {
    /// Returns an iterator that begins at the key, inclusive, or without a key at the first item in
    /// this direction.
    pub(super) fn new(
        root: Option<&'a Arc<Node<T>>>,
        from: Option<&[u8]>,
        direction: Direction,
    ) -> Self {
        let mut iter = Iter { branches: Vec::new(), leaf: [].iter(), direction };
        if let Some(root) = root {
            iter.descend(root, from);
        }
        iter
    }

    /// Descends to a leaf and stores the children that come after it.
    fn descend(&mut self, mut node: &'a Node<T>, from: Option<&[u8]>) {
        loop {
            match node {
                Node::Leaf(items) => {
                    self.leaf = self.leaf_from(items.items(), from.map(|key| items.find(key)));
                    return;
                }
                Node::Branch(branch) => {
                    let mut children = self.children_from(branch, from);
                    let Some(next) = step(&mut children, self.direction) else { return };
                    self.branches.push(children);
                    node = next;
                }
            }
        }
    }

    fn leaf_from(&self, items: &'a [T], found: Option<Result<usize, usize>>) -> slice::Iter<'a, T> {
        match (found, self.direction) {
            (None, _) => items.iter(),
            (Some(Ok(at) | Err(at)), Direction::Up) => items[at..].iter(),
            (Some(Ok(at)), Direction::Down) => items[..=at].iter(),
            (Some(Err(at)), Direction::Down) => items[..at].iter(),
        }
    }

    fn children_from(
        &self,
        branch: &'a Branch<T>,
        from: Option<&[u8]>,
    ) -> slice::Iter<'a, Arc<Node<T>>> {
        let children = branch.children();
        match (from.map(|key| branch.child_for(key)), self.direction) {
            (None, _) => children.iter(),
            (Some(at), Direction::Up) => children[at..].iter(),
            (Some(at), Direction::Down) => children[..=at].iter(),
        }
    }
}

fn step<'a, S>(iter: &mut slice::Iter<'a, S>, direction: Direction) -> Option<&'a S> {
    match direction {
        Direction::Up => iter.next(),
        Direction::Down => iter.next_back(),
    }
}

impl<'a, T: Keyed> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = step(&mut self.leaf, self.direction) {
                return Some(item);
            }
            match step(self.branches.last_mut()?, self.direction) {
                Some(node) => self.descend(node, None),
                None => {
                    self.branches.pop();
                }
            }
        }
    }
}
