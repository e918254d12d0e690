//! The data engine of tile38py, sans-IO and deterministic.
//!
//! Bytes and the time go in; replies, log bytes, events and requests for the server come out. The
//! crate never opens a socket or a file, never reads a clock and never starts a thread.
//!
//! | module | owns |
//! | --- | --- |
//! | [`session`] | a connection: parsing ahead, gates, framing, timing of its requests |
//! | [`engine`] | all data, the table of commands, loading of logs, expiry |
//! | [`commands`] | a function and a record for each command; the table of them all |
//! | [`gate`] | the states in which commands are refused |
//! | [`access`] | the rights of users |
//! | [`call`] | a running command: arguments, reply, budget of work |
//! | [`helpers`] | threads that help with one command, which the driver provides |
//! | [`query`] | search grammar: options, areas, filters, expressions; rows of results |
//! | [`fence`] | geofences, hooks and channels, their index and their messages |
//! | [`script`] | Lua: the sandbox, its libraries, the cache of scripts |
//! | [`rewrite`] | all data as the commands that create it |
//! | [`keyspace`] | all collections and fences; cloning it is a snapshot |
//! | [`collection`] | the objects of a key, by id, place, value and deadline |
//! | [`spatial_index`] | the index of a collection by place |
//! | [`object`], [`field`] | a stored object; its fields |
//! | [`index`] | copy-on-write B-tree and R-tree |
//! | [`geometry`] | shapes, GeoJSON, predicates, distances |
//! | [`time_zones`] | the offsets of time zones, whose rules the driver knows |
//! | [`tile`] | vector tiles: objects drawn on the grid of a tile, as protobuf |
//! | [`request`], [`reply`], [`output`] | parsed requests; encoded replies; forms of objects |
//! | [`json`], [`number`], [`glob`] | JSON as bytes; numbers as text; patterns |
//! | [`error`] | errors with the texts that clients parse |
//! | [`timing`], [`counters`] | durations of commands; counters since the start |
//! | [`endpoint_url`] | whether a hook's URL is well-formed |

pub mod access;
pub mod call;
pub mod collection;
pub mod commands;
pub mod counters;
pub mod endpoints;
pub mod engine;
pub mod error;
mod event_time;
pub mod fence;
pub mod field;
pub mod garbage;
pub mod gate;
pub mod geometry;
pub mod glob;
pub mod helpers;
pub mod index;
pub mod json;
pub mod keyspace;
pub mod number;
pub mod object;
pub mod output;
pub mod parse_ahead;
pub mod quantity;
pub mod query;
pub mod reply;
pub mod request;
pub mod rewrite;
pub mod script;
pub mod session;
pub mod shared_bytes;
pub mod spatial_index;
pub mod tile;
pub mod time_zones;
pub mod timing;
pub mod transaction_log;
mod varint;
