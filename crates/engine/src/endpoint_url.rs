//! The URLs of hooks: whether one is well-formed, and why not. Doesn't take them apart any
//! further: whoever connects does.

use std::sync::OnceLock;

/// The schemes, with what they want beyond a host. Event Hubs' connection strings have none.
const SCHEMES: [(&str, Check); 14] = [
    ("local:", |_| Ok(())),
    ("http:", |_| Ok(())),
    ("https:", |_| Ok(())),
    ("disque:", check_disque),
    ("grpc:", |url| url.check_host("invalid grpc url", "invalid grpc url")),
    ("redis:", check_redis),
    ("kafka:", check_kafka),
    ("amqp:", check_amqp),
    ("amqps:", check_amqp),
    ("mqtt:", check_mqtt),
    ("pubsub:", check_pubsub),
    ("sqs:", check_sqs),
    ("nats:", check_nats),
    ("cf-queue:", check_cf_queue),
];

/// The schemes of other packages, each with its colon: who adds one checks the rest of its URLs.
static OTHERS: OnceLock<Vec<Box<[u8]>>> = OnceLock::new();

/// Why a URL isn't one.
pub type Reason = &'static str;
type Check = fn(&Url) -> Result<(), Reason>;

/// A URL, cut.
struct Url<'a> {
    authority: &'a [u8],
    segments: Vec<&'a [u8]>,
    query: &'a [u8],
}

/// Takes URLs of these schemes, too; once for the process, before any command runs. Whether it
/// was the first time.
pub fn admit(schemes: Vec<Box<[u8]>>) -> bool {
    OTHERS.set(schemes).is_ok()
}

fn is_admitted(url: &[u8]) -> bool {
    OTHERS.get().is_some_and(|others| others.iter().any(|scheme| url.starts_with(scheme)))
}

/// Whether a URL names an endpoint. The scheme is taken as it is spelled.
pub fn check(url: &[u8]) -> Result<(), Reason> {
    if url.starts_with(b"Endpoint=") {
        return check_event_hub(url);
    }
    let known = SCHEMES.iter().find(|(scheme, _)| url.starts_with(scheme.as_bytes()));
    let Some((scheme, check)) = known else {
        return if is_admitted(url) { Ok(()) } else { Err("unknown scheme") };
    };
    let Some(rest) = url[scheme.len()..].strip_prefix(b"//") else {
        return Err("missing the two slashes");
    };
    let mut halves = rest.split(|byte| *byte == b'?');
    let path = halves.next().unwrap_or_default();
    let query = halves.next().unwrap_or_default();
    let mut segments = path.split(|byte| *byte == b'/');
    let authority = segments.next().unwrap_or_default();
    if authority.is_empty() {
        return Err(if *scheme == "local:" { "missing channel" } else { "missing host" });
    }
    check(&Url { authority, segments: segments.collect(), query })
}

impl Url<'_> {
    /// `host[:port]`. A user may stand before it, but no password: its colon is a port's.
    fn check_host(&self, malformed: Reason, bad_port: Reason) -> Result<(), Reason> {
        let mut parts = self.authority.split(|byte| *byte == b':').skip(1);
        match (parts.next(), parts.next()) {
            (_, Some(_)) => Err(malformed),
            (Some(port), None) if number_of(port, u64::from(u16::MAX)).is_none() => Err(bad_port),
            _ => Ok(()),
        }
    }

    /// The name in the first segment.
    fn name(&self, missing: Reason, malformed: Reason) -> Result<Vec<u8>, Reason> {
        match self.segments.first() {
            None | Some(&[]) => Err(missing),
            Some(segment) => form_decode(segment).ok_or(malformed),
        }
    }

    /// The first value of a parameter.
    fn parameter(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.query.split(|byte| *byte == b'&').find_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let is_named = form_decode(&pair[..at]).is_some_and(|found| found == name);
            is_named.then(|| form_decode(pair.get(at + 1..).unwrap_or_default()))?
        })
    }

    fn check_number(&self, name: &[u8], most: u64, reason: Reason) -> Result<(), Reason> {
        match self.parameter(name) {
            Some(value) if number_of(&value, most).is_none() => Err(reason),
            _ => Ok(()),
        }
    }
}

fn number_of(text: &[u8], most: u64) -> Option<u64> {
    crate::number::parse_uint(text).filter(|value| *value <= most)
}

/// Undoes `+` and `%20`; `None` for half an escape.
fn form_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || (*bytes.next()? as char).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                out.push((high * 16 + low) as u8);
            }
            _ => out.push(*byte),
        }
    }
    Some(out)
}

fn check_disque(url: &Url) -> Result<(), Reason> {
    url.check_host("invalid disque url", "invalid disque url")?;
    url.name("missing disque queue name", "invalid disque queue name")?;
    url.check_number(b"replicate", u64::from(u8::MAX), "invalid disque replicate value")
}

fn check_redis(url: &Url) -> Result<(), Reason> {
    url.check_host("invalid redis url", "invalid redis url port")?;
    match url.segments.first() {
        Some(segment) if form_decode(segment).is_none() => Err("invalid redis channel name"),
        _ => Ok(()),
    }
}

fn check_kafka(url: &Url) -> Result<(), Reason> {
    url.check_host("invalid kafka url", "invalid kafka url port")?;
    url.name("missing kafka topic name", "invalid kafka topic name").map(drop)
}

fn check_amqp(url: &Url) -> Result<(), Reason> {
    url.name("missing AMQP queue name", "invalid AMQP queue name")?;
    match url.segments.get(1).map(|segment| form_decode(segment)) {
        Some(None) => Err("invalid AMQP queue name"),
        _ => Ok(()),
    }
}

fn check_mqtt(url: &Url) -> Result<(), Reason> {
    url.check_host("invalid MQTT url", "invalid MQTT url port")?;
    url.name("missing MQTT topic name", "invalid MQTT topic name")?;
    if url.segments.iter().any(|segment| form_decode(segment).is_none()) {
        return Err("invalid MQTT topic name");
    }
    // Tile38 takes 3 and more, with which nothing is ever delivered.
    url.check_number(b"qos", 2, "invalid MQTT qos value")?;
    match url.parameter(b"retained") {
        Some(value) if number_of(&value, u64::from(u8::MAX)).is_none() => {
            Err("invalid MQTT retained value")
        }
        _ => url.check_number(b"retained", 1, "invalid MQTT retained, should be [0, 1]"),
    }
}

fn check_pubsub(url: &Url) -> Result<(), Reason> {
    pair_of(url.authority).ok_or("invalid PubSub format should be project/topic")
}

fn check_sqs(url: &Url) -> Result<(), Reason> {
    pair_of(url.authority).ok_or("invalid SQS url")?;
    url.name("missing SQS queue name", "invalid SQS queue name").map(drop)
}

/// The port has to be there, but needn't be a number.
fn check_nats(url: &Url) -> Result<(), Reason> {
    pair_of(url.authority).ok_or("invalid NATS url")
}

/// Whether it is two words with a colon between.
fn pair_of(text: &[u8]) -> Option<()> {
    (text.split(|byte| *byte == b':').count() == 2).then_some(())
}

fn check_cf_queue(url: &Url) -> Result<(), Reason> {
    match url.segments[..] {
        [] => return Err("invalid CF Queue format, should be account_id/queue_id"),
        [b"", ..] => return Err("missing CF Queue queue ID"),
        _ => {}
    }
    match url.parameter(b"token") {
        Some(token) if !token.is_empty() => Ok(()),
        _ => Err("missing CF Queue API token"),
    }
}

/// A connection string of four parts in a fixed order.
fn check_event_hub(url: &[u8]) -> Result<(), Reason> {
    let parts: Vec<&[u8]> = url.split(|byte| *byte == b';').collect();
    let [_, name, key, path] = parts[..] else {
        return Err("malformed EventHub connection string");
    };
    for (part, prefix, reason) in [
        (name, &b"SharedAccessKeyName="[..], "missing SharedAccessKeyName"),
        (key, b"SharedAccessKey=", "missing SharedAccessKey"),
        (path, b"EntityPath=", "missing EntityPath"),
    ] {
        if !part.starts_with(prefix) {
            return Err(reason);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_url() {
        let cases = [
            ("HTTP://h", "unknown scheme"),
            ("mqtts://h/t", "unknown scheme"),
            ("http:x", "missing the two slashes"),
            ("http://", "missing host"),
            ("local:///x", "missing channel"),
            ("redis://h:1:2", "invalid redis url"),
            ("redis://h:65536", "invalid redis url port"),
            ("redis://u:p@h", "invalid redis url port"),
            ("redis://u:p@h:1", "invalid redis url"),
            ("redis://h/%2", "invalid redis channel name"),
            ("disque://h:x/q", "invalid disque url"),
            ("disque://h", "missing disque queue name"),
            ("disque://h/%zz", "invalid disque queue name"),
            ("disque://h/q?replicate=256", "invalid disque replicate value"),
            ("grpc://h:1:2", "invalid grpc url"),
            ("kafka://h:1:2/t", "invalid kafka url"),
            ("kafka://h:x/t", "invalid kafka url port"),
            ("kafka://h/", "missing kafka topic name"),
            ("kafka://h/%", "invalid kafka topic name"),
            ("amqp://h", "missing AMQP queue name"),
            ("amqps://h/%z/q", "invalid AMQP queue name"),
            ("mqtt://h:1:2/t", "invalid MQTT url"),
            ("mqtt://h:x/t", "invalid MQTT url port"),
            ("mqtt://u:p@h/t", "invalid MQTT url port"),
            ("mqtt://h", "missing MQTT topic name"),
            ("mqtt://h/a/%", "invalid MQTT topic name"),
            ("mqtt://h/t?qos=x", "invalid MQTT qos value"),
            ("mqtt://h/t?qos=3", "invalid MQTT qos value"),
            ("mqtt://h/t?retained=x", "invalid MQTT retained value"),
            ("mqtt://h/t?retained=2", "invalid MQTT retained, should be [0, 1]"),
            ("pubsub://a:b:c", "invalid PubSub format should be project/topic"),
            ("sqs://r/q", "invalid SQS url"),
            ("sqs://r:a", "missing SQS queue name"),
            ("sqs://r:a/%", "invalid SQS queue name"),
            ("nats://h/t", "invalid NATS url"),
            ("cf-queue://a", "invalid CF Queue format, should be account_id/queue_id"),
            ("cf-queue://a/?token=t", "missing CF Queue queue ID"),
            ("cf-queue://a/q", "missing CF Queue API token"),
            ("Endpoint=sb://x/;SharedAccessKeyName=n", "malformed EventHub connection string"),
            ("Endpoint=sb://x/;A=n;SharedAccessKey=k;EntityPath=p", "missing SharedAccessKeyName"),
        ];
        for (url, reason) in cases {
            assert_eq!(check(url.as_bytes()), Err(reason), "{url}");
        }
    }

    #[test]
    fn urls_of_every_kind_pass() {
        for url in [
            "local://c/x",
            "http://u:p@h:1/a?b=c",
            "https://sqs.us-east-1.amazonaws.com/1/q",
            "redis://h",
            "redis://h:7010/my+chan%2Fx",
            "disque://h/q%20x?replicate=3",
            "grpc://h:7011",
            "kafka://h:9492/to.pic?auth=nope",
            "amqp://gu%40est:pa@h/vh/q?type=topic",
            "mqtt://user@h/a/b%2Fc+d/e?qos=2&retained=1",
            "nats://h:x",
            "sqs://r:1/q.fifo",
            "pubsub://p:t",
            "cf-queue://a/q?token=tok%2B1",
            "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=p",
        ] {
            assert_eq!(check(url.as_bytes()), Ok(()), "{url}");
        }
    }

    #[test]
    fn other_packages_add_schemes() {
        admit(vec![Box::from(&b"other:"[..])]);
        assert_eq!(check(b"other://x"), Ok(()));
        assert_eq!(check(b"others://x"), Err("unknown scheme"));
    }
}
