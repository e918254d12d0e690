//! VALID: the weekly hours of a fence, outside of which it sends nothing. What a fence remembers
//! doesn't depend on them, so that logs and followers needn't agree about the clock.

use crate::error::{Error, Result};
use crate::time_zones::TimeZones;

const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
const MINUTES_PER_DAY: u16 = 24 * 60;
const MINUTES_PER_WEEK: i64 = 7 * MINUTES_PER_DAY as i64;
const SECONDS_PER_MINUTE: i64 = 60;
const NANOSECONDS: i64 = 1_000_000_000;
/// Minutes from the start of a week, Monday, to the first of 1970, a Thursday.
const MINUTES_TO_1970: i64 = 3 * MINUTES_PER_DAY as i64;
/// The zone without rules.
const UTC: &[u8] = b"UTC";

/// The hours of a week, in the local time of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Minutes of the week, ascending and apart; each range without its end.
    ranges: Box<[(u16, u16)]>,
    zone: Box<[u8]>,
}

/// Rules such as `Mon-Fri 07:00-12:00,13:00-18:00`: each time holds for each day.
#[derive(Default)]
struct Rule {
    days: u8,
    times: Vec<(u16, u16)>,
}

impl Schedule {
    /// Parses `Mon-Fri 07:00-19:00, Sat 10:00-14:00 Europe/Zurich`.
    pub fn parse(text: &[u8]) -> Result<Self> {
        Schedule::read(text).ok_or_else(|| Error::invalid(text))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut rule = Rule::default();
        let mut ranges = Vec::new();
        let mut zone = None;
        for part in text.split_inclusive(|byte| matches!(byte, b' ' | b',' | b';')) {
            let (word, end) = match part.split_last() {
                Some((end @ (b' ' | b',' | b';'), word)) => (word, *end),
                _ => (part, b' '),
            };
            if !word.is_empty() {
                if zone.is_some() {
                    return None;
                }
                if let Some(days) = parse_days(word) {
                    if !rule.times.is_empty() {
                        if rule.days == 0 {
                            return None; // Times stand behind their days.
                        }
                        std::mem::take(&mut rule).add_to(&mut ranges);
                    }
                    rule.days |= days;
                } else if word.first()?.is_ascii_digit() {
                    rule.times.push(parse_times(word)?);
                } else {
                    zone = Some(check_zone(word)?);
                }
            }
            if end == b';' && !rule.is_empty() {
                std::mem::take(&mut rule).add_to(&mut ranges);
            }
        }
        if !rule.is_empty() {
            rule.add_to(&mut ranges);
        }
        if ranges.is_empty() {
            return None;
        }
        Some(Schedule { ranges: merge(ranges), zone: zone.unwrap_or(UTC).into() })
    }

    /// Fails for a zone that the driver doesn't know.
    pub fn check(&self, zones: Option<&TimeZones>) -> Result<()> {
        match self.utc_offset(zones, 0) {
            Some(_) => Ok(()),
            None => Err(Error::Text([b"unknown time zone '", &self.zone[..], b"'"].concat())),
        }
    }

    /// Returns whether the fence sends messages at a time, in nanoseconds since 1970. Never in a
    /// zone that isn't known here, though another server knew it.
    pub fn is_valid_at(&self, now_ns: i64, zones: Option<&TimeZones>) -> bool {
        let seconds = now_ns.div_euclid(NANOSECONDS);
        let Some(offset) = self.utc_offset(zones, seconds) else { return false };
        let minute = (seconds + i64::from(offset)).div_euclid(SECONDS_PER_MINUTE);
        let minute = (minute + MINUTES_TO_1970).rem_euclid(MINUTES_PER_WEEK) as u16;
        self.ranges.iter().any(|(start, end)| (*start..*end).contains(&minute))
    }

    fn utc_offset(&self, zones: Option<&TimeZones>, seconds: i64) -> Option<i32> {
        if *self.zone == *UTC {
            return Some(0);
        }
        zones?.utc_offset(&self.zone, seconds)
    }
}

impl Rule {
    fn is_empty(&self) -> bool {
        self.days == 0 && self.times.is_empty()
    }

    /// Adds the ranges of all days and times. Without days all count, without times the whole day.
    fn add_to(self, ranges: &mut Vec<(u16, u16)>) {
        let days = if self.days == 0 { 0x7f } else { self.days };
        let times = if self.times.is_empty() { vec![(0, MINUTES_PER_DAY)] } else { self.times };
        let week = MINUTES_PER_WEEK as u16;
        for day in (0..7).filter(|day| days & (1 << day) != 0) {
            for (start, end) in &times {
                let length = if end > start { end - start } else { MINUTES_PER_DAY + end - start };
                let start = day * MINUTES_PER_DAY + start;
                ranges.push((start, week.min(start + length)));
                if start + length > week {
                    ranges.push((0, start + length - week));
                }
            }
        }
    }
}

/// Joins ranges that overlap or adjoin.
fn merge(mut ranges: Vec<(u16, u16)>) -> Box<[(u16, u16)]> {
    ranges.sort_unstable();
    let mut merged: Vec<(u16, u16)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged.into()
}

/// Parses `Mon` or `Mon-Fri`, in any case, to a bit for each day; `None` for other words.
fn parse_days(word: &[u8]) -> Option<u8> {
    let day = |name: &[u8]| DAYS.iter().position(|day| name.eq_ignore_ascii_case(day));
    let Some(dash) = word.iter().position(|byte| *byte == b'-') else {
        return Some(1 << day(word)?);
    };
    let (first, last) = (day(&word[..dash])?, day(&word[dash + 1..])?);
    let count = (last + 7 - first) % 7 + 1;
    Some((first..first + count).fold(0, |days, day| days | 1 << (day % 7)))
}

/// Parses `07:00-19:00`. The end may be the next day's, and 24:00.
fn parse_times(word: &[u8]) -> Option<(u16, u16)> {
    let (start, end) = std::str::from_utf8(word).ok()?.split_once('-')?;
    let (start, end) = (parse_time(start)?, parse_time(end)?);
    (start < MINUTES_PER_DAY && start != end).then_some((start, end))
}

fn parse_time(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, lengths: &[usize]| {
        let is_plain = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_plain)
    };
    let (hours, minutes) = (number(hours, &[1, 2])?, number(minutes, &[2])?);
    let time = hours * 60 + minutes;
    (minutes < 60 && time <= MINUTES_PER_DAY).then_some(time)
}

/// Returns a word that may name a zone. UTC has one spelling.
fn check_zone(word: &[u8]) -> Option<&[u8]> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(byte);
    if !word.iter().all(is_letter) {
        return None;
    }
    Some(if word.eq_ignore_ascii_case(UTC) { UTC } else { word })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Option<Vec<(u16, u16)>> {
        Schedule::read(text.as_bytes()).map(|schedule| schedule.ranges.to_vec())
    }

    const DAY: u16 = MINUTES_PER_DAY;

    #[test]
    fn days_and_times_are_minutes_of_the_week() {
        assert_eq!(ranges("Mon"), Some(vec![(0, DAY)]));
        assert_eq!(ranges("mon-TUE"), Some(vec![(0, 2 * DAY)]));
        assert_eq!(ranges("Sun-Mon"), Some(vec![(0, DAY), (6 * DAY, 7 * DAY)]));
        assert_eq!(ranges("7:00-24:00 Mon"), None);
        assert_eq!(ranges("Mon 7:05-08:00"), Some(vec![(425, 480)]));
        assert_eq!(
            ranges("Mon,Wed 01:00-02:00,03:00-04:00, Tue 00:00-00:01"),
            Some(vec![
                (60, 120),
                (180, 240),
                (DAY, DAY + 1),
                (2 * DAY + 60, 2 * DAY + 120),
                (2 * DAY + 180, 2 * DAY + 240),
            ])
        );
        assert_eq!(ranges("Mon; Tue 01:00-02:00"), Some(vec![(0, DAY), (DAY + 60, DAY + 120)]));
    }

    #[test]
    fn ranges_over_midnight_belong_to_the_day_on_which_they_begin() {
        assert_eq!(ranges("Mon 22:00-06:00"), Some(vec![(1320, DAY + 360)]));
        assert_eq!(ranges("Sun 22:00-06:00"), Some(vec![(0, 360), (6 * DAY + 1320, 7 * DAY)]));
        assert_eq!(ranges("22:00-06:00").unwrap().len(), 8);
        assert_eq!(ranges("00:00-24:00"), Some(vec![(0, 7 * DAY)]));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            " ",
            ";",
            "UTC",
            "Mon UTC Tue",
            "Mon-",
            "Mon 7-8",
            "Mon 07:00",
            "Mon 07:60-08:00",
            "Mon 25:00-26:00",
            "Mon 24:00-01:00",
            "Mon 07:00-07:00",
            "Mon 07:00-24:01",
            "Mon +7:00-08:00",
            "Mon 007:00-08:00",
            "Mon Europe/Z\u{fc}rich",
            "Mon ../etc/passwd",
        ] {
            assert_eq!(ranges(text), None, "{text}");
        }
    }

    #[test]
    fn validity_is_decided_in_local_time() {
        struct Fixed;
        impl crate::time_zones::TimeZoneRules for Fixed {
            fn utc_offset(&self, zone: &[u8], _seconds: i64) -> Option<i32> {
                (zone == b"Etc/GMT-2").then_some(7200)
            }
        }
        let zones = TimeZones::new(Box::new(Fixed));
        let schedule = |text: &str| Schedule::parse(text.as_bytes()).unwrap();
        let hour = 3_600 * NANOSECONDS;
        // 1970 began with a Thursday.
        let valid = |text: &str, now_ns: i64| schedule(text).is_valid_at(now_ns, Some(&zones));
        assert!(valid("Thu", 0) && valid("Wed", -1) && !valid("Wed", 0) && !valid("Thu", -1));
        assert!(valid("Thu 02:00-03:00 Etc/GMT-2", 0));
        assert!(valid("Thu 02:00-03:00 Etc/GMT-2", hour - 1));
        assert!(!valid("Thu 02:00-03:00 Etc/GMT-2", hour));
        assert!(valid("Sun 23:00-24:00 UTC", 4 * 24 * hour - 1));
        assert!(!valid("Mon-Sun Mars/Olympus", 0));
        assert!(schedule("Mon utc").check(None).is_ok());
        let unknown = schedule("Mon Mars/Olympus").check(Some(&zones)).unwrap_err();
        assert_eq!(unknown.message(), b"unknown time zone 'Mars/Olympus'");
    }
}
