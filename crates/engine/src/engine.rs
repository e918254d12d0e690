//! The engine: the keyspace, the table of commands, the state that gates them, and the sweep of
//! expired objects. Running logs is in [`replay`], connections are in [`crate::session`].

mod adopt;
mod expired_objects;
mod replay;
mod standing_queries;

use std::sync::Arc;

use crate::access::Users;
use crate::call::{Call, Effect};
use crate::commands::record::{Facts, Flags, Record, Subcommand};
use crate::commands::table::{Runner, Table};
use crate::commands::{self, Command, Function};
use crate::counters::{Counters, ErrorCounters};
use crate::error::{Error, Result};
use crate::event_time::write_epoch;
use crate::fence::{match_change, Arrival, Change, ChangeKind, Due, Event, Groups};
use crate::fence::{HookChange, HookKind, Moment};
use crate::gate::State;
use crate::keyspace::Keyspace;
use crate::reply::write_command;
use crate::rewrite::Rewrite;
use crate::session::Placement;
use crate::timing::Timing;
pub use adopt::{Discarded, Handover};
use expired_objects::ExpiredObjects;
pub use replay::{Follow, Load};

/// The default of [`Engine::script_ns_max`].
const SCRIPT_NS_MAX_DEFAULT: u64 = 1_000_000_000;

/// The results of commands that the driver delivers to others than the client.
#[derive(Default)]
pub struct Outbox {
    /// Events of fences, in the order in which they are to be sent.
    pub events: Vec<Event>,
    /// Changes of hooks, in their order.
    pub hooks_changed: Vec<HookChange>,
    /// The reasons why endpoints' URLs were refused, for the server's log: replies don't have them.
    pub refused_urls: Vec<String>,
}

impl Outbox {
    /// Returns whether there is nothing to deliver.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.hooks_changed.is_empty() && self.refused_urls.is_empty()
    }
}

/// The data and everything that decides how commands change it.
pub struct Engine {
    /// The data.
    pub keyspace: Keyspace,
    /// The server's state, by which commands are refused.
    pub state: State,
    /// Bytes of an incomplete request above which it is refused, because memory is short.
    pub request_bytes_max: usize,
    /// The same, as `client-query-buffer-limit` says.
    pub query_bytes_max: usize,
    /// Counters since the start.
    pub counters: Counters,
    /// Counters of error replies since the start.
    pub error_counters: Arc<ErrorCounters>,
    /// The time limit in nanoseconds of scripts that may write: no other command runs meanwhile.
    pub script_ns_max: u64,
    /// The users and their rights.
    pub users: Users,
    /// Whether a client runs MONITOR.
    pub is_monitored: bool,
    /// The ids of visits to fences.
    pub groups: Groups,
    /// The durations of commands.
    pub timing: Timing,
    /// The state by which reads stay on the event loop or leave it.
    pub placement: Placement,
    /// Seconds by which the server's time zone is ahead of UTC; for the times in messages.
    pub utc_offset: i32,
    /// The time of the last change that fences checked.
    moment: Moment,
    outbox: Outbox,
    expired_objects: ExpiredObjects,
    /// Whether the rest of the log is skipped, because a client ran FLUSHDB while it was loading.
    skips_log: bool,
    /// A reused buffer for the replies of replayed commands, which are discarded.
    scratch: Vec<u8>,
    /// All commands.
    pub table: Table,
}

impl Engine {
    /// An empty engine.
    pub fn new(requires_valid: bool) -> Self {
        let mut timing = Timing::default();
        let table = Table::new(&mut timing);
        Engine {
            keyspace: Keyspace::new(requires_valid),
            state: State::default(),
            request_bytes_max: usize::MAX,
            query_bytes_max: usize::MAX,
            counters: Counters::default(),
            error_counters: Arc::default(),
            script_ns_max: SCRIPT_NS_MAX_DEFAULT,
            users: Users::default(),
            is_monitored: false,
            groups: Groups::default(),
            utc_offset: 0,
            moment: Moment::new(0, 0),
            outbox: Outbox::default(),
            expired_objects: ExpiredObjects::default(),
            skips_log: false,
            scratch: Vec::new(),
            timing,
            placement: Placement::default(),
            table,
        }
    }

    /// Adds a command that the driver runs, in place of one of that name.
    pub fn register(
        &mut self,
        name: &str,
        syntax: &str,
        summary: &str,
        facts: Facts,
        subcommands: Vec<Subcommand>,
    ) {
        let record = Record {
            name: name.to_ascii_uppercase(),
            syntax: syntax.to_string(),
            summary: summary.to_string(),
            facts,
            series: self.timing.series(name),
            subcommands,
            number: 0,
        };
        self.table.add(record, Runner::Server);
    }

    /// Runs a data command; its reply is in `call.out`.
    pub fn run(&mut self, command: &Command, call: &mut Call) -> Result<Effect> {
        if command.facts.flags.contains(Flags::NEEDS_MEMORY) && call.is_out_of_memory {
            return Err(Error::out_of_memory());
        }
        let name_words = command.name_words();
        if !command.facts.arity.allows(call.args.len() + name_words - 1) {
            return Err(Error::WrongArity);
        }
        let effect = match command.function {
            Function::Read(function) => {
                function(&self.keyspace, call)?;
                Effect::Nothing
            }
            Function::Write(function) => {
                let result = function(&mut self.keyspace, call);
                if !self.keyspace.reports().is_empty() {
                    self.tell_fences(call.now_ns, false);
                }
                return result;
            }
        };
        call.budget.check_deadline()?;
        Ok(effect)
    }

    /// Passes the reported changes to the fences.
    fn tell_fences(&mut self, now_ns: i64, is_live_only: bool) {
        let reports = std::mem::take(self.keyspace.reports_mut());
        if reports.has_flush {
            self.groups.clear();
            // The client flushed all data of the log, including those that aren't loaded yet.
            self.skips_log |= self.state.is_loading && !is_live_only;
        }
        self.set_moment(now_ns);
        self.update_standing(&reports.changes, now_ns);
        let Outbox { events, hooks_changed, refused_urls } = &mut self.outbox;
        refused_urls.extend(reports.refused_urls);
        for change in in_event_order(&mut self.keyspace, reports.changes, now_ns) {
            let visit_updates = match_change(
                &self.keyspace,
                &mut self.groups,
                &change,
                &self.moment,
                is_live_only,
                events,
            );
            for update in visit_updates {
                self.keyspace.fences_mut().update_visits(update);
            }
        }
        let events_before = events.len();
        hooks_changed
            .extend(reports.hooks.into_iter().map(|name| HookChange { name, events_before }));
        if reports.removed_fences > 0 {
            self.groups.note_removed(reports.removed_fences, self.keyspace.fences());
        }
        if !self.keyspace.fences().standing().is_empty() {
            self.tell_standing(now_ns, is_live_only);
        }
    }

    fn set_moment(&mut self, now_ns: i64) {
        if !self.moment.is(now_ns, self.utc_offset) {
            self.moment = Moment::new(now_ns, self.utc_offset);
        }
    }

    /// Takes the events and changes since the last call.
    pub fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// Ends a live fence; whether there was one of that number.
    pub fn remove_live(&mut self, number: u64) -> bool {
        let is_removed = self.keyspace.fences_mut().remove_live(number);
        if is_removed {
            self.groups.note_removed(1, self.keyspace.fences());
        }
        is_removed
    }

    /// Begins to write the log anew from a snapshot of now, in constant time.
    pub fn rewrite(&self, now_ns: i64) -> Rewrite {
        Rewrite::new(self.keyspace.clone(), now_ns)
    }

    /// Sets the server's state, by which commands are refused.
    pub fn set_state(&mut self, state: State) {
        if !state.is_following {
            self.restore_all_expired();
        }
        self.state = state;
    }

    /// Removes overdue objects, hooks and channels, so many at most; appends the commands for the
    /// log and returns how many there were. A follower's log is its leader's, so it gets nothing.
    pub fn expire(&mut self, now_ns: i64, count_max: usize, log: &mut Vec<u8>) -> usize {
        let is_following = self.state.is_following;
        let mut count = 0;
        while count < count_max {
            let Some((key, object)) = self.keyspace.next_expired(now_ns) else { break };
            self.keyspace.remove(&key, object.id());
            self.keyspace.report(&key, ChangeKind::Del, Some(&object), None);
            self.counters.expired += 1;
            count += 1;
            if is_following {
                self.expired_objects.add(&key, object);
            } else {
                write_command(log, &[b"del", &key, object.id()]);
            }
        }
        count += self.release_due(now_ns, count_max.saturating_sub(count), log);
        while count < count_max {
            let Some(name) = self.keyspace.fences().next_expired(now_ns) else { break };
            let Some(kind) = commands::remove_hook(&mut self.keyspace, &name) else { break };
            count += 1;
            if !is_following {
                let word: &[u8] = if kind == HookKind::Hook { b"delhook" } else { b"delchan" };
                write_command(log, &[word, &name]);
            }
        }
        self.expired_objects.trim();
        if !self.keyspace.reports().is_empty() {
            self.tell_fences(now_ns, is_following);
        } else if self.keyspace.fences().standing().has_due(now_ns, is_following) {
            self.tell_standing(now_ns, is_following);
        }
        count
    }

    /// Lets fences decide about positions that have waited for the event window, about so many at
    /// most; appends the commands for the log and returns their number. A follower waits for those
    /// of its leader.
    fn release_due(&mut self, now_ns: i64, count_max: usize, log: &mut Vec<u8>) -> usize {
        let mut count = 0;
        while count < count_max && !self.state.is_following {
            let Some(Due { key, id, event_ns }) = self.keyspace.reorder.next_due(now_ns) else {
                break;
            };
            self.keyspace.release_positions(&key, &id, event_ns);
            count += 1;
            let mut text = Vec::new();
            write_epoch(&mut text, event_ns);
            write_command(log, &[b"decide", &key, &id, &text]);
        }
        count
    }
}

/// Returns the changes about which fences decide now: positions with event times wait, see
/// [`crate::fence::Reorder`].
fn in_event_order(keyspace: &mut Keyspace, changes: Vec<Change>, now_ns: i64) -> Vec<Change> {
    let window_ns = keyspace.event_window_ns;
    if window_ns == 0 && keyspace.reorder.is_empty() {
        return changes;
    }
    let mut decidable = Vec::with_capacity(changes.len());
    for change in changes {
        let is_timed = change.object.as_ref().is_some_and(|object| object.event_time().is_some());
        let is_position = change.kind == ChangeKind::Set && change.arrival != Arrival::Released;
        if is_timed && is_position && window_ns > 0 {
            keyspace.reorder.hold(&change, now_ns, window_ns);
            continue;
        }
        if change.arrival != Arrival::Released {
            decidable.extend(keyspace.reorder.release_before(&change));
        }
        if change.arrival != Arrival::Late {
            decidable.push(change);
        }
    }
    decidable
}

#[cfg(test)]
mod tests;
