//! Geofences: definitions, the registry, the index of a key's fences, and the events that a change
//! causes. Delivers nothing: the caller of the engine gets the events.

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
pub use definition::{Fence, FenceArea, FenceShape};
pub use detect::{Commands, Detect, Detections};
pub use group::Groups;
pub use matching::{match_change, Event};
pub use message::Moment;
pub use registry::{
    Draft, FenceRegistry, Fetched, Hook, HookKind, Meta, Name, SetOutcome, Target, Watch,
};
pub use roam::Roam;
