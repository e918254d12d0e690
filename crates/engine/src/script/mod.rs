//! Lua scripts: the sandbox in which they run, their libraries, the conversion of values, and the
//! cache of their texts. Knows no command: what `tile38.call` runs is the caller's.

mod cache;
mod convert;
mod host;
mod host_functions;
mod json_library;
mod memory;
mod meter;
mod number_text;
mod object_test;
mod pattern;
mod prepared;
mod resp;
mod run;
mod sandbox;
mod string_library;
mod table_library;
mod tile38_library;

pub use cache::{Script, ScriptCache};
pub use host::{CallError, Host};
pub use object_test::ObjectTest;
pub use run::{cached_script, run, Inputs, Reply};
pub use sandbox::drop_idle;
