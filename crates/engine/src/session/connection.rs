//! The commands that need only the session of a connection: PING, ECHO, OUTPUT, QUIT and the
//! prefix TIMEOUT.

use super::request::Request;
use super::{Batch, Clock, Session, Stop};
use crate::commands::record::{Arity, Facts, Flags, Group};
use crate::commands::{Command, SessionFunction};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::reply::{self, Output, Protocol};

/// The flags of a command that runs in any state of the server, but not with TIMEOUT.
const ALWAYS: Flags =
    Flags::BEFORE_AUTH.union(Flags::WHILE_LOADING).union(Flags::NO_TIMEOUT).union(Flags::BRIEF);

/// The records of these commands.
pub const COMMANDS: &[Command<SessionFunction>] = &[
    command("PING", Arity::AtLeast(1), ping, "[message]", "Reply with PONG or the message")
        .with(ALWAYS),
    command("ECHO", Arity::AtLeast(1), ping, "[message]", "Reply with PONG or the message")
        .with(ALWAYS),
    command("QUIT", Arity::AtLeast(1), quit, "", "Close the connection")
        .with(ALWAYS.union(Flags::MULTI_CONTROL)),
    command(
        "OUTPUT",
        Arity::AtLeast(1),
        output,
        "[json | resp]",
        "Get or set the format of replies",
    )
    .with(Flags::BEFORE_AUTH.union(Flags::WHILE_LOADING).union(Flags::BRIEF)),
    command(
        "TIMEOUT",
        Arity::AtLeast(3),
        timeout,
        "seconds command [argument]...",
        "Run a command with a time limit",
    )
    .with(Flags::PREFIX.union(Flags::NO_TIMEOUT)),
];

pub(super) const fn command(
    name: &'static str,
    arity: Arity,
    function: SessionFunction,
    syntax: &'static str,
    summary: &'static str,
) -> Command<SessionFunction> {
    let facts = Facts::new(Group::Connection, arity).with(Flags::CONNECTION);
    Command { name, syntax, summary, facts, function }
}

impl Session {
    /// Returns the version of RESP.
    pub fn protocol(&self) -> Protocol {
        self.frame.protocol
    }

    /// Selects the version of RESP. A client that does so and has got JSON only because the server
    /// was started so, gets RESP from now on.
    pub fn select_protocol(&mut self, protocol: Protocol) {
        self.frame.protocol = protocol;
        if self.gets_json_unasked(self.frame.framing) {
            self.output = Some(Output::Resp);
        }
    }

    /// Returns the session to the state in which its connection began, but for received bytes.
    pub fn reset(&mut self) {
        self.frame.protocol = Protocol::default();
        self.output = match (self.is_plain || self.starts_in_json, self.output) {
            (true, _) => Some(Output::Json),
            (false, None) => None,
            (false, Some(_)) => Some(Output::Resp),
        };
        self.requires_resp = false;
        self.transaction.forget();
        self.log_out();
        self.is_live = false;
    }
}

/// PING [message] and ECHO [message], which differ only in the name of the JSON member. Further
/// arguments are ignored, as in Tile38.
fn ping(
    session: &mut Session,
    _engine: &mut Engine,
    request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    let out = &mut batch.replies;
    let text = request.args.get(1);
    if session.output() == Output::Resp {
        match text {
            None => session.frame.write_resp(out, b"+PONG\r\n"),
            Some(text) => {
                let mut payload = Vec::new();
                reply::write_bulk(&mut payload, text);
                session.frame.write_resp(out, &payload);
            }
        }
        return Ok(());
    }
    let mut members = Vec::new();
    members.extend_from_slice(b",\"");
    members.extend_from_slice(&request.args.at(0).to_ascii_lowercase());
    members.extend_from_slice(b"\":");
    crate::json::write_short(&mut members, text.unwrap_or(b"pong"));
    session.frame.write_ok(out, Output::Json, &members, request.clock);
    Ok(())
}

/// QUIT. In JSON there is no reply, as in Tile38.
fn quit(
    session: &mut Session,
    _engine: &mut Engine,
    _request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    if session.output() == Output::Resp {
        session.frame.write_resp(&mut batch.replies, b"+OK\r\n");
    }
    batch.stop = Some(Stop::Close(Vec::new()));
    Ok(())
}

/// OUTPUT [json | resp]
fn output(
    session: &mut Session,
    _engine: &mut Engine,
    request: &Request,
    batch: &mut Batch,
) -> Result<()> {
    let (args, clock) = (request.args, request.clock);
    let out = &mut batch.replies;
    let chosen = match args.get(1) {
        _ if args.len() > 2 => return Err(Error::WrongArity),
        None => return answer_output(session, out, clock),
        Some(word) if word.eq_ignore_ascii_case(b"json") => Output::Json,
        Some(word) if word.eq_ignore_ascii_case(b"resp") => Output::Resp,
        Some(word) => return Err(Error::invalid(word)),
    };
    session.output = Some(chosen);
    session.write_answer(out, b"+OK\r\n", b"", clock);
    Ok(())
}

fn answer_output(session: &Session, out: &mut Vec<u8>, clock: Clock) -> Result<()> {
    match session.output() {
        Output::Resp => reply::write_bulk(out, b"resp"),
        Output::Json => session.frame.write_ok(out, Output::Json, b",\"output\":\"json\"", clock),
    }
    Ok(())
}

/// TIMEOUT with nothing after it. A session removes a well-formed prefix before it runs a command.
fn timeout(
    _session: &mut Session,
    _engine: &mut Engine,
    _request: &Request,
    _batch: &mut Batch,
) -> Result<()> {
    Err(Error::WrongArity)
}
