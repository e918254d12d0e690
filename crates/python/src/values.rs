//! Conversion of Python values to RESP and JSON, and of RESP to Python values.

use ::engine::json::write_full;
use ::engine::json::write_short;
use ::engine::number::write_float;
use ::engine::reply::{write_bulk, write_header, write_integer, write_nil, write_simple, Protocol};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// The most levels to which values may nest.
const DEPTH_MAX: usize = 32;

/// A text that RESP replies send as a simple string: `+text`.
#[pyclass(frozen)]
pub struct Simple {
    text: Vec<u8>,
}

#[pymethods]
impl Simple {
    #[new]
    fn new(text: &str) -> Self {
        Simple { text: text.as_bytes().to_vec() }
    }

    fn __str__(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Simple>().is_ok_and(|other| other.get().text == self.text)
    }

    fn __hash__(&self) -> u64 {
        self.text.iter().fold(0, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)))
    }
}

/// An array that RESP3 sends as a push: a message, or the reply to a subscription.
#[pyclass(frozen)]
pub struct Push {
    items: Py<PyList>,
}

#[pymethods]
impl Push {
    #[new]
    fn new(items: Py<PyList>) -> Self {
        Push { items }
    }
}

fn text_of(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(bytes.as_bytes().to_vec());
    }
    value.cast::<PyString>().ok().map(bytes_of)
}

/// Returns the bytes of a text. Bytes that `surrogateescape` has decoded are restored.
pub fn bytes_of(text: &Bound<'_, PyString>) -> Vec<u8> {
    if let Ok(text) = text.to_cow() {
        return text.as_bytes().to_vec();
    }
    if let Ok(encoded) = text.call_method1("encode", ("utf-8", "surrogateescape")) {
        if let Ok(bytes) = encoded.cast::<PyBytes>() {
            return bytes.as_bytes().to_vec();
        }
    }
    text.to_string_lossy().as_bytes().to_vec()
}

fn unsupported(value: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("can't reply with {}", value.get_type()))
}

/// Appends a value as RESP: a `Simple` as a simple string, texts and floats as bulk strings, ints
/// as integers, None as nil, lists and tuples as arrays, dicts as maps, a `Push` as a push. RESP2
/// has arrays in place of maps and pushes. Raises `TypeError` for other types.
pub fn write_resp(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, protocol: Protocol) -> PyResult<()> {
    if let Ok(simple) = value.cast::<Simple>() {
        write_simple(out, &simple.get().text);
    } else if value.is_none() {
        write_nil(out, protocol);
    } else if let Some(text) = text_of(value) {
        write_bulk(out, &text);
    } else if value.is_instance_of::<PyInt>() {
        write_integer(out, value.extract()?);
    } else if let Ok(number) = value.cast::<PyFloat>() {
        let mut text = Vec::new();
        write_float(&mut text, number.value());
        write_bulk(out, &text);
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        write_array(out, b'*', value, protocol)?;
    } else if let Ok(push) = value.cast::<Push>() {
        let kind = if protocol == Protocol::Resp3 { b'>' } else { b'*' };
        write_array(out, kind, push.get().items.bind(value.py()), protocol)?;
    } else if let Ok(dict) = value.cast::<PyDict>() {
        match protocol {
            Protocol::Resp2 => write_header(out, b'*', 2 * dict.len()),
            Protocol::Resp3 => write_header(out, b'%', dict.len()),
        }
        for (name, value) in dict.iter() {
            write_resp(out, &name, protocol)?;
            write_resp(out, &value, protocol)?;
        }
    } else {
        return Err(unsupported(value));
    }
    Ok(())
}

fn write_array(
    out: &mut Vec<u8>,
    kind: u8,
    items: &Bound<'_, PyAny>,
    protocol: Protocol,
) -> PyResult<()> {
    write_header(out, kind, items.len()?);
    for item in items.try_iter()? {
        write_resp(out, &item?, protocol)?;
    }
    Ok(())
}

/// Appends `,"name":value` for each member. As in Tile38, texts are escaped by the short encoder,
/// and those within lists and dicts by the full one.
pub fn write_members(out: &mut Vec<u8>, members: &[(String, Bound<'_, PyAny>)]) -> PyResult<()> {
    for (name, value) in members {
        out.push(b',');
        write_full(out, name.as_bytes());
        out.push(b':');
        match text_of(value) {
            Some(text) => write_short(out, &text),
            None => write_json(out, value, 0)?,
        }
    }
    Ok(())
}

fn write_json(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
    if depth > DEPTH_MAX {
        return Err(PyValueError::new_err("the reply nests too deep"));
    }
    if let Some(text) = text_of(value) {
        write_full(out, &text);
    } else if let Ok(flag) = value.cast::<PyBool>() {
        out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
    } else if value.is_none() {
        out.extend_from_slice(b"null");
    } else if value.is_instance_of::<PyInt>() {
        out.extend_from_slice(value.str()?.to_cow()?.as_bytes());
    } else if let Ok(number) = value.cast::<PyFloat>() {
        write_float(out, number.value());
    } else if let Ok(dict) = value.cast::<PyDict>() {
        write_dict(out, dict, depth)?;
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        out.push(b'[');
        for (index, item) in value.try_iter()?.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_json(out, &item?, depth + 1)?;
        }
        out.push(b']');
    } else {
        return Err(unsupported(value));
    }
    Ok(())
}

fn write_dict(out: &mut Vec<u8>, dict: &Bound<'_, PyDict>, depth: usize) -> PyResult<()> {
    out.push(b'{');
    for (index, (name, value)) in dict.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_full(out, &text_of(&name).ok_or_else(|| unsupported(&name))?);
        out.push(b':');
        write_json(out, &value, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

/// Returns the Python value of a RESP reply: str (bytes if it isn't UTF-8), int, None or list.
/// Raises `ValueError` with the text of an error reply.
pub fn decode_reply<'py>(py: Python<'py>, reply: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if let Some(text) = reply.strip_prefix(b"-") {
        let text = String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
        let text = text.strip_prefix("ERR ").map(str::to_string).unwrap_or(text);
        return Err(PyValueError::new_err(text));
    }
    let mut rest = reply;
    decode(py, &mut rest, 0)
}

fn decode<'py>(py: Python<'py>, rest: &mut &[u8], depth: usize) -> PyResult<Bound<'py, PyAny>> {
    let malformed = || PyValueError::new_err("the command has no reply in process");
    let end = rest.windows(2).position(|pair| pair == b"\r\n").ok_or_else(malformed)?;
    let (line, tail) = (&rest[..end], &rest[end + 2..]);
    *rest = tail;
    let (kind, text) = line.split_first().ok_or_else(malformed)?;
    let number = || ::engine::number::parse_int(text).ok_or_else(malformed);
    match kind {
        b':' => Ok(number()?.into_pyobject(py)?.into_any()),
        b'$' if number()? < 0 => Ok(py.None().into_bound(py)),
        b'$' => {
            let length = number()? as usize;
            let content = tail.get(..length).ok_or_else(malformed)?;
            *rest = tail.get(length + 2..).unwrap_or_default();
            Ok(text_value(py, content))
        }
        b'*' if depth < DEPTH_MAX => {
            let items: PyResult<Vec<_>> =
                (0..number()?).map(|_| decode(py, rest, depth + 1)).collect();
            Ok(PyList::new(py, items?)?.into_any())
        }
        b'+' => Ok(text_value(py, text)),
        _ => Err(malformed()),
    }
}

fn text_value<'py>(py: Python<'py>, content: &[u8]) -> Bound<'py, PyAny> {
    match std::str::from_utf8(content) {
        Ok(text) => PyString::new(py, text).into_any(),
        Err(_) => PyBytes::new(py, content).into_any(),
    }
}
