//! Logs and leaders' streams in pieces, cut, padded and damaged: the loaded state depends on the
//! commands alone.

// A test may end where it fails.
#![allow(clippy::unwrap_used, clippy::panic)]

use engine::engine::{Engine, Load};
use engine::gate::State;
use engine::request::Arguments;
use engine::transaction_log::TransactionLog;
use proptest::prelude::*;

const NOW_NS: i64 = 1_700_000_000_000_000_000;

fn empty() -> Engine {
    let mut engine = Engine::new(false);
    engine.set_state(State { is_following: true, ..State::default() });
    engine
}

/// Returns the state as the log that creates it.
fn state(engine: &Engine) -> String {
    String::from_utf8_lossy(&engine.rewrite(NOW_NS).read(usize::MAX)).into_owned()
}

fn state_after(log: &[u8]) -> String {
    let mut engine = empty();
    assert_eq!(engine.load(log, NOW_NS).error, None);
    state(&engine)
}

fn any_words() -> impl Strategy<Value = String> {
    let key = || prop::sample::select(vec!["k", "l"]);
    let id = || prop::sample::select(vec!["a", "b", "c"]);
    let set = (
        key(),
        id(),
        prop::sample::select(vec![
            "POINT 1 2",
            "EX 50 POINT 1 2",
            "FIELD f 1 STRING x",
            "XX BOUNDS 1 2 3 4",
            "NX HASH 9my5x",
        ]),
    )
        .prop_map(|(key, id, rest)| format!("SET {key} {id} {rest}"));
    let about_object = prop::sample::select(vec!["DEL", "PERSIST", "GET"]);
    let other = prop_oneof![
        (about_object, key(), id()).prop_map(|(name, key, id)| format!("{name} {key} {id}")),
        (key(), id()).prop_map(|(key, id)| format!("EXPIRE {key} {id} 7")),
        (key(), id(), 0..3).prop_map(|(key, id, f)| format!("FSET {key} {id} f {f}")),
        (key(), id(), 0..3).prop_map(|(key, id, n)| format!("JSET {key} {id} n {n}")),
        key().prop_map(|key| format!("DROP {key}")),
        key().prop_map(|key| format!("PDEL {key} [ab]")),
        (0..3, key()).prop_map(|(n, key)| format!("SETCHAN c{n} WITHIN {key} BOUNDS 0 0 {n} 9")),
        (key(), id()).prop_map(|(key, id)| format!("SETHOOK h http://x/y WITHIN k GET {key} {id}")),
        Just("DELCHAN c1".to_string()),
        Just("FLUSHDB".to_string()),
    ];
    prop_oneof![3 => set, 2 => other]
}

/// A command in one of the framings that a log may have.
fn any_command() -> impl Strategy<Value = Vec<u8>> {
    (any_words(), 0..4).prop_map(|(words, form)| match form {
        0 => format!("{words}\r\n").into_bytes(),
        1 => format!("${} {words}\r\n", words.len()).into_bytes(),
        _ => {
            let words: Vec<&str> = words.split(' ').collect();
            let bulk = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
            let bulks: String = words.iter().map(bulk).collect();
            format!("*{}\r\n{bulks}", words.len()).into_bytes()
        }
    })
}

/// Commands and transactions.
fn any_log() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop_oneof![3 => any_command(), 1 => any_transaction()], 0..25)
}

/// Loads a log in pieces of `size` bytes, or follows it as a leader's stream, and keeps the bytes
/// that aren't consumed for the next piece. Returns the log that a follower writes.
fn run_pieces(engine: &mut Engine, data: &[u8], size: usize, is_leader: bool) -> Vec<u8> {
    let mut unconsumed = Vec::new();
    let (mut scanned, mut log) = (0, Vec::new());
    for piece in data.chunks(size) {
        unconsumed.extend_from_slice(piece);
        let load = if is_leader {
            let followed = engine.follow(&unconsumed, scanned, NOW_NS);
            log.extend_from_slice(&followed.log);
            followed.load
        } else {
            engine.load(&unconsumed, NOW_NS)
        };
        assert_eq!(load.error, None);
        scanned = load.scanned;
        unconsumed.drain(..load.consumed);
    }
    assert!(unconsumed.is_empty());
    log
}

/// A transaction of one to six commands, as a session writes it.
fn any_transaction() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any_words(), 1..7).prop_map(|commands| {
        let mut log = TransactionLog::default();
        for words in commands {
            let mut arguments = Arguments::default();
            arguments.assign(&words.split(' ').collect::<Vec<_>>());
            log.push(arguments.view(&[]));
        }
        log.take_marked()
    })
}

fn load_error(log: &[u8]) -> (Load, Engine) {
    let mut engine = empty();
    (engine.load(log, NOW_NS), engine)
}

const GARBAGE: [&[u8]; 6] = [
    b"bogus\n",
    b"*1\r\n+x\r\n",
    b"*x\r\n",
    b"set 'k a\n",
    b"*2\r\n$3\r\nSET\r\n$1\r\nk\r\n",
    b"SET k a EX soon POINT 1 2\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn loading_in_pieces_gives_the_same_state(commands in any_log(), size in 1..200_usize) {
        let data = commands.concat();
        let expected = state_after(&data);
        let mut loaded = empty();
        run_pieces(&mut loaded, &data, size, false);
        prop_assert_eq!(state(&loaded), &expected[..]);
        let mut followed = empty();
        let log = run_pieces(&mut followed, &data, size, true);
        prop_assert_eq!(state(&followed), &expected[..]);
        prop_assert_eq!(log, data);
    }

    #[test]
    fn a_cut_log_ends_with_its_last_complete_command(commands in any_log()) {
        let data = commands.concat();
        let (mut complete, mut expected) = (0, state_after(b""));
        let mut lengths = commands.iter().map(Vec::len).peekable();
        for end in 0..=data.len() {
            if lengths.peek().is_some_and(|length| complete + length <= end) {
                complete += lengths.next().unwrap();
                expected = state_after(&data[..complete]);
            }
            let (load, mut engine) = load_error(&data[..end]);
            prop_assert_eq!((load.error, load.consumed), (None, complete), "cut at {}", end);
            prop_assert_eq!(state(&engine), &expected[..], "cut at {}", end);
            prop_assert_eq!(engine.load(&data[complete..], NOW_NS).error, None);
            prop_assert_eq!(state(&engine), state_after(&data));
        }
    }

    #[test]
    fn zero_bytes_between_commands_are_skipped(
        commands in prop::collection::vec((any_command(), 0..5_usize), 0..25),
        size in 1..100_usize,
    ) {
        let pad = |(command, zeros): &(Vec<u8>, usize)| [vec![0; *zeros], command.clone()].concat();
        let padded: Vec<u8> = commands.iter().flat_map(pad).chain([0, 0]).collect();
        let plain: Vec<u8> = commands.iter().flat_map(|(command, _)| command.clone()).collect();
        let mut loaded = empty();
        run_pieces(&mut loaded, &padded, size, false);
        prop_assert_eq!(state(&loaded), state_after(&plain));
        let log = run_pieces(&mut empty(), &padded, size, true);
        prop_assert_eq!(log, padded);
    }

    #[test]
    fn loading_stops_before_garbage(
        before in any_log(),
        after in any_log(),
        garbage in prop::sample::select(&GARBAGE[..]),
    ) {
        let before = before.concat();
        let data = [&before[..], garbage, &after.concat()].concat();
        let (load, engine) = load_error(&data);
        prop_assert!(load.error.is_some());
        prop_assert_eq!(load.consumed, before.len());
        prop_assert_eq!(state(&engine), state_after(&before));
        let followed = empty().follow(&data, 0, NOW_NS);
        prop_assert_eq!(followed.load, load);
        prop_assert_eq!(followed.log, before);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_consumed(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let (load, _) = load_error(&data);
        prop_assert!(load.consumed <= data.len());
        let followed = empty().follow(&data, 0, NOW_NS);
        prop_assert!(followed.log.len() <= followed.load.consumed);
        prop_assert_eq!(followed.load.consumed, load.consumed);
    }
}

#[test]
fn a_lifetime_that_overflows_never_ends() {
    for seconds in ["inf", "+Inf", "nan", "1e300", "9223372036.9", "1e10"] {
        let log = format!("SET k a EX {seconds} POINT 1 2\nSET k b POINT 1 2\n");
        let log = log + &format!("EXPIRE k b {seconds}\n");
        let (load, mut engine) = load_error(log.as_bytes());
        assert_eq!(load.error, None);
        assert_eq!(engine.expire(i64::MAX - 1, 9, &mut Vec::new()), 0, "{seconds}");
        assert!(!state(&engine).contains("ex\r\n"), "{seconds}");
    }
}

#[test]
fn a_lifetime_of_zero_or_less_is_over_at_once() {
    for seconds in ["-inf", "-1e300", "0", "-0"] {
        let log = format!("SET k a EX {seconds} POINT 1 2\n");
        let (load, mut engine) = load_error(log.as_bytes());
        assert_eq!(load.error, None);
        assert!(state(&engine).contains("ex\r\n$3\r\n0.1\r\n"), "{seconds}");
        assert_eq!(engine.expire(NOW_NS, 9, &mut Vec::new()), 1, "{seconds}");
    }
}
