//! Writers of JSON: the two string encoders of Tile38's replies, lists, and members.

use crate::number::write_int;

/// Appends a string in quotes, by the full encoder: it escapes `"`, `\` and control characters,
/// writes `<`, `>`, `&`, U+2028 and U+2029 as `\uxxxx` and each invalid UTF-8 byte as `\ufffd`, and
/// copies everything else.
pub fn write_full(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        write_valid(out, chunk.valid());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
    out.push(b'"');
}

fn write_valid(out: &mut Vec<u8>, text: &str) {
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\u{0}'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", character as u32).as_bytes());
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends a string in quotes, by the short encoder: it copies a text that has only bytes from 0x20
/// to 0x7E without `"` and `\`, and leaves any other text to [`write_full`].
pub fn write_short(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().all(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\')) {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        write_full(out, text);
    }
}

/// Appends `[item,item,…]`, each item as `write` appends it.
pub fn write_list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Appends `,"name":123`.
pub fn write_int_member(out: &mut Vec<u8>, name: &str, value: i64) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_int(out, value);
}

const BASE64_DIGITS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes as a string in base64, without the padding at its end.
pub fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() / 3 * 4 + 6);
    out.push(b'"');
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |at: usize| BASE64_DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
        out.extend((0..=group.len()).map(digit));
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_no_padding() {
        for (bytes, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")]
        {
            let mut out = Vec::new();
            write_base64(&mut out, bytes.as_bytes());
            assert_eq!(out, format!("\"{text}\"").as_bytes());
        }
    }

    fn full(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_full(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_full_encoder_escapes_html_separators_and_invalid_bytes() {
        assert_eq!(full(b"a<b\"\\\n\x01\x7f"), "\"a\\u003cb\\\"\\\\\\n\\u0001\x7f\"");
        assert_eq!(full("é\u{2028}/".as_bytes()), "\"é\\u2028/\"");
        assert_eq!(full(b"\xff\xe2\x82x"), "\"\\ufffd\\ufffd\\ufffdx\"");
    }

    #[test]
    fn the_short_encoder_copies_a_text_or_escapes_all_of_it() {
        let mut out = Vec::new();
        write_short(&mut out, b"a<b");
        write_short(&mut out, "é<".as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), "\"a<b\"\"é\\u003c\"");
    }
}
