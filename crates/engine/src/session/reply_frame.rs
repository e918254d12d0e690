//! The frame of a request's reply: the protocol of the request, and what a JSON reply or an arity
//! error adds to the payload. It is independent of the session, so that a read on another thread
//! can write its reply.

use super::Clock;
use crate::error::Error;
use crate::reply::{self, Framing, Output, Protocol};

/// The frame of the reply to one request.
#[derive(Clone, Default)]
pub(super) struct ReplyFrame {
    /// The protocol of the request; `None` for payloads without a frame.
    pub framing: Option<Framing>,
    /// The request's first word as typed, which arity errors name.
    pub word: Vec<u8>,
    /// The version of RESP.
    pub protocol: Protocol,
    /// The reading of the monotonic clock at the start, in nanoseconds. 0 if no duration is shown.
    pub started_ns: u64,
}

impl ReplyFrame {
    /// Returns the reading of the clock at the start; 0 if neither the reply nor the command needs
    /// it.
    pub fn start(&self, is_needed: bool, clock: Clock) -> u64 {
        if is_needed && self.started_ns == 0 {
            clock()
        } else {
            self.started_ns
        }
    }

    /// Appends the reply of a command that succeeded. `body` is RESP, or the members of a JSON
    /// object, whichever the output is.
    pub fn write_ok(&self, out: &mut Vec<u8>, output: Output, body: &[u8], clock: Clock) {
        match output {
            Output::Resp => self.write_resp(out, body),
            Output::Json => {
                let mut payload = Vec::with_capacity(body.len() + 48);
                reply::write_json_object(&mut payload, body, self.elapsed_ns(clock));
                self.write_json(out, &payload);
            }
        }
    }

    /// Appends an error reply.
    pub fn write_error(&self, out: &mut Vec<u8>, output: Output, error: &Error, clock: Clock) {
        let mut payload = Vec::new();
        match output {
            Output::Resp => {
                reply::write_command_error(&mut payload, error, &self.word);
                self.write_resp(out, &payload);
            }
            Output::Json => {
                reply::write_json_error(&mut payload, error, self.elapsed_ns(clock));
                self.write_json(out, &payload);
            }
        }
    }

    /// Appends a reply in RESP. It is framed only for a native request.
    pub fn write_resp(&self, out: &mut Vec<u8>, payload: &[u8]) {
        match self.framing {
            Some(Framing::Native) => reply::write_framed(out, Framing::Native, payload),
            _ => out.extend_from_slice(payload),
        }
    }

    /// Appends a JSON text in the protocol of the request.
    pub fn write_json(&self, out: &mut Vec<u8>, payload: &[u8]) {
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
