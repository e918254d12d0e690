//! Recognizing clients that understand only RESP, on a server whose connections start in JSON: by
//! their first commands.

use super::request::Request;
use super::Session;
use crate::commands::record::Flags;
use crate::reply::Output;
use crate::request::Framing;

impl Session {
    /// Marks the connection as one that requires RESP if HELLO, on a connection that started in
    /// JSON, asks for a version of RESP. Returns whether it does.
    pub(super) fn note_hello(&mut self, request: &Request) -> bool {
        let version = request.args.at(1);
        let requires_resp =
            self.answers_resp_in_json(request) && version >= b"0" && version <= b"9";
        self.requires_resp |= requires_resp;
        requires_resp
    }

    /// Switches a connection that requires RESP to RESP when it subscribes, for messages and
    /// replies. Marks the connection of a client that asks for COMMAND DOCS as one that requires
    /// RESP.
    pub(super) fn note_server_command(&mut self, flags: Flags, request: &Request) {
        if flags.contains(Flags::INTROSPECTION) && request.args.at(1) == b"DOCS" {
            self.requires_resp |= self.answers_resp_in_json(request);
        }
        if flags.contains(Flags::SUBSCRIBES) && self.requires_resp {
            self.output = Some(Output::Resp);
        }
    }

    /// Returns whether a RESP request gets a JSON reply that the client hasn't asked for.
    fn answers_resp_in_json(&self, request: &Request) -> bool {
        self.starts_in_json && self.output() == Output::Json && request.framing == Framing::Resp
    }
}
