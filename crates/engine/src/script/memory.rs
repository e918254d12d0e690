//! The memory limit of a sandbox, and its absence while values are made.

use mlua::Lua;

/// The most memory of a sandbox.
pub(super) const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most memory that a value takes for each byte of the text from which it is made: a reply of
/// RESP has at least four bytes for an element.
const FACTOR_MAX: usize = 16;

/// Restores the limit, also after a panic.
struct Restored<'l>(&'l Lua);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        // Fails only for a state with an allocator of its own.
        let _ = self.0.set_memory_limit(MEMORY_BYTES_MAX);
    }
}

/// Makes values from a text of so many bytes. The memory limit is off meanwhile if the values
/// can't exceed it: with a limit, mlua runs each allocation in protected mode, which takes as long
/// as the allocation.
pub(super) fn without_limit<R>(lua: &Lua, text_bytes: usize, make: impl FnOnce() -> R) -> R {
    let bytes_max = text_bytes.saturating_mul(FACTOR_MAX).saturating_add(1024);
    if lua.used_memory().saturating_add(bytes_max) > MEMORY_BYTES_MAX {
        return make();
    }
    let restored = Restored(lua);
    let _ = lua.set_memory_limit(0);
    let made = make();
    drop(restored);
    made
}
