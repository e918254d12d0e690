//! `Batch`, the results of running a session's input, and `Stop`, the next action of the driver.

use super::admission::DeniedRequest;
use super::command_timer::SlowCommand;
use super::{LargeWrite, ReadUnit};
use crate::engine::Outbox;
use crate::garbage::Garbage;
use crate::request::Args;
use crate::shared_bytes::SharedBytes;

/// The results of running the received requests.
#[derive(Default)]
pub struct Batch {
    /// Replies in order, ready to send.
    pub replies: Vec<u8>,
    /// Commands for the log; to be written before the replies are sent.
    pub log: Vec<u8>,
    /// The log bytes of a large write in place of `log`, not copied.
    pub large_log: Option<SharedBytes>,
    /// The commands that ran, as MONITOR shows them, and whether a script called each; empty unless
    /// a client runs MONITOR.
    pub monitored: Vec<(bool, Vec<u8>)>,
    /// The commands that took long.
    pub slow: Vec<SlowCommand>,
    /// The requests that were refused for want of a right.
    pub denied: Vec<DeniedRequest>,
    /// Events and other results for others than the client.
    pub outbox: Outbox,
    /// Removed data that takes long to free.
    pub garbage: Garbage,
    /// The reason why not all complete requests were run.
    pub stop: Option<Stop>,
}

/// The least and the most bytes that are reserved for the replies of a batch.
const RESERVED_BYTES_MIN: usize = 64;
const RESERVED_BYTES_MAX: usize = 16 * 1024;

impl Batch {
    /// Returns an empty batch with room for replies about as long as the requests.
    pub(super) fn for_requests(bytes: usize) -> Self {
        let room = bytes.clamp(RESERVED_BYTES_MIN, RESERVED_BYTES_MAX);
        Batch { replies: Vec::with_capacity(room), ..Batch::default() }
    }

    /// Returns whether the driver has more to do than to write the log and send the replies.
    pub fn needs_dispatch(&self) -> bool {
        self.stop.is_some()
            || !self.monitored.is_empty()
            || !self.slow.is_empty()
            || !self.denied.is_empty()
            || !self.outbox.is_empty()
    }
}

/// An action of the driver before the session can continue.
pub enum Stop {
    /// Run a command that isn't the engine's and send its reply.
    Command {
        /// Upper case; both words of a two-word name.
        name: String,
        /// What follows the name.
        args: Vec<Vec<u8>>,
        /// The command as MONITOR shows it; empty unless a client runs MONITOR.
        shown: Vec<u8>,
    },
    /// Run reads elsewhere and pass them to [`super::Session::finish_unit`].
    Reads(Box<ReadUnit>),
    /// Parse the geometry of a write elsewhere, then apply the write.
    LargeWrite(Box<LargeWrite>),
    /// The connection watches the live fence of that number from here on.
    Live(u64),
    /// Let other connections run first: this one has used up its time slice.
    Yield,
    /// Everything from here on is HTTP.
    Http(Vec<u8>),
    /// Close when the replies are sent. The text is for the server's log.
    Close(Vec<u8>),
}

impl Stop {
    /// Returns the stop at a command of the server.
    pub(super) fn at_command(name: String, args: Args, shown: Vec<u8>) -> Self {
        Stop::Command { name, args: args.iter().map(<[u8]>::to_vec).collect(), shown }
    }
}
