//! Following a leader, adopting data, and what a follower does about time.

use super::*;
use crate::commands::record::{Arity, Group};
use crate::fence::{Detect, Target};
use crate::session::{Batch, Session};

const SECOND_NS: i64 = 1_000_000_000;
const NOW_NS: i64 = 1_700_000_000 * SECOND_NS;

fn run(engine: &mut Engine, line: &str) -> Batch {
    let words: Vec<&str> = line.split(' ').collect();
    Session::new(false, None).run_words(engine, &words, NOW_NS, &|| 1)
}

fn replies(engine: &mut Engine, line: &str) -> String {
    String::from_utf8(run(engine, line).replies).unwrap()
}

fn set_following(engine: &mut Engine, is_following: bool) {
    let state = State { is_following, caught_up_once: true, ..State::default() };
    engine.set_state(state);
}

fn follower() -> Engine {
    let mut engine = Engine::new(false);
    set_following(&mut engine, true);
    engine
}

/// Runs lines as they come from a leader.
fn follow(engine: &mut Engine, lines: &[&str], now_ns: i64) {
    let data = lines.join("\n") + "\n";
    let followed = engine.follow(data.as_bytes(), 0, now_ns);
    assert_eq!((followed.load.error, followed.load.consumed), (None, data.len()));
    assert_eq!(followed.log, data.as_bytes());
}

fn expire(engine: &mut Engine, now_ns: i64) -> usize {
    let mut log = Vec::new();
    let count = engine.expire(now_ns, 1_000_000, &mut log);
    assert!(log.is_empty());
    count
}

fn go_live(engine: &mut Engine, line: &str) {
    run(engine, line);
    assert!(!engine.keyspace.fences().is_empty());
}

/// The messages of live fences since the last time, without all that varies.
fn told(engine: &mut Engine) -> Vec<String> {
    let events = engine.take_outbox().events;
    let is_live = |event: &Event| matches!(event.target, Target::Live(_));
    assert!(events.iter().all(is_live));
    let command = |event: Event| {
        let text = String::from_utf8(event.message).unwrap();
        text.split('"').nth(3).unwrap().to_string()
    };
    events.into_iter().map(command).collect()
}

#[test]
fn what_a_leader_sends_is_logged_byte_by_byte() {
    let mut engine = follower();
    let facts = Facts::new(Group::PubSub, Arity::Exactly(3)).with(Flags::FORWARDED);
    engine.register("PUBLISH", "", "", facts, Vec::new());
    engine.state.is_out_of_memory = true;
    let pieces: [(&[u8], &[u8]); 8] = [
        (
            b"*3\r\n$3\r\nDEL\r\n$1\r\nk\r\n$1\r\na\r\n",
            b"*3\r\n$3\r\nDEL\r\n$1\r\nk\r\n$1\r\na\r\n",
        ),
        (b"\0\0\0", b"\0\0\0"),
        (b"Set k a  'point' 1 2\n", b"Set k a  'point' 1 2\n"),
        (b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$2\r\nm1\r\n", b""),
        (b"*0\r\n\r\n", b"*0\r\n\r\n"),
        (b"$11 get nowhere\r\n", b"$11 get nowhere\r\n"),
        (b"publish d m2\r\n", b""),
        (b"FSET no where x 1\r\n", b"FSET no where x 1\r\n"),
    ];
    let (data, log) = pieces.iter().fold((Vec::new(), Vec::new()), |(data, log), piece| {
        ([&data[..], piece.0].concat(), [&log[..], piece.1].concat())
    });
    let stream = [&data[..], b"*1\r\n$7\r\nFLU"].concat();
    let followed = engine.follow(&stream, 0, NOW_NS);
    assert_eq!(followed.load.error, None);
    assert_eq!((followed.load.consumed, followed.load.commands), (data.len(), 6));
    assert_eq!(followed.log, log);
    let published = [("c", "m1"), ("d", "m2")].map(|(c, m)| (c.into(), m.into()));
    assert_eq!(followed.published, published);
    assert_eq!(engine.keyspace.counts().objects, 1);
    assert!(engine.take_outbox().events.is_empty());
}

#[test]
fn an_error_of_the_leader_ends_the_log_before_it() {
    let mut engine = follower();
    let followed = engine.follow(b"SET k a POINT 1 2\nbogus\nDROP k\n", 0, NOW_NS);
    assert_eq!(followed.load.error.unwrap(), b"unknown command 'bogus'");
    assert_eq!((followed.load.consumed, followed.load.commands), (18, 1));
    assert_eq!(&followed.log[..], b"SET k a POINT 1 2\n");
    assert!(engine.follow(b"PUBLISH x\n", 0, NOW_NS).load.error.is_some());
}

#[test]
fn a_follower_tells_live_fences_and_no_others() {
    let mut engine = follower();
    go_live(&mut engine, "WITHIN k FENCE BOUNDS 0 0 9 9");
    let channel = "SETCHAN c WITHIN k FENCE BOUNDS 0 0 9 9";
    follow(&mut engine, &[channel, "SET k a EX 1 POINT 1 1"], NOW_NS);
    assert_eq!(told(&mut engine), ["set", "set"]);
    assert_eq!(expire(&mut engine, NOW_NS + 2 * SECOND_NS), 1);
    assert_eq!(told(&mut engine), ["del"]);
}

#[test]
fn hooks_and_channels_of_a_follower_end_without_a_log() {
    let mut engine = follower();
    let hook = "SETHOOK h http://x/y EX 1 NEARBY k FENCE POINT 1 1 1";
    follow(&mut engine, &[hook, "SETCHAN c EX 1 NEARBY k FENCE POINT 1 1 1"], NOW_NS);
    assert_eq!(expire(&mut engine, NOW_NS + 2 * SECOND_NS), 2);
    assert_eq!(hooks_changed(&mut engine), ["h", "h"]);
    assert!(engine.keyspace.fences().is_empty());
}

fn hooks_changed(engine: &mut Engine) -> Vec<String> {
    let changes = engine.take_outbox().hooks_changed;
    changes.iter().map(|change| String::from_utf8(change.name.to_vec()).unwrap()).collect()
}

#[test]
fn events_say_what_they_are_about() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SETHOOK h http://x/y WITHIN k FENCE DISTANCE IDS BOUNDS 0 0 9 9");
    run(&mut engine, "SETCHAN c NEARBY k FENCE ROAM k * 1000");
    run(&mut engine, "SET k b POINT 1 1");
    let mut expect = |line: &str, id: Option<&[u8]>, expected: &[(&Target, Option<Detect>)]| {
        let events = run(&mut engine, line).outbox.events;
        let found: Vec<_> = events.iter().map(|event| (&event.target, event.detect)).collect();
        assert_eq!(found, expected);
        assert!(events.iter().all(|event| event.key[..] == b"k"[..] && event.id.as_deref() == id));
    };
    let (hook, channel) = (Target::Hook(b"h"[..].into()), Target::Channel(b"c"[..].into()));
    let (roam, enter, inside) = (Some(Detect::Roam), Some(Detect::Enter), Some(Detect::Inside));
    let expected = [(&channel, roam), (&hook, enter), (&hook, inside)];
    expect("SET k a POINT 1 1", Some(b"a"), &expected);
    expect("DEL k a", Some(b"a"), &[(&channel, None), (&hook, None)]);
    expect("DROP k", None, &[(&channel, None), (&hook, None)]);
}

const HIDDEN: &str = "SET k a FIELD f 1 EX 1 POINT 1 1";

/// A follower whose clock ran ahead and removed an object that its leader still has.
fn follower_that_ran_ahead() -> Engine {
    let mut engine = follower();
    follow(&mut engine, &[HIDDEN], NOW_NS);
    assert_eq!(expire(&mut engine, NOW_NS + SECOND_NS), 1);
    assert_eq!(replies(&mut engine, "GET k a"), "$-1\r\n");
    engine
}

#[test]
fn what_the_leader_still_names_comes_back() {
    for (line, reads) in [
        ("PERSIST k a", "TTL k a"),
        ("EXPIRE k a 100", "TTL k a"),
        ("SET k a POINT 2 2", "GET k a WITHFIELDS"),
        ("SET k a XX POINT 2 2", "GET k a WITHFIELDS"),
        ("FSET k a f 2", "FGET k a f"),
        ("JSET k a coordinates.0 5", "GET k a WITHFIELDS"),
        ("RENAME k l", "GET l a WITHFIELDS"),
        ("RENAMENX k l", "GET l a WITHFIELDS"),
        ("SETCHAN c WITHIN k FENCE GET k a", "CHANS *"),
    ] {
        let mut engine = follower_that_ran_ahead();
        let mut expected = follower();
        follow(&mut expected, &[HIDDEN, line], NOW_NS);
        follow(&mut engine, &[line], NOW_NS + 2 * SECOND_NS);
        let reads_at = |engine: &mut Engine| {
            let mut session = Session::new(false, None);
            let words: Vec<&str> = reads.split(' ').collect();
            session.run_words(engine, &words, NOW_NS, &|| 1).replies
        };
        let seen = String::from_utf8(reads_at(&mut engine)).unwrap();
        if line.starts_with("EXPIRE") {
            assert_eq!(seen, ":102\r\n", "{line}");
        } else {
            assert_eq!(seen.as_bytes(), reads_at(&mut expected), "{line}");
            assert_ne!(seen, "$-1\r\n", "{line}");
        }
    }
}

#[test]
fn what_the_leader_removes_does_not_come_back() {
    for line in ["DEL k a", "PDEL k *", "DROP k", "FLUSHDB", "RENAME other k"] {
        let mut engine = follower_that_ran_ahead();
        follow(&mut engine, &["SET other b POINT 3 3", line], NOW_NS + 2 * SECOND_NS);
        follow(&mut engine, &["PERSIST k a"], NOW_NS + 2 * SECOND_NS);
        assert_eq!(replies(&mut engine, "GET k a"), "$-1\r\n", "{line}");
    }
    let mut engine = follower_that_ran_ahead();
    follow(&mut engine, &["PDEL k b*", "PERSIST k a"], NOW_NS + 2 * SECOND_NS);
    assert_ne!(replies(&mut engine, "GET k a"), "$-1\r\n");
}

#[test]
fn what_was_removed_waits_for_the_leader_however_long() {
    let mut engine = follower_that_ran_ahead();
    assert_eq!(expire(&mut engine, NOW_NS + 3600 * SECOND_NS), 0);
    follow(&mut engine, &["PERSIST k a"], NOW_NS + 3600 * SECOND_NS);
    assert_ne!(replies(&mut engine, "GET k a"), "$-1\r\n");
}

#[test]
fn a_follower_that_becomes_the_leader_logs_what_the_former_one_did_not() {
    let mut engine = follower_that_ran_ahead();
    set_following(&mut engine, false);
    let mut log = Vec::new();
    assert_eq!(engine.expire(NOW_NS + 2 * SECOND_NS, 10, &mut log), 1);
    assert_eq!(log, b"*3\r\n$3\r\ndel\r\n$1\r\nk\r\n$1\r\na\r\n");
    assert_eq!(replies(&mut engine, "GET k a"), "$-1\r\n");
}

#[test]
fn an_object_hidden_twice_is_kept_from_the_second_time_on() {
    let mut engine = follower_that_ran_ahead();
    follow(&mut engine, &["FSET k a f 2"], NOW_NS + 5 * SECOND_NS);
    assert_eq!(expire(&mut engine, NOW_NS + 8 * SECOND_NS), 1);
    assert_eq!(expire(&mut engine, NOW_NS + 12 * SECOND_NS), 0);
    follow(&mut engine, &["PERSIST k a"], NOW_NS + 17 * SECOND_NS);
    assert_eq!(replies(&mut engine, "FGET k a f"), "$1\r\n2\r\n");
}

#[test]
fn adopted_data_takes_the_place_of_the_old() {
    let mut engine = Engine::new(false);
    run(&mut engine, "SET old a FIELD unused 1 FIELD speed 1 POINT 1 1");
    for name in ["gone", "same", "other"] {
        run(&mut engine, &format!("SETHOOK {name} http://x/y NEARBY k FENCE POINT 1 1 9"));
    }
    go_live(&mut engine, "WITHIN k WHERE speed 5 9 FENCE DETECT enter BOUNDS 0 0 9 9");
    let snapshot = engine.keyspace.clone();
    engine.take_outbox();

    let mut staging = Engine::new(false);
    let lines: [&[u8]; 4] = [
        b"SETHOOK new http://x/y NEARBY k FENCE POINT 1 1 9\n",
        b"SETHOOK same http://x/y NEARBY k FENCE POINT 1 1 9\n",
        b"SETHOOK other http://x/z NEARBY k FENCE POINT 1 1 9\n",
        b"SET k a FIELD speed 1 POINT 1 1\n",
    ];
    assert_eq!(staging.load(&lines.concat(), NOW_NS).error, None);
    let version = engine.keyspace.version(b"old");
    let discarded = engine.adopt(staging.hand_over());
    assert!(engine.keyspace.version(b"k") > version, "no version comes twice");
    assert!(staging.keyspace.is_empty() && staging.keyspace.fences().is_empty());

    assert_eq!(hooks_changed(&mut engine), ["gone", "new", "other"]);
    assert_eq!(replies(&mut engine, "KEYS *"), "*1\r\n$1\r\nk\r\n");
    drop(discarded);
    assert_eq!(snapshot.counts().objects, 1);

    // The live fence is there and its WHERE means the same field, whatever its number is by now.
    let batch = run(&mut engine, "FSET k a speed 6");
    assert!(batch.outbox.events.iter().all(|event| !matches!(event.target, Target::Live(_))));
    run(&mut engine, "SET k a POINT 50 50");
    let batch = run(&mut engine, "SET k a POINT 2 2");
    let live = batch.outbox.events.iter().filter(|e| matches!(e.target, Target::Live(_)));
    assert_eq!(live.count(), 1);
}

#[test]
fn numbers_of_fences_stay_apart_when_data_is_adopted() {
    let mut engine = Engine::new(false);
    let live = "WITHIN k FENCE DETECT enter BOUNDS 0 0 9 9";
    go_live(&mut engine, live);
    let mut staging = Engine::new(false);
    run(&mut staging, "SETCHAN c WITHIN k FENCE DETECT enter BOUNDS 0 0 9 9");
    engine.adopt(staging.hand_over());
    run(&mut engine, "SETCHAN d WITHIN k FENCE DETECT enter BOUNDS 0 0 9 9");
    go_live(&mut engine, live);
    assert_eq!(engine.keyspace.fences().serials().len(), 4);
    assert_eq!(run(&mut engine, "SET k a POINT 1 1").outbox.events.len(), 4);
}
