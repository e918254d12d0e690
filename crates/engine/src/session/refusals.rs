//! Refusals of input that is no request, or too large for one: the connection closes.

use super::{Batch, Clock, Session, Stop};
use crate::engine::Engine;
use crate::error::Error;
use crate::reply::{self, Framing, Output};

impl Session {
    /// Closes the connection for a protocol error. The client gets the error only if it has got
    /// replies before, as in Tile38.
    pub(super) fn refuse(&mut self, text: &[u8], batch: &mut Batch) {
        let message = [b"Protocol error: ", text].concat();
        if self.has_answered {
            match self.output() {
                Output::Resp => {
                    // This error alone has no ERR before it.
                    batch.replies.push(b'-');
                    batch.replies.extend_from_slice(&message);
                    batch.replies.extend_from_slice(b"\r\n");
                }
                Output::Json => {
                    let mut payload = b"{\"ok\":false,\"err\":".to_vec();
                    crate::json::write_short(&mut payload, &message);
                    payload.push(b'}');
                    reply::write_framed(&mut batch.replies, Framing::Resp, &payload);
                }
            }
        }
        batch.stop = Some(Stop::Close(message));
    }

    /// Returns whether an incomplete request of `needed` bytes is allowed, so that the session
    /// waits for its rest. Refuses a request that exceeds a limit.
    pub(super) fn may_arrive(
        &mut self,
        needed: usize,
        engine: &Engine,
        head: &[u8],
        clock: Clock,
        batch: &mut Batch,
    ) -> bool {
        self.needed = needed;
        if needed > engine.request_bytes_max {
            self.refuse_large(head, clock, batch);
        } else if needed > engine.query_bytes_max {
            self.refuse(b"request above client-query-buffer-limit", batch);
        }
        batch.stop.is_none()
    }

    /// Refuses an incomplete request that is too large for the memory that is left.
    fn refuse_large(&mut self, head: &[u8], clock: Clock, batch: &mut Batch) {
        let framing = if head.starts_with(b"$") { Framing::Native } else { Framing::Resp };
        self.choose_output(framing);
        self.frame.framing = (!self.is_plain).then_some(framing);
        self.frame.started_ns = clock();
        let error = Error::out_of_memory();
        self.frame.write_error(&mut batch.replies, self.output(), &error, clock);
        batch.stop = Some(Stop::Close(b"a request is too large for maxmemory".to_vec()));
    }
}
