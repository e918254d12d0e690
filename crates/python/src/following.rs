//! `Followed` and `Discarded`: results of following a leader and of adopting another engine's data.

use std::sync::{Mutex, PoisonError};

use ::engine::engine::{Discarded as CoreDiscarded, Follow};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The result of running a piece of a leader's stream.
#[pyclass(frozen, get_all)]
pub struct Followed {
    consumed: usize,
    scanned: usize,
    commands: usize,
    error: Option<String>,
    log: Py<PyBytes>,
    published: Vec<(Py<PyBytes>, Py<PyBytes>)>,
    skipped: Vec<(String, usize)>,
}

/// The data that an engine had before it adopted another's.
#[pyclass(frozen)]
pub struct Discarded {
    core: Mutex<Option<CoreDiscarded>>,
}

/// Decodes an error text, which may quote bytes that aren't UTF-8.
pub fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl Followed {
    /// Converts a result of the engine.
    pub fn of(py: Python<'_>, follow: Follow) -> Self {
        let bytes = |text: &[u8]| PyBytes::new(py, text).unbind();
        let published = follow.published.iter();
        Followed {
            consumed: follow.load.consumed,
            scanned: follow.load.scanned,
            commands: follow.load.commands,
            error: follow.load.error.map(|text| lossy(&text)),
            log: bytes(&follow.log),
            published: published.map(|(name, text)| (bytes(name), bytes(text))).collect(),
            skipped: follow.load.skipped.into_iter().collect(),
        }
    }
}

impl Discarded {
    /// Wraps the discarded data.
    pub fn new(core: CoreDiscarded) -> Self {
        Discarded { core: Mutex::new(Some(core)) }
    }
}

#[pymethods]
impl Discarded {
    /// Free the memory, without the GIL. May take a second for much data.
    fn free(&self, py: Python<'_>) {
        py.detach(|| drop(self.core.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }
}
