//! Connections that turn live: they watch a fence and take no more requests.

use super::{Batch, Session, Stop};
use crate::engine::Engine;
use crate::fence::Fence;
use crate::reply::{self, Output};
use crate::request::{Args, Framing};

/// What a connection hears first.
const LIVE: &[u8] = br#"{"ok":true,"live":true}"#;

impl Session {
    /// Makes the fence that a search asks for. The first words are bare JSON for WebSocket; within
    /// a native frame they are framed once more, as clients know it from Tile38.
    pub(super) fn go_live(&self, engine: &mut Engine, fence: Fence, out: &mut Vec<u8>) -> Stop {
        let number = engine.keyspace.fences_mut().add_live(fence);
        match self.pending.framing {
            _ if self.output() == Output::Resp => self.write_payload(out, b"+OK\r\n"),
            Some(Framing::Native) => {
                let mut payload = Vec::new();
                reply::write_bulk(&mut payload, LIVE);
                self.write_payload(out, &payload);
            }
            _ => self.write_payload_json(out, LIVE),
        }
        Stop::Live(number)
    }

    /// Takes what fences and hooks came to. Requests that came together with a live one are
    /// dropped, as Tile38 does.
    pub(super) fn finish(&mut self, engine: &mut Engine, batch: &mut Batch) {
        batch.outbox = engine.take_outbox();
        if matches!(batch.stop, Some(Stop::Live(_))) {
            self.is_live = true;
            self.buffer = Vec::new();
            self.position = 0;
        }
    }

    /// Appends a message of a live fence, framed for the connection.
    pub fn write_event(&self, out: &mut Vec<u8>, message: &[u8]) {
        self.write_payload_json(out, message);
    }
}

/// Whatever a client with a live fence says ends the connection; only QUIT and nothing at all do
/// so silently.
pub(super) fn end_of_live(args: Args) -> Stop {
    let is_silent = args.is_empty() || args.at(0).eq_ignore_ascii_case(b"QUIT");
    let text: &[u8] = if is_silent { b"" } else { b"received a live command that was not QUIT" };
    Stop::Close(text.to_vec())
}
