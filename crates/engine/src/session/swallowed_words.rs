//! Error texts for words that became part of a JSON object: in HTTP and native requests a word
//! that begins with `{` includes everything up to the end of the request.

use super::request::Request;
use super::Session;
use crate::error::Error;
use crate::json::Value;
use crate::reply::Framing;

const REASON: &[u8] =
    b": a word that begins with '{' takes all that follows, so OBJECT {...} has to be the last one";

impl Session {
    /// Adds the reason to an error if the last word is a JSON object followed by more words.
    pub(super) fn explain(&self, error: Error, request: &Request) -> Error {
        let is_split_text = self.is_plain || request.framing == Framing::Native;
        let last = request.args.at(request.args.len().saturating_sub(1));
        if is_split_text && has_words_behind_json(last) {
            Error::Text([&error.message(), REASON].concat())
        } else {
            error
        }
    }
}

fn has_words_behind_json(word: &[u8]) -> bool {
    if word.first() != Some(&b'{') {
        return false;
    }
    let rest = Value::parse_prefix(word).and_then(|(_, end)| word.get(end..)).unwrap_or_default();
    rest.first() == Some(&b' ') && !rest.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_only_behind_a_complete_json_object() {
        for word in ["{} EX 5", "{\"a\":{}} x", "{\"a\":\"}\"}  {}"] {
            assert!(has_words_behind_json(word.as_bytes()), "{word}");
        }
        for word in ["{}", "{} ", "{oops} x", "x {} y", "{}x", ""] {
            assert!(!has_words_behind_json(word.as_bytes()), "{word}");
        }
    }
}
