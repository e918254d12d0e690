//! The encoding of values that JSET stores.

use crate::json::{self, write_full};

/// The mode of JSET's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueMode {
    /// JSON's words and numbers stay as they are, any other text is stored as a string.
    Automatic,
    /// RAW: the text stays as it is; the caller checks that it is JSON.
    Raw,
    /// STR: the text is stored as a string.
    Text,
}

/// Returns the JSON text that JSET stores for a value.
pub fn encode_value(value: &[u8], mode: ValueMode) -> Vec<u8> {
    let is_raw = match mode {
        ValueMode::Raw => true,
        ValueMode::Text => false,
        ValueMode::Automatic => is_plain_json(value),
    };
    let mut out = Vec::with_capacity(value.len() + 2);
    if is_raw {
        out.extend_from_slice(value);
    } else {
        write_text(&mut out, value);
    }
    out
}

/// Appends a string, verbatim if it has only 0x20–0x7F without `"` and `\`.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().all(|byte| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\')) {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        write_full(out, text);
    }
}

/// Returns whether the text is exactly a JSON number or one of JSON's words. Tile38 also accepts
/// `.5`, `-.5` and `e5`, and stores documents that aren't JSON.
fn is_plain_json(text: &[u8]) -> bool {
    let may_be = matches!(text.first(), Some(b'0'..=b'9' | b'-' | b't' | b'f' | b'n'));
    may_be && json::Value::parse(text).is_some_and(|value| value.raw.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: &str, mode: ValueMode) -> String {
        String::from_utf8(encode_value(value.as_bytes(), mode)).unwrap()
    }

    #[test]
    fn numbers_and_words_are_stored_as_they_are() {
        for value in
            ["true", "false", "null", "0", "-0", "12", "1.50", "-2.50", "1e5", "1E-5", "0.5e+1"]
        {
            assert_eq!(encoded(value, ValueMode::Automatic), value);
        }
        for value in [
            "007", "+5", "1.", "-", "0x1", "", "1e", "True", "1 ", "e", "nan", ".", ".5", "-.5",
            "e5", ".1e1", " 1", "-01", "nul",
        ] {
            assert_eq!(encoded(value, ValueMode::Automatic), format!("\"{value}\""));
        }
    }

    #[test]
    fn strings_are_escaped_only_when_they_must_be() {
        assert_eq!(encoded("b<c>", ValueMode::Automatic), "\"b<c>\"");
        assert_eq!(encoded("a\"b<c>", ValueMode::Automatic), "\"a\\\"b\\u003cc\\u003e\"");
        assert_eq!(encoded("<\x7f", ValueMode::Automatic), "\"<\x7f\"");
        assert_eq!(encoded("42", ValueMode::Text), "\"42\"");
        assert_eq!(encoded("{oops", ValueMode::Raw), "{oops");
    }
}
