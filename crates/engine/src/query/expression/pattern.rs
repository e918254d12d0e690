//! The regular expressions of `=~`.

use std::collections::HashMap;
use std::sync::Mutex;

use regex::bytes::{Regex, RegexBuilder};

use super::syntax::translate;

/// Maximum bytes of a compiled pattern; a larger one is an error.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Maximum of compiled patterns that an expression caches, of those that come from objects.
const CACHE_COUNT_MAX: usize = 32;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Returns the regular expression; `None` for a malformed or too large pattern.
    pub fn compile(text: &[u8]) -> Option<Self> {
        let text = translate(std::str::from_utf8(text).ok()?);
        let mut builder = RegexBuilder::new(&text);
        builder.size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
        builder.build().ok().map(Self)
    }

    /// Returns whether the pattern matches anywhere in the text.
    pub fn is_found(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

/// The cache of patterns that come from objects.
#[derive(Debug, Default)]
pub struct PatternCache(Mutex<HashMap<Box<[u8]>, Option<Pattern>>>);

impl PatternCache {
    /// Returns whether the pattern matches anywhere in the text; `None` if it is malformed.
    pub fn is_found(&self, pattern: &[u8], text: &[u8]) -> Option<bool> {
        let Ok(mut known) = self.0.lock() else {
            return Pattern::compile(pattern).map(|compiled| compiled.is_found(text));
        };
        if !known.contains_key(pattern) {
            if known.len() >= CACHE_COUNT_MAX {
                known.clear();
            }
            known.insert(pattern.into(), Pattern::compile(pattern));
        }
        let compiled = known.get(pattern).cloned().flatten();
        drop(known);
        compiled.map(|compiled| compiled.is_found(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_expressions_search_anywhere() {
        let is_found = |pattern: &str, text: &str| {
            Pattern::compile(pattern.as_bytes()).map(|p| p.is_found(text.as_bytes()))
        };
        assert_eq!(is_found("b.d", "abcde"), Some(true));
        assert_eq!(is_found("^b", "abc"), Some(false));
        assert_eq!(is_found("ABC", "abc"), Some(false));
        assert_eq!(is_found("(?i)ABC", "abc"), Some(true));
        assert_eq!(is_found("(", "abc"), None);
        assert_eq!(is_found("(((a{1000}){1000}){1000})", "abc"), None);
    }

    #[test]
    fn the_cache_is_bounded_and_remembers_bad_patterns() {
        let cache = PatternCache::default();
        for index in 0..100 {
            assert_eq!(
                cache.is_found(format!("{index}").as_bytes(), b"42"),
                Some("42".contains(&index.to_string()))
            );
            assert_eq!(cache.is_found(b"(", b"42"), None);
        }
        assert!(cache.0.lock().unwrap().len() <= CACHE_COUNT_MAX);
    }
}
