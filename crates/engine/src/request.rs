//! Parsing of requests: RESP arrays, inline lines and Tile38's native lines are split into
//! arguments. Knows no command.

use std::ops::Range;

use crate::reply::Framing;

/// The most bytes of an argument.
pub const ARGUMENT_BYTES_MAX: usize = 512 * 1024 * 1024;
/// The most bytes of a request, which is buffered until it is complete.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// The most arguments of one request.
pub const ARGUMENTS_MAX: usize = 1024 * 1024;
/// The most bytes of an inline request, or of the first line of an HTTP request.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;

/// The result of parsing the start of the received bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A complete request, whose arguments are in the [`Arguments`]. It may have none.
    Request {
        /// The protocol of the request.
        framing: Framing,
        /// The position after the request.
        end: usize,
    },
    /// The start of a request. Parsing again makes no sense before `needed` bytes have arrived.
    Incomplete {
        /// The least length of the request, in bytes from its start.
        needed: usize,
    },
    /// The start of an HTTP request.
    Http,
    /// A malformed request, with the text of the protocol error.
    Malformed(Vec<u8>),
}

/// Arguments for which memory is retained between requests.
const RETAINED_ARGUMENTS: usize = 64;

/// Bytes of unescaped arguments for which memory is retained between requests.
const RETAINED_BYTES: usize = 4096;

/// The buffer of one request's arguments: ranges in the request's bytes, or in unescaped copies.
#[derive(Debug, Default)]
pub struct Arguments {
    ranges: Vec<Range<usize>>,
    unescaped: Vec<u8>,
    is_unescaped: bool,
}

/// The arguments of a request, as slices.
#[derive(Clone, Copy, Default)]
pub struct Args<'a> {
    bytes: &'a [u8],
    ranges: &'a [Range<usize>],
}

impl Arguments {
    /// Returns the arguments, given the bytes that were parsed.
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> Args<'a> {
        let bytes = if self.is_unescaped { &self.unescaped } else { bytes };
        Args { bytes, ranges: &self.ranges }
    }

    /// Frees the memory that a large request took, and forgets the arguments.
    pub fn release_memory(&mut self) {
        self.ranges.clear();
        self.ranges.shrink_to(RETAINED_ARGUMENTS);
        self.unescaped.clear();
        self.unescaped.shrink_to(RETAINED_BYTES);
    }

    /// Returns where the arguments are in the bytes that were parsed; `None` if they are copies.
    pub(crate) fn ranges_in_bytes(&self) -> Option<&[Range<usize>]> {
        (!self.is_unescaped).then_some(&self.ranges)
    }

    /// Replaces the arguments by copies of these words.
    pub fn assign<T: AsRef<[u8]>>(&mut self, words: &[T]) {
        self.start_copies();
        for word in words {
            self.push_copy(word.as_ref());
        }
    }

    /// Returns the number of arguments.
    pub(crate) fn count(&self) -> usize {
        self.ranges.len()
    }

    /// Returns the bytes of the arguments that are copies.
    pub(crate) fn copied_bytes(&self) -> usize {
        self.unescaped.len()
    }

    /// Forgets the arguments. Copies of words follow, one by one.
    pub(crate) fn start_copies(&mut self) {
        self.start(true);
    }

    fn start(&mut self, is_unescaped: bool) {
        self.ranges.clear();
        self.unescaped.clear();
        self.is_unescaped = is_unescaped;
    }

    /// Appends a copy of a word.
    pub(crate) fn push_copy(&mut self, word: &[u8]) {
        let start = self.unescaped.len();
        self.unescaped.extend_from_slice(word);
        self.ranges.push(start..self.unescaped.len());
    }
}

impl<'a> Args<'a> {
    /// Returns the arguments at these ranges of the bytes.
    pub(crate) fn new(bytes: &'a [u8], ranges: &'a [Range<usize>]) -> Self {
        Args { bytes, ranges }
    }

    /// Returns the number of arguments.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Returns whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns the argument at a position.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.ranges.get(index).map(|range| &self.bytes[range.clone()])
    }

    /// Returns the argument at a position, or an empty text if there is none.
    pub fn at(&self, index: usize) -> &'a [u8] {
        self.get(index).unwrap_or_default()
    }

    /// Returns all arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        self.ranges.iter().map(move |range| &bytes[range.clone()])
    }

    /// Returns the arguments after the first `count`.
    #[must_use]
    pub fn skip(&self, count: usize) -> Args<'a> {
        Args { bytes: self.bytes, ranges: self.ranges.get(count..).unwrap_or_default() }
    }

    /// Returns the arguments at these positions.
    #[must_use]
    pub fn slice(&self, positions: Range<usize>) -> Args<'a> {
        Args { bytes: self.bytes, ranges: self.ranges.get(positions).unwrap_or_default() }
    }

    /// Appends the arguments as a RESP array of bulk strings.
    pub fn write_resp(&self, out: &mut Vec<u8>) {
        crate::reply::write_header(out, b'*', self.len());
        for word in self.iter() {
            crate::reply::write_bulk(out, word);
        }
    }
}

/// Parses the request at the start of the bytes. The first byte decides which protocol it is.
pub fn parse(bytes: &[u8], arguments: &mut Arguments) -> Parsed {
    match bytes.first() {
        None => Parsed::Incomplete { needed: 1 },
        Some(b'*') => parse_resp(bytes, arguments),
        Some(b'$') => parse_native(bytes, arguments),
        Some(b'G' | b'P' | b'O') => match http_or_line(bytes) {
            Line::Http => Parsed::Http,
            Line::Partial => incomplete_line(bytes),
            Line::Other => parse_inline(bytes, arguments),
        },
        // Refused with a status that HTTP clients understand.
        Some(b'H' | b'D') if is_refused_method(bytes) => Parsed::Http,
        Some(_) => parse_inline(bytes, arguments),
    }
}

/// Parses as [`parse`] does, for a log: it has no HTTP requests, and a line may end with a bare LF.
pub fn parse_log(bytes: &[u8], arguments: &mut Arguments) -> Parsed {
    match bytes.first() {
        Some(b'G' | b'P' | b'O') => parse_inline(bytes, arguments),
        _ => parse(bytes, arguments),
    }
}

enum Line {
    Http,
    Partial,
    Other,
}

/// Returns whether the first line is HTTP. A line that could be is buffered until its CRLF.
fn http_or_line(bytes: &[u8]) -> Line {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n") else { return Line::Partial };
    let line = &bytes[..end];
    let is_http = line.len() > 9 && line[..line.len() - 3].ends_with(b" HTTP/");
    if is_http {
        Line::Http
    } else {
        Line::Other
    }
}

/// Returns whether the first line is HTTP with a method that no command begins with.
fn is_refused_method(bytes: &[u8]) -> bool {
    let has_method = bytes.starts_with(b"HEAD /") || bytes.starts_with(b"DELETE /");
    has_method && matches!(http_or_line(bytes), Line::Http)
}

fn malformed(text: &str) -> Parsed {
    Parsed::Malformed(text.as_bytes().to_vec())
}

fn incomplete_line(bytes: &[u8]) -> Parsed {
    if bytes.len() > INLINE_BYTES_MAX {
        return malformed("too big inline request");
    }
    Parsed::Incomplete { needed: bytes.len() + 1 }
}

enum Number {
    Complete(usize, usize),
    Partial,
    Bad,
}

/// Reads digits up to CRLF; returns the number and the position after the CRLF. A value that
/// overflows becomes the largest one, which is above every limit.
fn read_number(bytes: &[u8], start: usize) -> Number {
    // Nearly all numbers have one or two digits.
    match bytes.get(start..) {
        Some([digit @ b'0'..=b'9', b'\r', b'\n', ..]) => {
            return Number::Complete((digit - b'0') as usize, start + 3);
        }
        Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9', b'\r', b'\n', ..]) => {
            let value = (tens - b'0') as usize * 10 + (ones - b'0') as usize;
            return Number::Complete(value, start + 4);
        }
        _ => {}
    }
    let mut value = 0_usize;
    let mut at = start;
    loop {
        match bytes.get(at) {
            Some(digit @ b'0'..=b'9') => {
                value = value.saturating_mul(10).saturating_add((digit - b'0') as usize);
            }
            Some(b'\r') if at > start => break,
            None if at - start <= 20 => return Number::Partial,
            _ => return Number::Bad,
        }
        at += 1;
        if at - start > 20 {
            return Number::Bad;
        }
    }
    match bytes.get(at + 1) {
        Some(b'\n') => Number::Complete(value, at + 2),
        None => Number::Partial,
        Some(_) => Number::Bad,
    }
}

fn parse_resp(bytes: &[u8], arguments: &mut Arguments) -> Parsed {
    arguments.start(false);
    let (count, mut at) = match read_number(bytes, 1) {
        Number::Complete(count, at) if count <= ARGUMENTS_MAX => (count, at),
        Number::Partial => return Parsed::Incomplete { needed: bytes.len() + 1 },
        _ => return malformed("invalid multibulk length"),
    };
    for _ in 0..count {
        match bytes.get(at) {
            Some(b'$') => {}
            None => return Parsed::Incomplete { needed: at + 1 },
            Some(other) => {
                // The text has to stay on one line, in the reply and in the server's log.
                let printable = if *other < b' ' { ' ' } else { char::from(*other) };
                return malformed(&format!("expected '$', got '{printable}'"));
            }
        }
        let (length, start) = match read_number(bytes, at + 1) {
            Number::Complete(length, start) if length <= ARGUMENT_BYTES_MAX => (length, start),
            Number::Partial => return Parsed::Incomplete { needed: bytes.len() + 1 },
            _ => return malformed("invalid bulk length"),
        };
        let end = start + length;
        match bytes.get(end..end + 2) {
            Some(b"\r\n") => {}
            None if end > REQUEST_BYTES_MAX => return malformed("invalid bulk length"),
            None => return Parsed::Incomplete { needed: end + 2 },
            Some(_) => return malformed("invalid bulk length"),
        }
        arguments.ranges.push(start..end);
        at = end + 2;
    }
    Parsed::Request { framing: Framing::Resp, end: at }
}

fn parse_native(bytes: &[u8], arguments: &mut Arguments) -> Parsed {
    let digits = bytes[1..].iter().take(21).take_while(|byte| byte.is_ascii_digit()).count();
    let length = match bytes.get(1 + digits) {
        Some(b' ') if digits > 0 => crate::number::parse_uint(&bytes[1..=digits]),
        None if digits <= 20 => return Parsed::Incomplete { needed: bytes.len() + 1 },
        _ => return malformed("invalid message"),
    };
    let length = match length.and_then(|length| usize::try_from(length).ok()) {
        Some(length) if length <= ARGUMENT_BYTES_MAX => length,
        _ => return malformed("invalid message"),
    };
    let start = digits + 2;
    let end = start + length;
    match bytes.get(end..end + 2) {
        Some(b"\r\n") => {}
        None => return Parsed::Incomplete { needed: end + 2 },
        Some(_) => return malformed("invalid message"),
    }
    arguments.assign(&split_native(&bytes[start..end]));
    Parsed::Request { framing: Framing::Native, end: end + 2 }
}

/// Splits a native line, or the text of an HTTP request, at its spaces. Quotes have no meaning, but
/// a word that begins with `{` extends to the end, and so does a quoted text after `set … string`.
pub fn split_native(line: &[u8]) -> Vec<&[u8]> {
    let mut words: Vec<&[u8]> = Vec::new();
    let mut rest = line;
    loop {
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return words;
        }
        if rest[0] == b'{' {
            words.push(rest);
            return words;
        }
        let is_set = words.first().is_some_and(|word| word.eq_ignore_ascii_case(b"set"));
        let is_string = words.last().is_some_and(|word| word.eq_ignore_ascii_case(b"string"));
        if is_set && is_string && rest.len() > 1 && rest[0] == b'"' && rest.ends_with(b"\"") {
            words.push(&rest[1..rest.len() - 1]);
            return words;
        }
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
}

fn parse_inline(bytes: &[u8], arguments: &mut Arguments) -> Parsed {
    let Some(line_feed) = memchr::memchr(b'\n', bytes) else { return incomplete_line(bytes) };
    if line_feed > INLINE_BYTES_MAX {
        return malformed("too big inline request");
    }
    let line = &bytes[..line_feed];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    arguments.start(true);
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' => at += 1,
            quote @ (b'"' | b'\'') => match read_quoted(line, at + 1, quote, arguments) {
                Some(end) if matches!(line.get(end), None | Some(b' ')) => at = end,
                _ => return malformed("unbalanced quotes in request"),
            },
            _ => {
                let end = memchr::memchr(b' ', &line[at..]).map_or(line.len(), |n| at + n);
                if line[at..end].iter().any(|byte| matches!(byte, b'"' | b'\'')) {
                    return malformed("unbalanced quotes in request");
                }
                arguments.push_copy(&line[at..end]);
                at = end;
            }
        }
    }
    Parsed::Request { framing: Framing::Inline, end: line_feed + 1 }
}

/// Reads a quoted word; returns the position after its closing quote, `None` if there is none.
fn read_quoted(line: &[u8], start: usize, quote: u8, arguments: &mut Arguments) -> Option<usize> {
    let from = arguments.unescaped.len();
    let mut at = start;
    loop {
        match *line.get(at)? {
            byte if byte == quote => {
                arguments.ranges.push(from..arguments.unescaped.len());
                return Some(at + 1);
            }
            b'\\' => {
                let escaped = match *line.get(at + 1)? {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                };
                arguments.unescaped.push(escaped);
                at += 2;
            }
            byte => {
                arguments.unescaped.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut arguments = Arguments::default();
        match parse(bytes, &mut arguments) {
            Parsed::Request { end, .. } => assert_eq!(end, bytes.len()),
            other => panic!("{other:?}"),
        }
        arguments.view(bytes).iter().map(<[u8]>::to_vec).collect()
    }

    fn error(bytes: &[u8]) -> String {
        match parse(bytes, &mut Arguments::default()) {
            Parsed::Malformed(text) => String::from_utf8(text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arrays_inline_lines_and_native_lines_are_split_into_arguments() {
        assert_eq!(words(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n"), [&b"GET"[..], b""]);
        let expected = [&b"set"[..], b"k", b"a b", b"\nq", b"x"];
        assert_eq!(words(b"set k  'a b' \"\\n\\q\" x\r\n"), expected);
        assert_eq!(words(b"$4 PING\r\n"), [b"PING"]);
        let stored = words(b"$24 set k i STRING \"a b c d\"\r\n");
        assert_eq!(stored.last().unwrap(), b"a b c d");
        assert_eq!(words(b"$17 set k id string \"\r\n").last().unwrap(), b"\"");
        assert!(words(b"\r\n").is_empty());
    }

    #[test]
    fn every_proper_prefix_is_incomplete() {
        let array = &b"*2\r\n$3\r\nGET\r\n$2\r\nab\r\n"[..];
        for request in [array, b"$4 PING\r\n", b"ping 'a b'\r\n", b"GET / HTTP/1.1\r\n"] {
            for end in 0..request.len() - 1 {
                let parsed = parse(&request[..end], &mut Arguments::default());
                let is_incomplete = matches!(parsed, Parsed::Incomplete { needed } if needed > end);
                assert!(is_incomplete, "{parsed:?}");
            }
        }
    }

    #[test]
    fn malformed_requests_have_the_texts_of_tile38() {
        assert_eq!(error(b"*-1\r\n"), "invalid multibulk length");
        assert_eq!(error(b"*1\n"), "invalid multibulk length");
        assert_eq!(error(b"*99999999999999999999\r\n"), "invalid multibulk length");
        assert_eq!(error(b"*1\r\n+x\r\n"), "expected '$', got '+'");
        assert_eq!(error(b"*1\r\n\n"), "expected '$', got ' '");
        assert_eq!(error(b"*1\r\n\xff"), "expected '$', got '\u{ff}'");
        assert_eq!(error(b"*1\r\n$2\r\nabc\r\n"), "invalid bulk length");
        assert_eq!(error(b"*1\r\n$536870913\r\n"), "invalid bulk length");
        assert_eq!(error(b"$4 PINGxx\r\n"), "invalid message");
        assert_eq!(error(b"set a\"b\r\n"), "unbalanced quotes in request");
        assert_eq!(error(b"set 'a\r\n"), "unbalanced quotes in request");
    }

    #[test]
    fn a_request_that_will_be_too_large_is_refused_before_it_has_arrived() {
        let head = b"*2\r\n$536870912\r\n";
        let mut request = vec![0; head.len() + ARGUMENT_BYTES_MAX];
        request[..head.len()].copy_from_slice(head);
        request.extend_from_slice(b"\r\n$536870");
        assert!(matches!(parse(&request, &mut Arguments::default()), Parsed::Incomplete { .. }));
        request.extend_from_slice(b"000\r\n");
        assert!(matches!(parse(&request, &mut Arguments::default()), Parsed::Incomplete { .. }));
        request.truncate(request.len() - 5);
        request.extend_from_slice(b"912\r\n");
        assert_eq!(error(&request), "invalid bulk length");
    }

    #[test]
    fn http_requests_are_distinguished_from_inline_lines() {
        assert_eq!(parse(b"GET / HTTP/1.1\r\n", &mut Arguments::default()), Parsed::Http);
        assert_eq!(parse(b"HEAD / HTTP/1.1\r\n", &mut Arguments::default()), Parsed::Http);
        assert_eq!(words(b"HEAD /\r\n"), [b"HEAD".as_slice(), b"/"]);
        assert_eq!(words(b"GET a b\r\n"), [b"GET".as_slice(), b"a", b"b"]);
    }
}
