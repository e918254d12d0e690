//! Geofences: definitions, the registry, the index of a key's fences, and the events that a change
//! causes. Delivers nothing: the caller of the engine gets the events.

mod anchor;
mod change;
mod definition;
mod delivery_options;
mod delivery_values;
mod derived_areas;
mod detect;
mod event;
mod followers;
mod group;
mod index;
mod matching;
mod message;
mod movement;
mod numbering;
mod registry;
mod reorder;
mod roam;
mod schedule;
mod sequence;
mod visits;
mod watch;
mod zone_keys;
mod zone_matching;
mod zones;

pub use change::{Arrival, Change, ChangeKind, HookChange};
pub use definition::{Fence, FenceArea, FenceShape};
pub use delivery_options::{without_secrets, DeliveryOptions};
pub use detect::{Commands, Detect, Detections};
pub use event::Event;
pub use group::{group_of_text, write_group, Groups};
pub use matching::match_change;
pub use message::Moment;
pub use numbering::{EventNumber, Sequence};
pub use registry::{Draft, FenceRegistry, Fetched, Hook, HookKind, Meta, SetOutcome, SharedHook};
pub use reorder::{Due, Reorder};
pub use roam::Roam;
pub use schedule::Schedule;
pub use sequence::{number_events, Recovery};
pub use visits::{Visit, VisitChange, VisitUpdate, Visitor, Visits};
pub use watch::{Name, Target, Watch};
pub use zones::Zones;
