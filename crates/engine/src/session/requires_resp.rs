//! Recognizing clients that understand only RESP, on a server whose connections start in JSON: by
//! their first commands.

use super::request::Request;
use super::Session;
use crate::commands::record::Flags;
use crate::reply::Framing;
use crate::reply::Output;

impl Session {
    /// Switches a connection that requires RESP to RESP when it subscribes, for messages and
    /// replies. Marks the connection of a client that asks for COMMAND DOCS as one that requires
    /// RESP.
    pub(super) fn note_server_command(&mut self, flags: Flags, request: &Request) {
        if flags.contains(Flags::INTROSPECTION) && request.args.at(1) == b"DOCS" {
            self.requires_resp |= self.gets_json_unasked(Some(request.framing));
        }
        if flags.contains(Flags::SUBSCRIBES) && self.requires_resp {
            self.output = Some(Output::Resp);
        }
    }

    /// Returns whether requests in RESP get replies in JSON that the client hasn't asked for.
    pub(super) fn gets_json_unasked(&self, framing: Option<Framing>) -> bool {
        self.starts_in_json && self.output() == Output::Json && framing == Some(Framing::Resp)
    }
}
