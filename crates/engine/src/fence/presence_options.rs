//! The options of a fence that keeps a memory of its visits: ENDINGS, DWELL, EVERY, LINGER,
//! ACCURACY, HYSTERESIS.

use super::duration::parse_duration;
use super::{Detect, Detections};
use crate::call::{float_of, Words};
use crate::error::{Error, Result};

/// The most durations that DWELL lists.
const DWELLS_MAX: usize = 16;
/// The most metres of HYSTERESIS.
const HYSTERESIS_METERS_MAX: f64 = 1_000_000.0;

/// A duration of DWELL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dwell {
    /// The duration in nanoseconds.
    pub duration_ns: i64,
    /// The duration as it was typed, which messages show.
    pub text: Box<[u8]>,
}

/// The options of a fence by which it decides from a memory of visits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PresenceOptions {
    /// ENDINGS yes: each visit that a deletion ends causes a message, too.
    pub has_endings: bool,
    /// DWELL: the durations of visits that cause messages, ascending.
    pub dwells: Vec<Dwell>,
    /// EVERY: the least time between two `inside` messages.
    pub every_ns: Option<i64>,
    /// LINGER: the time that an object stays outside before its visit ends.
    pub linger_ns: Option<i64>,
    /// ACCURACY: the field with the radius of uncertainty of a position in metres.
    pub accuracy: Option<Box<[u8]>>,
    /// HYSTERESIS: the distance from the area up to which a visit goes on.
    pub hysteresis_meters: f64,
}

impl PresenceOptions {
    /// Whether visits have times, which don't follow from the writes alone.
    pub fn has_times(&self) -> bool {
        !self.dwells.is_empty() || self.every_ns.is_some() || self.linger_ns.is_some()
    }

    /// Whether a visit can go on at any distance from the area.
    pub fn is_unbounded(&self) -> bool {
        self.linger_ns.is_some() || self.accuracy.is_some()
    }

    /// Whether visits have a state besides their group.
    pub fn has_state(&self) -> bool {
        self.has_times() || self.is_unbounded()
    }
}

/// The options of a search as they are read.
#[derive(Default)]
pub struct PresenceDraft {
    options: PresenceOptions,
    /// The options that were read, in their order.
    taken: Vec<&'static str>,
}

/// The words of the options.
const NAMES: [&str; 6] = ["ENDINGS", "DWELL", "EVERY", "LINGER", "ACCURACY", "HYSTERESIS"];

impl PresenceDraft {
    /// Takes the value of an option if the word, already taken and in upper case, is its name;
    /// returns whether it was.
    pub fn take(&mut self, upper: &[u8], words: &mut Words) -> Result<bool> {
        let Some(name) = NAMES.into_iter().find(|name| name.as_bytes() == upper) else {
            return Ok(false);
        };
        if self.taken.contains(&name) {
            return Err(Error::duplicate(upper));
        }
        self.taken.push(name);
        let word = words.next_filled()?;
        let options = &mut self.options;
        match name {
            "ENDINGS" => options.has_endings = is_yes(word)?,
            "DWELL" => options.dwells = parse_dwells(word)?,
            "EVERY" => options.every_ns = Some(duration_of(name, word)?),
            "LINGER" => options.linger_ns = Some(duration_of(name, word)?),
            "ACCURACY" => options.accuracy = Some(word.into()),
            _ => {
                let meters = float_of(word)?;
                if !(meters > 0.0 && meters <= HYSTERESIS_METERS_MAX) {
                    return Err(Error::invalid(word));
                }
                options.hysteresis_meters = meters;
            }
        }
        Ok(true)
    }

    /// Fails if there are options and the search is no fence.
    pub fn check_fence(&self, is_fence: bool) -> Result<()> {
        match self.taken.first() {
            Some(name) if !is_fence => {
                Err(Error::text(format!("{name} is not allowed when FENCE is not specified")))
            }
            _ => Ok(()),
        }
    }

    /// Returns the options; `None` if none asks for a memory. Fails where DETECT contradicts them.
    pub fn finish(self, detect: Option<Detections>) -> Result<Option<Box<PresenceOptions>>> {
        let options = self.options;
        let lists = |word| detect.is_none_or(|detect| detect.has(word));
        if detect.is_some_and(|detect| detect.has(Detect::Dwell)) && options.dwells.is_empty() {
            return Err(Error::text("DETECT dwell needs DWELL"));
        }
        if options.has_endings && !lists(Detect::Exit) {
            return Err(Error::text("ENDINGS needs DETECT with exit"));
        }
        if options.every_ns.is_some() && !lists(Detect::Inside) {
            return Err(Error::text("EVERY needs DETECT with inside"));
        }
        Ok((options != PresenceOptions::default()).then(|| Box::new(options)))
    }
}

impl PresenceOptions {
    /// The name of an option in use, for error texts.
    pub fn name(&self) -> &'static str {
        let used = [
            self.has_endings,
            !self.dwells.is_empty(),
            self.every_ns.is_some(),
            self.linger_ns.is_some(),
            self.accuracy.is_some(),
        ];
        let at = used.iter().position(|is_used| *is_used);
        NAMES[at.unwrap_or(NAMES.len() - 1)]
    }
}

fn is_yes(word: &[u8]) -> Result<bool> {
    match &word.to_ascii_lowercase()[..] {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err(Error::invalid(word)),
    }
}

fn duration_of(name: &str, word: &[u8]) -> Result<i64> {
    parse_duration(word).ok_or_else(|| {
        let word = String::from_utf8_lossy(word);
        Error::text(format!("invalid duration '{word}' of {name}"))
    })
}

fn parse_dwells(list: &[u8]) -> Result<Vec<Dwell>> {
    let mut dwells = Vec::new();
    for typed in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        dwells.push(Dwell { duration_ns: duration_of("DWELL", typed)?, text: typed.into() });
    }
    if dwells.len() > DWELLS_MAX {
        return Err(Error::text("too many durations of DWELL, 16 at most"));
    }
    dwells.sort_by_key(|dwell| dwell.duration_ns);
    match dwells.windows(2).find(|pair| pair[0].duration_ns == pair[1].duration_ns) {
        Some(pair) => Err(Error::duplicate(&pair[1].text)),
        None => Ok(dwells),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Arguments;

    const SECOND_NS: i64 = 1_000_000_000;

    fn parse(line: &str, detect: Option<&str>) -> std::result::Result<PresenceOptions, String> {
        let typed: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let mut arguments = Arguments::default();
        arguments.assign(&typed);
        let mut words = Words::new(arguments.view(&[]));
        let mut draft = PresenceDraft::default();
        let listed = detect.map(|list| {
            let mut listed = Detections::default();
            assert!(list.split(',').all(|word| listed.add_word(word.as_bytes())));
            listed
        });
        let mut read = || {
            while words.left() > 0 {
                let word = words.next_word()?;
                assert!(draft.take(word, &mut words)?);
            }
            draft.check_fence(true)?;
            std::mem::take(&mut draft).finish(listed)
        };
        match read() {
            Ok(options) => Ok(options.map(|options| *options).unwrap_or_default()),
            Err(error) => Err(String::from_utf8(error.message()).unwrap()),
        }
    }

    #[test]
    fn options_come_in_any_order_and_dwells_ascend() {
        let line = "HYSTERESIS 25 DWELL 5m,30s ENDINGS yes ACCURACY hdop LINGER 10 EVERY 1m";
        let options = parse(line, None).unwrap();
        let dwells: Vec<_> = options
            .dwells
            .iter()
            .map(|dwell| (dwell.duration_ns / SECOND_NS, &*dwell.text))
            .collect();
        assert_eq!(dwells, [(30, &b"30s"[..]), (300, b"5m")]);
        assert_eq!(options.linger_ns, Some(10 * SECOND_NS));
        assert_eq!(options.every_ns, Some(60 * SECOND_NS));
        assert_eq!(options.accuracy.as_deref(), Some(&b"hdop"[..]));
        assert!(options.has_endings && options.hysteresis_meters == 25.0);
        assert!(options.has_times() && options.is_unbounded() && options.has_state());
        assert_eq!(options.name(), "ENDINGS");
        assert_eq!(parse("HYSTERESIS 25", None).unwrap().name(), "HYSTERESIS");
        assert_eq!(parse("ENDINGS no", None), Ok(PresenceOptions::default()));
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let refusals = [
            ("ENDINGS maybe", None, "invalid argument 'maybe'"),
            ("ENDINGS", None, ""),
            ("ENDINGS yes ENDINGS no", None, "duplicate argument 'ENDINGS'"),
            ("ENDINGS yes", Some("enter"), "ENDINGS needs DETECT with exit"),
            ("EVERY 5s", Some("enter,exit"), "EVERY needs DETECT with inside"),
            ("", Some("dwell"), "DETECT dwell needs DWELL"),
            ("DWELL -5s", None, "invalid duration '-5s' of DWELL"),
            ("DWELL 5s,", None, "invalid duration '' of DWELL"),
            ("DWELL 60s,1m", None, "duplicate argument '1m'"),
            ("LINGER 0", None, "invalid duration '0' of LINGER"),
            ("LINGER soon", None, "invalid duration 'soon' of LINGER"),
            ("EVERY 9000h", None, "invalid duration '9000h' of EVERY"),
            ("HYSTERESIS -1", None, "invalid argument '-1'"),
            ("HYSTERESIS 0", None, "invalid argument '0'"),
            ("HYSTERESIS nan", None, "invalid argument 'nan'"),
            ("HYSTERESIS 1e7", None, "invalid argument '1e7'"),
        ];
        for (line, detect, text) in refusals {
            assert!(parse(line, detect).unwrap_err().starts_with(text), "{line}");
        }
        let many = (1..=17).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
        let error = parse(&format!("DWELL {many}"), None).unwrap_err();
        assert_eq!(error, "too many durations of DWELL, 16 at most");
    }

    #[test]
    fn options_need_a_fence() {
        let mut draft = PresenceDraft::default();
        assert!(draft.check_fence(false).is_ok());
        let mut arguments = Arguments::default();
        arguments.assign(&["5s"]);
        assert_eq!(draft.take(b"EVERY", &mut Words::new(arguments.view(&[]))), Ok(true));
        assert!(draft.check_fence(false).is_err() && draft.check_fence(true).is_ok());
    }
}
