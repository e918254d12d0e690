//! Failures that end the program, with the texts that users see.

use std::fmt;
use std::io;

/// A failure that ends the program.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The server can't be reached.
    Connect { address: String, error: io::Error },
    /// The server refused AUTH or OUTPUT.
    Refused(String),
    /// The connection was lost while a test ran.
    Lost { test: String, reply_count: u64, error: io::Error },
    /// The system can't start a thread or poll sockets.
    System(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Refused(text) => out.write_str(text),
            Self::Connect { address, error } => {
                write!(out, "Could not connect to Tile38 at {address}: {}", reason(error))
            }
            Self::Lost { test, reply_count, error } => {
                let reason = reason(error);
                write!(out, "Lost the server in {test} after {reply_count} replies: {reason}")
            }
            Self::System(error) => write!(out, "{}", reason(error)),
        }
    }
}

/// Returns an error's text without the number that Rust appends.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
