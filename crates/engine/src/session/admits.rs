//! Whether a request may run, for drivers that can answer it without running it.

use super::{Clock, Session};
use crate::engine::Engine;
use crate::reply::Framing;
use crate::request::Arguments;
use crate::session::Request;

impl Session {
    /// Returns whether the gates would let a request pass that came as words.
    pub fn admits<T: AsRef<[u8]>>(&mut self, engine: &Engine, words: &[T], clock: Clock) -> bool {
        let mut arguments = Arguments::default();
        arguments.assign(words);
        let args = arguments.view(&[]);
        let framing = Framing::Inline;
        let request = Request { args, raw: None, framing, is_last: true, now_ns: 0, clock };
        self.admit(engine, &request, engine.table.find(args)).is_ok()
    }
}
