//! `ReadUnit`: reads of a session that run on a snapshot, on any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::engine::session::{truncate_arguments, ReadUnit as CoreUnit, SliceLimits};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::monotonic_ns;

/// Consecutive reads of a session. They run on a snapshot, on any thread; then the session takes
/// the results.
#[pyclass(frozen)]
pub struct ReadUnit {
    /// The unit, unless it is in the pool or its session has taken the results.
    core: Mutex<Option<Box<CoreUnit>>>,
    is_cancelled: Arc<AtomicBool>,
}

impl ReadUnit {
    pub fn new(core: Box<CoreUnit>) -> Self {
        let is_cancelled = core.cancellation();
        ReadUnit { core: Mutex::new(Some(core)), is_cancelled }
    }

    /// Takes the unit out; `None` if it is elsewhere.
    pub fn take(&self) -> Option<Box<CoreUnit>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts the unit back after a run.
    pub fn put_back(&self, core: Box<CoreUnit>) {
        *self.core.lock().unwrap_or_else(PoisonError::into_inner) = Some(core);
    }
}

#[pymethods]
impl ReadUnit {
    /// The arguments of each request that has to run; long ones are cut.
    #[getter]
    fn requests(&self, py: Python<'_>) -> Vec<Vec<Py<PyBytes>>> {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = core.iter().flat_map(|core| core.requests());
        let requests = requests.map(|args| {
            let kept = truncate_arguments(args.iter(), args.len());
            kept.iter().map(|arg| PyBytes::new(py, arg).unbind()).collect()
        });
        requests.collect()
    }

    /// Whether it runs a script, or one for each object, which may take long.
    #[getter]
    fn runs_scripts(&self) -> bool {
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.as_ref().is_some_and(|core| core.runs_scripts())
    }

    /// Let the unit end soon, on any thread: nobody waits for its replies.
    fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Run all reads without the GIL, on the present thread.
    fn run(&self, py: Python<'_>) {
        py.detach(|| {
            if let Some(mut core) = self.take() {
                core.run_slice(SliceLimits::NONE, &monotonic_ns);
                self.put_back(core);
            }
        });
    }
}
