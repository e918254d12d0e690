//! `Rewrite`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ::engine::rewrite::Rewrite as CoreRewrite;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The log being written anew, from a snapshot.
#[pyclass(frozen)]
pub struct Rewrite {
    core: Mutex<CoreRewrite>,
    // Beside the lock, so that who asks for it needn't wait for a piece.
    written: AtomicUsize,
    #[pyo3(get)]
    total: usize,
}

impl Rewrite {
    /// As Python sees it.
    pub fn new(core: CoreRewrite) -> Self {
        let total = core.total();
        Rewrite { core: Mutex::new(core), written: AtomicUsize::new(0), total }
    }
}

#[pymethods]
impl Rewrite {
    /// The next commands, about so many bytes of them; none at the end.
    fn read<'py>(&self, py: Python<'py>, bytes_max: usize) -> Bound<'py, PyBytes> {
        let piece = py.detach(|| {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            let piece = core.read(bytes_max);
            self.written.store(core.written(), Ordering::Relaxed);
            piece
        });
        PyBytes::new(py, &piece)
    }

    /// Objects, hooks and channels that were written.
    #[getter]
    fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}
