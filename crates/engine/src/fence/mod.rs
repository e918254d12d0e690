//! Geofences: what a fence is, which fences a key has, which of them a change touches, and the
//! messages that result. Delivers nothing: messages go to whoever drives the engine.

mod change;
mod definition;
mod detect;
mod group;
mod index;
mod matching;
mod message;
mod registry;
mod roam;

pub use change::{Change, ChangeKind, HookChange};
pub use definition::{Area, Fence, Shape};
pub use detect::{Commands, Detect, Detections};
pub use group::Groups;
pub use matching::{match_change, Event};
pub use message::Moment;
pub use registry::{Draft, Fetched, Hook, HookKind, Meta, Name, Registry, Setting, Target, Watch};
pub use roam::Roam;
