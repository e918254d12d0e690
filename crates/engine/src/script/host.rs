//! The host of a script: what runs its commands and limits its work. A slot of the thread lends it
//! to functions that a sandbox makes once, and which outlive it.

use scoped_tls_hkt::scoped_thread_local;

use crate::error::{Error, Result};
use crate::request::Args;

/// Why a command that a script called failed.
pub enum CallError {
    /// The command's own error, which the script may handle.
    Failed(Error),
    /// The script has to stop with this error.
    Stopped(Error),
}

/// The side of a script that knows commands and the limit of work.
pub trait Host {
    /// Runs a command, whose reply in RESP is [`Host::reply`].
    fn call(&mut self, args: Args) -> std::result::Result<(), CallError>;

    /// Returns the reply of the last command.
    fn reply(&self) -> &[u8];

    /// Returns the seconds since the script began.
    fn elapsed_seconds(&self) -> f64;

    /// Charges units of work. Fails if the script has to stop.
    fn charge(&mut self, work: u64) -> Result<()>;
}

scoped_thread_local! {
    /// The host of the script that runs on this thread. The slot is empty while the host runs a
    /// command, so that a script that tests the objects of a search has no host.
    static mut HOST: for<'a> &'a mut dyn Host
}

/// Runs a function while its thread has this host.
pub(super) fn with_host<R>(host: &mut dyn Host, function: impl FnOnce() -> R) -> R {
    HOST.set(host, function)
}

/// Returns whether this thread has a host.
pub(super) fn has_host() -> bool {
    HOST.is_set()
}

/// Runs a function with the thread's host. Panics if there is none.
pub(super) fn use_host<R>(function: impl FnOnce(&mut dyn Host) -> R) -> R {
    HOST.with(function)
}

/// Charges the thread's host for units of work. Fails if the script has to stop.
pub(super) fn charge(work: u64) -> Result<()> {
    if HOST.is_set() {
        HOST.with(|host| host.charge(work))
    } else {
        Err(Error::OverBudget)
    }
}
