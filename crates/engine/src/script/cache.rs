//! The cache of scripts by the SHA-1 of their text, shared by all snapshots of the data. It is
//! bounded: the scripts that were used least recently are dropped.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitflags::bitflags;
use sha1::{Digest, Sha1};

/// The most scripts that are kept.
const SCRIPTS_MAX: usize = 4096;
/// The most bytes of the texts of all scripts that are kept.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The number of the next script.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

/// The SHA-1 of a script's text in lower-case hexadecimal.
pub(super) type Sha = [u8; 40];

bitflags! {
    /// Global variables that are set for each script or object.
    #[derive(Clone, Copy)]
    pub(super) struct Globals: u8 {
        const KEYS = 1;
        const ARGV = 1 << 1;
        const ID = 1 << 2;
        const FIELDS = 1 << 3;
        const PROPERTIES = 1 << 4;
        const EVAL_CMD = 1 << 5;
    }
}

/// The text of a script.
pub struct Script {
    sha: Sha,
    text: Box<[u8]>,
    /// The number under which sandboxes keep the compiled script. No two scripts share one.
    number: u64,
    /// The global variables that the script may read.
    reads: Globals,
    /// Whether the script may change a table of global variables or a library unnoticed.
    needs_isolation: bool,
    /// The number of the cache's use that was the script's last.
    last_use: AtomicU64,
}

impl Script {
    fn new(sha: Sha, text: &[u8]) -> Self {
        let mentions = |name: &str| memchr::memmem::find(text, name.as_bytes()).is_some();
        // `_G[name]` is the only way to a global variable whose name isn't in the text.
        let reads = if mentions("_G") {
            Globals::all()
        } else {
            Globals::all().iter_names().filter(|(name, _)| mentions(name)).map(|(_, g)| g).collect()
        };
        // `table.insert` bypasses `__newindex`. The last two names are rare, and set for each run.
        let needs_isolation = ["_G", "table", "EVAL_CMD", "DEADLINE"].into_iter().any(mentions);
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let last_use = AtomicU64::new(0);
        Script { sha, text: text.into(), number, reads, needs_isolation, last_use }
    }

    /// Returns the SHA-1 of the text in lower-case hexadecimal.
    pub fn sha(&self) -> &[u8; 40] {
        &self.sha
    }

    /// Returns the text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the number of the script.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Returns whether each run of the script needs its own table of global variables and its own
    /// libraries, because the sandbox doesn't notice all changes that the script makes to them.
    pub(super) fn needs_isolation(&self) -> bool {
        self.needs_isolation
    }

    /// Returns whether the script may read this global variable.
    pub(super) fn may_read(&self, global: Globals) -> bool {
        self.reads.contains(global)
    }

    /// Returns the name that stands before the line number in error texts.
    pub(super) fn chunk_name(&self) -> String {
        format!("f_{}", String::from_utf8_lossy(&self.sha))
    }
}

/// Returns the SHA-1 of a text in lower-case hexadecimal.
pub(super) fn sha_of(text: &[u8]) -> Sha {
    let mut sha = [0; 40];
    for (pair, byte) in sha.chunks_exact_mut(2).zip(Sha1::digest(text)) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    sha
}

/// The cache of scripts. Clones share their content.
#[derive(Clone, Default)]
pub struct ScriptCache(Arc<Mutex<Scripts>>);

#[derive(Default)]
struct Scripts {
    by_sha: HashMap<Sha, Arc<Script>>,
    /// The same scripts by their text, so that a known text isn't hashed with SHA-1.
    by_text: HashSet<ByText>,
    text_bytes: usize,
    uses: u64,
}

/// A script that is equal to others of the same text.
struct ByText(Arc<Script>);

impl Borrow<[u8]> for ByText {
    fn borrow(&self) -> &[u8] {
        &self.0.text
    }
}

impl Hash for ByText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl PartialEq for ByText {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for ByText {}

impl Scripts {
    /// Notes the use of a script, and returns it.
    fn use_script(uses: &mut u64, script: &Arc<Script>) -> Arc<Script> {
        *uses += 1;
        script.last_use.store(*uses, Ordering::Relaxed);
        Arc::clone(script)
    }

    fn remove(&mut self, sha: &Sha) {
        if let Some(script) = self.by_sha.remove(sha) {
            self.by_text.remove(&*script.text);
            self.text_bytes -= script.text.len();
        }
    }
}

impl ScriptCache {
    fn scripts(&self) -> MutexGuard<'_, Scripts> {
        // A panic can't leave the map inconsistent, so that a poisoned lock is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the script with this SHA-1.
    pub fn get(&self, sha: &[u8]) -> Option<Arc<Script>> {
        let sha: &Sha = sha.try_into().ok()?;
        let scripts = &mut *self.scripts();
        let script = scripts.by_sha.get(sha)?;
        Some(Scripts::use_script(&mut scripts.uses, script))
    }

    /// Returns whether there is a script with this SHA-1.
    pub fn contains(&self, sha: &[u8]) -> bool {
        sha.try_into().is_ok_and(|sha: &Sha| self.scripts().by_sha.contains_key(sha))
    }

    /// Returns the script with this text, and whether it is kept already.
    pub fn script_of(&self, text: &[u8]) -> (Arc<Script>, bool) {
        match self.find_text(text) {
            Some(script) => (script, true),
            None => (Arc::new(Script::new(sha_of(text), text)), false),
        }
    }

    fn find_text(&self, text: &[u8]) -> Option<Arc<Script>> {
        let scripts = &mut *self.scripts();
        let ByText(script) = scripts.by_text.get(text)?;
        Some(Scripts::use_script(&mut scripts.uses, script))
    }

    /// Keeps a script.
    pub fn insert(&self, script: &Arc<Script>) {
        let scripts = &mut *self.scripts();
        let script = Scripts::use_script(&mut scripts.uses, script);
        scripts.remove(&script.sha);
        scripts.text_bytes += script.text.len();
        scripts.by_text.insert(ByText(Arc::clone(&script)));
        scripts.by_sha.insert(script.sha, script);
        while scripts.by_sha.len() > SCRIPTS_MAX || scripts.text_bytes > TEXT_BYTES_MAX {
            let last_use = |script: &Arc<Script>| script.last_use.load(Ordering::Relaxed);
            let oldest = scripts.by_sha.values().min_by_key(|script| last_use(script));
            let Some(sha) = oldest.map(|script| script.sha) else { break };
            scripts.remove(&sha);
        }
    }

    /// Returns the number of scripts and the bytes of their texts.
    pub fn size(&self) -> (usize, usize) {
        let scripts = self.scripts();
        (scripts.by_sha.len(), scripts.text_bytes)
    }

    /// Drops all scripts.
    pub fn clear(&self) {
        let mut scripts = self.scripts();
        scripts.by_sha.clear();
        scripts.by_text.clear();
        scripts.text_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sha_of_a_text_is_in_lower_case_hexadecimal() {
        assert_eq!(&sha_of(b"hello"), b"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
    }

    #[test]
    fn the_scripts_used_least_recently_are_dropped() {
        let cache = ScriptCache::default();
        let scripts: Vec<_> =
            (0..=SCRIPTS_MAX).map(|n| cache.script_of(n.to_string().as_bytes()).0).collect();
        for script in &scripts[..SCRIPTS_MAX] {
            cache.insert(script);
        }
        assert!(cache.get(scripts[0].sha()).is_some());
        cache.insert(&scripts[SCRIPTS_MAX]);
        assert!(cache.contains(scripts[0].sha()) && cache.contains(scripts[SCRIPTS_MAX].sha()));
        assert!(!cache.contains(scripts[1].sha()));
        cache.clone().clear();
        assert!(!cache.contains(scripts[0].sha()));
    }

    #[test]
    fn a_dropped_script_is_found_neither_by_its_text_nor_by_its_sha() {
        let cache = ScriptCache::default();
        let (script, is_kept) = cache.script_of(b"return 1");
        assert!(!is_kept);
        cache.insert(&script);
        let (same, is_kept) = cache.script_of(b"return 1");
        assert!(is_kept && same.number() == script.number());
        assert!(!cache.script_of(b"return 2").1);
        cache.clear();
        let (new, is_kept) = cache.script_of(b"return 1");
        assert!(!is_kept && new.number() != script.number());
    }

    #[test]
    fn texts_are_bounded_together() {
        let cache = ScriptCache::default();
        let scripts =
            [b'a', b'b', b'c'].map(|letter| cache.script_of(&vec![letter; TEXT_BYTES_MAX / 2]).0);
        for script in &scripts {
            cache.insert(script);
        }
        assert!(!cache.contains(scripts[0].sha()) && cache.contains(scripts[2].sha()));
        assert!(!cache.script_of(scripts[0].text()).1);
    }
}
