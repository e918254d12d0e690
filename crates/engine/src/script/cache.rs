//! The cache of scripts by the SHA-1 of their text, shared by all snapshots of the data. It is
//! bounded: the scripts that were used least recently are dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitflags::bitflags;
use sha1::{Digest, Sha1};

/// The most scripts that are kept.
const SCRIPTS_MAX: usize = 4096;
/// The most bytes of the texts of all scripts that are kept.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

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
    /// The global variables that the script may read.
    reads: Globals,
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
        Script { sha, text: text.into(), reads }
    }

    /// Returns the SHA-1 of the text in lower-case hexadecimal.
    pub fn sha(&self) -> &[u8; 40] {
        &self.sha
    }

    /// Returns the text.
    pub fn text(&self) -> &[u8] {
        &self.text
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
    /// Each script with the number of the use that was its last.
    by_sha: HashMap<Sha, (Arc<Script>, u64)>,
    text_bytes: usize,
    uses: u64,
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
        let (script, last_use) = scripts.by_sha.get_mut(sha)?;
        scripts.uses += 1;
        *last_use = scripts.uses;
        Some(Arc::clone(script))
    }

    /// Returns whether there is a script with this SHA-1.
    pub fn contains(&self, sha: &[u8]) -> bool {
        sha.try_into().is_ok_and(|sha: &Sha| self.scripts().by_sha.contains_key(sha))
    }

    /// Returns the script with this text, and whether it is kept already.
    pub fn script_of(&self, text: &[u8]) -> (Arc<Script>, bool) {
        let sha = sha_of(text);
        match self.get(&sha) {
            Some(script) => (script, true),
            None => (Arc::new(Script::new(sha, text)), false),
        }
    }

    /// Keeps a script.
    pub fn insert(&self, script: &Arc<Script>) {
        let scripts = &mut *self.scripts();
        scripts.uses += 1;
        let entry = (Arc::clone(script), scripts.uses);
        if scripts.by_sha.insert(script.sha, entry).is_none() {
            scripts.text_bytes += script.text.len();
        }
        while scripts.by_sha.len() > SCRIPTS_MAX || scripts.text_bytes > TEXT_BYTES_MAX {
            let oldest = scripts.by_sha.iter().min_by_key(|(_, (_, last_use))| *last_use);
            let Some(sha) = oldest.map(|(sha, _)| *sha) else { break };
            if let Some((script, _)) = scripts.by_sha.remove(&sha) {
                scripts.text_bytes -= script.text.len();
            }
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
    fn texts_are_bounded_together() {
        let cache = ScriptCache::default();
        let scripts =
            [b'a', b'b', b'c'].map(|letter| cache.script_of(&vec![letter; TEXT_BYTES_MAX / 2]).0);
        for script in &scripts {
            cache.insert(script);
        }
        assert!(!cache.contains(scripts[0].sha()) && cache.contains(scripts[2].sha()));
    }
}
