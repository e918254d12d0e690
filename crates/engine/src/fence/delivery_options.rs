//! The options of SETHOOK and SETCHAN about events and their delivery. The driver of the engine,
//! which delivers, obeys them.

use super::delivery_values::{check_header, check_secret, check_setting, parse_switch, SETTINGS};
use super::HookKind;
use crate::call::Words;
use crate::error::{Error, Result};
use crate::request::Args;

/// The most secrets that sign a hook's requests at the same time.
const SECRETS_MAX: usize = 4;
/// The most headers of a hook.
const HEADERS_MAX: usize = 32;
/// The shown text in the place of a secret.
const HIDDEN: &[u8] = b"***";

/// An option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DeliveryOption {
    /// FORMAT cloudevents
    CloudEvents,
    /// HEADERS name value
    Header(Box<[u8]>, Box<[u8]>),
    /// FORMAT ndjson
    Lines,
    /// SEQUENCE yes
    Sequence,
    /// One of [`SETTINGS`] and its value.
    Setting(&'static str, Box<[u8]>),
    /// SIGN secret
    Sign(Box<[u8]>),
}

impl DeliveryOption {
    /// The words as in SETHOOK.
    fn words(&self) -> Vec<&[u8]> {
        match self {
            DeliveryOption::CloudEvents => vec![b"FORMAT", b"cloudevents"],
            DeliveryOption::Header(name, value) => vec![b"HEADERS", name, value],
            DeliveryOption::Lines => vec![b"FORMAT", b"ndjson"],
            DeliveryOption::Setting(keyword, value) => vec![keyword.as_bytes(), value],
            DeliveryOption::Sequence => vec![b"SEQUENCE", b"yes"],
            DeliveryOption::Sign(secret) => vec![b"SIGN", secret],
        }
    }

    /// The words with the secret hidden. A header's value may be one.
    fn shown(&self) -> Vec<&[u8]> {
        let mut words = self.words();
        let is_secret = matches!(self, DeliveryOption::Header(..) | DeliveryOption::Sign(_));
        if let (true, Some(last)) = (is_secret, words.last_mut()) {
            *last = HIDDEN;
        }
        words
    }

    /// Whether only requests of HTTP can have it.
    fn needs_http(&self) -> bool {
        matches!(
            self,
            DeliveryOption::Header(..)
                | DeliveryOption::Sign(_)
                | DeliveryOption::Setting("BATCH", _)
        )
    }
}

/// The options of a hook, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryOptions {
    options: Vec<DeliveryOption>,
}

impl DeliveryOptions {
    /// The number of values behind the keyword of an option; `None` for other words.
    pub fn value_count(word: &[u8]) -> Option<usize> {
        let keyword = word.to_ascii_uppercase();
        match &keyword[..] {
            b"HEADERS" => Some(2),
            b"FORMAT" | b"SEQUENCE" | b"SIGN" => Some(1),
            keyword => SETTINGS.iter().any(|name| name.as_bytes() == keyword).then_some(1),
        }
    }

    /// Takes the values of an option if the word, already taken, is its keyword; returns whether
    /// it was. Channels have only HISTORY and SEQUENCE. Error texts contain no secret.
    pub fn take(&mut self, kind: HookKind, word: &[u8], words: &mut Words) -> Result<bool> {
        let keyword = word.to_ascii_uppercase();
        match &keyword[..] {
            b"HISTORY" => self.take_setting("HISTORY", words)?,
            b"SEQUENCE" => {
                self.options.retain(|present| *present != DeliveryOption::Sequence);
                if parse_switch(words.next_filled()?)? {
                    self.options.push(DeliveryOption::Sequence);
                }
            }
            _ if kind == HookKind::Channel => return Ok(false),
            b"FORMAT" => {
                let format = words.next_filled()?;
                self.replace(match &format.to_ascii_lowercase()[..] {
                    b"cloudevents" => DeliveryOption::CloudEvents,
                    b"ndjson" => DeliveryOption::Lines,
                    _ => return Err(Error::invalid(format)),
                });
            }
            b"HEADERS" => {
                let (name, value) = (words.next_filled()?, words.next_filled()?);
                check_header(name, value)?;
                self.options.retain(|present| {
                    !matches!(present, DeliveryOption::Header(other, _)
                        if other.eq_ignore_ascii_case(name))
                });
                self.options.push(DeliveryOption::Header(name.into(), value.into()));
            }
            b"SIGN" => {
                let secret = words.next_filled()?;
                check_secret(secret)?;
                self.options.push(DeliveryOption::Sign(secret.into()));
            }
            keyword => {
                let is_named = |name: &&&str| name.as_bytes() == keyword;
                let Some(name) = SETTINGS.iter().find(is_named) else { return Ok(false) };
                self.take_setting(name, words)?;
            }
        }
        Ok(true)
    }

    /// Takes the value of a setting in place of an earlier one.
    fn take_setting(&mut self, keyword: &'static str, words: &mut Words) -> Result<()> {
        let value = words.next_filled()?;
        check_setting(keyword, value)?;
        self.options.retain(
            |present| !matches!(present, DeliveryOption::Setting(other, _) if *other == keyword),
        );
        self.options.push(DeliveryOption::Setting(keyword, value.into()));
        Ok(())
    }

    /// The value of a setting; `None` if it isn't given.
    pub fn setting(&self, keyword: &str) -> Option<&[u8]> {
        self.options.iter().find_map(|option| match option {
            DeliveryOption::Setting(name, value) if *name == keyword => Some(&value[..]),
            _ => None,
        })
    }

    /// Sets the format.
    fn replace(&mut self, format: DeliveryOption) {
        self.options.retain(|present| {
            !matches!(present, DeliveryOption::CloudEvents | DeliveryOption::Lines)
        });
        self.options.push(format);
    }

    /// Whether events have numbers: HISTORY needs them.
    pub fn has_sequence(&self) -> bool {
        self.options.contains(&DeliveryOption::Sequence) || self.has_history()
    }

    /// Whether events are kept.
    pub fn has_history(&self) -> bool {
        self.setting("HISTORY").is_some()
    }

    /// Puts the options into their order. Fails where the hook's endpoints can't obey one.
    pub fn finish(&mut self, endpoints: &[Box<[u8]>]) -> Result<()> {
        if endpoints.iter().any(|url| is_transactional(url)) {
            if endpoints.len() > 1 {
                return Err(Error::text(
                    "transactional=yes needs an endpoint that is the only one",
                ));
            }
            self.options.push(DeliveryOption::Sequence);
        }
        self.options.sort();
        self.options.dedup();
        let count_of = |is_kind: fn(&DeliveryOption) -> bool| {
            self.options.iter().filter(|option| is_kind(option)).count()
        };
        if count_of(|option| matches!(option, DeliveryOption::Sign(_))) > SECRETS_MAX {
            return Err(Error::text("too many SIGN, 4 at most"));
        }
        if count_of(|option| matches!(option, DeliveryOption::Header(..))) > HEADERS_MAX {
            return Err(Error::text("too many HEADERS, 32 at most"));
        }
        let is_http = |url: &[u8]| url.starts_with(b"http://") || url.starts_with(b"https://");
        let has_http = endpoints.iter().any(|url| is_http(url));
        if self.options.iter().any(DeliveryOption::needs_http) && !has_http {
            let what = if self.setting("BATCH").is_some() { "BATCH" } else { "SIGN or HEADERS" };
            let text = format!("no endpoint of http or https for {what}");
            return Err(Error::text(&text));
        }
        if self.options.contains(&DeliveryOption::Lines) && self.setting("BATCH").is_none() {
            return Err(Error::text("FORMAT ndjson needs BATCH"));
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// The words as in SETHOOK, secrets included.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.options.iter().flat_map(DeliveryOption::words)
    }

    /// The words as users see them, without secrets.
    pub fn shown(&self) -> impl Iterator<Item = &[u8]> {
        self.options.iter().flat_map(DeliveryOption::shown)
    }
}

/// Whether the events of a hook and their numbers go to Kafka in transactions.
fn is_transactional(url: &[u8]) -> bool {
    let query = url.split(|byte| *byte == b'?').nth(1).unwrap_or_default();
    let mut parameters = query.split(|byte| *byte == b'&');
    url.starts_with(b"kafka://") && parameters.any(|parameter| parameter == b"transactional=yes")
}

/// Returns the arguments of a request as MONITOR and SLOWLOG may show them: without the secrets of
/// SETHOOK, well-formed or not.
pub fn without_secrets(args: Args<'_>) -> Vec<&[u8]> {
    let mut shown: Vec<&[u8]> = args.iter().collect();
    let is_word = |at: usize, word: &str| {
        args.get(at).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    };
    let start = if is_word(0, "TIMEOUT") { 2 } else { 0 };
    if !is_word(start, "SETHOOK") {
        return shown;
    }
    let mut at = start + 3;
    while at < shown.len() && !["NEARBY", "WITHIN", "INTERSECTS"].iter().any(|w| is_word(at, w)) {
        let (width, is_secret) = match &shown[at].to_ascii_uppercase()[..] {
            b"META" => (3, false),
            b"EX" | b"FORMAT" | b"SEQUENCE" => (2, false),
            word if SETTINGS.iter().any(|name| name.as_bytes() == word) => (2, false),
            b"HEADERS" => (3, true),
            b"SIGN" => (2, true),
            _ => (1, false),
        };
        let last = at + width - 1;
        if is_secret && last < shown.len() {
            shown[last] = HIDDEN;
        }
        at += width;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Arguments;

    fn parse(line: &str, endpoint: &str) -> Result<DeliveryOptions> {
        let words: Vec<&str> = line.split(' ').collect();
        let mut arguments = Arguments::default();
        arguments.assign(&words);
        let mut words = Words::new(arguments.view(&[]));
        let mut options = DeliveryOptions::default();
        while words.left() > 0 {
            let word = words.next_word()?;
            if !options.take(HookKind::Hook, word, &mut words)? {
                return Err(Error::invalid(word));
            }
        }
        options.finish(&[endpoint.as_bytes().into()])?;
        Ok(options)
    }

    fn line_of<'w>(words: impl Iterator<Item = &'w [u8]>) -> String {
        words.map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
    }

    fn refusal(line: &str) -> Option<String> {
        parse(line, "https://h/").err().map(|error| String::from_utf8(error.message()).unwrap())
    }

    #[test]
    fn options_have_one_order_and_hide_their_secrets() {
        let line =
            "sign b HEADERS X-b two headers X-a one HEADERS x-B three SIGN a format CLOUDEVENTS";
        let options = parse(line, "https://h/").unwrap();
        assert_eq!(
            line_of(options.words()),
            "FORMAT cloudevents HEADERS X-a one HEADERS x-B three SIGN a SIGN b"
        );
        assert_eq!(
            line_of(options.shown()),
            "FORMAT cloudevents HEADERS X-a *** HEADERS x-B *** SIGN *** SIGN ***"
        );
        assert!(parse("FORMAT cloudevents", "kafka://h/t").is_ok());
        assert!(parse("SIGN a", "kafka://h/t").is_err());
    }

    #[test]
    fn secrets_in_base64_have_24_to_64_bytes() {
        let of = |count: usize| format!("SIGN whsec_{}", "A".repeat(count));
        for good in [of(32), of(84), of(35) + "=", of(34) + "==", of(86) + "=="] {
            assert_eq!(refusal(&good), None, "{good}");
        }
        for bad in [of(31), of(28), of(88), of(30) + "==", of(35) + "!", of(29) + "===", of(0)] {
            let told = refusal(&bad).unwrap();
            assert!(told.starts_with("invalid secret of SIGN"), "{bad}: {told}");
        }
        assert!(refusal(&format!("SIGN {}", "a".repeat(513))).is_some());
    }

    #[test]
    fn headers_that_break_a_request_are_refused() {
        assert_eq!(refusal("HEADERS Host x").as_deref(), Some("invalid argument 'Host'"));
        assert_eq!(
            refusal("HEADERS webhook-id x").as_deref(),
            Some("invalid argument 'webhook-id'")
        );
        assert_eq!(refusal("HEADERS a:b x").as_deref(), Some("invalid argument 'a:b'"));
        for value in ["x\ry", "x\ny", "x\0", "é", "x\t"] {
            let told = refusal(&format!("HEADERS a {value}"));
            assert_eq!(told.as_deref(), Some("invalid value of HEADERS"), "{value:?}");
        }
        assert!(refusal("HEADERS a").is_some());
        assert_eq!(refusal("FORMAT xml").as_deref(), Some("invalid argument 'xml'"));
        let many: Vec<_> = (0..33).map(|at| format!("HEADERS h{at} x")).collect();
        assert_eq!(refusal(&many.join(" ")).as_deref(), Some("too many HEADERS, 32 at most"));
        assert_eq!(
            refusal("SIGN a SIGN b SIGN c SIGN d SIGN e").as_deref(),
            Some("too many SIGN, 4 at most")
        );
    }

    #[test]
    fn settings_have_one_value_and_its_bounds() {
        let line = "ttl 1h RETRY 500ms..1m QUEUE 64mb FORMAT ndjson BATCH 100|20ms HISTORY 5 \
                    TIMEOUT 5s BATCH 7 SEQUENCE yes";
        let options = parse(line, "https://h/").unwrap();
        assert_eq!(
            line_of(options.words()),
            "FORMAT ndjson SEQUENCE yes BATCH 7 HISTORY 5 QUEUE 64mb RETRY 500ms..1m TIMEOUT 5s \
             TTL 1h"
        );
        assert_eq!(options.setting("BATCH"), Some(&b"7"[..]));
        for bad in [
            "BATCH 0",
            "BATCH 2001",
            "BATCH 5|",
            "BATCH 61s",
            "BATCH 0ms",
            "RETRY 1s",
            "RETRY 1s..",
            "RETRY 2s..1s",
            "RETRY 1ms..1s",
            "RETRY 1s..2d",
            "TIMEOUT 5",
            "TIMEOUT 1ms",
            "TIMEOUT 11m",
            "TTL forever",
            "QUEUE 64",
            "QUEUE 1kb",
            "HISTORY 0",
            "HISTORY 1h|",
            "HISTORY",
            "SEQUENCE maybe",
        ] {
            assert!(refusal(bad).is_some(), "{bad}");
        }
        let refused = |line: &str| parse(line, "nats://h/s").is_err();
        assert!(refused("BATCH 5") && !refused("RETRY 1s..1s TIMEOUT 1s TTL 0s QUEUE 64kb"));
        assert_eq!(refusal("FORMAT ndjson").as_deref(), Some("FORMAT ndjson needs BATCH"));
    }

    #[test]
    fn transactions_need_numbers_and_one_endpoint() {
        let url = "kafka://h/t?auth=none&transactional=yes";
        assert_eq!(line_of(parse("TTL 1h", url).unwrap().words()), "SEQUENCE yes TTL 1h");
        let plain = parse("TTL 1h", "kafka://h/t?transactional=no").unwrap();
        assert_eq!(line_of(plain.words()), "TTL 1h");
        let endpoints = [url.as_bytes().into(), b"redis://h/c"[..].into()];
        assert!(DeliveryOptions::default().finish(&endpoints).is_err());
    }

    #[test]
    fn channels_have_sequence_and_history_only() {
        let take = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let mut arguments = Arguments::default();
            arguments.assign(&words);
            let mut words = Words::new(arguments.view(&[]));
            let word = words.next_word().unwrap();
            DeliveryOptions::default().take(HookKind::Channel, word, &mut words)
        };
        assert_eq!((take("sequence yes"), take("HISTORY 1h|5|1mb")), (Ok(true), Ok(true)));
        for line in ["TTL 1h", "RETRY 1s..2s", "SIGN a", "FORMAT cloudevents", "BATCH 5"] {
            assert_eq!(take(line), Ok(false), "{line}");
        }
    }

    #[test]
    fn shown_requests_have_no_secrets() {
        let shown = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let mut arguments = Arguments::default();
            arguments.assign(&words);
            line_of(without_secrets(arguments.view(&[])).into_iter())
        };
        assert_eq!(
            shown("sethook h u META sign x SIGN s headers A b EX 5 NEARBY k SIGN x"),
            "sethook h u META sign x SIGN *** headers A *** EX 5 NEARBY k SIGN x"
        );
        assert_eq!(shown("SETHOOK h u NOPE x SIGN s"), "SETHOOK h u NOPE x SIGN ***");
        assert_eq!(shown("TIMEOUT 1 SETHOOK h u SIGN s"), "TIMEOUT 1 SETHOOK h u SIGN ***");
        for line in ["SETHOOK h u SIGN", "SETHOOK h u HEADERS a", "SETHOOK", "SET a b SIGN s"] {
            assert_eq!(shown(line), line);
        }
    }
}
