//! The format in which MONITOR shows commands: their arguments as typed, but without secrets, in
//! quotes.

use crate::fence::without_secrets;
use crate::request::Args;

/// Returns the arguments in quotes; the first `name_words` are the command's name.
pub fn quoted(args: Args, name_words: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, arg) in without_secrets(args).into_iter().enumerate() {
        // A name of two words is shown as one.
        match index {
            0 => out.push(b'"'),
            _ if index < name_words => {
                out.pop();
                out.push(b' ');
            }
            _ => out.extend_from_slice(b" \""),
        }
        escape(&mut out, arg);
        out.push(b'"');
    }
    out
}

fn escape(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape_character(out, character);
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
}

fn escape_character(out: &mut Vec<u8>, character: char) {
    let name = match character {
        '"' | '\\' => character,
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{b}' => 'v',
        _ => return escape_unnamed(out, character),
    };
    out.push(b'\\');
    out.push(name as u8);
}

fn escape_unnamed(out: &mut Vec<u8>, character: char) {
    let code = u32::from(character);
    let text = if code < 0x20 || code == 0x7f {
        format!("\\x{code:02x}")
    } else if is_printable(character) {
        String::from(character)
    } else if code < 0x10000 {
        format!("\\u{code:04x}")
    } else {
        format!("\\U{code:08x}")
    };
    out.extend_from_slice(text.as_bytes());
}

fn is_printable(character: char) -> bool {
    // Tested after another character, as a combining character alone is escaped.
    character.is_ascii() || !format!("a{character}").escape_debug().any(|escaped| escaped == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Arguments;

    fn quote(words: &[&[u8]], name_words: usize) -> String {
        let mut arguments = Arguments::default();
        arguments.assign(words);
        String::from_utf8(quoted(arguments.view(&[]), name_words)).unwrap()
    }

    #[test]
    fn arguments_are_quoted_as_typed() {
        let words: [&[u8]; 4] = [b"SET", b"k\"1\\", "ié\n".as_bytes(), b""];
        assert_eq!(quote(&words, 1), r#""SET" "k\"1\\" "ié\n" """#);
    }

    #[test]
    fn characters_that_cannot_be_printed_are_escaped() {
        assert_eq!(quote(&[b"\x07\x08\x0c\r\t\x0b"], 1), r#""\a\b\f\r\t\v""#);
        assert_eq!(quote(&[b"\x00\x1f\x7f\xff\xc3"], 1), r#""\x00\x1f\x7f\xff\xc3""#);
        let text = "\u{85}\u{a0}\u{200b}\u{e0001}a\u{301}€";
        assert_eq!(quote(&[text.as_bytes()], 1), "\"\\u0085\\u00a0\\u200b\\U000e0001a\u{301}€\"");
    }

    #[test]
    fn a_two_word_name_is_quoted_as_one() {
        assert_eq!(quote(&[b"SCRIPT", b"LOAD", b"return 1"], 2), r#""SCRIPT LOAD" "return 1""#);
    }
}
