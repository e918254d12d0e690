//! Clients that understand only RESP on a server where connections start in JSON: their first words
//! tell.

use super::request::Request;
use super::Session;
use crate::commands::record::Flags;
use crate::reply::Output;
use crate::request::Framing;

impl Session {
    /// Whether HELLO asks for a version of RESP on a connection that started in JSON. From then on
    /// the connection counts as one that requires RESP.
    pub(super) fn requires_resp_after_hello(&mut self, request: &Request) -> bool {
        let version = request.args.at(1);
        let requires_resp =
            self.answers_resp_in_json(request) && version >= b"0" && version <= b"9";
        self.requires_resp |= requires_resp;
        requires_resp
    }

    /// Makes a subscriber that requires RESP get messages and replies in RESP. A client that asks
    /// for the documentation of the commands requires it.
    pub(super) fn choose_pushes(&mut self, flags: Flags, request: &Request) {
        if flags.contains(Flags::INTROSPECTION) && request.args.at(1) == b"DOCS" {
            self.requires_resp |= self.answers_resp_in_json(request);
        }
        if flags.contains(Flags::SUBSCRIBES) && self.requires_resp {
            self.output = Some(Output::Resp);
        }
    }

    fn answers_resp_in_json(&self, request: &Request) -> bool {
        self.starts_in_json && self.output() == Output::Json && request.framing == Framing::Resp
    }
}
