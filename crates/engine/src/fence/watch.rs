//! A registered fence and the destination of its messages.

use super::Fence;

/// The name of a hook or channel.
pub type Name = std::sync::Arc<[u8]>;

/// The destination of a fence's messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The subscribers of the channel with this name.
    Channel(Name),
    /// The endpoints of the hook with this name.
    Hook(Name),
    /// The connection of the live fence with this number.
    Live(u64),
}

/// A registered fence. Its trees and the changes that concern it share it.
pub type SharedWatch = triomphe::Arc<Watch>;

/// A registered fence.
pub struct Watch {
    /// A unique number, never reused.
    pub serial: u64,
    /// The destination of its messages.
    pub target: Target,
    /// The definition.
    pub fence: Fence,
    /// Whether its events have numbers.
    pub is_numbered: bool,
    /// The members `hook`, `meta` and `key` of its messages, as JSON.
    pub(super) head: Box<[u8]>,
}
