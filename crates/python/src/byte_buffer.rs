//! `ByteBuffer`: bytes of the engine that Python reads without a copy.

#![allow(unsafe_code)] // copying 100 MB would hold up all clients for 50 ms; see `__getbuffer__`

use std::ffi::{c_int, c_void};

use ::engine::shared_bytes::SharedBytes;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

/// Shorter bytes are copied, which takes less than the objects of a view.
const VIEWED_BYTES_MIN: usize = 256 * 1024;

/// Bytes that never change, as a buffer.
#[pyclass(frozen)]
struct ByteBuffer(SharedBytes);

#[pymethods]
impl ByteBuffer {
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let bytes = slf.get().0.as_slice();
        let (start, size) = (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len());
        // SAFETY: `view` is valid, as Python calls this function. The bytes stay where they are and
        // never change for as long as this object lives, and the view holds a reference to it. The
        // view is read only, so nobody writes through the pointer.
        let status = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, size.cast_signed(), 1, flags)
        };
        if status == 0 {
            Ok(())
        } else {
            Err(PyErr::fetch(slf.py()))
        }
    }
}

/// Returns bytes as `bytes` if they are few, else as a `memoryview` without a copy.
pub fn view_of(py: Python<'_>, bytes: SharedBytes) -> PyResult<Bound<'_, PyAny>> {
    if bytes.as_slice().len() < VIEWED_BYTES_MIN {
        return Ok(PyBytes::new(py, bytes.as_slice()).into_any());
    }
    let buffer = Bound::new(py, ByteBuffer(bytes))?.into_any();
    Ok(PyMemoryView::from(&buffer)?.into_any())
}
