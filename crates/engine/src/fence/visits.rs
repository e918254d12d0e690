//! The memory of fences from a collection: which objects are inside which zones. An object that is
//! in no zone takes no memory.

use triomphe::ThinArc;

use super::group::Group;
use crate::index::{BTree, Keyed};
use crate::varint::{read_varint, write_varint};

/// Bytes of a visitor's allocation besides its texts, and of its place in the tree.
const VISITOR_BYTES: usize = 48;

/// The visit of an object to a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit<'v> {
    /// The zone's id.
    pub zone: &'v [u8],
    /// The id that the messages of the visit share.
    pub group: Group,
}

/// An object and its visits, ascending by zone, in one allocation: the object's id, then for each
/// visit the length of the zone's id, that id, and the group.
#[derive(Clone)]
pub struct Visitor(ThinArc<u32, u8>);

impl Visitor {
    /// Returns an object with its visits, which ascend by zone.
    pub fn new<'v>(id: &[u8], visits: impl Iterator<Item = Visit<'v>>) -> Self {
        let mut text = id.to_vec();
        for Visit { zone, group } in visits {
            write_varint(&mut text, zone.len());
            text.extend_from_slice(zone);
            text.extend_from_slice(&group);
        }
        Visitor(ThinArc::from_header_and_slice(id.len() as u32, &text))
    }

    /// Returns the object's id.
    pub fn id(&self) -> &[u8] {
        &self.0.slice[..self.0.header.header as usize]
    }

    /// Returns the visits, ascending by zone.
    pub fn visits(&self) -> VisitIter<'_> {
        VisitIter(&self.0.slice[self.0.header.header as usize..])
    }

    fn bytes(&self) -> usize {
        VISITOR_BYTES + self.0.slice.len()
    }
}

impl Keyed for Visitor {
    fn key(&self) -> &[u8] {
        self.id()
    }
}

/// An iterator over the visits of an object.
#[derive(Clone, Default)]
pub struct VisitIter<'v>(&'v [u8]);

impl<'v> Iterator for VisitIter<'v> {
    type Item = Visit<'v>;

    fn next(&mut self) -> Option<Visit<'v>> {
        if self.0.is_empty() {
            return None;
        }
        let length = read_varint(&mut self.0);
        let (zone, rest) = self.0.split_at_checked(length)?;
        let (group, rest) = rest.split_first_chunk()?;
        self.0 = rest;
        Some(Visit { zone, group: *group })
    }
}

/// The visitors of one fence. `Clone` takes a snapshot.
#[derive(Clone, Default)]
pub struct Visits {
    visitors: BTree<Visitor>,
    bytes: usize,
}

impl Visits {
    /// Returns the object with this id if it is in a zone.
    pub fn get(&self, id: &[u8]) -> Option<&Visitor> {
        self.visitors.get(id)
    }

    /// Returns the objects that are in zones, from this id on, ascending.
    pub fn from(&self, id: &[u8]) -> impl Iterator<Item = &Visitor> {
        self.visitors.range_from(id)
    }

    /// Returns the number of objects that are in zones.
    pub fn len(&self) -> usize {
        self.visitors.len()
    }

    /// Returns whether no object is in a zone.
    pub fn is_empty(&self) -> bool {
        self.visitors.is_empty()
    }

    /// Approximate memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Applies a change.
    pub fn apply(&mut self, change: VisitChange) {
        let replaced = match change {
            VisitChange::Clear => return *self = Visits::default(),
            VisitChange::Forget(id) => self.visitors.remove(&id),
            VisitChange::Set(visitor) => {
                self.bytes += visitor.bytes();
                self.visitors.insert(visitor)
            }
        };
        self.bytes -= replaced.map_or(0, |visitor| visitor.bytes());
    }
}

/// A change of a fence's memory.
pub enum VisitChange {
    /// These are the object's visits now.
    Set(Visitor),
    /// The object is in no zone.
    Forget(Box<[u8]>),
    /// No object is in a zone.
    Clear,
}

/// A change of the memory of the fence with this number.
pub struct VisitUpdate {
    /// The fence's number.
    pub serial: u64,
    /// The change.
    pub change: VisitChange,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(id: &str, zones: &[&str]) -> Visitor {
        let visits = zones.iter().enumerate();
        let visits =
            visits.map(|(at, zone)| Visit { zone: zone.as_bytes(), group: [at as u8; 12] });
        Visitor::new(id.as_bytes(), visits)
    }

    #[test]
    fn a_visitor_keeps_its_visits() {
        let long = "z".repeat(300);
        let truck = visitor("truck", &["", "a", &long]);
        assert_eq!(truck.id(), b"truck");
        let visits: Vec<Visit> = truck.visits().collect();
        let zones: Vec<&[u8]> = visits.iter().map(|visit| visit.zone).collect();
        assert_eq!(zones, [&b""[..], b"a", long.as_bytes()]);
        assert_eq!(visits[2].group, [2; 12]);
    }

    #[test]
    fn the_memory_of_visits_that_end_is_given_back() {
        let mut visits = Visits::default();
        visits.apply(VisitChange::Set(visitor("truck", &["a"])));
        let one = visits.bytes();
        visits.apply(VisitChange::Set(visitor("truck", &["a", "b"])));
        visits.apply(VisitChange::Set(visitor("van", &["a"])));
        assert!(visits.bytes() > 2 * one - 10);
        visits.apply(VisitChange::Forget(b"truck"[..].into()));
        visits.apply(VisitChange::Forget(b"bus"[..].into()));
        assert_eq!(visits.bytes(), one - 2);
        assert!(visits.get(b"truck").is_none() && visits.get(b"van").is_some());
        visits.apply(VisitChange::Clear);
        assert_eq!((visits.bytes(), visits.from(b"").count()), (0, 0));
    }
}
