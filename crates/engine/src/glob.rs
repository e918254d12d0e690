//! Glob patterns of KEYS, PDEL and MATCH, and the range of names that a pattern can match.

/// Returns whether the whole name matches the pattern: `*` stands for any characters, `?` for one
/// UTF-8 character, `[a-c]` and `[^x]` for one of a class, `\c` for `c` itself. A malformed pattern
/// matches nothing.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    is_well_formed(pattern) && match_well_formed(pattern, name)
}

/// Returns whether the name matches one of the patterns, or there are none.
pub fn matches_any(patterns: &[impl AsRef<[u8]>], name: &[u8]) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern.as_ref(), name))
}

/// Returns whether every backslash is followed by a character and every class is closed.
pub fn is_well_formed(pattern: &[u8]) -> bool {
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 == pattern.len() => return false,
            b'\\' => at += 2,
            b'[' => match parse_class(&pattern[at + 1..], None) {
                Some((length, _)) => at += 1 + length,
                None => return false,
            },
            _ => at += 1,
        }
    }
    true
}

/// Matches a well-formed pattern. Takes time proportional to pattern × name at most, because
/// backtracking goes to the last star only.
fn match_well_formed(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p == pattern.len() && n == name.len() {
            return true;
        }
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p, n));
            p += 1;
            continue;
        }
        if let Some((pattern_length, name_length)) = match_one(&pattern[p..], &name[n..]) {
            p += pattern_length;
            n += name_length;
            continue;
        }
        match retry {
            Some((star, start)) if start < name.len() => {
                n = start + 1;
                p = star + 1;
                retry = Some((star, n));
            }
            _ => return false,
        }
    }
}

/// Matches one character; returns the bytes that it takes of the pattern and of the name.
fn match_one(pattern: &[u8], name: &[u8]) -> Option<(usize, usize)> {
    let (character, length) = first_character(name)?;
    match *pattern.first()? {
        b'?' => Some((1, length)),
        b'[' => {
            let (class_length, is_match) = parse_class(&pattern[1..], Some(character))?;
            is_match.then_some((1 + class_length, length))
        }
        b'\\' => (pattern.get(1) == name.first()).then_some((2, 1)),
        byte => (byte == name[0]).then_some((1, 1)),
    }
}

/// Returns the first character and its length in bytes. An invalid byte counts as one replacement
/// character.
fn first_character(text: &[u8]) -> Option<(char, usize)> {
    let first = *text.first()?;
    if first < 0x80 {
        return Some((first as char, 1));
    }
    let longest = &text[..text.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default(),
    };
    let character = valid.chars().next();
    Some(character.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, c.len_utf8())))
}

/// Reads a class, of which the `[` was read. Returns its length with the `]`, and whether it
/// contains the character.
fn parse_class(text: &[u8], character: Option<char>) -> Option<(usize, bool)> {
    let is_negated = text.first() == Some(&b'^');
    let start = usize::from(is_negated);
    let mut at = start;
    let mut is_match = false;
    loop {
        if at > start && text.get(at) == Some(&b']') {
            return Some((at + 1, is_match != is_negated));
        }
        let low = class_character(text, &mut at)?;
        let mut high = low;
        if text.get(at) == Some(&b'-') {
            at += 1;
            high = class_character(text, &mut at)?;
        }
        is_match |= character.is_some_and(|c| low <= c && c <= high);
    }
}

fn class_character(text: &[u8], at: &mut usize) -> Option<char> {
    match text.get(*at)? {
        b']' | b'-' => return None,
        b'\\' => *at += 1,
        _ => {}
    }
    let (character, length) = first_character(text.get(*at..)?)?;
    *at += length;
    (*at < text.len()).then_some(character)
}

/// Returns the bytes of the pattern before its first `[`, `*` or `?`. A backslash counts as a plain
/// byte here, as in Tile38.
pub fn prefix(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| matches!(byte, b'[' | b'*' | b'?'));
    &pattern[..end.unwrap_or(pattern.len())]
}

/// Returns whether the pattern can match any name: it is empty or begins with `*`.
pub fn is_unbounded(pattern: &[u8]) -> bool {
    pattern.is_empty() || pattern[0] == b'*'
}

/// Returns the least text above all texts that begin with the prefix: the prefix with its last byte
/// increased by one.
pub fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut next = prefix.to_vec();
    match next.last_mut() {
        Some(0xff) => next.push(0),
        Some(last) => *last += 1,
        None => {}
    }
    next
}

/// Returns the text at which a descending scan of the prefix ends: the prefix with its last byte
/// decreased by one.
pub fn predecessor(prefix: &[u8]) -> Vec<u8> {
    let mut before = prefix.to_vec();
    match before.last_mut() {
        Some(0) => {
            before.pop();
        }
        Some(last) => *last -= 1,
        None => {}
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "ab", false),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[^x]", "y", true),
            ("[^x]", "x", false),
            ("[!x]", "!", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("a[", "a[", false),
            ("b\\", "b\\", false),
            ("a[]b]", "ab", false),
            ("", "", true),
            ("", "x", false),
            ("*/*", "a/b", true),
            ("[é-ü]", "ö", true),
            ("{a,b}", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_exponential_time() {
        let pattern = b"*a".repeat(200);
        assert!(!matches(&[&pattern[..], b"b"].concat(), &b"a".repeat(10_000)));
    }

    #[test]
    fn prefixes_end_before_the_first_wildcard() {
        assert_eq!(prefix(b"ab*c"), b"ab");
        assert_eq!(prefix(b"a\\*"), b"a\\");
        assert_eq!(successor(b"b"), b"c");
        assert_eq!(successor(b"a\xff"), b"a\xff\0");
    }
}
