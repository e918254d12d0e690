//! Detection by fences with an area, from the object before and after a write.

use super::movement::Movement;
use super::{Change, ChangeKind, Fence, FenceArea};
use crate::geometry::predicates;
use crate::keyspace::Keyspace;
use crate::object::Object;

/// A detection of a fence: whether an object is inside or outside, or how that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Detect {
    Inside,
    Outside,
    Enter,
    Exit,
    Cross,
    Roam,
    Dwell,
}

/// The words of DETECT.
const WORDS: [(&[u8], Detect); 6] = [
    (b"inside", Detect::Inside),
    (b"outside", Detect::Outside),
    (b"enter", Detect::Enter),
    (b"exit", Detect::Exit),
    (b"cross", Detect::Cross),
    (b"dwell", Detect::Dwell),
];

type ListRoamWord = fn(&mut RoamDetections);

/// The words of DETECT for ROAM, each with the function that lists it.
const ROAM_WORDS: [(&[u8], ListRoamWord); 3] = [
    (b"nearby", |listed| listed.nearby = true),
    (b"faraway", |listed| listed.faraway = true),
    (b"roam", |listed| listed.roam = true),
];

/// The words that DETECT lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detections {
    bits: u8,
    /// The words of ROAM.
    pub roam: RoamDetections,
}

/// The words that DETECT lists for ROAM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoamDetections {
    /// Objects that are near.
    pub nearby: bool,
    /// Objects that no longer are near.
    pub faraway: bool,
    /// Changes that aren't movements.
    pub roam: bool,
}

impl Detections {
    /// Adds a word; returns whether it is one of DETECT's.
    pub fn add_word(&mut self, word: &[u8]) -> bool {
        let found = WORDS.iter().find(|(name, _)| *name == word);
        if let Some((_, detect)) = found {
            self.bits |= 1 << *detect as u8;
        }
        let of_roam = ROAM_WORDS.iter().find(|(name, _)| *name == word);
        if let Some((_, list)) = of_roam {
            list(&mut self.roam);
        }
        found.is_some() || of_roam.is_some()
    }

    /// Whether the list has words for fences with an area, such as `enter`.
    pub fn is_of_areas(self) -> bool {
        self.bits != 0
    }

    /// Whether the list has words for ROAM, such as `nearby`.
    pub fn is_of_roam(self) -> bool {
        self.roam != RoamDetections::default()
    }

    /// Whether a word is listed.
    pub fn has(self, detect: Detect) -> bool {
        self.bits & (1 << detect as u8) != 0
    }
}

/// The kinds of writes that COMMANDS lists. Other words are accepted and select nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands(u8);

impl Commands {
    /// Adds a word.
    pub fn add_word(&mut self, word: &[u8]) -> bool {
        if let Some(kind) = ChangeKind::of_name(word) {
            self.0 |= 1 << kind as u8;
        }
        true
    }

    /// Whether writes of this kind cause messages.
    pub fn has(self, kind: ChangeKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl Detect {
    const ALL: [Detect; 7] = [
        Detect::Inside,
        Detect::Outside,
        Detect::Enter,
        Detect::Exit,
        Detect::Cross,
        Detect::Roam,
        Detect::Dwell,
    ];

    /// The detection of a word in messages.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        Detect::ALL.into_iter().find(|detect| detect.name().as_bytes() == name)
    }

    /// The word in messages.
    pub fn name(self) -> &'static str {
        match self {
            Detect::Inside => "inside",
            Detect::Outside => "outside",
            Detect::Enter => "enter",
            Detect::Exit => "exit",
            Detect::Cross => "cross",
            Detect::Roam => "roam",
            Detect::Dwell => "dwell",
        }
    }

    /// The order of several fences' messages about one write.
    pub fn rank(self) -> u8 {
        match self {
            // If a dwell time and the end of the visit are due at once, `dwell` comes first.
            Detect::Cross | Detect::Roam | Detect::Dwell => RANK_FIRST,
            Detect::Exit => 1,
            Detect::Outside => 2,
            Detect::Enter => 3,
            Detect::Inside => 4,
        }
    }

    /// Whether a visit begins, which gets a new group id.
    pub fn begins_visit(self) -> bool {
        matches!(self, Detect::Enter | Detect::Cross)
    }

    /// The message that replaces this one if DETECT doesn't list it.
    fn fallback(self) -> Self {
        match self {
            Detect::Enter => Detect::Inside,
            Detect::Exit | Detect::Cross => Detect::Outside,
            other => other,
        }
    }

    /// The second message that follows this one, if any.
    fn second(self) -> Option<Self> {
        let fallback = self.fallback();
        (fallback != self).then_some(fallback)
    }
}

/// The rank of the first messages, `del` and `drop` among them.
pub const RANK_FIRST: u8 = 0;

/// The messages of a fence about a write of a spatial object, as far as DETECT lists them: the
/// first and the second, if any.
pub fn detect(
    fence: &Fence,
    area: &FenceArea,
    change: &Change,
    object: &Object,
    keyspace: &Keyspace,
) -> Option<(Detect, Option<Detect>)> {
    let found = detect_any(fence, area, change, object, keyspace)?;
    let Some(listed) = fence.detect else { return Some((found, found.second())) };
    let told = if listed.has(found) { found } else { found.fallback() };
    let besides = told.second().filter(|second| listed.has(*second));
    listed.has(told).then_some((told, besides))
}

fn detect_any(
    fence: &Fence,
    area: &FenceArea,
    change: &Change,
    object: &Object,
    keyspace: &Keyspace,
) -> Option<Detect> {
    let previous = change.previous.as_ref();
    let was_hit = previous.is_some_and(|previous| area.hits(previous));
    let is_hit = area.hits(object);
    let was_inside = was_hit && previous.is_some_and(|previous| fence.passes(keyspace, previous));
    let is_inside = is_hit && fence.passes(keyspace, object);
    let is_fset = change.kind == ChangeKind::Fset;
    Some(match (was_inside, is_inside) {
        (true, true) => Detect::Inside,
        (true, false) => Detect::Exit,
        (false, true) if is_fset => Detect::Inside,
        (false, true) => Detect::Enter,
        // Tile38 ignores WHERE here.
        (false, false) if is_fset => Detect::Outside,
        (false, false) if !fence.passes(keyspace, object) => return None,
        (false, false) => {
            let is_away = !was_hit && !is_hit;
            match previous {
                Some(previous) if is_away && crosses(area, previous, object) => Detect::Cross,
                _ => Detect::Outside,
            }
        }
    })
}

/// Whether the way from one center to the other intersects the area. Unlike in Tile38, strings and
/// objects that don't move cross nothing.
pub(super) fn crosses(area: &FenceArea, previous: &Object, object: &Object) -> bool {
    let Some(geometry) = &area.geometry else { return false };
    let (from, to) = (previous.center(), object.center());
    if !previous.is_spatial() || from == to {
        return false;
    }
    let lines = Movement::new(from, to).as_geometries();
    lines.iter().any(|line| predicates::intersects(line, geometry))
}
