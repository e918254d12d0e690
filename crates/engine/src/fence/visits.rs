//! The memory of fences that keep one: which objects are inside which zones. An object that is in
//! no zone takes no memory. A fence with an area has one zone, whose id is empty.

use triomphe::{Arc, ThinArc};

use super::group::{group_of_text, write_group, Group};
use super::presence::VisitState;
use super::watch::{Target, Watch};
use crate::index::{BTree, Keyed};
use crate::number::{parse_int, parse_uint};
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
    /// The state; the default for fences without states.
    pub state: VisitState,
}

impl<'v> Visit<'v> {
    /// Returns the group as SETVISITS has it, with the state behind it if there is one:
    /// `group:flags:dwells:entered:left:told`, times in nanoseconds since 1970 or empty.
    pub fn text(&self, has_state: bool) -> Vec<u8> {
        let mut text = Vec::new();
        write_group(&mut text, &self.group);
        if has_state {
            let VisitState { entered_ns, dwells, left_ns, told_ns, .. } = self.state;
            let time = |time_ns: Option<i64>| time_ns.map_or(String::new(), |ns| ns.to_string());
            let (flags, left, told) = (flags_of(&self.state), time(left_ns), time(told_ns));
            let state = format!(":{flags}:{dwells}:{entered_ns}:{left}:{told}");
            text.extend_from_slice(state.as_bytes());
        }
        text
    }

    /// Returns the visit to a zone from such a text.
    pub fn parse(zone: &'v [u8], text: &[u8]) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b':');
        let group = group_of_text(parts.next()?)?;
        let Some(flags) = parts.next() else {
            return Some(Visit { zone, group, state: VisitState::default() });
        };
        let flags = u8::try_from(parse_uint(flags)?).ok()?;
        let dwells = u8::try_from(parse_uint(parts.next()?)?).ok()?;
        let entered_ns = parse_int(parts.next()?)?;
        let mut time = || match parts.next()? {
            b"" => Some(None),
            text => parse_int(text).map(Some),
        };
        let (left_ns, told_ns) = (time()?, time()?);
        let (is_over, is_astray) = (flags & IS_OVER != 0, flags & IS_ASTRAY != 0);
        let state = VisitState { entered_ns, dwells, left_ns, told_ns, is_over, is_astray };
        parts.next().is_none().then_some(Visit { zone, group, state })
    }
}

/// An object and its visits, ascending by zone, in one allocation: the object's id, then for each
/// visit the length of the zone's id, that id, and the group; where visits have states, behind it
/// the state. The header is the length of the object's id, with [`HAS_STATES`].
#[derive(Clone)]
pub struct Visitor(ThinArc<u32, u8>);

/// The bit of a visitor's header that says that its visits have states. No id is that long.
const HAS_STATES: u32 = 1 << 31;

/// The bytes of a state but for its times: the flags below and the number of dwells.
const IS_OVER: u8 = 1;
const IS_ASTRAY: u8 = 2;
const HAS_LEFT: u8 = 4;
const WAS_TOLD: u8 = 8;

impl Visitor {
    /// Returns an object with its visits, which ascend by zone.
    pub fn new<'v>(id: &[u8], visits: impl Iterator<Item = Visit<'v>>) -> Self {
        let mut text = id.to_vec();
        for Visit { zone, group, .. } in visits {
            write_visit(&mut text, zone, group);
        }
        Visitor(ThinArc::from_header_and_slice(id.len() as u32, &text))
    }

    /// Returns an object with its visits, which ascend by zone and have states.
    pub fn with_states<'v>(id: &[u8], visits: impl Iterator<Item = Visit<'v>>) -> Self {
        let mut text = id.to_vec();
        for Visit { zone, group, state } in visits {
            write_visit(&mut text, zone, group);
            write_state(&mut text, &state);
        }
        Visitor(ThinArc::from_header_and_slice(id.len() as u32 | HAS_STATES, &text))
    }

    /// Returns the object's id.
    pub fn id(&self) -> &[u8] {
        &self.0.slice[..self.id_length()]
    }

    fn id_length(&self) -> usize {
        (self.0.header.header & !HAS_STATES) as usize
    }

    /// Returns whether the visits have states.
    pub fn has_states(&self) -> bool {
        self.0.header.header & HAS_STATES != 0
    }

    /// Returns the visits, ascending by zone.
    pub fn visits(&self) -> VisitIter<'_> {
        VisitIter { rest: &self.0.slice[self.id_length()..], has_states: self.has_states() }
    }

    /// Returns whether the object is far from the area of a fence that counts it as inside.
    pub fn is_astray(&self) -> bool {
        self.has_states() && self.visits().any(|visit| visit.state.is_astray)
    }

    /// Returns whether this is the same allocation.
    pub fn is(&self, other: &Visitor) -> bool {
        std::ptr::eq(self.0.as_ptr(), other.0.as_ptr())
    }

    fn bytes(&self) -> usize {
        VISITOR_BYTES + self.0.slice.len()
    }
}

fn write_visit(text: &mut Vec<u8>, zone: &[u8], group: Group) {
    write_varint(text, zone.len());
    text.extend_from_slice(zone);
    text.extend_from_slice(&group);
}

fn flags_of(state: &VisitState) -> u8 {
    let flag = |is_set, flag: u8| if is_set { flag } else { 0 };
    flag(state.is_over, IS_OVER)
        | flag(state.is_astray, IS_ASTRAY)
        | flag(state.left_ns.is_some(), HAS_LEFT)
        | flag(state.told_ns.is_some(), WAS_TOLD)
}

fn write_state(text: &mut Vec<u8>, state: &VisitState) {
    text.extend_from_slice(&[flags_of(state), state.dwells]);
    for time_ns in [Some(state.entered_ns), state.left_ns, state.told_ns].into_iter().flatten() {
        text.extend_from_slice(&time_ns.to_le_bytes());
    }
}

fn read_state(rest: &mut &[u8]) -> Option<VisitState> {
    let (&[flags, dwells], tail) = rest.split_first_chunk()?;
    *rest = tail;
    let mut time_ns = |is_there: bool| {
        let (bytes, tail) = rest.split_first_chunk()?;
        is_there.then(|| *rest = tail)?;
        Some(i64::from_le_bytes(*bytes))
    };
    Some(VisitState {
        entered_ns: time_ns(true)?,
        dwells,
        left_ns: time_ns(flags & HAS_LEFT != 0),
        told_ns: time_ns(flags & WAS_TOLD != 0),
        is_over: flags & IS_OVER != 0,
        is_astray: flags & IS_ASTRAY != 0,
    })
}

impl Keyed for Visitor {
    fn key(&self) -> &[u8] {
        self.id()
    }
}

/// An iterator over the visits of an object.
#[derive(Clone, Default)]
pub struct VisitIter<'v> {
    rest: &'v [u8],
    has_states: bool,
}

impl<'v> Iterator for VisitIter<'v> {
    type Item = Visit<'v>;

    fn next(&mut self) -> Option<Visit<'v>> {
        if self.rest.is_empty() {
            return None;
        }
        let length = read_varint(&mut self.rest);
        let (zone, rest) = self.rest.split_at_checked(length)?;
        let (group, rest) = rest.split_first_chunk()?;
        self.rest = rest;
        let state =
            if self.has_states { read_state(&mut self.rest)? } else { VisitState::default() };
        Some(Visit { zone, group: *group, state })
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

    /// Applies a change. Returns the object's former visits.
    pub fn apply(&mut self, change: VisitChange) -> Option<Visitor> {
        let replaced = match change {
            VisitChange::Clear => {
                *self = Visits::default();
                return None;
            }
            VisitChange::Forget(id) => self.visitors.remove(&id),
            VisitChange::Set(visitor) => {
                self.bytes += visitor.bytes();
                self.visitors.insert(visitor)
            }
        };
        self.bytes -= replaced.as_ref().map_or(0, Visitor::bytes);
        replaced
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

/// A change of the memory of a fence.
pub struct VisitUpdate {
    /// The fence.
    pub watch: Arc<Watch>,
    /// The change.
    pub change: VisitChange,
    /// Whether the change is logged, because it doesn't follow from the writes alone.
    pub is_logged: bool,
}

impl VisitUpdate {
    /// Returns the words of SETVISITS that make this change; `None` for a live fence.
    pub fn words(&self) -> Option<Vec<Vec<u8>>> {
        let (Target::Hook(name) | Target::Channel(name)) = &self.watch.target else { return None };
        let mut words = vec![b"setvisits".to_vec(), name.to_vec()];
        match &self.change {
            VisitChange::Set(visitor) => {
                words.push(visitor.id().to_vec());
                for visit in visitor.visits() {
                    words.extend([visit.zone.to_vec(), visit.text(visitor.has_states())]);
                }
            }
            VisitChange::Forget(id) => words.push(id.to_vec()),
            VisitChange::Clear => {}
        }
        Some(words)
    }

    /// Returns a change that follows from the writes alone.
    pub fn new(watch: &Arc<Watch>, change: VisitChange) -> Self {
        VisitUpdate { watch: watch.clone(), change, is_logged: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(id: &str, zones: &[&str]) -> Visitor {
        let visits = zones.iter().enumerate();
        let visits = visits.map(|(at, zone)| Visit {
            zone: zone.as_bytes(),
            group: [at as u8; 12],
            state: VisitState::default(),
        });
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
    fn a_visitor_keeps_the_states_of_its_visits() {
        let full = VisitState {
            entered_ns: i64::MIN,
            dwells: 16,
            left_ns: Some(5),
            told_ns: Some(-6),
            is_over: true,
            is_astray: true,
        };
        let bare = VisitState { entered_ns: 7, ..VisitState::default() };
        let states = [full, bare, VisitState { told_ns: Some(i64::MAX), ..bare }];
        let zones = [&b""[..], b"a", b"b"];
        let visits = zones.iter().zip(states);
        let visits = visits.map(|(zone, state)| Visit { zone, group: [9; 12], state });
        let truck = Visitor::with_states(b"truck", visits);
        assert!(truck.has_states() && truck.id() == b"truck");
        let kept: Vec<VisitState> = truck.visits().map(|visit| visit.state).collect();
        assert_eq!(kept, states);
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
