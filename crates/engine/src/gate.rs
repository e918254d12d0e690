//! Gates: they refuse commands by the state of the server and the flags of the commands' records,
//! before a command checks its arguments.

use crate::commands::record::Flags;
use crate::error::{Error, Result};

/// The state of the server that decides which commands run. The driver of the engine sets it.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whether the log is being loaded.
    pub is_loading: bool,
    /// Whether `requirepass` is set.
    pub requires_password: bool,
    /// Whether the server follows a leader.
    pub is_following: bool,
    /// Whether this follower has caught up with its leader at least once.
    pub caught_up_once: bool,
    /// Whether READONLY yes is in force.
    pub is_read_only: bool,
    /// Whether more memory than maxmemory is in use.
    pub is_out_of_memory: bool,
    /// The error text for writes while the log cannot be written.
    pub write_error: Option<String>,
}

impl State {
    /// Refuses a command while the log is being loaded, unless its flags allow it.
    pub fn check_loading(&self, flags: Flags) -> Result<()> {
        if self.is_loading && !flags.contains(Flags::WHILE_LOADING) {
            return Err(Error::text("LOADING Tile38 is loading the dataset in memory"));
        }
        Ok(())
    }

    /// Refuses a command of a client that has not authenticated, unless its flags allow it.
    pub fn check_password(&self, flags: Flags, is_authenticated: bool) -> Result<()> {
        if self.requires_password && !is_authenticated && !flags.contains(Flags::BEFORE_AUTH) {
            return Err(Error::text("authentication required"));
        }
        Ok(())
    }

    /// Refuses writes on followers, in read-only mode and while the log cannot be written, and
    /// reads on followers that have never caught up.
    pub fn check_access(&self, flags: Flags) -> Result<()> {
        if flags.contains(Flags::WRITE) {
            return match &self.write_error {
                _ if self.is_following => Err(Error::text("not the leader")),
                _ if self.is_read_only => Err(Error::text("read only")),
                Some(text) => Err(Error::text(text)),
                None => Ok(()),
            };
        }
        let needs_fresh_data = flags.contains(Flags::READ) && !flags.contains(Flags::STALE_OK);
        // INFO, the one read that runs while loading, shows that a restarted follower is loading.
        let lacks_data = self.is_following && !self.caught_up_once && !self.is_loading;
        if needs_fresh_data && lacks_data {
            return Err(Error::text("catching up to leader"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(state: &State, flags: Flags) -> Option<String> {
        let error = state.check_access(flags).err()?;
        Some(String::from_utf8(error.message()).unwrap())
    }

    #[test]
    fn access_depends_on_the_flags_and_the_state() {
        let normal = State::default();
        let read_only = State { is_read_only: true, ..State::default() };
        let catching_up = State { is_following: true, is_read_only: true, ..State::default() };
        let caught_up = State { caught_up_once: true, ..catching_up.clone() };
        let full = State { write_error: Some("disk full".into()), ..State::default() };
        for flags in [Flags::WRITE, Flags::WRITE | Flags::SCRIPTING] {
            assert_eq!(refusal(&normal, flags), None);
            assert_eq!(refusal(&read_only, flags).as_deref(), Some("read only"));
            assert_eq!(refusal(&catching_up, flags).as_deref(), Some("not the leader"));
            assert_eq!(refusal(&caught_up, flags).as_deref(), Some("not the leader"));
            assert_eq!(refusal(&full, flags).as_deref(), Some("disk full"));
        }
        assert_eq!(refusal(&catching_up, Flags::READ).as_deref(), Some("catching up to leader"));
        let loading = State { is_loading: true, ..catching_up.clone() };
        for state in [&normal, &read_only, &caught_up, &full, &loading] {
            assert_eq!(refusal(state, Flags::READ), None);
        }
        let ungated =
            [Flags::READ | Flags::STALE_OK, Flags::ADMIN, Flags::CONNECTION, Flags::PUBSUB];
        for flags in ungated {
            for state in [&normal, &read_only, &catching_up, &caught_up, &full] {
                assert_eq!(refusal(state, flags), None);
            }
        }
    }

    #[test]
    fn flagged_commands_run_while_loading_and_before_authentication() {
        let state = State { is_loading: true, requires_password: true, ..State::default() };
        assert!(state.check_loading(Flags::READ).is_err());
        assert!(state.check_loading(Flags::WHILE_LOADING).is_ok());
        assert!(state.check_password(Flags::READ, false).is_err());
        assert!(state.check_password(Flags::READ, true).is_ok());
        assert!(state.check_password(Flags::BEFORE_AUTH, false).is_ok());
    }
}
