//! The keys and ids that a request names, found by its command's record.

use smallvec::{smallvec, SmallVec};

use super::record::Keys;
use crate::call::Words;
use crate::fence::DeliveryOptions;
use crate::number::parse_uint;
use crate::query::zone_options::ZoneOptions;
use crate::request::Args;

/// A key that a request names, with the id of one of its objects where the request names that, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyReference<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The object's id.
    pub id: Option<&'a [u8]>,
}

/// The keys and objects that a request names. Most requests name one.
pub type KeyReferences<'a> = SmallVec<[KeyReference<'a>; 2]>;

impl Keys {
    /// Returns the keys and objects that a request names, the command's own key first. `args`
    /// begins with the command's name. No reference is missed; where an area may be, three words
    /// that only look like `GET key id` are returned, too.
    pub fn references(self, args: Args<'_>) -> KeyReferences<'_> {
        let key_at = |at: usize| args.get(at).map(|key| KeyReference { key, id: None });
        let keys = |from: usize, count: usize| (from..args.len()).take(count).filter_map(key_at);
        match self {
            Keys::None | Keys::Every => smallvec![],
            Keys::Key => keys(1, 1).collect(),
            Keys::Object => {
                let reference = args.get(1).map(|key| KeyReference { key, id: args.get(2) });
                reference.into_iter().collect()
            }
            Keys::Pair => keys(1, 2).collect(),
            Keys::All => keys(1, usize::MAX).collect(),
            Keys::Search => keys(1, 1).chain(area_references(args, 2)).collect(),
            Keys::Areas => area_references(args, 1).collect(),
            Keys::Hook => fence_references(args, 3),
            Keys::Channel => fence_references(args, 2),
            Keys::Script => {
                let count = args.get(2).and_then(parse_uint).unwrap_or_default();
                keys(3, count as usize).collect()
            }
        }
    }
}

/// Returns the references in the search of a hook or channel. The search follows the options META
/// and EX, and the delivery options of a hook.
fn fence_references(args: Args, options_at: usize) -> KeyReferences {
    let mut words = Words::new(args);
    words.advance(options_at);
    loop {
        let value_count = if words.take_keyword("META") {
            2
        } else if words.take_keyword("EX") {
            1
        } else if let Some(count) = words.peek().and_then(DeliveryOptions::value_count) {
            words.advance(1);
            count
        } else {
            return Keys::Search.references(words.rest());
        };
        words.advance(value_count);
    }
}

/// Returns the references in the words of an area, from one position on. LAYER names a key only
/// somewhere behind MVT, IN only where all words behind the key are options of zones.
fn area_references(args: Args, from: usize) -> impl Iterator<Item = KeyReference> {
    let mut has_tile = false;
    let is_list = |name: &[u8]| args.get(0).is_some_and(|word| word.eq_ignore_ascii_case(name));
    let has_area = !is_list(b"SCAN") && !is_list(b"SEARCH");
    let is_nearby = is_list(b"NEARBY");
    (from..args.len()).filter_map(move |at| {
        let (word, key) = (args.at(at), args.get(at + 1)?);
        let is_word = |name: &[u8]| word.eq_ignore_ascii_case(name);
        if is_word(b"GET") {
            return Some(KeyReference { key, id: Some(args.get(at + 2)?) });
        }
        if is_word(b"OBJECT") && is_nearby && may_be_anchor(args, from, at) {
            return Some(KeyReference { key, id: Some(args.get(at + 2)?) });
        }
        if is_word(b"IN") && has_area && may_be_zones(args, from, at) {
            return Some(KeyReference { key, id: None });
        }
        let is_key = is_word(b"ROAM") || (has_tile && is_word(b"LAYER"));
        has_tile |= is_word(b"MVT");
        is_key.then_some(KeyReference { key, id: None })
    })
}

/// Returns whether OBJECT at this position may be that of `OBJECT key id [meters]`: the last words,
/// and no pattern of MATCH.
fn may_be_anchor(args: Args, from: usize, at: usize) -> bool {
    let is_pattern =
        at > from && args.get(at - 1).is_some_and(|word| word.eq_ignore_ascii_case(b"MATCH"));
    matches!(args.len() - at, 3 | 4) && !is_pattern
}

/// Returns whether IN at this position may name zones: nothing but their options follows its key,
/// and it isn't the key of `GET key id` or the pattern of `ROAM key pattern meters`.
fn may_be_zones(args: Args, from: usize, at: usize) -> bool {
    let is_word = |at: usize, name: &[u8]| {
        at >= from && args.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name))
    };
    if is_word(at.saturating_sub(1), b"GET") || is_word(at.saturating_sub(2), b"ROAM") {
        return false;
    }
    let mut words = Words::new(args);
    words.advance(at + 2);
    words.left() == 0 || ZoneOptions::may_begin(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Arguments;

    fn references(keys: Keys, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let mut arguments = Arguments::default();
        arguments.assign(&words);
        let text_of = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        let found = keys.references(arguments.view(&[])).into_iter();
        found
            .map(|reference| match reference.id {
                None => text_of(reference.key),
                Some(id) => format!("{}/{}", text_of(reference.key), text_of(id)),
            })
            .collect()
    }

    #[test]
    fn keys_and_objects_are_found_by_the_record() {
        assert_eq!(references(Keys::None, "KEYS a"), [""; 0]);
        assert_eq!(references(Keys::Key, "DROP a b"), ["a"]);
        assert_eq!(references(Keys::Object, "SET a b STRING c"), ["a/b"]);
        assert_eq!(references(Keys::Object, "SET a"), ["a"]);
        assert_eq!(references(Keys::Object, "SET"), [""; 0]);
        assert_eq!(references(Keys::Pair, "RENAME a b"), ["a", "b"]);
        assert_eq!(references(Keys::All, "STATS a b c"), ["a", "b", "c"]);
        assert_eq!(references(Keys::Script, "EVAL text 2 a b c"), ["a", "b"]);
        assert_eq!(references(Keys::Script, "EVAL text x a"), [""; 0]);
    }

    #[test]
    fn areas_name_objects_of_other_keys() {
        assert_eq!(references(Keys::Search, "WITHIN a LIMIT 5 get b c"), ["a", "b/c"]);
        assert_eq!(references(Keys::Search, "WITHIN a GET b"), ["a"]);
        assert_eq!(references(Keys::Search, "NEARBY a FENCE ROAM b * 5"), ["a", "b"]);
        assert_eq!(references(Keys::Search, "WITHIN a MVT 0 0 0 layer b LAYER c"), ["a", "b", "c"]);
        assert_eq!(references(Keys::Search, "WITHIN a FENCE IN b"), ["a", "b"]);
        assert_eq!(
            references(Keys::Search, "NEARBY a FENCE in b match c* where d 1 2"),
            ["a", "b"]
        );
        assert_eq!(references(Keys::Search, "NEARBY a FENCE OBJECT b c"), ["a", "b/c"]);
        assert_eq!(references(Keys::Search, "NEARBY a object b c 50"), ["a", "b/c"]);
        assert_eq!(references(Keys::Search, "NEARBY a MATCH object POINT 1 2"), ["a"]);
        assert_eq!(references(Keys::Search, "WITHIN a FENCE OBJECT b c"), ["a"]);
        assert_eq!(references(Keys::Search, "SCAN a MATCH in COUNT"), ["a"]);
        assert_eq!(references(Keys::Search, "WITHIN a MATCH in POINT 1 2"), ["a"]);
        assert_eq!(references(Keys::Search, "WITHIN a WHERE in 1 2 HASH c"), ["a"]);
        assert_eq!(references(Keys::Search, "WITHIN a GET in b"), ["a", "in/b"]);
        assert_eq!(references(Keys::Search, "NEARBY a FENCE ROAM b in 5"), ["a", "b"]);
        assert_eq!(references(Keys::Search, "WITHIN a WHERE layer 1 2 MVT 0 0 0"), ["a"]);
        assert_eq!(references(Keys::Areas, "TEST GET a b WITHIN GET c d"), ["a/b", "c/d"]);
    }

    #[test]
    fn hooks_name_the_keys_of_their_search() {
        let hook = "SETHOOK h http://x META WITHIN y EX 5 WITHIN a FENCE GET b c";
        assert_eq!(references(Keys::Hook, hook), ["a", "b/c"]);
        let hook =
            "SETHOOK h x SIGN NEARBY HEADERS WITHIN y FORMAT cloudevents NEARBY a POINT 1 2 3";
        assert_eq!(references(Keys::Hook, hook), ["a"]);
        let hook =
            "SETHOOK h x BATCH 5 DEADLETTER y HISTORY 9 queue 1mb RETRY 1s..2s SEQUENCE yes \
                    TIMEOUT 1s TTL 1h NEARBY a POINT 1 2 3";
        assert_eq!(references(Keys::Hook, hook), ["a"]);
        let channel = "SETCHAN c SEQUENCE yes HISTORY 9 WITHIN a GET b c";
        assert_eq!(references(Keys::Channel, channel), ["a", "b/c"]);
        assert_eq!(references(Keys::Channel, "SETCHAN h NEARBY a FENCE POINT 1 2 3"), ["a"]);
        assert_eq!(references(Keys::Channel, "SETCHAN h WITHIN a IN b WITHFIELDS"), ["a", "b"]);
        assert_eq!(references(Keys::Hook, "SETHOOK h"), [""; 0]);
    }
}
