//! The encoding of protobuf messages: varints, byte strings, packed lists.

use crate::varint::{varint_length, write_varint};

const VARINT: usize = 0;
const FIXED_64: usize = 1;
const BYTES: usize = 2;

/// Appends a field that is an unsigned integer, an enumeration or a boolean.
pub(super) fn write_uint(out: &mut Vec<u8>, field: usize, value: u64) {
    write_varint(out, field << 3 | VARINT);
    write_varint(out, value as usize);
}

/// Appends a field that is a double.
pub(super) fn write_double(out: &mut Vec<u8>, field: usize, value: f64) {
    write_varint(out, field << 3 | FIXED_64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends the head of a field that is a string, a message or a packed list of this many bytes.
pub(super) fn write_bytes_head(out: &mut Vec<u8>, field: usize, length: usize) {
    write_varint(out, field << 3 | BYTES);
    write_varint(out, length);
}

/// Appends a field that is a string or a message.
pub(super) fn write_bytes(out: &mut Vec<u8>, field: usize, bytes: &[u8]) {
    write_bytes_head(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a field that is a packed list of unsigned integers.
pub(super) fn write_packed(out: &mut Vec<u8>, field: usize, values: &[u32]) {
    let length = values.iter().map(|value| varint_length(*value as usize)).sum();
    write_bytes_head(out, field, length);
    for value in values {
        write_varint(out, *value as usize);
    }
}

/// Returns a signed integer as an unsigned one that is small for a small absolute value.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_the_protobuf_documentation_shows() {
        let mut out = Vec::new();
        write_uint(&mut out, 1, 150);
        write_bytes(&mut out, 2, b"testing");
        write_packed(&mut out, 6, &[3, 270, 86_942]);
        write_double(&mut out, 3, 1.0);
        let expected = b"\x08\x96\x01\x12\x07testing\x32\x06\x03\x8e\x02\x9e\xa7\x05\
            \x19\x00\x00\x00\x00\x00\x00\xf0\x3f";
        assert_eq!(out, expected);
    }

    #[test]
    fn signed_integers_alternate() {
        for (value, encoded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MIN, u64::MAX)] {
            assert_eq!(zigzag(value), encoded);
        }
    }
}
