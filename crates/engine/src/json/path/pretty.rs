//! The modifier `@pretty`: one member or element a line, short arrays on one line.

use super::modifier::{elements_of, is_set, members_of};
use super::read::{whole, Reader};
use super::walk::content_of;
use crate::json::DEPTH_MAX;

/// The options in the argument of `@pretty`.
#[derive(Debug)]
pub struct Style {
    is_sorted: bool,
    indent: Vec<u8>,
    prefix: Vec<u8>,
    width: usize,
}

impl Style {
    /// Reads the argument, a JSON object.
    pub fn parse(argument: &[u8]) -> Self {
        let mut style = Self {
            is_sorted: is_set(argument, b"sortKeys"),
            indent: b"  ".to_vec(),
            prefix: Vec::new(),
            width: 80,
        };
        for member in members_of(argument) {
            let value = &argument[member.value];
            match &*content_of(&argument[member.name]) {
                b"indent" => style.indent = content_of(value).into_owned(),
                b"prefix" => style.prefix = content_of(value).into_owned(),
                b"width" => style.width = super::number_of(value) as usize,
                _ => {}
            }
        }
        style
    }
}

/// Returns the formatted text with a final line end; `None` if it exceeds the budget.
pub fn pretty(reader: &mut Reader, text: &[u8], style: &Style) -> Option<Vec<u8>> {
    let mut printer = Printer { reader, style, out: style.prefix.clone(), line_start: 0 };
    printer.value(whole(text), 0)?;
    let mut out = printer.out;
    out.push(b'\n');
    Some(out)
}

struct Printer<'r, 's> {
    reader: &'r mut Reader,
    style: &'s Style,
    out: Vec<u8>,
    line_start: usize,
}

impl Printer<'_, '_> {
    fn value(&mut self, raw: &[u8], depth: usize) -> Option<()> {
        self.reader.spend(raw.len(), 0)?;
        match raw.first() {
            Some(b'{') if depth < DEPTH_MAX => self.object(raw, depth),
            Some(b'[') if depth < DEPTH_MAX => self.array(raw, depth),
            _ => {
                self.out.extend_from_slice(raw);
                Some(())
            }
        }
    }

    fn object(&mut self, raw: &[u8], depth: usize) -> Option<()> {
        let mut members: Vec<_> = members_of(raw).collect();
        if self.style.is_sorted {
            members.sort_by(|a, b| {
                content_of(&raw[a.name.clone()]).cmp(&content_of(&raw[b.name.clone()]))
            });
        }
        self.out.push(b'{');
        for (index, member) in members.iter().enumerate() {
            self.line(index, depth + 1)?;
            self.out.extend_from_slice(&raw[member.name.clone()]);
            self.out.extend_from_slice(b": ");
            self.value(&raw[member.value.clone()], depth + 1)?;
        }
        if !members.is_empty() {
            self.line(0, depth)?;
        }
        self.out.push(b'}');
        Some(())
    }

    fn array(&mut self, raw: &[u8], depth: usize) -> Option<()> {
        let column = self.out.len() - self.line_start;
        if let Some(line) = one_line(raw, self.style.width.saturating_sub(column)) {
            self.out.extend_from_slice(&line);
            return Some(());
        }
        self.out.push(b'[');
        let mut is_empty = true;
        for (index, element) in elements_of(raw).enumerate() {
            is_empty = false;
            self.line(index, depth + 1)?;
            self.value(&raw[element], depth + 1)?;
        }
        if !is_empty {
            self.line(0, depth)?;
        }
        self.out.push(b']');
        Some(())
    }

    /// Begins a line; a comma ends the one before it, unless this is the first of its container.
    fn line(&mut self, index: usize, depth: usize) -> Option<()> {
        let indent = self.style.indent.len().saturating_mul(depth);
        self.reader.spend(0, indent.saturating_add(self.style.prefix.len()))?;
        if index > 0 {
            self.out.push(b',');
        }
        self.out.push(b'\n');
        self.line_start = self.out.len();
        self.out.extend_from_slice(&self.style.prefix);
        for _ in 0..depth {
            self.out.extend_from_slice(&self.style.indent);
        }
        Some(())
    }
}

/// Returns an array on one line; `None` if it contains an object with members or exceeds the width.
fn one_line(raw: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut line = vec![b'['];
    let mut open = vec![(elements_of(raw), raw, true)];
    while let Some((elements, text, is_first)) = open.last_mut() {
        let text = *text;
        let Some(place) = elements.next() else {
            line.push(b']');
            open.pop();
            continue;
        };
        if !std::mem::replace(is_first, false) {
            line.extend_from_slice(b", ");
        }
        let element = &text[place];
        match element.first() {
            Some(b'{') if members_of(element).next().is_some() => return None,
            Some(b'{') => line.extend_from_slice(b"{}"),
            Some(b'[') => {
                line.push(b'[');
                open.push((elements_of(element), element, true));
            }
            _ => line.extend_from_slice(element),
        }
        if line.len() > width {
            return None;
        }
    }
    (line.len() <= width).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::super::get;

    fn pretty(text: &str, argument: &str) -> String {
        let path = format!("@pretty{argument}");
        let found = get(text.as_bytes(), path.as_bytes()).unwrap();
        String::from_utf8(found.raw.into_owned()).unwrap()
    }

    #[test]
    fn members_have_lines_and_short_arrays_one() {
        let text = r#"{"b":[1,"x",[2]],"a":[{"c":1}],"e":{},"d":[]}"#;
        let expected =
            "{\n  \"b\": [1, \"x\", [2]],\n  \"a\": [\n    {\n      \"c\": 1\n    }\n  ],\n  \
                        \"e\": {},\n  \"d\": []\n}\n";
        assert_eq!(pretty(text, ""), expected);
    }

    #[test]
    fn the_style_can_be_chosen() {
        let text = r#"{"b":[1,2],"a":1}"#;
        let argument = r#":{"sortKeys":true,"indent":"\t","prefix":"> ","width":5}"#;
        let expected = "> {\n> \t\"a\": 1,\n> \t\"b\": [\n> \t\t1,\n> \t\t2\n> \t]\n> }\n";
        // A text with the prefix isn't JSON any more, so only a string shows it.
        let found = get(text.as_bytes(), format!("@pretty{argument}|@tostr").as_bytes());
        assert_eq!(&*found.unwrap().plain(), expected.as_bytes());
        assert!(get(text.as_bytes(), format!("@pretty{argument}").as_bytes()).is_none());
    }
}
