//! The registry of all fences: hooks and channels by name, live fences by number, all by key.
//! Cloning is O(1) and gives a snapshot that later changes don't affect.

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::end_reason::EndReason;
use super::followers::Followers;
use super::followers::Relocation;
use super::index::KeyFences;
use super::numbering::Sequence;
use super::upkeep::Upkeep;
use super::visits::{VisitChange, Visits};
use super::watch::{Name, Target, Watch};
use super::zone_keys::ZoneKeys;
use super::{Change, DeliveryOptions, Fence, FenceShape, StandingQueries};
use crate::json;
use crate::keyspace::Key;
use crate::object::{Object, NEVER};

/// Approximate memory of a fence in the trees by name, key and area.
const PLACES_BYTES: usize = 160;

/// A name and a value that every message of a hook carries.
pub type Meta = (Box<[u8]>, Box<[u8]>);

/// Hook or channel. Both share one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum HookKind {
    Hook,
    Channel,
}

/// A hook or channel: all arguments of SETHOOK or SETCHAN.
#[derive(Clone)]
pub struct Hook {
    /// The name.
    pub name: Name,
    /// Its fence.
    pub watch: Arc<Watch>,
    /// The URLs; none for a channel.
    pub endpoints: Vec<Box<[u8]>>,
    /// META, sorted by name.
    pub metas: Vec<Meta>,
    /// The search, word by word as it was typed.
    pub words: Vec<Box<[u8]>>,
    /// The time of expiry in nanoseconds since 1970, or [`NEVER`].
    pub deadline: i64,
    /// The options about events and their delivery.
    pub options: DeliveryOptions,
    /// Whether PAUSEHOOK has stopped its delivery.
    pub is_paused: bool,
}

/// A hook or channel. The registry and its snapshots share it.
pub type SharedHook = Arc<Hook>;

/// All fences.
#[derive(Clone, Default)]
pub struct FenceRegistry {
    pub(super) hooks: OrdMap<Name, SharedHook>,
    live: OrdMap<u64, Arc<Watch>>,
    pub(super) keys: OrdMap<Key, KeyFences>,
    deadlines: OrdSet<(i64, Name)>,
    /// The last number of a hook or channel. These are even and those of live fences odd, so that
    /// either kind may come from another registry.
    last_serial: u64,
    /// The number of the next live fence, or 0 before the first.
    next_live_serial: u64,
    /// Approximate memory of all fences.
    bytes: usize,
    /// The memory of fences that keep one, by number; none for a fence without a visitor.
    pub(super) visits: OrdMap<u64, Visits>,
    /// The work of hooks and channels that have a memory.
    pub(super) named_upkeep: Upkeep,
    /// The work of live fences that have a memory.
    pub(super) live_upkeep: Upkeep,
    zone_keys: ZoneKeys,
    pub(super) followers: Followers,
    /// The numbering of hooks and channels that have or had SEQUENCE.
    pub(super) sequences: OrdMap<Name, Sequence>,
    /// The numbering of the hooks and channels that the present command removes, whose last events
    /// have numbers, too.
    pub(super) retired_sequences: OrdMap<Name, Sequence>,
    /// Deleted hooks with messages about the ends of their visits that may still be sent.
    pub(super) closing: OrdMap<Name, SharedHook>,
    /// The fences with ENDINGS by the key of their zones, then by number.
    pub(super) ending_zones: OrdMap<Key, OrdMap<u64, Arc<Watch>>>,
    standing: StandingQueries,
}

impl Watch {
    fn new(serial: u64, target: Target, fence: Fence, metas: &[Meta], is_numbered: bool) -> Self {
        let mut head = Vec::new();
        if let Target::Channel(name) | Target::Hook(name) = &target {
            head.extend_from_slice(b",\"hook\":");
            json::write_short(&mut head, name);
        }
        for (index, (name, value)) in metas.iter().enumerate() {
            head.extend_from_slice(if index == 0 { b",\"meta\":{" } else { b"," });
            json::write_short(&mut head, name);
            head.push(b':');
            json::write_short(&mut head, value);
        }
        if !metas.is_empty() {
            head.push(b'}');
        }
        head.extend_from_slice(b",\"key\":");
        json::write_short(&mut head, &fence.key);
        Watch { serial, target, fence, is_numbered, head: head.into() }
    }

    /// Approximate memory of the fence, its entries in the trees included.
    fn bytes(&self) -> usize {
        size_of::<Watch>() + self.head.len() + self.fence.area_bytes() + PLACES_BYTES
    }

    /// Whether it is a live fence.
    pub fn is_live(&self) -> bool {
        matches!(self.target, Target::Live(_))
    }
}

impl Hook {
    /// Approximate memory of the hook, its fence and arguments included.
    fn bytes(&self) -> usize {
        let texts = self.endpoints.iter().chain(&self.words);
        let metas = self.metas.iter().map(|(name, value)| name.len() + value.len());
        let options = self.options.words().map(|word| size_of::<Box<[u8]>>() + word.len());
        let options = options.sum::<usize>();
        let texts = texts.map(|text| size_of::<Box<[u8]>>() + text.len()).sum::<usize>();
        let metas = metas.map(|length| size_of::<Meta>() + length).sum::<usize>();
        size_of::<Hook>() + self.name.len() + texts + metas + options + self.watch.bytes()
    }

    /// Hook or channel.
    pub fn kind(&self) -> HookKind {
        match self.watch.target {
            Target::Hook(_) => HookKind::Hook,
            _ => HookKind::Channel,
        }
    }

    /// Whole seconds until it expires; -1 if it never does.
    pub fn ttl(&self, now_ns: i64) -> i64 {
        match self.deadline {
            NEVER => -1,
            deadline => deadline.saturating_sub(now_ns).max(0) / 1_000_000_000,
        }
    }

    /// The object that `GET key id` fetched as the area. The stored object may have changed since.
    pub fn fetched(&self) -> Option<Fetched<'_>> {
        let (object, count) = self.watch.fence.stored.as_ref()?;
        match self.words.get(self.words.len().checked_sub(*count)?..)? {
            [_get, key, id, ..] => Some(Fetched { object, key, id }),
            _ => None,
        }
    }

    /// Whether both are equal, so that setting the second changes nothing. Hooks that expire are
    /// never equal.
    fn is_same(&self, other: &Hook) -> bool {
        self.deadline == NEVER
            && other.deadline == NEVER
            && self.watch.target == other.watch.target
            && self.endpoints == other.endpoints
            && self.metas == other.metas
            && self.words == other.words
            && self.options == other.options
            && self.is_paused == other.is_paused
    }
}

/// A stored object that became the area of a fence.
pub struct Fetched<'h> {
    /// The object when it was fetched.
    pub object: &'h Object,
    /// Its key.
    pub key: &'h [u8],
    /// Its id.
    pub id: &'h [u8],
}

/// The outcome of setting a hook or channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOutcome {
    /// It is new.
    New,
    /// It replaced another of the same name.
    Replaced,
    /// It equals the present one, which stays.
    Same,
    /// The name belongs to a hook if this is a channel, or the reverse.
    Taken,
}

/// The arguments of a new hook or channel.
pub struct Draft {
    /// Hook or channel.
    pub kind: HookKind,
    /// Its name.
    pub name: Name,
    /// Its fence.
    pub fence: Fence,
    /// As in [`Hook`].
    pub endpoints: Vec<Box<[u8]>>,
    /// As in [`Hook`].
    pub metas: Vec<Meta>,
    /// As in [`Hook`].
    pub words: Vec<Box<[u8]>>,
    /// As in [`Hook`].
    pub deadline: i64,
    /// As in [`Hook`].
    pub options: DeliveryOptions,
}

impl FenceRegistry {
    /// Whether there is no fence.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of hooks and channels.
    pub fn named_count(&self) -> usize {
        self.hooks.len()
    }

    /// The number of fences.
    pub fn len(&self) -> usize {
        self.hooks.len() + self.live.len()
    }

    /// Approximate memory of all fences in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes + self.visit_bytes()
    }

    /// Brings the index of fences that follow objects up to date before a fence's memory changes.
    pub(super) fn note_visits(&mut self, serial: u64, change: &VisitChange) {
        let Some(key) = self.followers.watched_key(serial) else { return };
        let Some(fences) = self.keys.get_mut(&key) else { return };
        match change {
            VisitChange::Set(visitor) => fences.note_visit(serial, visitor.id(), true),
            VisitChange::Forget(id) => fences.note_visit(serial, id, false),
            VisitChange::Clear => {
                let visits = self.visits.get(&serial);
                for visitor in visits.into_iter().flat_map(|visits| visits.from(b"")) {
                    fences.note_visit(serial, visitor.id(), false);
                }
            }
        }
    }

    /// The standing queries.
    #[inline]
    pub fn standing(&self) -> &StandingQueries {
        &self.standing
    }

    /// The standing queries, for changing them.
    pub fn standing_mut(&mut self) -> &mut StandingQueries {
        &mut self.standing
    }

    /// The fences of a key, for changing them.
    pub(super) fn fences_of(&mut self, key: &[u8]) -> Option<&mut KeyFences> {
        self.keys.get_mut(key)
    }

    /// The fences that follow objects.
    #[inline]
    pub fn followers(&self) -> &Followers {
        &self.followers
    }

    /// The fences that follow objects, for taking the new ones.
    pub fn followers_mut(&mut self) -> &mut Followers {
        &mut self.followers
    }

    /// Moves the areas of the fences that follow an object, which may not exist.
    pub fn relocate(&mut self, key: &[u8], id: &[u8], object: Option<&Object>) {
        for Relocation { watch, from, to } in self.followers.relocate(key, id, object) {
            if watch.fence.standing.is_some() {
                self.mark_stale(watch.serial);
                continue;
            }
            if let Some(fences) = self.keys.get_mut(&watch.fence.key) {
                fences.relocate(&watch, from, to);
            }
            self.check_endings(&watch, EndReason::ZoneDeleted);
        }
    }

    /// The keys of zones.
    #[inline]
    pub fn zone_keys(&self) -> &ZoneKeys {
        &self.zone_keys
    }

    /// The keys of zones, for changing their circles.
    pub fn zone_keys_mut(&mut self) -> &mut ZoneKeys {
        &mut self.zone_keys
    }

    /// The hook or channel of a name.
    pub fn get(&self, name: &[u8]) -> Option<&SharedHook> {
        self.hooks.get(name)
    }

    /// All hooks and channels from a name on.
    pub fn from<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a SharedHook> {
        let range = (std::ops::Bound::Included(name), std::ops::Bound::Unbounded);
        self.hooks.range::<_, [u8]>(range).map(|(_, hook)| hook)
    }

    /// The shared copy of a key and its fences, if it has any.
    pub fn of_key(&self, key: &[u8]) -> Option<(&Key, &KeyFences)> {
        self.keys.get_key_value(key)
    }

    /// The fences that may have a message about a change.
    pub fn candidates(&self, change: &Change) -> Vec<Arc<Watch>> {
        self.keys.get(&change.key).map_or(Vec::new(), |fences| fences.candidates(change))
    }

    /// Sets a hook or channel.
    pub fn set(&mut self, draft: Draft) -> SetOutcome {
        let Draft { kind, name, fence, endpoints, metas, words, deadline, options } = draft;
        let target = match kind {
            HookKind::Hook => Target::Hook(name.clone()),
            HookKind::Channel => Target::Channel(name.clone()),
        };
        let is_numbered = options.has_sequence();
        let serial = self.last_serial + 2;
        let watch = Arc::new(Watch::new(serial, target, fence, &metas, is_numbered));
        let present = self.hooks.get(&name);
        let is_paused = present.is_some_and(|present| present.is_paused);
        let hook = Hook {
            name: name.clone(),
            watch,
            endpoints,
            metas,
            words,
            deadline,
            options,
            is_paused,
        };
        if present.is_some_and(|present| present.kind() != hook.kind()) {
            return SetOutcome::Taken;
        }
        if present.is_some_and(|present| present.is_same(&hook)) {
            return SetOutcome::Same;
        }
        self.last_serial += 2;
        let sequence = self.sequence(&name);
        let is_replaced = self.remove(&name, EndReason::HookChanged).is_some();
        if let Some(sequence) = sequence.or(is_numbered.then(Sequence::default)) {
            self.sequences.insert(name.clone(), sequence);
        }
        self.attach(&hook.watch);
        if deadline != NEVER {
            self.deadlines.insert((deadline, name.clone()));
        }
        self.bytes += hook.bytes();
        self.closing.remove(&name);
        self.hooks.insert(name, Arc::new(hook));
        if is_replaced {
            SetOutcome::Replaced
        } else {
            SetOutcome::New
        }
    }

    /// Pauses the delivery of a hook or resumes it; returns whether that changed anything.
    pub fn set_paused(&mut self, name: &[u8], is_paused: bool) -> bool {
        let present = self.hooks.get_mut(name).filter(|hook| hook.is_paused != is_paused);
        let Some(hook) = present else { return false };
        Arc::make_mut(hook).is_paused = is_paused;
        true
    }

    /// Removes a hook or channel, whose visits end for a reason.
    pub fn remove(&mut self, name: &[u8], reason: EndReason) -> Option<SharedHook> {
        let (name, hook) = self.hooks.remove_with_key(name)?;
        self.detach(&hook.watch, reason);
        self.keep_closing(&hook);
        self.bytes -= hook.bytes();
        if let Some(sequence) = self.sequences.remove(&name) {
            self.retired_sequences.insert(name.clone(), sequence);
        }
        if hook.deadline != NEVER {
            self.deadlines.remove(&(hook.deadline, name));
        }
        Some(hook)
    }

    /// Whether there are live fences.
    pub fn has_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Removes all hooks and channels; live fences stay. All visits end.
    pub fn clear(&mut self) {
        for hook in std::mem::take(&mut self.hooks).values() {
            self.end_visits(&hook.watch, EndReason::Flushed);
            self.keep_closing(hook);
        }
        let live = std::mem::take(&mut self.live);
        for watch in live.values() {
            self.end_visits(watch, EndReason::Flushed);
        }
        let FenceRegistry { last_serial, next_live_serial, .. } = *self;
        let named_upkeep = self.named_upkeep.with_ended_only();
        let live_upkeep = self.live_upkeep.with_ended_only();
        let closing = std::mem::take(&mut self.closing);
        *self = FenceRegistry {
            last_serial,
            next_live_serial,
            named_upkeep,
            live_upkeep,
            closing,
            ..FenceRegistry::default()
        };
        for watch in live.values() {
            self.attach(watch);
            self.bytes += watch.bytes();
        }
        self.live = live;
    }

    /// Adds a live fence; returns its number.
    pub fn add_live(&mut self, fence: Fence) -> u64 {
        let serial = self.next_live_serial.max(1);
        self.next_live_serial = serial + 2;
        let watch = Arc::new(Watch::new(serial, Target::Live(serial), fence, &[], false));
        self.attach(&watch);
        self.bytes += watch.bytes();
        self.live.insert(serial, watch);
        serial
    }

    /// Returns the keys that a live fence watches; none if it doesn't exist.
    pub fn live_keys(&self, serial: u64) -> Vec<Key> {
        let Some(watch) = self.live.get(&serial) else { return Vec::new() };
        let other = match &watch.fence.shape {
            FenceShape::Roam(roam) => Some(roam.key.clone()),
            FenceShape::Zones(zones) => Some(zones.key.clone()),
            FenceShape::Top(top) => top.center_object().map(|(key, _)| key.clone()),
            FenceShape::Area(_) => None,
        };
        std::iter::once(watch.fence.key.clone()).chain(other).collect()
    }

    /// Returns a live fence.
    pub fn live(&self, serial: u64) -> Option<&Arc<Watch>> {
        self.live.get(&serial)
    }

    /// Returns the live fences with SNAPSHOT, of one key or of all.
    pub fn with_snapshots<'a>(
        &'a self,
        key: Option<&'a [u8]>,
    ) -> impl Iterator<Item = &'a Arc<Watch>> {
        let is_meant = move |fence: &Fence| key.is_none_or(|key| *fence.key == *key);
        let live = self.live.values();
        live.filter(move |watch| watch.fence.has_snapshot && is_meant(&watch.fence))
    }

    /// Removes a live fence; returns whether it existed.
    pub fn remove_live(&mut self, serial: u64) -> bool {
        let removed = self.live.remove(&serial);
        if let Some(watch) = &removed {
            self.detach(watch, EndReason::HookDeleted);
            self.bytes -= watch.bytes();
        }
        removed.is_some()
    }

    /// Takes over the live fences of an older registry, which this one replaces. Returns the names
    /// of the hooks that differ between the two.
    pub fn succeed(&mut self, old: &FenceRegistry) -> Vec<Name> {
        for watch in std::mem::take(&mut self.live).values() {
            self.detach(watch, EndReason::HookDeleted);
            self.bytes -= watch.bytes();
        }
        for watch in old.live.values() {
            self.attach(watch);
            self.bytes += watch.bytes();
            if let Some(visits) = old.visits.get(&watch.serial) {
                for visitor in visits.from(b"") {
                    self.note_visits(watch.serial, &VisitChange::Set(visitor.clone()));
                }
                self.visits.insert(watch.serial, visits.clone());
                self.restore_astray(watch, visits);
            }
        }
        self.live = old.live.clone();
        self.live_upkeep = old.live_upkeep.clone();
        self.next_live_serial = old.next_live_serial.max(self.next_live_serial);
        let hooks = |registry: &FenceRegistry| {
            let is_told = |hook: &&SharedHook| {
                hook.kind() == HookKind::Hook || registry.sequences.contains_key(&hook.name)
            };
            let hooks = registry.hooks.values().filter(is_told);
            hooks.cloned().collect::<Vec<_>>()
        };
        let gone = hooks(old).into_iter().filter(|hook| !self.hooks.contains_key(&hook.name));
        let is_known =
            |hook: &Hook| old.hooks.get(&hook.name).is_some_and(|present| present.is_same(hook));
        let come = hooks(self).into_iter().filter(|hook| !is_known(hook));
        gone.chain(come).map(|hook| hook.name.clone()).collect()
    }

    /// The name of the expired hook or channel with the earliest deadline.
    pub fn next_expired(&self, now_ns: i64) -> Option<Name> {
        let (deadline, name) = self.deadlines.get_min()?;
        (*deadline <= now_ns).then(|| name.clone())
    }

    /// The numbers of all fences.
    pub fn serials(&self) -> std::collections::BTreeSet<u64> {
        let hooks = self.hooks.values().map(|hook| hook.watch.serial);
        hooks.chain(self.live.keys().copied()).collect()
    }

    fn attach(&mut self, watch: &Arc<Watch>) {
        self.followers.add(watch);
        if watch.fence.standing.is_some() {
            self.add_standing(watch);
        }
        if let Some(zones) = watch.fence.many_zones() {
            self.zone_keys.add(&zones.key, zones.radius());
            if watch.fence.has_endings() {
                self.add_ending_zones(watch, &zones.key);
            }
        }
        if let Some(fences) = self.keys.get_mut(&watch.fence.key) {
            fences.insert(watch);
            return;
        }
        let mut fences = KeyFences::default();
        fences.insert(watch);
        self.keys.insert(watch.fence.key.clone(), fences);
    }

    fn detach(&mut self, watch: &Arc<Watch>, reason: EndReason) {
        self.end_visits(watch, reason);
        let bounds = self.followers.remove(watch);
        self.remove_standing(watch);
        if let Some(zones) = watch.fence.many_zones() {
            self.zone_keys.remove(&zones.key, zones.radius());
            if watch.fence.has_endings() {
                self.remove_ending_zones(watch, &zones.key);
            }
        }
        let Some(fences) = self.keys.get_mut(&watch.fence.key) else { return };
        fences.relocate(watch, bounds, None);
        fences.remove(watch);
        if fences.is_empty() {
            self.keys.remove(&watch.fence.key);
        }
    }
}
