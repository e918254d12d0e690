//! How a log keeps the writes of a transaction together: the names of all its commands but the last
//! are written in lower case with a capital as their last letter (`seT`, `fseT`, `deL`).
//!
//! So a log that ends within a transaction shows it, and none of its writes is run. Tile38 ignores
//! the case of names and keeps it in its own log, so that it reads such a log as any other.

use crate::reply::write_command;
use crate::request::{parse_log, Args, Arguments, Parsed};

/// Returns whether the log continues the transaction of the command with this name.
#[inline]
pub fn is_continued(name: &[u8]) -> bool {
    match name.split_last() {
        Some((last, first @ [_, ..])) => {
            last.is_ascii_uppercase() && first.iter().all(u8::is_ascii_lowercase)
        }
        _ => false,
    }
}

/// The end of a transaction in a piece of a log.
pub enum End {
    /// The bytes up to there are the transaction, or are to be run until an error in them.
    At(usize),
    /// The end isn't there. So many bytes are complete commands.
    Missing {
        /// From where the search can go on when there are more bytes.
        scanned: usize,
    },
}

/// Finds the end of the transaction at the start of the bytes, of which so many are complete
/// commands that the transaction continues.
pub fn find_end(bytes: &[u8], scanned: usize) -> End {
    let mut arguments = Arguments::default();
    let mut position = scanned.min(bytes.len());
    loop {
        let rest = &bytes[position..];
        match parse_log(rest, &mut arguments) {
            Parsed::Request { end, .. } => {
                position += end;
                if !is_continued(arguments.view(rest).at(0)) {
                    return End::At(position);
                }
            }
            Parsed::Malformed(_) => return End::At(position),
            Parsed::Incomplete { .. } | Parsed::Http => return End::Missing { scanned: position },
        }
    }
}

/// Appends a command that belongs to no transaction.
pub fn write_single(args: Args, log: &mut Vec<u8>) {
    let start = log.len();
    args.write_resp(log);
    let name = name_range(&log[start..], args.at(0));
    unmark(&mut log[start..][name]);
}

/// The log bytes of one transaction.
#[derive(Debug, Default)]
pub struct TransactionLog {
    bytes: Vec<u8>,
    /// Where the name of each command stands in the bytes.
    names: Vec<std::ops::Range<usize>>,
}

impl TransactionLog {
    /// Appends a command.
    pub fn push(&mut self, args: Args) {
        let start = self.bytes.len();
        args.write_resp(&mut self.bytes);
        let name = name_range(&self.bytes[start..], args.at(0));
        self.names.push(start + name.start..start + name.end);
    }

    /// Appends a command, given by its words.
    pub fn push_words(&mut self, words: &[&[u8]]) {
        let start = self.bytes.len();
        write_command(&mut self.bytes, words);
        let name = name_range(&self.bytes[start..], words[0]);
        self.names.push(start + name.start..start + name.end);
    }

    /// Returns whether there is no command.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Appends the commands of another log, which become part of this transaction.
    pub fn append(&mut self, other: &TransactionLog) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.names.extend(other.names.iter().map(|name| start + name.start..start + name.end));
    }

    /// Forgets all commands.
    pub fn clear(&mut self) {
        *self = TransactionLog::default();
    }

    /// Returns the bytes for the log, the commands marked as one transaction, and forgets them.
    pub fn take_marked(&mut self) -> Vec<u8> {
        let continued = self.names.len().saturating_sub(1);
        for name in &self.names[..continued] {
            let name = &mut self.bytes[name.clone()];
            name.make_ascii_lowercase();
            name[name.len() - 1].make_ascii_uppercase();
        }
        self.names.drain(..continued);
        self.take_single()
    }

    /// Returns the bytes for the log, with each command by itself, and forgets them.
    pub fn take_single(&mut self) -> Vec<u8> {
        let TransactionLog { mut bytes, names } = std::mem::take(self);
        for name in names {
            unmark(&mut bytes[name]);
        }
        bytes
    }
}

/// Spells a name so that it isn't taken for a mark.
fn unmark(name: &mut [u8]) {
    if is_continued(name) {
        name.make_ascii_lowercase();
    }
}

/// Returns where the name stands in a RESP array that begins with it.
fn name_range(array: &[u8], name: &[u8]) -> std::ops::Range<usize> {
    let mut newlines = array.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let start = newlines.nth(1).map_or(0, |(newline, _)| newline + 1);
    start..start + name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(log: &mut TransactionLog, words: &[&str]) {
        let mut arguments = Arguments::default();
        arguments.assign(words);
        log.push(arguments.view(&[]));
    }

    #[test]
    fn all_names_but_the_last_are_marked() {
        let mut log = TransactionLog::default();
        push(&mut log, &["SET", "k", "a", "STRING", "DEL"]);
        push(&mut log, &["fset", "k", "a", "f", "1"]);
        push(&mut log, &["deL", "k", "a"]);
        let text = String::from_utf8(log.take_marked()).unwrap();
        let names: Vec<_> =
            text.split("\r\n").filter(|word| is_continued(word.as_bytes())).collect();
        assert_eq!(names, ["seT", "fseT"]);
        assert!(text.ends_with("del\r\n$1\r\nk\r\n$1\r\na\r\n"));
        assert!(log.take_marked().is_empty());
    }

    #[test]
    fn only_one_spelling_is_a_mark() {
        for name in ["seT", "fseT", "pdelhooK", "aB"] {
            assert!(is_continued(name.as_bytes()), "{name}");
        }
        for name in ["", "T", "set", "SET", "SeT", "sET", "se1T", "se-T"] {
            assert!(!is_continued(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_single_command_is_never_marked() {
        let mut arguments = Arguments::default();
        arguments.assign(&["seT", "k", "a", "STRING", "seT"]);
        let mut log = b"+".to_vec();
        write_single(arguments.view(&[]), &mut log);
        assert_eq!(log, b"+*5\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\na\r\n$6\r\nSTRING\r\n$3\r\nseT\r\n");
    }
}
