//! The binding `tile38py._engine`: converts arguments and replies, holds the lock, releases the
//! GIL. Decides nothing.

#![allow(clippy::needless_pass_by_value)] // PyO3 hands arguments over by value

mod access;
mod byte_buffer;
mod commands;
mod disposal;
mod endpoints;
mod engine;
mod events;
mod following;
mod hooks;
mod large_write;
mod live_snapshot;
mod memory;
mod read_pool;
mod read_unit;
mod rewrite;
mod search_threads;
mod session;
mod time_zones;
mod values;

use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Returns monotonic nanoseconds, never 0. Only for durations: commands get their time passed in.
fn monotonic_ns() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

/// Split command text as Tile38's native protocol does.
#[pyfunction]
fn split_native(text: &[u8]) -> Vec<Vec<u8>> {
    ::engine::request::split_native(text).into_iter().map(<[u8]>::to_vec).collect()
}

/// Return a text unchanged if it is JSON, else as a JSON string.
#[pyfunction]
fn json_text<'py>(py: Python<'py>, text: Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
    if ::engine::json::is_valid(text.as_bytes()) {
        return text;
    }
    let mut out = Vec::new();
    ::engine::json::write_short(&mut out, text.as_bytes());
    PyBytes::new(py, &out)
}

/// The data engine of tile38py.
#[pymodule]
mod _engine {
    #[pymodule_export]
    use crate::access::AccessSelector;
    #[pymodule_export]
    use crate::commands::CommandRecord;
    #[pymodule_export]
    use crate::endpoints::EndpointRefusal;
    #[pymodule_export]
    use crate::engine::{Engine, Load};
    #[pymodule_export]
    use crate::events::{
        ChannelEvent, Events, HookChange, HookEvent, HookProgress, LiveEvent, QueuedEvent,
    };
    #[pymodule_export]
    use crate::following::{Discarded, Followed, ParsedPiece};
    #[pymodule_export]
    use crate::hooks::HookDefinition;
    #[pymodule_export]
    use crate::json_text;
    #[pymodule_export]
    use crate::large_write::LargeWrite;
    #[pymodule_export]
    use crate::live_snapshot::LiveSnapshot;
    #[pymodule_export]
    use crate::read_pool::ReadPool;
    #[pymodule_export]
    use crate::read_unit::ReadUnit;
    #[pymodule_export]
    use crate::rewrite::Rewrite;
    #[pymodule_export]
    use crate::session::Yield;
    #[pymodule_export]
    use crate::session::{shorten, Batch, Close, Http, Live, ServerCommand, Session};
    #[pymodule_export]
    use crate::split_native;
    #[pymodule_export]
    use crate::values::{Push, Simple};

    /// Whether the engine is a debug build.
    #[pymodule_export]
    const DEBUG_BUILD: bool = cfg!(debug_assertions);
}
