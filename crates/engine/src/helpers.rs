//! Threads that help with one command. The engine starts none itself: its driver provides them.

/// Runs work on several threads at once.
pub trait Helpers: Sync {
    /// Calls `help` on each helping thread and `own` on the present one, all at once. Returns when
    /// all calls have returned.
    fn run(&self, help: &(dyn Fn() + Sync), own: &mut dyn FnMut());
}
