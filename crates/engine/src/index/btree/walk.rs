//! Iterators in either direction. They borrow the tree; a snapshot serves as well.

use std::slice::Iter;

use triomphe::Arc;

use super::node::{Branch, Node};
use super::Keyed;

/// Which way to go.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// Walks the items in key order, up or down.
pub struct Walk<'a, T> {
    /// The children yet to come, of each branch on the way.
    pending: Vec<Iter<'a, Arc<Node<T>>>>,
    leaf: Iter<'a, T>,
    direction: Direction,
}

impl<'a, T: Keyed> Walk<'a, T> {
    /// From the key, if given, inclusive, else from the end.
    pub(super) fn new(
        root: Option<&'a Arc<Node<T>>>,
        from: Option<&[u8]>,
        direction: Direction,
    ) -> Self {
        let mut walk = Walk { pending: Vec::new(), leaf: [].iter(), direction };
        if let Some(root) = root {
            walk.descend(root, from);
        }
        walk
    }

    /// Goes down to a leaf and notes what comes after.
    fn descend(&mut self, mut node: &'a Node<T>, from: Option<&[u8]>) {
        loop {
            match node {
                Node::Leaf(items) => {
                    self.leaf = self.rest_of_leaf(items.items(), from.map(|key| items.find(key)));
                    return;
                }
                Node::Branch(branch) => {
                    let mut rest = self.rest_of_branch(branch, from);
                    let Some(next) = step(&mut rest, self.direction) else { return };
                    self.pending.push(rest);
                    node = next;
                }
            }
        }
    }

    fn rest_of_leaf(&self, items: &'a [T], found: Option<Result<usize, usize>>) -> Iter<'a, T> {
        match (found, self.direction) {
            (None, _) => items.iter(),
            (Some(Ok(at) | Err(at)), Direction::Up) => items[at..].iter(),
            (Some(Ok(at)), Direction::Down) => items[..=at].iter(),
            (Some(Err(at)), Direction::Down) => items[..at].iter(),
        }
    }

    fn rest_of_branch(&self, branch: &'a Branch<T>, from: Option<&[u8]>) -> Iter<'a, Arc<Node<T>>> {
        let children = branch.children();
        match (from.map(|key| branch.child_for(key)), self.direction) {
            (None, _) => children.iter(),
            (Some(at), Direction::Up) => children[at..].iter(),
            (Some(at), Direction::Down) => children[..=at].iter(),
        }
    }
}

fn step<'a, S>(iter: &mut Iter<'a, S>, direction: Direction) -> Option<&'a S> {
    match direction {
        Direction::Up => iter.next(),
        Direction::Down => iter.next_back(),
    }
}

impl<'a, T: Keyed> Iterator for Walk<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = step(&mut self.leaf, self.direction) {
                return Some(item);
            }
            match step(self.pending.last_mut()?, self.direction) {
                Some(node) => self.descend(node, None),
                None => {
                    self.pending.pop();
                }
            }
        }
    }
}
