//! The engine: the keyspace, the table of commands, the state that gates them, and the sweep of
//! expired objects. Running logs is in [`replay`], connections are in [`crate::session`].

mod adopt;
mod expired_objects;
mod fence_upkeep;
mod hook_expiry;
mod live_start;
mod replay;
mod standing_queries;

use std::sync::Arc;

use crate::access::Users;
use crate::call::{Call, Effect};
use crate::commands::record::{Facts, Flags, Record, Subcommand};
use crate::commands::table::{Runner, Table};
use crate::commands::{Command, Function};
use crate::counters::{Counters, ErrorCounters};
use crate::error::{Error, Result};
use crate::event_time::write_epoch;
use crate::fence::{match_change, Arrival, Change, ChangeKind, Due};
use crate::fence::{Event, Groups, HookChange, Moment, Name, Recovery};
use crate::gate::State;
use crate::keyspace::Keyspace;
use crate::reply::write_command;
use crate::rewrite::Rewrite;
use crate::session::Placement;
use crate::timing::Timing;
use crate::transaction_log::TransactionLog;
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
    /// Hooks, and the number up to which the events of each are delivered, by another server.
    pub delivered: Vec<(Name, u64)>,
    /// The reasons why endpoints' URLs were refused, for the server's log: replies don't have them.
    pub refused_urls: Vec<String>,
}

impl Outbox {
    /// Returns whether there is nothing to deliver.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.hooks_changed.is_empty()
            && self.delivered.is_empty()
            && self.refused_urls.is_empty()
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
    /// Commands for the log that no client sent: numbered events, and visits with times.
    event_log: TransactionLog,
    /// The numbered events of the log that is being loaded; `None` if none is.
    pub recovery: Option<Recovery>,
    /// The numbered events of a loaded log that the driver has not stored.
    recovered: Vec<Event>,
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
            event_log: TransactionLog::default(),
            recovery: None,
            recovered: Vec::new(),
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
        self.outbox.refused_urls.extend(reports.refused_urls);
        let first_event = self.outbox.events.len();
        self.update_standing(&reports.changes, now_ns);
        for change in in_event_order(&mut self.keyspace, reports.changes, now_ns) {
            let events = &mut self.outbox.events;
            let (keyspace, groups) = (&self.keyspace, &mut self.groups);
            let changes =
                match_change(keyspace, groups, &change, &self.moment, is_live_only, events);
            self.apply_memory(changes);
        }
        // A log that is loaded has no sweep between its commands.
        if reports.removed_fences > 0 || reports.has_flush || is_live_only {
            self.send_ended_at_once(is_live_only);
        }
        self.number_events(first_event, now_ns);
        self.keyspace.fences_mut().forget_retired_sequences();
        let Outbox { events, hooks_changed, delivered, .. } = &mut self.outbox;
        for event in reports.logged_events {
            match &mut self.recovery {
                Some(recovery) => recovery.add(event, self.keyspace.fences()),
                None => events.push(event),
            }
        }
        for (name, number) in reports.delivered {
            match &mut self.recovery {
                Some(recovery) => recovery.drop_delivered(&name, number),
                None => delivered.push((name, number)),
            }
        }
        let events_before = events.len();
        hooks_changed
            .extend(reports.hooks.into_iter().map(|name| HookChange { name, events_before }));
        self.restart_snapshots(reports.restarts);
        if reports.removed_fences > 0 {
            self.groups.note_removed(reports.removed_fences, self.keyspace.fences());
        }
        if !self.keyspace.fences().standing().is_empty() {
            self.tell_standing(now_ns, is_live_only);
        }
    }

    /// Takes the events and changes since the last call.
    pub fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// Takes the commands for the log that fences have caused since the last call.
    #[inline]
    pub fn take_event_log(&mut self) -> TransactionLog {
        if self.event_log.is_empty() {
            return TransactionLog::default();
        }
        std::mem::take(&mut self.event_log)
    }

    /// Returns the numbered events of the loaded log that the driver has not stored, and ends their
    /// recovery if it is in progress.
    pub fn take_recovered(&mut self) -> Vec<Event> {
        if let Some(recovery) = self.recovery.take() {
            self.recovered.extend(recovery.finish(self.keyspace.fences_mut()));
        }
        std::mem::take(&mut self.recovered)
    }

    /// Notes up to which number the events of hooks are delivered. Returns the commands for the
    /// log, by which followers learn it.
    pub fn set_delivered<'n>(
        &mut self,
        delivered: impl Iterator<Item = (&'n [u8], u64)>,
    ) -> Vec<u8> {
        let mut log = Vec::new();
        for (name, number) in delivered {
            if self.keyspace.fences_mut().set_delivered(name, number) {
                write_command(&mut log, &[b"setdelivered", name, number.to_string().as_bytes()]);
            }
        }
        log
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
        let leads = |state: &State| !state.is_loading && !state.is_following;
        if leads(&state) && !leads(&self.state) {
            self.keyspace.fences_mut().check_all_endings();
        }
        self.state = state;
    }

    /// Removes overdue objects, hooks and channels, so many at most; appends the commands for the
    /// log and returns how many there were. A follower's log is its leader's, so it gets nothing.
    pub fn expire(&mut self, now_ns: i64, count_max: usize, log: &mut Vec<u8>) -> usize {
        let is_following = self.state.is_following;
        let (mut count, mut commands) = (0, TransactionLog::default());
        while count < count_max {
            let Some((key, object)) = self.keyspace.next_expired(now_ns) else { break };
            self.keyspace.remove(&key, object.id());
            self.keyspace.report_expiry(&key, &object);
            self.counters.expired += 1;
            count += 1;
            if is_following {
                self.expired_objects.add(&key, object);
            } else {
                commands.push_words(&[b"del", &key, object.id()]);
            }
        }
        count += self.release_due(now_ns, count_max.saturating_sub(count), &mut commands);
        let telling = self.expire_hooks(now_ns, &mut count, count_max, &mut commands);
        self.expired_objects.trim();
        if !self.keyspace.reports().is_empty() {
            self.tell_fences(now_ns, is_following);
        } else if self.keyspace.fences().standing().has_due(now_ns, is_following) {
            self.tell_standing(now_ns, is_following);
        }
        self.tell_hook_expiry(&telling);
        if self.event_log.is_empty() {
            log.extend(commands.take_single());
        } else {
            commands.append(&self.take_event_log());
            log.extend(commands.take_marked());
        }
        count
    }

    /// Lets fences decide about positions that have waited for the event window, about so many at
    /// most; appends the commands for the log and returns their number. A follower waits for those
    /// of its leader.
    fn release_due(&mut self, now_ns: i64, count_max: usize, log: &mut TransactionLog) -> usize {
        let mut count = 0;
        while count < count_max && !self.state.is_following {
            let Some(Due { key, id, event_ns }) = self.keyspace.reorder.next_due(now_ns) else {
                break;
            };
            self.keyspace.release_positions(&key, &id, event_ns);
            count += 1;
            let mut text = Vec::new();
            write_epoch(&mut text, event_ns);
            log.push_words(&[b"decide", &key, &id, &text]);
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
