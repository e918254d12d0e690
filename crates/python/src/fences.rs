//! What fences and hooks come to, as Python values.

use ::engine::endpoint_url;
use ::engine::engine::Outbox;
use ::engine::fence::{Event, HookChange, Target};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// Messages and changes of hooks.
pub struct Records {
    /// `(kind, name or id, message)`
    pub events: Py<PyTuple>,
    /// `(key, id)` of each.
    pub event_objects: Py<PyTuple>,
    /// `(change, name, events before)`
    pub hooks_changed: Py<PyTuple>,
}

fn convert_event<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyTuple>> {
    let message = PyBytes::new(py, &event.message);
    match &event.target {
        Target::Channel(name) => ("channel", PyBytes::new(py, name), message).into_pyobject(py),
        Target::Hook(name) => ("hook", PyBytes::new(py, name), message).into_pyobject(py),
        Target::Live(id) => ("live", *id, message).into_pyobject(py),
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
        return Ok(Records {
            events: empty.clone_ref(py),
            event_objects: empty.clone_ref(py),
            hooks_changed: empty,
        });
    }
    let mut events = Vec::with_capacity(outbox.events.len());
    let mut objects = Vec::with_capacity(outbox.events.len());
    for event in &outbox.events {
        events.push(convert_event(py, event)?);
        objects.push((PyBytes::new(py, &event.key), PyBytes::new(py, event.id())));
    }
    let changes: PyResult<Vec<_>> =
        outbox.hooks_changed.iter().map(|change| convert_change(py, change)).collect();
    Ok(Records {
        events: PyTuple::new(py, events)?.unbind(),
        event_objects: PyTuple::new(py, objects)?.unbind(),
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
