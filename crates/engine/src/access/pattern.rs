//! Glob patterns of keys and channels in users' rights, which match byte by byte as in Redis. The
//! patterns of KEYS follow other rules, which are in [`crate::glob`].

/// The part of a pattern that matches one byte.
struct Piece {
    /// Bytes of the pattern.
    length: usize,
    is_match: bool,
}

/// Returns whether the whole name matches: `*` stands for any bytes, `?` for one, `[a-c]` and
/// `[^x]` for one of a class, `\c` for `c` itself. A class without an end ends with the pattern.
/// Takes time proportional to pattern × name at most.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            retry = Some((p, n));
            continue;
        }
        match (pattern.get(p), name.get(n)) {
            (None, None) => return true,
            (Some(_), Some(&byte)) => {
                let piece = match_one(&pattern[p..], byte);
                if piece.is_match {
                    p += piece.length;
                    n += 1;
                    continue;
                }
            }
            _ => {}
        }
        match retry {
            // Only the last star is tried again with one more byte.
            Some((after_star, start)) if start < name.len() => {
                (p, n) = (after_star, start + 1);
                retry = Some((after_star, n));
            }
            _ => return false,
        }
    }
}

fn match_one(pattern: &[u8], byte: u8) -> Piece {
    match pattern[0] {
        b'?' => Piece { length: 1, is_match: true },
        b'[' => match_class(pattern, byte),
        b'\\' if pattern.len() > 1 => Piece { length: 2, is_match: pattern[1] == byte },
        other => Piece { length: 1, is_match: other == byte },
    }
}

fn match_class(pattern: &[u8], byte: u8) -> Piece {
    let is_negated = pattern.get(1) == Some(&b'^');
    let mut at = 1 + usize::from(is_negated);
    let mut is_member = false;
    loop {
        match pattern[at..] {
            [] => break,
            [b'\\', escaped, ..] => {
                is_member |= escaped == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [low, b'-', high, ..] => {
                is_member |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            [other, ..] => {
                is_member |= other == byte;
                at += 1;
            }
        }
    }
    Piece { length: at, is_match: is_member != is_negated }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, name, expected) in [
            ("fleet:*", "fleet:1", true),
            ("fleet:*", "fleet", false),
            ("*", "anything", true),
            ("*a*b", "xxaxxb", true),
            ("*a*b", "xxaxx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a[b-d]e", "ace", true),
            ("a[d-b]e", "ace", true),
            ("a[^b-d]e", "ace", false),
            ("a[^b-d]e", "axe", true),
            ("a[\\]]e", "a]e", true),
            ("a\\*e", "a*e", true),
            ("a\\*e", "axe", false),
            ("a[bc", "ab", true),
            ("a[bc", "ax", false),
            ("a\\", "a\\", true),
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("a**", "a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_question_mark_stands_for_one_byte() {
        assert!(!matches(b"?", "é".as_bytes()));
        assert!(matches(b"??", "é".as_bytes()));
    }
}
