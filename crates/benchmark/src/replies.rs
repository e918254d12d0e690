//! Counts RESP replies in received bytes without keeping them, so that memory doesn't grow with
//! their size. Finds errors, in RESP and in Tile38's JSON.

use std::io;

/// An error's text is kept up to this size, and no line may be longer than `LINE_BYTES_MAX`.
const ERROR_BYTES_MAX: usize = 200;
const LINE_BYTES_MAX: usize = 64 * 1024;
const JSON_ERROR: &[u8] = b"{\"ok\":false";
const MISSING: [&[u8]; 2] = [b",\"err\":\"id not found\"", b",\"err\":\"key not found\""];

/// A reader of replies that arrive in pieces.
#[derive(Default)]
pub struct Replies {
    /// The received part of an incomplete line.
    line: Vec<u8>,
    /// Bytes of a bulk string, and its line end, that are to be skipped.
    skipped_left: usize,
    /// Values that belong to the present reply and are still to come.
    values_left: usize,
    is_error: bool,
    /// The head of the present bulk string, as far as it tells JSON's errors apart.
    head: Vec<u8>,
    /// The first error's text.
    pub first_error: Option<String>,
    /// Replies so far.
    pub count: u64,
    /// Error replies among them.
    pub error_count: u64,
}

impl Replies {
    /// Reads a piece. Fails if it isn't RESP.
    pub fn feed(&mut self, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            if self.skipped_left > 0 {
                data = self.skip(data);
                continue;
            }
            let Some(end) = data.iter().position(|&byte| byte == b'\n') else {
                self.line.extend_from_slice(data);
                if self.line.len() > LINE_BYTES_MAX {
                    return Err(invalid());
                }
                return Ok(());
            };
            let (line, rest) = data.split_at(end + 1);
            data = rest;
            if self.line.is_empty() {
                self.value(line)?;
            } else {
                self.line.extend_from_slice(line);
                let line = std::mem::take(&mut self.line);
                self.value(&line)?;
            }
        }
        Ok(())
    }

    fn skip<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let size = data.len().min(self.skipped_left);
        let (skipped, rest) = data.split_at(size);
        let missing = ERROR_BYTES_MAX.saturating_sub(self.head.len()).min(size);
        if self.values_left == 1 && missing > 0 {
            self.head.extend_from_slice(&skipped[..missing]);
        }
        self.skipped_left -= size;
        if self.skipped_left == 0 {
            let head = std::mem::take(&mut self.head);
            if head.starts_with(JSON_ERROR) && !is_missing(&head) {
                self.note_error(&head);
            }
            self.head = head;
            self.head.clear();
            self.finish_value();
        }
        rest
    }

    fn value(&mut self, line: &[u8]) -> io::Result<()> {
        let text = line.strip_suffix(b"\r\n").ok_or_else(invalid)?;
        let (&kind, text) = text.split_first().ok_or_else(invalid)?;
        if self.values_left == 0 {
            self.values_left = 1;
        }
        match kind {
            b'-' => self.note_error(text),
            b'$' => {
                if let Some(size) = size(text)? {
                    self.skipped_left = size.checked_add(2).ok_or_else(invalid)?;
                    return Ok(());
                }
            }
            b'*' | b'%' | b'~' | b'>' => {
                let count = size(text)?.unwrap_or(0);
                let values = if kind == b'%' { count.checked_mul(2) } else { Some(count) };
                let left = values.and_then(|values| self.values_left.checked_add(values));
                self.values_left = left.ok_or_else(invalid)?;
            }
            b'+' | b':' | b'_' | b'#' | b',' => {}
            _ => return Err(invalid()),
        }
        self.finish_value();
        Ok(())
    }

    fn note_error(&mut self, text: &[u8]) {
        self.is_error = true;
        if self.first_error.is_none() {
            let text = &text[..text.len().min(ERROR_BYTES_MAX)];
            self.first_error = Some(String::from_utf8_lossy(text).trim_end().to_owned());
        }
    }

    fn finish_value(&mut self) {
        self.values_left -= 1;
        if self.values_left == 0 {
            self.count += 1;
            self.error_count += u64::from(self.is_error);
            self.is_error = false;
        }
    }
}

/// Returns whether an error says that there is no such object, for which RESP has nil.
fn is_missing(json: &[u8]) -> bool {
    MISSING
        .iter()
        .any(|text| json.get(JSON_ERROR.len()..).is_some_and(|rest| rest.starts_with(text)))
}

/// Parses a size or a count, `None` for -1.
fn size(text: &[u8]) -> io::Result<Option<usize>> {
    if text == b"-1" {
        return Ok(None);
    }
    let text = std::str::from_utf8(text).map_err(|_| invalid())?;
    text.parse().map(Some).map_err(|_| invalid())
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the reply isn't RESP")
}

#[cfg(test)]
mod tests {
    use super::Replies;

    const STREAM: &[u8] = b"+OK\r\n:5\r\n$5\r\na\r\nbc\r\n*2\r\n:0\r\n*2\r\n$1\r\na\r\n$-1\r\n\
        -ERR no\r\n*0\r\n*-1\r\n$31\r\n{\"ok\":false,\"err\":\"unknown id\"}\r\n$11\r\n\
        {\"ok\":true}\r\n";

    #[test]
    fn replies_are_counted_wherever_the_pieces_end() {
        for size in 1..STREAM.len() {
            let mut replies = Replies::default();
            for piece in STREAM.chunks(size) {
                replies.feed(piece).unwrap();
            }
            assert_eq!((replies.count, replies.error_count), (9, 2), "pieces of {size}");
            assert_eq!(replies.first_error.as_deref(), Some("ERR no"));
        }
    }

    #[test]
    fn an_error_within_an_array_makes_one_error_reply() {
        let mut replies = Replies::default();
        replies.feed(b"*2\r\n-ERR a\r\n-ERR b\r\n+OK\r\n").unwrap();
        assert_eq!((replies.count, replies.error_count), (2, 1));
    }

    #[test]
    fn an_error_in_json_keeps_its_text() {
        let mut replies = Replies::default();
        replies.feed(b"$31\r\n{\"ok\":false,\"err\":\"unknown id\"}\r\n").unwrap();
        assert_eq!(replies.first_error.as_deref(), Some("{\"ok\":false,\"err\":\"unknown id\"}"));
    }

    #[test]
    fn a_missing_object_is_no_error_in_json_as_it_is_none_in_resp() {
        let mut replies = Replies::default();
        replies.feed(b"$33\r\n{\"ok\":false,\"err\":\"id not found\"}\r\n").unwrap();
        assert_eq!((replies.count, replies.error_count), (1, 0));
    }

    #[test]
    fn bytes_that_are_not_resp_are_refused() {
        for data in [&b"HTTP/1.1 200 OK\r\n"[..], b"$x\r\n", b"$-2\r\n", b"+OK\n", b"\r\n"] {
            assert!(Replies::default().feed(data).is_err(), "{data:?}");
        }
        assert!(Replies::default().feed(&vec![b'+'; 70_000]).is_err());
    }
}
