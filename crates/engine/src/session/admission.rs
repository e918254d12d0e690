//! The admission of requests: the gates of the server's state, and the rights of the user.

use super::request::{Prefix, Request};
use super::{live, Batch, Session};
use crate::access::{Denial, Rights, SessionUser};
use crate::commands::is_hook_shown;
use crate::commands::record::{Flags, Record};
use crate::commands::table::Found;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::fence::{HookKind, Name};
use crate::request::Args;

/// The most refusals that a batch reports.
const DENIED_COUNT_MAX: usize = 128;

/// The circumstances of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialContext {
    /// The client sent the command.
    TopLevel,
    /// The command was queued by MULTI, or run by EXEC.
    Transaction,
    /// A script called the command.
    Script,
}

/// A request that was refused for want of a right.
#[derive(Clone, Debug)]
pub struct DeniedRequest {
    /// The right that the user lacks.
    pub denial: Denial,
    /// Whether a transaction or a script asked.
    pub context: DenialContext,
    /// The name of the user.
    pub user: Vec<u8>,
}

impl Batch {
    /// Adds the refused calls of a script.
    pub(super) fn add_denied_calls(&mut self, denied: Vec<Denial>, user: &[u8]) {
        for denial in denied {
            self.add_denied(denial, DenialContext::Script, user);
        }
    }

    /// Adds a refusal, unless there are too many.
    pub(super) fn add_denied(&mut self, denial: Denial, context: DenialContext, user: &[u8]) {
        if self.denied.len() < DENIED_COUNT_MAX {
            self.denied.push(DeniedRequest { denial, context, user: user.to_vec() });
        }
    }
}

/// Returns the right that a request needs and the user lacks. `args` begins with the command's
/// name.
fn denial_of(rights: &Rights, record: &Record, found: Found, args: Args) -> Option<Denial> {
    // From the name's last word on.
    let args = args.skip(usize::from(found.words) - 1);
    rights.check(&record.demand(args), || record.name_in_rights(args)).err()
}

/// Refuses a request for want of a right. As in Redis, the number of arguments is checked first.
fn check_rights(rights: &Rights, record: &Record, found: Found, args: Args) -> Result<()> {
    match denial_of(rights, record, found, args) {
        None => Ok(()),
        Some(denial) if record.allows(args.len() - usize::from(found.words)) => {
            Err(Error::Denied(denial))
        }
        Some(_) => Err(Error::WrongArity),
    }
}

impl Session {
    /// Sets the user, which has authenticated.
    pub fn log_in(&mut self, engine: &Engine, user: &[u8]) {
        self.user = SessionUser::new(user, &engine.users);
        self.is_authenticated = true;
    }

    /// Returns to the default user, not authenticated.
    pub fn log_out(&mut self) {
        self.user = SessionUser::default();
        self.is_authenticated = false;
    }

    /// Returns whether the client has authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// Returns the name of the user.
    pub fn user(&self) -> &[u8] {
        self.user.name()
    }

    /// Returns whether the user may read a key.
    pub fn may_read(&mut self, engine: &Engine, key: &[u8]) -> bool {
        self.user.rights(&engine.users).is_none_or(|rights| rights.reads_key(key))
    }

    /// Returns whether a hook exists that the user may see.
    pub fn shows_hook(&mut self, engine: &Engine, name: &[u8]) -> bool {
        let rights = self.user.rights(&engine.users).map(|rights| &**rights);
        engine.keyspace.fences().get(name).is_some_and(|hook| is_hook_shown(hook, rights))
    }

    /// Returns the names of the hooks that the user may see.
    pub fn hook_names(&mut self, engine: &Engine) -> Vec<Name> {
        let rights = self.user.rights(&engine.users);
        let hooks = engine.keyspace.fences().from(b"");
        let hooks = hooks.filter(|hook| {
            hook.kind() == HookKind::Hook && is_hook_shown(hook, rights.map(|rights| &**rights))
        });
        hooks.map(|hook| hook.name.clone()).collect()
    }

    /// Returns the right that a request needs and the user lacks. Unknown commands need none.
    pub fn refusal(&mut self, engine: &Engine, args: Args) -> Option<Denial> {
        let found = engine.table.find(args)?;
        let record = engine.table.record(found);
        if record.facts.flags.contains(Flags::BEFORE_AUTH) {
            return None;
        }
        denial_of(self.user.rights(&engine.users)?, record, found, args)
    }

    /// Passes a request through the gates, in the order that clients can observe: loading, the
    /// TIMEOUT prefix, the password, the user's rights, the server's state. Returns the arguments
    /// behind the prefix and their command.
    pub(super) fn admit<'r>(
        &mut self,
        engine: &Engine,
        request: &Request<'r>,
        found: Option<Found>,
    ) -> Result<(Prefix<'r>, Found)> {
        let mut flags = engine.table.flags(found);
        self.flags = flags;
        if self.is_plain && flags.contains(Flags::NO_HTTP) {
            return Err(engine.table.unknown(request.args));
        }
        // Clients retry after LOADING, which is pointless for an unknown command.
        if found.is_some() {
            engine.state.check_loading(flags)?;
        }
        let mut prefix = Prefix { args: request.args, timeout_ns: None };
        let mut found = found;
        if let Some(outer) = found.filter(|_| flags.contains(Flags::PREFIX)) {
            if let Some(rights) = self.user.rights(&engine.users) {
                check_rights(rights, engine.table.record(outer), outer, request.args)?;
            }
            prefix = Prefix::take(request.args)?;
            found = engine.table.find(prefix.args);
            flags = engine.table.flags(found);
            let is_refused = flags.contains(Flags::NO_TIMEOUT | Flags::CONNECTION);
            if is_refused || prefix.args.at(0).is_empty() {
                return Err(engine.table.unknown(prefix.args));
            }
        }
        let has_timeout = prefix.timeout_ns.is_some();
        let before_auth = if has_timeout { Flags::empty() } else { flags };
        engine.state.check_password(before_auth, self.is_authenticated)?;
        let Some(found) = found else { return Err(engine.table.unknown(prefix.args)) };
        if !(flags.contains(Flags::BRIEF) && request.is_brief(engine.timing.slow_ns)) {
            self.timer.measure_alone(request.clock);
        }
        if let Some(rights) = self.user.rights(&engine.users) {
            if !before_auth.contains(Flags::BEFORE_AUTH) {
                check_rights(rights, engine.table.record(found), found, prefix.args)?;
            }
        }
        engine.state.check_access(flags)?;
        if has_timeout && flags.contains(Flags::NO_TIMEOUT) {
            return Err(Error::timeout_not_supported(prefix.args.at(0)));
        }
        Ok((prefix, found))
    }

    /// Hands a request of a live connection to the driver. Of those, only new subscriptions need
    /// rights.
    pub(super) fn hand_out(
        &mut self,
        engine: &Engine,
        request: &Request,
        found: Option<Found>,
        batch: &mut Batch,
    ) {
        if let (Some(found), Some(rights)) = (found, self.user.rights(&engine.users)) {
            let record = engine.table.record(found);
            if record.facts.flags.contains(Flags::SUBSCRIBES) {
                if let Err(error) = check_rights(rights, record, found, request.args) {
                    let error = self.note_denial(error, batch);
                    let output = self.output();
                    self.frame.write_error(&mut batch.replies, output, &error, request.clock);
                    return;
                }
            }
        }
        batch.stop = Some(live::handed_out(request.args));
    }

    /// Reports a refusal for want of a right. Returns the error that the client gets.
    pub(super) fn note_denial(&self, error: Error, batch: &mut Batch) -> Error {
        let Error::Denied(denial) = error else { return error };
        let is_queued = self.transaction.is_queueing();
        let context = if is_queued || self.is_in_exec {
            DenialContext::Transaction
        } else {
            DenialContext::TopLevel
        };
        batch.add_denied(denial.clone(), context, self.user.name());
        if self.is_in_exec {
            Error::text(denial.message_in_exec())
        } else {
            Error::Denied(denial)
        }
    }
}
