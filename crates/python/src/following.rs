//! `Followed` and `Discarded`.

use std::sync::{Mutex, PoisonError};

use ::engine::engine::{Discarded as CoreDiscarded, Follow};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What came of one piece of a leader's stream.
#[pyclass(frozen, get_all)]
pub struct Followed {
    consumed: usize,
    commands: usize,
    error: Option<String>,
    log: Py<PyBytes>,
    published: Vec<(Py<PyBytes>, Py<PyBytes>)>,
    skipped: Vec<(String, usize)>,
}

/// What an engine had before it adopted another's data.
#[pyclass(frozen)]
pub struct Discarded {
    core: Mutex<Option<CoreDiscarded>>,
}

/// A text of an error, which may quote any bytes.
pub fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl Followed {
    /// As Python sees it.
    pub fn of(py: Python<'_>, follow: Follow) -> Self {
        let bytes = |text: &[u8]| PyBytes::new(py, text).unbind();
        let published = follow.published.iter();
        Followed {
            consumed: follow.load.consumed,
            commands: follow.load.commands,
            error: follow.load.error.map(|text| lossy(&text)),
            log: bytes(&follow.log),
            published: published.map(|(name, text)| (bytes(name), bytes(text))).collect(),
            skipped: follow.load.skipped.into_iter().collect(),
        }
    }
}

impl Discarded {
    /// As Python sees it.
    pub fn new(core: CoreDiscarded) -> Self {
        Discarded { core: Mutex::new(Some(core)) }
    }
}

#[pymethods]
impl Discarded {
    /// Free the memory, without the GIL.
    fn free(&self, py: Python<'_>) {
        py.detach(|| drop(self.core.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }
}
