//! Whether a request may run, for drivers that can answer it without running it.

use super::{Clock, Session};
use crate::engine::Engine;
use crate::request::Arguments;
use crate::session::Request;

impl Session {
    /// Returns whether the gates would let a request pass that came as words.
    pub fn admits<T: AsRef<[u8]>>(&mut self, engine: &Engine, words: &[T], clock: Clock) -> bool {
        let mut arguments = Arguments::default();
        let request = Request::of_words(words, &mut arguments, 0, clock);
        self.admit(engine, &request, engine.table.find(request.args)).is_ok()
    }
}
