//! Hints at the leaves that contain the items of crowded places. Usually the box of an item leads
//! to its leaf at once. But if very many items have the same box, such as devices that report 0, 0
//! without a fix, a search reads many leaves; then the leaf is remembered by the item's identity.
//!
//! Hints may be outdated: a search that follows one checks that the item is there. A snapshot
//! starts without hints.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A node on the way to a crowded leaf; 0 for all others.
pub(super) type NodeId = u32;

/// The id of nodes that are on no such way.
pub(super) const NO_ID: NodeId = 0;

/// More levels than any tree has; each takes twice the insertions of the one below.
pub(super) const LEVELS_MAX: usize = 64;

/// Spreads addresses, which end in zeros, over all bits.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, value: usize) {
        let mixed = (self.0 ^ value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// The memory of crowded leaves.
#[derive(Default)]
pub(super) struct Crowd {
    /// Identity of an item to its leaf.
    leaves: HashMap<usize, NodeId, BuildHasherDefault<AddressHasher>>,
    /// The parent of node n at n - 1.
    parents: Vec<NodeId>,
    free: Vec<NodeId>,
}

impl Crowd {
    /// A fresh id for a node below this parent.
    pub fn name(&mut self, parent: NodeId) -> NodeId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.parents.push(NO_ID);
            self.parents.len() as NodeId
        });
        self.set_parent(id, parent);
        id
    }

    pub fn set_parent(&mut self, id: NodeId, parent: NodeId) {
        if let Some(place) = (id as usize).checked_sub(1).and_then(|at| self.parents.get_mut(at)) {
            *place = parent;
        }
    }

    /// The node is gone.
    pub fn forget(&mut self, id: NodeId) {
        if id != NO_ID && id as usize <= self.parents.len() {
            self.free.push(id);
        }
    }

    /// An item came into this leaf.
    pub fn enter(&mut self, identity: usize, leaf: NodeId) {
        if leaf != NO_ID {
            self.leaves.insert(identity, leaf);
        }
    }

    /// The item is out of the tree.
    pub fn leave(&mut self, identity: usize) {
        if !self.leaves.is_empty() {
            self.leaves.remove(&identity);
        } else if self.leaves.capacity() > 0 {
            self.leaves = HashMap::default();
        }
    }

    /// The nodes from the root to the leaf of the item, if it is in a crowded one.
    pub fn lineage(&self, identity: usize) -> Option<Vec<NodeId>> {
        if self.leaves.is_empty() {
            return None;
        }
        let mut lineage = vec![*self.leaves.get(&identity)?];
        while let Some(&id) = lineage.last().filter(|&&id| id != NO_ID) {
            if lineage.len() > LEVELS_MAX {
                return None;
            }
            lineage.push(*self.parents.get(id as usize - 1)?);
        }
        lineage.pop();
        lineage.reverse();
        Some(lineage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_runs_from_the_root_to_the_leaf() {
        let mut crowd = Crowd::default();
        let root = crowd.name(NO_ID);
        let branch = crowd.name(root);
        let leaf = crowd.name(branch);
        crowd.enter(0x1000, leaf);
        assert_eq!(crowd.lineage(0x1000), Some(vec![root, branch, leaf]));
        assert_eq!(crowd.lineage(0x2000), None);
        crowd.leave(0x1000);
        assert_eq!(crowd.lineage(0x1000), None);
    }

    #[test]
    fn ids_are_used_again() {
        let mut crowd = Crowd::default();
        let first = crowd.name(NO_ID);
        crowd.forget(first);
        crowd.forget(NO_ID);
        assert_eq!(crowd.name(NO_ID), first);
    }

    #[test]
    fn parents_that_run_in_a_circle_lead_nowhere() {
        let mut crowd = Crowd::default();
        let (one, two) = (crowd.name(NO_ID), crowd.name(NO_ID));
        crowd.set_parent(one, two);
        crowd.set_parent(two, one);
        crowd.enter(0x1000, one);
        assert_eq!(crowd.lineage(0x1000), None);
    }
}
