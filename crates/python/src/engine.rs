//! `Engine`, and `Load`: the result of replaying a piece of a log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use ::engine::access::Rights;
use ::engine::engine::{Engine as CoreEngine, Load as CoreLoad, Outbox};
use ::engine::fence::{HookKind, Recovery, Sequence};
use ::engine::gate::State;
use ::engine::geometry::ParseOptions;
use ::engine::parse_ahead::{parse_ahead, parse_long};
use ::engine::reply::{Output, Protocol};
use ::engine::request::Arguments;
use ::engine::session::{Session as CoreSession, Stop, LARGE_WRITE_BYTES_MIN};
use ::engine::spatial_index;
use ::engine::time_zones::TimeZones;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyDict};

use crate::access::AccessSelector;
use crate::commands::CommandRecord;
use crate::disposal::dispose;
use crate::endpoints::PythonChecker;
use crate::events::{convert_outbox, Events};
use crate::following::{lossy, Discarded, Followed, ParsedPiece};
use crate::hooks::HookDefinition;
use crate::live_snapshot::LiveSnapshot;
use crate::memory::{heap_bytes, BoundedEngine};
use crate::monotonic_ns;
use crate::rewrite::Rewrite;
use crate::session::Session;
use crate::time_zones::PythonRules;
use crate::values::{decode_reply, write_resp};

/// Shorter pieces of a log are loaded without a second thread.
const OFFLOADING_BYTES_MIN: usize = 64 * 1024;
/// The bytes at the start of a log by which it is decided whether commands are parsed ahead.
const SAMPLE_BYTES_MAX: usize = 64 * 1024;
/// The average length of commands from which they are parsed ahead.
const LONG_COMMAND_BYTES_MIN: usize = 256;

/// The engine, which all of its sessions share.
pub type Shared = Arc<Mutex<BoundedEngine>>;

/// Locks the engine, and releases the GIL while it waits: the thread with the lock may need the GIL
/// to call Python. The lock can't be poisoned: a panic ends the process.
pub fn lock<'s>(py: Python<'_>, shared: &'s Shared) -> MutexGuard<'s, BoundedEngine> {
    shared.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
}

/// Locks the engine on a thread without the GIL.
fn lock_detached(shared: &Shared) -> MutexGuard<'_, BoundedEngine> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wraps an engine so that sessions can share it.
fn share(engine: CoreEngine) -> Shared {
    Arc::new(Mutex::new(BoundedEngine::new(engine)))
}

/// The data, and all commands that only read or change data.
#[pyclass(frozen)]
pub struct Engine {
    shared: Shared,
}

/// The result of replaying a piece of a log.
#[pyclass(frozen, get_all)]
pub struct Load {
    consumed: usize,
    commands: usize,
    error: Option<String>,
    skipped: Vec<(String, usize)>,
}

/// Returns whether the commands at the start of a log are so long that another thread that parses
/// them saves time. To hand over a point takes longer than to parse it.
fn has_long_commands(data: &[u8]) -> bool {
    let sample = &data[..data.len().min(SAMPLE_BYTES_MAX)];
    let count = sample.windows(3).filter(|bytes| bytes == b"\r\n*").count() + 1;
    sample.len() / count >= LONG_COMMAND_BYTES_MIN
}

/// Replays a piece of a log, on two or three threads if it is large.
fn load_piece(engine: &mut CoreEngine, data: &[u8], now_ns: i64) -> CoreLoad {
    if data.len() < OFFLOADING_BYTES_MIN {
        return engine.load(data, now_ns);
    }
    let options = ParseOptions { require_valid: engine.keyspace.requires_valid };
    let (offloader, worker) = spatial_index::offloading();
    thread::scope(|scope| {
        let named = |name: &str| thread::Builder::new().name(name.to_string());
        let worker = named("load index").spawn_scoped(scope, move || worker.run());
        if worker.is_ok() && !has_long_commands(data) {
            return engine.load_offloading(data, &mut Arguments::default(), now_ns, offloader);
        }
        let (parser, mut parsed) = parse_ahead(data, options);
        let parser = named("load parser").spawn_scoped(scope, move || parser.run());
        if worker.and(parser).is_ok() {
            return engine.load_offloading(data, &mut parsed, now_ns, offloader);
        }
        // The threads that have started end.
        drop((offloader, parsed));
        engine.load(data, now_ns)
    })
}

fn output_of(name: &str) -> PyResult<Option<Output>> {
    match name {
        "" => Ok(None),
        "resp" => Ok(Some(Output::Resp)),
        "json" => Ok(Some(Output::Json)),
        _ => Err(PyValueError::new_err(format!("unknown output {name:?}"))),
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, require_valid = false))]
    fn new(require_valid: bool) -> Self {
        // Lets jemalloc give memory back without anybody calling it.
        let _ = tikv_jemalloc_ctl::background_thread::write(true);
        Engine { shared: share(CoreEngine::new(require_valid)) }
    }

    /// Register a server command.
    #[allow(clippy::needless_pass_by_value)] // as the binding converts them
    fn register(&self, py: Python<'_>, record: PyRef<'_, CommandRecord>) -> PyResult<()> {
        let (facts, subcommands) = (record.facts()?, record.subcommands()?);
        let mut engine = lock(py, &self.shared);
        engine.register(&record.name, &record.syntax, &record.summary, facts, subcommands);
        Ok(())
    }

    /// Return the records of all commands, ascending by name.
    fn commands(&self, py: Python<'_>) -> Vec<CommandRecord> {
        let engine = lock(py, &self.shared);
        engine.table.records().into_iter().map(CommandRecord::of).collect()
    }

    /// Return the keys of a request, its command's own first; `None` for unknown commands.
    fn keys_of<'py>(
        &self,
        py: Python<'py>,
        args: Vec<Vec<u8>>,
    ) -> Option<Vec<Bound<'py, PyBytes>>> {
        let mut arguments = Arguments::default();
        arguments.assign(&args);
        let args = arguments.view(&[]);
        let engine = lock(py, &self.shared);
        let found = engine.table.find(args)?;
        let references = engine.table.record(found).facts.keys.references(args);
        Some(references.iter().map(|reference| PyBytes::new(py, reference.key)).collect())
    }

    /// Return the version of a collection; `None` if the key has none.
    fn version(&self, py: Python<'_>, key: &[u8]) -> Option<u64> {
        lock(py, &self.shared).keyspace.version(key)
    }

    /// Set the rights of a user, from selectors; `None` for a user that may do everything.
    #[pyo3(signature = (name, selectors))]
    fn set_user(
        &self,
        py: Python<'_>,
        name: &[u8],
        selectors: Option<Vec<PyRef<'_, AccessSelector>>>,
    ) {
        let mut engine = lock(py, &self.shared);
        let numbers = engine.table.numbers();
        let rights = selectors.map(|selectors| {
            let selectors = selectors.iter().map(|selector| selector.compile(&numbers)).collect();
            Rights::new(selectors, numbers)
        });
        engine.users.set(name, rights);
    }

    /// Remove a user. Its sessions keep no right.
    fn remove_user(&self, py: Python<'_>, name: &[u8]) {
        lock(py, &self.shared).users.remove(name);
    }

    /// Return the keys that a live fence watches.
    fn live_keys<'py>(&self, py: Python<'py>, fence: u64) -> Vec<Bound<'py, PyBytes>> {
        let engine = lock(py, &self.shared);
        let keys = engine.keyspace.fences().live_keys(fence);
        keys.iter().map(|key| PyBytes::new(py, key)).collect()
    }

    /// Set the function that checks the URLs of SETHOOK. It returns `EndpointRefusal` or `None`.
    fn check_endpoints(&self, py: Python<'_>, checker: Py<PyAny>) {
        let checker = Arc::new(PythonChecker::new(checker));
        lock(py, &self.shared).keyspace.endpoint_checker = Some(checker);
    }

    /// Set the function that knows the rules of time zones. It takes the name of a zone and seconds
    /// since 1970, and returns the seconds by which the zone is ahead of UTC or `None`.
    fn set_time_zones(&self, py: Python<'_>, utc_offset: Py<PyAny>) {
        let zones = Arc::new(TimeZones::new(Box::new(PythonRules(utc_offset))));
        lock(py, &self.shared).keyspace.time_zones = Some(zones);
    }

    /// Open a session.
    #[pyo3(signature = (*, framing = "resp", output = ""))]
    fn session(&self, framing: &str, output: &str) -> PyResult<Session> {
        let is_plain = match framing {
            "resp" => false,
            "plain" => true,
            _ => return Err(PyValueError::new_err(format!("unknown framing {framing:?}"))),
        };
        let core = CoreSession::new(is_plain, output_of(output)?);
        Ok(Session::new(Arc::clone(&self.shared), core))
    }

    /// Set the states that make the engine refuse commands.
    #[allow(clippy::fn_params_excessive_bools, clippy::too_many_arguments)]
    #[pyo3(signature = (*, loading, requires_password, following, caught_up_once, read_only,
        write_error = None))]
    fn set_state(
        &self,
        py: Python<'_>,
        loading: bool,
        requires_password: bool,
        following: bool,
        caught_up_once: bool,
        read_only: bool,
        write_error: Option<String>,
    ) {
        let mut engine = lock(py, &self.shared);
        let state = State {
            is_loading: loading,
            requires_password,
            is_following: following,
            caught_up_once,
            is_read_only: read_only,
            is_out_of_memory: engine.state.is_out_of_memory,
            write_error,
        };
        engine.set_state(state);
    }

    /// Start or stop reporting the executed commands in batches.
    fn monitor(&self, py: Python<'_>, is_on: bool) {
        lock(py, &self.shared).is_monitored = is_on;
    }

    /// Replay a piece of a log. Doesn't raise for invalid content: see `Load.error`.
    fn load(&self, py: Python<'_>, data: &[u8], now_ns: i64) -> Load {
        let load = py.detach(|| {
            let mut engine = lock_detached(&self.shared);
            let load = load_piece(&mut engine, data, now_ns);
            dispose(engine.keyspace.take_garbage());
            load
        });
        Load {
            consumed: load.consumed,
            commands: load.commands,
            error: load.error.map(|text| lossy(&text)),
            skipped: load.skipped.into_iter().collect(),
        }
    }

    /// Run a piece of a leader's stream. Doesn't raise for invalid content: see `Followed.error`.
    /// `scanned` is that of the call before if its unconsumed bytes come again, else 0.
    /// `parsed` is the result of `parse_long` for the same object.
    #[pyo3(signature = (data, scanned, now_ns, parsed = None))]
    fn follow(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyBytes>,
        scanned: usize,
        now_ns: i64,
        parsed: Option<&ParsedPiece>,
    ) -> PyResult<Followed> {
        let bytes = data.as_bytes();
        let mut source = parsed.map(ParsedPiece::take).unwrap_or_default();
        let follow = py.detach(|| {
            let mut engine = lock_detached(&self.shared);
            let follow = engine.follow_from(&mut source, bytes, scanned, now_ns);
            dispose(engine.keyspace.take_garbage());
            follow
        });
        Followed::of(py, data, follow)
    }

    /// Parse the geometries of the long commands in a piece of a leader's stream. Any thread.
    fn parse_long(&self, py: Python<'_>, data: &[u8]) -> ParsedPiece {
        let require_valid = lock(py, &self.shared).keyspace.requires_valid;
        let options = ParseOptions { require_valid };
        ParsedPiece::new(py.detach(|| parse_long(data, LARGE_WRITE_BYTES_MIN, options)))
    }

    /// Move the data, hooks and channels of another engine into this one.
    fn adopt(&self, py: Python<'_>, other: &Engine) -> PyResult<Discarded> {
        if Arc::ptr_eq(&self.shared, &other.shared) {
            return Err(PyValueError::new_err("an engine can't adopt its own data"));
        }
        let discarded = py.detach(|| {
            let handover = lock_detached(&other.shared).hand_over();
            lock_detached(&self.shared).adopt(handover)
        });
        Ok(Discarded::new(discarded))
    }

    /// Remove expired objects, hooks and channels; return the log bytes and the number removed.
    fn expire(&self, py: Python<'_>, now_ns: i64, count_max: usize) -> (Vec<u8>, usize) {
        let mut log = Vec::new();
        let mut engine = lock(py, &self.shared);
        let count = engine.expire(now_ns, count_max, &mut log);
        dispose(engine.keyspace.take_garbage());
        (log, count)
    }

    /// Send the messages of fences that are due without a write, for so many objects at most;
    /// return the log bytes and the number of objects.
    fn run_fence_upkeep(&self, py: Python<'_>, now_ns: i64, count_max: usize) -> (Vec<u8>, usize) {
        let mut log = Vec::new();
        let count = lock(py, &self.shared).run_fence_upkeep(now_ns, count_max, &mut log);
        (log, count)
    }

    /// Return the events of commands outside of batches; `None` if there are none.
    fn take_events(&self, py: Python<'_>) -> PyResult<Option<Events>> {
        let outbox = lock(py, &self.shared).take_outbox();
        convert_outbox(py, outbox)
    }

    /// Begin to recover the numbered events of a log that is about to be loaded, behind those that
    /// are stored: names with the last number and the time of the first event.
    fn begin_recovery(&self, py: Python<'_>, stored: Vec<(Vec<u8>, u64, i64)>) {
        let stored = stored
            .into_iter()
            .map(|(name, last, began_ns)| (name.into(), Sequence { last, began_ns, delivered: 0 }));
        lock(py, &self.shared).recovery = Some(Recovery::new(stored));
    }

    /// Return the recovered events of a loaded or adopted log; `None` if there are none.
    fn take_recovered(&self, py: Python<'_>) -> PyResult<Option<Events>> {
        let events = lock(py, &self.shared).take_recovered();
        convert_outbox(py, Outbox { events, ..Outbox::default() })
    }

    /// Note up to which number the events of hooks are delivered; return the log bytes.
    fn set_delivered<'py>(
        &self,
        py: Python<'py>,
        delivered: Vec<(Vec<u8>, u64)>,
    ) -> Bound<'py, PyBytes> {
        let delivered = delivered.iter().map(|(name, number)| (&name[..], *number));
        PyBytes::new(py, &lock(py, &self.shared).set_delivered(delivered))
    }

    /// Return the channel of a name; `None` if it doesn't exist.
    fn channel(&self, py: Python<'_>, name: &[u8]) -> Option<HookDefinition> {
        HookDefinition::find(&lock(py, &self.shared).keyspace, name, HookKind::Channel)
    }

    /// Return the number of the last event of a hook or channel, and the time of its first event;
    /// `None` if its events have no numbers.
    fn sequence(&self, py: Python<'_>, name: &[u8]) -> Option<(u64, i64)> {
        let sequence = lock(py, &self.shared).keyspace.fences().sequence(name)?;
        Some((sequence.last, sequence.began_ns))
    }

    /// Return the hook of a name; `None` if it doesn't exist.
    fn hook(&self, py: Python<'_>, name: &[u8]) -> Option<HookDefinition> {
        HookDefinition::find(&lock(py, &self.shared).keyspace, name, HookKind::Hook)
    }

    /// Return the names of all hooks, without channels, ascending.
    fn hook_names<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let engine = lock(py, &self.shared);
        let hooks = engine.keyspace.fences().from(b"");
        let hooks = hooks.filter(|hook| hook.kind() == HookKind::Hook);
        hooks.map(|hook| PyBytes::new(py, &hook.name)).collect()
    }

    /// Return the names of deleted hooks whose last messages may still be sent.
    fn closing_hooks<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let engine = lock(py, &self.shared);
        engine.keyspace.fences().closing_names().map(|name| PyBytes::new(py, name)).collect()
    }

    /// Forget a deleted hook: it has no message to send.
    fn close_hook(&self, py: Python<'_>, name: &[u8]) {
        lock(py, &self.shared).keyspace.fences_mut().close(name);
    }

    /// Begin a rewrite of the log from a snapshot, in constant time.
    fn rewrite(&self, py: Python<'_>, now_ns: i64) -> Rewrite {
        Rewrite::new(lock(py, &self.shared).rewrite(now_ns))
    }

    /// Return the first messages of a live fence; `None` if it has none.
    fn live_start(&self, py: Python<'_>, fence: u64) -> Option<LiveSnapshot> {
        lock(py, &self.shared).live_start(fence).map(LiveSnapshot::new)
    }

    /// Remove a live fence; return whether it existed.
    fn remove_live(&self, py: Python<'_>, fence: u64) -> bool {
        lock(py, &self.shared).remove_live(fence)
    }

    /// Set the time zone of messages, in seconds ahead of UTC, and the five bytes by which this
    /// server's group ids differ from others'.
    #[pyo3(signature = (*, utc_offset, group_seed))]
    fn set_fence_context(&self, py: Python<'_>, utc_offset: i32, group_seed: [u8; 5]) {
        let mut engine = lock(py, &self.shared);
        engine.utc_offset = utc_offset;
        engine.groups.seed = group_seed;
    }

    /// Return sums over all collections, and counters since the start.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let engine = lock(py, &self.shared);
        let (counts, counters) = (engine.keyspace.counts(), engine.counters);
        let dict = PyDict::new(py);
        dict.set_item("num_collections", engine.keyspace.len())?;
        dict.set_item("num_objects", counts.objects)?;
        dict.set_item("num_points", counts.points)?;
        dict.set_item("num_strings", counts.strings)?;
        dict.set_item("in_memory_size", counts.weight)?;
        dict.set_item("num_hooks", engine.keyspace.fences().named_count())?;
        dict.set_item("fence_bytes", engine.keyspace.fences().bytes())?;
        dict.set_item("commands_processed", counters.commands_processed)?;
        dict.set_item("expired", counters.expired)?;
        dict.set_item("waiting_positions", engine.keyspace.reorder.waiting_count())?;
        dict.set_item("late_positions", engine.keyspace.reorder.too_late_count)?;
        dict.set_item("read_units", engine.placement.created_count())?;
        dict.set_item("read_units_active", engine.placement.active_count())?;
        dict.set_item("transactions_run", counters.transactions_run)?;
        dict.set_item("transactions_refused", counters.transactions_refused)?;
        dict.set_item("transactions_conflicting", counters.transactions_conflicting)?;
        dict.set_item("error_replies", engine.error_counters.all())?;
        dict.set_item("timeouts", engine.error_counters.timeouts())?;
        let (script_count, script_bytes) = engine.keyspace.scripts.size();
        dict.set_item("scripts", script_count)?;
        dict.set_item("script_bytes", script_bytes)?;
        Ok(dict)
    }

    /// Record the duration of a server command.
    fn record(&self, py: Python<'_>, command: &str, took_ns: u64) {
        let timing = &mut lock(py, &self.shared).timing;
        let series = timing.series(command);
        timing.record(series, 1, took_ns, monotonic_ns());
    }

    /// Let sessions stop at read units, which the server runs on other threads.
    fn enable_read_units(&self, py: Python<'_>, is_on: bool) {
        lock(py, &self.shared).placement.is_enabled = is_on;
    }

    /// Report commands of this duration or more in batches; `None` for no command.
    fn set_slow_threshold(&self, py: Python<'_>, took_ns: Option<u64>) {
        lock(py, &self.shared).timing.slow_ns = took_ns.unwrap_or(u64::MAX);
    }

    /// Set the replies of SERVER and SERVER EXT for scripts, as lists of texts.
    fn set_server_replies(
        &self,
        py: Python<'_>,
        basic: &Bound<'_, PyAny>,
        extended: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let mut replies = [Vec::new(), Vec::new()];
        for (reply, value) in replies.iter_mut().zip([basic, extended]) {
            write_resp(reply, value, Protocol::Resp2)?;
        }
        lock(py, &self.shared).keyspace.server_replies = Some(Arc::new(replies));
        Ok(())
    }

    /// Let fences wait for positions with earlier event times; 0 = they don't.
    fn set_event_window(&self, py: Python<'_>, milliseconds: u32) {
        lock(py, &self.shared).keyspace.event_window_ns = i64::from(milliseconds) * 1_000_000;
    }

    /// End scripts that may write after this time: nothing else runs meanwhile.
    fn set_script_limit(&self, py: Python<'_>, milliseconds: u64) {
        lock(py, &self.shared).script_ns_max = milliseconds.saturating_mul(1_000_000);
    }

    /// Return for each command its name, count, sum of durations in nanoseconds, and these
    /// quantiles of the last ten minutes' durations.
    fn durations(
        &self,
        py: Python<'_>,
        parts: Vec<f64>,
    ) -> Vec<(String, u64, u64, Vec<Option<u64>>)> {
        let engine = lock(py, &self.shared);
        let all = engine.timing.durations(monotonic_ns());
        all.map(|found| {
            let quantiles = parts.iter().map(|part| found.quantile(*part)).collect();
            (found.name.to_string(), found.count, found.sum_ns, quantiles)
        })
        .collect()
    }

    /// Return the number of visits of objects to fences, in linear time.
    fn count_groups(&self, py: Python<'_>) -> usize {
        py.detach(|| lock_detached(&self.shared).groups.count())
    }

    /// Refuse writes while the heap is larger than so many bytes (`None` for no bound); return
    /// whether it is now.
    fn bound_memory(&self, py: Python<'_>, bytes_max: Option<usize>) -> bool {
        lock(py, &self.shared).bound(bytes_max)
    }

    /// Set the largest size of an incomplete request, in bytes.
    fn set_query_limit(&self, py: Python<'_>, bytes_max: usize) {
        lock(py, &self.shared).query_bytes_max = bytes_max;
    }

    /// Return the bytes of heap in use, and the bytes that were returned to the system.
    #[allow(clippy::unused_self)] // the heap is the process', but the caller needn't know
    fn memory(&self) -> PyResult<(usize, usize)> {
        use tikv_jemalloc_ctl::stats;
        let failed = |error: tikv_jemalloc_ctl::Error| PyRuntimeError::new_err(error.to_string());
        let allocated = heap_bytes().map_err(failed)?;
        let mapped = stats::mapped::read().map_err(failed)?;
        let resident = stats::resident::read().map_err(failed)?;
        Ok((allocated, mapped.saturating_sub(resident)))
    }

    /// Run a command; return its reply as Python values, and its log bytes.
    fn execute<'py>(
        &self,
        py: Python<'py>,
        args: Vec<Vec<u8>>,
        now_ns: i64,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<u8>)> {
        let mut session = CoreSession::new(false, Some(Output::Resp));
        let batch = {
            let mut engine = lock(py, &self.shared);
            session.run_words(&mut engine, &args, now_ns, &monotonic_ns)
        };
        let replies = match batch.stop {
            Some(Stop::Reads(mut unit)) => py.detach(|| unit.run(&monotonic_ns)),
            Some(Stop::Live(fence)) => {
                lock(py, &self.shared).remove_live(fence);
                return Err(PyValueError::new_err("a live fence needs a connection"));
            }
            _ => batch.replies,
        };
        Ok((decode_reply(py, &replies)?, batch.log))
    }

    /// Return a snapshot, in constant time. It refuses writes.
    fn snapshot(&self, py: Python<'_>) -> Engine {
        let engine = lock(py, &self.shared);
        let mut copy = CoreEngine::new(engine.keyspace.requires_valid);
        copy.keyspace = engine.keyspace.clone();
        copy.state.is_read_only = true;
        Engine { shared: share(copy) }
    }
}
