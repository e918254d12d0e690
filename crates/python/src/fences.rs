//! What fences and hooks come to, as Python values.

use ::engine::endpoint_url;
use ::engine::engine::Outbox;
use ::engine::fence::{Event, HookChange, Target};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// Messages and changes of hooks.
pub struct Records {
    /// `(kind, name or id, message)`
    pub events: Py<PyTuple>,
    /// `(change, name, events before)`
    pub hooks_changed: Py<PyTuple>,
}

fn convert_event<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyTuple>> {
    let message = PyBytes::new(py, &event.message);
    match &event.target {
        Target::Channel(name) => {
            (intern!(py, "channel"), PyBytes::new(py, name), message).into_pyobject(py)
        }
        Target::Hook(name) => {
            (intern!(py, "hook"), PyBytes::new(py, name), message).into_pyobject(py)
        }
        Target::Live(id) => (intern!(py, "live"), *id, message).into_pyobject(py),
    }
}

fn convert_change<'py>(py: Python<'py>, change: &HookChange) -> PyResult<Bound<'py, PyTuple>> {
    let name = PyBytes::new(py, &change.name);
    (change.kind.name(), name, change.events_before).into_pyobject(py)
}

/// Converts what an engine's commands came to; nothing costs nothing.
pub fn convert_outbox(py: Python<'_>, outbox: Outbox) -> PyResult<Records> {
    if outbox.events.is_empty() && outbox.hooks_changed.is_empty() {
        let empty = PyTuple::empty(py).unbind();
        return Ok(Records { events: empty.clone_ref(py), hooks_changed: empty });
    }
    let events: PyResult<Vec<_>> =
        outbox.events.iter().map(|event| convert_event(py, event)).collect();
    let changes: PyResult<Vec<_>> =
        outbox.hooks_changed.iter().map(|change| convert_change(py, change)).collect();
    Ok(Records {
        events: PyTuple::new(py, events?)?.unbind(),
        hooks_changed: PyTuple::new(py, changes?)?.unbind(),
    })
}

/// Let hooks name URLs of these schemes, too; once for the process.
#[pyfunction]
pub fn admit_schemes(schemes: Vec<String>) -> bool {
    endpoint_url::admit(
        schemes.iter().map(|scheme| Box::from(format!("{scheme}:").as_bytes())).collect(),
    )
}
