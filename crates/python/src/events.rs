//! Events of fences as typed records. Python's garbage collector doesn't track these classes, since
//! hundreds of thousands of instances may wait for delivery.

use ::engine::engine::Outbox;
use ::engine::fence::{Detect, Event as CoreEvent, EventNumber, Sequence, Target};
use ::engine::keyspace::Key;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList, PyString};

/// An event for the endpoints of a hook.
#[pyclass(frozen, get_all)]
pub struct HookEvent {
    hook: Py<PyString>,
    key: Py<PyString>,
    object_id: Py<PyString>,
    detect: Option<Py<PyString>>,
    body: Py<PyBytes>,
    sequence: u64,
    began_ns: i64,
    made_ns: i64,
}

/// An event for the subscribers of a channel.
#[pyclass(frozen, get_all)]
pub struct ChannelEvent {
    channel: Py<PyBytes>,
    key: Py<PyString>,
    object_id: Py<PyString>,
    detect: Option<Py<PyString>>,
    body: Py<PyBytes>,
    sequence: u64,
    began_ns: i64,
    made_ns: i64,
}

/// An event for the connection that watches a live fence.
#[pyclass(frozen, get_all)]
pub struct LiveEvent {
    fence: u64,
    key: Py<PyString>,
    object_id: Py<PyString>,
    detect: Option<Py<PyString>>,
    body: Py<PyBytes>,
}

/// A hook was created, replaced, set again or deleted.
#[pyclass(frozen, get_all)]
pub struct HookChange {
    hook: Py<PyString>,
}

/// The events of a hook up to a number are delivered, by another server.
#[pyclass(frozen, get_all)]
pub struct HookProgress {
    hook: Py<PyString>,
    sequence: u64,
}

/// The events of commands, by kind of receiver.
#[pyclass(frozen, get_all)]
pub struct Events {
    hooks: Py<PyList>,
    channels: Py<PyList>,
    live: Py<PyList>,
}

/// A hook's event in the queue.
#[pyclass(frozen, get_all)]
pub struct QueuedEvent {
    number: Py<PyInt>,
    queued_ns: Py<PyInt>,
    hook: Py<PyString>,
    key: Py<PyString>,
    object_id: Py<PyString>,
    detect: Option<Py<PyString>>,
    body: Py<PyBytes>,
    sequence: u64,
    began_ns: i64,
}

#[pymethods]
impl HookEvent {
    #[new]
    #[pyo3(signature = (hook, key, object_id, detect, body, *, numbering=(0, 0, 0)))]
    fn new(
        hook: Py<PyString>,
        key: Py<PyString>,
        object_id: Py<PyString>,
        detect: Option<Py<PyString>>,
        body: Py<PyBytes>,
        numbering: (u64, i64, i64),
    ) -> Self {
        let (sequence, began_ns, made_ns) = numbering;
        HookEvent { hook, key, object_id, detect, body, sequence, began_ns, made_ns }
    }
}

#[pymethods]
impl QueuedEvent {
    /// The same at each attempt, and unlike that of any other event, also one of a new queue.
    #[getter]
    fn delivery_id(&self, py: Python<'_>) -> String {
        if self.sequence > 0 {
            let hook = self.hook.bind(py).to_string_lossy();
            let hash = fnv1a(hook.as_bytes());
            return format!("msg_{}_{}_{hash:08x}", self.began_ns, self.sequence);
        }
        format!("msg_{}_{}", self.queued_ns.bind(py), self.number.bind(py))
    }

    #[new]
    fn new(
        py: Python<'_>,
        number: Py<PyInt>,
        queued_ns: Py<PyInt>,
        event: PyRef<'_, HookEvent>,
    ) -> Self {
        QueuedEvent {
            number,
            queued_ns,
            hook: event.hook.clone_ref(py),
            key: event.key.clone_ref(py),
            object_id: event.object_id.clone_ref(py),
            detect: event.detect.as_ref().map(|detect| detect.clone_ref(py)),
            body: event.body.clone_ref(py),
            sequence: event.sequence,
            began_ns: event.began_ns,
        }
    }
}

/// Returns the hash FNV-1a of 32 bits, which is the same on every machine.
fn fnv1a(text: &[u8]) -> u32 {
    text.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Converts a series of events. Caches the key, since most events of a series share it.
struct Converter<'py> {
    py: Python<'py>,
    last_key: Option<(Key, Bound<'py, PyString>)>,
}

impl Converter<'_> {
    fn key(&mut self, key: &Key) -> Py<PyString> {
        if let Some((last, text)) = &self.last_key {
            if last == key {
                return text.clone().unbind();
            }
        }
        let text = as_in_messages(self.py, key);
        self.last_key = Some((key.clone(), text.clone()));
        text.unbind()
    }

    fn detect(&self, detect: Detect) -> Py<PyString> {
        let py = self.py;
        let name = match detect {
            Detect::Inside => intern!(py, "inside"),
            Detect::Outside => intern!(py, "outside"),
            Detect::Enter => intern!(py, "enter"),
            Detect::Exit => intern!(py, "exit"),
            Detect::Cross => intern!(py, "cross"),
            Detect::Roam => intern!(py, "roam"),
            Detect::Dwell => intern!(py, "dwell"),
        };
        name.clone().unbind()
    }
}

/// Returns a key or id as messages show it: each byte that isn't UTF-8 is a U+FFFD.
fn as_in_messages<'py>(py: Python<'py>, text: &[u8]) -> Bound<'py, PyString> {
    if let Ok(text) = std::str::from_utf8(text) {
        return PyString::new(py, text);
    }
    let mut shown = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        shown.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| shown.push(char::REPLACEMENT_CHARACTER));
    }
    PyString::new(py, &shown)
}

/// Returns a hook's name as a Python text, with surrogate escapes for invalid UTF-8.
fn name_of<'py>(py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyString>> {
    if let Ok(name) = std::str::from_utf8(name) {
        return Ok(PyString::new(py, name));
    }
    let decoded = PyBytes::new(py, name).call_method1("decode", ("utf-8", "surrogateescape"))?;
    Ok(decoded.cast_into()?)
}

/// Converts the events of commands; `None` if there are none.
pub fn convert_outbox(py: Python<'_>, outbox: Outbox) -> PyResult<Option<Events>> {
    let Outbox { events, hooks_changed, delivered, .. } = &outbox;
    if events.is_empty() && hooks_changed.is_empty() && delivered.is_empty() {
        return Ok(None);
    }
    let (hooks, channels, live) = (PyList::empty(py), PyList::empty(py), PyList::empty(py));
    let mut converter = Converter { py, last_key: None };
    let mut changes = hooks_changed.iter().peekable();
    for (index, event) in events.iter().enumerate() {
        while let Some(change) = changes.next_if(|change| change.events_before <= index) {
            hooks.append(HookChange { hook: name_of(py, &change.name)?.unbind() })?;
        }
        let CoreEvent { target, key, id, detect, message, number } = event;
        let EventNumber { sequence, made_ns } = number.unwrap_or_default();
        let Sequence { last: sequence, began_ns, .. } = sequence;
        let key = converter.key(key);
        let object_id = as_in_messages(py, id.as_deref().unwrap_or_default()).unbind();
        let detect = detect.map(|detect| converter.detect(detect));
        let body = PyBytes::new(py, message).unbind();
        match target {
            Target::Hook(name) => {
                let hook = name_of(py, name)?.unbind();
                hooks.append(HookEvent {
                    hook,
                    key,
                    object_id,
                    detect,
                    body,
                    sequence,
                    began_ns,
                    made_ns,
                })?;
            }
            Target::Channel(name) => {
                let channel = PyBytes::new(py, name).unbind();
                channels.append(ChannelEvent {
                    channel,
                    key,
                    object_id,
                    detect,
                    body,
                    sequence,
                    began_ns,
                    made_ns,
                })?;
            }
            Target::Live(fence) => {
                live.append(LiveEvent { fence: *fence, key, object_id, detect, body })?;
            }
        }
    }
    for change in changes {
        hooks.append(HookChange { hook: name_of(py, &change.name)?.unbind() })?;
    }
    for (name, sequence) in delivered {
        let hook = name_of(py, name)?.unbind();
        hooks.append(HookProgress { hook, sequence: *sequence })?;
    }
    Ok(Some(Events { hooks: hooks.unbind(), channels: channels.unbind(), live: live.unbind() }))
}
