//! Encodes commands as RESP arrays, back to back in one buffer.

use std::fmt::Display;
use std::io::Write;

/// A buffer of commands.
#[derive(Default)]
pub struct Requests {
    bytes: Vec<u8>,
    word: Vec<u8>,
}

impl Requests {
    /// Begins a command of so many words, which have to follow.
    pub fn begin(&mut self, count: usize) {
        self.push_header(b'*', count);
    }

    /// Appends a word.
    pub fn text(&mut self, word: &str) {
        self.push_header(b'$', word.len());
        self.bytes.extend_from_slice(word.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Appends a word that is formatted.
    pub fn value(&mut self, value: impl Display) {
        self.word.clear();
        // A vector takes all bytes.
        let _ = write!(self.word, "{value}");
        self.push_header(b'$', self.word.len());
        self.bytes.extend_from_slice(&self.word);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Appends a command whose words are given.
    pub fn command(&mut self, words: &[&str]) {
        self.begin(words.len());
        for word in words {
            self.text(word);
        }
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes all commands; the memory stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    fn push_header(&mut self, kind: u8, count: usize) {
        self.bytes.push(kind);
        // A vector takes all bytes.
        let _ = write!(self.bytes, "{count}\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::Requests;

    #[test]
    fn commands_are_arrays_of_bulk_strings() {
        let mut requests = Requests::default();
        requests.command(&["GET", "é"]);
        requests.begin(1);
        requests.value(format_args!("{:.5}", -1.5));
        assert_eq!(
            requests.bytes(),
            "*2\r\n$3\r\nGET\r\n$2\r\né\r\n*1\r\n$8\r\n-1.50000\r\n".as_bytes()
        );
        requests.clear();
        assert!(requests.bytes().is_empty());
    }
}
