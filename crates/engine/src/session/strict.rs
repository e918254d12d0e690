//! Clients that can't do without RESP on a server where connections start in JSON: they give
//! themselves away by their first words.

use super::running::Request;
use super::{Batch, Session};
use crate::error::{Error, Result};
use crate::reply::{self, Output};
use crate::request::Framing;

impl Session {
    /// HELLO is unknown. Where connections start in JSON, clients that ask for a version of RESP
    /// need to hear that in RESP.
    pub(super) fn refuse_hello(&mut self, request: &Request, batch: &mut Batch) -> Result<()> {
        let error = Error::unknown_command(request.args.at(0));
        let version = request.args.at(1);
        if self.answers_resp_in_json(request) && version >= b"0" && version <= b"9" {
            self.is_strict = true;
            reply::write_error(&mut batch.replies, &error.message());
            return Ok(());
        }
        Err(error)
    }

    /// Looks at a request whose command is unknown.
    pub(super) fn notice(&mut self, request: &Request) {
        let asks_for_commands = request.args.at(0).eq_ignore_ascii_case(b"COMMAND");
        if asks_for_commands && request.args.at(1) == b"DOCS" {
            self.is_strict |= self.answers_resp_in_json(request);
        }
    }

    /// Messages reach such a client in RESP, and so does what a subscriber asks for.
    pub(super) fn choose_pushes(&mut self, name: &str) {
        if self.is_strict && matches!(name, "SUBSCRIBE" | "PSUBSCRIBE") {
            self.output = Some(Output::Resp);
        }
    }

    fn answers_resp_in_json(&self, request: &Request) -> bool {
        self.starts_in_json && self.output() == Output::Json && request.framing == Framing::Resp
    }
}
