//! The encoding of replies: RESP values, the JSON object around members, and the framing of both.

use crate::error::Error;
use crate::json;
use crate::number::{with_float_text, write_int};

/// The format of a connection's replies, which OUTPUT selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Output {
    Resp,
    Json,
}

/// The version of RESP, which HELLO selects. Replies to data commands differ only in their nil.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// The protocol in which a request was written, and in which its reply is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Framing {
    Resp,
    Inline,
    Native,
}

/// Appends a line of a kind and a number: `*3\r\n`, `$5\r\n` or `:7\r\n`.
pub fn write_header(out: &mut Vec<u8>, kind: u8, value: usize) {
    // Nearly all headers: copies of a fixed length take one instruction or two.
    if value < 10 {
        return out.extend_from_slice(&[kind, b'0' + value as u8, b'\r', b'\n']);
    }
    if value < 100 {
        let (tens, ones) = (b'0' + (value / 10) as u8, b'0' + (value % 10) as u8);
        return out.extend_from_slice(&[kind, tens, ones, b'\r', b'\n']);
    }
    out.push(kind);
    write_int(out, value as i64);
    out.extend_from_slice(b"\r\n");
}

/// Appends a bulk string.
pub fn write_bulk(out: &mut Vec<u8>, text: &[u8]) {
    write_header(out, b'$', text.len());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// Appends a command as an array of bulk strings.
pub fn write_command(out: &mut Vec<u8>, words: &[&[u8]]) {
    write_header(out, b'*', words.len());
    for word in words {
        write_bulk(out, word);
    }
}

/// Appends a bulk string of the bytes that `write` appends; `scratch` is overwritten.
pub fn write_bulk_with(out: &mut Vec<u8>, scratch: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    scratch.clear();
    write(scratch);
    write_bulk(out, scratch);
}

/// Appends a float as a bulk string.
pub fn write_bulk_float(out: &mut Vec<u8>, value: f64) {
    with_float_text(value, |text| write_bulk(out, text));
}

/// Appends an integer.
pub fn write_integer(out: &mut Vec<u8>, value: i64) {
    out.push(b':');
    write_int(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Appends the nil reply.
pub fn write_nil(out: &mut Vec<u8>, protocol: Protocol) {
    out.extend_from_slice(match protocol {
        Protocol::Resp2 => b"$-1\r\n",
        Protocol::Resp3 => b"_\r\n",
    });
}

/// Appends the nil reply where an array is expected.
pub fn write_nil_array(out: &mut Vec<u8>, protocol: Protocol) {
    out.extend_from_slice(match protocol {
        Protocol::Resp2 => b"*-1\r\n",
        Protocol::Resp3 => b"_\r\n",
    });
}

/// Appends a simple string: `+text`.
pub fn write_simple(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'+');
    write_line(out, text);
}

/// Appends a text and CRLF. Control characters become spaces, so that the text stays on one line.
fn write_line(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(|byte| if *byte < 0x20 { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

/// Appends an error line, with `ERR` before the text unless its first word is in capitals.
pub fn write_error(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'-');
    let word = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    if word.is_empty() || !word.iter().all(u8::is_ascii_uppercase) {
        out.extend_from_slice(b"ERR ");
    }
    write_line(out, text);
}

/// Appends an error line with the text alone, as errors within the results of scripts are.
pub fn write_plain_error(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'-');
    write_line(out, text);
}

/// Appends a command's error in RESP; the arity error names the command.
pub fn write_command_error(out: &mut Vec<u8>, error: &Error, command: &[u8]) {
    if *error == Error::WrongArity {
        let name = command.to_ascii_lowercase();
        let text = [b"wrong number of arguments for '", &name[..], b"' command"].concat();
        write_error(out, &text);
    } else {
        write_error(out, &error.message());
    }
}

/// Appends the JSON object of a reply, with members such as `,"ttl":9`.
pub fn write_json_object(out: &mut Vec<u8>, members: &[u8], elapsed_ns: u64) {
    out.extend_from_slice(b"{\"ok\":true");
    out.extend_from_slice(members);
    write_elapsed_member(out, elapsed_ns);
}

/// Appends the JSON object of an error.
pub fn write_json_error(out: &mut Vec<u8>, error: &Error, elapsed_ns: u64) {
    out.extend_from_slice(b"{\"ok\":false,\"err\":");
    // Texts that begin with a word in capitals have the prefix of RESP as a part of them.
    let message = error.message();
    json::write_short(out, message.strip_prefix(b"ERR ").unwrap_or(&message));
    write_elapsed_member(out, elapsed_ns);
}

fn write_elapsed_member(out: &mut Vec<u8>, elapsed_ns: u64) {
    out.extend_from_slice(b",\"elapsed\":\"");
    write_duration(out, elapsed_ns);
    out.extend_from_slice(b"\"}");
}

/// Appends a payload in the framing of its request: as a native line, else as a bulk string.
pub fn write_framed(out: &mut Vec<u8>, framing: Framing, payload: &[u8]) {
    if framing == Framing::Native {
        out.push(b'$');
        write_int(out, payload.len() as i64);
        out.push(b' ');
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    } else {
        write_bulk(out, payload);
    }
}

/// Appends a duration as `612ns`, `5.04µs`, `10.281662ms`, `1.5s`, `1m2s`, `1h0m0s`.
pub fn write_duration(out: &mut Vec<u8>, nanoseconds: u64) {
    match nanoseconds {
        0 => out.extend_from_slice(b"0s"),
        1..1_000 => write_unit(out, nanoseconds, 1, "ns"),
        1_000..1_000_000 => write_unit(out, nanoseconds, 1_000, "µs"),
        1_000_000..1_000_000_000 => write_unit(out, nanoseconds, 1_000_000, "ms"),
        _ => {
            let minutes = nanoseconds / 60_000_000_000;
            if minutes >= 60 {
                write_unit(out, minutes / 60, 1, "h");
            }
            if minutes > 0 {
                write_unit(out, minutes % 60, 1, "m");
            }
            write_unit(out, nanoseconds % 60_000_000_000, 1_000_000_000, "s");
        }
    }
}

fn write_unit(out: &mut Vec<u8>, value: u64, scale: u64, unit: &str) {
    write_int(out, (value / scale) as i64);
    let fraction = value % scale;
    if fraction > 0 {
        let digits = scale.ilog10() as usize;
        let text = format!(".{fraction:0digits$}");
        out.extend_from_slice(text.trim_end_matches('0').as_bytes());
    }
    out.extend_from_slice(unit.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_error_begins_with_err_unless_its_first_word_is_in_capitals() {
        assert_eq!(written(|o| write_error(o, b"x\ny")), "-ERR x y\r\n");
        assert_eq!(written(|o| write_error(o, b"SPARSE is not")), "-SPARSE is not\r\n");
        assert_eq!(
            written(|o| write_command_error(o, &Error::WrongArity, b"GeT")),
            "-ERR wrong number of arguments for 'get' command\r\n"
        );
    }

    #[test]
    fn durations_have_the_format_of_tile38() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (612, "612ns"),
            (5_040, "5.04µs"),
            (192_300, "192.3µs"),
            (10_281_662, "10.281662ms"),
            (1_500_000_000, "1.5s"),
            (62_000_000_000, "1m2s"),
            (3_600_000_000_001, "1h0m0.000000001s"),
        ] {
            assert_eq!(written(|o| write_duration(o, nanoseconds)), text);
        }
    }
}
