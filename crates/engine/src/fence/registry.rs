//! All fences there are: hooks and channels by name, live ones by number, each also with its key.
//! Cloning is O(1) and gives a snapshot that later changes don't touch.

use imbl::{OrdMap, OrdSet};
use triomphe::Arc;

use super::index::KeyFences;
use super::{Change, Fence};
use crate::json;
use crate::keyspace::Key;
use crate::object::{Object, NEVER};

/// What a fence takes in the trees by name, key and area, roughly.
const PLACES_BYTES: usize = 160;

/// The name of a hook or channel.
pub type Name = std::sync::Arc<[u8]>;

/// A name and a value that every message of a hook carries.
pub type Meta = (Box<[u8]>, Box<[u8]>);

/// Where a fence's messages go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// To the subscribers of the channel of that name.
    Channel(Name),
    /// To the endpoints of the hook of that name.
    Hook(Name),
    /// To the connection that has the live fence of that number.
    Live(u64),
}

/// Whether it is a hook or a channel. Both share the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum HookKind {
    Hook,
    Channel,
}

/// A fence at work.
pub struct Watch {
    /// A number that no other fence has or will have.
    pub serial: u64,
    /// Where its messages go.
    pub target: Target,
    /// What it looks for.
    pub fence: Fence,
    /// The members of its messages that tell of the hook, and the key.
    pub(super) head: Box<[u8]>,
}

/// A hook or channel: everything that SETHOOK or SETCHAN said.
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
    /// When it ends, in nanoseconds since 1970, or [`NEVER`].
    pub deadline: i64,
}

/// All fences.
#[derive(Clone, Default)]
pub struct Registry {
    hooks: OrdMap<Name, Arc<Hook>>,
    live: OrdMap<u64, Arc<Watch>>,
    keys: OrdMap<Key, KeyFences>,
    deadlines: OrdSet<(i64, Name)>,
    /// The last number of a hook or channel. These are even and those of live fences odd, so that
    /// either kind may come from another registry.
    last_serial: u64,
    /// What the next live fence gets, or 0 before the first.
    next_live_serial: u64,
    /// About what all of them occupy.
    bytes: usize,
}

impl Watch {
    fn new(serial: u64, target: Target, fence: Fence, metas: &[Meta]) -> Self {
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
        Watch { serial, target, fence, head: head.into() }
    }

    /// About how many bytes it occupies, its places in the trees included.
    fn bytes(&self) -> usize {
        size_of::<Watch>() + self.head.len() + self.fence.area_bytes() + PLACES_BYTES
    }

    /// Whether a connection waits for its messages.
    pub fn is_live(&self) -> bool {
        matches!(self.target, Target::Live(_))
    }
}

impl Hook {
    /// As that of its watch, with all that was said when it was set.
    fn bytes(&self) -> usize {
        let texts = self.endpoints.iter().chain(&self.words);
        let metas = self.metas.iter().map(|(name, value)| name.len() + value.len());
        let texts = texts.map(|text| size_of::<Box<[u8]>>() + text.len()).sum::<usize>();
        let metas = metas.map(|length| size_of::<Meta>() + length).sum::<usize>();
        size_of::<Hook>() + self.name.len() + texts + metas + self.watch.bytes()
    }

    /// What it is.
    pub fn kind(&self) -> HookKind {
        match self.watch.target {
            Target::Hook(_) => HookKind::Hook,
            _ => HookKind::Channel,
        }
    }

    /// Whole seconds that are left; -1 if it doesn't end.
    pub fn ttl(&self, now_ns: i64) -> i64 {
        match self.deadline {
            NEVER => -1,
            deadline => deadline.saturating_sub(now_ns).max(0) / 1_000_000_000,
        }
    }

    /// The object that is the area because `GET key id` fetched it. What is stored under that id
    /// may be something else by now.
    pub fn fetched(&self) -> Option<Fetched<'_>> {
        let (object, count) = self.watch.fence.stored.as_ref()?;
        match self.words.get(self.words.len().checked_sub(*count)?..)? {
            [_get, key, id, ..] => Some(Fetched { object, key, id }),
            _ => None,
        }
    }

    /// Whether both say the same, so that the second changes nothing. What ends never does.
    fn is_same(&self, other: &Hook) -> bool {
        self.deadline == NEVER
            && other.deadline == NEVER
            && self.watch.target == other.watch.target
            && self.endpoints == other.endpoints
            && self.metas == other.metas
            && self.words == other.words
    }
}

/// A stored object that became the area of a fence.
pub struct Fetched<'h> {
    /// The object as it was then.
    pub object: &'h Object,
    /// Where it was stored.
    pub key: &'h [u8],
    /// Under which id.
    pub id: &'h [u8],
}

/// What setting a hook came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// There was none of that name.
    New,
    /// It took another's place.
    Replaced,
    /// It is there already.
    Same,
    /// The name belongs to one of the other kind.
    Taken,
}

/// What a new hook is made of.
pub struct Draft {
    /// What it is.
    pub kind: HookKind,
    /// Its name.
    pub name: Name,
    /// What it looks for.
    pub fence: Fence,
    /// As in [`Hook`].
    pub endpoints: Vec<Box<[u8]>>,
    /// As in [`Hook`].
    pub metas: Vec<Meta>,
    /// As in [`Hook`].
    pub words: Vec<Box<[u8]>>,
    /// As in [`Hook`].
    pub deadline: i64,
}

impl Registry {
    /// Whether there is no fence at all.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many hooks and channels there are.
    pub fn named_count(&self) -> usize {
        self.hooks.len()
    }

    /// How many fences there are.
    pub fn len(&self) -> usize {
        self.hooks.len() + self.live.len()
    }

    /// About how many bytes the fences occupy.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The hook or channel of a name.
    pub fn get(&self, name: &[u8]) -> Option<&Arc<Hook>> {
        self.hooks.get(name)
    }

    /// All hooks and channels from a name on.
    pub fn from<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Arc<Hook>> {
        let range = (std::ops::Bound::Included(name), std::ops::Bound::Unbounded);
        self.hooks.range::<_, [u8]>(range).map(|(_, hook)| hook)
    }

    /// The key as it is kept and its fences, if it has any.
    pub fn of_key(&self, key: &[u8]) -> Option<(&Key, &KeyFences)> {
        self.keys.get_key_value(key)
    }

    /// The fences that a change may concern.
    pub fn candidates(&self, change: &Change) -> Vec<Arc<Watch>> {
        self.keys.get(&change.key).map_or(Vec::new(), |fences| fences.candidates(change))
    }

    /// Sets a hook or channel.
    pub fn set(&mut self, draft: Draft) -> Setting {
        let Draft { kind, name, fence, endpoints, metas, words, deadline } = draft;
        let target = match kind {
            HookKind::Hook => Target::Hook(name.clone()),
            HookKind::Channel => Target::Channel(name.clone()),
        };
        let watch = Arc::new(Watch::new(self.last_serial + 2, target, fence, &metas));
        let hook = Hook { name: name.clone(), watch, endpoints, metas, words, deadline };
        let present = self.hooks.get(&name);
        if present.is_some_and(|present| present.kind() != hook.kind()) {
            return Setting::Taken;
        }
        if present.is_some_and(|present| present.is_same(&hook)) {
            return Setting::Same;
        }
        self.last_serial += 2;
        let is_replaced = self.remove(&name).is_some();
        self.attach(&hook.watch);
        if deadline != NEVER {
            self.deadlines.insert((deadline, name.clone()));
        }
        self.bytes += hook.bytes();
        self.hooks.insert(name, Arc::new(hook));
        if is_replaced {
            Setting::Replaced
        } else {
            Setting::New
        }
    }

    /// Removes a hook or channel.
    pub fn remove(&mut self, name: &[u8]) -> Option<Arc<Hook>> {
        let (name, hook) = self.hooks.remove_with_key(name)?;
        self.detach(&hook.watch);
        self.bytes -= hook.bytes();
        if hook.deadline != NEVER {
            self.deadlines.remove(&(hook.deadline, name));
        }
        Some(hook)
    }

    /// Whether there are live fences.
    pub fn has_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Removes all hooks and channels; live fences stay.
    pub fn clear(&mut self) {
        let live = std::mem::take(&mut self.live);
        let Registry { last_serial, next_live_serial, .. } = *self;
        *self = Registry { last_serial, next_live_serial, ..Registry::default() };
        for watch in live.values() {
            self.attach(watch);
            self.bytes += watch.bytes();
        }
        self.live = live;
    }

    /// Adds a live fence; its number.
    pub fn add_live(&mut self, fence: Fence) -> u64 {
        let serial = self.next_live_serial.max(1);
        self.next_live_serial = serial + 2;
        let watch = Arc::new(Watch::new(serial, Target::Live(serial), fence, &[]));
        self.attach(&watch);
        self.bytes += watch.bytes();
        self.live.insert(serial, watch);
        serial
    }

    /// Removes a live fence; whether it was there.
    pub fn remove_live(&mut self, serial: u64) -> bool {
        let removed = self.live.remove(&serial);
        if let Some(watch) = &removed {
            self.detach(watch);
            self.bytes -= watch.bytes();
        }
        removed.is_some()
    }

    /// Takes another registry's place: has its live fences in place of its own. Returns the names
    /// of the hooks by which the two differ.
    pub fn succeed(&mut self, old: &Registry) -> Vec<Name> {
        for watch in std::mem::take(&mut self.live).values() {
            self.detach(watch);
            self.bytes -= watch.bytes();
        }
        for watch in old.live.values() {
            self.attach(watch);
            self.bytes += watch.bytes();
        }
        self.live = old.live.clone();
        self.next_live_serial = old.next_live_serial.max(self.next_live_serial);
        let hooks = |registry: &Registry| {
            let hooks = registry.hooks.values().filter(|hook| hook.kind() == HookKind::Hook);
            hooks.cloned().collect::<Vec<_>>()
        };
        let gone = hooks(old).into_iter().filter(|hook| !self.has_hook(&hook.name));
        let is_known =
            |hook: &Hook| old.hooks.get(&hook.name).is_some_and(|present| present.is_same(hook));
        let come = hooks(self).into_iter().filter(|hook| !is_known(hook));
        gone.chain(come).map(|hook| hook.name.clone()).collect()
    }

    fn has_hook(&self, name: &[u8]) -> bool {
        self.hooks.get(name).is_some_and(|hook| hook.kind() == HookKind::Hook)
    }

    /// The first hook or channel whose time has come.
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
        if let Some(fences) = self.keys.get_mut(&watch.fence.key) {
            fences.insert(watch);
            return;
        }
        let mut fences = KeyFences::default();
        fences.insert(watch);
        self.keys.insert(watch.fence.key.clone(), fences);
    }

    fn detach(&mut self, watch: &Arc<Watch>) {
        let Some(fences) = self.keys.get_mut(&watch.fence.key) else { return };
        fences.remove(watch);
        if fences.is_empty() {
            self.keys.remove(&watch.fence.key);
        }
    }
}
