//! The meter of a sandbox: it counts the work of a script and stops the script when that is too
//! much. The VM's hook and the library functions, which the hook doesn't see, report to it.

use std::cell::{Cell, RefCell};

use mlua::{Error as LuaError, Lua, Result as LuaResult};

use super::host;
use crate::error::Error;

/// Instructions of the VM between two calls of the hook.
pub(super) const HOOK_INSTRUCTIONS: u32 = 200;
/// Instructions of the VM that take as long as a unit of work.
const INSTRUCTIONS_PER_WORK: u32 = 25;
/// Bytes that a library function may copy or compare for a unit of work.
pub(super) const BYTES_PER_WORK: usize = 512;
/// The units of work after which the host is asked whether the script may go on.
const WORK_PER_CHECK: u64 = 64;
/// The memory of a sandbox above which the host is asked at each call of the hook, because a
/// single instruction may copy much of it.
const LARGE_MEMORY_BYTES: usize = 4 * 1024 * 1024;

/// The meter of a sandbox.
#[derive(Default)]
pub(super) struct Meter {
    /// The units of work since the host was asked.
    unchecked: Cell<u64>,
    /// Whether the script has a host, which limits its work; [`Meter::allowance`] is the limit
    /// while objects are tested.
    pub has_host: Cell<bool>,
    /// The units of work that the test of an object may still do.
    pub allowance: Cell<u64>,
    /// Why the script was stopped.
    pub failure: RefCell<Option<Error>>,
}

impl Meter {
    /// Counts the instructions since the last call of the hook.
    pub fn count_instructions(&self, lua: &Lua) -> LuaResult<()> {
        let is_large = lua.used_memory() > LARGE_MEMORY_BYTES;
        self.count(u64::from(HOOK_INSTRUCTIONS / INSTRUCTIONS_PER_WORK), is_large)
    }

    /// Counts units of work. Fails if the script has to stop.
    pub fn spend(&self, work: u64) -> LuaResult<()> {
        self.count(work, false)
    }

    /// Counts the work of a library function that copies or compares so many bytes.
    pub fn spend_bytes(&self, bytes: usize) -> LuaResult<()> {
        self.count((bytes / BYTES_PER_WORK) as u64, false)
    }

    fn count(&self, work: u64, is_urgent: bool) -> LuaResult<()> {
        if !self.has_host.get() {
            let left = self.allowance.get();
            self.allowance.set(left.saturating_sub(work));
            return if left >= work { Ok(()) } else { Err(self.stop(Error::OverBudget)) };
        }
        let unchecked = self.unchecked.get() + work;
        if unchecked < WORK_PER_CHECK && !is_urgent {
            self.unchecked.set(unchecked);
            return Ok(());
        }
        self.unchecked.set(0);
        host::charge(unchecked).map_err(|error| self.stop(error))
    }

    /// Returns the units of work of which the host doesn't know yet.
    pub fn take_unchecked(&self) -> u64 {
        self.unchecked.replace(0)
    }

    /// Notes why the script has to stop; returns the error that stops it.
    pub fn stop(&self, error: Error) -> LuaError {
        *self.failure.borrow_mut() = Some(error);
        LuaError::runtime("stopped")
    }

    /// Forgets everything about the last script.
    pub fn reset(&self) {
        self.unchecked.set(0);
        self.allowance.set(0);
        self.has_host.set(false);
        self.failure.take();
    }
}
