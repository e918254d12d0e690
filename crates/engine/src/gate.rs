//! Who may run what when: one table of states and kinds of access, applied before a command's
//! own checks.

use crate::commands::Access;
use crate::error::{Error, Result};

/// The state of the server as far as it decides which commands run. Set from outside.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The log is being read.
    pub is_loading: bool,
    /// `requirepass` is set.
    pub requires_password: bool,
    /// A leader is followed.
    pub is_following: bool,
    /// The leader was caught up with at least once.
    pub caught_up_once: bool,
    /// READONLY yes.
    pub is_read_only: bool,
    /// More memory than maxmemory is in use.
    pub is_out_of_memory: bool,
    /// Why nothing can be written to the log; writes are refused with this text.
    pub write_error: Option<String>,
}

/// Commands that run before authentication.
const OPEN_COMMANDS: [&str; 7] = ["PING", "ECHO", "HELLO", "OUTPUT", "HEALTHZ", "QUIT", "AUTH"];

impl State {
    /// Refuses while the log is being read.
    pub fn check_loading(&self, name: &str) -> Result<()> {
        if self.is_loading && !matches!(name, "OUTPUT" | "AUTH") {
            return Err(Error::text("LOADING Tile38 is loading the dataset in memory"));
        }
        Ok(())
    }

    /// Refuses a client that gave no password.
    pub fn check_password(&self, name: &str, is_authenticated: bool) -> Result<()> {
        if self.requires_password && !is_authenticated && !OPEN_COMMANDS.contains(&name) {
            return Err(Error::text("authentication required"));
        }
        Ok(())
    }

    /// Refuses by role and by what the command does.
    pub fn check_access(&self, access: Access) -> Result<()> {
        let text = match access {
            Access::Write | Access::Script if self.is_following => "not the leader",
            Access::Write | Access::Script if self.is_read_only => "read only",
            Access::Read if self.is_following && !self.caught_up_once => "catching up to leader",
            Access::Write | Access::Script => match &self.write_error {
                Some(text) => text,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        Err(Error::text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(state: &State, access: Access) -> Option<String> {
        let error = state.check_access(access).err()?;
        Some(String::from_utf8(error.message()).unwrap())
    }

    #[test]
    fn every_cell_of_the_table() {
        let normal = State::default();
        let read_only = State { is_read_only: true, ..State::default() };
        let catching_up = State { is_following: true, is_read_only: true, ..State::default() };
        let caught_up = State { caught_up_once: true, ..catching_up.clone() };
        let full = State { write_error: Some("disk full".into()), ..State::default() };
        for access in [Access::Write, Access::Script] {
            assert_eq!(refusal(&normal, access), None);
            assert_eq!(refusal(&read_only, access).as_deref(), Some("read only"));
            assert_eq!(refusal(&catching_up, access).as_deref(), Some("not the leader"));
            assert_eq!(refusal(&caught_up, access).as_deref(), Some("not the leader"));
            assert_eq!(refusal(&full, access).as_deref(), Some("disk full"));
        }
        assert_eq!(refusal(&catching_up, Access::Read).as_deref(), Some("catching up to leader"));
        for state in [&normal, &read_only, &caught_up, &full] {
            assert_eq!(refusal(state, Access::Read), None);
        }
        for access in [Access::Always, Access::Admin, Access::Connection, Access::Publish] {
            for state in [&normal, &read_only, &catching_up, &caught_up, &full] {
                assert_eq!(refusal(state, access), None);
            }
        }
    }

    #[test]
    fn loading_and_passwords_let_some_commands_through() {
        let state = State { is_loading: true, requires_password: true, ..State::default() };
        assert!(state.check_loading("GET").is_err());
        assert!(state.check_loading("AUTH").is_ok());
        assert!(state.check_password("GET", false).is_err());
        assert!(state.check_password("GET", true).is_ok());
        assert!(state.check_password("HEALTHZ", false).is_ok());
    }
}
