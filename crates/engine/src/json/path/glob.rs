//! Globs with `*`, `?` and backslash: names in paths, `%` in queries, `match` in expressions.

/// The comparison of upper and lower case ASCII letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Upper and lower case differ.
    Sensitive,
    /// Upper and lower case are equal.
    Folded,
}

/// Maximum of steps of a match. An ordinary one takes as many steps as the text has bytes.
const STEPS_MAX: usize = 1 << 20;

/// Returns whether the whole text matches: `*` is any run, `?` one character, `\c` is c itself. A
/// pattern that backtracks too often doesn't match.
pub fn matches_glob(text: &[u8], pattern: &[u8], case: Case) -> bool {
    let mut steps_left = text.len().saturating_add(STEPS_MAX);
    matches_glob_within(&mut steps_left, text, pattern, case)
}

/// Matches as [`matches_glob`] does and subtracts its steps; nothing matches without steps left.
pub fn matches_glob_within(
    steps_left: &mut usize,
    text: &[u8],
    pattern: &[u8],
    case: Case,
) -> bool {
    let (mut at, mut place) = (0, 0);
    // The positions at which a failed match continues: after the last star, one byte further in the
    // text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let Some(left) = steps_left.checked_sub(1) else { return false };
        *steps_left = left;
        if pattern.get(place) == Some(&b'*') {
            place += 1;
            if place == pattern.len() {
                return true;
            }
            retry = Some((at, place));
            continue;
        }
        if place == pattern.len() && at == text.len() {
            return true;
        }
        if let Some((text_length, pattern_length)) = step(&text[at..], &pattern[place..], case) {
            at += text_length;
            place += pattern_length;
            continue;
        }
        match retry {
            Some((start, behind)) if start < text.len() => {
                at = start + 1;
                place = behind;
                retry = Some((at, place));
            }
            _ => return false,
        }
    }
}

/// Returns the lengths in text and pattern that one item of the pattern matches; `None` if it
/// doesn't match.
fn step(text: &[u8], pattern: &[u8], case: Case) -> Option<(usize, usize)> {
    let (literal, length) = match pattern {
        [b'?', ..] => return text.first().map(|_| (character_length(text), 1)),
        [b'\\', literal, ..] => (literal, 2),
        [literal, ..] => (literal, 1),
        [] => return None,
    };
    let byte = text.first()?;
    let is_same = match case {
        Case::Sensitive => byte == literal,
        Case::Folded => byte.eq_ignore_ascii_case(literal),
    };
    is_same.then_some((1, length))
}

/// Returns the length of the UTF-8 character at the beginning of the text, 1 where it is invalid.
fn character_length(text: &[u8]) -> usize {
    let length = match text[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let is_valid = text.get(..length).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok());
    if is_valid {
        length
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts() {
        for (text, pattern, is_match) in [
            ("abc", "a*", true),
            ("abc", "a?c", true),
            ("abc", "b*", false),
            ("", "*", true),
            ("", "", true),
            ("", "?", false),
            ("a*c", "a\\*c", true),
            ("abc", "a\\*c", false),
            ("héllo", "h?llo", true),
            ("abcabd", "*ab?", true),
            ("abcabdx", "*ab?", false),
            ("a\\", "a\\", true),
            ("aaa", "*a*a*a*", true),
            ("aaa", "*a*a*a*a*", false),
            ("abc", "abc*", true),
            ("abc", "*c*", true),
        ] {
            let found = matches_glob(text.as_bytes(), pattern.as_bytes(), Case::Sensitive);
            assert_eq!(found, is_match, "{text} {pattern}");
        }
        assert!(matches_glob(b"\xffx", b"?x", Case::Sensitive));
        assert!(!matches_glob(&vec![b'a'; 20_000], b"*a*a*a*a*b", Case::Sensitive));
        let mut steps_left = 1000;
        let is_match = matches_glob_within(&mut steps_left, &[b'a'; 2000], b"*", Case::Sensitive);
        assert!(is_match && steps_left > 990);
        let pattern = [&b"*"[..], &[b'a'; 500], b"b"].concat();
        assert!(!matches_glob_within(&mut steps_left, &[b'a'; 2000], &pattern, Case::Sensitive));
        assert_eq!(steps_left, 0);
    }

    #[test]
    fn case_matters_only_if_asked_for() {
        assert!(matches_glob(b"ABC", b"a?c", Case::Folded));
        assert!(!matches_glob(b"ABC", b"a?c", Case::Sensitive));
    }
}
