//! `LiveSnapshot`: the first messages of a live fence.

use std::sync::{Mutex, PoisonError};

use ::engine::fence::{LiveSnapshot as CoreSnapshot, Slice};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The first messages of a live fence, read in slices.
#[pyclass(frozen)]
pub struct LiveSnapshot {
    core: Mutex<CoreSnapshot>,
}

impl LiveSnapshot {
    /// Wraps the messages of the engine.
    pub fn new(core: CoreSnapshot) -> Self {
        LiveSnapshot { core: Mutex::new(core) }
    }
}

#[pymethods]
impl LiveSnapshot {
    /// Return the messages of the next slice, which may have none; `None` at the end.
    fn read<'py>(
        &self,
        py: Python<'py>,
        visits_max: usize,
        bytes_max: usize,
    ) -> Option<Vec<Bound<'py, PyBytes>>> {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = core.read(Slice { visits_max, bytes_max })?;
        Some(messages.iter().map(|message| PyBytes::new(py, message)).collect())
    }
}
