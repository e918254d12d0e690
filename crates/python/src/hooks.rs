//! A hook's definition, as delivery and HOOKINFO need it.

use ::engine::fence::{HookKind, SharedHook};
use ::engine::keyspace::Keyspace;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// A hook as it was when it was looked up.
#[pyclass(frozen)]
pub struct HookDefinition {
    core: SharedHook,
}

impl HookDefinition {
    /// Returns the hook or channel of a name; `None` if it is of the other kind or doesn't exist.
    /// Of deleted hooks, those count that still have messages to send.
    pub fn find(keyspace: &Keyspace, name: &[u8], kind: HookKind) -> Option<Self> {
        let fences = keyspace.fences();
        let hook = fences.get(name).or_else(|| fences.closing(name))?;
        (hook.kind() == kind).then(|| HookDefinition { core: hook.clone() })
    }
}

fn tuple_of<'py>(py: Python<'py>, texts: &[Box<[u8]>]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, texts.iter().map(|text| PyBytes::new(py, text)))
}

#[pymethods]
impl HookDefinition {
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.watch.fence.key)
    }

    #[getter]
    fn endpoints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, &self.core.endpoints)
    }

    #[getter]
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let words: Vec<_> = self.core.options.words().map(|word| PyBytes::new(py, word)).collect();
        PyTuple::new(py, words)
    }

    #[getter]
    fn shown_options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let words: Vec<_> = self.core.options.shown().map(|word| PyBytes::new(py, word)).collect();
        PyTuple::new(py, words)
    }

    #[getter]
    fn is_paused(&self) -> bool {
        self.core.is_paused
    }

    fn ttl(&self, now_ns: i64) -> i64 {
        self.core.ttl(now_ns)
    }
}
