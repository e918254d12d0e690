//! The check of SETHOOK's URLs by a Python function.

use ::engine::endpoints::{EndpointChecker, Refusal};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The error text if the check itself fails.
const CHECK_FAILED: &str = "the endpoint could not be checked";

/// The refusal of a URL in SETHOOK.
#[pyclass(frozen, get_all)]
pub struct EndpointRefusal {
    reason: String,
    reply: Option<String>,
}

#[pymethods]
impl EndpointRefusal {
    #[new]
    #[pyo3(signature = (reason, reply = None))]
    fn new(reason: String, reply: Option<String>) -> Self {
        EndpointRefusal { reason, reply }
    }
}

/// The engine's checker of URLs: calls a Python function.
pub struct PythonChecker {
    function: Py<PyAny>,
}

impl PythonChecker {
    pub fn new(function: Py<PyAny>) -> Self {
        PythonChecker { function }
    }

    fn ask(&self, py: Python<'_>, url: &[u8]) -> PyResult<Option<Refusal>> {
        let answer = self.function.bind(py).call1((PyBytes::new(py, url),))?;
        if answer.is_none() {
            return Ok(None);
        }
        let refusal = answer.cast::<EndpointRefusal>()?.get();
        Ok(Some(Refusal { reason: refusal.reason.clone(), reply: refusal.reply.clone() }))
    }
}

impl EndpointChecker for PythonChecker {
    fn check(&self, url: &[u8]) -> Result<(), Refusal> {
        Python::attach(|py| match self.ask(py, url) {
            Ok(refusal) => refusal.map_or(Ok(()), Err),
            Err(error) => {
                let reason = error.to_string();
                error.write_unraisable(py, None);
                Err(Refusal { reason, reply: Some(CHECK_FAILED.to_string()) })
            }
        })
    }
}
