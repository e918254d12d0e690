//! Lua's patterns, matched with a count of steps: the C library's matcher can't be stopped, and a
//! short pattern can take it hours.

/// The most captures of a pattern.
const CAPTURES_MAX: usize = 32;
/// The most levels of a pattern's repetitions and captures within each other.
const DEPTH_MAX: usize = 200;
/// The steps of matching that are reported together.
const STEPS_PER_REPORT: u64 = 256;

/// Why a pattern isn't matched to the end.
#[derive(Debug)]
pub(super) enum Fault<E> {
    /// The pattern is malformed.
    Malformed(&'static str),
    /// The steps were too many.
    Stopped(E),
}

/// What a capture has taken from the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    /// The bytes from the first position to the second.
    Range(usize, usize),
    /// `()`: a position.
    Position(usize),
}

#[derive(Clone, Copy)]
enum Length {
    Open,
    Position,
    Closed(usize),
}

/// A match in the subject and its captures.
#[derive(Debug)]
pub(super) struct Match {
    pub start: usize,
    pub end: usize,
    pub captures: Vec<Capture>,
}

/// A matcher of one pattern with one subject.
pub(super) struct Matcher<'a, E> {
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<(usize, Length)>,
    depth: usize,
    /// The steps that aren't reported yet.
    steps: u64,
    /// Takes the number of steps; fails if matching has to stop.
    report: &'a dyn Fn(u64) -> Result<(), E>,
}

type Outcome<T, E> = Result<T, Fault<E>>;

impl<'a, E> Matcher<'a, E> {
    /// Returns a matcher. A `^` at the start of the pattern has to be removed before.
    pub fn new(
        subject: &'a [u8],
        pattern: &'a [u8],
        report: &'a dyn Fn(u64) -> Result<(), E>,
    ) -> Self {
        Matcher { subject, pattern, captures: Vec::new(), depth: 0, steps: 0, report }
    }

    /// Returns the match that begins at a position, if there is one.
    pub fn match_at(&mut self, start: usize) -> Outcome<Option<Match>, E> {
        self.captures.clear();
        self.depth = 0;
        let Some(end) = self.match_from(start, 0)? else { return Ok(None) };
        let captures = self.captures.iter().map(|(start, length)| match length {
            Length::Open => Err(Fault::Malformed("unfinished capture")),
            Length::Position => Ok(Capture::Position(*start)),
            Length::Closed(length) => Ok(Capture::Range(*start, start + length)),
        });
        Ok(Some(Match { start, end, captures: captures.collect::<Result<_, _>>()? }))
    }

    /// Returns the first match from a position on, or only at it if the pattern is anchored.
    pub fn search(&mut self, from: usize, is_anchored: bool) -> Outcome<Option<Match>, E> {
        let last = if is_anchored { from } else { self.subject.len() };
        for start in from..=last {
            if let Some(found) = self.match_at(start)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn step(&mut self) -> Outcome<(), E> {
        self.take_steps(1)
    }

    fn take_steps(&mut self, count: u64) -> Outcome<(), E> {
        self.steps += count;
        if self.steps >= STEPS_PER_REPORT {
            (self.report)(std::mem::take(&mut self.steps)).map_err(Fault::Stopped)?;
        }
        Ok(())
    }

    /// Matches the pattern from `p` on with the subject from `s` on; returns the end of the match.
    fn match_from(&mut self, s: usize, p: usize) -> Outcome<Option<usize>, E> {
        if self.depth >= DEPTH_MAX {
            return Err(Fault::Malformed("pattern too complex"));
        }
        self.depth += 1;
        let found = self.match_items(s, p);
        self.depth -= 1;
        found
    }

    fn match_items(&mut self, mut s: usize, mut p: usize) -> Outcome<Option<usize>, E> {
        loop {
            self.step()?;
            let Some(&first) = self.pattern.get(p) else { return Ok(Some(s)) };
            let second = self.pattern.get(p + 1).copied();
            match (first, second) {
                (b'(', Some(b')')) => return self.open(s, p + 2, Length::Position),
                (b'(', _) => return self.open(s, p + 1, Length::Open),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.subject.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.match_balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.match_frontier(s, p + 2)? {
                    Some(after) => p = after,
                    None => return Ok(None),
                },
                (b'%', Some(digit @ b'0'..=b'9')) => match self.match_capture(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    let repetition = self.pattern.get(end).copied();
                    if matches!(repetition, Some(b'?' | b'*' | b'+' | b'-')) {
                        return self.repeat(s, p, end, repetition);
                    }
                    if !self.matches_single(s, p, end) {
                        return Ok(None);
                    }
                    (s, p) = (s + 1, end);
                }
            }
        }
    }

    fn repeat(
        &mut self,
        s: usize,
        p: usize,
        end: usize,
        repetition: Option<u8>,
    ) -> Outcome<Option<usize>, E> {
        match repetition {
            Some(b'?') => {
                if self.matches_single(s, p, end) {
                    if let Some(found) = self.match_from(s + 1, end + 1)? {
                        return Ok(Some(found));
                    }
                }
                self.match_from(s, end + 1)
            }
            Some(b'-') => self.expand_least(s, p, end),
            Some(b'+') if !self.matches_single(s, p, end) => Ok(None),
            Some(b'+') => self.expand_most(s, p, end, 1),
            _ => self.expand_most(s, p, end, 0),
        }
    }

    fn expand_most(
        &mut self,
        s: usize,
        p: usize,
        end: usize,
        least: usize,
    ) -> Outcome<Option<usize>, E> {
        let mut count = least;
        while self.matches_single(s + count, p, end) {
            count += 1;
            self.step()?;
        }
        loop {
            if let Some(found) = self.match_from(s + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == least {
                return Ok(None);
            }
            count -= 1;
        }
    }

    fn expand_least(&mut self, mut s: usize, p: usize, end: usize) -> Outcome<Option<usize>, E> {
        loop {
            if let Some(found) = self.match_from(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.matches_single(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, length: Length) -> Outcome<Option<usize>, E> {
        if self.captures.len() >= CAPTURES_MAX {
            return Err(Fault::Malformed("too many captures"));
        }
        let count = self.captures.len();
        self.captures.push((s, length));
        let found = self.match_from(s, p)?;
        if found.is_none() {
            self.captures.truncate(count);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Outcome<Option<usize>, E> {
        let is_open = |(_, length): &(usize, Length)| matches!(length, Length::Open);
        let Some(index) = self.captures.iter().rposition(is_open) else {
            return Err(Fault::Malformed("invalid pattern capture"));
        };
        self.captures[index].1 = Length::Closed(s - self.captures[index].0);
        let found = self.match_from(s, p)?;
        if found.is_none() {
            if let Some(capture) = self.captures.get_mut(index) {
                capture.1 = Length::Open;
            }
        }
        Ok(found)
    }

    /// `%bxy`: returns the end of the balanced text.
    fn match_balance(&mut self, s: usize, p: usize) -> Outcome<Option<usize>, E> {
        let Some(&[opening, closing]) = self.pattern.get(p..p + 2) else {
            return Err(Fault::Malformed("unbalanced pattern"));
        };
        if self.subject.get(s) != Some(&opening) {
            return Ok(None);
        }
        let mut level = 1;
        for at in s + 1..self.subject.len() {
            self.step()?;
            let byte = self.subject[at];
            if byte == closing {
                level -= 1;
                if level == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == opening {
                level += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: returns the position in the pattern after it if it matches.
    fn match_frontier(&mut self, s: usize, p: usize) -> Outcome<Option<usize>, E> {
        if self.pattern.get(p) != Some(&b'[') {
            return Err(Fault::Malformed("missing '[' after '%f' in pattern"));
        }
        let end = self.class_end(p)?;
        let before = s.checked_sub(1).map_or(0, |at| self.subject[at]);
        let after = self.subject.get(s).copied().unwrap_or(0);
        let is_match = !self.is_in_set(before, p, end - 1) && self.is_in_set(after, p, end - 1);
        Ok(is_match.then_some(end))
    }

    /// `%1`: returns the end of the same text as a capture's.
    fn match_capture(&mut self, s: usize, digit: u8) -> Outcome<Option<usize>, E> {
        let index = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let Some((start, Length::Closed(length))) = self.captures.get(index) else {
            return Err(Fault::Malformed("invalid capture index"));
        };
        let (start, length) = (*start, *length);
        // Comparing long texts takes as long as many steps.
        self.take_steps(1 + length as u64 / 16)?;
        let is_match = self.subject[s..].starts_with(&self.subject[start..start + length]);
        Ok(is_match.then_some(s + length))
    }

    /// Returns the position after the class at `p`.
    fn class_end(&self, p: usize) -> Outcome<usize, E> {
        match self.pattern[p] {
            b'%' if p + 1 >= self.pattern.len() => {
                Err(Fault::Malformed("malformed pattern (ends with '%')"))
            }
            b'%' => Ok(p + 2),
            b'[' => {
                let mut at = p + 1;
                at += usize::from(self.pattern.get(at) == Some(&b'^'));
                // A bracket in the first place stands for itself.
                let mut is_first = true;
                loop {
                    match self.pattern.get(at) {
                        None => return Err(Fault::Malformed("malformed pattern (missing ']')")),
                        Some(b']') if !is_first => return Ok(at + 1),
                        Some(b'%') => at += 2,
                        Some(_) => at += 1,
                    }
                    is_first = false;
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn matches_single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.subject.get(s) else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => is_in_class(byte, self.pattern[p + 1]),
            b'[' => self.is_in_set(byte, p, end - 1),
            literal => literal == byte,
        }
    }

    /// Returns whether the set from its `[` at `p` to its `]` at `last` has the byte.
    fn is_in_set(&self, byte: u8, p: usize, last: usize) -> bool {
        let is_negated = self.pattern.get(p + 1) == Some(&b'^');
        let mut at = p + 1 + usize::from(is_negated);
        while at < last {
            let item = self.pattern[at];
            if item == b'%' {
                if is_in_class(byte, self.pattern[at + 1]) {
                    return !is_negated;
                }
                at += 2;
            } else if at + 2 < last && self.pattern[at + 1] == b'-' {
                if (item..=self.pattern[at + 2]).contains(&byte) {
                    return !is_negated;
                }
                at += 3;
            } else {
                if item == byte {
                    return !is_negated;
                }
                at += 1;
            }
        }
        is_negated
    }
}

/// Returns whether a byte is in the class of a letter after `%`; any other byte stands for itself.
fn is_in_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_in != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the match and its captures as text, or the fault.
    fn found(subject: &str, pattern: &str) -> String {
        let is_anchored = pattern.starts_with('^');
        let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
        let report = |_| Ok::<(), ()>(());
        let mut matcher = Matcher::new(subject.as_bytes(), pattern.as_bytes(), &report);
        let found = match matcher.search(0, is_anchored) {
            Ok(Some(found)) => found,
            Ok(None) => return "none".into(),
            Err(Fault::Malformed(text)) => return text.into(),
            Err(Fault::Stopped(())) => return "stopped".into(),
        };
        let captures = found.captures.iter().map(|capture| match *capture {
            Capture::Range(start, end) => format!(" {}", &subject[start..end]),
            Capture::Position(at) => format!(" @{at}"),
        });
        subject[found.start..found.end].to_string() + &captures.collect::<String>()
    }

    #[test]
    fn patterns_match_as_in_lua() {
        for (subject, pattern, expected) in [
            ("hello world", "o w", "o w"),
            ("hello", "l+", "ll"),
            ("hello", "l-o", "llo"),
            ("hello", "^ell", "none"),
            ("hello", "lo$", "lo"),
            ("a$b", "$b", "$b"),
            ("key = value", "(%w+)%s*=%s*(%w+)", "key = value key value"),
            ("x", "()x()", "x @0 @1"),
            ("f(a(b)c)d", "%b()", "(a(b)c)"),
            ("THE (quick) fox", "%f[%a]%a+%f[%A]", "THE"),
            ("abab", "(ab)%1", "abab ab"),
            ("a]c", "[]]", "]"),
            ("a-c", "[a-]+", "a-"),
            ("b", "[^a-c]", "none"),
            ("colour", "colou?r", "colour"),
            ("", ".*", ""),
            ("x", "%", "malformed pattern (ends with '%')"),
            ("x", "[x", "malformed pattern (missing ']')"),
            ("x", "[%", "malformed pattern (missing ']')"),
            ("x", "(x", "unfinished capture"),
            ("x", "x)", "invalid pattern capture"),
            ("x", "%1", "invalid capture index"),
            ("x", "%0", "invalid capture index"),
            ("x", "%b(", "unbalanced pattern"),
            ("x", "%fx", "missing '[' after '%f' in pattern"),
        ] {
            assert_eq!(found(subject, pattern), expected, "{subject} {pattern}");
        }
    }

    #[test]
    fn deep_patterns_are_refused() {
        assert_eq!(found("x", &"(".repeat(40)), "too many captures");
        assert_eq!(found(&"x".repeat(300), &"x?".repeat(300)), "pattern too complex");
    }

    #[test]
    fn endless_matching_is_stopped() {
        let (subject, pattern) = ("a".repeat(1000), "a*".repeat(50) + "b");
        let steps = std::cell::Cell::new(0);
        let report = |count| {
            steps.set(steps.get() + count);
            if steps.get() > 100_000 {
                Err(())
            } else {
                Ok(())
            }
        };
        let mut matcher = Matcher::new(subject.as_bytes(), pattern.as_bytes(), &report);
        assert!(matches!(matcher.search(0, false), Err(Fault::Stopped(()))));
    }
}
