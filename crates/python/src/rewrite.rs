//! `Rewrite`: a rewrite of the log from a snapshot.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ::engine::rewrite::Rewrite as CoreRewrite;
use ::engine::shared_bytes::SharedBytes;
use pyo3::prelude::*;

use crate::byte_buffer::view_of;

/// A rewrite of the log from a snapshot: the commands that create its data, in chunks. Any thread
/// may read it.
#[pyclass(frozen)]
pub struct Rewrite {
    core: Mutex<CoreRewrite>,
    // Outside the lock, so that reading the progress doesn't wait for a chunk.
    written: AtomicUsize,
    #[pyo3(get)]
    total: usize,
}

impl Rewrite {
    /// Wraps a rewrite of the engine.
    pub fn new(core: CoreRewrite) -> Self {
        let total = core.total();
        Rewrite { core: Mutex::new(core), written: AtomicUsize::new(0), total }
    }
}

#[pymethods]
impl Rewrite {
    /// Return the next commands, about bytes_max bytes, without the GIL; none at the end.
    fn read<'py>(&self, py: Python<'py>, bytes_max: usize) -> PyResult<Bound<'py, PyAny>> {
        let chunk = py.detach(|| {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            let chunk = core.read(bytes_max);
            self.written.store(core.written(), Ordering::Relaxed);
            chunk
        });
        view_of(py, SharedBytes::new(chunk, 0))
    }

    /// The number of objects, hooks and channels that have been read.
    #[getter]
    fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}
