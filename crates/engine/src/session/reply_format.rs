//! How the reply to one request is written: RESP or JSON, within the request's framing.

use super::Clock;
use crate::error::Error;
use crate::reply::{self, Output};
use crate::request::Framing;

/// All that a reply's bytes depend on besides the reply. Sessions make one for each reply; a read
/// on another thread makes one without a session.
pub(super) struct ReplyFormat<'r> {
    pub output: Output,
    /// `None` for bare payloads.
    pub framing: Option<Framing>,
    /// The first word as it was typed, which arity errors name.
    pub word: &'r [u8],
    /// When the request began, for JSON's `elapsed`; 0 if nobody will look.
    pub started_ns: u64,
}

impl ReplyFormat<'_> {
    /// The bytes of a reply, made from RESP bytes or JSON members, whichever the output wants.
    pub fn answer(&self, resp: &[u8], members: &[u8], clock: Clock) -> Vec<u8> {
        let mut out = Vec::new();
        match self.output {
            Output::Resp => self.write_payload(&mut out, resp),
            Output::Json => self.write_members(&mut out, members, clock),
        }
        out
    }

    /// The bytes of an error reply.
    pub fn fail(&self, error: &Error, clock: Clock) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_error(&mut out, error, clock);
        out
    }

    /// Appends a JSON reply made from its members.
    pub fn write_members(&self, out: &mut Vec<u8>, members: &[u8], clock: Clock) {
        let mut payload = Vec::with_capacity(members.len() + 48);
        reply::write_json_object(&mut payload, members, self.elapsed_ns(clock));
        self.write_payload_json(out, &payload);
    }

    /// Appends an error reply.
    pub fn write_error(&self, out: &mut Vec<u8>, error: &Error, clock: Clock) {
        let mut payload = Vec::new();
        if self.output == Output::Resp {
            reply::write_command_error(&mut payload, error, self.word);
            self.write_payload(out, &payload);
        } else {
            reply::write_json_error(&mut payload, error, self.elapsed_ns(clock));
            self.write_payload_json(out, &payload);
        }
    }

    /// Appends RESP bytes: as they are, but within the frame of a native request.
    pub fn write_payload(&self, out: &mut Vec<u8>, payload: &[u8]) {
        match self.framing {
            Some(Framing::Native) => reply::write_framed(out, Framing::Native, payload),
            _ => out.extend_from_slice(payload),
        }
    }

    /// Appends a JSON text in the request's framing.
    pub fn write_payload_json(&self, out: &mut Vec<u8>, payload: &[u8]) {
        match self.framing {
            Some(framing) => reply::write_framed(out, framing, payload),
            None => out.extend_from_slice(payload),
        }
    }

    fn elapsed_ns(&self, clock: Clock) -> u64 {
        match self.started_ns {
            0 => 0,
            started_ns => clock().saturating_sub(started_ns),
        }
    }
}
