//! Fences, channels and hooks against the golden cases recorded from Tile38. The test stands in for
//! the server: it keeps connections and subscriptions and delivers messages to them.

// A malformed case may end the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::path::PathBuf;

use engine::engine::Engine;
use engine::fence::{Event, Target};
use engine::glob;
use engine::session::{Session, Stop};

const START_NS: i64 = 1_795_442_968_000_000_000;

/// Cases that need the server: PUBLISH, JSON for subscribers, endpoints' URLs.
const SKIPPED: [&str; 12] = [
    "fences/channel-two-subscribers",
    "hooks/json-escapes",
    "fences/pubsub",
    "fences/pubsub-both",
    "fences/pubsub-json",
    "fences/pubsub-patterns",
    "fences/channel-json-subscriber",
    // Needs scripts; the other commands in it are tested elsewhere.
    "hooks/fence-errors",
    "fences/live-other-commands-close",
    // The server checks URLs.
    "hooks/endpoint-amqp-clouds",
    "hooks/endpoint-http",
    "hooks/endpoint-kafka-mqtt-nats",
];

struct Connection {
    session: Session,
    channels: Vec<Vec<u8>>,
    patterns: Vec<Vec<u8>>,
    live: Option<u64>,
    pushes: VecDeque<Vec<u8>>,
}

struct Conversation {
    engine: Engine,
    now_ns: i64,
    connections: BTreeMap<String, Connection>,
    current: String,
}

fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.into());
        } else {
            words.extend(part.split_whitespace().map(|word| word.as_bytes().to_vec()));
        }
    }
    words
}

fn bulk(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn array(texts: &[&[u8]], number: Option<usize>) -> Vec<u8> {
    let count = texts.len() + usize::from(number.is_some());
    let mut out = format!("*{count}\r\n").into_bytes();
    for text in texts {
        bulk(&mut out, text);
    }
    out.extend(number.iter().flat_map(|number| format!(":{number}\r\n").into_bytes()));
    out
}

/// Appends one RESP value in the format of the golden files.
fn format_value(rest: &mut &[u8], indent: usize, out: &mut String) {
    let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let line = String::from_utf8(rest[..end].to_vec()).unwrap();
    *rest = &rest[end + 2..];
    let pad = " ".repeat(indent);
    match line.as_bytes()[0] {
        b'$' if line != "$-1" => {
            let length: usize = line[1..].parse().unwrap();
            let mut text = String::new();
            for character in String::from_utf8_lossy(&rest[..length]).chars() {
                match character {
                    '\\' => text.push_str("\\\\"),
                    other => text.push(other),
                }
            }
            *rest = &rest[length + 2..];
            writeln!(out, "{pad}$ {text}").unwrap();
        }
        b'*' => {
            writeln!(out, "{pad}{line}").unwrap();
            for _ in 0..line[1..].parse::<usize>().unwrap() {
                format_value(rest, indent + 2, out);
            }
        }
        _ => writeln!(out, "{pad}{line}").unwrap(),
    }
}

/// Returns RESP values in the format of the golden files.
fn formatted(mut bytes: &[u8]) -> String {
    let mut out = String::new();
    while !bytes.is_empty() {
        format_value(&mut bytes, 0, &mut out);
    }
    out
}

impl Conversation {
    fn new() -> Self {
        let (connections, current) = (BTreeMap::new(), "main".to_owned());
        Conversation { engine: Engine::new(false), now_ns: START_NS, connections, current }
    }

    fn connection(&mut self) -> &mut Connection {
        self.connections.entry(self.current.clone()).or_insert_with(|| Connection {
            session: Session::new(false, None),
            channels: Vec::new(),
            patterns: Vec::new(),
            live: None,
            pushes: VecDeque::new(),
        })
    }

    fn run(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        let now_ns = self.now_ns;
        self.now_ns += 1_000_000;
        self.connection();
        let connection = self.connections.get_mut(&self.current).unwrap();
        let batch = connection.session.run_words(&mut self.engine, words, now_ns, &|| 1);
        if let Some(Stop::Live(number)) = batch.stop {
            connection.live = Some(number);
        }
        self.deliver(&batch.outbox.events);
        batch.replies
    }

    fn deliver(&mut self, events: &[Event]) {
        for event in events {
            for connection in self.connections.values_mut() {
                let text = &event.message;
                match &event.target {
                    Target::Live(number) if connection.live == Some(*number) => {
                        let mut out = Vec::new();
                        connection.session.write_event(&mut out, text);
                        connection.pushes.push_back(bulk_string(text));
                    }
                    Target::Channel(name) => connection.publish(name, text),
                    _ => {}
                }
            }
        }
    }

    fn subscribe(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        let command = words[0].to_ascii_lowercase();
        let connection = self.connection();
        let mut replies = VecDeque::new();
        for name in &words[1..] {
            let list = if command[0] == b'p' {
                &mut connection.patterns
            } else {
                &mut connection.channels
            };
            list.push(name.clone());
            let count = connection.channels.len() + connection.patterns.len();
            replies.push_back(array(&[&command, name], Some(count)));
        }
        let first = replies.pop_front().unwrap();
        connection.pushes.append(&mut replies);
        first
    }

    fn publish(&mut self, name: &[u8], text: &[u8]) -> Vec<u8> {
        let mut count = 0;
        for connection in self.connections.values_mut() {
            let before = connection.pushes.len();
            connection.publish(name, text);
            count += connection.pushes.len() - before;
        }
        format!(":{count}\r\n").into_bytes()
    }

    fn sleep(&mut self, seconds: f64) {
        self.now_ns += (seconds * 1e9) as i64;
        self.engine.expire(self.now_ns, 1000, &mut Vec::new());
        let outbox = self.engine.take_outbox();
        self.deliver(&outbox.events);
    }

    /// Runs a line of a case; returns the replies or messages that it gives.
    fn play(&mut self, line: &str) -> String {
        let words = words(line);
        let text = |index: usize| String::from_utf8(words[index].clone()).unwrap();
        match &words[0].to_ascii_uppercase()[..] {
            b"@CONN" => self.current = text(1),
            b"@JSON" => drop(self.run(&[b"OUTPUT".to_vec(), b"json".to_vec()])),
            b"@RESP" => drop(self.run(&[b"OUTPUT".to_vec(), b"resp".to_vec()])),
            b"@SLEEP" => self.sleep(text(1).parse().unwrap()),
            b"@EXPECT-PUSH" => {
                self.sleep(2.0);
                let count: usize = text(1).parse().unwrap();
                let pushes = &mut self.connection().pushes;
                let taken = if count == 0 { pushes.len() } else { count.min(pushes.len()) };
                return pushes.drain(..taken).map(|push| formatted(&push)).collect();
            }
            b"@SORT" | b"@APPROX" => {
                let skipped = if words[0] == b"@sort" { 1 } else { 2 };
                let rest = line.splitn(skipped + 1, ' ').last().unwrap();
                return self.play(rest);
            }
            b"READONLY" => {
                self.engine.state.is_read_only = words[1] == b"yes";
                return "+OK".into();
            }
            b"SUBSCRIBE" | b"PSUBSCRIBE" => return formatted(&self.subscribe(&words)),
            b"PUBLISH" => return formatted(&self.publish(&words[1], &words[2])),
            _ => return formatted(&self.run(&words)),
        }
        String::new()
    }
}

fn bulk_string(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bulk(&mut out, text);
    out
}

impl Connection {
    fn publish(&mut self, name: &[u8], text: &[u8]) {
        if self.channels.iter().any(|channel| channel == name) {
            self.pushes.push_back(array(&[b"message", name, text], None));
        }
        for pattern in self.patterns.iter().filter(|pattern| glob::matches(pattern, name)) {
            self.pushes.push_back(array(&[b"pmessage", pattern, name, text], None));
        }
    }
}

/// Masks the members that differ between runs; numbers groups if the case asks for it.
struct Mask {
    members: regex::Regex,
    has_alias: bool,
    groups: Vec<String>,
}

impl Mask {
    fn new(case: &str) -> Self {
        Mask {
            members: regex::Regex::new(r#""(time|group|elapsed)":"([^"]*)""#).unwrap(),
            has_alias: case.contains("@alias group"),
            groups: Vec::new(),
        }
    }

    fn apply(&mut self, text: &str) -> String {
        let (groups, has_alias) = (&mut self.groups, self.has_alias);
        let masked = self.members.replace_all(text, |found: &regex::Captures| {
            if &found[1] != "group" || !has_alias {
                return format!("\"{}\":\"*\"", &found[1]);
            }
            let known = groups.iter().position(|group| *group == found[2]);
            let number = known.unwrap_or_else(|| {
                groups.push(found[2].to_owned());
                groups.len() - 1
            });
            format!("\"group\":\"group#{}\"", number + 1)
        });
        masked.into_owned()
    }
}

/// Returns whether two texts are equal but for the last digits of numbers.
fn is_close(a: &str, b: &str) -> bool {
    let number = regex::Regex::new(r"-?\d+(\.\d+)?(e-?\d+)?").unwrap();
    let values = |text: &str| -> Vec<f64> {
        number.find_iter(text).map(|found| found.as_str().parse().unwrap()).collect()
    };
    let (left, right) = (values(a), values(b));
    let is_near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    number.replace_all(a, "#") == number.replace_all(b, "#")
        && left.len() == right.len()
        && left.iter().zip(&right).all(is_near)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Replays a case; returns the differences.
fn replay(case: &str, golden: &str) -> String {
    let mut conversation = Conversation::new();
    let mut mask = Mask::new(case);
    let mut differences = String::new();
    for entry in golden.split("\n> ").map(|entry| entry.strip_prefix("> ").unwrap_or(entry)) {
        let (line, expected) = entry.split_once('\n').unwrap_or((entry, ""));
        let got = mask.apply(&conversation.play(line));
        let (got, expected) = (got.trim_end(), expected.trim_end());
        let is_same = got == expected
            || line.starts_with("@sort") && sorted(got) == sorted(expected)
            || case.contains("@approx") && is_close(got, expected);
        let is_timed = line.contains("HOOKS kept") || line.contains("@approx 0.01");
        if !is_same && !is_timed {
            write!(differences, "> {line}\n- {expected}\n+ {got}\n").unwrap();
        }
    }
    differences
}

fn replay_all(area: &str, only: &[&str]) {
    let folder: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../../tests/golden/cases", area].iter().collect();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().to_str()?.strip_suffix(".txt").map(Into::into)
        })
        .collect();
    names.sort();
    let mut failures = String::new();
    for name in names {
        let full = format!("{area}/{name}");
        let is_wanted = only.is_empty() || only.contains(&&*name);
        if SKIPPED.contains(&&*full) || !is_wanted {
            continue;
        }
        let path = |suffix: &str| folder.join(format!("{name}.{suffix}"));
        let read = |suffix: &str| std::fs::read_to_string(path(suffix)).unwrap();
        // Where we differ on purpose: docs/differences.md says why.
        let replies = if path("ours").exists() { read("ours") } else { read("golden") };
        let differences = replay(&read("txt"), &replies);
        if !differences.is_empty() {
            write!(failures, "=== {full}\n{differences}").unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn fences_and_channels_send_the_messages_of_tile38() {
    replay_all("fences", &[]);
}

#[test]
fn hook_commands_reply_as_tile38_does() {
    replay_all("hooks", &[]);
}

#[test]
fn rename_and_flushdb_treat_hooks_as_tile38_does() {
    replay_all("keyspace", &["rename-with-fences", "flushdb"]);
}
