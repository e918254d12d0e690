//! The threads among which one long search is split.

use std::thread;

use ::engine::helpers::Helpers;

/// Starts threads for one search and ends them with it.
pub struct SearchThreads {
    /// The number of threads besides the present one.
    pub helper_count: usize,
}

impl Helpers for SearchThreads {
    fn run(&self, help: &(dyn Fn() + Sync), own: &mut dyn FnMut()) {
        thread::scope(|scope| {
            for number in 0..self.helper_count {
                let builder = thread::Builder::new().name(format!("search {number}"));
                // Without a thread that can't be started the search takes longer.
                let _ = builder.spawn_scoped(scope, help);
            }
            own();
        });
    }
}
