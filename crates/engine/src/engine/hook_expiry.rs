//! The expiry of hooks and channels. With ENDINGS, the last message tells it.

use super::Engine;
use crate::commands::remove_hook;
use crate::fence::{expiry_event, EndReason, HookKind, SharedHook};
use crate::transaction_log::TransactionLog;

impl Engine {
    /// Removes expired hooks and channels, so many at most. Appends the commands for the log, but
    /// not on a follower, whose log is its leader's. Returns the hooks and channels that have to
    /// send a message about their expiry.
    pub(super) fn expire_hooks(
        &mut self,
        now_ns: i64,
        count: &mut usize,
        count_max: usize,
        commands: &mut TransactionLog,
    ) -> Vec<SharedHook> {
        let is_following = self.state.is_following;
        let mut telling = Vec::new();
        while *count < count_max {
            let fences = self.keyspace.fences();
            let Some(name) = fences.next_expired(now_ns) else { break };
            let hook = fences.get(&name).cloned();
            let Some(kind) = remove_hook(&mut self.keyspace, &name, EndReason::HookExpired) else {
                break;
            };
            *count += 1;
            if !is_following {
                let word: &[u8] = if kind == HookKind::Hook { b"delhook" } else { b"delchan" };
                commands.push_words(&[word, &name]);
                telling.extend(hook.filter(|hook| hook.watch.fence.has_endings()));
            }
        }
        telling
    }

    /// Appends the last messages of expired hooks and channels, behind those about their visits.
    pub(super) fn tell_hook_expiry(&mut self, hooks: &[SharedHook]) {
        for hook in hooks {
            self.keyspace.fences_mut().keep_for_last_message(hook);
            self.outbox.events.push(expiry_event(&hook.watch, &self.moment));
        }
    }
}
