//! Paths that build a value: `{a,"n":b.c}`, `[a,b.c]` and `!literal`.

use super::read::{Part, Reader};
use super::walk::group_end;
use crate::json::{is_valid, write_full};

/// One item between the brackets of such a path.
struct Item<'p> {
    name: Option<&'p [u8]>,
    path: &'p [u8],
}

/// Returns the object or array that the path describes, without the items that aren't found, and
/// the length of its description.
pub fn build(reader: &mut Reader, part: Part, path: &[u8]) -> Option<(Vec<u8>, usize)> {
    let is_object = path.first() == Some(&b'{');
    let end = group_end(path, 0)?;
    let mut out = vec![path[0]];
    for item in items(&path[1..end - 1]) {
        let Some(found) = reader.find(part, item.path) else { continue };
        reader.spend(0, found.raw.len().saturating_add(item.path.len()))?;
        if out.len() > 1 {
            out.push(b',');
        }
        if is_object {
            write_name(&mut out, &item);
            out.push(b':');
        }
        out.extend_from_slice(&found.raw);
    }
    out.push(if is_object { b'}' } else { b']' });
    Some((out, end))
}

/// Returns the text of `!literal`, which ends with its bracket or quote, or at a pipe, and the
/// length with the mark.
pub fn literal(path: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = match path.get(1)? {
        b'{' | b'[' | b'(' | b'"' => group_end(path, 1)?,
        _ => path.iter().position(|byte| *byte == b'|').unwrap_or(path.len()),
    };
    Some((path[1..end].to_vec(), end))
}

/// Splits at commas, and at the colon after a name; groups in brackets or quotes stay together.
fn items(text: &[u8]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut at = 0;
    let (mut start, mut name, mut is_argument_next) = (0, None, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'(' | b'[' | b'{' | b'"' => {
                at = group_end(text, at).unwrap_or(text.len());
                continue;
            }
            // The colon after a modifier's name begins its argument.
            b'@' if at == start || matches!(text[at - 1], b'.' | b'|') => is_argument_next = true,
            b':' if !is_argument_next && name.is_none() => {
                name = Some(&text[start..at]);
                start = at + 1;
            }
            b',' => {
                items.push(Item { name, path: &text[start..at] });
                (start, name, is_argument_next) = (at + 1, None, false);
            }
            _ => {}
        }
        at += 1;
    }
    if start < text.len() {
        items.push(Item { name, path: &text[start..] });
    }
    items.retain(|item| !item.path.is_empty());
    items
}

fn write_name(out: &mut Vec<u8>, item: &Item) {
    match item.name {
        Some(name) if name.first() == Some(&b'"') && is_valid(name) => out.extend_from_slice(name),
        Some(name) => write_full(out, name),
        None => write_full(out, last_part(item.path)),
    }
}

/// Returns the last part of a path, which names the found value; `_` if it is no plain name.
fn last_part(path: &[u8]) -> &[u8] {
    let is_separator =
        |at: &usize| matches!(path[*at], b'.' | b'|') && (*at == 0 || path[*at - 1] != b'\\');
    let start = (0..path.len()).rev().find(is_separator).map_or(0, |at| at + 1);
    let last = &path[start..];
    let is_plain = |byte: &u8| {
        *byte >= b' '
            && !matches!(byte, b'[' | b']' | b'{' | b'}' | b'(' | b')' | b'#' | b'|' | b'!')
    };
    if last.iter().all(is_plain) {
        last
    } else {
        b"_"
    }
}
