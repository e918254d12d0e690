//! The offsets of time zones from UTC. The driver of the engine knows the zones' rules.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const SECONDS_PER_MINUTE: i64 = 60;
/// The most zones whose present offset is kept; there are about 600.
const ZONES_MAX: usize = 1_000;

/// The rules of the zones in the IANA time zone database. The driver implements them.
pub trait TimeZoneRules: Send + Sync {
    /// Returns the seconds by which a zone is ahead of UTC at a time, in seconds since 1970; `None`
    /// for an unknown zone. Called while a command runs: it must neither wait nor use the engine.
    fn utc_offset(&self, zone: &[u8], seconds: i64) -> Option<i32>;
}

/// The time zones, with the offset of each for the minute in which it was last asked for.
pub struct TimeZones {
    rules: Box<dyn TimeZoneRules>,
    known: Mutex<HashMap<Box<[u8]>, Offset>>,
}

#[derive(Clone, Copy)]
struct Offset {
    minute: i64,
    seconds: Option<i32>,
}

impl TimeZones {
    /// Returns the time zones with these rules.
    pub fn new(rules: Box<dyn TimeZoneRules>) -> Self {
        TimeZones { rules, known: Mutex::default() }
    }

    /// Returns the seconds by which a zone is ahead of UTC at a time, in seconds since 1970; `None`
    /// for an unknown zone. Offsets change at whole minutes.
    pub fn utc_offset(&self, zone: &[u8], seconds: i64) -> Option<i32> {
        let minute = seconds.div_euclid(SECONDS_PER_MINUTE);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(offset) = known.get(zone).filter(|offset| offset.minute == minute) {
            return offset.seconds;
        }
        let offset = self.rules.utc_offset(zone, seconds);
        if known.len() >= ZONES_MAX {
            known.clear();
        }
        known.insert(zone.into(), Offset { minute, seconds: offset });
        offset
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;

    use super::*;

    struct Counted(Arc<AtomicUsize>);

    impl TimeZoneRules for Counted {
        fn utc_offset(&self, zone: &[u8], seconds: i64) -> Option<i32> {
            self.0.fetch_add(1, Ordering::Relaxed);
            (zone == b"A").then_some(if seconds < 120 { 0 } else { 3600 })
        }
    }

    #[test]
    fn the_rules_are_asked_once_a_minute_for_each_zone() {
        let count = Arc::new(AtomicUsize::new(0));
        let zones = TimeZones::new(Box::new(Counted(Arc::clone(&count))));
        let asked = [(b"A", 60), (b"A", 119), (b"B", 119), (b"B", 61), (b"A", 120), (b"A", -1)];
        let told = asked.map(|(zone, seconds)| zones.utc_offset(zone, seconds));
        assert_eq!(told, [Some(0), Some(0), None, None, Some(3600), Some(0)]);
        assert_eq!(count.load(Ordering::Relaxed), 4);
    }
}
