//! Live connections: they receive messages, and in RESP2 the driver answers all their requests.

use super::request::Request;
use super::{Batch, Clock, Session, Stop};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::reply::{self, Framing, Output, Protocol};
use crate::request::Args;

/// The first reply of a live fence, in JSON.
const LIVE: &[u8] = br#"{"ok":true,"live":true}"#;

impl Session {
    /// Opens the live fence of a search. Fails within EXEC.
    pub(super) fn open_live(
        &self,
        engine: &mut Engine,
        fence: Option<Box<Fence>>,
        request: &Request,
        batch: &mut Batch,
    ) -> Result<()> {
        if self.is_in_exec {
            return Err(Error::text("ERR FENCE is not allowed inside a transaction"));
        }
        engine.set_moment(request.now_ns);
        batch.stop = fence.map(|fence| self.go_live(engine, *fence, &mut batch.replies));
        Ok(())
    }

    /// Registers a live fence and appends its first reply. That is bare JSON for WebSocket; in a
    /// native frame it is a RESP bulk string, as in Tile38.
    fn go_live(&self, engine: &mut Engine, fence: Fence, out: &mut Vec<u8>) -> Stop {
        let number = engine.keyspace.fences_mut().add_live(fence);
        engine.keyspace.prepare_zones();
        match self.frame.framing {
            _ if self.output() == Output::Resp => self.frame.write_resp(out, b"+OK\r\n"),
            Some(Framing::Native) => {
                let mut payload = Vec::new();
                reply::write_bulk(&mut payload, LIVE);
                self.frame.write_resp(out, &payload);
            }
            _ => self.frame.write_json(out, LIVE),
        }
        Stop::Live(number)
    }

    /// Completes a batch: takes its events, and hands further requests to the driver if a live
    /// fence was opened.
    pub(super) fn finish(&mut self, engine: &mut Engine, batch: &mut Batch, clock: Clock) {
        self.timer.end_batch(&mut engine.timing, clock);
        engine.placement.end_batch(&mut self.costs, self.timer.last_reading_ns());
        // A command that failed may have changed objects before.
        batch.log.extend(engine.take_event_log().take_single());
        batch.garbage = engine.keyspace.take_garbage();
        if engine.state.is_out_of_memory {
            // The next write needs the room.
            drop(std::mem::take(&mut batch.garbage));
        }
        // Events of the log were delivered when it was written; the loader discards them.
        if !engine.state.is_loading {
            batch.outbox = engine.take_outbox();
        }
        // In RESP3 messages are pushes, which commands and their replies can stand between.
        let is_live = matches!(batch.stop, Some(Stop::Live(_)));
        self.is_live |= is_live && self.protocol() == Protocol::Resp2;
    }

    /// Appends a message of a live fence, framed for the connection.
    pub fn write_event(&self, out: &mut Vec<u8>, message: &[u8]) {
        self.frame.write_json(out, message);
    }
}

/// Returns the stop for a request of a live connection, which the driver answers.
pub(super) fn handed_out(args: Args) -> Stop {
    let name = String::from_utf8_lossy(&args.at(0).to_ascii_uppercase()).into_owned();
    Stop::at_command(name, args.skip(1), Vec::new())
}
