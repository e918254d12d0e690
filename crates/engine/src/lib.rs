//! The data engine of tile38py, sans-IO and deterministic.
//!
//! Bytes and the time go in; reply bytes, log bytes and server commands come out. The crate never
//! opens a socket or a file, never reads a clock and never starts a thread.

pub mod call;
pub mod collection;
pub mod commands;
pub mod endpoints;
pub mod engine;
pub mod error;
pub mod fence;
pub mod field;
pub mod gate;
pub mod geometry;
pub mod glob;
pub mod index;
pub mod json;
pub mod keyspace;
pub mod number;
pub mod object;
pub mod output;
pub mod query;
pub mod reply;
pub mod request;
pub mod rewrite;
pub mod session;
pub mod spatial_index;
pub mod timing;
