//! The URLs of hooks' endpoints: the engine splits the list, and the driver, which sends to them,
//! decides whether each is valid.

/// A checker of the URLs in SETHOOK. The driver implements it.
pub trait EndpointChecker: Send + Sync {
    /// Checks one URL. Called while a command runs: it must neither wait nor use the engine.
    fn check(&self, url: &[u8]) -> Result<(), Refusal>;
}

/// Why SETHOOK may not name a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the log of the server.
    pub reason: String,
    /// The client's error text; `None` where it is that of any invalid argument.
    pub reply: Option<String>,
}

/// How Event Hubs' connection strings begin, the only URLs that have no `://`.
const CONNECTION_STRING: &[u8] = b"Endpoint=";

/// The URLs in a list, without blanks around them. A part that begins no URL belongs to the one
/// before it, whose second broker it may be: `kafka://one:9092,two:9092/topic`.
pub fn split(list: &[u8]) -> Vec<Box<[u8]>> {
    let mut urls: Vec<Vec<u8>> = Vec::new();
    for part in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        match urls.last_mut() {
            Some(url) if !part.is_empty() && !begins_url(part) => {
                url.push(b',');
                url.extend_from_slice(part);
            }
            _ => urls.push(part.to_vec()),
        }
    }
    urls.into_iter().map(Vec::into_boxed_slice).collect()
}

/// Returns the channel of this server that a URL names; `None` for other URLs.
pub fn local_channel(url: &[u8]) -> Option<&[u8]> {
    let rest = url.strip_prefix(b"local://")?;
    rest.split(|byte| matches!(byte, b'/' | b'?')).next()
}

fn begins_url(part: &[u8]) -> bool {
    part.starts_with(CONNECTION_STRING) || part.windows(3).any(|window| window == b"://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_of_a_local_url_ends_at_a_slash_or_query() {
        for (url, channel) in [
            ("local://a", Some("a")),
            ("local://a/b?c", Some("a")),
            ("local://a?b", Some("a")),
            ("http://a", None),
        ] {
            assert_eq!(local_channel(url.as_bytes()), channel.map(str::as_bytes), "{url}");
        }
    }

    #[test]
    fn a_part_that_begins_no_url_belongs_to_the_one_before() {
        let cases: [(&str, &[&str]); 8] = [
            ("http://a", &["http://a"]),
            (" http://a , http://b ", &["http://a", "http://b"]),
            ("kafka://a:1, b:2 ,c/t,http://x", &["kafka://a:1,b:2,c/t", "http://x"]),
            ("kafka://a/t,Endpoint=sb://x/;K=k", &["kafka://a/t", "Endpoint=sb://x/;K=k"]),
            ("nope,http://x", &["nope", "http://x"]),
            ("nope,too", &["nope,too"]),
            ("http://x,,", &["http://x", "", ""]),
            ("", &[""]),
        ];
        for (list, expected) in cases {
            let found = split(list.as_bytes());
            let found: Vec<_> = found.iter().map(|url| std::str::from_utf8(url).unwrap()).collect();
            assert_eq!(found, expected, "{list}");
        }
    }
}
