//! `Session`, `Batch`, and the reasons for which a batch stops.

use std::sync::MutexGuard;

use ::engine::error::Error;
use ::engine::fence::HookKind;
use ::engine::reply::{Framing, Output, Protocol};
use ::engine::request::Arguments;
use ::engine::session::{
    truncate_arguments, Batch as CoreBatch, Clock, LargeWrite as CoreLargeWrite,
    Session as CoreSession, Stop,
};
use ::engine::shared_bytes::SharedBytes;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::access::{convert_denied, DeniedRecord};
use crate::byte_buffer::view_of;
use crate::disposal::dispose;
use crate::engine::{lock, Shared};
use crate::events::{convert_outbox, Events};
use crate::hooks::HookDefinition;
use crate::large_write::LargeWrite;
use crate::memory::BoundedEngine;
use crate::monotonic_ns;
use crate::read_unit::ReadUnit;
use crate::values::{bytes_of as text_bytes, write_members, write_resp};

/// The parser, output format and authentication of a connection.
#[pyclass]
pub struct Session {
    shared: Shared,
    core: CoreSession,
}

/// A slow command: its arguments, its duration and its waiting time in nanoseconds.
type SlowRecord = (Vec<Py<PyBytes>>, u64, u64);

/// The result of a call: replies to send, bytes to log, events, and why it stopped.
#[pyclass(frozen, get_all)]
pub struct Batch {
    replies: Py<PyBytes>,
    log: Py<PyAny>,
    monitored: Vec<(bool, Py<PyBytes>)>,
    slow: Vec<SlowRecord>,
    denied: Vec<DeniedRecord>,
    stop: Option<Py<PyAny>>,
    events: Option<Py<Events>>,
    refused_urls: Vec<String>,
}

/// A command that the server has to run.
#[pyclass(frozen, get_all)]
pub struct ServerCommand {
    name: String,
    args: Vec<Py<PyBytes>>,
    shown: Py<PyBytes>,
}

/// The connection uses HTTP, from these bytes on.
#[pyclass(frozen, get_all)]
pub struct Http {
    data: Py<PyBytes>,
}

/// Close the connection after the replies of the batch.
#[pyclass(frozen, get_all)]
pub struct Close {
    message: String,
}

/// The connection begins to watch a live fence.
#[pyclass(frozen, get_all)]
pub struct Live {
    id: u64,
}

/// The time slice is used up: let other connections run, then call feed() without data.
#[pyclass(frozen)]
pub struct Yield;

impl Session {
    pub fn new(shared: Shared, core: CoreSession) -> Self {
        Session { shared, core }
    }

    /// Applies a large write.
    pub fn apply(
        &mut self,
        py: Python<'_>,
        write: &mut CoreLargeWrite,
        now_ns: i64,
        clock: Clock,
    ) -> CoreBatch {
        self.core.apply(&mut enter(py, &self.shared), write, now_ns, clock)
    }
}

/// Locks the engine for a batch and updates whether it is out of memory.
#[inline]
fn enter<'s>(py: Python<'_>, shared: &'s Shared) -> MutexGuard<'s, BoundedEngine> {
    let mut engine = lock(py, shared);
    engine.check();
    engine
}

fn bytes_of(py: Python<'_>, data: &[u8]) -> Py<PyBytes> {
    PyBytes::new(py, data).unbind()
}

pub fn convert(py: Python<'_>, mut batch: CoreBatch) -> PyResult<Batch> {
    let stop = match batch.stop {
        None => None,
        Some(stop) => Some(convert_stop(py, stop)?),
    };
    dispose(batch.garbage);
    let refused_urls = std::mem::take(&mut batch.outbox.refused_urls);
    let slow = batch.slow.iter().map(|slow| {
        let args = slow.args.iter().map(|arg| bytes_of(py, arg)).collect();
        (args, slow.took_ns, slow.waited_ns)
    });
    let slow = slow.collect();
    let monitored = batch.monitored.iter();
    let monitored = monitored.map(|(by_script, shown)| (*by_script, bytes_of(py, shown)));
    let denied = batch.denied.iter().map(|denied| convert_denied(py, denied)).collect();
    let events = convert_outbox(py, batch.outbox)?;
    let log = match batch.large_log {
        Some(log) => view_of(py, log)?,
        None => PyBytes::new(py, &batch.log).into_any(),
    };
    Ok(Batch {
        replies: bytes_of(py, &batch.replies),
        log: log.unbind(),
        monitored: monitored.collect(),
        slow,
        denied,
        stop,
        events: events.map(|events| Py::new(py, events)).transpose()?,
        refused_urls,
    })
}

fn convert_stop(py: Python<'_>, stop: Stop) -> PyResult<Py<PyAny>> {
    Ok(match stop {
        Stop::Command { name, args, shown } => {
            let args = args.iter().map(|arg| bytes_of(py, arg)).collect();
            let shown = bytes_of(py, &shown);
            Py::new(py, ServerCommand { name, args, shown })?.into_any()
        }
        Stop::Reads(unit) => Py::new(py, ReadUnit::new(unit))?.into_any(),
        Stop::LargeWrite(core) => Py::new(py, LargeWrite::new(core))?.into_any(),
        Stop::Live(id) => Py::new(py, Live { id })?.into_any(),
        Stop::Yield => Py::new(py, Yield)?.into_any(),
        Stop::Http(data) => Py::new(py, Http { data: bytes_of(py, &data) })?.into_any(),
        Stop::Close(message) => {
            let message = String::from_utf8_lossy(&message).into_owned();
            Py::new(py, Close { message })?.into_any()
        }
    })
}

/// Cut long arguments for the slow log.
#[pyfunction]
pub fn shorten(args: Vec<Vec<u8>>, py: Python<'_>) -> Vec<Py<PyBytes>> {
    let kept = truncate_arguments(args.iter().map(Vec::as_slice), args.len());
    kept.iter().map(|arg| bytes_of(py, arg)).collect()
}

#[pymethods]
impl Session {
    /// Whether the client has authenticated.
    #[getter]
    fn authenticated(&self) -> bool {
        self.core.is_authenticated()
    }

    /// The name of the user.
    #[getter]
    fn user<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.core.user())
    }

    /// Become a user, whose password was right.
    fn log_in(&mut self, py: Python<'_>, user: &[u8]) {
        self.core.log_in(&lock(py, &self.shared), user);
    }

    /// Become the default user, not authenticated.
    fn log_out(&mut self) {
        self.core.log_out();
    }

    /// The reason why the user may not run a request, and the command, key or channel; `None` if
    /// it may.
    fn refusal<'py>(
        &mut self,
        py: Python<'py>,
        args: Vec<Vec<u8>>,
    ) -> Option<(&'static str, Bound<'py, PyBytes>)> {
        let mut arguments = Arguments::default();
        arguments.assign(&args);
        let denial = self.core.refusal(&lock(py, &self.shared), arguments.view(&[]))?;
        Some((denial.reason.name(), PyBytes::new(py, &denial.object)))
    }

    /// Whether the user may read a key.
    fn may_read(&mut self, py: Python<'_>, key: &[u8]) -> bool {
        self.core.may_read(&lock(py, &self.shared), key)
    }

    /// Return the names of the hooks that the user may see, without channels, ascending.
    fn hook_names<'py>(&mut self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let names = self.core.hook_names(&lock(py, &self.shared));
        names.iter().map(|name| PyBytes::new(py, name)).collect()
    }

    /// Return the hook of a name; `None` if it doesn't exist or the user may not see it.
    fn hook(&mut self, py: Python<'_>, name: &[u8]) -> Option<HookDefinition> {
        let engine = lock(py, &self.shared);
        if !self.core.shows_hook(&engine, name) {
            return None;
        }
        HookDefinition::find(&engine.keyspace, name, HookKind::Hook)
    }

    /// Whether all requests become server commands, unknown commands too.
    #[getter]
    fn live(&self) -> bool {
        self.core.is_live
    }

    #[setter]
    fn set_live(&mut self, value: bool) {
        self.core.is_live = value;
    }

    /// Whether the last command reports a failure by the status code of its HTTP reply.
    #[getter]
    fn fails_by_status(&self) -> bool {
        self.core.fails_by_status()
    }

    /// Bytes of an incomplete request.
    #[getter]
    fn buffered(&self) -> usize {
        self.core.buffered()
    }

    /// The number of complete requests received, refused ones included.
    #[getter]
    fn request_count(&self) -> u64 {
        self.core.request_count
    }

    /// The framing of the last request: `resp` (or inline), `native`, `plain`.
    #[getter]
    fn framing(&self) -> &'static str {
        match self.core.framing() {
            None => "plain",
            Some(Framing::Native) => "native",
            Some(Framing::Resp | Framing::Inline) => "resp",
        }
    }

    /// `resp` or `json`.
    #[getter]
    fn output(&self) -> &'static str {
        match self.core.output() {
            Output::Resp => "resp",
            Output::Json => "json",
        }
    }

    /// Whether EXEC has commands yet to run: no other connection may run any.
    #[getter]
    fn in_transaction(&self) -> bool {
        self.core.is_in_transaction()
    }

    /// The version of RESP, 2 or 3.
    #[getter]
    fn protocol(&self) -> u8 {
        match self.core.protocol() {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }

    #[setter]
    fn set_protocol(&mut self, version: u8) {
        let is_third = version == 3;
        self.core.select_protocol(if is_third { Protocol::Resp3 } else { Protocol::Resp2 });
    }

    /// Return to the state in which the connection began.
    fn reset(&mut self) {
        self.core.reset();
    }

    /// Parse received bytes and run the complete requests.
    fn feed(&mut self, py: Python<'_>, data: &[u8], now_ns: i64) -> PyResult<Batch> {
        let batch = self.core.feed(&mut enter(py, &self.shared), data, now_ns, &monotonic_ns);
        convert(py, batch)
    }

    /// Run received bytes like `feed`, but return bare replies, or replies and log bytes, if there
    /// is nothing else. Nearly every request ends so, and creating a batch would cost more.
    fn receive<'py>(
        &mut self,
        py: Python<'py>,
        data: &[u8],
        now_ns: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let batch = self.core.feed(&mut enter(py, &self.shared), data, now_ns, &monotonic_ns);
        if !batch.needs_dispatch() {
            dispose(batch.garbage);
            let replies = PyBytes::new(py, &batch.replies);
            if batch.log.is_empty() {
                return Ok(replies.into_any());
            }
            return Ok(PyTuple::new(py, [replies, PyBytes::new(py, &batch.log)])?.into_any());
        }
        Ok(Bound::new(py, convert(py, batch)?)?.into_any())
    }

    /// Take the results of a unit at which the session stopped and that has run. Return the replies
    /// and the rest of the results.
    fn finish_reads<'py>(
        &mut self,
        py: Python<'py>,
        unit: &ReadUnit,
    ) -> PyResult<(Bound<'py, PyAny>, Batch)> {
        let Some(core) = unit.take() else {
            return Err(PyRuntimeError::new_err("the unit has not run"));
        };
        let mut engine = lock(py, &self.shared);
        engine.ignore_freed(core.result_bytes());
        let mut batch = self.core.finish_unit(&mut engine, core, &monotonic_ns);
        drop(engine);
        let replies = SharedBytes::new(std::mem::take(&mut batch.replies), 0);
        Ok((view_of(py, replies)?, convert(py, batch)?))
    }

    /// Run a command that is given as words.
    fn run(&mut self, py: Python<'_>, args: Vec<Vec<u8>>, now_ns: i64) -> PyResult<Batch> {
        let batch = self.core.run_words(&mut enter(py, &self.shared), &args, now_ns, &monotonic_ns);
        convert(py, batch)
    }

    /// Run commands as one transaction; each reply has a line end before it. None runs if one is
    /// refused.
    fn run_atomically(
        &mut self,
        py: Python<'_>,
        commands: Vec<Vec<Vec<u8>>>,
        now_ns: i64,
    ) -> PyResult<Batch> {
        let mut engine = enter(py, &self.shared);
        let batch = self.core.run_atomically(&mut engine, commands, now_ns, &monotonic_ns);
        drop(engine);
        convert(py, batch)
    }

    /// Return whether a command that is given as words would run now, without running it.
    #[allow(clippy::needless_pass_by_value)] // as the binding converts them
    fn admits(&mut self, py: Python<'_>, args: Vec<Vec<u8>>) -> bool {
        self.core.admits(&enter(py, &self.shared), &args, &monotonic_ns)
    }

    /// Frame the reply of the server command at which the session stopped.
    #[pyo3(signature = (value, members = Vec::new()))]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        members: Vec<(String, Bound<'py, PyAny>)>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (mut resp, mut json) = (Vec::new(), Vec::new());
        match self.core.output() {
            Output::Resp => write_resp(&mut resp, value, self.core.protocol())?,
            Output::Json => write_members(&mut json, &members)?,
        }
        Ok(PyBytes::new(py, &self.core.answer(&resp, &json, &monotonic_ns)))
    }

    /// Frame the error reply of the server command at which the session stopped.
    fn fail<'py>(&self, py: Python<'py>, text: &Bound<'py, PyString>) -> Bound<'py, PyBytes> {
        let error = Error::Text(text_bytes(text));
        lock(py, &self.shared).error_counters.note(&error);
        PyBytes::new(py, &self.core.fail(&error, &monotonic_ns))
    }

    /// Frame a message of a live fence for this connection.
    fn frame_event<'py>(&self, py: Python<'py>, message: &[u8]) -> Bound<'py, PyBytes> {
        let mut out = Vec::new();
        self.core.write_event(&mut out, message);
        PyBytes::new(py, &out)
    }

    /// Frame the arity error.
    fn wrong_arity<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.fail(&Error::WrongArity, &monotonic_ns))
    }
}
