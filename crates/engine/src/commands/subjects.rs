//! The keys and ids that a request names, found by its command's record alone.

use super::record::Keys;
use crate::call::Words;
use crate::number::parse_uint;
use crate::request::Args;

/// A key that a request names, or an object of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The object's id, where the request names one.
    pub id: Option<&'a [u8]>,
}

impl Keys {
    /// The keys and objects that a request names, the command's own first; `args` begins with the
    /// command's name. Never misses one; where an area may stand, words that only look like
    /// `GET key id` are taken for one.
    pub fn subjects(self, args: Args<'_>) -> Vec<Subject<'_>> {
        let key_at = |at: usize| args.get(at).map(|key| Subject { key, id: None });
        let keys = |from: usize, count: usize| (from..args.len()).take(count).filter_map(key_at);
        match self {
            Keys::None => Vec::new(),
            Keys::Key => keys(1, 1).collect(),
            Keys::Object => {
                args.get(1).map(|key| Subject { key, id: args.get(2) }).into_iter().collect()
            }
            Keys::Pair => keys(1, 2).collect(),
            Keys::All => keys(1, usize::MAX).collect(),
            Keys::Search => keys(1, 1).chain(named_in_area(args, 2)).collect(),
            Keys::Areas => named_in_area(args, 1).collect(),
            Keys::Hook => search_of(args, 3),
            Keys::Channel => search_of(args, 2),
            Keys::Script => {
                let count = args.get(2).and_then(parse_uint).unwrap_or_default();
                keys(3, count as usize).collect()
            }
        }
    }
}

/// The subjects of the search that a hook or channel watches, behind its options.
fn search_of(args: Args, options_at: usize) -> Vec<Subject> {
    let mut words = Words::new(args);
    words.advance(options_at);
    loop {
        if words.take_keyword("META") {
            words.advance(2);
        } else if words.take_keyword("EX") {
            words.advance(1);
        } else {
            return Keys::Search.subjects(words.rest());
        }
    }
}

fn named_in_area(args: Args, from: usize) -> impl Iterator<Item = Subject> {
    (from..args.len()).filter_map(move |at| {
        let (word, key) = (args.at(at), args.get(at + 1)?);
        if word.eq_ignore_ascii_case(b"GET") {
            Some(Subject { key, id: Some(args.get(at + 2)?) })
        } else {
            word.eq_ignore_ascii_case(b"ROAM").then_some(Subject { key, id: None })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Arguments;

    fn subjects(keys: Keys, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let mut arguments = Arguments::default();
        arguments.assign(&words);
        let shown = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        let found = keys.subjects(arguments.view(&[])).into_iter();
        found
            .map(|subject| match subject.id {
                None => shown(subject.key),
                Some(id) => format!("{}/{}", shown(subject.key), shown(id)),
            })
            .collect()
    }

    #[test]
    fn keys_and_objects_stand_where_the_record_says() {
        assert_eq!(subjects(Keys::None, "KEYS a"), [""; 0]);
        assert_eq!(subjects(Keys::Key, "DROP a b"), ["a"]);
        assert_eq!(subjects(Keys::Object, "SET a b STRING c"), ["a/b"]);
        assert_eq!(subjects(Keys::Object, "SET a"), ["a"]);
        assert_eq!(subjects(Keys::Object, "SET"), [""; 0]);
        assert_eq!(subjects(Keys::Pair, "RENAME a b"), ["a", "b"]);
        assert_eq!(subjects(Keys::All, "STATS a b c"), ["a", "b", "c"]);
        assert_eq!(subjects(Keys::Script, "EVAL text 2 a b c"), ["a", "b"]);
        assert_eq!(subjects(Keys::Script, "EVAL text x a"), [""; 0]);
    }

    #[test]
    fn areas_name_objects_of_other_keys() {
        assert_eq!(subjects(Keys::Search, "WITHIN a LIMIT 5 get b c"), ["a", "b/c"]);
        assert_eq!(subjects(Keys::Search, "WITHIN a GET b"), ["a"]);
        assert_eq!(subjects(Keys::Search, "NEARBY a FENCE ROAM b * 5"), ["a", "b"]);
        assert_eq!(subjects(Keys::Areas, "TEST GET a b WITHIN GET c d"), ["a/b", "c/d"]);
    }

    #[test]
    fn hooks_name_the_keys_of_their_search() {
        let hook = "SETHOOK h http://x META WITHIN y EX 5 WITHIN a FENCE GET b c";
        assert_eq!(subjects(Keys::Hook, hook), ["a", "b/c"]);
        assert_eq!(subjects(Keys::Channel, "SETCHAN h NEARBY a FENCE POINT 1 2 3"), ["a"]);
        assert_eq!(subjects(Keys::Hook, "SETHOOK h"), [""; 0]);
    }
}
