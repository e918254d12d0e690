//! `LargeWrite`: a write whose geometry a thread parses before the session applies it.

use std::sync::{Mutex, PoisonError};

use ::engine::session::LargeWrite as CoreLargeWrite;
use pyo3::prelude::*;

use crate::monotonic_ns;
use crate::session::{convert, Batch, Session};

/// A write with a large geometry. It is parsed on any thread and then applied by its session.
#[pyclass(frozen)]
pub struct LargeWrite(Mutex<Box<CoreLargeWrite>>);

impl LargeWrite {
    pub fn new(core: Box<CoreLargeWrite>) -> Self {
        LargeWrite(Mutex::new(core))
    }
}

#[pymethods]
impl LargeWrite {
    /// Parse the geometry without the GIL.
    fn parse(&self, py: Python<'_>) {
        py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).parse());
    }

    /// Run the write in its session, at which it stopped.
    fn apply(&self, py: Python<'_>, session: &mut Session, now_ns: i64) -> PyResult<Batch> {
        let mut write = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = session.apply(py, &mut write, now_ns, &monotonic_ns);
        convert(py, batch)
    }
}
