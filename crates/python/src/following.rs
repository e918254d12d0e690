//! `Followed` and `Discarded`: results of following a leader and of adopting another engine's data.

use std::sync::{Mutex, PoisonError};

use std::borrow::Cow;

use ::engine::engine::{Discarded as CoreDiscarded, Follow};
use ::engine::parse_ahead::LongTexts;
use ::engine::session::LARGE_WRITE_BYTES_MIN;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PySlice};

/// The result of running a piece of a leader's stream.
#[pyclass(frozen, get_all)]
pub struct Followed {
    consumed: usize,
    scanned: usize,
    commands: usize,
    error: Option<String>,
    log: Py<PyAny>,
    published: Vec<(Py<PyBytes>, Py<PyBytes>)>,
    skipped: Vec<(String, usize)>,
}

/// The geometries of a piece's long commands.
#[pyclass(frozen)]
pub struct ParsedPiece {
    core: Mutex<Option<LongTexts>>,
}

impl ParsedPiece {
    /// Wraps the geometries.
    pub fn new(core: LongTexts) -> Self {
        ParsedPiece { core: Mutex::new(Some(core)) }
    }

    /// Returns the geometries, the first time.
    pub fn take(&self) -> LongTexts {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
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
    /// Converts a result of the engine about a piece. A long log is a part of the piece, which
    /// isn't copied.
    pub fn of(py: Python<'_>, piece: &Bound<'_, PyBytes>, follow: Follow) -> PyResult<Self> {
        let log = match follow.log {
            Cow::Borrowed(part) if part.len() >= LARGE_WRITE_BYTES_MIN => {
                let start = part.as_ptr() as usize - piece.as_bytes().as_ptr() as usize;
                let slice = PySlice::new(py, start as isize, (start + part.len()) as isize, 1);
                PyMemoryView::from(piece)?.get_item(slice)?.unbind()
            }
            log => PyBytes::new(py, &log).into_any().unbind(),
        };
        let bytes = |text: &[u8]| PyBytes::new(py, text).unbind();
        let published = follow.published.iter();
        Ok(Followed {
            consumed: follow.load.consumed,
            scanned: follow.load.scanned,
            commands: follow.load.commands,
            error: follow.load.error.map(|text| lossy(&text)),
            log,
            published: published.map(|(name, text)| (bytes(name), bytes(text))).collect(),
            skipped: follow.load.skipped.into_iter().collect(),
        })
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
