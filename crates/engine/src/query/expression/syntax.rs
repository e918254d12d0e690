//! Translates regular expressions from RE2's syntax to that of the `regex` crate, where the two
//! differ. Perl classes are ASCII in RE2, and many characters that the crate reserves are literal
//! there.

/// Translates a pattern; a malformed one stays malformed.
pub fn translate(pattern: &str) -> String {
    let mut translator = Translator { rest: pattern, out: String::with_capacity(pattern.len()) };
    while let Some(first) = translator.take() {
        match first {
            '\\' => translator.escape(false),
            '[' => translator.class(),
            '{' => translator.brace(),
            other => translator.out.push(other),
        }
    }
    translator.out
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
}

impl Translator<'_> {
    fn take(&mut self) -> Option<char> {
        let first = self.rest.chars().next()?;
        self.rest = &self.rest[first.len_utf8()..];
        Some(first)
    }

    /// Translates an escape, whose backslash was read.
    fn escape(&mut self, is_in_class: bool) {
        let Some(escaped) = self.take() else {
            self.out.push('\\');
            return;
        };
        let (members, is_negated) = match escaped {
            'd' => ("0-9", false),
            'D' => ("0-9", true),
            'w' => ("0-9A-Za-z_", false),
            'W' => ("0-9A-Za-z_", true),
            's' => ("\\t\\n\\x0C\\r ", false),
            'S' => ("\\t\\n\\x0C\\r ", true),
            'b' | 'B' if !is_in_class => {
                self.out.push_str(if escaped == 'b' { "(?-u:\\b)" } else { "(?-u:\\B)" });
                return;
            }
            'Q' if !is_in_class => {
                self.quote();
                return;
            }
            '<' | '>' => {
                self.out.push(escaped);
                return;
            }
            other => {
                self.out.push('\\');
                self.out.push(other);
                self.braced_name(other);
                return;
            }
        };
        match (is_in_class, is_negated) {
            (true, false) => self.out.push_str(members),
            (_, true) => self.out.extend(["[^", members, "]"]),
            (false, false) => self.out.extend(["[", members, "]"]),
        }
    }

    /// Copies the braces after `\p`, `\P` and `\x`, which are no repetition.
    fn braced_name(&mut self, escaped: char) {
        if !matches!(escaped, 'p' | 'P' | 'x') || !self.rest.starts_with('{') {
            return;
        }
        let length = self.rest.find('}').map_or(self.rest.len(), |end| end + 1);
        self.out.push_str(&self.rest[..length]);
        self.rest = &self.rest[length..];
    }

    /// Translates `\Q…\E`, whose content is literal.
    fn quote(&mut self) {
        let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.out.push_str(&regex::escape(literal));
        self.rest = rest;
    }

    /// Translates a brace, which is literal unless it opens a repetition.
    fn brace(&mut self) {
        let count = self.rest.split_once('}').map_or("", |(count, _)| count);
        let (least, most) = count.split_once(',').unwrap_or((count, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_repetition = !least.is_empty() && is_number(least) && is_number(most);
        self.out.push_str(if is_repetition { "{" } else { "\\{" });
    }

    /// Translates a class: its brackets, `&`, `~` and doubled `-` have a meaning only in the crate.
    fn class(&mut self) {
        self.out.push('[');
        if self.rest.starts_with('^') {
            self.take();
            self.out.push('^');
        }
        let mut is_first = true;
        while let Some(member) = self.take() {
            match member {
                ']' if !is_first => {
                    self.out.push(']');
                    return;
                }
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => {
                    let length = self.rest.find(":]").map_or(0, |start| start + 2);
                    self.out.push('[');
                    self.out.push_str(&self.rest[..length]);
                    self.rest = &self.rest[length..];
                }
                '\\' => self.escape(true),
                '[' | ']' | '&' | '~' => {
                    self.out.push('\\');
                    self.out.push(member);
                }
                '-' if is_first || self.rest.starts_with(']') => self.out.push_str("\\-"),
                other => self.out.push(other),
            }
            is_first = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_rewritten() {
        for (pattern, expected) in [
            (r"\d+\D", "[0-9]+[^0-9]"),
            (r"[\d.]", "[0-9.]"),
            (r"\bx", r"(?-u:\b)x"),
            (r"a{2}b{,3}{x}", r"a{2}b\{,3}\{x}"),
            (r"[[a&&b]", r"[\[a\&\&b]"),
            (r"[[:alpha:]_]", "[[:alpha:]_]"),
            (r"[]a-]", r"[\]a\-]"),
            (r"\Qa.b\E.", r"a\.b."),
            (r"\<a\>", "<a>"),
            (r"\p{Greek}\x{10FFFF}\pL", r"\p{Greek}\x{10FFFF}\pL"),
            ("é.x", "é.x"),
            ("\\", "\\"),
            ("[", "["),
        ] {
            assert_eq!(translate(pattern), expected, "{pattern}");
        }
    }
}
